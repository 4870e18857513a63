//! The archive in a backup: a tar file (POSIX.1-2017 pax, "ustar Interchange Format") of regular files and folders.
//!
//! It is written and read here and not by a library, because a reader of tar has to refuse most of what tar can say:
//! links, devices, sparse files, numbers in base 256, GNU's and pax's extensions. This one knows nothing else than what
//! the writer writes. Both are pure: bytes come from a [`std::io::Read`] and go to a [`std::io::Write`].

mod header;
mod path;
mod reader;
mod writer;

use std::io;

pub use header::{MemberHeader, MemberKind};
pub use path::check_path;
pub use reader::ArchiveReader;
pub use writer::ArchiveWriter;

use crate::text::io_reason;

/// The unit of a tar file, in bytes.
const BLOCK: usize = 512;

/// The greatest size of one file: eleven octal digits.
pub const MAX_MEMBER_BYTES: u64 = 0o777_7777_7777;

/// The reason why an archive cannot be written or read.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    #[error("{}", io_reason(.0))]
    Read(io::Error),
    #[error("{}", io_reason(.0))]
    Write(io::Error),
    #[error("the archive has no valid header at byte {at}: {reason}")]
    Header { at: u64, reason: &'static str },
    #[error("the archive has {kind} with the name '{path}', and a backup has only files and folders")]
    Kind { path: String, kind: &'static str },
    #[error("the path '{path}' cannot be in a backup: {reason}")]
    Path { path: String, reason: &'static str },
    #[error("the archive ends in the middle")]
    Truncated,
    #[error("the archive has content after its end")]
    Trailing,
    #[error("'{path}' has {bytes} bytes, and a backup has files of at most {MAX_MEMBER_BYTES}")]
    TooLong { path: String, bytes: u64 },
    #[error("'{path}' changed its length while it was read")]
    Changed { path: String },
}

#[cfg(test)]
mod tests;
