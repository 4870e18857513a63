//! Folders read file by file for a copy, and files written from a stream of unknown length.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;
use std::time::UNIX_EPOCH;

use super::existing::ExistingFile;
use super::folder::Folder;
use super::place::Place;
use super::unfinished_file::UnfinishedFile;
use super::{FOLDER, FileError, PathKind};
use crate::system::Entropy;
use crate::system::unix::attributes;
use crate::system::unix::folder::{self, Found, look_at};

/// A regular file that is open to be copied.
#[derive(Debug)]
pub struct OpenedFile {
    pub file: File,
    /// Its length.
    pub bytes: u64,
    /// Its permission bits.
    pub mode: u32,
    /// The time of its last modification, in seconds since 1970.
    pub modified: u64,
}

impl OpenedFile {
    /// Asks an open file for its properties.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn of(file: File) -> io::Result<Self> {
        let found = file.metadata()?;
        let modified = found.modified()?.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        Ok(Self { file, bytes: found.len(), mode: attributes::mode(&found) & 0o777, modified })
    }
}

impl Folder {
    /// Returns what is in the folder, sorted by name. Links are not followed; what disappears meanwhile is left out.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn entries(&self) -> Result<Vec<(OsString, PathKind)>, FileError> {
        let mut names = self.names()?;
        names.sort();
        let mut entries = Vec::with_capacity(names.len());
        for name in names {
            if let Some(kind) = self.kind_of(&name)? {
                entries.push((name, kind));
            }
        }
        Ok(entries)
    }

    /// Returns what a name in it stands for; a link is not followed. `None` when nothing has this name.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn kind_of(&self, name: impl AsRef<OsStr>) -> Result<Option<PathKind>, FileError> {
        match look_at(self.file(), name.as_ref()) {
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => Ok(None),
            found => found.map(|found: Found| Some(found.kind())).map_err(FileError::of("read", &self.path_of(name))),
        }
    }

    /// Opens a folder in it; a link to one is none.
    ///
    /// # Errors
    /// When it is missing or not a folder, or the system refuses.
    pub fn subfolder(&self, name: impl AsRef<OsStr>) -> Result<Self, FileError> {
        self.folder(name.as_ref()).map_err(FileError::of("open", &self.path_of(name)))
    }

    /// Opens a regular file in it to copy it.
    ///
    /// # Errors
    /// When it is missing or not a regular file, or the system refuses.
    pub fn open_to_copy(&self, name: impl AsRef<OsStr>) -> Result<OpenedFile, FileError> {
        let opened = self.open_to_read(name.as_ref()).and_then(OpenedFile::of);
        opened.map_err(FileError::of("read", &self.path_of(name)))
    }

    /// Creates a folder in it, mode 0700. Not durable until this folder is synced.
    ///
    /// # Errors
    /// When the name is taken, or the system refuses.
    pub fn create_subfolder(&self, name: impl AsRef<OsStr>) -> Result<Self, FileError> {
        self.create_folder(name.as_ref(), FOLDER)
    }

    /// Makes everything on the file system of this folder durable: for many thousand files, one turn instead of one each.
    ///
    /// # Errors
    /// When the system refuses; then nothing is known to be durable.
    pub fn sync_file_system(&self) -> Result<(), FileError> {
        folder::sync_file_system(self.file()).map_err(FileError::of("sync", self.path()))
    }

    /// Copies a stream into a new file with exactly this mode. It is **not durable** until the file system is synced
    /// ([`sync_file_system`](Self::sync_file_system)).
    ///
    /// # Errors
    /// When the name is taken, the stream fails, or the system refuses; then no file of that name is left, unless it was
    /// there before.
    pub fn write_stream(&self, name: impl AsRef<OsStr>, content: &mut dyn Read, mode: u32) -> Result<(), FileError> {
        let name = name.as_ref();
        let mut file = self.create(name)?;
        let written = io::copy(content, &mut file)
            .and_then(|_| attributes::set_mode_of(&file, mode))
            .and_then(|()| folder::sync_if_alone(&file));
        written.map_err(|cause| {
            self.remove_file_quietly(name);
            FileError { action: "write", path: self.path_of(name), cause }
        })
    }
}

/// A file that is written bit by bit under a temporary name, and then appears complete under its own. When it is dropped
/// before, it is removed.
#[derive(Debug)]
pub struct StreamedFile(UnfinishedFile);

impl StreamedFile {
    /// Begins a file, mode 0600. What killed processes left in its folder is removed.
    ///
    /// # Errors
    /// When the name is taken and the file is to be kept, or it is not a regular file, the path leads through a link that
    /// other users could have planted, or the system refuses.
    pub fn begin(path: &Path, existing: ExistingFile, entropy: &dyn Entropy) -> Result<Self, FileError> {
        let place = Place::of(path, "write")?;
        place.folder.remove_stale()?;
        UnfinishedFile::begin(place, existing, entropy).map(Self)
    }

    /// Gives the file its name, durably.
    ///
    /// # Errors
    /// When the name is taken by now, or the system refuses. Then the old file is unchanged, except when only the last sync
    /// of a replacement failed.
    pub fn publish(self) -> Result<(), FileError> {
        self.0.sync()?;
        self.0.publish()
    }
}

impl Write for &StreamedFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.file().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.file().flush()
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::super::write::tests::mode_of;
    use super::*;
    use crate::system::entropy::SystemEntropy;

    #[test]
    fn a_streamed_file_appears_whole_or_not_at_all() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("backup");
        let begin = |existing| StreamedFile::begin(&path, existing, &SystemEntropy);
        let write = |file: &StreamedFile, text: &str| (&mut &*file).write_all(text.as_bytes()).unwrap();
        let file = begin(ExistingFile::Keep).unwrap();
        write(&file, "one");
        assert!(!path.exists());
        drop(file);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "nothing unfinished is left");
        let (first, second) = (begin(ExistingFile::Keep).unwrap(), begin(ExistingFile::Keep).unwrap());
        write(&first, "one");
        first.publish().unwrap();
        assert!(second.publish().unwrap_err().is_already_there());
        assert!(begin(ExistingFile::Keep).unwrap_err().is_already_there());
        assert_eq!((fs::read_to_string(&path).unwrap().as_str(), mode_of(&path)), ("one", 0o600));
        fs::write(folder.path().join(".staged-0123456789abcdef"), "half").unwrap();
        let file = begin(ExistingFile::Replace).unwrap();
        write(&file, "two");
        file.publish().unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "two");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_folder_is_read_without_following_links() {
        let top = tempfile::tempdir().unwrap();
        fs::create_dir(top.path().join("b")).unwrap();
        fs::write(top.path().join("a"), "content").unwrap();
        std::os::unix::fs::symlink("a", top.path().join("c")).unwrap();
        let folder = Folder::open(top.path()).unwrap();
        let entries = folder.entries().unwrap();
        let expected = [("a", PathKind::File), ("b", PathKind::Folder), ("c", PathKind::Link)];
        assert_eq!(entries, expected.map(|(name, kind)| (name.into(), kind)));
        assert_eq!(folder.open_to_copy("a").unwrap().bytes, 7);
        for other in ["b", "c", "missing"] {
            assert!(folder.open_to_copy(other).is_err(), "{other}");
        }
        assert!(folder.subfolder("c").is_err() && folder.subfolder("b").is_ok());
        assert_eq!(folder.kind_of("missing").unwrap(), None);
    }

    #[test]
    fn a_stream_is_written_with_its_mode_and_leaves_nothing_when_it_fails() {
        struct Fails;
        impl Read for Fails {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(io::ErrorKind::InvalidData.into())
            }
        }
        let top = tempfile::tempdir().unwrap();
        let folder = Folder::open(top.path()).unwrap();
        folder.write_stream("a", &mut &b"content"[..], 0o644).unwrap();
        assert_eq!(mode_of(&top.path().join("a")), 0o644);
        assert!(folder.write_stream("a", &mut &b"other"[..], 0o644).unwrap_err().is_already_there());
        assert!(folder.write_stream("b", &mut Fails, 0o600).is_err());
        assert_eq!(fs::read_dir(top.path()).unwrap().count(), 1);
    }
}
