//! A file that appears complete and durable under its final name.

use std::path::Path;

use super::existing::ExistingFile;
use super::folder::{Folder, fill};
use super::place::Place;
use super::unfinished_file::UnfinishedFile;
use super::{FileError, Ownership};
use crate::system::Entropy;

/// A file that is to appear in a folder.
#[derive(Debug, Clone, Copy)]
pub struct NewFile<'a> {
    pub name: &'a str,
    pub content: &'a [u8],
    pub mode: u32,
    pub ownership: Ownership,
}

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
    let place = Place::of(path, "write")?;
    publish(place, content, (mode, Ownership::default()), existing, entropy)
}

impl Folder {
    /// Writes one file into the folder, as [`publish_file`] does. It has its owner and its mode before it has its name.
    ///
    /// # Errors
    /// As [`publish_file`].
    pub fn publish(&self, file: NewFile<'_>, existing: ExistingFile, entropy: &dyn Entropy) -> Result<(), FileError> {
        let place = Place { folder: self.clone(), name: file.name.into() };
        publish(place, file.content, (file.mode, file.ownership), existing, entropy)
    }
}

fn publish(
    place: Place,
    content: &[u8],
    access: (u32, Ownership),
    existing: ExistingFile,
    entropy: &dyn Entropy,
) -> Result<(), FileError> {
    written(place, content, access, existing, entropy)?.publish()
}

/// Writes a file that is complete and on the disk, under a temporary name.
///
/// # Errors
/// As [`UnfinishedFile::begin`]; then nothing is left.
pub(super) fn written(
    place: Place,
    content: &[u8],
    (mode, ownership): (u32, Ownership),
    existing: ExistingFile,
    entropy: &dyn Entropy,
) -> Result<UnfinishedFile, FileError> {
    let unfinished = UnfinishedFile::begin(place, existing, entropy)?;
    let filled = fill(unfinished.file(), content, ownership, mode);
    filled.map_err(FileError::of("write", &unfinished.place().path()))?;
    unfinished.sync()?;
    Ok(unfinished)
}

/// Writes several files of one folder that belong together, each as [`publish_file`] with [`ExistingFile::Replace`]. All of
/// them are on the disk before the first is renamed. Each appears in one step, but not all in one step.
///
/// # Errors
/// As [`publish_file`]; then some files may be replaced and others not.
pub fn replace_files(files: &[(&Path, &[u8])], mode: u32, entropy: &dyn Entropy) -> Result<(), FileError> {
    let Some((first, _)) = files.first() else { return Ok(()) };
    let folder = Place::of(first, "write")?.folder;
    let places: Result<Vec<Place>, _> = files.iter().map(|(path, _)| Place::beside(path, &folder, "write")).collect();
    let places = places?;
    let written: Result<Vec<_>, _> = places
        .into_iter()
        .zip(files)
        .map(|(place, (_, content))| {
            written(place, content, (mode, Ownership::default()), ExistingFile::Replace, entropy)
        })
        .collect();
    written?.into_iter().try_for_each(UnfinishedFile::rename)?;
    folder.sync()
}

/// Writes several files that belong together, in open folders, as [`replace_files`] does: all of them are on the disk, with owner
/// and mode, before the first is renamed.
///
/// # Errors
/// As [`replace_files`].
pub fn replace_together(files: &[(&Folder, NewFile<'_>)], entropy: &dyn Entropy) -> Result<(), FileError> {
    let write = |(folder, file): &(&Folder, NewFile<'_>)| {
        let place = Place { folder: (*folder).clone(), name: file.name.into() };
        written(place, file.content, (file.mode, file.ownership), ExistingFile::Replace, entropy)
    };
    let written: Result<Vec<_>, _> = files.iter().map(write).collect();
    written?.into_iter().try_for_each(UnfinishedFile::rename)?;
    files.iter().try_for_each(|(folder, _)| folder.sync())
}

#[cfg(test)]
mod tests {
    use std::fs;
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
        let place = Place::of(&path, "write").unwrap();
        let access = (0o644, Ownership::default());
        let unfinished = written(place.clone(), b"new", access, ExistingFile::Keep, &SystemEntropy).unwrap();
        crate::system::files::remove_stale(folder.path()).unwrap();
        unfinished.rename().unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "new");
    }

    #[test]
    fn a_folder_that_is_not_there_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let error = publish(&folder.path().join("missing/file"), "x", ExistingFile::Keep).unwrap_err();
        assert!(error.is_missing() && error.to_string().contains("missing"), "{error}");
    }

    #[test]
    fn a_temporary_name_that_another_user_gave_to_a_link_leads_nowhere() {
        let top = planted();
        let path = |name: &str| top.path().join(name);
        fs::write(path("victim/key.pem"), "theirs").unwrap();
        let place = Place::of(&path("shared/key.pem"), "write").unwrap();
        for existing in [ExistingFile::Keep, ExistingFile::Replace] {
            let access = (0o644, Ownership::default());
            let unfinished = written(place.clone(), b"new", access, existing, &SystemEntropy).unwrap();
            let temporary = unfinished.temporary().unwrap().path();
            fs::remove_file(&temporary).unwrap();
            symlink(path("victim/key.pem"), &temporary).unwrap();
            let error = unfinished.rename().unwrap_err();
            assert!(error.to_string().ends_with("another user exchanged it while it was being written"), "{error}");
            fs::remove_file(path("shared/key.pem")).unwrap();
        }
        assert_eq!(fs::read_to_string(path("victim/key.pem")).unwrap(), "theirs");
    }

    #[test]
    fn a_file_is_given_away_before_it_has_its_name_and_its_mode() {
        use std::os::unix::fs::MetadataExt;
        let folder = tempfile::tempdir().unwrap();
        let place = Place::of(&folder.path().join("key.pem"), "write").unwrap();
        // A process may give a file to its own group; root to any.
        let group = if crate::system::unix::attributes::are_we_root() {
            65534
        } else {
            fs::metadata(folder.path()).unwrap().gid()
        };
        let owner = Ownership::of(None, Some(&group.to_string())).unwrap();
        let unfinished = written(place.clone(), b"key", (0o640, owner), ExistingFile::Keep, &SystemEntropy).unwrap();
        let found = unfinished.file().metadata().unwrap();
        assert!(!folder.path().join("key.pem").exists());
        assert_eq!((found.gid(), found.mode() & 0o777), (group, 0o640));
    }
}
