//! Files that get a second place without leaving the first one. While both exist, what was put into the second place is
//! recognized by its content, and not by what a file says.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::Path;

use super::existing::ExistingFile;
use super::folder::Folder;
use super::place::Place;
use super::publish::written;
use super::unfinished_name::is_unfinished_name;
use super::{FileError, MAX_FILE_BYTES, Ownership, read};
use crate::system::Entropy;
use crate::system::unix::attributes;
use crate::system::unix::folder::{self, Kind};

/// Puts a file, or a folder with everything in it, at a second path, where nothing may be yet. A file gets a second name; on
/// a file system without hard links, it is copied. Durable when the folder of `to` is synced.
///
/// # Errors
/// When the name is taken, or the system refuses; then a part of it may be there.
pub fn put_also(from: &Path, to: &Path, entropy: &dyn Entropy) -> Result<(), FileError> {
    put_place_also(&Place::of(from, "read")?, &Place::of(to, "create")?, entropy)
}

fn put_place_also(from: &Place, to: &Place, entropy: &dyn Entropy) -> Result<(), FileError> {
    let unreadable = |cause| FileError { action: "read", path: from.path(), cause };
    let (folder, name) = from.at();
    if folder::look_at(folder, name).map_err(unreadable)?.kind() != Kind::Folder {
        return match folder::link(from.at(), to.at()) {
            Err(cause) if has_no_links(&cause) => copy(from, to, entropy),
            linked => linked.map_err(FileError::of("create", &to.path())),
        };
    }
    let source = from.folder.folder(name).map_err(unreadable)?;
    let mode = attributes::mode(&source.file().metadata().map_err(unreadable)?) & 0o777;
    let created = to.folder.create_folder(&to.name, mode)?;
    let mut names = source.names()?;
    names.sort();
    for name in &names {
        let place = |folder: &Folder| Place { folder: folder.clone(), name: name.clone() };
        put_place_also(&place(&source), &place(&created), entropy)?;
    }
    if names.is_empty() { Ok(()) } else { created.sync() }
}

/// Copies a file. As with a link, the name appears with the whole content, which is durable by then.
fn copy(from: &Place, to: &Place, entropy: &dyn Entropy) -> Result<(), FileError> {
    to.folder.check_place(&to.name, ExistingFile::Keep)?;
    let missing = || FileError::of("read", &from.path())(io::ErrorKind::NotFound.into());
    let stored = from.folder.read(&from.name, MAX_FILE_BYTES)?.ok_or_else(missing)?;
    // A file system without links may have no rename that replaces nothing.
    written(to.clone(), &stored.content, (stored.mode, Ownership::default()), ExistingFile::Replace, entropy)?.rename()
}

/// Returns whether this error says that the file system has no hard links.
fn has_no_links(cause: &io::Error) -> bool {
    matches!(cause.kind(), io::ErrorKind::Unsupported | io::ErrorKind::PermissionDenied | io::ErrorKind::TooManyLinks)
}

/// Returns true when everything at `path` is also at `original`: folders with the same names, files with the same bytes. More
/// may be at `original`. A link, or what cannot be read, is never a copy.
pub fn is_copy(path: &Path, original: &Path) -> bool {
    let compare = || -> io::Result<bool> {
        let (found, wanted) = (fs::symlink_metadata(path)?, fs::symlink_metadata(original)?);
        if found.is_dir() && wanted.is_dir() {
            return Ok(sorted_names(path)?.iter().all(|name| is_copy(&path.join(name), &original.join(name))));
        }
        let are_files = found.is_file() && wanted.is_file() && found.len() == wanted.len();
        Ok(are_files && (attributes::is_same_file(&found, &wanted) || has_same_bytes(path, original)))
    };
    compare().unwrap_or(false)
}

fn has_same_bytes(one: &Path, other: &Path) -> bool {
    let content = |path| read(path, MAX_FILE_BYTES);
    matches!((content(one), content(other)), (Ok(one), Ok(other)) if one == other)
}

fn sorted_names(folder: &Path) -> io::Result<Vec<OsString>> {
    let mut names = fs::read_dir(folder)?.map(|entry| Ok(entry?.file_name())).collect::<io::Result<Vec<_>>>()?;
    names.retain(|name| !is_unfinished_name(name));
    names.sort();
    Ok(names)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::super::write::tests::mode_of;
    use super::super::write::{create_folder, write_new};
    use super::*;
    use crate::system::entropy::SystemEntropy;

    fn original() -> tempfile::TempDir {
        let top = tempfile::tempdir().unwrap();
        create_folder(&top.path().join("a"), 0o700).unwrap();
        create_folder(&top.path().join("a/empty"), 0o750).unwrap();
        write_new(&top.path().join("a/cert.pem"), b"public", 0o644).unwrap();
        write_new(&top.path().join("a/key.pem"), b"secret", 0o600).unwrap();
        top
    }

    #[test]
    fn a_second_place_has_the_same_files_with_the_same_modes_and_the_first_one_keeps_them() {
        let top = original();
        let (from, to) = (top.path().join("a"), top.path().join("b"));
        put_also(&from, &to, &SystemEntropy).unwrap();
        for name in ["", "empty", "cert.pem", "key.pem"] {
            assert_eq!(mode_of(&to.join(name)), mode_of(&from.join(name)), "{name}");
        }
        assert!(is_copy(&to, &from) && is_copy(&from, &to));
        assert!(put_also(&from, &to, &SystemEntropy).unwrap_err().is_already_there());
        assert!(put_also(&from.join("cert.pem"), &to.join("key.pem"), &SystemEntropy).unwrap_err().is_already_there());
        fs::remove_dir_all(&from).unwrap();
        assert_eq!(fs::read(to.join("key.pem")).unwrap(), b"secret");
    }

    #[test]
    fn without_links_a_file_is_copied_whole_and_replaces_nothing() {
        let top = original();
        let place = |name: &str| Place::of(&top.path().join(name), "create").unwrap();
        copy(&place("a/key.pem"), &place("copied"), &SystemEntropy).unwrap();
        assert_eq!(fs::read(top.path().join("copied")).unwrap(), b"secret");
        assert_eq!(mode_of(&top.path().join("copied")), 0o600);
        assert!(copy(&place("a/cert.pem"), &place("copied"), &SystemEntropy).unwrap_err().is_already_there());
        assert_eq!(sorted_names(top.path()).unwrap(), ["a", "copied"]);
    }

    #[test]
    fn a_part_is_a_copy_and_anything_of_its_own_is_not() {
        let top = original();
        let (from, to) = (top.path().join("a"), top.path().join("b"));
        let with = |change: &dyn Fn()| {
            put_also(&from, &to, &SystemEntropy).unwrap();
            change();
            let found = is_copy(&to, &from);
            fs::remove_dir_all(&to).unwrap();
            found
        };
        assert!(with(&|| fs::remove_file(to.join("key.pem")).unwrap()));
        assert!(with(&|| fs::remove_dir(to.join("empty")).unwrap()));
        // Another file with the same bytes, as after a copy of the whole folder.
        assert!(with(&|| {
            fs::remove_file(to.join("key.pem")).unwrap();
            fs::write(to.join("key.pem"), "secret").unwrap();
        }));
        // As a run leaves it that was killed while it copied a file.
        assert!(with(&|| fs::write(to.join(".staged-0123456789abcdef"), "sec").unwrap()));
        assert!(!with(&|| fs::write(to.join("mine"), "").unwrap()));
        assert!(!with(&|| fs::write(to.join("empty/mine"), "").unwrap()));
        assert!(!with(&|| {
            fs::remove_file(to.join("key.pem")).unwrap();
            fs::write(to.join("key.pem"), "changed").unwrap();
        }));
        assert!(!with(&|| {
            fs::remove_file(to.join("key.pem")).unwrap();
            fs::write(to.join("key.pem"), "SECRET").unwrap();
        }));
        assert!(!with(&|| {
            fs::remove_file(to.join("key.pem")).unwrap();
            symlink(from.join("key.pem"), to.join("key.pem")).unwrap();
        }));
        assert!(!is_copy(&to, &from), "nothing is no copy");
        assert!(!is_copy(&from.join("cert.pem"), &from.join("empty")));
    }
}
