//! A folder of a third party, read within limits. Links in it are not followed: they could lead to any file of this user.

use std::ffi::OsStr;
use std::path::{Component, Path, PathBuf};

use crate::system::files::{FileError, Folder, PathKind};

/// The most files and folders that are looked at.
pub const MOST_FILES: usize = 200_000;
/// How deep the folders are in which files are read.
pub const MOST_DEPTH: usize = 8;

/// The folder of another tool.
pub struct SourceFolder {
    folder: Folder,
}

/// A file that was found, in its open folder.
pub struct FoundFile<'a> {
    /// Relative to the folder of the tool.
    pub path: PathBuf,
    pub folder: &'a Folder,
    pub name: &'a OsStr,
}

/// What was not read.
#[derive(Debug, Default)]
pub struct NotRead {
    pub links: Vec<PathBuf>,
    pub too_deep: Vec<PathBuf>,
    /// Folders that cannot be opened, and why.
    pub failed: Vec<(PathBuf, FileError)>,
}

/// The folder has more files than [`MOST_FILES`].
#[derive(Debug)]
pub struct TooManyFiles;

impl SourceFolder {
    /// Opens a folder.
    ///
    /// # Errors
    /// When it is missing or not a folder, or the system refuses.
    pub fn open(path: &Path) -> Result<Self, FileError> {
        Ok(Self { folder: Folder::open(path)? })
    }

    /// Returns the path of the folder.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Returns true for the relative path of a file or folder; a link is neither.
    pub fn has(&self, relative: &str) -> bool {
        let Some((folder, name)) = self.parent(Path::new(relative)) else { return false };
        matches!(folder.kind_of(name), Ok(Some(PathKind::File | PathKind::Folder)))
    }

    /// Returns true for the relative path of a symbolic link.
    pub fn is_link(&self, relative: &str) -> bool {
        let Some((folder, name)) = self.parent(Path::new(relative)) else { return false };
        matches!(folder.kind_of(name), Ok(Some(PathKind::Link)))
    }

    /// Returns the length of a regular file; `None` when no regular file has this path.
    pub fn length(&self, relative: &str) -> Option<u64> {
        let (folder, name) = self.parent(Path::new(relative))?;
        match folder.kind_of(name) {
            Ok(Some(PathKind::File)) => folder.open_to_copy(name).ok().map(|opened| opened.bytes),
            _ => None,
        }
    }

    /// Reads a file of at most `most` bytes; `None` when nothing has this path, or it leads out of the folder.
    ///
    /// # Errors
    /// When it is a link, a folder, a pipe or a device, is longer, or the system refuses.
    pub fn read(&self, relative: &str, most: u64) -> Result<Option<Vec<u8>>, FileError> {
        match self.parent(Path::new(relative)) {
            Some((folder, name)) => Ok(folder.read(name, most)?.map(|stored| stored.content)),
            None => Ok(None),
        }
    }

    /// Opens the folder of a relative path, and returns the name in it; `None` when there is no such folder.
    fn parent<'a>(&self, relative: &'a Path) -> Option<(Folder, &'a OsStr)> {
        let mut folder = self.folder.clone();
        let mut components = relative.components().peekable();
        while let Some(component) = components.next() {
            let name = match component {
                Component::Normal(name) => name,
                Component::CurDir => continue,
                _ => return None,
            };
            if components.peek().is_none() {
                return Some((folder, name));
            }
            folder = folder.subfolder(name).ok()?;
        }
        None
    }

    /// Calls `visit` for each regular file, in the order of the names. Hidden folders and `skipped` are left out.
    ///
    /// # Errors
    /// That of `visit`, and [`TooManyFiles`].
    pub fn each_file<E: From<TooManyFiles>>(
        &self,
        skipped: Option<&Path>,
        visit: &mut dyn FnMut(&FoundFile<'_>) -> Result<(), E>,
    ) -> Result<NotRead, E> {
        let mut reading = Reading { skipped, count: 0, not_read: NotRead::default() };
        reading.read(&self.folder, Path::new(""), 0, visit)?;
        Ok(reading.not_read)
    }
}

struct Reading<'a> {
    skipped: Option<&'a Path>,
    count: usize,
    not_read: NotRead,
}

impl Reading<'_> {
    fn read<E: From<TooManyFiles>>(
        &mut self,
        folder: &Folder,
        relative: &Path,
        depth: usize,
        visit: &mut dyn FnMut(&FoundFile<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut names = match folder.names() {
            Ok(names) => names,
            Err(error) => {
                self.not_read.failed.push((relative.to_owned(), error));
                return Ok(());
            }
        };
        // Before they are sorted and asked for their kinds.
        self.count += names.len();
        if self.count > MOST_FILES {
            return Err(TooManyFiles.into());
        }
        // A CA directory of this program, such as an earlier import.
        if depth > 0 && names.iter().any(|name| name == "ca.toml") {
            return Ok(());
        }
        names.sort();
        for name in &names {
            let path = relative.join(name);
            match folder.kind_of(name) {
                Err(error) => self.not_read.failed.push((path, error)),
                Ok(None | Some(PathKind::Other)) => {}
                Ok(Some(PathKind::Link)) => self.not_read.links.push(path),
                Ok(Some(PathKind::File)) => visit(&FoundFile { path, folder, name })?,
                Ok(Some(PathKind::Folder)) => {
                    let is_hidden = name.as_encoded_bytes().starts_with(b".") && name != ".step";
                    if is_hidden || self.skipped == Some(path.as_path()) {
                        continue;
                    }
                    if depth == MOST_DEPTH {
                        self.not_read.too_deep.push(path);
                        continue;
                    }
                    match folder.subfolder(name) {
                        Ok(below) => self.read(&below, &path, depth + 1, visit)?,
                        Err(error) => self.not_read.failed.push((path, error)),
                    }
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    impl From<TooManyFiles> for String {
        fn from(_: TooManyFiles) -> Self {
            "too many".to_owned()
        }
    }

    #[test]
    fn links_hidden_folders_and_what_lies_deep_are_not_read() {
        let top = tempfile::tempdir().unwrap();
        let path = |name: &str| top.path().join(name);
        fs::create_dir_all(path("a/.git")).unwrap();
        fs::create_dir_all(path("db")).unwrap();
        fs::create_dir_all(path(&"d/".repeat(12))).unwrap();
        for file in ["one", "a/two", "a/.git/three", "db/four"] {
            fs::write(path(file), file).unwrap();
        }
        symlink("/etc", path("a/etc")).unwrap();
        symlink("/etc/passwd", path("passwd")).unwrap();
        let source = SourceFolder::open(top.path()).unwrap();
        let mut seen = Vec::new();
        let mut visit = |file: &FoundFile<'_>| -> Result<(), String> {
            seen.push(file.path.to_string_lossy().into_owned());
            Ok(())
        };
        let not_read = source.each_file(Some(Path::new("db")), &mut visit).unwrap();
        assert_eq!(seen, ["a/two", "one"]);
        assert_eq!(not_read.links, [PathBuf::from("a/etc"), PathBuf::from("passwd")]);
        assert_eq!(not_read.too_deep.len(), 1);
        assert_eq!(source.read("a/two", 10).unwrap().unwrap(), b"a/two");
        for outside in ["../one", "/etc/passwd", "a/../one", "a/etc/passwd", "missing/one"] {
            assert!(source.read(outside, 10).unwrap().is_none() && !source.has(outside), "{outside}");
        }
        assert!(source.read("passwd", 10).is_err() && !source.has("passwd"));
        assert!(source.read("one", 2).is_err(), "longer than the limit");
        assert_eq!((source.length("one"), source.length("a"), source.length("passwd")), (Some(3), None, None));
    }
}
