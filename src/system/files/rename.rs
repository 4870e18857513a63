//! Renames that replace nothing, and the exchange of two names in one step.

use super::place::Place;
use super::{FOLDER, FileError};
use crate::system::unix::folder::{self, Kind};

/// Renames without replacing anything: of several processes exactly one succeeds.
pub(super) fn rename_new(from: &Place, to: &Place) -> Result<(), FileError> {
    if folder::rename_new(from.at(), to.at()).map_err(FileError::of("create", &to.path()))? {
        return Ok(());
    }
    rename_new_in_two_steps(from, to)
}

/// For file systems without RENAME_NOREPLACE (some of NFS and FUSE). Each first step is exclusive by itself.
fn rename_new_in_two_steps(from: &Place, to: &Place) -> Result<(), FileError> {
    let (file, name) = from.at();
    if folder::look_at(file, name).is_ok_and(|found| found.kind() == Kind::Folder) {
        // rename(2) replaces an empty folder, and only an empty one.
        to.folder.create_folder(&to.name, FOLDER)?;
        return folder::rename(from.at(), to.at()).map_err(|cause| {
            drop(folder::remove_folder(to.folder.file(), &to.name));
            FileError { action: "create", path: to.path(), cause }
        });
    }
    folder::link(from.at(), to.at()).map_err(FileError::of("create", &to.path()))?;
    // Both names are the same file: if the first name stays, it does no harm.
    drop(folder::remove_file(file, name));
    Ok(())
}

/// Exchanges two names in one step. `false` when the system or the file system cannot do that; then nothing has changed.
pub(super) fn exchange(from: &Place, to: &Place) -> Result<bool, FileError> {
    folder::exchange(from.at(), to.at()).map_err(FileError::of("replace", &to.path()))
}

/// Renames a folder to a free name, or replaces a file. A folder with that name is never lost: rename(2) replaces a folder
/// only when it is empty, in one step on every file system.
pub(super) fn rename(from: &Place, to: &Place) -> Result<(), FileError> {
    folder::rename(from.at(), to.at()).map_err(FileError::of("replace", &to.path()))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;

    fn place(path: &Path) -> Place {
        Place::of(path, "move").unwrap()
    }

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
            assert!(
                rename_new_in_two_steps(&place(&path("new-folder")), &place(&path(taken)))
                    .unwrap_err()
                    .is_already_there()
            );
            assert!(
                rename_new_in_two_steps(&place(&path("new-file")), &place(&path(taken)))
                    .unwrap_err()
                    .is_already_there()
            );
        }
        rename_new_in_two_steps(&place(&path("new-folder")), &place(&path("target-folder"))).unwrap();
        rename_new_in_two_steps(&place(&path("new-file")), &place(&path("target-file"))).unwrap();
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
        assert!(rename_new_in_two_steps(&place(&path("a")), &place(&path("a/b"))).is_err());
        assert!(!path("a/b").exists());
    }
}
