//! Renames that the standard library does not have.

use std::io;
use std::path::Path;

#[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple"))]
use rustix::fs::{CWD, RenameFlags, renameat_with};

/// Renames without replacing anything. `false` when the system or the file system cannot do that; then nothing has changed.
///
/// # Errors
/// When the new name is taken, or the system refuses.
pub fn rename_new(from: &Path, to: &Path) -> io::Result<bool> {
    #[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple"))]
    return if_supported(renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE));
    #[cfg(not(any(target_os = "linux", target_os = "android", target_vendor = "apple")))]
    Ok(false)
}

/// Exchanges two names in one step. `false` when the system or the file system cannot do that; then nothing has changed.
///
/// # Errors
/// When one of them does not exist, or the system refuses.
pub fn exchange(from: &Path, to: &Path) -> io::Result<bool> {
    #[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple"))]
    return if_supported(renameat_with(CWD, from, CWD, to, RenameFlags::EXCHANGE));
    #[cfg(not(any(target_os = "linux", target_os = "android", target_vendor = "apple")))]
    Ok(false)
}

#[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple"))]
fn if_supported(renamed: Result<(), rustix::io::Errno>) -> io::Result<bool> {
    use rustix::io::Errno;
    match renamed {
        Ok(()) => Ok(true),
        Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => Ok(false),
        Err(error) if error == Errno::OPNOTSUPP => Ok(false),
        Err(error) => Err(error.into()),
    }
}
