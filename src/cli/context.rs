//! What a command may use: the world, the global flags, and the answers that several commands need.

use std::ffi::OsStr;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use time::OffsetDateTime;

use super::Failure;
use crate::cli::options::globals::Globals;
use crate::store::Store;
use crate::store::effects::Effects;
use crate::store::home::Home;
use crate::store::home::HomeError;
use crate::system::{World, files};
use crate::text::escape;

/// The variable that stands for `--dir`.
const CA_DIR: &str = "CA_DIR";

/// Handed to every command.
pub struct Context<'a> {
    /// The flags; `dir` is that of the variable where there is no flag.
    pub globals: Globals,
    pub world: &'a mut World,
    is_dir_of_variable: bool,
}

impl<'a> Context<'a> {
    /// # Errors
    /// Exit status 2 when the variable that stands for a flag is set, but empty: what was to be put in it is not known.
    pub fn new(globals: &Globals, world: &'a mut World) -> Result<Self, Failure> {
        let mut globals = globals.clone();
        let variable = world.environment.get(OsStr::new(CA_DIR)).filter(|_| globals.dir.is_none());
        if variable.is_some_and(|value| value.is_empty()) {
            return Err(Failure::usage(
                "bad-arguments",
                format!("the environment variable {CA_DIR} is set, but empty"),
            )
            .hint(format!("put the CA directory in it, or take it away: unset {CA_DIR}"))
            .hint("or name the CA directory with --dir DIR, which comes before the variable"));
        }
        let is_dir_of_variable = variable.is_some();
        globals.dir = variable.map(PathBuf::from).or(globals.dir);
        Ok(Self { globals, world, is_dir_of_variable })
    }

    /// The time of this run, in whole seconds.
    pub fn now(&self) -> OffsetDateTime {
        crate::text::whole_second(self.world.clock.now())
    }

    /// The CA directory: `--dir` or `CA_DIR`, else the nearest one upwards from the working folder.
    ///
    /// # Errors
    /// Exit status 2 when there is none.
    pub fn home(&self) -> Result<Home, Failure> {
        let named = self.globals.dir.as_ref().map(|folder| self.world.resolve(folder));
        Home::find(named.as_deref(), &self.world.working_folder).map_err(|error| self.no_home(error))
    }

    /// Opens the CA in that directory.
    ///
    /// # Errors
    /// As [`home`](Self::home); and when its settings cannot be read.
    pub fn store(&self) -> Result<Store, Failure> {
        Ok(Store::open(self.home()?)?)
    }

    /// The failure to find a CA directory. Nobody sees the variable in the words that he typed.
    pub fn no_home(&self, error: HomeError) -> Failure {
        let is_of_variable = self.is_dir_of_variable && matches!(error, HomeError::NotOne(_));
        let failure = Failure::from(error);
        match is_of_variable {
            true => Failure {
                message: format!("{} (the environment variable {CA_DIR} names it)", failure.message),
                ..failure
            },
            false => failure,
        }
    }

    /// What an act on the CA may use of the world.
    pub fn effects(&self) -> Effects<'_> {
        Effects {
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
            drop(writeln!(self.world.stderr, "{}", escape(sentence)));
        }
    }

    /// Warns of something on standard error, `--quiet` or not.
    pub fn warn(&mut self, sentence: &str) {
        drop(writeln!(self.world.stderr, "warning: {}", escape(sentence)));
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
