//! The world outside the program: time, random numbers, files, environment, terminal. Only this room asks for them.
//!
//! `main` makes one [`World`], and passes what is needed to everything else. A test makes its own.

pub mod clock;
pub mod entropy;
pub mod files;
pub mod getent;
pub mod identity;
pub mod process;
pub mod socket;
pub mod terminal;
mod unix;

use std::collections::HashMap;
use std::ffi::OsString;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

pub use clock::Clock;
pub use entropy::Entropy;
pub use identity::{Actor, Identity};
pub use terminal::Terminal;
pub use unix::limits::file_size_limit_was_met;

/// Everything outside the program that a command may use.
pub struct World {
    pub clock: Box<dyn Clock>,
    pub entropy: Box<dyn Entropy>,
    pub identity: Box<dyn Identity>,
    pub terminal: Box<dyn Terminal>,
    pub environment: HashMap<OsString, OsString>,
    pub working_folder: PathBuf,
    pub stdin: Box<dyn Read>,
    pub stdout: Box<dyn Write>,
    pub stderr: Box<dyn Write>,
}

impl World {
    /// Returns the real world.
    ///
    /// # Errors
    /// When the working folder no longer exists.
    pub fn system() -> io::Result<Self> {
        Ok(Self {
            clock: Box::new(clock::SystemClock),
            entropy: Box::new(entropy::SystemEntropy),
            identity: Box::new(identity::SystemIdentity { sudo_user: std::env::var_os("SUDO_USER") }),
            terminal: Box::new(terminal::SystemTerminal),
            environment: std::env::vars_os().collect(),
            working_folder: std::env::current_dir()?,
            stdin: Box::new(io::stdin()),
            stdout: Box::new(io::stdout()),
            stderr: Box::new(io::stderr()),
        })
    }

    /// Prepares the process, before it reads a secret or writes a file: no crash writes its memory to a disk, and a file
    /// size limit is an error of the write that meets it.
    pub fn prepare_process() {
        unix::limits::disable_core_files();
        unix::limits::report_file_size_limit();
    }

    /// Returns the value of an environment variable; an empty one counts as unset.
    pub fn variable(&self, name: &str) -> Option<&OsString> {
        self.environment.get(std::ffi::OsStr::new(name)).filter(|value| !value.is_empty())
    }

    /// Returns a path that the user gave, relative to the working folder, as an absolute path.
    pub fn resolve(&self, path: &Path) -> PathBuf {
        self.working_folder.join(path)
    }
}
