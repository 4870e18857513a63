//! The codes and hints of errors of the file system.

use std::io::ErrorKind;

use super::FileError;
use super::folder_lock::LockError;
use super::interference::Interference;
use super::ownership::UnknownOwner;
use crate::text::{Diagnosis, Diagnostic};

/// The fix for a write that meets RLIMIT_FSIZE.
pub const RAISE_SIZE_LIMIT: &str = "raise the limit and run the same command again: ulimit -f unlimited";

impl Diagnostic for FileError {
    fn diagnosis(&self) -> Diagnosis {
        match self.cause.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
                Diagnosis::refused("disk-full").hint("free some space and run the same command again")
            }
            ErrorKind::FileTooLarge => Diagnosis::refused("file-size-limit").hint(RAISE_SIZE_LIMIT),
            ErrorKind::AlreadyExists | ErrorKind::DirectoryNotEmpty => {
                Diagnosis::refused("exists").hint("nothing existing is overwritten; choose another place")
            }
            ErrorKind::NotFound => Diagnosis::refused("missing-file"),
            ErrorKind::PermissionDenied => {
                let interference = self.cause.get_ref().and_then(|cause| cause.downcast_ref::<Interference>());
                Diagnosis::refused("permission-denied").hints(interference.map(|cause| cause.hint().to_owned()))
            }
            ErrorKind::ReadOnlyFilesystem => Diagnosis::refused("read-only"),
            _ => Diagnosis::refused("file-error"),
        }
    }
}

impl Diagnostic for LockError {
    fn diagnosis(&self) -> Diagnosis {
        match self {
            Self::File(error) => error.diagnosis(),
            Self::Held { .. } => Diagnosis::refused("locked").hint("wait longer with --lock-timeout, for example 10m"),
        }
    }
}

impl Diagnostic for UnknownOwner {
    fn diagnosis(&self) -> Diagnosis {
        Diagnosis::refused("unknown-owner")
            .hint("name one that is there, or its number: --owner, --group, or [files] of the template")
    }
}
