//! The CA directory: how it is found, and the paths in it.
//!
//! ```text
//! ca/                                   0700, and the lock of every process that changes it
//! ├── ca.toml                           its settings; a folder is a CA directory when this is in it
//! ├── authorities/<authority>/          cert.pem chain.pem crl.pem crl.der 0644, key.pem 0600
//! │                                     request.pem of an authority that waits for its certificate
//! │                                     new-with-old.pem old-with-new.pem bundle.pem of a root that replaces another
//! ├── retired/<authority>/              authorities that are no longer trusted
//! ├── templates/*.toml                  the site's own templates
//! ├── index.db                          0600
//! └── issued/<name>/                    0700: cert.pem chain.pem fullchain.pem key.pem
//!     .generations/<name>/<serial>/     files that a newer certificate of the same name replaced
//! ```

use std::io;
use std::path::{Path, PathBuf};

use crate::store::certificate_files::KEY;
use crate::store::entry_name::EntryName;
use crate::system::files;

/// The paths of one CA.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Home {
    folder: PathBuf,
}

/// The reason why no CA directory was found.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HomeError {
    #[error("{} is not a CA directory: it has no ca.toml", .0.display())]
    NotOne(PathBuf),
    #[error("whether {} is a CA directory cannot be seen: this user may not look into it", .0.display())]
    Closed(PathBuf),
    #[error("no CA directory was found in {} or above it", .0.display())]
    NoneFound(PathBuf),
    #[error("{} belongs to another user", .0.display())]
    OtherOwner(PathBuf),
}

impl Home {
    /// Returns the paths of a CA directory that does not have to exist yet, for `ca init`.
    pub fn at(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// Returns the named CA directory, or the nearest one, searched in `from` and its parents like git does.
    ///
    /// # Errors
    /// When there is none, or the nearest one belongs to another user, whose templates could make this process do
    /// anything.
    pub fn find(named: Option<&Path>, from: &Path) -> Result<Self, HomeError> {
        if let Some(folder) = named {
            let home = Self::at(folder.to_owned());
            return match home.config().metadata() {
                Ok(found) if found.is_file() => Ok(home),
                Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Err(HomeError::Closed(home.folder)),
                _ => Err(HomeError::NotOne(home.folder)),
            };
        }
        let candidates = from.ancestors().flat_map(|folder| [folder.to_owned(), folder.join("ca")]);
        let home = candidates.map(Self::at).find(Self::exists).ok_or_else(|| HomeError::NoneFound(from.to_owned()))?;
        match files::is_private_to_us(&home.config()) {
            Ok(true) => Ok(home),
            _ => Err(HomeError::OtherOwner(home.folder)),
        }
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

    /// The path of the new root's certificate by the old root, in the folder of the new root (RFC 4210 §4.4).
    pub fn new_with_old(&self, name: &str) -> PathBuf {
        self.authority(name).join("new-with-old.pem")
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
        fs::create_dir(top.path().join("ca")).unwrap();
        fs::write(top.path().join("ca/ca.toml"), "").unwrap();
        assert_eq!(Home::find(None, &deep).unwrap().folder(), top.path().join("ca"));
        fs::write(top.path().join("a/ca.toml"), "").unwrap();
        assert_eq!(Home::find(None, &deep).unwrap().folder(), top.path().join("a"));
        assert_eq!(Home::find(Some(&deep), top.path()), Err(HomeError::NotOne(deep)));
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

    #[test]
    fn a_ca_directory_that_others_could_have_planted_is_refused() {
        use std::os::unix::fs::PermissionsExt;
        let top = tempfile::tempdir().unwrap();
        let config = top.path().join("ca.toml");
        fs::write(&config, "").unwrap();
        fs::set_permissions(&config, fs::Permissions::from_mode(0o666)).unwrap();
        assert_eq!(Home::find(None, top.path()), Err(HomeError::OtherOwner(top.path().to_owned())));
    }
}
