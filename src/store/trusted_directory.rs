//! Whether a CA directory may be used: the owner and the mode of everything in it that decides what a command does.
//!
//! A user who can exchange a root gets chains accepted, and a user who can write the index gets commands run (hooks). So
//! every road to a [`Home`](super::Home) asks here first, before a setting, template, key, hook or trust anchor is
//! read. Nothing is examined through a symbolic link: a link in the place of one of these files is refused.
//!
//! The folders above the CA directory are not examined, as git does not examine them: on build machines the work folder
//! is often open to all users. A user who can rename the CA directory can put in its place only what he owns himself,
//! and that is refused, unless the directory was named.

use std::io;
use std::path::{Path, PathBuf};

use crate::system::files::{self, FileError, FoundPath, PathKind};
use crate::text::{Diagnosis, Diagnostic, PathText, io_reason};

/// The users whose files are trusted: the user of this process, root, and the owner of a directory that was named.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TrustedOwners {
    named: Option<u32>,
}

impl TrustedOwners {
    /// Adds the owner of a CA directory that the user named with `--dir` or `CA_DIR`.
    ///
    /// # Errors
    /// When the directory cannot be examined.
    pub fn with_owner_of(folder: &Path) -> Result<Self, FileError> {
        Ok(Self { named: Some(files::owner(folder)?) })
    }

    /// Returns true when the owner of a file is one of them.
    pub fn include(self, found: FoundPath) -> bool {
        found.is_ours_or_roots() || self.named == Some(found.owner)
    }
}

/// What is asked of the files of a CA: who owns them, and usually whether other users can change them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Trust {
    pub owners: TrustedOwners,
    pub modes: Modes,
}

/// What a mode is that lets other users change a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Modes {
    /// A reason not to use the CA directory.
    #[default]
    Refused,
    /// A finding of the audit, which goes on.
    Reported,
}

impl Trust {
    /// Adds the owner of a CA directory that the user named: see [`TrustedOwners::with_owner_of`].
    ///
    /// # Errors
    /// When the directory cannot be examined.
    pub fn with_owner_of(self, folder: &Path) -> Result<Self, FileError> {
        Ok(Self { owners: TrustedOwners::with_owner_of(folder)?, ..self })
    }
}

/// The reason why a file or folder of a CA is not trusted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DistrustReason {
    #[error("{} belongs to another user: user {owner}, mode {mode:04o}", path.escaped())]
    Owner { path: PathBuf, owner: u32, mode: u32 },
    #[error("{} can be changed by other users: its mode is {mode:04o}", path.escaped())]
    Mode { path: PathBuf, mode: u32 },
    #[error("{} is a symbolic link, and those are not followed here", .0.escaped())]
    Link(PathBuf),
    #[error("{} cannot be examined: {cause}", path.escaped())]
    Unknown { path: PathBuf, cause: String },
}

impl Diagnostic for DistrustReason {
    fn diagnosis(&self) -> Diagnosis {
        match self {
            Self::Owner { path, .. } => Diagnosis::refused("foreign-ca").hint(format!(
                "if it is yours, run as root: chown {} {}",
                files::our_user(),
                path.in_shell()
            )),
            Self::Mode { path, .. } => Diagnosis::refused("loose-ca").hint(format!("chmod go-w {}", path.in_shell())),
            Self::Link(path) => Diagnosis::refused("foreign-ca").hint(format!(
                "put the file or folder itself in the place of the link; 'ls -l {}' shows where it leads",
                path.in_shell()
            )),
            Self::Unknown { .. } => Diagnosis::refused("permission-denied"),
        }
    }
}

/// The files of an authority that are believed. The key is examined where it is opened, more strictly.
const OF_AUTHORITY: [&str; 9] = [
    "cert.pem",
    "chain.pem",
    "crl.pem",
    "crl.der",
    "request.pem",
    "new-with-old.pem",
    "old-with-new.pem",
    "bundle.pem",
    "replaces",
];

/// The endings of the files that SQLite reads together with the main file.
const OF_INDEX: [&str; 3] = ["-wal", "-shm", "-journal"];

/// Examines a CA directory, and everything in it that is believed and has its usual place. What does not exist is left out.
///
/// # Errors
/// The first file or folder that other users own or can change.
pub fn check(folder: &Path, trust: Trust) -> Result<(), DistrustReason> {
    check_path(folder, trust)?;
    for file in ["ca.toml", "restored.toml"] {
        check_path(&folder.join(file), trust)?;
    }
    check_index(&folder.join("index.db"), trust)?;
    for texts in ["templates", "recipes"] {
        check_templates(&folder.join(texts), trust)?;
    }
    for authorities in ["authorities", "retired"] {
        check_authorities(&folder.join(authorities), trust)?;
    }
    let issued = folder.join("issued");
    check_path(&issued, trust)?;
    check_path(&issued.join(".generations"), trust).map(drop)
}

/// Examines a folder in which a CA directory or an index is to be made; it may be missing.
///
/// # Errors
/// When it belongs to another user than this one or root, or others can change it.
pub fn check_new(folder: &Path) -> Result<(), DistrustReason> {
    check_file(folder, Trust::default())
}

/// Examines an index that `ca.toml` puts elsewhere, and the folder that it is in.
///
/// # Errors
/// As [`check`].
pub fn check_index_elsewhere(index: &Path, trust: Trust) -> Result<(), DistrustReason> {
    if let Some(folder) = index.parent() {
        check_path(folder, trust)?;
    }
    check_index(index, trust)
}

/// Examines a folder of templates or recipes, and the TOML files in it.
///
/// # Errors
/// As [`check`].
pub fn check_templates(folder: &Path, trust: Trust) -> Result<(), DistrustReason> {
    let is_template = |name: &&String| name.ends_with(".toml");
    names_in(folder, trust)?.iter().filter(is_template).try_for_each(|name| check_file(&folder.join(name), trust))
}

/// Returns true when a private key belongs to a trusted user, and no other user may read or write it. A key may be on
/// another medium, so a link to it is followed.
///
/// # Errors
/// When it does not exist, or the system refuses.
pub fn is_secret(key: &Path, owners: TrustedOwners) -> Result<bool, FileError> {
    let (owner, mode) = (files::owner(key)?, files::mode(key)?);
    Ok(owners.include(FoundPath { owner, mode, kind: PathKind::File }) && mode & 0o077 == 0)
}

fn check_authorities(folder: &Path, trust: Trust) -> Result<(), DistrustReason> {
    for name in names_in(folder, trust)?.iter().filter(|name| !name.starts_with('.')) {
        let authority = folder.join(name);
        if check_path(&authority, trust)? == Some(PathKind::Folder) {
            OF_AUTHORITY.iter().try_for_each(|file| check_file(&authority.join(file), trust))?;
        }
    }
    Ok(())
}

/// Examines an index and the files that SQLite reads with it.
fn check_index(index: &Path, trust: Trust) -> Result<(), DistrustReason> {
    check_file(index, trust)?;
    OF_INDEX.iter().try_for_each(|ending| {
        let mut file = index.as_os_str().to_owned();
        file.push(ending);
        check_file(Path::new(&file), trust)
    })
}

/// Examines a folder, and returns the names in it; none when there is no such folder, or this user may not list it: then
/// the command that needs it has the better message.
fn names_in(folder: &Path, trust: Trust) -> Result<Vec<String>, DistrustReason> {
    Ok(match check_path(folder, trust)? {
        Some(PathKind::Folder) => files::names_in(folder).unwrap_or_default(),
        _ => Vec::new(),
    })
}

fn check_file(path: &Path, trust: Trust) -> Result<(), DistrustReason> {
    check_path(path, trust).map(drop)
}

/// Examines one file or folder, and returns its kind; `None` when it does not exist.
fn check_path(path: &Path, trust: Trust) -> Result<Option<PathKind>, DistrustReason> {
    let found = match files::examine(path) {
        Ok(None) => return Ok(None),
        // In a folder that this user may not search, nothing is read.
        Err(error) if error.cause.kind() == io::ErrorKind::PermissionDenied => return Ok(None),
        Err(error) => {
            return Err(DistrustReason::Unknown { path: path.to_owned(), cause: io_reason(&error.cause).to_string() });
        }
        Ok(Some(found)) => found,
    };
    let (path, FoundPath { owner, mode, kind }) = (path.to_owned(), found);
    match kind {
        _ if !trust.owners.include(found) => Err(DistrustReason::Owner { path, owner, mode }),
        PathKind::Link => Err(DistrustReason::Link(path)),
        _ if mode & 0o022 != 0 && trust.modes == Modes::Refused => Err(DistrustReason::Mode { path, mode }),
        kind => Ok(Some(kind)),
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::{PermissionsExt, chown, symlink};

    use super::*;

    const OTHER: u32 = 65_534;
    const FOLDERS: [&str; 10] = [
        "",
        "authorities",
        "authorities/issuing",
        "authorities/root",
        "issued",
        "issued/.generations",
        "retired",
        "retired/old",
        "templates",
        "recipes",
    ];
    const FILES: [&str; 16] = [
        "ca.toml",
        "restored.toml",
        "index.db",
        "index.db-wal",
        "index.db-shm",
        "index.db-journal",
        "authorities/root/cert.pem",
        "authorities/root/chain.pem",
        "authorities/issuing/crl.pem",
        "authorities/issuing/crl.der",
        "authorities/issuing/request.pem",
        "authorities/root/new-with-old.pem",
        "authorities/root/bundle.pem",
        "retired/old/cert.pem",
        "templates/server.toml",
        "recipes/nginx.toml",
    ];

    /// A CA directory of which only owners and modes count.
    fn directory() -> tempfile::TempDir {
        let top = tempfile::tempdir().unwrap();
        for folder in FOLDERS {
            fs::create_dir_all(top.path().join(folder)).unwrap();
            fs::set_permissions(top.path().join(folder), Permissions::from_mode(0o755)).unwrap();
        }
        for file in FILES {
            fs::write(top.path().join(file), "").unwrap();
            fs::set_permissions(top.path().join(file), Permissions::from_mode(0o644)).unwrap();
        }
        top
    }

    fn check_all(folder: &Path) -> Result<(), DistrustReason> {
        check(folder, Trust::default())
    }

    fn paths(top: &Path) -> Vec<PathBuf> {
        FOLDERS.iter().chain(&FILES).map(|name| if name.is_empty() { top.to_owned() } else { top.join(name) }).collect()
    }

    #[test]
    fn readable_for_others_is_trusted() {
        let top = directory();
        assert_eq!(check_all(top.path()), Ok(()));
        fs::remove_dir_all(top.path().join("authorities")).unwrap();
        assert_eq!(check_all(top.path()), Ok(()), "what does not exist is not believed");
    }

    #[test]
    fn a_mode_that_lets_others_write_is_refused_and_the_hint_is_what_to_type() {
        for others in [0o020, 0o002, 0o1002] {
            let top = directory();
            for path in paths(top.path()) {
                let mode = files::examine(&path).unwrap().unwrap().mode | others;
                fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
                let reason = check_all(top.path()).unwrap_err();
                assert_eq!(reason, DistrustReason::Mode { path: path.clone(), mode }, "{}", path.escaped());
                assert_eq!(reason.diagnosis().hints, [format!("chmod go-w {}", path.escaped())]);
                fs::set_permissions(&path, Permissions::from_mode(mode & !0o1022)).unwrap();
            }
            assert_eq!(check_all(top.path()), Ok(()));
        }
    }

    #[test]
    fn a_link_is_refused_wherever_it_leads() {
        for path in paths(Path::new("")).iter().filter(|path| !path.as_os_str().is_empty()) {
            let top = directory();
            let path = top.path().join(path);
            fs::rename(&path, top.path().join("moved-away")).unwrap();
            symlink(top.path().join("moved-away"), &path).unwrap();
            assert_eq!(check_all(top.path()), Err(DistrustReason::Link(path)));
        }
        let (top, links) = (directory(), tempfile::tempdir().unwrap());
        let link = links.path().join("ca");
        symlink(top.path(), &link).unwrap();
        assert_eq!(check_all(&link), Err(DistrustReason::Link(link)));
    }

    #[test]
    fn another_owner_is_refused_unless_the_directory_that_was_named_is_his() {
        if files::our_user() != 0 {
            // Only root can give files away.
            return;
        }
        let top = directory();
        for path in paths(top.path()) {
            chown(&path, Some(OTHER), None).unwrap();
            let reason = check_all(top.path()).unwrap_err();
            assert!(
                matches!(&reason, DistrustReason::Owner { path: found, owner: OTHER, .. } if *found == path),
                "{reason}"
            );
            assert!(reason.diagnosis().hints[0].ends_with(&format!("chown 0 {}", path.escaped())), "{reason}");
            let named = Trust::default().with_owner_of(top.path()).unwrap();
            assert_eq!(check(top.path(), named).is_ok(), path == top.path(), "{}", path.escaped());
            chown(&path, Some(0), None).unwrap();
        }
        for path in paths(top.path()) {
            chown(&path, Some(OTHER), None).unwrap();
        }
        assert_eq!(check(top.path(), Trust::default().with_owner_of(top.path()).unwrap()), Ok(()));
    }

    #[test]
    fn a_link_of_another_user_to_a_file_of_ours_is_refused_by_its_own_owner() {
        let top = directory();
        if files::our_user() != 0 {
            return;
        }
        let config = top.path().join("ca.toml");
        fs::rename(&config, top.path().join("harmless.toml")).unwrap();
        symlink(top.path().join("harmless.toml"), &config).unwrap();
        std::os::unix::fs::lchown(&config, Some(OTHER), None).unwrap();
        assert!(matches!(check_all(top.path()), Err(DistrustReason::Owner { owner: OTHER, .. })));
    }

    #[test]
    fn a_key_is_secret_when_only_a_trusted_user_can_read_it() {
        let top = directory();
        let (key, link) = (top.path().join("key.pem"), top.path().join("link"));
        fs::write(&key, "").unwrap();
        symlink(&key, &link).unwrap();
        let owners = TrustedOwners::default();
        for (mode, secret) in [(0o600, true), (0o400, true), (0o640, false), (0o604, false), (0o620, false)] {
            fs::set_permissions(&key, Permissions::from_mode(mode)).unwrap();
            assert_eq!(is_secret(&key, owners).unwrap(), secret, "{mode:03o}");
            assert_eq!(is_secret(&link, owners).unwrap(), secret, "{mode:03o}");
        }
        fs::set_permissions(&key, Permissions::from_mode(0o600)).unwrap();
        if chown(&key, Some(OTHER), None).is_ok() {
            assert!(!is_secret(&key, owners).unwrap());
            chown(top.path(), Some(OTHER), None).unwrap();
            assert!(is_secret(&key, TrustedOwners::with_owner_of(top.path()).unwrap()).unwrap());
        }
    }

    #[test]
    fn an_index_elsewhere_is_examined_with_its_folder_and_its_log() {
        let top = directory();
        let index = top.path().join("index.db");
        let check = || check_index_elsewhere(&index, Trust::default());
        assert_eq!(check(), Ok(()));
        for path in [top.path().to_owned(), top.path().join("index.db-wal"), index.clone()] {
            let mode = files::examine(&path).unwrap().unwrap().mode;
            fs::set_permissions(&path, Permissions::from_mode(mode | 0o002)).unwrap();
            assert_eq!(check(), Err(DistrustReason::Mode { path: path.clone(), mode: mode | 0o002 }));
            fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
        }
    }
}
