//! Whether a person is there, and how to ask one for a passphrase. The door to rpassword.

use std::io::{self, IsTerminal, Write};

use super::unix;
use zeroize::Zeroizing;

/// The terminal, or the lack of one.
pub trait Terminal {
    /// Whether a person can be asked: standard input is a terminal.
    fn can_ask(&self) -> bool;

    /// Whether standard output is looked at directly, so that colour makes sense.
    fn shows_stdout(&self) -> bool;

    /// Whether standard error is.
    fn shows_stderr(&self) -> bool;

    /// How many characters fit into a line where standard output is looked at; nothing where it is not.
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
            // What is told of it stands on a line of its own, not behind the question.
            drop(writeln!(io::stderr()));
        })
    }
}
