//! The replacement of one folder by another: a reader sees the old or the new one, never none or a mixture.

use std::io;
use std::path::Path;

use super::FileError;
use super::place::Place;
use super::rename::{exchange, rename};
use crate::system::unix::folder::{self, Kind};

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
    replace_place(&Place::of(incoming, "replace")?, target, kept)
}

/// As [`replace_folder`], with a folder that is open already.
pub(super) fn replace_place(incoming: &Place, target: &Path, kept: &Path) -> Result<(), FileError> {
    let (target, kept) = (Place::of(target, "replace")?, Place::of(kept, "create")?);
    check_places(&target, &kept)?;
    change_places(incoming, &target, &kept)?;
    target.folder.sync().and_then(|()| kept.folder.sync()).inspect_err(|_| {
        // Undo. If that fails too, both folders are complete, and the next replacement finds them.
        drop(change_back(incoming, &target, &kept));
    })
}

/// Checks that there is a folder to replace, and a free name for it.
pub(super) fn check_places(target: &Place, kept: &Place) -> Result<(), FileError> {
    let there =
        folder::look_at(target.folder.file(), &target.name).map_err(FileError::of("replace", &target.path()))?;
    if there.kind() != Kind::Folder {
        return Err(FileError::of("replace", &target.path())(io::ErrorKind::NotADirectory.into()));
    }
    if kept.folder.has(&kept.name) {
        return Err(FileError::of("create", &kept.path())(io::ErrorKind::AlreadyExists.into()));
    }
    Ok(())
}

pub(super) fn change_places(incoming: &Place, target: &Place, kept: &Place) -> Result<(), FileError> {
    rename(incoming, kept)?;
    match exchange(kept, target) {
        Ok(true) => Ok(()),
        Ok(false) => {
            rename(kept, incoming)?;
            change_places_in_two_steps(incoming, target, kept)
        }
        Err(error) => {
            // Undo. If that fails, the next replacement finds it.
            drop(rename(kept, incoming));
            Err(error)
        }
    }
}

/// For file systems without RENAME_EXCHANGE (NFS, some of FUSE).
fn change_places_in_two_steps(incoming: &Place, target: &Place, kept: &Place) -> Result<(), FileError> {
    rename(target, kept)?;
    rename(incoming, target).inspect_err(|_| drop(rename(kept, target)))
}

/// Moves the new folder back to where it came from, and the old one to `target`.
fn change_back(incoming: &Place, target: &Place, kept: &Place) -> Result<(), FileError> {
    if exchange(kept, target)? {
        return rename(kept, incoming);
    }
    rename(target, incoming)?;
    rename(kept, target)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_folder_that_finds_nothing_to_change_places_with_goes_back() {
        let parent = tempfile::tempdir().unwrap();
        let path = |name: &str| parent.path().join(name);
        let place = |name: &str| Place::of(&path(name), "move").unwrap();
        fs::create_dir(path("new")).unwrap();
        assert!(change_places(&place("new"), &place("gone meanwhile"), &place("kept")).unwrap_err().is_missing());
        assert!(path("new").is_dir() && !path("kept").exists());
        assert!(change_places_in_two_steps(&place("gone"), &place("new"), &place("kept")).unwrap_err().is_missing());
        assert!(path("new").is_dir() && !path("kept").exists());
    }

    #[test]
    fn folders_change_places_and_back_with_an_exchange_and_in_two_steps() {
        let parent = tempfile::tempdir().unwrap();
        let path = |name: &str| parent.path().join(name);
        let place = |name: &str| Place::of(&path(name), "move").unwrap();
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
            match in_two_steps {
                true => change_places_in_two_steps(&place("two"), &place("one"), &place("kept")).unwrap(),
                false => replace_folder(&path("two"), &path("one"), &path("kept")).unwrap(),
            }
            assert_eq!(there(), [two.clone(), None, one.clone()]);
            change_back(&place("two"), &place("one"), &place("kept")).unwrap();
            assert_eq!(there(), [one.clone(), two.clone(), None]);
        }
    }
}
