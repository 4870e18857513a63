//! What the runtime of the standard library prepares before `main`, where the program begins without it (`src/main.rs`).

use std::io;
use std::os::fd::{AsFd, BorrowedFd, IntoRawFd};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use rustix::fs::{Mode, OFlags};
use signal_hook::consts::SIGPIPE;

/// Opens /dev/null in place of each standard stream that is closed. Otherwise the next file that this process opens would be its
/// standard output, and a message would be written into it.
///
/// # Errors
/// When /dev/null cannot be opened.
pub fn open_closed() -> io::Result<()> {
    let (stdin, stdout, stderr) = (io::stdin(), io::stdout(), io::stderr());
    [stdin.as_fd(), stdout.as_fd(), stderr.as_fd()].into_iter().try_for_each(open_if_closed)
}

/// The streams before it are open: the system gives the lowest number that is free (open(2)).
fn open_if_closed(stream: BorrowedFd<'_>) -> io::Result<()> {
    if rustix::io::fcntl_getfd(stream) == Err(rustix::io::Errno::BADF) {
        // It stays open as long as the process, and the programs that this one starts inherit it.
        let _ = rustix::fs::open("/dev/null", OFlags::RDWR, Mode::empty())?.into_raw_fd();
    }
    Ok(())
}

/// Lets a write to a pipe without a reader fail with EPIPE. Otherwise SIGPIPE ends the process. A handler, unlike an ignored
/// signal, is not passed on to the programs that this one starts.
pub fn report_closed_pipe() {
    signal_hook::flag::register(SIGPIPE, Arc::new(AtomicBool::new(false))).ok();
}
