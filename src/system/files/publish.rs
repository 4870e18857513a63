//! A file that appears complete and durable under its final name.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use super::parent::parent_of;
use super::place::{ExistingFile, check_place};
use super::rename::rename_new;
use super::unfinished_name::unfinished_name;
use super::write::{create_file, fill};
use super::{FileError, refuse_planted_links, sync_folder};
use crate::system::Entropy;

/// Writes one file, durably, so that no reader ever sees a part of it: first under a temporary name, then renamed. The
/// final component of `path` is never followed.
///
/// # Errors
/// When the name is taken and the file is to be kept, or it is not a regular file, or the system refuses. Then the old file
/// is unchanged, except when only the last sync of a replacement failed.
pub fn publish_file(
    path: &Path,
    content: &[u8],
    mode: u32,
    existing: ExistingFile,
    entropy: &dyn Entropy,
) -> Result<(), FileError> {
    let unfinished = Unfinished::write(path, content, mode, existing, entropy)?;
    unfinished.rename(path, existing)?;
    let folder = parent_of(path);
    sync_folder(folder).inspect_err(|_| {
        // The new name may be gone after a power cut, so it is removed at once. A file that was replaced is already gone.
        if existing == ExistingFile::Keep {
            drop(fs::remove_file(path));
        }
    })
}

/// Writes several files of one folder that belong together, each as [`publish_file`] with [`ExistingFile::Replace`]. All of
/// them are on the disk before the first is renamed. Each appears in one step, but not all in one step.
///
/// # Errors
/// As [`publish_file`]; then some files may be replaced and others not.
pub fn replace_files(files: &[(&Path, &[u8])], mode: u32, entropy: &dyn Entropy) -> Result<(), FileError> {
    let written: Result<Vec<_>, _> = files
        .iter()
        .map(|(path, content)| Unfinished::write(path, content, mode, ExistingFile::Replace, entropy))
        .collect();
    for (unfinished, (path, _)) in written?.into_iter().zip(files) {
        unfinished.rename(path, ExistingFile::Replace)?;
    }
    files.first().map_or(Ok(()), |(path, _)| sync_folder(parent_of(path)))
}

/// A file that is complete and on the disk, under a temporary name. It is removed when it is dropped.
struct Unfinished {
    /// Open: its lock tells `remove_stale` that a process works on it, where the file system has locks.
    file: File,
    name: Option<PathBuf>,
}

impl Unfinished {
    fn write(
        path: &Path,
        content: &[u8],
        mode: u32,
        existing: ExistingFile,
        entropy: &dyn Entropy,
    ) -> Result<Self, FileError> {
        refuse_planted_links(path)?;
        check_place(path, existing)?;
        let folder = parent_of(path);
        let name = folder.join(unfinished_name(entropy).map_err(FileError::of("name a file in", folder))?);
        let file = create_file(&name)?;
        drop(file.try_lock());
        let mut unfinished = Self { file, name: Some(name) };
        let file = &mut unfinished.file;
        fill(file, content, mode).and_then(|()| file.sync_all()).map_err(FileError::of("write", path))?;
        Ok(unfinished)
    }

    fn rename(mut self, path: &Path, existing: ExistingFile) -> Result<(), FileError> {
        let Some(name) = &self.name else { return Ok(()) };
        match existing {
            ExistingFile::Keep => rename_new(name, path)?,
            ExistingFile::Replace => fs::rename(name, path).map_err(FileError::of("replace", path))?,
        }
        self.name = None;
        Ok(())
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        if let Some(name) = &self.name {
            drop(fs::remove_file(name));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;
    use std::sync::Barrier;
    use std::thread;

    use rustix::fs::{CWD, Mode, mkfifoat};

    use super::super::write::tests::{Umask, mode_of, planted};
    use super::*;
    use crate::system::entropy::SystemEntropy;

    fn publish(path: &Path, content: &str, existing: ExistingFile) -> Result<(), FileError> {
        publish_file(path, content.as_bytes(), 0o644, existing, &SystemEntropy)
    }

    #[test]
    fn a_file_appears_with_its_mode_and_is_replaced_only_when_asked() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("crl.pem");
        let umask = Umask::set(0o077);
        publish(&path, "one", ExistingFile::Keep).unwrap();
        drop(umask);
        assert_eq!(mode_of(&path), 0o644);
        assert!(publish(&path, "two", ExistingFile::Keep).unwrap_err().is_already_there());
        assert_eq!(fs::read_to_string(&path).unwrap(), "one");
        publish(&path, "two", ExistingFile::Replace).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "two");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn files_that_belong_together_are_replaced_and_none_is_when_one_cannot_be_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        publish(&path("crl.pem"), "old", ExistingFile::Keep).unwrap();
        let (pem, der, taken) = (path("crl.pem"), path("crl.der"), path("taken"));
        fs::create_dir(&taken).unwrap();
        let replace = |second: &Path| replace_files(&[(&pem, b"new"), (second, b"der")], 0o644, &SystemEntropy);
        assert!(replace(&taken).unwrap_err().is_already_there());
        assert_eq!(fs::read_to_string(&pem).unwrap(), "old");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2, "nothing unfinished is left");
        replace(&der).unwrap();
        assert_eq!((fs::read(&pem).unwrap(), fs::read(&der).unwrap()), (b"new".to_vec(), b"der".to_vec()));
        assert_eq!((mode_of(&pem), mode_of(&der)), (0o644, 0o644));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 3);
    }

    #[test]
    fn links_folders_and_pipes_are_neither_followed_nor_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        fs::write(path("victim"), "old").unwrap();
        symlink(path("victim"), path("link")).unwrap();
        symlink(path("nowhere"), path("dangling")).unwrap();
        fs::create_dir(path("folder")).unwrap();
        mkfifoat(CWD, path("fifo"), Mode::from_raw_mode(0o600)).unwrap();
        for name in ["link", "dangling", "folder", "fifo"] {
            for existing in [ExistingFile::Keep, ExistingFile::Replace] {
                let error = publish(&path(name), "new", existing).unwrap_err();
                assert!(error.is_already_there(), "{name}: {error}");
            }
        }
        assert_eq!(fs::read_to_string(path("victim")).unwrap(), "old");
        assert!(!path("nowhere").exists());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 5, "nothing unfinished is left");
    }

    #[test]
    fn a_way_that_others_could_have_laid_is_not_taken() {
        let top = planted();
        let path = |name: &str| top.path().join(name);
        for existing in [ExistingFile::Keep, ExistingFile::Replace] {
            assert!(publish(&path("shared/link/crl.pem"), "new", existing).is_err());
        }
        assert_eq!(fs::read_dir(path("victim")).unwrap().count(), 0);
    }

    #[test]
    fn of_many_that_want_one_name_one_gets_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("root.pem");
        let start = Barrier::new(8);
        let succeeded = thread::scope(|scope| {
            let attempt = |number: usize| {
                let (start, path) = (&start, &path);
                scope.spawn(move || {
                    start.wait();
                    publish(path, &number.to_string(), ExistingFile::Keep).is_ok()
                })
            };
            let threads: Vec<_> = (0..8).map(attempt).collect();
            threads.into_iter().filter_map(|thread| thread.join().unwrap().then_some(())).count()
        });
        assert_eq!(succeeded, 1);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_file_that_is_being_written_is_not_taken_for_one_that_a_dead_process_left() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("crl.pem");
        let unfinished = Unfinished::write(&path, b"new", 0o644, ExistingFile::Keep, &SystemEntropy).unwrap();
        crate::system::files::remove_stale(folder.path()).unwrap();
        unfinished.rename(&path, ExistingFile::Keep).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "new");
    }

    #[test]
    fn a_folder_that_is_not_there_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let error = publish(&folder.path().join("missing/file"), "x", ExistingFile::Keep).unwrap_err();
        assert!(error.is_missing() && error.to_string().contains("missing"), "{error}");
    }
}
