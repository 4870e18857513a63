//! The owner of a path, and who else can change or read it.

use std::fs::{self, Metadata};
use std::io;
use std::path::Path;

use super::FileError;
use crate::system::unix::attributes;
pub use crate::system::unix::folder::Kind as PathKind;

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

fn metadata(path: &Path) -> Result<Metadata, FileError> {
    fs::metadata(path).map_err(FileError::of("look at", path))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    #[test]
    fn of_a_link_it_is_examined_itself_and_its_target_has_the_mode() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        fs::write(path("file"), "").unwrap();
        fs::set_permissions(path("file"), fs::Permissions::from_mode(0o640)).unwrap();
        symlink("file", path("link")).unwrap();
        symlink("missing", path("dangling")).unwrap();
        let kind = |name: &str| examine(&path(name)).unwrap().map(|found| found.kind);
        let kinds = ["", "file", "link", "dangling", "missing", "file/below"].map(kind);
        let (file, link) = (Some(PathKind::File), Some(PathKind::Link));
        assert_eq!(kinds, [Some(PathKind::Folder), file, link, link, None, None]);
        assert_eq!([mode(&path("file")).unwrap(), mode(&path("link")).unwrap()], [0o640; 2]);
        assert_eq!(owner(&path("link")).unwrap(), our_user());
        for name in ["missing", "dangling"] {
            assert!(owner(&path(name)).unwrap_err().is_missing(), "{name}");
        }
    }

    #[test]
    fn a_mode_is_restricted_of_a_file_of_ours_and_through_no_link() {
        use std::os::unix::fs::chown;
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        fs::write(path("file"), "").unwrap();
        fs::set_permissions(path("file"), fs::Permissions::from_mode(0o664)).unwrap();
        symlink("file", path("link")).unwrap();
        assert!(restrict_mode(&path("link"), 0o600).is_err());
        assert_eq!(mode(&path("file")).unwrap(), 0o664);
        restrict_mode(&path("file"), 0o755).unwrap();
        assert_eq!(mode(&path("file")).unwrap(), 0o644, "no bit is added");
        if chown(path("file"), Some(65_534), None).is_ok() {
            assert!(restrict_mode(&path("file"), 0o600).unwrap_err().to_string().ends_with("belongs to another user"));
            assert_eq!(mode(&path("file")).unwrap(), 0o644);
        }
    }
}
