//! The errors of writing and restoring a backup.

use std::io::{self, ErrorKind};
use std::path::PathBuf;

use super::archive::ArchiveError;
use super::encryption::EncryptionError;
use crate::store::error::StoreError;
use crate::system::files::FileError;
use crate::text::toml_document::DocumentError;
use crate::text::{Diagnosis, Diagnostic, PathText, io_reason};

/// The reason why a backup was not written, or a CA not restored.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    #[error(transparent)]
    Store(StoreError),
    #[error(transparent)]
    Encryption(#[from] EncryptionError),
    #[error("the backup cannot be written: {0}")]
    Write(ArchiveError),
    /// The file is at fault, not the system.
    #[error("the backup is damaged: {0}")]
    Damaged(String),
    #[error("the backup cannot be read: {}", io_reason(.0))]
    Unreadable(io::Error),
    #[error("it is not a backup of a CA: {0}")]
    NotABackup(&'static str),
    #[error("the backup has format {format}, but this program knows only format 1")]
    LaterFormat { format: u32 },
    #[error("{0}")]
    Manifest(DocumentError),
    #[error("{} is there already, and it is not an empty folder", .0.escaped())]
    Taken(PathBuf),
}

impl<E> From<E> for BackupError
where
    StoreError: From<E>,
{
    fn from(error: E) -> Self {
        Self::Store(error.into())
    }
}

impl BackupError {
    /// The error of reading an archive whose chunks were authenticated: what is wrong then was written wrong.
    pub(super) fn reading(error: ArchiveError) -> Self {
        match error {
            ArchiveError::Read(error) => Self::read(error),
            other => Self::Damaged(other.to_string()),
        }
    }

    /// The error of reading encrypted content: a changed or missing byte, or a failure of the system.
    pub(super) fn read(error: io::Error) -> Self {
        match error.kind() {
            ErrorKind::InvalidData | ErrorKind::UnexpectedEof => {
                Self::Damaged("a part of it is missing, or was changed after it was written".to_owned())
            }
            _ => Self::Unreadable(error),
        }
    }

    /// Returns true when the file is a backup, and damaged: another copy may be good.
    pub fn is_damage(&self) -> bool {
        matches!(
            self,
            Self::Damaged(_) | Self::NotABackup(_) | Self::Manifest(_) | Self::Encryption(EncryptionError::Changed)
        )
    }
}

impl Diagnostic for BackupError {
    fn diagnosis(&self) -> Diagnosis {
        match self {
            Self::Store(error) => error.diagnosis(),
            Self::Encryption(error) => error.diagnosis(),
            Self::Write(ArchiveError::Write(cause)) => {
                FileError { action: "write", path: PathBuf::new(), cause: cause.kind().into() }.diagnosis()
            }
            Self::Write(ArchiveError::Changed { .. }) => {
                Diagnosis::refused("file-error").hint("another program writes to this file; run the same command again")
            }
            Self::Write(_) => Diagnosis::refused("file-error"),
            Self::Damaged(_) | Self::Manifest(_) => Diagnosis::usage("backup-invalid")
                .hint("restore from another copy of this backup, or from an older backup"),
            Self::Unreadable(_) => Diagnosis::usage("unreadable-input"),
            Self::NotABackup(_) => Diagnosis::usage("not-a-backup"),
            Self::LaterFormat { .. } => {
                Diagnosis::usage("backup-invalid").hint("use the version of this program that wrote it, or a later one")
            }
            Self::Taken(_) => Diagnosis::refused("exists")
                .hint("nothing existing is overwritten; choose another folder, and exchange the two afterwards"),
        }
    }
}

/// A file that cannot be written because of its system.
pub(super) fn write_failed(error: io::Error) -> BackupError {
    BackupError::Write(ArchiveError::Write(error))
}
