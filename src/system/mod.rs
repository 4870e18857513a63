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
pub mod stdin;
pub mod terminal;
pub mod threads;
mod unix;

use std::collections::HashMap;
use std::ffi::OsString;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

pub use clock::Clock;
pub use entropy::Entropy;
pub use identity::{Actor, Identity};
pub use stdin::Stdin;
pub use terminal::{Pager, Terminal};
pub use unix::limits::{file_size_limit_was_met, open_file_limit};

/// Everything outside the program that a command may use.
pub struct World {
    pub clock: Box<dyn Clock>,
    pub entropy: Box<dyn Entropy>,
    pub identity: Box<dyn Identity>,
    pub terminal: Box<dyn Terminal>,
    pub environment: HashMap<OsString, OsString>,
    pub working_folder: PathBuf,
    pub stdin: Stdin,
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
            stdin: Stdin::new(Box::new(io::stdin())),
            stdout: Box::new(io::stdout()),
            stderr: Box::new(io::stderr()),
        })
    }

    /// Prepares the process, before it reads a secret or writes a file: each standard stream is open, no crash writes the
    /// memory of the process to a disk, and a file size limit or a closed pipe is an error of the write that meets it.
    ///
    /// # Errors
    /// When a standard stream is closed, and /dev/null cannot be opened in its place.
    pub fn prepare_process() -> io::Result<()> {
        unix::standard_streams::open_closed()?;
        unix::standard_streams::report_closed_pipe();
        unix::limits::disable_core_files();
        unix::limits::report_file_size_limit();
        Ok(())
    }

    /// Shows a text with the user's pager, when standard output is a terminal. Returns false when that was not done: `PAGER` is
    /// empty or `cat`, the terminal is dumb, or there is no such program.
    pub fn page(&self, text: &str) -> bool {
        const USUAL: &str = "less";
        let text_of = |name: &str| self.environment.get(std::ffi::OsStr::new(name)).and_then(|value| value.to_str());
        let command = text_of("PAGER").unwrap_or(USUAL);
        if !self.terminal.shows_stdout() || matches!(command, "" | "cat") || text_of("TERM") == Some("dumb") {
            return false;
        }
        // A secret may be in a variable: the pager gets what it needs of them.
        let needed = |name: &&OsString| {
            let name = name.to_string_lossy();
            ["PATH", "HOME", "TERM", "LANG", "COLUMNS", "LINES"].contains(&&*name)
                || name.starts_with("LC_")
                || name.starts_with("LESS")
        };
        let kept = self.environment.iter().filter(|(name, _)| needed(name));
        let mut environment: HashMap<_, _> = kept.map(|(name, value)| (name.clone(), value.clone())).collect();
        // As git: no pager for a text that fits the screen, and the text stays on the screen afterwards.
        environment.entry("LESS".into()).or_insert_with(|| "FRX".into());
        self.terminal.page(text, &Pager { command, environment: &environment }).is_ok()
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

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::rc::Rc;

    use super::*;

    /// The command of a pager, and the names of the variables that it got.
    type Started = Rc<RefCell<Vec<(String, Vec<String>)>>>;

    /// A terminal on standard output, or none; it keeps what it would have started as a pager.
    struct Screen {
        is_terminal: bool,
        started: Started,
    }

    impl Terminal for Screen {
        fn can_ask(&self) -> bool {
            false
        }

        fn shows_stdout(&self) -> bool {
            self.is_terminal
        }

        fn shows_stderr(&self) -> bool {
            false
        }

        fn columns(&self) -> Option<usize> {
            None
        }

        fn page(&self, _text: &str, pager: &Pager<'_>) -> io::Result<()> {
            let mut names: Vec<_> = pager.environment.keys().map(|name| name.to_string_lossy().into_owned()).collect();
            names.sort();
            self.started.borrow_mut().push((pager.command.to_owned(), names));
            Ok(())
        }

        fn ask_line(&self, _question: &str) -> io::Result<String> {
            Err(io::ErrorKind::Unsupported.into())
        }

        fn ask_secret(&self, _question: &str) -> io::Result<zeroize::Zeroizing<String>> {
            Err(io::ErrorKind::Unsupported.into())
        }
    }

    fn paged(is_terminal: bool, environment: &[(&str, &str)]) -> Vec<(String, Vec<String>)> {
        let started = Started::default();
        let world = World {
            terminal: Box::new(Screen { is_terminal, started: Rc::clone(&started) }),
            environment: environment.iter().map(|(name, value)| (name.into(), value.into())).collect(),
            ..World::system().unwrap()
        };
        assert_eq!(world.page("text"), !started.borrow().is_empty());
        started.take()
    }

    #[test]
    fn a_pager_is_started_at_a_terminal_alone_and_gets_no_variable_with_a_secret() {
        let usual = [("PATH", "/bin"), ("CA_PASSPHRASE", "secret"), ("LC_ALL", "C"), ("TERM", "xterm")];
        let names = ["LC_ALL", "LESS", "PATH", "TERM"].map(str::to_owned).to_vec();
        assert_eq!(paged(true, &usual), [("less".to_owned(), names.clone())]);
        let own = [&usual[..], &[("PAGER", "most -w")]].concat();
        assert_eq!(paged(true, &own), [("most -w".to_owned(), names)]);
        assert!(paged(false, &usual).is_empty());
        for none in [("PAGER", ""), ("PAGER", "cat"), ("TERM", "dumb")] {
            assert!(paged(true, &[none]).is_empty(), "{none:?}");
        }
    }
}
