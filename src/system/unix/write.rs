//! Writing to the disk.

use std::fs::File;
use std::io;
use std::path::Path;

use rustix::fs::Access;

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
