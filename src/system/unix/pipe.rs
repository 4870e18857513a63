//! Named pipes.

use std::fs::{File, Metadata, OpenOptions};
use std::io;
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::path::Path;

use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};

/// Returns whether a path is a named pipe.
pub fn is_pipe(found: &Metadata) -> bool {
    found.file_type().is_fifo()
}

/// Opens a named pipe to read, without waiting for a writer. Reading returns 0 bytes while it has no writer, and
/// [`io::ErrorKind::WouldBlock`] while its writer has written nothing.
///
/// # Errors
/// When the system refuses.
pub fn open_without_waiting(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).custom_flags(OFlags::NONBLOCK.bits().cast_signed()).open(path)
}

/// From here on, reading waits for the writer.
///
/// # Errors
/// When the system refuses.
pub fn wait_for_writer(file: &File) -> io::Result<()> {
    Ok(fcntl_setfl(file, fcntl_getfl(file)? - OFlags::NONBLOCK)?)
}
