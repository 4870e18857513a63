//! Renames that replace nothing, and the exchange of two names in one step.

use std::fs;
use std::path::Path;

use super::write::make_folder;
use super::{FOLDER, FileError};
use crate::system::unix;

/// Renames without replacing anything: of several processes exactly one succeeds.
pub(super) fn rename_new(from: &Path, to: &Path) -> Result<(), FileError> {
    if unix::rename::rename_new(from, to).map_err(FileError::of("create", to))? {
        return Ok(());
    }
    rename_new_in_two_steps(from, to)
}

/// For file systems without RENAME_NOREPLACE (some of NFS and FUSE). Each first step is exclusive by itself.
fn rename_new_in_two_steps(from: &Path, to: &Path) -> Result<(), FileError> {
    if fs::symlink_metadata(from).is_ok_and(|found| found.is_dir()) {
        // rename(2) replaces an empty folder, and only an empty one.
        make_folder(to, FOLDER)?;
        return fs::rename(from, to).map_err(|cause| {
            drop(fs::remove_dir(to));
            FileError { action: "create", path: to.to_owned(), cause }
        });
    }
    fs::hard_link(from, to).map_err(FileError::of("create", to))?;
    // Both names are the same file: if the first name stays, it does no harm.
    drop(fs::remove_file(from));
    Ok(())
}

/// Exchanges two names in one step. `false` when the system or the file system cannot do that; then nothing has changed.
pub(super) fn exchange(from: &Path, to: &Path) -> Result<bool, FileError> {
    unix::rename::exchange(from, to).map_err(FileError::of("replace", to))
}

/// Renames a folder to a free name. Something else with that name is never lost: rename(2) replaces a folder only when it
/// is empty, in one step on every file system.
pub(super) fn rename_folder(from: &Path, to: &Path) -> Result<(), FileError> {
    fs::rename(from, to).map_err(FileError::of("replace", to))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_two_steps_for_old_file_systems_are_exclusive_too() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        for name in ["new-folder", "full-folder", "empty-folder"] {
            fs::create_dir(path(name)).unwrap();
        }
        fs::write(path("new-folder/a"), "new").unwrap();
        fs::write(path("full-folder/a"), "old").unwrap();
        fs::write(path("new-file"), "new").unwrap();
        fs::write(path("old-file"), "old").unwrap();
        for taken in ["full-folder", "empty-folder", "old-file"] {
            assert!(rename_new_in_two_steps(&path("new-folder"), &path(taken)).unwrap_err().is_already_there());
            assert!(rename_new_in_two_steps(&path("new-file"), &path(taken)).unwrap_err().is_already_there());
        }
        rename_new_in_two_steps(&path("new-folder"), &path("target-folder")).unwrap();
        rename_new_in_two_steps(&path("new-file"), &path("target-file")).unwrap();
        assert_eq!(fs::read_to_string(path("target-folder/a")).unwrap(), "new");
        assert_eq!(fs::read_to_string(path("target-file")).unwrap(), "new");
        assert_eq!(fs::read_to_string(path("old-file")).unwrap(), "old");
        assert!(!path("new-folder").exists() && !path("new-file").exists());
    }

    #[test]
    fn a_folder_that_cannot_be_moved_leaves_no_empty_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        fs::create_dir(path("a")).unwrap();
        // A folder cannot be moved into itself.
        assert!(rename_new_in_two_steps(&path("a"), &path("a/b")).is_err());
        assert!(!path("a/b").exists());
    }
}
