//! Folders: their content, their creation with the folders above them, moving and removing.

use std::io;
use std::path::Path;

use super::place::Place;
use super::rename::rename_new;
use super::{FileError, create_folder};
use crate::system::unix::folder;

/// Returns the names of everything in a folder that are valid text, in no order; empty when there is no such folder.
///
/// # Errors
/// When the system refuses.
pub fn names_in(folder: &Path) -> Result<Vec<String>, FileError> {
    match folder::names_at(folder) {
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        names => {
            let names = names.map_err(FileError::of("read", folder))?;
            Ok(names.into_iter().filter_map(|name| name.into_string().ok()).collect())
        }
    }
}

/// Creates a folder and the missing folders above it, durably. An existing one is left as it is.
///
/// # Errors
/// When the system refuses, or the name is taken by something else.
pub fn create_folders(folder: &Path, mode: u32) -> Result<(), FileError> {
    if folder.as_os_str().is_empty() || folder.is_dir() {
        return Ok(());
    }
    if let Some(parent) = folder.parent() {
        create_folders(parent, mode)?;
    }
    match create_folder(folder, mode) {
        // Another process was faster.
        Err(error) if error.is_already_there() && folder.is_dir() => Ok(()),
        made => made,
    }
}

/// Moves a file or folder to a free name on the same file system. Durable when its new folder is synced.
///
/// # Errors
/// When the name is taken, or the system refuses.
pub fn move_new(from: &Path, to: &Path) -> Result<(), FileError> {
    rename_new(&Place::of(from, "move")?, &Place::of(to, "create")?)
}

/// Removes a folder with everything in it, or a file. Nothing happens when it does not exist. A link is removed, never
/// followed.
///
/// # Errors
/// When the system refuses.
pub fn remove(path: &Path) -> Result<(), FileError> {
    match Place::of(path, "remove") {
        Err(error) if error.is_missing() => Ok(()),
        place => {
            let place = place?;
            place.folder.remove(&place.name).map_err(FileError::of("remove", path))
        }
    }
}

/// Removes a folder if it is empty; leaves it otherwise.
pub fn remove_if_empty(folder: &Path) {
    // A folder that is not empty belongs to the user.
    if let Ok(place) = Place::of(folder, "remove") {
        drop(folder::remove_folder(place.folder.file(), &place.name));
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn folders_are_made_with_those_above_them_and_left_when_they_are_there() {
        let top = tempfile::tempdir().unwrap();
        let deep = top.path().join("a/b/c");
        create_folders(&deep, 0o700).unwrap();
        create_folders(&deep, 0o755).unwrap();
        fs::write(deep.join("x"), "").unwrap();
        assert_eq!(names_in(&deep).unwrap(), ["x"]);
        assert!(names_in(&top.path().join("missing")).unwrap().is_empty());
        assert!(create_folders(&deep.join("x/y"), 0o700).is_err());
        assert!(create_folders(&deep.join("x"), 0o700).unwrap_err().is_already_there());
        // The folder in which a relative path begins.
        create_folders(Path::new(""), 0o700).unwrap();
        assert_eq!(names_in(&deep.join("x")).unwrap_err().cause.kind(), io::ErrorKind::NotADirectory);
    }

    #[test]
    fn nothing_is_overwritten_by_a_move_and_no_link_is_followed_by_a_removal() {
        let top = tempfile::tempdir().unwrap();
        let path = |name: &str| top.path().join(name);
        fs::write(path("a"), "a").unwrap();
        fs::write(path("b"), "b").unwrap();
        assert!(move_new(&path("a"), &path("b")).unwrap_err().is_already_there());
        move_new(&path("a"), &path("c")).unwrap();
        fs::create_dir(path("d")).unwrap();
        fs::write(path("d/kept"), "").unwrap();
        std::os::unix::fs::symlink(path("d"), path("link")).unwrap();
        remove(&path("link")).unwrap();
        remove(&path("missing")).unwrap();
        remove_if_empty(&path("d"));
        assert!(path("d/kept").exists() && !path("link").exists());
    }
}
