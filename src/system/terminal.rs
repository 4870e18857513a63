//! The terminal: whether there is one, and how a passphrase is asked for. The only module that uses rpassword.

use std::io::{self, IsTerminal, Write};

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

    /// Asks for a secret without showing what is typed.
    ///
    /// # Errors
    /// When there is no terminal, or it was closed.
    fn ask_secret(&self, question: &str) -> io::Result<Zeroizing<String>>;
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
        unix::terminal::columns()
    }

    fn ask_secret(&self, question: &str) -> io::Result<Zeroizing<String>> {
        rpassword::prompt_password(question).map(Zeroizing::new).inspect_err(|_| {
            // The error message begins on a line of its own, not behind the question.
            drop(writeln!(io::stderr()));
        })
    }
}
