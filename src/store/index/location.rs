//! The location of an index, and the lock that serializes its writers.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{Index, IndexError};
use crate::store::home::Home;
use crate::system::files::{FolderLock, LockError};

/// The location of an index: `[index] location` of `ca.toml`, read once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IndexLocation {
    /// An SQLite file. Its writers take the lock of the CA directory, which also serializes them with processes that
    /// change other files.
    Sqlite { file: PathBuf, ca_folder: PathBuf },
}

/// The right to write, until the value is dropped or the process exits.
#[derive(Debug)]
pub struct WriterLock {
    _folder: FolderLock,
}

impl IndexLocation {
    /// Parses a setting; a relative path starts at the CA directory.
    pub fn parse(setting: &str, home: &Home) -> Self {
        Self::Sqlite { file: home.resolve(setting), ca_folder: home.folder().to_owned() }
    }

    /// Returns the path of the index file.
    pub fn file(&self) -> &Path {
        let Self::Sqlite { file, .. } = self;
        file
    }

    /// Opens the index for reading.
    ///
    /// # Errors
    /// As [`Index::open_to_read`].
    pub fn open_to_read(&self) -> Result<Index, IndexError> {
        Index::open_to_read(self.file())
    }

    /// Opens the index for writing.
    ///
    /// # Errors
    /// As [`Index::open`].
    pub fn open(&self) -> Result<Index, IndexError> {
        Index::open(self.file())
    }

    /// Waits for the right to make the CA, at most `timeout`. It leaves no file in a folder in which no CA is made then.
    ///
    /// # Errors
    /// As [`lock`](Self::lock).
    pub fn lock_to_make(&self, timeout: Duration) -> Result<WriterLock, LockError> {
        let Self::Sqlite { ca_folder, .. } = self;
        Ok(WriterLock { _folder: FolderLock::acquire(ca_folder, timeout)? })
    }

    /// Waits for the right to write, at most `timeout`.
    ///
    /// # Errors
    /// When another process has it for longer, or the system reports an error.
    pub fn lock(&self, timeout: Duration) -> Result<WriterLock, LockError> {
        let Self::Sqlite { ca_folder, .. } = self;
        Ok(WriterLock { _folder: FolderLock::acquire_as_owner(ca_folder, timeout)? })
    }
}
