//! The creation of files and folders, with an exact mode, and durable where the caller asks for it.

use std::path::Path;

use super::folder::Folder;
use super::place::Place;
use super::{FileError, Ownership, SECRET};
use crate::system::unix;

/// Creates a folder, durably. Its parent must exist.
///
/// # Errors
/// When the name is taken (by a dangling link too), or the system refuses.
pub fn create_folder(path: &Path, mode: u32) -> Result<(), FileError> {
    let place = Place::of(path, "create")?;
    place.folder.create_folder(&place.name, mode)?;
    place.folder.sync()
}

/// Writes a new file with exactly this mode. **Not durable** until it and its folder are synced: writing several files before
/// syncing the first is measurably faster.
///
/// # Errors
/// When the name is taken (nothing is followed or overwritten), or the system refuses; then no file of that name is left.
pub fn write_new(path: &Path, content: &[u8], mode: u32) -> Result<(), FileError> {
    let place = Place::of(path, "create")?;
    unix::write::start_writing(&place.folder.write_new(&place.name, content, (mode, Ownership::default()))?);
    Ok(())
}

/// Writes a file with a secret: mode 0600, otherwise as [`write_new`].
///
/// # Errors
/// As [`write_new`].
pub fn write_secret(path: &Path, content: &[u8]) -> Result<(), FileError> {
    write_new(path, content, SECRET)
}

/// Writes several files with secrets, each as [`write_secret`], or none of them.
///
/// # Errors
/// As [`write_new`]; then none of them exists.
pub fn write_secrets(files: &[(&Path, &[u8])]) -> Result<(), FileError> {
    let mut written: Vec<Place> = Vec::new();
    for (path, content) in files {
        let place = Place::of(path, "create").and_then(|place| {
            unix::write::start_writing(&place.folder.write_new(
                &place.name,
                content,
                (SECRET, Ownership::default()),
            )?);
            Ok(place)
        });
        match place {
            Ok(place) => written.push(place),
            Err(error) => {
                written.iter().for_each(|place| place.folder.remove_file_quietly(&place.name));
                return Err(error);
            }
        }
    }
    Ok(())
}

/// Makes the names in a folder durable: what was created, renamed or removed in it.
///
/// # Errors
/// When the system refuses; then the names are not known to be durable.
pub fn sync_folder(path: &Path) -> Result<(), FileError> {
    Folder::open(path).map_err(|error| FileError { action: "sync", ..error })?.sync()
}

#[cfg(test)]
pub(super) mod tests {
    use std::fs::{self, OpenOptions};
    use std::os::unix::fs::{PermissionsExt, symlink};
    use std::sync::{Mutex, MutexGuard, PoisonError};

    use rustix::fs::Mode;
    use rustix::process::umask;

    use super::super::folder::fill;
    use super::*;

    /// Sets the umask of the process until it is dropped. One test at a time; it does not affect the other tests, since all
    /// modes here are exact.
    pub struct Umask(Mode, #[allow(dead_code, reason = "held, not read")] MutexGuard<'static, ()>);

    impl Umask {
        pub fn set(mask: u32) -> Self {
            static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
            let guard = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
            Self(umask(Mode::from_raw_mode(mask)), guard)
        }
    }

    impl Drop for Umask {
        fn drop(&mut self) {
            umask(self.0);
        }
    }

    /// Returns a folder with an empty folder `victim`, and with `shared`, into which all users may write, and in which an
    /// attacker has planted a `link` to it.
    pub fn planted() -> tempfile::TempDir {
        let top = tempfile::tempdir().unwrap();
        let path = |name: &str| top.path().join(name);
        fs::create_dir(path("victim")).unwrap();
        fs::create_dir(path("shared")).unwrap();
        fs::set_permissions(path("shared"), fs::Permissions::from_mode(0o777)).unwrap();
        symlink(path("victim"), path("shared/link")).unwrap();
        top
    }

    pub fn mode_of(path: &Path) -> u32 {
        fs::symlink_metadata(path).unwrap().permissions().mode() & 0o7777
    }

    #[test]
    fn modes_are_exact_under_every_umask() {
        for mask in [0o000, 0o022, 0o077, 0o277] {
            let folder = tempfile::tempdir().unwrap();
            let path = |name: &str| folder.path().join(name);
            let umask = Umask::set(mask);
            create_folder(&path("folder"), 0o700).unwrap();
            write_new(&path("open"), b"certificate", 0o644).unwrap();
            write_new(&path("group"), b"key", 0o640).unwrap();
            write_secret(&path("secret"), b"key").unwrap();
            drop(umask);
            let found = ["folder", "open", "group", "secret"].map(|name| mode_of(&path(name)));
            assert_eq!(found, [0o700, 0o644, 0o640, 0o600], "umask {mask:03o}");
        }
    }

    #[test]
    fn whatever_bears_the_name_already_is_left_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        fs::write(path("file"), "old").unwrap();
        fs::create_dir(path("directory")).unwrap();
        symlink(path("file"), path("link")).unwrap();
        symlink(path("nowhere"), path("dangling")).unwrap();
        rustix::fs::mkfifoat(rustix::fs::CWD, path("fifo"), Mode::from_raw_mode(0o600)).unwrap();
        for name in ["file", "directory", "link", "dangling", "fifo"] {
            let error = write_new(&path(name), b"new", 0o644).unwrap_err();
            assert!(error.is_already_there(), "{error}");
            assert!(create_folder(&path(name), 0o700).unwrap_err().is_already_there(), "{name}");
        }
        assert_eq!(fs::read(path("file")).unwrap(), b"old");
        assert!(!path("nowhere").exists());
    }

    #[test]
    fn of_several_secrets_all_are_written_or_none() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let (first, second) = (path("first"), path("second"));
        let both: [(&Path, &[u8]); 2] = [(&first, b"one"), (&second, b"two")];
        fs::write(&second, "old").unwrap();
        assert!(write_secrets(&both).unwrap_err().is_already_there());
        assert!(!first.exists());
        assert_eq!(fs::read(&second).unwrap(), b"old", "what was there before is not taken away");
        fs::remove_file(&second).unwrap();
        write_secrets(&both).unwrap();
        assert_eq!([mode_of(&first), mode_of(&second)], [0o600; 2]);
    }

    #[test]
    fn a_full_disk_is_distinguished_from_other_errors_and_the_error_names_the_path() {
        // /dev/full answers every write with "no space left"; creation is not possible on it, so write to it directly.
        let Ok(full) = OpenOptions::new().write(true).open("/dev/full") else { return };
        let cause = fill(&full, b"x", Ownership::default(), 0o600).unwrap_err();
        let error = FileError { action: "write", path: "/ca/key.pem".into(), cause };
        assert!(error.is_disk_full());
        assert!(error.to_string().starts_with("cannot write /ca/key.pem: the disk is full"), "{error}");
    }
}
