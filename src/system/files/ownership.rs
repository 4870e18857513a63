//! The owner and the group of files.
//!
//! Users and groups are looked up in the system's files and then with `getent`: see [`crate::system::getent`].

use std::fs::{self, File, Metadata};
use std::io;
use std::path::Path;

use super::{CHANGE_OWNER, FileError};
use crate::system::getent;
use crate::system::unix::attributes::{self, are_we_root};
use crate::text;

/// The owner and group that files are given to; `None` leaves them as they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Ownership {
    pub(super) user: Option<u32>,
    pub(super) group: Option<u32>,
}

/// The system has no user or group of this name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UnknownOwner {
    #[error("there is no user '{}' on this machine", text::escape(.0))]
    User(String),
    #[error("there is no group '{}' on this machine", text::escape(.0))]
    Group(String),
}

impl Ownership {
    /// Looks up names; a number is the id itself.
    ///
    /// # Errors
    /// When a name is unknown.
    pub fn of(user: Option<&str>, group: Option<&str>) -> Result<Self, UnknownOwner> {
        let id = |database, name: &str| name.parse().ok().or_else(|| look_up(database, name));
        let user_id = |name: &str| id("passwd", name).ok_or_else(|| UnknownOwner::User(name.to_owned()));
        let group_id = |name: &str| id("group", name).ok_or_else(|| UnknownOwner::Group(name.to_owned()));
        Ok(Self { user: user.map(user_id).transpose()?, group: group.map(group_id).transpose()? })
    }

    /// Returns this ownership, and where it is silent that of `base`.
    pub fn over(self, base: Self) -> Self {
        Self { user: self.user.or(base.user), group: self.group.or(base.group) }
    }

    /// Returns whether it names a group.
    pub fn names_group(self) -> bool {
        self.group.is_some()
    }

    /// Returns whether this process can give files to this owner and group, as far as that is known before it is tried.
    pub fn can_be_given(self) -> bool {
        self.user.is_none_or(attributes::is_ours) && self.group.is_none_or(attributes::is_our_group)
            || attributes::may_give_files_away()
    }

    /// Returns the ownership of a file, for a copy of it. It is empty unless this process is root's: only root can give
    /// files away.
    pub(super) fn of_file(found: &Metadata) -> Self {
        if !are_we_root() {
            return Self::default();
        }
        Self { user: Some(attributes::owner(found)), group: Some(attributes::group(found)) }
    }

    /// Returns whether a file that is owned like this needs no change. What is left as it is agrees with everything, and so does a
    /// file of which nothing is known.
    pub fn is_that_of(self, file: Self) -> bool {
        let agrees = |wanted: Option<u32>, found: Option<u32>| wanted.is_none() || found.is_none() || wanted == found;
        agrees(self.user, file.user) && agrees(self.group, file.group)
    }

    /// Gives an open file or folder to this owner and group.
    ///
    /// # Errors
    /// When the system refuses: only root may give files to other users.
    pub(super) fn give_opened(self, opened: &File) -> io::Result<()> {
        if self == Self::default() { Ok(()) } else { attributes::set_owner_of(opened, self.user, self.group) }
    }

    /// As [`give_opened`](Self::give_opened), with the path in the error.
    pub(super) fn give(self, opened: &File, path: &Path) -> Result<(), FileError> {
        self.give_opened(opened).map_err(FileError::of(CHANGE_OWNER, path))
    }
}

/// Returns the id of a user (`passwd`) or group (`group`), of this machine or of a directory service.
fn look_up(database: &str, name: &str) -> Option<u32> {
    let own = fs::read(format!("/etc/{database}")).unwrap_or_default();
    let line = |line: &&str| line.split(':').next() == Some(name);
    if let Some(id) = String::from_utf8_lossy(&own).lines().find(line).and_then(id_in) {
        return Some(id);
    }
    getent::ask(database, name).ok()?.lines().next().and_then(id_in)
}

/// Returns the users of this machine; those of a directory service are left out.
pub fn users() -> Vec<String> {
    names("/etc/passwd")
}

/// As [`users`], the groups.
pub fn groups() -> Vec<String> {
    names("/etc/group")
}

fn names(database: &str) -> Vec<String> {
    let own = fs::read(database).unwrap_or_default();
    String::from_utf8_lossy(&own).lines().filter_map(|line| line.split(':').next()).map(str::to_owned).collect()
}

/// Returns the third field of a line of passwd(5) or group(5).
fn id_in(line: &str) -> Option<u32> {
    line.split(':').nth(2)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn owners_are_names_or_numbers_and_unknown_names_are_errors() {
        assert_eq!(Ownership::of(Some("root"), Some("0")), Ok(Ownership { user: Some(0), group: Some(0) }));
        assert_eq!(Ownership::of(None, None), Ok(Ownership::default()));
        assert_eq!(
            Ownership::of(Some("nobody-of-this-name"), None),
            Err(UnknownOwner::User("nobody-of-this-name".to_owned()))
        );
        for name in ["no-such-group", "", "-i", "root:x", "root\n"] {
            assert_eq!(Ownership::of(None, Some(name)), Err(UnknownOwner::Group(name.to_owned())));
        }
    }

    #[test]
    fn an_owner_that_is_left_as_it_is_agrees_with_every_file() {
        let of = |user, group| Ownership { user, group };
        assert!(Ownership::default().is_that_of(of(Some(1), Some(1))));
        assert!(of(None, Some(2)).is_that_of(of(Some(1), Some(2))));
        assert!(
            !of(Some(2), Some(2)).is_that_of(of(Some(1), Some(2))) && !of(None, Some(1)).is_that_of(of(None, Some(2)))
        );
        assert!(of(Some(1), None).is_that_of(Ownership::default()), "nothing is known of the file");
    }

    #[test]
    fn a_file_is_given_to_its_group() {
        use std::os::unix::fs::MetadataExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key.pem");
        let file = File::create(&path).unwrap();
        // A process may give a file to its own group.
        let own = std::fs::metadata(&path).unwrap().gid();
        Ownership::of(None, Some(&own.to_string())).unwrap().give(&file, &path).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().gid(), own);
    }
}
