//! Writing to the disk.

use std::fs::File;
use std::io;
use std::path::Path;

use rustix::fs::{Access, FileType, Mode, OFlags, Uid, fchmod, fchown, fstat, openat};
use rustix::process::geteuid;

/// Checks that this process may write a file, or into a folder.
///
/// # Errors
/// When it may not, or it does not exist.
pub fn check_changeable(file: &Path) -> io::Result<()> {
    Ok(rustix::fs::access(file, Access::WRITE_OK)?)
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

/// Opens a file that only its owner can open, to lock it, and creates it when it is missing. It belongs to the owner of the
/// folder, so that root and that user can lock the same file. A link is not followed.
///
/// # Errors
/// When the system refuses, or the file belongs to another user than this one, root or the owner of the folder.
pub fn open_lock_file(folder: &File, name: &str) -> io::Result<File> {
    let flags = OFlags::RDWR | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let file = File::from(openat(folder, name, flags, Mode::from_raw_mode(0o600))?);
    let (mut found, above) = (fstat(&file)?, fstat(folder)?);
    if geteuid().is_root() && found.st_uid == 0 && above.st_uid != 0 {
        fchown(&file, Some(Uid::from_raw(above.st_uid)), None)?;
        found = fstat(&file)?;
    }
    let is_trusted = [0, above.st_uid, geteuid().as_raw()].contains(&found.st_uid);
    if !is_trusted || FileType::from_raw_mode(found.st_mode) != FileType::RegularFile {
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, "it belongs to another user, or is not a file"));
    }
    if found.st_mode & 0o077 != 0 {
        fchmod(&file, Mode::from_raw_mode(0o600))?;
    }
    Ok(file)
}
