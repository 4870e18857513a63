//! The creation of files and folders.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

use rustix::fs::{Access, OFlags};

/// Creates a folder that only we can open (mode 0700, less what the umask takes).
///
/// # Errors
/// When the name is taken, or the system refuses.
pub fn create_folder(path: &Path) -> io::Result<()> {
    DirBuilder::new().mode(0o700).create(path)
}

/// Creates a file to write, with at most these permission bits. `O_EXCL` never follows a link in the last component of a
/// path (open(2)); `O_NOFOLLOW` says so once more.
///
/// # Errors
/// When the name is taken, by a dangling link too, or the system refuses.
pub fn create_file(path: &Path, mode: u32) -> io::Result<File> {
    let no_follow = OFlags::NOFOLLOW.bits().cast_signed();
    OpenOptions::new().write(true).create_new(true).mode(mode).custom_flags(no_follow).open(path)
}

/// Creates a file to write and read, with at most these permission bits.
///
/// # Errors
/// When the name is taken, or the system refuses.
pub fn create_file_to_read(path: &Path, mode: u32) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).create_new(true).mode(mode).open(path)
}

/// Checks that this process may create files in a folder.
///
/// # Errors
/// When it may not, or the folder does not exist.
pub fn check_writable(folder: &Path) -> io::Result<()> {
    Ok(rustix::fs::access(folder, Access::WRITE_OK | Access::EXEC_OK)?)
}

/// Has the system begin to write a complete file to the disk. A caller that then syncs several files waits for one turn of
/// the file system's journal that takes them all, and not for one each: a fifth less time for the files of a certificate.
/// Without this, Linux begins only when it is asked to sync, with that file alone.
pub fn start_writing(file: &File) {
    // posix_fadvise(2): what the cache need not keep is written first. Advice may fail: what counts is the sync.
    #[cfg(target_os = "linux")]
    let _ = rustix::fs::fadvise(file, 0, None, rustix::fs::Advice::DontNeed);
    #[cfg(not(target_os = "linux"))]
    let _ = file;
}
