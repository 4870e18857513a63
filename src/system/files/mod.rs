//! Files: read with a limit, and written so that a reader sees all or nothing. The only module that writes to a disk.
//!
//! Rules of this module:
//! - A mode is exact, whatever the umask; a secret has mode 0600 from the moment it exists.
//! - An existing name is never written through: not a file, not a symbolic link (dangling or not), not a device.
//! - After an error, what was half written is removed. What a killed process left is found by its name
//!   ([`unfinished_name::PREFIX`]) and by the kernel lock that ended with the process.
//! - When a function that is called durable has returned, the change survives a power cut.

mod closed_folder;
mod copy;
mod diagnosis;
mod existing;
mod exposure;
mod folder;
mod folder_lock;
mod folders;
mod interference;
mod ownership;
mod parent;
mod permissions;
mod pipe;
mod place;
mod publish;
mod rename;
mod replace;
mod resolve;
mod second_place;
mod staged;
mod together;
mod unfinished_file;
pub mod unfinished_name;
mod unnamed;
mod write;

use std::io::{self, Read};
use std::path::{Path, PathBuf};

use crate::text::{PathText, io_reason};

pub use closed_folder::ClosedFolder;
pub use copy::{OpenedFile, StreamedFile};
pub use diagnosis::RAISE_SIZE_LIMIT;
pub use existing::ExistingFile;
pub use exposure::{ExposedFile, Exposure, exposure};
pub use folder::{Folder, StoredFile};
pub use folder_lock::{FolderLock, LOCK_FILE, LockError};
pub use folders::{create_folders, move_new, names_in, remove, remove_if_empty};
pub use ownership::{Ownership, UnknownOwner, groups, users};
pub use permissions::{FoundPath, PathKind, examine, mode, our_user, owner, restrict_mode};
pub use place::{check_new, check_place, check_writable, read_regular};
pub use publish::{NewFile, publish_file, replace_files, replace_together};
pub use replace::replace_folder;
pub use second_place::{is_copy, put_also};
pub use staged::{StagedFolder, discard, remove_stale, stale_folders};
pub use together::{FEWEST_TOGETHER, NamesToSync, SyncedNames, sync_together};
pub use unnamed::unnamed_file;
pub use write::{create_folder, sync_folder, write_new, write_secret, write_secrets};

/// The limit for any input file, in bytes: room for ten thousand certificates, or for a CRL of some hundred thousand
/// entries. Whatever its content, reading it takes less than 256 MB.
pub const MAX_FILE_BYTES: u64 = 16 * 1024 * 1024;

/// The limit for a certificate, a key, a template and the settings of a CA, in bytes.
pub const MAX_SMALL_FILE_BYTES: u64 = 1024 * 1024;

/// The mode of private keys, and of everything else that only we may read.
pub const SECRET: u32 = 0o600;
/// The mode of certificates and CRLs.
pub const PUBLIC: u32 = 0o644;
/// The mode of every folder, except those for a key that a group can read.
pub const FOLDER: u32 = 0o700;
/// The mode of a folder whose group can read the key in it.
pub const GROUP_FOLDER: u32 = 0o750;
/// The mode of the folders that are made above one for another user or a group: they can be entered, and not listed.
pub const PASSAGE: u32 = 0o711;

/// The action of an error about the owner of a file.
const CHANGE_OWNER: &str = "change the owner of";

/// An operation on a path that failed.
#[derive(Debug, thiserror::Error)]
#[error("cannot {action} {}: {}", path.escaped(), io_reason(cause))]
pub struct FileError {
    /// A verb: `read`, `write`, `create` …
    pub action: &'static str,
    pub path: PathBuf,
    pub cause: io::Error,
}

impl FileError {
    /// For `map_err`: adds what was tried on which path.
    pub fn of(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |cause| Self { action, path, cause }
    }

    /// Returns whether the name is taken.
    pub fn is_already_there(&self) -> bool {
        matches!(self.cause.kind(), io::ErrorKind::AlreadyExists | io::ErrorKind::DirectoryNotEmpty)
    }

    /// Returns whether a file was to be given to a user or group, which only root may do.
    pub fn is_not_given(&self) -> bool {
        self.action == CHANGE_OWNER && self.cause.kind() == io::ErrorKind::PermissionDenied
    }

    /// Returns whether nothing of that name exists.
    pub fn is_missing(&self) -> bool {
        self.cause.kind() == io::ErrorKind::NotFound
    }

    /// Returns whether something of that name, or above it, is not a folder.
    pub fn is_not_a_folder(&self) -> bool {
        self.cause.kind() == io::ErrorKind::NotADirectory
    }

    /// Returns whether a file was to be moved to another file system.
    pub fn is_across_file_systems(&self) -> bool {
        self.cause.kind() == io::ErrorKind::CrossesDevices
    }

    /// Returns whether the disk, or the quota of the user, is full.
    pub fn is_disk_full(&self) -> bool {
        matches!(self.cause.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
    }
}

/// Reads a whole file of at most `most` bytes. A pipe is read to its end, however long its writer takes.
///
/// # Errors
/// When it cannot be opened or read, is a folder, or is longer; when it is a named pipe without a writer.
pub fn read(path: &Path, most: u64) -> Result<Vec<u8>, FileError> {
    read_if(path, most, |_| Ok(()))
}

/// Reads a file as [`read`] does, if `may` accepts its length. The length of a pipe or device is known only after reading,
/// and is checked then.
///
/// # Errors
/// As [`read`]; with the error of `may` as the cause.
pub fn read_if(path: &Path, most: u64, may: impl FnOnce(u64) -> io::Result<()>) -> Result<Vec<u8>, FileError> {
    let read = || {
        let (file, mut content, length) = pipe::open(path, most)?;
        let mut may = Some(may);
        let mut ask = |bytes| may.take().map_or(Ok(()), |may| may(bytes));
        length.map_or(Ok(()), &mut ask)?;
        file.take(most + 1).read_to_end(&mut content)?;
        if content.len() as u64 > most {
            return Err(too_long(most));
        }
        ask(content.len() as u64)?;
        Ok(content)
    };
    read().map_err(FileError::of("read", path))
}

/// Returns the error for a file that is longer than its limit. Its kind is not that of EFBIG, the error of a write that meets
/// the file size limit of the user (RLIMIT_FSIZE).
fn too_long(most: u64) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("it is longer than {most} bytes"))
}

/// Reads a file as [`read`] does; `None` when there is no such file.
///
/// # Errors
/// As [`read`], except for a missing file. A dangling link counts as missing.
pub fn read_if_exists(path: &Path, most: u64) -> Result<Option<Vec<u8>>, FileError> {
    match read(path, most) {
        Ok(content) => Ok(Some(content)),
        Err(error) if error.is_missing() => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::Diagnostic;

    #[test]
    fn a_file_that_is_too_long_is_refused_and_one_that_fits_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        write_new(&path, b"12345", PUBLIC).unwrap();
        assert_eq!(read(&path, 5).unwrap(), b"12345");
        let error = read(&path, 4).unwrap_err();
        assert!(error.to_string().ends_with("it is longer than 4 bytes"), "{error}");
        assert_eq!(error.diagnosis().code, "file-error", "no limit of the user was met: {error}");
    }

    #[test]
    fn a_missing_file_is_an_answer_only_where_it_is_asked_for() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(read_if_exists(&folder.path().join("a"), 9).unwrap(), None);
        assert!(read(&folder.path().join("a"), 9).unwrap_err().is_missing());
        assert!(read_if_exists(folder.path(), 9).is_err(), "a folder is not a file");
    }
}
