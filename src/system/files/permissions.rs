//! The owner of a path, and who else can change or read it.

use std::fs::{self, Metadata};
use std::io;
use std::path::Path;

use super::FileError;
use crate::system::unix::attributes::{self, is_ours_or_roots};

/// What a path is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PathKind {
    File,
    Folder,
    /// A symbolic link, whatever it leads to.
    Link,
    /// A pipe, a socket or a device.
    Other,
}

/// The owner, the mode and the kind of a path; of a link, those of the link itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FoundPath {
    /// The user id.
    pub owner: u32,
    /// The permission bits, with the sticky, set-user-id and set-group-id bits.
    pub mode: u32,
    pub kind: PathKind,
}

impl FoundPath {
    /// Returns true when the owner is the user of this process, or root.
    pub fn is_ours_or_roots(self) -> bool {
        self.owner == 0 || self.owner == our_user()
    }
}

/// Returns the user id of this process.
pub fn our_user() -> u32 {
    attributes::our_user()
}

/// Examines a path without following a link in its last component; `None` when it does not exist.
///
/// # Errors
/// When the system refuses: for example, when a folder above it may not be searched.
pub fn examine(path: &Path) -> Result<Option<FoundPath>, FileError> {
    let found = match fs::symlink_metadata(path) {
        Err(cause) if matches!(cause.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            return Ok(None);
        }
        found => found.map_err(FileError::of("look at", path))?,
    };
    let kind = match found.file_type() {
        kind if kind.is_file() => PathKind::File,
        kind if kind.is_dir() => PathKind::Folder,
        kind if kind.is_symlink() => PathKind::Link,
        _ => PathKind::Other,
    };
    Ok(Some(FoundPath { owner: attributes::owner(&found), mode: attributes::mode(&found), kind }))
}

/// Returns the user id of the owner; for a link, that of its target.
///
/// # Errors
/// When there is no such path, or the system refuses.
pub fn owner(path: &Path) -> Result<u32, FileError> {
    metadata(path).map(|found| attributes::owner(&found))
}

/// Returns the permission bits; for a link, those of its target.
///
/// # Errors
/// As [`owner`].
pub fn mode(path: &Path) -> Result<u32, FileError> {
    metadata(path).map(|found| attributes::mode(&found) & 0o777)
}

/// Takes permission bits away: afterwards the file or folder has at most those of `mode`. A link is not followed.
///
/// # Errors
/// When the path is a link, the file belongs to another user, or the system refuses.
pub fn restrict_mode(path: &Path, mode: u32) -> Result<(), FileError> {
    attributes::restrict_mode(path, mode).map_err(FileError::of("change the mode of", path))
}

/// Returns whether only we (and root) can read or change it, as a private key requires: the owner is us or root, and neither
/// the group nor others may read, write or search it. The folders above it are not checked.
///
/// # Errors
/// As [`owner`].
pub fn is_secret_to_us(path: &Path) -> Result<bool, FileError> {
    metadata(path).map(|found| is_ours_or_roots(&found) && attributes::mode(&found) & 0o077 == 0)
}

fn metadata(path: &Path) -> Result<Metadata, FileError> {
    fs::metadata(path).map_err(FileError::of("look at", path))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn with_mode(path: &Path, mode: u32) {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn what_others_may_read_or_write_is_not_secret() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key.pem");
        fs::write(&path, "").unwrap();
        for (mode, secret) in
            [(0o600, true), (0o400, true), (0o644, false), (0o640, false), (0o660, false), (0o602, false)]
        {
            with_mode(&path, mode);
            assert_eq!(is_secret_to_us(&path).unwrap(), secret, "{mode:03o}");
        }
        assert_eq!(owner(&path).unwrap(), rustix::process::geteuid().as_raw());
        assert!(owner(&folder.path().join("missing")).unwrap_err().is_missing());
    }
}
