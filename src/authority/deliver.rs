//! The files of a certificate: written whole, durable, and as one.

use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::home::PUBLIC_MODE;
use super::{AuthorityError, EntryName, Home, authorities};
use crate::keys::Signer;
use crate::keys::key_file::KeyFile;
use crate::system::Entropy;
use crate::system::files::{self, Existing, FileError, StagedFolder};
use crate::x509::{Certificate, pem};

/// Where the files of a certificate go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// `issued/<name>/`, exchanged as a whole.
    Issued,
    /// A folder of the user's, which may hold other files.
    Folder(PathBuf),
    /// `authorities/<name>/`.
    Authority,
    /// Nowhere: they stay in memory.
    Memory,
}

/// The texts of the files. The key is wiped.
pub struct Files {
    pub key: Option<Zeroizing<String>>,
    pub key_mode: u32,
    pub certificate: String,
    pub chain: String,
}

/// Where the files are.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Paths {
    pub certificate: PathBuf,
    pub chain: PathBuf,
    /// An authority has none.
    pub fullchain: Option<PathBuf>,
    pub key: Option<PathBuf>,
}

const CERT: &str = "cert.pem";
const CHAIN: &str = "chain.pem";
const FULLCHAIN: &str = "fullchain.pem";
const KEY: &str = "key.pem";

impl Files {
    /// `chain` is what stands between the certificate and its root, the next issuer first.
    pub fn new(
        certificate: &Certificate,
        chain: &[Certificate],
        key: Option<Zeroizing<String>>,
        key_mode: Option<u32>,
    ) -> Self {
        Self {
            key,
            key_mode: key_mode.unwrap_or(files::SECRET),
            certificate: pem::certificate(certificate.as_der()),
            chain: chain.iter().map(|above| pem::certificate(above.as_der())).collect(),
        }
    }

    fn fullchain(&self) -> String {
        format!("{}{}", self.certificate, self.chain)
    }

    /// Writes them into a folder under construction; the key first.
    pub fn stage(&self, staged: &mut StagedFolder, folder: &Path, with_fullchain: bool) -> Result<(), FileError> {
        let name = |file: &str| folder.join(file);
        if let Some(key) = &self.key {
            staged.add(name(KEY), key.as_bytes(), self.key_mode)?;
        }
        staged.add(name(CERT), self.certificate.as_bytes(), PUBLIC_MODE)?;
        staged.add(name(CHAIN), self.chain.as_bytes(), PUBLIC_MODE)?;
        if with_fullchain {
            staged.add(name(FULLCHAIN), self.fullchain().as_bytes(), PUBLIC_MODE)?;
        }
        Ok(())
    }
}

impl Place {
    /// The folder; `None` for memory.
    pub fn folder(&self, home: &Home, name: &EntryName) -> Option<PathBuf> {
        match self {
            Self::Issued => Some(home.entry(name)),
            Self::Folder(folder) => Some(folder.clone()),
            Self::Authority => Some(home.authority(name.as_str())),
            Self::Memory => None,
        }
    }

    /// The paths of the files there.
    pub fn paths(&self, home: &Home, name: &EntryName, with_key: bool) -> Option<Paths> {
        let folder = self.folder(home, name)?;
        Some(Paths {
            certificate: folder.join(CERT),
            chain: folder.join(CHAIN),
            fullchain: (*self != Self::Authority).then(|| folder.join(FULLCHAIN)),
            key: with_key.then(|| folder.join(KEY)),
        })
    }

    /// Brings the files there. `replaced` is the serial number of the certificate whose files may be replaced; they are
    /// kept as a generation.
    ///
    /// # Errors
    /// When the system refuses, or something else is in the way. Nothing has changed then, but in a folder of the user's
    /// that was there before: there the files are exchanged one by one.
    pub fn deliver(
        &self,
        home: &Home,
        name: &EntryName,
        files: &Files,
        replaced: Option<&str>,
        entropy: &dyn Entropy,
    ) -> Result<(), FileError> {
        let Some(folder) = self.folder(home, name) else { return Ok(()) };
        match self {
            Self::Folder(_) if folder.exists() => deliver_one_by_one(&folder, files, replaced.is_some(), entropy),
            Self::Folder(_) => deliver_whole(&folder, files, true, entropy),
            Self::Authority => deliver_whole(&folder, files, false, entropy),
            Self::Issued => match replaced {
                Some(serial) if folder.exists() => exchange_whole(home, name, &folder, files, serial, entropy),
                _ => deliver_whole(&folder, files, true, entropy),
            },
            Self::Memory => Ok(()),
        }
    }
}

fn parent(folder: &Path) -> &Path {
    match folder.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

fn stage(folder: &Path, files: &Files, with_fullchain: bool, entropy: &dyn Entropy) -> Result<StagedFolder, FileError> {
    let mut staged = StagedFolder::create(parent(folder), entropy)?;
    files.stage(&mut staged, Path::new(""), with_fullchain)?;
    staged.sync()?;
    Ok(staged)
}

fn deliver_whole(folder: &Path, files: &Files, with_fullchain: bool, entropy: &dyn Entropy) -> Result<(), FileError> {
    files::create_folders(parent(folder), files::FOLDER)?;
    stage(folder, files, with_fullchain, entropy)?.publish_new(folder)
}

fn exchange_whole(
    home: &Home,
    name: &EntryName,
    folder: &Path,
    files: &Files,
    serial: &str,
    entropy: &dyn Entropy,
) -> Result<(), FileError> {
    let staged = stage(folder, files, true, entropy)?;
    let generations = home.generations(name);
    files::create_folders(&generations, files::FOLDER)?;
    let old = staged.publish_exchange(folder)?;
    match old.publish_new(&home.generation(name, serial)) {
        // An interrupted exchange put it there already.
        Err(error) if error.is_already_there() => Ok(()),
        other => other,
    }
}

fn deliver_one_by_one(folder: &Path, files: &Files, replace: bool, entropy: &dyn Entropy) -> Result<(), FileError> {
    let existing = if replace { Existing::Replace } else { Existing::Keep };
    let fullchain = files.fullchain();
    let key = files.key.as_ref().map(|key| (KEY, key.as_bytes(), files.key_mode));
    let public = [(CERT, &files.certificate), (CHAIN, &files.chain), (FULLCHAIN, &fullchain)];
    let all: Vec<_> = key.into_iter().chain(public.map(|(name, text)| (name, text.as_bytes(), PUBLIC_MODE))).collect();
    let mut written = Vec::new();
    for (name, content, mode) in all {
        let path = folder.join(name);
        if let Err(error) = files::publish_file(&path, content, mode, existing, entropy) {
            if !replace {
                files::remove_quietly(&written);
            }
            return Err(error);
        }
        written.push(path);
    }
    Ok(())
}

/// The first of the four files that is in the way in a folder of the user's.
pub fn in_the_way(folder: &Path) -> Option<PathBuf> {
    [KEY, CERT, CHAIN, FULLCHAIN].into_iter().map(|name| folder.join(name)).find(|path| path.symlink_metadata().is_ok())
}

/// Whether the files in a folder are those of this certificate, with its key beside it.
pub fn holds(folder: &Path, certificate: &Certificate) -> Result<bool, AuthorityError> {
    const MOST_OCTETS: u64 = 1024 * 1024;
    let there = authorities::read_certificates(&folder.join(CERT)).unwrap_or_default();
    if there.first() != Some(certificate) {
        return Ok(false);
    }
    let Some(key) = files::read_if_exists(&folder.join(KEY), MOST_OCTETS)? else { return Ok(false) };
    Ok(match KeyFile::parse(&key) {
        // An encrypted key cannot be compared without its passphrase; it stood in the same folder when that appeared.
        Ok(file) if file.is_encrypted() => true,
        Ok(file) => file.open(None).is_ok_and(|key| *key.public_key() == certificate.public_key),
        Err(_) => false,
    })
}

/// Removes what an interrupted run left in a folder of the user's: files that are this certificate's, and no others.
pub fn remove_interrupted(folder: &Path, certificate: &Certificate) -> Result<(), AuthorityError> {
    const MOST_OCTETS: u64 = 1024 * 1024;
    let mut left = Vec::new();
    for name in [CERT, FULLCHAIN] {
        let path = folder.join(name);
        if authorities::read_certificates(&path).unwrap_or_default().first() == Some(certificate) {
            left.push(path);
        }
    }
    let path = folder.join(KEY);
    if let Some(key) = files::read_if_exists(&path, MOST_OCTETS)?
        && let Ok(key) = KeyFile::parse(&key).and_then(|file| file.open(None))
        && *key.public_key() == certificate.public_key
    {
        left.push(path);
    }
    if !left.is_empty() {
        left.push(folder.join(CHAIN));
    }
    files::remove_quietly(&left);
    Ok(())
}
