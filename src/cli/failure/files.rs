//! Refusals of the file system, and locks that were not had in time: exit status 3.

use std::io::ErrorKind;

use super::Failure;
use crate::system::files::{FileError, LockError};

impl From<FileError> for Failure {
    fn from(error: FileError) -> Self {
        let sentence = error.to_string();
        match error.cause.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
                Self::refused("disk-full", sentence).hint("free some space and run the same command again")
            }
            ErrorKind::AlreadyExists | ErrorKind::DirectoryNotEmpty => {
                Self::refused("exists", sentence).hint("nothing existing is overwritten; choose another place")
            }
            ErrorKind::NotFound => Self::refused("missing-file", sentence),
            ErrorKind::PermissionDenied => Self::refused("permission-denied", sentence),
            ErrorKind::ReadOnlyFilesystem => Self::refused("read-only", sentence),
            _ => Self::refused("file-error", sentence),
        }
    }
}

impl From<LockError> for Failure {
    fn from(error: LockError) -> Self {
        match error {
            LockError::File(error) => error.into(),
            LockError::Held { .. } => {
                Self::refused("locked", error.to_string()).hint("wait longer with --lock-timeout, for example 10m")
            }
        }
    }
}
