//! What may be done with a file that has the name of a new one.

use std::io;

use crate::system::unix::folder::Kind;

/// What to do with an existing file of the same name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExistingFile {
    /// Keep it, and fail.
    Keep,
    /// Replace it in one step, if it is a regular file.
    Replace,
}

/// Checks that what has the name of a new file is a regular file that may be replaced.
pub(super) fn check_kind(found: Kind, existing: ExistingFile) -> io::Result<()> {
    let reason = match found {
        Kind::File if existing == ExistingFile::Replace => return Ok(()),
        Kind::File => "a file of that name is there already",
        other => not_a_file(other),
    };
    Err(io::Error::new(io::ErrorKind::AlreadyExists, reason))
}

/// Checks that what is to be read is a regular file.
pub(super) fn check_regular(found: Kind) -> io::Result<()> {
    if found == Kind::File { Ok(()) } else { Err(io::Error::new(io::ErrorKind::InvalidInput, not_a_file(found))) }
}

fn not_a_file(found: Kind) -> &'static str {
    match found {
        Kind::Link => "it is a symbolic link, and those are not followed",
        Kind::Folder => "it is a folder",
        Kind::File | Kind::Other => "it is not a regular file",
    }
}
