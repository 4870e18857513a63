//! Files and folders that were not there before: made with an exact mode, and made durable when asked.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

use rustix::fs::{Access, OFlags};

use super::{ExistingFile, FileError, SECRET, check_place, refuse_planted_links};

/// Makes a folder, durably. Its parent must be there.
///
/// # Errors
/// When something of that name is there already (a dangling link too), or the system refuses.
pub fn create_folder(path: &Path, mode: u32) -> Result<(), FileError> {
    make_folder(path, mode)?;
    sync_folder(parent_of(path))
}

/// Makes a folder that will be made durable with its surroundings.
pub(super) fn make_folder(path: &Path, mode: u32) -> Result<(), FileError> {
    // Closed to others from the first moment; then exactly what was asked, which the umask has no say in.
    DirBuilder::new().mode(0o700).create(path).map_err(FileError::of("create", path))?;
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).map_err(|cause| {
        drop(fs::remove_dir(path));
        FileError { action: "set the permissions of", path: path.to_owned(), cause }
    })
}

/// Writes a file that is not there yet, with exactly this mode. **Not durable** until it and its folder are synced
/// ([`sync_all`], [`sync_folder`]): writing several files before syncing the first is measurably faster.
///
/// # Errors
/// When something of that name is there already (nothing is followed or overwritten), or the system refuses; then
/// nothing is left under the name.
pub fn write_new(path: &Path, content: &[u8], mode: u32) -> Result<(), FileError> {
    let mut file = create_file(path)?;
    fill(&mut file, content, mode).map_err(|cause| {
        drop(fs::remove_file(path));
        FileError { action: "write", path: path.to_owned(), cause }
    })?;
    start_writing(&file);
    Ok(())
}

/// Tells the system that a file is complete, so that it begins to write it. Whoever then syncs several files waits for one
/// turn of the file system's journal that takes them all, and not for one each: a fifth less time for the files of a
/// certificate. Without this, Linux begins only when it is asked to sync, with that file alone.
fn start_writing(file: &File) {
    // posix_fadvise(2): what the cache need not keep is written first. Advice may fail: what counts is the sync.
    #[cfg(target_os = "linux")]
    let _ = rustix::fs::fadvise(file, 0, None, rustix::fs::Advice::DontNeed);
    #[cfg(not(target_os = "linux"))]
    let _ = file;
}

/// Writes a file that holds a secret: mode 0600, otherwise as [`write_new`]. Private keys reach a disk through here.
///
/// # Errors
/// As [`write_new`].
pub fn write_secret(path: &Path, content: &[u8]) -> Result<(), FileError> {
    write_new(path, content, SECRET)
}

/// Writes several files that hold secrets, each as [`write_secret`] does, or none of them.
///
/// # Errors
/// As [`write_new`]; then none of them is there.
pub fn write_secrets(files: &[(&Path, &[u8])]) -> Result<(), FileError> {
    for (number, (path, content)) in files.iter().enumerate() {
        if let Err(error) = write_secret(path, content) {
            files[..number].iter().for_each(|(path, _)| drop(fs::remove_file(path)));
            return Err(error);
        }
    }
    Ok(())
}

/// Whether a new file could be written there. The creation decides; this says it before something is done in vain.
///
/// # Errors
/// When something of that name is there already, the folder is not there or takes no new files, or the path leads
/// through a link that others could have planted.
pub fn check_new(path: &Path) -> Result<(), FileError> {
    refuse_planted_links(path)?;
    check_place(path, ExistingFile::Keep)?;
    let folder = parent_of(path);
    let may = Access::WRITE_OK | Access::EXEC_OK;
    rustix::fs::access(folder, may).map_err(|error| FileError::of("write into", folder)(error.into()))
}

/// Makes the content of these files durable. The names are durable only when their folders are synced too.
///
/// # Errors
/// When one of them cannot be synced; then none may be relied on.
pub fn sync_all(paths: &[&Path]) -> Result<(), FileError> {
    paths
        .iter()
        .try_for_each(|path| File::open(path).and_then(|file| file.sync_all()).map_err(FileError::of("sync", path)))
}

/// Makes the names in a folder durable: what was created, renamed or removed in it.
///
/// # Errors
/// When the system refuses; then the names may not be relied on.
pub fn sync_folder(path: &Path) -> Result<(), FileError> {
    File::open(path).and_then(|folder| folder.sync_all()).map_err(FileError::of("sync", path))
}

/// Creates a file that only we can open. `O_EXCL` never follows a link in its last component (open(2)); `O_NOFOLLOW`
/// says so once more.
pub(super) fn create_file(path: &Path) -> Result<File, FileError> {
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(SECRET)
        .custom_flags(OFlags::NOFOLLOW.bits() as i32)
        .open(path)
        .map_err(FileError::of("create", path))
}

/// Writes the content, and only then opens the file to others.
pub(super) fn fill(file: &mut File, content: &[u8], mode: u32) -> io::Result<()> {
    file.write_all(content)?;
    // Even for 0600: an odd umask can have taken bits away at creation.
    file.set_permissions(fs::Permissions::from_mode(mode))
}

/// The folder in which a path lies; `.` for a bare name.
pub(super) fn parent_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if parent.as_os_str().is_empty() => Path::new("."),
        Some(parent) => parent,
        // The root folder: it lies in itself.
        None => path,
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::os::unix::fs::symlink;
    use std::sync::{Mutex, MutexGuard, PoisonError};

    use rustix::fs::Mode;
    use rustix::process::umask;

    use super::*;

    /// Sets the umask of the process until it is dropped. One test at a time; the other tests of this program do not
    /// mind, since all modes here are exact.
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

    /// A folder with an empty folder `victim`, and with `shared`, into which anybody may write, and in which somebody has laid a
    /// `link` to it.
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
    fn a_place_that_takes_no_new_file_is_known_beforehand() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        fs::write(path("file"), "old").unwrap();
        symlink(path("nowhere"), path("dangling")).unwrap();
        for (name, told) in [
            ("file", "a file of that name is there already"),
            ("dangling", "it is a symbolic link"),
            ("", "it is a folder"),
            ("missing/file", "No such file or directory"),
            ("file/below", "not a directory"),
        ] {
            let error = check_new(&path(name)).unwrap_err().to_string();
            assert!(error.to_lowercase().contains(&told.to_lowercase()), "{name}: {error}");
        }
        check_new(&path("new")).unwrap();
        assert!(!path("new").exists());
    }

    #[test]
    fn a_full_disk_is_told_from_other_refusals_and_names_the_path() {
        // /dev/full answers every write with "no space left"; creation is not possible on it, so write to it directly.
        let Ok(mut full) = OpenOptions::new().write(true).open("/dev/full") else { return };
        let cause = fill(&mut full, b"x", 0o600).unwrap_err();
        let error = FileError { action: "write", path: "/ca/key.pem".into(), cause };
        assert!(error.is_disk_full());
        assert!(error.to_string().starts_with("cannot write /ca/key.pem: No space left on device"), "{error}");
    }

    #[test]
    fn the_folder_of_a_bare_name_is_the_working_folder() {
        assert_eq!(parent_of(Path::new("ca")), Path::new("."));
        assert_eq!(parent_of(Path::new("a/b")), Path::new("a"));
        assert_eq!(parent_of(Path::new("/")), Path::new("/"));
    }
}
