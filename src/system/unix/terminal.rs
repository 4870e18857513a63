//! The size of the terminal.

use std::os::fd::AsFd;

/// Returns how many columns the terminal has that shows this stream; `None` when none does.
pub fn columns(stream: impl AsFd) -> Option<usize> {
    let size = rustix::termios::tcgetwinsize(stream).ok()?;
    // A terminal that does not know its size says 0.
    Some(usize::from(size.ws_col)).filter(|columns| *columns > 0)
}
