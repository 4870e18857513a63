//! Many folders that become durable together: their content first, then they get their names, then these.
//!
//! One call syncs a whole file system (syncfs(2)) where that is known to make everything durable and to report what could not be
//! written. It also waits for what other processes write to that file system: for a few folders, or elsewhere, each file and
//! folder is synced by itself.

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};

use super::folder::Folder;
use super::parent::parent_of;
use super::place::Place;
use super::rename::rename_new;
use super::replace::{change_places, check_places};
use super::staged::StagedFolder;
use super::{FOLDER, FileError};
use crate::system::unix::attributes;
use crate::system::unix::file_system::syncs_as_a_whole;

/// The fewest folders on one file system for which the whole file system is synced.
pub const FEWEST_TOGETHER: usize = 8;

impl StagedFolder {
    /// Makes it one of many that are synced together ([`sync_together`]): no file of it stays open.
    #[must_use]
    pub fn as_one_of_many(mut self) -> Self {
        self.is_one_of_many = true;
        self
    }
}

/// Makes everything in these folders durable. The results have their order.
///
/// An error of a sync that folders share counts for each of them, and no file is synced again: a system reports only once that
/// something could not be written.
pub fn sync_together(folders: &[&StagedFolder]) -> Vec<Result<(), FileError>> {
    shared(folders, |staged| &staged.folder, |staged| staged.sync())
}

/// Syncs each item by itself, or those of one file system with one call.
fn shared<T: ?Sized>(
    items: &[&T],
    folder_of: impl Fn(&T) -> &Folder,
    alone: impl Fn(&T) -> Result<(), FileError>,
) -> Vec<Result<(), FileError>> {
    let mut by_device: HashMap<u64, Vec<usize>> = HashMap::new();
    for (at, item) in items.iter().enumerate() {
        // One whose file system is not known is synced by itself.
        let device = folder_of(item).file().metadata().map_or(u64::MAX, |found| attributes::device(&found));
        by_device.entry(device).or_default().push(at);
    }
    let mut results: Vec<Result<(), FileError>> = items.iter().map(|_| Ok(())).collect();
    for of_device in by_device.into_values() {
        let first = folder_of(items[of_device[0]]);
        if of_device.len() < FEWEST_TOGETHER || !syncs_as_a_whole(first.file()) {
            for at in of_device {
                results[at] = alone(items[at]);
            }
        } else if let Err(error) = first.sync_file_system() {
            for at in of_device {
                results[at] = Err(same_error(&error, folder_of(items[at])));
            }
        }
    }
    results
}

/// Returns the error of a shared sync for one of the folders.
fn same_error(error: &FileError, folder: &Folder) -> FileError {
    let cause = match error.cause.raw_os_error() {
        Some(code) => io::Error::from_raw_os_error(code),
        None => io::Error::new(error.cause.kind(), error.cause.to_string()),
    };
    FileError { action: error.action, path: folder.path().to_owned(), cause }
}

/// The folders in which names changed, each opened once. [`sync`](Self::sync) makes the names durable.
#[derive(Debug, Default)]
pub struct NamesToSync {
    folders: Vec<Folder>,
    known: HashMap<PathBuf, usize>,
}

/// What became of the names.
#[derive(Debug)]
pub struct SyncedNames {
    folders: Vec<(Folder, Result<(), FileError>)>,
    known: HashMap<PathBuf, usize>,
}

impl NamesToSync {
    /// Publishes a folder as [`StagedFolder::publish_new`] does, not durably yet.
    ///
    /// # Errors
    /// As there.
    pub fn publish_new(&mut self, mut staged: StagedFolder, target: &Path) -> Result<(), FileError> {
        let target = self.place(target, "create")?;
        rename_new(&staged.place, &target)?;
        staged.published = true;
        let arrived = target.folder.check_arrived(&target.name, staged.folder.file());
        arrived.map_err(FileError::of("create", &target.path()))
    }

    /// Replaces a folder as [`StagedFolder::publish_replacing`] does, not durably yet. The folder in which the old one is kept is
    /// created when it is missing.
    ///
    /// # Errors
    /// As there.
    pub fn publish_replacing(&mut self, mut staged: StagedFolder, target: &Path, kept: &Path) -> Result<(), FileError> {
        self.create_folders(parent_of(kept))?;
        let (target, kept) = (self.place(target, "replace")?, self.place(kept, "create")?);
        check_places(&target, &kept)?;
        change_places(&staged.place, &target, &kept)?;
        staged.published = true;
        Ok(())
    }

    /// Creates a folder and the missing folders above it, not durably yet.
    fn create_folders(&mut self, folder: &Path) -> Result<(), FileError> {
        if folder.as_os_str().is_empty() || folder.is_dir() {
            return Ok(());
        }
        self.create_folders(parent_of(folder))?;
        let place = self.place(folder, "create")?;
        place.folder.create_folder(&place.name, FOLDER).map(drop)
    }

    /// Returns a name in a folder that is synced later.
    fn place(&mut self, path: &Path, action: &'static str) -> Result<Place, FileError> {
        let parent = parent_of(path);
        if let Some(at) = self.known.get(parent) {
            return Place::beside(path, &self.folders[*at], action);
        }
        let place = Place::of(path, action)?;
        self.known.insert(parent.to_owned(), self.folders.len());
        self.folders.push(place.folder.clone());
        Ok(place)
    }

    /// Makes all names durable.
    pub fn sync(self) -> SyncedNames {
        let Self { folders, known } = self;
        let results = shared(&folders.iter().collect::<Vec<_>>(), |folder| folder, Folder::sync);
        SyncedNames { folders: folders.into_iter().zip(results).collect(), known }
    }
}

impl SyncedNames {
    /// Returns whether the name of `path` is durable.
    ///
    /// # Errors
    /// When the folder in which it is could not be synced.
    pub fn check(&self, path: &Path) -> Result<(), FileError> {
        let found = self.known.get(parent_of(path)).map(|at| &self.folders[*at]);
        match found {
            Some((folder, Err(error))) => Err(same_error(error, folder)),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::system::entropy::SystemEntropy;

    fn staged(top: &Path, content: &str) -> StagedFolder {
        let parent = Folder::open(top).unwrap();
        let mut staged = StagedFolder::create_in(&parent, &SystemEntropy).unwrap().as_one_of_many();
        staged.add("cert.pem", content.as_bytes(), 0o644).unwrap();
        staged
    }

    #[test]
    fn many_folders_are_synced_and_get_their_names_and_those_they_replace_are_kept() {
        for count in [1, FEWEST_TOGETHER + 1] {
            let top = tempfile::tempdir().unwrap();
            let path = |name: &str| top.path().join(name);
            for folder in ["issued", "issued/n0"] {
                fs::create_dir(path(folder)).unwrap();
            }
            fs::write(path("issued/n0/cert.pem"), "older").unwrap();
            let all: Vec<StagedFolder> = (0..count).map(|number| staged(top.path(), &format!("{number}"))).collect();
            assert!(sync_together(&all.iter().collect::<Vec<_>>()).iter().all(Result::is_ok));
            let mut names = NamesToSync::default();
            for (number, staged) in all.into_iter().enumerate() {
                let target = path(&format!("issued/n{number}"));
                match number {
                    0 => names.publish_replacing(staged, &target, &path("kept/n0/first")).unwrap(),
                    _ => names.publish_new(staged, &target).unwrap(),
                }
            }
            let synced = names.sync();
            for number in 0..count {
                synced.check(&path(&format!("issued/n{number}"))).unwrap();
                let found = fs::read_to_string(path(&format!("issued/n{number}/cert.pem"))).unwrap();
                assert_eq!(found, number.to_string());
            }
            assert_eq!(fs::read_to_string(path("kept/n0/first/cert.pem")).unwrap(), "older");
            assert_eq!(fs::read_dir(top.path()).unwrap().count(), 2, "nothing is left");
        }
    }

    #[test]
    fn a_folder_whose_name_is_taken_is_removed_and_the_others_get_theirs() {
        let top = tempfile::tempdir().unwrap();
        let path = |name: &str| top.path().join(name);
        fs::create_dir(path("issued")).unwrap();
        fs::write(path("issued/taken"), "").unwrap();
        let mut names = NamesToSync::default();
        assert!(names.publish_new(staged(top.path(), "1"), &path("issued/taken")).unwrap_err().is_already_there());
        let replacing = names.publish_replacing(staged(top.path(), "2"), &path("issued/taken"), &path("kept/n"));
        assert!(replacing.is_err(), "what is replaced is a folder");
        names.publish_new(staged(top.path(), "3"), &path("issued/free")).unwrap();
        names.sync().check(&path("issued/free")).unwrap();
        let mut left: Vec<_> = fs::read_dir(top.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        left.sort();
        assert_eq!(left, ["issued", "kept"]);
    }

    #[test]
    fn a_sync_that_failed_counts_for_each_folder_that_shared_it() {
        let top = tempfile::tempdir().unwrap();
        let folder = Folder::open(top.path()).unwrap();
        let failed = FileError::of("sync", Path::new("/"))(io::Error::from_raw_os_error(28));
        assert!(same_error(&failed, &folder).is_disk_full());
        assert_eq!(same_error(&failed, &folder).path, top.path());
        let known = [(top.path().to_owned(), 0)].into();
        let synced = SyncedNames { folders: vec![(folder, Err(failed))], known };
        assert!(synced.check(&top.path().join("web")).unwrap_err().is_disk_full());
    }
}
