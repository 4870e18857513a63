//! Whether a user or a group can enter the folders above a file.

use std::fs;
use std::path::{Path, PathBuf};

use super::Ownership;
use crate::system::unix::attributes;

/// A folder that a user, or the members of a group, cannot enter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClosedFolder {
    pub path: PathBuf,
    /// The permission bits.
    pub mode: u32,
}

const OWNER_ENTERS: u32 = 0o100;
const GROUP_ENTERS: u32 = 0o010;
const ALL_ENTER: u32 = 0o001;

impl Ownership {
    /// Returns the first folder on the way from `/` to `folder`, itself included, that the user of this ownership cannot enter;
    /// `None` when there is none, or no user. Any group of a folder may be one of the user, so that its right counts.
    pub fn closed_to_user(self, folder: &Path) -> Option<ClosedFolder> {
        let user = self.user.filter(|user| *user != 0)?;
        let enters = |owner: u32, _, mode: u32| {
            mode & (ALL_ENTER | GROUP_ENTERS) != 0 || owner == user && mode & OWNER_ENTERS != 0
        };
        first_closed(folder, enters)
    }

    /// As [`closed_to_user`](Self::closed_to_user), for the members of the group.
    pub fn closed_to_group(self, folder: &Path) -> Option<ClosedFolder> {
        let group = self.group?;
        let enters = |_, of_folder: u32, mode: u32| {
            if of_folder == group { mode & GROUP_ENTERS != 0 } else { mode & ALL_ENTER != 0 }
        };
        first_closed(folder, enters)
    }
}

/// A folder that cannot be looked at is left out: this is for a warning.
fn first_closed(folder: &Path, enters: impl Fn(u32, u32, u32) -> bool) -> Option<ClosedFolder> {
    let whole = fs::canonicalize(folder).ok()?;
    let mut above: Vec<&Path> = whole.ancestors().collect();
    above.reverse();
    above.into_iter().find_map(|folder| {
        let found = fs::metadata(folder).ok()?;
        let mode = attributes::mode(&found) & 0o777;
        let is_open = enters(attributes::owner(&found), attributes::group(&found), mode);
        (!is_open).then(|| ClosedFolder { path: folder.to_owned(), mode })
    })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{MetadataExt, PermissionsExt};

    use super::*;

    #[test]
    fn the_first_folder_is_named_that_a_group_or_a_user_cannot_enter() {
        let top = tempfile::tempdir().unwrap();
        let top = fs::canonicalize(top.path()).unwrap();
        let (outer, inner) = (top.join("outer"), top.join("outer/inner"));
        fs::create_dir_all(&inner).unwrap();
        let found = fs::metadata(&inner).unwrap();
        let own_group = Ownership { user: None, group: Some(found.gid()) };
        let other_group = Ownership { user: None, group: Some(found.gid() + 1) };
        let other_user = Ownership { user: Some(found.uid() + 1), group: None };
        let set = |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
        let path = |closed: Option<ClosedFolder>| closed.map(|closed| closed.path);
        set(&top, 0o755);
        for (mode, for_own, for_other, for_user) in [
            (0o755, false, false, false),
            (0o711, false, false, false),
            (0o750, false, true, false),
            (0o701, true, false, false),
            (0o700, true, true, true),
        ] {
            set(&outer, 0o755);
            set(&inner, mode);
            let closed = |is_closed: bool| is_closed.then(|| inner.clone());
            assert_eq!(path(own_group.closed_to_group(&inner)), closed(for_own), "{mode:o}");
            assert_eq!(path(other_group.closed_to_group(&inner)), closed(for_other), "{mode:o}");
            assert_eq!(path(other_user.closed_to_user(&inner)), closed(for_user), "{mode:o}");
        }
        set(&outer, 0o700);
        let closed = ClosedFolder { path: outer.clone(), mode: 0o700 };
        assert_eq!(own_group.closed_to_group(&inner), Some(closed));
        assert_eq!(Ownership { user: Some(found.uid()), group: None }.closed_to_user(&inner), None);
        assert_eq!(Ownership::default().closed_to_group(&inner), None);
    }
}
