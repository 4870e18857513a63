//! From a path to an open folder: the only place where a path with folders in it is resolved for writing.
//!
//! A symbolic link is followed only where no other user could have planted it. The check and the step are made on the same
//! open folder, so a link that appears later leads nowhere.

use std::ffi::{OsStr, OsString};
use std::fs::{File, Metadata};
use std::io;
use std::path::{Component, Path, PathBuf};

use super::interference::Interference;
use crate::system::unix::attributes::{self, ONLY_OWNERS_REMOVE, is_ours_or_roots};
use crate::system::unix::folder::{self, Kind, OpenFor};

/// As many links as Linux follows in one path (path_resolution(7)).
pub(super) const MAX_LINKS: usize = 40;

/// Opens the folder at a path.
///
/// A link in it is refused when another user could have planted it: when it is in a folder where others may write, unless
/// only owners can remove files there (as in /tmp) and the link is ours or root's.
///
/// # Errors
/// When there is such a link (the error names it), the path is missing or not a folder, or the system refuses.
pub(super) fn open_folder(path: &Path, open_for: OpenFor) -> io::Result<File> {
    match folder::open_without_links(path, open_for)? {
        Some(opened) => Ok(opened),
        None => walk(path, open_for),
    }
}

fn walk(path: &Path, open_for: OpenFor) -> io::Result<File> {
    let mut at = folder::open_start(path)?;
    let mut so_far = start_of(path);
    let mut to_visit = names_of(path);
    let mut links = 0;
    while let Some(name) = to_visit.pop() {
        let cause = match folder::open_folder(&at, &name, OpenFor::Search) {
            Ok(opened) => {
                at = opened;
                so_far.push(name);
                continue;
            }
            Err(cause) => cause,
        };
        links += 1;
        let target = target_of((&at, &name), &so_far.join(&name))?;
        let Some(target) = target.filter(|_| links <= MAX_LINKS) else { return Err(cause) };
        if target.is_absolute() {
            at = folder::open_start(&target)?;
            so_far = start_of(&target);
        }
        to_visit.extend(names_of(&target));
    }
    folder::open_folder(&at, ".".as_ref(), open_for)
}

fn start_of(path: &Path) -> PathBuf {
    PathBuf::from(if path.is_absolute() { "/" } else { "" })
}

/// The steps of a path, the last one first.
fn names_of(path: &Path) -> Vec<OsString> {
    let is_step = |component: &Component<'_>| matches!(component, Component::Normal(_) | Component::ParentDir);
    path.components().rev().filter(is_step).map(|component| component.as_os_str().to_owned()).collect()
}

/// Returns where a name leads; `None` when it is not a link, or is missing.
///
/// # Errors
/// When other users could have made this link.
pub(super) fn target_of((at, name): (&File, &OsStr), path: &Path) -> io::Result<Option<PathBuf>> {
    let link = match folder::look_at(at, name) {
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(None),
        found => found?,
    };
    if link.kind() != Kind::Link {
        return Ok(None);
    }
    let folder = at.metadata()?;
    let is_planted = link.owner() != 0 && !attributes::is_ours(link.owner());
    if others_can_exchange(&folder) || others_can_write(&folder) && is_planted {
        return Err(Interference::Link(path.to_owned()).into());
    }
    folder::read_link(at, name)
}

/// Returns whether only the owner of a file can remove it from a folder, as in /tmp.
fn only_owners_remove(folder: &Metadata) -> bool {
    attributes::mode(folder) & ONLY_OWNERS_REMOVE != 0 && is_ours_or_roots(folder)
}

/// Returns whether users other than us and root may create files in a folder.
pub(super) fn others_can_write(folder: &Metadata) -> bool {
    attributes::mode(folder) & 0o022 != 0 || !is_ours_or_roots(folder)
}

/// Returns whether users other than us and root may put another file in the place of one of ours in a folder.
pub(super) fn others_can_exchange(folder: &Metadata) -> bool {
    others_can_write(folder) && !only_owners_remove(folder)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;
    use crate::text::PathText;

    fn open(path: &Path) -> io::Result<File> {
        open_folder(path, OpenFor::Everything)
    }

    fn with_mode(path: &Path, mode: u32) {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn a_link_in_a_path_is_followed_only_where_no_other_user_can_plant_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        fs::create_dir_all(path("real/below")).unwrap();
        fs::create_dir(path("shared")).unwrap();
        symlink("../real", path("shared/link")).unwrap();
        for (mode, trusted) in [(0o700, true), (0o755, true), (0o777, false), (0o770, false), (0o1777, true)] {
            with_mode(&path("shared"), mode);
            for way in ["shared/link", "shared/link/below", "shared/link/../shared/link/below"] {
                let opened = open(&path(way));
                assert_eq!(opened.is_ok(), trusted, "{mode:04o} {way}");
                if let Err(error) = opened {
                    let link = format!("{} is a symbolic link", path("shared/link").escaped());
                    assert!(error.to_string().starts_with(&link), "{error}");
                }
            }
        }
    }

    #[test]
    fn a_link_of_another_user_and_one_in_a_folder_of_his_are_not_followed() {
        use std::os::unix::fs::{chown, lchown};
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        fs::create_dir(path("real")).unwrap();
        fs::create_dir(path("shared")).unwrap();
        symlink("../real", path("shared/link")).unwrap();
        if lchown(path("shared/link"), Some(65_534), None).is_err() {
            // Only root can give files away.
            return;
        }
        for (mode, trusted) in [(0o755, true), (0o1777, false)] {
            with_mode(&path("shared"), mode);
            assert_eq!(open(&path("shared/link")).is_ok(), trusted, "a link of theirs, {mode:04o}");
        }
        lchown(path("shared/link"), Some(0), None).unwrap();
        chown(path("shared"), Some(65_534), None).unwrap();
        for mode in [0o755, 0o1777] {
            with_mode(&path("shared"), mode);
            assert!(open(&path("shared/link")).is_err(), "the owner of the folder can exchange it, {mode:04o}");
        }
    }

    #[test]
    fn the_folder_at_the_end_of_absolute_and_relative_links_is_opened_once() {
        use std::os::unix::fs::MetadataExt;
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        fs::create_dir_all(path("real/below")).unwrap();
        symlink(path("real"), path("absolute")).unwrap();
        symlink("absolute/below", path("relative")).unwrap();
        symlink("endless", path("endless")).unwrap();
        fs::write(path("file"), "").unwrap();
        let expected = fs::metadata(path("real/below")).unwrap().ino();
        for way in ["real/below", "absolute/below", "relative", "relative/../below", "./relative/."] {
            // The walk is also how kernels without openat2 come there.
            for open in [open, |path: &Path| walk(path, OpenFor::Everything)] {
                assert_eq!(open(&path(way)).unwrap().metadata().unwrap().ino(), expected, "{way}");
            }
        }
        for (way, kind) in [("file", io::ErrorKind::NotADirectory), ("missing/below", io::ErrorKind::NotFound)] {
            assert_eq!(open(&path(way)).unwrap_err().kind(), kind, "{way}");
        }
        assert!(open(&path("endless")).is_err());
    }
}
