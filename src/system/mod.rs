//! OUTSIDE: the only room that asks the time, draws randomness, touches files or reads the environment.
//!
//! `main` builds one [`World`]; everything else is handed what it needs from it. A test builds its own.

pub mod clock;
pub mod entropy;
pub mod files;
pub mod getent;
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
pub use terminal::Terminal;

/// Everything outside the program that a command may use.
pub struct World {
    pub clock: Box<dyn Clock>,
    pub entropy: Box<dyn Entropy>,
    pub terminal: Box<dyn Terminal>,
    pub environment: HashMap<OsString, OsString>,
    pub working_folder: PathBuf,
    pub stdin: Box<dyn Read>,
    pub stdout: Box<dyn Write>,
    pub stderr: Box<dyn Write>,
}

impl World {
    /// The real one.
    ///
    /// # Errors
    /// When the working folder does not exist any more.
    pub fn system() -> io::Result<Self> {
        Ok(Self {
            clock: Box::new(clock::SystemClock),
            entropy: Box::new(entropy::SystemEntropy),
            terminal: Box::new(terminal::SystemTerminal),
            environment: std::env::vars_os().collect(),
            working_folder: std::env::current_dir()?,
            stdin: Box::new(io::stdin()),
            stdout: Box::new(io::stdout()),
            stderr: Box::new(io::stderr()),
        })
    }

    /// The value of an environment variable; an empty one counts as unset.
    pub fn variable(&self, name: &str) -> Option<&OsString> {
        self.environment.get(std::ffi::OsStr::new(name)).filter(|value| !value.is_empty())
    }

    /// A path as the user gave it, seen from the working folder.
    pub fn resolve(&self, path: &Path) -> PathBuf {
        self.working_folder.join(path)
    }
}
