//! The size of the terminal.

use std::io;

/// Returns how many columns the terminal has that shows standard output; `None` when none does.
pub fn columns() -> Option<usize> {
    let size = rustix::termios::tcgetwinsize(io::stdout()).ok()?;
    // A terminal that does not know its size says 0.
    Some(usize::from(size.ws_col)).filter(|columns| *columns > 0)
}
