//! The terminal: whether there is one, and how a passphrase is asked for. The only module that uses rpassword.

use std::collections::HashMap;
use std::ffi::OsString;
use std::io::{self, IsTerminal, Write};
use std::process::Stdio;

use super::unix;
use zeroize::Zeroizing;

/// The terminal, or the lack of one.
pub trait Terminal {
    /// Returns whether a user can be asked: standard input is a terminal.
    fn can_ask(&self) -> bool;

    /// Returns whether standard output is a terminal, so that colors make sense.
    fn shows_stdout(&self) -> bool;

    /// Returns whether standard error is a terminal.
    fn shows_stderr(&self) -> bool;

    /// Returns how many characters fit into a line of the terminal on standard output; `None` without one.
    fn columns(&self) -> Option<usize>;

    /// Returns how many characters fit into a line of the terminal on standard error; `None` without one.
    fn error_columns(&self) -> Option<usize> {
        self.columns().filter(|_| self.shows_stderr())
    }

    /// Writes a text on standard error at once, as it is: the progress of a command. What cannot be shown is left out.
    fn show(&self, _text: &str) {}

    /// Shows a text with a pager, and returns when the user has closed it.
    ///
    /// # Errors
    /// When the pager cannot be started, or fails: the text may not have been shown.
    fn page(&self, text: &str, pager: &Pager<'_>) -> io::Result<()>;

    /// Writes a question on standard error and reads one line from standard input.
    ///
    /// # Errors
    /// When there is no terminal, or it was closed.
    fn ask_line(&self, question: &str) -> io::Result<String>;

    /// Asks for a secret without showing what is typed.
    ///
    /// # Errors
    /// When there is no terminal, or it was closed.
    fn ask_secret(&self, question: &str) -> io::Result<Zeroizing<String>>;
}

/// A program that shows a text screen by screen.
pub struct Pager<'a> {
    /// The line for `sh -c`.
    pub command: &'a str,
    /// The whole environment: nothing is inherited.
    pub environment: &'a HashMap<OsString, OsString>,
}

/// The terminal of this process.
pub struct SystemTerminal;

impl Terminal for SystemTerminal {
    fn can_ask(&self) -> bool {
        io::stdin().is_terminal()
    }

    fn shows_stdout(&self) -> bool {
        io::stdout().is_terminal()
    }

    fn shows_stderr(&self) -> bool {
        io::stderr().is_terminal()
    }

    fn columns(&self) -> Option<usize> {
        unix::terminal::columns(io::stdout())
    }

    fn error_columns(&self) -> Option<usize> {
        unix::terminal::columns(io::stderr())
    }

    fn show(&self, text: &str) {
        let mut stderr = io::stderr();
        drop(stderr.write_all(text.as_bytes()).and_then(|()| stderr.flush()));
    }

    fn page(&self, text: &str, pager: &Pager<'_>) -> io::Result<()> {
        let mut shell = unix::process::shell(pager.command);
        let mut child = shell.env_clear().envs(pager.environment).stdin(Stdio::piped()).spawn()?;
        if let Some(mut input) = child.stdin.take() {
            // A user who has read enough closes the pager before it has read everything.
            input.write_all(text.as_bytes()).ok();
        }
        match child.wait()?.success() {
            true => Ok(()),
            false => Err(io::ErrorKind::NotFound.into()),
        }
    }

    fn ask_line(&self, question: &str) -> io::Result<String> {
        let mut stderr = io::stderr();
        stderr.write_all(question.as_bytes()).and_then(|()| stderr.flush())?;
        let mut line = String::new();
        match io::stdin().read_line(&mut line)? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            _ => Ok(line.trim_end_matches(['\n', '\r']).to_owned()),
        }
    }

    fn ask_secret(&self, question: &str) -> io::Result<Zeroizing<String>> {
        rpassword::prompt_password(question).map(Zeroizing::new).inspect_err(|_| {
            // The error message begins on a line of its own, not behind the question.
            drop(writeln!(io::stderr()));
        })
    }
}
