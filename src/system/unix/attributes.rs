//! Owner, mode and identity of a file or folder.

use std::fs::{self, File, Metadata, Permissions};
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt, fchown};
use std::path::Path;

/// Returns the user id of the owner.
pub fn owner(found: &Metadata) -> u32 {
    found.uid()
}

/// Returns the group id.
pub fn group(found: &Metadata) -> u32 {
    found.gid()
}

/// Returns the number of the file system.
pub fn device(found: &Metadata) -> u64 {
    found.dev()
}

/// Returns the permission bits, with the sticky bit ([`ONLY_OWNERS_REMOVE`]) and those for set-user-id and set-group-id.
pub fn mode(found: &Metadata) -> u32 {
    found.permissions().mode() & 0o7777
}

/// The sticky bit of a folder: only the owner of a file (or of the folder) can remove it there, as in /tmp.
pub const ONLY_OWNERS_REMOVE: u32 = 0o1000;

/// Sets exactly these permission bits of an open file, whatever the umask.
///
/// # Errors
/// When the system refuses.
pub fn set_mode_of(file: &File, mode: u32) -> io::Result<()> {
    file.set_permissions(Permissions::from_mode(mode))
}

/// Takes permission bits away from a file or folder of this user or root: afterwards it has at most those of `mode`. A link is
/// not followed.
///
/// # Errors
/// When the path is a link, the file belongs to another user, or the system refuses.
pub fn restrict_mode(path: &Path, mode: u32) -> io::Result<()> {
    use rustix::fs::{Mode, OFlags};
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = File::from(rustix::fs::open(path, flags, Mode::empty())?);
    let found = file.metadata()?;
    if !is_ours_or_roots(&found) {
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, "it belongs to another user"));
    }
    file.set_permissions(Permissions::from_mode(found.permissions().mode() & mode & 0o777))
}

/// Changes the owner and the group of an open file or folder; `None` leaves them as they are.
///
/// # Errors
/// When the system refuses: only root may give files to other users.
pub fn set_owner_of(file: &File, user: Option<u32>, group: Option<u32>) -> io::Result<()> {
    fchown(file, user, group)
}

/// Returns whether a file of this owner belongs to the user of this process.
pub fn is_ours(owner: u32) -> bool {
    owner == rustix::process::geteuid().as_raw()
}

/// Returns whether this is a group of this process.
pub fn is_our_group(group: u32) -> bool {
    let is_it = |own: rustix::process::Gid| own.as_raw() == group;
    is_it(rustix::process::getegid()) || rustix::process::getgroups().is_ok_and(|own| own.into_iter().any(is_it))
}

/// Returns whether this process can give files to other users: it is root's, or has the capability for it (CAP_CHOWN, the first
/// of capabilities(7)).
pub fn may_give_files_away() -> bool {
    let status = || fs::read_to_string("/proc/self/status").unwrap_or_default();
    let capabilities = |status: String| {
        let line = status.lines().find_map(|line| line.strip_prefix("CapEff:"))?;
        u64::from_str_radix(line.trim(), 16).ok()
    };
    are_we_root() || capabilities(status()).is_some_and(|capabilities| capabilities & 1 != 0)
}

/// Returns the user id of this process.
pub fn our_user() -> u32 {
    rustix::process::geteuid().as_raw()
}

/// Returns whether the owner is the user of this process, or root.
pub fn is_ours_or_roots(found: &Metadata) -> bool {
    owner(found) == 0 || owner(found) == our_user()
}

/// Returns whether this process is root's.
pub fn are_we_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// Returns whether both describe the same file, under whatever names.
pub fn is_same_file(one: &Metadata, other: &Metadata) -> bool {
    (one.dev(), one.ino()) == (other.dev(), other.ino())
}

/// Returns the process that holds a lock (flock(2)) on a file or folder, from Linux's /proc/locks:
/// `1: FLOCK  ADVISORY  WRITE 4711 08:01:1234 0 EOF`. `None` when there is none, or the system does not say.
pub fn lock_holder(path: &Path) -> Option<u32> {
    let inode = format!(":{}", fs::metadata(path).ok()?.ino());
    let locks = fs::read_to_string("/proc/locks").ok()?;
    locks.lines().find_map(|line| {
        let words: Vec<&str> = line.split_ascii_whitespace().collect();
        match words.as_slice() {
            [_, "FLOCK", _, "WRITE", process, place, ..] if place.ends_with(&inode) => {
                process.parse().ok().filter(|process| *process != 0)
            }
            _ => None,
        }
    })
}
