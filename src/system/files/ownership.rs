//! Whom files are given to. The door to uzers.

use std::os::unix::fs::{MetadataExt, lchown};
use std::path::Path;

use super::FileError;
use crate::x509::text;

/// The owner and group of files that are written for somebody else; what is `None` stays as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Ownership {
    user: Option<u32>,
    group: Option<u32>,
}

/// The system knows nobody of this name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UnknownOwner {
    #[error("there is no user '{}' on this machine", text::escape(.0))]
    User(String),
    #[error("there is no group '{}' on this machine", text::escape(.0))]
    Group(String),
}

impl Ownership {
    /// Looks names up; a number is taken for the id itself.
    ///
    /// # Errors
    /// When a name is unknown.
    pub fn of(user: Option<&str>, group: Option<&str>) -> Result<Self, UnknownOwner> {
        let user_id = |name: &str| {
            let found = || uzers::get_user_by_name(name).map(|user| user.uid());
            name.parse().ok().or_else(found).ok_or_else(|| UnknownOwner::User(name.to_owned()))
        };
        let group_id = |name: &str| {
            let found = || uzers::get_group_by_name(name).map(|group| group.gid());
            name.parse().ok().or_else(found).ok_or_else(|| UnknownOwner::Group(name.to_owned()))
        };
        Ok(Self { user: user.map(user_id).transpose()?, group: group.map(group_id).transpose()? })
    }

    /// That of a file, for a copy of it. Only root can give files away, so that nobody else's copies are given to anybody.
    ///
    /// # Errors
    /// When the file is not there.
    pub fn like(path: &Path) -> Result<Self, FileError> {
        let found = path.symlink_metadata().map_err(FileError::of("read", path))?;
        let is_root = uzers::get_effective_uid() == 0;
        Ok(if is_root { Self { user: Some(found.uid()), group: Some(found.gid()) } } else { Self::default() })
    }

    /// Gives a file or folder away; a link itself, never what it leads to.
    ///
    /// # Errors
    /// When the system refuses: only root may give files to other users.
    pub fn give(self, path: &Path) -> Result<(), FileError> {
        if self == Self::default() {
            return Ok(());
        }
        lchown(path, self.user, self.group).map_err(FileError::of("change the owner of", path))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_numbers_are_understood_and_unknown_names_told() {
        assert_eq!(Ownership::of(Some("root"), Some("0")), Ok(Ownership { user: Some(0), group: Some(0) }));
        assert_eq!(Ownership::of(None, None), Ok(Ownership::default()));
        assert_eq!(
            Ownership::of(Some("nobody-of-this-name"), None),
            Err(UnknownOwner::User("nobody-of-this-name".to_owned()))
        );
        assert!(matches!(Ownership::of(None, Some("no-such-group")), Err(UnknownOwner::Group(_))));
    }

    #[test]
    fn a_file_is_given_to_its_group() {
        use std::os::unix::fs::MetadataExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key.pem");
        std::fs::write(&path, "").unwrap();
        // Everybody may give to a group that is his own.
        let own = std::fs::metadata(&path).unwrap().gid();
        Ownership::of(None, Some(&own.to_string())).unwrap().give(&path).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().gid(), own);
    }
}
