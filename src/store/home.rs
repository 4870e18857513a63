//! The CA directory: how it is found, and the paths in it.
//!
//! ```text
//! ca/                                   0700, and the lock of every process that changes it
//! ├── ca.toml                           its settings; a folder is a CA directory when this is in it
//! ├── authorities/<authority>/          cert.pem chain.pem crl.pem crl.der 0644, key.pem 0600
//! │                                     request.pem of an authority that waits for its certificate
//! │                                     new-with-old.pem old-with-new.pem bundle.pem of a root that replaces another
//! │                                     replaces: the name of the intermediate that this one replaces
//! ├── retired/<authority>/              authorities that are no longer trusted
//! ├── templates/*.toml                  the site's own templates
//! ├── recipes/*.toml                    the site's own recipes
//! ├── index.db                          0600
//! └── issued/<name>/                    0700: cert.pem chain.pem fullchain.pem key.pem
//!     .generations/<name>/<serial>/     files that a newer certificate of the same name replaced
//! ```

use std::io;
use std::path::{Path, PathBuf};

use crate::store::certificate_files::KEY;
use crate::store::entry_name::EntryName;
use crate::store::trusted_directory::{self, DistrustReason, Modes, Trust, TrustedOwners};
use crate::system::files::{self, PathKind};
use crate::text::PathText;

/// The paths of one CA.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Home {
    folder: PathBuf,
    trust: Trust,
}

/// The reason why no CA directory was found.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HomeError {
    #[error("{} is not a CA directory: it has no ca.toml", .0.escaped())]
    NotOne(PathBuf),
    /// Named, but the CA directory is the folder `ca` in it, which a search would find.
    #[error("{} is not a CA directory, but {} is one", .0.escaped(), .0.join("ca").escaped())]
    Above(PathBuf),
    #[error("cannot read {}: permission denied", .0.escaped())]
    Closed(PathBuf),
    #[error("no CA directory was found in {} or above it", .0.escaped())]
    NoneFound(PathBuf),
    /// Found upwards. It can be used when it is named, and everything in it is the same user's.
    #[error("the nearest CA directory, {}, belongs to another user: user {owner}, mode {mode:04o}", folder.escaped())]
    OtherOwner { folder: PathBuf, owner: u32, mode: u32 },
    /// Found upwards. It can be used when it is named.
    #[error("the nearest CA directory, {}, is a symbolic link", .0.escaped())]
    Linked(PathBuf),
    #[error(transparent)]
    NotTrusted(#[from] DistrustReason),
}

impl Home {
    /// Returns the paths of a CA directory that does not have to exist yet, for `ca init`. Nothing is examined.
    pub fn at(folder: PathBuf) -> Self {
        Self { folder, trust: Trust::default() }
    }

    /// Returns the paths of a CA directory to make; the user may have named a link to its folder.
    pub fn to_make(folder: PathBuf) -> Self {
        Self::at(without_link(folder))
    }

    /// Returns the named CA directory, or the nearest one, searched in `from` and its parents like git does. Everything in
    /// it that decides what a command does is examined: see [`trusted_directory`].
    ///
    /// # Errors
    /// When there is none, or other users own or can change something in it. The owner of a directory that was named is
    /// trusted; the modes are examined in either case.
    pub fn find(named: Option<&Path>, from: &Path) -> Result<Self, HomeError> {
        Self::find_with(Modes::Refused, named, from)
    }

    /// As [`find`](Self::find), for an audit: it reports every file that other users can change, and does nothing because a
    /// file says so.
    ///
    /// # Errors
    /// As [`find`](Self::find), except that no mode is an error.
    pub fn find_to_audit(named: Option<&Path>, from: &Path) -> Result<Self, HomeError> {
        Self::find_with(Modes::Reported, named, from)
    }

    /// Returns the folder that [`find`](Self::find) would examine: the named one, or the nearest CA directory. Nothing in it is
    /// examined or read, so it says only where to look whether there is anything to do.
    pub fn folder_to_find(named: Option<&Path>, from: &Path) -> Option<PathBuf> {
        let mut candidates = from.ancestors().flat_map(|folder| [folder.to_owned(), folder.join("ca")]);
        match named {
            Some(folder) => Some(folder.to_owned()),
            None => candidates.find(|folder| Self::at(folder.clone()).exists()),
        }
    }

    fn find_with(modes: Modes, named: Option<&Path>, from: &Path) -> Result<Self, HomeError> {
        let trust = Trust { modes, ..Trust::default() };
        match named {
            Some(folder) => Self::named(folder.to_owned(), trust),
            None => Self::nearest(from, trust),
        }
    }

    fn named(folder: PathBuf, trust: Trust) -> Result<Self, HomeError> {
        let mut home = Self::at(without_link(folder));
        match home.config().metadata() {
            Ok(found) if found.is_file() => {}
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                return Err(HomeError::Closed(home.folder));
            }
            _ if Self::at(home.folder.join("ca")).exists() => return Err(HomeError::Above(home.folder)),
            _ => return Err(HomeError::NotOne(home.folder)),
        }
        let trust = trust.with_owner_of(&home.folder);
        home.trust = trust.map_err(|_| HomeError::Closed(home.folder.clone()))?;
        trusted_directory::check(&home.folder, home.trust)?;
        Ok(home)
    }

    /// Searches `from` and its parents, and `ca` in each of them.
    fn nearest(from: &Path, trust: Trust) -> Result<Self, HomeError> {
        let folder = Self::folder_to_find(None, from).ok_or_else(|| match closed_folder(from) {
            Some(folder) => HomeError::Closed(folder),
            None => HomeError::NoneFound(from.to_owned()),
        })?;
        let home = Self { folder, trust };
        match trusted_directory::check(&home.folder, trust) {
            Ok(()) => Ok(home),
            Err(DistrustReason::Owner { path, owner, mode }) if path == home.folder => {
                Err(HomeError::OtherOwner { folder: path, owner, mode })
            }
            Err(DistrustReason::Link(path)) if path == home.folder => Err(HomeError::Linked(path)),
            Err(reason) => Err(reason.into()),
        }
    }

    /// Returns the users whose files are trusted in this CA.
    pub fn owners(&self) -> TrustedOwners {
        self.trust.owners
    }

    /// Returns what is asked of the files of this CA.
    pub fn trust(&self) -> Trust {
        self.trust
    }

    /// Returns true when the folder is a CA directory.
    pub fn exists(&self) -> bool {
        self.config().is_file()
    }

    pub fn folder(&self) -> &Path {
        &self.folder
    }

    pub fn config(&self) -> PathBuf {
        self.folder.join("ca.toml")
    }

    pub fn authorities(&self) -> PathBuf {
        self.folder.join("authorities")
    }

    pub fn authority(&self, name: &str) -> PathBuf {
        self.authorities().join(name)
    }

    /// The path of an authority's private key; the file may be missing.
    pub fn key(&self, name: &str) -> PathBuf {
        KEY.path_in(&self.authority(name))
    }

    /// The path of the CSR of an authority whose certificate another CA signs.
    pub fn request(&self, name: &str) -> PathBuf {
        self.authority(name).join("request.pem")
    }

    /// The file that names the authority which this one replaces (`ca rekey`).
    pub fn replaces(&self, name: &str) -> PathBuf {
        self.authority(name).join("replaces")
    }

    /// The path of the new root's certificate by the old root, in the folder of the new root (RFC 4210 §4.4).
    pub fn new_with_old(&self, name: &str) -> PathBuf {
        self.authority(name).join("new-with-old.pem")
    }

    /// The path of the old root's certificate by the new root, in the folder of the new root (RFC 4210 §4.4).
    pub fn old_with_new(&self, name: &str) -> PathBuf {
        self.authority(name).join("old-with-new.pem")
    }

    /// The folder of the authorities that are no longer trusted.
    pub fn retired(&self) -> PathBuf {
        self.folder.join("retired")
    }

    /// The path of the latest CRL of an authority in PEM.
    pub fn crl_pem(&self, name: &str) -> PathBuf {
        self.authority(name).join("crl.pem")
    }

    /// The path of the latest CRL of an authority in DER.
    pub fn crl_der(&self, name: &str) -> PathBuf {
        self.authority(name).join("crl.der")
    }

    /// Returns the folder of the site's own recipes, which may be missing.
    pub fn recipes(&self) -> PathBuf {
        self.folder.join("recipes")
    }

    pub fn issued(&self) -> PathBuf {
        self.folder.join("issued")
    }

    pub fn entry(&self, name: &EntryName) -> PathBuf {
        self.issued().join(name.folder())
    }

    /// The folder that keeps the files of a previous certificate of this name.
    pub fn generation(&self, name: &EntryName, serial: &str) -> PathBuf {
        self.generations(name).join(serial)
    }

    pub fn generations(&self, name: &EntryName) -> PathBuf {
        self.issued().join(".generations").join(name.folder())
    }

    /// Resolves the path of a setting relative to the CA directory, also before `ca init` has made that directory.
    pub fn resolve(&self, setting: &str) -> PathBuf {
        let mut setting = Path::new(setting);
        let mut from = self.folder.clone();
        if !from.exists() {
            // The system cannot resolve `..` from a folder that does not exist.
            while let (Ok(rest), Some(above)) = (setting.strip_prefix(".."), from.parent()) {
                (setting, from) = (rest, above.to_owned());
            }
        }
        from.join(setting)
    }
}

/// Returns the nearest folder `ca`, in `from` and its parents, that this user cannot look into.
fn closed_folder(from: &Path) -> Option<PathBuf> {
    let is_closed = |folder: &PathBuf| {
        let denied = Home::at(folder.clone())
            .config()
            .metadata()
            .is_err_and(|error| error.kind() == io::ErrorKind::PermissionDenied);
        denied && folder.symlink_metadata().is_ok_and(|found| found.is_dir())
    };
    from.ancestors().map(|folder| folder.join("ca")).find(is_closed)
}

/// Returns the folder that a link leads to; anything else as it is. A folder that is named may be named by a link.
fn without_link(folder: PathBuf) -> PathBuf {
    match files::examine(&folder) {
        Ok(Some(found)) if found.kind == PathKind::Link => folder.canonicalize().unwrap_or(folder),
        _ => folder,
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn the_nearest_ca_directory_is_found_upwards() {
        let top = tempfile::tempdir().unwrap();
        let deep = top.path().join("a/b");
        fs::create_dir_all(&deep).unwrap();
        assert_eq!(Home::find(None, &deep), Err(HomeError::NoneFound(deep.clone())));
        ca_in(&top.path().join("ca"));
        assert_eq!(Home::find(None, &deep).unwrap().folder(), top.path().join("ca"));
        ca_in(&top.path().join("a"));
        assert_eq!(Home::find(None, &deep).unwrap().folder(), top.path().join("a"));
        assert_eq!(Home::find(Some(&deep), top.path()), Err(HomeError::NotOne(deep)));
        assert_eq!(Home::find(Some(top.path()), Path::new("/nowhere")), Err(HomeError::Above(top.path().to_owned())));
    }

    #[test]
    fn a_setting_is_seen_from_the_folder_before_that_is_there_too() {
        let top = tempfile::tempdir().unwrap();
        fs::write(top.path().join("secret"), "").unwrap();
        let home = Home::at(top.path().join("a/ca"));
        for setting in ["../../secret", top.path().join("secret").to_str().unwrap()] {
            assert!(home.resolve(setting).is_file(), "{setting}");
        }
        assert_eq!(home.resolve("index.db"), home.folder().join("index.db"));
        fs::create_dir_all(home.folder()).unwrap();
        assert!(home.resolve("../../secret").is_file());
    }

    fn ca_in(folder: &Path) {
        fs::create_dir_all(folder).unwrap();
        fs::write(folder.join("ca.toml"), "").unwrap();
        closed(folder, 0o755);
        closed(&folder.join("ca.toml"), 0o644);
    }

    fn closed(path: &Path, mode: u32) {
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn a_ca_directory_that_others_can_change_is_refused_found_or_named() {
        let top = tempfile::tempdir().unwrap();
        ca_in(top.path());
        for file in [top.path().to_owned(), top.path().join("ca.toml")] {
            let mode = files::mode(&file).unwrap();
            closed(&file, 0o777);
            for named in [None, Some(top.path())] {
                let refused = Home::find(named, top.path());
                assert!(
                    matches!(&refused, Err(HomeError::NotTrusted(DistrustReason::Mode { path, .. })) if *path == file),
                    "{refused:?}"
                );
            }
            closed(&file, mode);
        }
        assert_eq!(Home::find(None, top.path()).unwrap().folder(), top.path());
    }

    #[test]
    fn an_audit_passes_over_modes_and_over_nothing_else() {
        let top = tempfile::tempdir().unwrap();
        ca_in(top.path());
        closed(top.path(), 0o777);
        closed(&top.path().join("ca.toml"), 0o666);
        for named in [None, Some(top.path())] {
            assert_eq!(Home::find_to_audit(named, top.path()).unwrap().folder(), top.path());
        }
        std::os::unix::fs::symlink("ca.toml", top.path().join("index.db")).unwrap();
        let link = || Err(HomeError::NotTrusted(DistrustReason::Link(top.path().join("index.db"))));
        for named in [None, Some(top.path())] {
            assert_eq!(Home::find_to_audit(named, top.path()), link(), "a folder that others can change hides no link");
        }
    }

    #[test]
    fn a_link_to_a_ca_directory_can_be_named_and_is_not_found() {
        let top = tempfile::tempdir().unwrap();
        ca_in(&top.path().join("real"));
        fs::create_dir(top.path().join("work")).unwrap();
        let link = top.path().join("work/ca");
        std::os::unix::fs::symlink("../real", &link).unwrap();
        let found = Home::find(None, &top.path().join("work"));
        assert_eq!(found, Err(HomeError::Linked(link.clone())));
        assert_eq!(Home::find(Some(&link), top.path()).unwrap().folder(), top.path().join("real"));
    }

    #[test]
    fn the_owner_of_a_ca_directory_is_the_word_of_the_user_who_names_it() {
        if files::our_user() != 0 {
            return;
        }
        let top = tempfile::tempdir().unwrap();
        ca_in(top.path());
        for path in [top.path().to_owned(), top.path().join("ca.toml")] {
            std::os::unix::fs::chown(path, Some(65_534), None).unwrap();
        }
        assert!(matches!(Home::find(None, top.path()), Err(HomeError::OtherOwner { owner: 65_534, .. })));
        assert_eq!(Home::find(Some(top.path()), top.path()).unwrap().folder(), top.path());
    }
}
