//! What another user did, or could have done, in a folder where other users can write.

use std::io;
use std::path::PathBuf;

use crate::text::PathText;

/// Why a step in such a folder was not made, or not believed. The cause of a [`FileError`](super::FileError).
#[derive(Debug, thiserror::Error)]
pub(super) enum Interference {
    #[error("{} is a symbolic link in a folder where other users can write", .0.escaped())]
    Link(PathBuf),
    #[error("another user exchanged it while it was being written")]
    Exchanged,
}

impl Interference {
    /// Returns the fix.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Link(_) => "links that another user may have made are not followed; name the path that it leads to",
            Self::Exchanged => "choose a folder where only you can write, or run the same command again",
        }
    }
}

impl From<Interference> for io::Error {
    fn from(interference: Interference) -> Self {
        Self::new(io::ErrorKind::PermissionDenied, interference)
    }
}
