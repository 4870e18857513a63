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

/// Opens a file to read. Of a named pipe, no writer is waited for: reading returns 0 bytes while it has no writer, and
/// [`io::ErrorKind::WouldBlock`] while its writer has written nothing. Reading a regular file is as ever (open(2),
/// `O_NONBLOCK`).
///
/// # Errors
/// When the system refuses.
pub fn open_without_waiting(path: &Path) -> io::Result<File> {
    match OpenOptions::new().read(true).custom_flags(OFlags::NONBLOCK.bits().cast_signed()).open(path) {
        // Another program holds a lease on this regular file (fcntl(2), `F_SETLEASE`), which it now gives up.
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => File::open(path),
        opened => opened,
    }
}

/// From here on, reading waits for bytes.
///
/// # Errors
/// When the system refuses.
pub fn wait_for_bytes(file: &File) -> io::Result<()> {
    Ok(fcntl_setfl(file, fcntl_getfl(file)? - OFlags::NONBLOCK)?)
}
