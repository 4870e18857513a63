//! Checks that a file can be written at a path, before work is done in vain.

use std::fs;
use std::io;
use std::path::Path;

use super::parent::parent_of;
use super::{FileError, refuse_planted_links};
use crate::system::unix;

/// What to do with an existing file of the same name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExistingFile {
    /// Keep it, and fail.
    Keep,
    /// Replace it in one step, if it is a regular file.
    Replace,
}

/// Checks that a new file can be written at a path. Only the creation itself is certain; this check comes before work is
/// done in vain.
///
/// # Errors
/// When the name is taken, the folder is missing or takes no new files, or the path leads through a link that other users
/// could have planted.
pub fn check_new(path: &Path) -> Result<(), FileError> {
    refuse_planted_links(path)?;
    check_place(path, ExistingFile::Keep)?;
    let folder = parent_of(path);
    unix::write::check_writable(folder).map_err(FileError::of("write into", folder))
}

/// Checks that a file can be published at a path. Only the rename itself is certain; this check has the better message, and
/// refuses to replace what is not a regular file.
///
/// # Errors
/// When something is in the way, as [`publish_file`](super::publish::publish_file).
pub fn check_place(path: &Path, existing: ExistingFile) -> Result<(), FileError> {
    let found = match fs::symlink_metadata(path) {
        Ok(found) => found.file_type(),
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(cause) => return Err(FileError::of("write", path)(cause)),
    };
    let kind = if found.is_symlink() {
        "it is a symbolic link, and those are not followed"
    } else if found.is_dir() {
        "it is a folder"
    } else if !found.is_file() {
        "it is no regular file"
    } else if existing == ExistingFile::Replace {
        return Ok(());
    } else {
        "a file of that name is there already"
    };
    Err(FileError::of("write", path)(io::Error::new(io::ErrorKind::AlreadyExists, kind)))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn a_place_that_takes_no_new_file_is_known_beforehand() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        fs::write(path("file"), "old").unwrap();
        symlink(path("nowhere"), path("dangling")).unwrap();
        for (name, message) in [
            ("file", "a file of that name is there already"),
            ("dangling", "it is a symbolic link"),
            ("", "it is a folder"),
            ("missing/file", "No such file or directory"),
            ("file/below", "not a directory"),
        ] {
            let error = check_new(&path(name)).unwrap_err().to_string();
            assert!(error.to_lowercase().contains(&message.to_lowercase()), "{name}: {error}");
        }
        check_new(&path("new")).unwrap();
        assert!(!path("new").exists());
    }
}
