//! Files: read with a limit, written so that a reader sees all or nothing.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// The most that any input file may hold: room for 100,000 certificates, and too little to exhaust the memory.
pub const MOST_OCTETS: u64 = 256 * 1024 * 1024;

/// An operation on a path that the system refused.
#[derive(Debug, thiserror::Error)]
#[error("cannot {action} {}: {cause}", path.display())]
pub struct FileError {
    /// A verb: `read`, `write`, `create` …
    pub action: &'static str,
    pub path: PathBuf,
    pub cause: io::Error,
}

impl FileError {
    /// For `map_err`: names what was tried on which path.
    pub fn of(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |cause| Self { action, path, cause }
    }
}

/// Reads a whole file of at most `most` octets.
///
/// # Errors
/// When it cannot be opened or read, is a folder, or is longer.
pub fn read(path: &Path, most: u64) -> Result<Vec<u8>, FileError> {
    let read = || {
        let mut content = Vec::new();
        File::open(path)?.take(most + 1).read_to_end(&mut content)?;
        if content.len() as u64 > most {
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, format!("it is longer than {most} octets")));
        }
        Ok(content)
    };
    read().map_err(FileError::of("read", path))
}
