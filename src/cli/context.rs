//! What a command may use: the world, the global flags, and the answers that several commands need.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use time::OffsetDateTime;

use super::arguments::Globals;
use super::{Failure, output};
use crate::authority::Home;
use crate::authority::issue::Tools;
use crate::system::{World, files};
use crate::x509::validity;

/// Handed to every command.
pub struct Context<'a> {
    pub globals: Globals,
    pub world: &'a mut World,
}

impl<'a> Context<'a> {
    pub fn new(globals: &Globals, world: &'a mut World) -> Self {
        Self { globals: globals.clone(), world }
    }

    /// The time of this run, in whole seconds.
    pub fn now(&self) -> OffsetDateTime {
        validity::whole_second(self.world.clock.now())
    }

    /// The CA directory: `--dir` or `CA_DIR`, else the nearest one upwards from the working folder.
    ///
    /// # Errors
    /// Exit status 2 when there is none.
    pub fn home(&self) -> Result<Home, Failure> {
        let named = self.globals.dir.as_ref().map(|folder| self.world.resolve(folder));
        Ok(Home::find(named.as_deref(), &self.world.working_folder)?)
    }

    /// What an act on the CA may use of the world.
    pub fn tools(&self) -> Tools<'_> {
        Tools {
            clock: self.world.clock.as_ref(),
            entropy: self.world.entropy.as_ref(),
            lock_timeout: Duration::from_secs(self.globals.lock_timeout.as_seconds()),
        }
    }

    /// Reads a file that the user named; `-` is standard input.
    ///
    /// # Errors
    /// Exit status 2: the contract's answer to an input that cannot be read.
    pub fn read_input(&mut self, path: &Path) -> Result<Vec<u8>, Failure> {
        if path.as_os_str() != "-" {
            return read_file(path, &self.world.resolve(path));
        }
        let mut content = Vec::new();
        self.world.stdin.by_ref().take(files::MOST_OCTETS + 1).read_to_end(&mut content).map_err(|cause| {
            Failure::unreadable(&files::FileError { action: "read", path: PathBuf::from("standard input"), cause })
        })?;
        if content.len() as u64 > files::MOST_OCTETS {
            return Err(Failure::usage(
                "input-too-large",
                format!("standard input is longer than {} octets", files::MOST_OCTETS),
            ));
        }
        Ok(content)
    }

    /// Says something that is no result, on standard error; `--quiet` keeps it back.
    pub fn note(&mut self, sentence: &str) {
        if !self.globals.quiet {
            // A note that cannot be shown must not stop the work.
            drop(writeln!(self.world.stderr, "{}", output::line(sentence)));
        }
    }

    /// Warns of something on standard error, `--quiet` or not.
    pub fn warn(&mut self, sentence: &str) {
        drop(writeln!(self.world.stderr, "warning: {}", output::line(sentence)));
    }
}

/// Reads the file at `place`, which the user named `path`: as it was named, it is told.
///
/// # Errors
/// Exit status 2: the contract's answer to an input that cannot be read.
fn read_file(path: &Path, place: &Path) -> Result<Vec<u8>, Failure> {
    files::read(place, files::MOST_OCTETS)
        .map_err(|error| Failure::unreadable(&files::FileError { path: path.to_owned(), ..error }))
}
