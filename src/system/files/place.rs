//! A name in an open folder, and the check that a file can be written there, before work is done in vain.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io;
use std::path::{Component, Path, PathBuf};

use super::existing::ExistingFile;
use super::folder::Folder;
use super::parent::parent_of;
use super::resolve;
use super::{FileError, StoredFile};
use crate::system::unix::folder::{self, OpenFor};
use crate::system::unix::write;

/// A name in an open folder.
#[derive(Debug, Clone)]
pub(super) struct Place {
    pub folder: Folder,
    pub name: OsString,
}

impl Place {
    /// Opens the folder in which a path is. `action` is for the message of an error.
    pub fn of(path: &Path, action: &'static str) -> Result<Self, FileError> {
        Self::open(path, OpenFor::Everything).map_err(FileError::of(action, path))
    }

    fn open(path: &Path, open_for: OpenFor) -> io::Result<Self> {
        Ok(Self { folder: Folder::open_for(parent_of(path), open_for)?, name: name_of(path).to_owned() })
    }

    /// Opens the folder in which a path is, unless it is the one that is open already.
    pub fn beside(path: &Path, opened: &Folder, action: &'static str) -> Result<Self, FileError> {
        if parent_of(path) == opened.path() {
            return Ok(Self { folder: opened.clone(), name: name_of(path).to_owned() });
        }
        Self::of(path, action)
    }

    /// Checks it as [`Folder::check_place`] does, with the path as it was given in the error.
    fn check(&self, path: &Path, existing: ExistingFile) -> Result<(), FileError> {
        self.folder.check_place(&self.name, existing).map_err(|error| FileError { path: path.to_owned(), ..error })
    }

    pub fn path(&self) -> PathBuf {
        self.folder.path_of(&self.name)
    }

    /// The place as the calls of the system take it.
    pub fn at(&self) -> (&File, &OsStr) {
        (self.folder.file(), &self.name)
    }
}

fn name_of(path: &Path) -> &OsStr {
    match path.components().next_back() {
        Some(Component::Normal(name)) => name,
        Some(Component::ParentDir) => OsStr::new(".."),
        _ => OsStr::new("."),
    }
}

/// Checks that a new file can be written at a path. Only the creation itself is certain; this check comes before work is
/// done in vain.
///
/// # Errors
/// When the name is taken, the folder is missing or takes no new files, or the path leads through a link that other users
/// could have planted.
pub fn check_new(path: &Path) -> Result<(), FileError> {
    let folder = parent_of(path);
    let place = match Place::of(path, "write") {
        Err(error) if error.is_missing() => Err(FileError { action: "write into", path: folder.to_owned(), ..error }),
        place => place,
    }?;
    place.check(path, ExistingFile::Keep)?;
    folder::check_writable(place.folder.file()).map_err(FileError::of("write into", folder))
}

/// Checks that this process may change an existing file, and create files beside it. Only the change itself is certain.
///
/// # Errors
/// When the medium is read-only, or the permissions do not allow it.
pub fn check_writable(file: &Path) -> Result<(), FileError> {
    let folder = parent_of(file);
    write::check_changeable(folder).map_err(FileError::of("write into", folder))?;
    write::check_changeable(file).map_err(FileError::of("write", file))
}

/// Checks that a file can be published at a path: see [`Folder::check_place`].
///
/// # Errors
/// When something is in the way, as [`publish_file`](super::publish::publish_file).
pub fn check_place(path: &Path, existing: ExistingFile) -> Result<(), FileError> {
    match Place::of(path, "write") {
        Err(error) if error.is_missing() => Ok(()),
        place => place?.check(path, existing),
    }
}

/// Reads a regular file in a folder that others may share. A link is followed only where no other user could have planted
/// it, and no pipe is waited for. `None` when there is no such file.
///
/// # Errors
/// When the path has a planted link, it is a folder, a pipe or a device, is longer than `most` bytes, or the system refuses.
pub fn read_regular(path: &Path, most: u64) -> Result<Option<StoredFile>, FileError> {
    let found = follow(path).map_err(FileError::of("read", path))?;
    found.map_or(Ok(None), |place| place.folder.read(&place.name, most))
}

/// Returns the place that a path leads to, its last component too. `None` when the path is missing.
fn follow(path: &Path) -> io::Result<Option<Place>> {
    let mut path = path.to_owned();
    for _ in 0..resolve::MAX_LINKS {
        let place = match Place::open(&path, OpenFor::Search) {
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(None),
            place => place?,
        };
        match resolve::target_of(place.at(), &path)? {
            Some(target) => path = place.folder.path_of(target),
            None => return Ok(Some(place)),
        }
    }
    Err(io::Error::other("it leads through too many symbolic links"))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::super::write::tests::planted;
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
            ("missing/file", "no such file or folder"),
            ("file/below", "is not a folder"),
        ] {
            let error = check_new(&path(name)).unwrap_err().to_string();
            assert!(error.to_lowercase().contains(&message.to_lowercase()), "{name}: {error}");
        }
        check_new(&path("new")).unwrap();
        assert!(!path("new").exists());
    }

    #[test]
    fn a_file_is_read_through_a_link_only_where_no_other_user_could_have_planted_it() {
        let top = planted();
        let path = |name: &str| top.path().join(name);
        fs::write(path("victim/cert.pem"), "theirs").unwrap();
        symlink("../victim/cert.pem", path("shared/cert.pem")).unwrap();
        symlink("victim/cert.pem", path("own")).unwrap();
        symlink("nowhere", path("dangling")).unwrap();
        for planted in ["shared/cert.pem", "shared/link/cert.pem"] {
            let Err(error) = read_regular(&path(planted), 100) else { panic!("{planted} was read") };
            assert!(error.to_string().contains("in a folder where other users can write"), "{error}");
        }
        assert_eq!(read_regular(&path("own"), 100).unwrap().unwrap().content, b"theirs");
        for missing in ["dangling", "missing", "missing/below"] {
            assert!(read_regular(&path(missing), 100).unwrap().is_none(), "{missing}");
        }
        symlink("endless", path("endless")).unwrap();
        assert!(read_regular(&path("endless"), 100).is_err());
    }
}
