//! Whether other users can read a file that should be secret.

use std::fs;
use std::path::{Path, PathBuf};

use crate::system::unix::attributes;

/// A file that other users can read or change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExposedFile {
    /// Its path without links: that of the file also for the path of an open descriptor.
    pub path: PathBuf,
    pub by: Exposure,
}

/// How other users come at the content of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exposure {
    /// The permission bits let the group or others read or change it.
    Mode(u32),
    /// Another user, who is not root, owns it: the user id.
    Owner(u32),
}

/// Returns how other users can read or change a file; `None` when they cannot, and for what is not a file: a pipe, a
/// terminal, a missing path. The folders above it are not checked.
pub fn exposure(path: &Path) -> Option<ExposedFile> {
    let found = fs::metadata(path).ok().filter(fs::Metadata::is_file)?;
    let mode = attributes::mode(&found) & 0o777;
    let by = if mode & 0o066 != 0 {
        Exposure::Mode(mode)
    } else if attributes::is_ours_or_roots(&found) {
        return None;
    } else {
        Exposure::Owner(attributes::owner(&found))
    };
    Some(ExposedFile { path: fs::canonicalize(path).unwrap_or_else(|_| path.to_owned()), by })
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
        assert_eq!(exposure(folder.path()), None);
        assert_eq!(exposure(&folder.path().join("missing")), None);
    }
}
