//! The replacement of one folder by another: a reader sees the old or the new one, never none or a mixture.

use std::fs;
use std::io;
use std::path::Path;

use super::parent::parent_of;
use super::rename::{exchange, rename_folder};
use super::{FileError, sync_folder};

/// Replaces the folder `target` by the folder `incoming`, and keeps the old one as `kept`, durably. All three are on one
/// file system.
///
/// First `incoming` is renamed to `kept`. Then one system call exchanges `kept` and `target`: the new folder is in its
/// place, and the old one too. Where two names cannot be exchanged, there are two renames; between them `target` does not
/// exist, and `kept` is the old folder.
///
/// A process that is killed leaves the new folder as `kept`, or, between those two renames, no `target`: the caller has to
/// check for both before it starts again.
///
/// # Errors
/// When `target` is missing or not a folder, `kept` exists, or the system refuses. Then `target` is unchanged, and
/// `incoming` too unless moving it back failed as well.
pub fn replace_folder(incoming: &Path, target: &Path, kept: &Path) -> Result<(), FileError> {
    let is_folder = fs::symlink_metadata(target).map_err(FileError::of("replace", target))?.is_dir();
    if !is_folder {
        return Err(FileError::of("replace", target)(io::ErrorKind::NotADirectory.into()));
    }
    if fs::symlink_metadata(kept).is_ok() {
        return Err(FileError::of("create", kept)(io::ErrorKind::AlreadyExists.into()));
    }
    change_places(incoming, target, kept)?;
    sync_folder(parent_of(target)).and_then(|()| sync_folder(parent_of(kept))).inspect_err(|_| {
        // Undo. If that fails too, both folders are complete, and the next replacement finds them.
        drop(change_back(incoming, target, kept));
    })
}

fn change_places(incoming: &Path, target: &Path, kept: &Path) -> Result<(), FileError> {
    rename_folder(incoming, kept)?;
    match exchange(kept, target) {
        Ok(true) => Ok(()),
        Ok(false) => {
            rename_folder(kept, incoming)?;
            change_places_in_two_steps(incoming, target, kept)
        }
        Err(error) => {
            // Undo. If that fails, the next replacement finds it.
            drop(rename_folder(kept, incoming));
            Err(error)
        }
    }
}

/// For file systems without RENAME_EXCHANGE (NFS, some of FUSE).
fn change_places_in_two_steps(incoming: &Path, target: &Path, kept: &Path) -> Result<(), FileError> {
    rename_folder(target, kept)?;
    rename_folder(incoming, target).inspect_err(|_| drop(rename_folder(kept, target)))
}

/// Moves the new folder back to where it came from, and the old one to `target`.
fn change_back(incoming: &Path, target: &Path, kept: &Path) -> Result<(), FileError> {
    if exchange(kept, target)? {
        return rename_folder(kept, incoming);
    }
    rename_folder(target, incoming)?;
    rename_folder(kept, target)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_that_finds_nothing_to_change_places_with_goes_back() {
        let parent = tempfile::tempdir().unwrap();
        let path = |name: &str| parent.path().join(name);
        fs::create_dir(path("new")).unwrap();
        assert!(change_places(&path("new"), &path("gone meanwhile"), &path("kept")).unwrap_err().is_missing());
        assert!(path("new").is_dir() && !path("kept").exists());
        assert!(change_places_in_two_steps(&path("gone"), &path("new"), &path("kept")).unwrap_err().is_missing());
        assert!(path("new").is_dir() && !path("kept").exists());
    }

    #[test]
    fn folders_change_places_and_back_with_an_exchange_and_in_two_steps() {
        let parent = tempfile::tempdir().unwrap();
        let path = |name: &str| parent.path().join(name);
        for name in ["one", "two"] {
            fs::create_dir(path(name)).unwrap();
            fs::write(path(name).join("cert.pem"), name).unwrap();
        }
        let there = || {
            let content = |name| fs::read_to_string(path(name).join("cert.pem")).ok();
            ["one", "two", "kept"].map(content)
        };
        let (one, two) = (Some("one".to_owned()), Some("two".to_owned()));
        for in_two_steps in [false, true] {
            let replace = if in_two_steps { change_places_in_two_steps } else { replace_folder };
            replace(&path("two"), &path("one"), &path("kept")).unwrap();
            assert_eq!(there(), [two.clone(), None, one.clone()]);
            change_back(&path("two"), &path("one"), &path("kept")).unwrap();
            assert_eq!(there(), [one.clone(), two.clone(), None]);
        }
    }
}
