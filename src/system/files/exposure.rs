//! Whether other users can read, change or exchange a file that should be secret.

use std::fs;
use std::path::{Path, PathBuf};

use super::parent::parent_of;
use super::resolve::others_can_exchange;
use crate::system::unix::attributes;

/// A file that other users can read, change or exchange.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExposedFile {
    /// Its path without links: that of the file also for the path of an open descriptor.
    pub path: PathBuf,
    pub by: Exposure,
}

/// How other users come at the content of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Exposure {
    /// The permission bits let the group or others read or change it.
    Mode(u32),
    /// Another user, who is not root, owns it: the user id.
    Owner(u32),
    /// They can write in this folder, which it is in, and put another file in its place.
    Folder(PathBuf),
}

/// Returns how other users can read, change or exchange a file; `None` when they cannot, and for what is not a file: a pipe, a
/// terminal, a missing path. Of the folders above it, only the one that it is in is checked.
pub fn exposure(path: &Path) -> Option<ExposedFile> {
    let found = fs::metadata(path).ok().filter(fs::Metadata::is_file)?;
    let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let mode = attributes::mode(&found) & 0o777;
    let by = if mode & 0o066 != 0 {
        Exposure::Mode(mode)
    } else if !attributes::is_ours_or_roots(&found) {
        Exposure::Owner(attributes::owner(&found))
    } else {
        let folder = parent_of(&path);
        fs::metadata(folder).ok().filter(others_can_exchange)?;
        Exposure::Folder(folder.to_owned())
    };
    Some(ExposedFile { path, by })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_file_is_exposed_by_any_bit_that_lets_others_read_or_change_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("passphrase");
        fs::write(&path, "").unwrap();
        for (mode, exposed) in
            [(0o600, false), (0o400, false), (0o611, false), (0o640, true), (0o604, true), (0o620, true), (0o602, true)]
        {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            let found = exposure(&path).map(|found| found.by);
            assert_eq!(found, exposed.then_some(Exposure::Mode(mode)), "{mode:03o}");
        }
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        if std::os::unix::fs::chown(&path, Some(65_534), None).is_ok() {
            assert_eq!(exposure(&path).map(|found| found.by), Some(Exposure::Owner(65_534)));
        }
        assert_eq!(exposure(folder.path()), None);
        assert_eq!(exposure(&folder.path().join("missing")), None);
    }
    #[test]
    fn a_file_is_exposed_by_a_folder_in_which_others_can_put_another_file_in_its_place() {
        let top = tempfile::tempdir().unwrap();
        let (folder, link) = (top.path().join("folder"), top.path().join("link"));
        fs::create_dir(&folder).unwrap();
        let path = folder.join("passphrase");
        fs::write(&path, "").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        std::os::unix::fs::symlink(&path, &link).unwrap();
        // In /tmp, others can only add files.
        for (mode, exposed) in [(0o700, false), (0o755, false), (0o1777, false), (0o770, true), (0o777, true)] {
            fs::set_permissions(&folder, fs::Permissions::from_mode(mode)).unwrap();
            let expected = exposed.then(|| Exposure::Folder(folder.canonicalize().unwrap()));
            for path in [&path, &link] {
                assert_eq!(exposure(path).map(|found| found.by), expected, "{mode:04o}");
            }
        }
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o755)).unwrap();
        if std::os::unix::fs::chown(&folder, Some(65_534), None).is_ok() {
            assert!(matches!(exposure(&path), Some(ExposedFile { by: Exposure::Folder(_), .. })));
        }
    }
}
