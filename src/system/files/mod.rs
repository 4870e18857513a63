//! Files: read with a limit, written so that a reader sees all or nothing. The only code that writes to a disk.
//!
//! Rules that everything here keeps:
//! - A mode is exact, whatever the umask; a secret is 0600 from the moment it exists.
//! - A name that is taken is never written through: not a file, not a symbolic link (dangling or not), not a device.
//! - What was half written when an error came is taken away again; what a killed process left is found by its name
//!   ([`unfinished_name::PREFIX`]) and by the kernel lock that died with it.
//! - The return of a function that says "durable" means that the change survives a power cut.

mod diagnosis;
mod folder_lock;
mod folders;
mod ownership;
mod parent;
mod permissions;
mod pipe;
mod place;
mod publish;
mod rename;
mod replace;
mod staged;
pub mod unfinished_name;
mod unnamed;
mod write;

use std::io::{self, Read};
use std::path::{Path, PathBuf};

pub use folder_lock::{FolderLock, LockError};
pub use folders::{create_folders, move_new, names_in, remove, remove_if_empty, remove_quietly};
pub use ownership::{Ownership, UnknownOwner};
pub use permissions::{is_private_to_us, is_secret_to_us, mode, owner, refuse_planted_links};
pub use place::{ExistingFile, check_new, check_place};
pub use publish::{publish_file, replace_files};
pub use replace::replace_folder;
pub use staged::{StagedFolder, discard, remove_stale};
pub use unnamed::unnamed_file;
pub use write::{create_folder, sync_all, sync_folder, write_new, write_secret, write_secrets};

/// The most that any input file may hold: room for ten thousand certificates, or for a revocation list of some hundred
/// thousand entries. Whatever is in it, reading it takes less than 256 MB.
pub const MAX_FILE_BYTES: u64 = 16 * 1024 * 1024;

/// A certificate, a key, a template or the settings of a CA: a file that is longer is none of them.
pub const MAX_SMALL_FILE_BYTES: u64 = 1024 * 1024;

/// The mode of a private key, and of everything else that only we may read.
pub const SECRET: u32 = 0o600;
/// The mode of certificates and revocation lists.
pub const PUBLIC: u32 = 0o644;
/// The mode of every folder.
pub const FOLDER: u32 = 0o700;

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

    /// Something of that name is there already.
    pub fn is_already_there(&self) -> bool {
        self.cause.kind() == io::ErrorKind::AlreadyExists
    }

    /// There is nothing of that name.
    pub fn is_missing(&self) -> bool {
        self.cause.kind() == io::ErrorKind::NotFound
    }

    /// What was to be moved is on another disk than its target.
    pub fn is_across_file_systems(&self) -> bool {
        self.cause.kind() == io::ErrorKind::CrossesDevices
    }

    /// The disk, or this user's share of it, is full.
    pub fn is_disk_full(&self) -> bool {
        matches!(self.cause.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
    }
}

/// Reads a whole file of at most `most` octets. A pipe is read to its end, however long its writer takes.
///
/// # Errors
/// When it cannot be opened or read, is a folder, or is longer; when it is a named pipe that nobody writes to.
pub fn read(path: &Path, most: u64) -> Result<Vec<u8>, FileError> {
    read_if(path, most, |_| Ok(()))
}

/// Like [`read`], if `may` has nothing against a file of so many octets. How long a pipe or a device is shows when it
/// was read: then it is asked of that.
///
/// # Errors
/// As [`read`]; with what `may` says as the cause.
pub fn read_if(path: &Path, most: u64, may: impl FnOnce(u64) -> io::Result<()>) -> Result<Vec<u8>, FileError> {
    let read = || {
        let (file, mut content, length) = pipe::open(path, most)?;
        let mut may = Some(may);
        let mut ask = |bytes| may.take().map_or(Ok(()), |may| may(bytes));
        length.map_or(Ok(()), &mut ask)?;
        file.take(most + 1).read_to_end(&mut content)?;
        if content.len() as u64 > most {
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, format!("it is longer than {most} octets")));
        }
        ask(content.len() as u64)?;
        Ok(content)
    };
    read().map_err(FileError::of("read", path))
}

/// Like [`read`]; `None` when there is no such file.
///
/// # Errors
/// As [`read`], except for a file that is not there. A dangling link is not there either.
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

    #[test]
    fn a_file_that_is_too_long_is_refused_and_one_that_fits_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        write_new(&path, b"12345", PUBLIC).unwrap();
        assert_eq!(read(&path, 5).unwrap(), b"12345");
        let error = read(&path, 4).unwrap_err();
        assert!(error.to_string().ends_with("it is longer than 4 octets"), "{error}");
    }

    #[test]
    fn a_missing_file_is_an_answer_only_where_it_is_asked_for() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(read_if_exists(&folder.path().join("a"), 9).unwrap(), None);
        assert!(read(&folder.path().join("a"), 9).unwrap_err().is_missing());
        assert!(read_if_exists(folder.path(), 9).is_err(), "a folder is no file");
    }
}
