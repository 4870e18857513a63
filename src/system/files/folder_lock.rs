//! An exclusive lock on a folder, for the duration of a change.
//!
//! The lock is the kernel's (flock(2)) on the folder itself, and ends with its process. A user who may open a file or folder
//! can lock it; so where other users may open the folder, a file in it is locked that only its owner can open
//! ([`LOCK_FILE`]). That file has no content, and nothing follows from its being there. A process id in a file would not be
//! enough: killed processes can remain as zombies.

use std::fs::{File, TryLockError};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use super::FileError;
use crate::system::unix::attributes::{self, lock_holder};
use crate::system::unix::write::open_lock_file;
use crate::text::PathText;

/// The file that is locked in a folder that other users may open.
pub const LOCK_FILE: &str = "ca.lock";

/// A lock that is held until it is dropped, or the process ends.
#[derive(Debug)]
pub struct FolderLock {
    _folder: File,
}

/// Why the lock was not taken.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    #[error(transparent)]
    File(#[from] FileError),
    #[error("{} is being changed by {}; waited {} seconds for it", path.escaped(), holder_text(*.holder), waited.as_secs())]
    Held {
        path: PathBuf,
        waited: Duration,
        /// The process that holds it; `None` when the system does not say.
        holder: Option<u32>,
    },
}

fn holder_text(holder: Option<u32>) -> String {
    holder.map_or_else(|| "another process".to_owned(), |pid| format!("process {pid}"))
}

impl FolderLock {
    /// Takes the lock, and waits for it for at most `patience` when another process holds it.
    ///
    /// # Errors
    /// When the folder cannot be opened, the file system has no locks, or another process held the lock all the time.
    pub fn acquire(path: &Path, patience: Duration) -> Result<Self, LockError> {
        let folder = File::open(path).map_err(FileError::of("open", path))?;
        Self::of(path, folder, path, patience)
    }

    /// Takes the lock as [`acquire`](Self::acquire) does; where other users may open the folder, they cannot take this lock.
    ///
    /// # Errors
    /// As [`acquire`](Self::acquire).
    pub fn acquire_as_owner(path: &Path, patience: Duration) -> Result<Self, LockError> {
        let (opened, locked) = open(path).map_err(FileError::of("open", path))?;
        Self::of(path, opened, &locked, patience)
    }

    fn of(path: &Path, folder: File, locked: &Path, patience: Duration) -> Result<Self, LockError> {
        match folder.try_lock() {
            Ok(()) => return Ok(Self { _folder: folder }),
            Err(TryLockError::WouldBlock) => {}
            Err(TryLockError::Error(cause)) => return Err(FileError::of("lock", path)(cause).into()),
        }
        match wait(folder, patience) {
            Some(folder) => Ok(Self { _folder: folder.map_err(FileError::of("lock", path))? }),
            None => Err(LockError::Held { path: path.to_owned(), waited: patience, holder: lock_holder(locked) }),
        }
    }
}

/// Opens what is locked, and returns its path: the folder, or a file in it when other users may open the folder. A process
/// that may not write there can change nothing, so it does not need that file. Any other error counts: on a full disk, one
/// process would lock the folder, and the next one, with some space again, the file.
fn open(path: &Path) -> io::Result<(File, PathBuf)> {
    let folder = File::open(path)?;
    if attributes::mode(&folder.metadata()?) & 0o044 == 0 {
        return Ok((folder, path.to_owned()));
    }
    match open_lock_file(&folder, LOCK_FILE) {
        Ok(file) => Ok((file, path.join(LOCK_FILE))),
        Err(cause) if matches!(cause.kind(), ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem) => {
            Ok((folder, path.to_owned()))
        }
        Err(cause) => Err(cause),
    }
}

/// Waits in the queue of the kernel, which is fair, in a thread of its own, for at most `patience`. A lock that comes later
/// finds no receiver, and is released at once.
fn wait(folder: File, patience: Duration) -> Option<io::Result<File>> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let locked = folder.lock().map(|()| folder);
        drop(sender.send(locked));
    });
    match receiver.recv_timeout(patience) {
        Ok(locked) => Some(locked),
        Err(RecvTimeoutError::Timeout) => None,
        Err(RecvTimeoutError::Disconnected) => Some(Err(io::Error::other("the thread that waited for the lock died"))),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    const LONG: Duration = Duration::from_secs(600);

    #[test]
    fn the_lock_is_held_by_one_at_a_time_and_each_waiter_gets_it() {
        let folder = tempfile::tempdir().unwrap();
        let (inside, done) = (AtomicUsize::new(0), AtomicUsize::new(0));
        thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for _ in 0..20 {
                        let lock = FolderLock::acquire(folder.path(), LONG).unwrap();
                        assert_eq!(inside.fetch_add(1, Ordering::SeqCst), 0);
                        thread::yield_now();
                        inside.fetch_sub(1, Ordering::SeqCst);
                        done.fetch_add(1, Ordering::SeqCst);
                        drop(lock);
                    }
                });
            }
        });
        assert_eq!(done.into_inner(), 160);
    }

    #[test]
    fn a_wait_in_vain_reports_its_length_and_the_process_that_holds_the_lock() {
        let folder = tempfile::tempdir().unwrap();
        let held = FolderLock::acquire(folder.path(), Duration::ZERO).unwrap();
        let error = FolderLock::acquire(folder.path(), Duration::ZERO).unwrap_err();
        let LockError::Held { holder, .. } = &error else { panic!("{error}") };
        if Path::new("/proc/locks").exists() {
            assert_eq!(*holder, Some(std::process::id()));
        }
        assert!(error.to_string().ends_with("waited 0 seconds for it"), "{error}");
        drop(held);
        // The thread that waited in vain does not keep the lock, should it get it later.
        FolderLock::acquire(folder.path(), LONG).unwrap();
    }

    #[test]
    fn a_user_who_may_open_the_folder_does_not_hold_others_up() {
        use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
        let folder = tempfile::tempdir().unwrap();
        let lock_file = folder.path().join(LOCK_FILE);
        let with_mode =
            |path: &Path, mode| std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
        let by_other = File::open(folder.path()).unwrap();
        by_other.lock().unwrap();
        with_mode(folder.path(), 0o700);
        assert!(FolderLock::acquire_as_owner(folder.path(), Duration::ZERO).is_err(), "only the owner can open it");
        assert!(!lock_file.exists());
        for mode in [0o755, 0o750, 0o704] {
            with_mode(folder.path(), mode);
            // The attempt of the round before may get the lock for a moment, after it gave up.
            let held = FolderLock::acquire_as_owner(folder.path(), LONG).unwrap();
            let error = FolderLock::acquire_as_owner(folder.path(), Duration::ZERO).unwrap_err();
            assert!(matches!(&error, LockError::Held { path, .. } if path == folder.path()), "{error}");
            assert_eq!(std::fs::metadata(&lock_file).unwrap().mode() & 0o777, 0o600);
            drop(held);
            with_mode(&lock_file, 0o644);
        }
        // No link is followed, and nothing is created where it leads.
        std::fs::remove_file(&lock_file).unwrap();
        symlink(folder.path().join("victim"), &lock_file).unwrap();
        assert!(FolderLock::acquire_as_owner(folder.path(), Duration::ZERO).is_err());
        assert!(!folder.path().join("victim").exists());
        // What cannot be opened for another reason than a permission is not passed over for the folder.
        std::fs::remove_file(&lock_file).unwrap();
        std::fs::create_dir(&lock_file).unwrap();
        drop(by_other);
        assert!(FolderLock::acquire_as_owner(folder.path(), Duration::ZERO).is_err());
    }

    #[test]
    fn the_lock_file_belongs_to_the_owner_of_the_folder_and_one_of_a_third_user_is_not_locked() {
        use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
        let folder = tempfile::tempdir().unwrap();
        let lock_file = folder.path().join(LOCK_FILE);
        let acquire = || FolderLock::acquire_as_owner(folder.path(), Duration::ZERO);
        std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
        if chown(folder.path(), Some(65_534), None).is_err() {
            // Only root can give files away.
            return;
        }
        drop(acquire().unwrap());
        assert_eq!(std::fs::metadata(&lock_file).unwrap().uid(), 65_534);
        chown(&lock_file, Some(65_533), None).unwrap();
        // The third user holds his file, and nobody up.
        let by_third = File::open(&lock_file).unwrap();
        by_third.lock().unwrap();
        drop(acquire().unwrap());
        // A pipe is not a file that this program made.
        std::fs::remove_file(&lock_file).unwrap();
        rustix::fs::mkfifoat(rustix::fs::CWD, &lock_file, rustix::fs::Mode::RUSR).unwrap();
        let by_folder = File::open(folder.path()).unwrap();
        by_folder.lock().unwrap();
        assert!(acquire().is_err(), "the folder is locked in its place");
    }

    #[test]
    fn a_folder_that_is_not_there_cannot_be_locked() {
        let folder = tempfile::tempdir().unwrap();
        let error = FolderLock::acquire(&folder.path().join("missing"), LONG).unwrap_err();
        assert!(matches!(&error, LockError::File(error) if error.is_missing()), "{error}");
    }
}
