//! Files and folders by their name in an open folder. No call here follows a symbolic link, and none resolves a path twice.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use rustix::fs::{
    Access, AtFlags, CWD, Dir, FileType, Mode, OFlags, Stat, accessat, fstat, linkat, mkdirat, openat, readlinkat,
    renameat, statat, unlinkat,
};
use rustix::io::Errno;

/// What an open folder is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OpenFor {
    /// To open what is in it: the search permission is enough.
    Search,
    /// To list and to sync it too.
    Everything,
}

/// What a name in a folder stands for, itself: a link is not followed.
pub struct Found(Stat);

/// The kinds of files that are distinguished.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    File,
    Folder,
    /// A symbolic link, wherever it leads.
    Link,
    /// A pipe, a socket or a device.
    Other,
}

impl Found {
    /// Returns what is open.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn of(opened: &File) -> io::Result<Self> {
        Ok(Self(fstat(opened)?))
    }

    pub fn kind(&self) -> Kind {
        match FileType::from_raw_mode(self.0.st_mode) {
            FileType::RegularFile => Kind::File,
            FileType::Directory => Kind::Folder,
            FileType::Symlink => Kind::Link,
            _ => Kind::Other,
        }
    }

    /// Returns the user id of the owner.
    pub fn owner(&self) -> u32 {
        self.0.st_uid
    }

    /// Returns whether both are the same file or folder, under whatever names.
    pub fn is_same_as(&self, other: &Self) -> bool {
        (self.0.st_dev, self.0.st_ino) == (other.0.st_dev, other.0.st_ino)
    }
}

/// Opens the folder at a path without any symbolic link in it, in one step. `None` when the path has a link, or the system
/// cannot promise that it has none.
///
/// # Errors
/// When it is missing or not a folder, or the system refuses.
pub fn open_without_links(path: &Path, open_for: OpenFor) -> io::Result<Option<File>> {
    #[cfg(target_os = "linux")]
    {
        use rustix::fs::{ResolveFlags, openat2};
        // O_NOFOLLOW with O_PATH would open a link as such.
        let flags = flags(open_for) - OFlags::NOFOLLOW;
        match openat2(CWD, path, flags, Mode::empty(), ResolveFlags::NO_SYMLINKS) {
            Ok(opened) => Ok(Some(File::from(opened))),
            // Kernels before 5.6, and filters of system calls that do not know this one.
            Err(Errno::LOOP | Errno::NOSYS | Errno::PERM | Errno::INVAL) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
    #[cfg(not(target_os = "linux"))]
    {
        let _ = (path, open_for);
        Ok(None)
    }
}

/// Opens the folder in which an absolute path begins, or the working folder for a relative one.
///
/// # Errors
/// When the system refuses.
pub fn open_start(path: &Path) -> io::Result<File> {
    let start = if path.is_absolute() { "/" } else { "." };
    Ok(File::from(openat(CWD, start, flags(OpenFor::Search), Mode::empty())?))
}

/// Opens a folder in another one.
///
/// # Errors
/// When it is missing or not a folder (a link to one is not), or the system refuses.
pub fn open_folder(folder: &File, name: &OsStr, open_for: OpenFor) -> io::Result<File> {
    Ok(File::from(openat(folder, name, flags(open_for), Mode::empty())?))
}

fn flags(open_for: OpenFor) -> OFlags {
    let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    match open_for {
        #[cfg(any(target_os = "linux", target_os = "android"))]
        OpenFor::Search => flags | OFlags::PATH,
        _ => flags | OFlags::RDONLY,
    }
}

/// Opens what has this name, to read. Opening a pipe does not wait for its writer.
///
/// # Errors
/// When nothing has this name, it is a link, or the system refuses.
pub fn open_to_read(folder: &File, name: &OsStr) -> io::Result<File> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    Ok(File::from(openat(folder, name, flags, Mode::empty())?))
}

/// Creates a file to read and write, with this mode, less what the umask takes.
///
/// # Errors
/// When the name is taken, by a dangling link too, or the system refuses.
pub fn create_file(folder: &File, name: &OsStr, mode: u32) -> io::Result<File> {
    let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    Ok(File::from(openat(folder, name, flags, Mode::from_raw_mode(mode))?))
}

/// Creates a folder that only we can open (mode 0700, less what the umask takes).
///
/// # Errors
/// When the name is taken, or the system refuses.
pub fn create_folder(folder: &File, name: &OsStr) -> io::Result<()> {
    Ok(mkdirat(folder, name, Mode::RWXU)?)
}

/// Returns what a name stands for.
///
/// # Errors
/// When nothing has this name, or the system refuses.
pub fn look_at(folder: &File, name: &OsStr) -> io::Result<Found> {
    Ok(Found(statat(folder, name, AtFlags::SYMLINK_NOFOLLOW)?))
}

/// Returns where a link leads; `None` when the name is not a link.
///
/// # Errors
/// When nothing has this name, or the system refuses.
pub fn read_link(folder: &File, name: &OsStr) -> io::Result<Option<PathBuf>> {
    match readlinkat(folder, name, Vec::new()) {
        Ok(target) => Ok(Some(OsString::from_vec(target.into_bytes()).into())),
        Err(Errno::INVAL) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Returns the names of everything in a folder, in no order.
///
/// # Errors
/// When the system refuses.
pub fn names(folder: &File) -> io::Result<Vec<OsString>> {
    names_of(Dir::read_from(folder)?)
}

/// Returns the names of everything in the folder of this path, in no order. A link is followed.
///
/// # Errors
/// When the folder does not exist, or the system refuses.
pub fn names_at(path: &Path) -> io::Result<Vec<OsString>> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    names_of(Dir::new(openat(CWD, path, flags, Mode::empty())?)?)
}

/// The buffer is a few hundred bytes at first; that of `std::fs::read_dir` has 32 kB for each folder.
fn names_of(entries: Dir) -> io::Result<Vec<OsString>> {
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry?;
        let name = OsStr::from_bytes(entry.file_name().to_bytes());
        if name != "." && name != ".." {
            names.push(name.to_owned());
        }
    }
    Ok(names)
}

/// Renames, and replaces a file or an empty folder of the new name.
///
/// # Errors
/// When the system refuses.
pub fn rename(from: (&File, &OsStr), to: (&File, &OsStr)) -> io::Result<()> {
    Ok(renameat(from.0, from.1, to.0, to.1)?)
}

/// Renames without replacing anything. `false` when the system or the file system cannot do that; then nothing has changed.
///
/// # Errors
/// When the new name is taken, or the system refuses.
pub fn rename_new(from: (&File, &OsStr), to: (&File, &OsStr)) -> io::Result<bool> {
    #[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple"))]
    return if_supported(rustix::fs::renameat_with(from.0, from.1, to.0, to.1, rustix::fs::RenameFlags::NOREPLACE));
    #[cfg(not(any(target_os = "linux", target_os = "android", target_vendor = "apple")))]
    {
        let _ = (from, to);
        Ok(false)
    }
}

/// Exchanges two names in one step. `false` when the system or the file system cannot do that; then nothing has changed.
///
/// # Errors
/// When one of them does not exist, or the system refuses.
pub fn exchange(from: (&File, &OsStr), to: (&File, &OsStr)) -> io::Result<bool> {
    #[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple"))]
    return if_supported(rustix::fs::renameat_with(from.0, from.1, to.0, to.1, rustix::fs::RenameFlags::EXCHANGE));
    #[cfg(not(any(target_os = "linux", target_os = "android", target_vendor = "apple")))]
    {
        let _ = (from, to);
        Ok(false)
    }
}

#[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple"))]
fn if_supported(renamed: Result<(), Errno>) -> io::Result<bool> {
    match renamed {
        Ok(()) => Ok(true),
        Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => Ok(false),
        Err(error) if error == Errno::OPNOTSUPP => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Gives a file a second name.
///
/// # Errors
/// When the name is taken, or the system refuses.
pub fn link(from: (&File, &OsStr), to: (&File, &OsStr)) -> io::Result<()> {
    Ok(linkat(from.0, from.1, to.0, to.1, AtFlags::empty())?)
}

/// Removes a name of a file, a link or a device.
///
/// # Errors
/// When nothing has this name, it is a folder, or the system refuses.
pub fn remove_file(folder: &File, name: &OsStr) -> io::Result<()> {
    Ok(unlinkat(folder, name, AtFlags::empty())?)
}

/// Removes an empty folder.
///
/// # Errors
/// When there is no folder of this name, it is not empty, or the system refuses.
pub fn remove_folder(folder: &File, name: &OsStr) -> io::Result<()> {
    Ok(unlinkat(folder, name, AtFlags::REMOVEDIR)?)
}

/// Makes everything on the file system of a folder durable (syncfs(2)). Where there is no such call, each file was synced
/// by [`sync_if_alone`], and the folders are left to the caller.
///
/// # Errors
/// When the system refuses, or something could not be written.
pub fn sync_file_system(folder: &File) -> io::Result<()> {
    #[cfg(any(target_os = "linux", target_os = "android"))]
    return Ok(rustix::fs::syncfs(folder)?);
    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    folder.sync_all()
}

/// Syncs a file where a whole file system cannot be synced.
///
/// # Errors
/// When the system refuses.
pub fn sync_if_alone(file: &File) -> io::Result<()> {
    if cfg!(any(target_os = "linux", target_os = "android")) { Ok(()) } else { file.sync_all() }
}

/// Checks that this process may create files in a folder.
///
/// # Errors
/// When it may not.
pub fn check_writable(folder: &File) -> io::Result<()> {
    Ok(accessat(folder, ".", Access::WRITE_OK | Access::EXEC_OK, AtFlags::empty())?)
}
