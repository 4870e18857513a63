//! The files of a certificate: written whole, durable, and as one.

use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::error::StoreError;
use crate::keys::key_file::{self, KeyFile, NewProtection};
use crate::keys::{Passphrase, PrivateKey, Signer};
use crate::store::entry_name::EntryName;
use crate::store::home::Home;
use crate::store::{ca_certificates, previous_certificates};
use crate::system::Entropy;
use crate::system::files::{self, ExistingFile, FileError, Ownership, StagedFolder};
use crate::x509::{Certificate, PublicKey, pem};

/// Where the files of a certificate go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Destination {
    /// `issued/<name>/`, exchanged as a whole.
    Issued,
    /// A folder of the user's, which may hold other files.
    Folder(PathBuf),
    /// `authorities/<name>/`.
    Authority,
    /// Nowhere: they stay in memory.
    Memory,
}

/// The texts of what anybody may read.
pub struct Files {
    certificate: String,
    chain: String,
}

/// The text of a key file, wiped when it goes, and the mode of the file.
pub struct KeyText {
    pub text: Zeroizing<String>,
    pub mode: u32,
}

impl KeyText {
    /// Writes the text of a new key file, encrypted when there is a passphrase. Slow on purpose then.
    ///
    /// # Errors
    /// When there is no randomness, or the key cannot be written.
    pub fn new(
        key: &PrivateKey,
        passphrase: Option<&Passphrase>,
        mode: u32,
        entropy: &dyn Entropy,
    ) -> Result<Self, StoreError> {
        let failed = |cause| StoreError::KeyFile { path: PathBuf::from("the new key"), cause };
        let protection = match passphrase {
            None => None,
            Some(passphrase) => {
                let mut randomness = [0; 32];
                let drawn = entropy.fill(&mut randomness);
                drawn.map_err(|cause| FileError { action: "draw", path: PathBuf::from("random octets"), cause })?;
                Some(NewProtection::new(passphrase, randomness))
            }
        };
        let text = key_file::write(key, protection.as_ref()).map_err(failed)?;
        Ok(Self { text, mode })
    }
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
pub(crate) const KEY: &str = "key.pem";

/// One of the files as it is on the disk, for a copy; wiped when it goes.
pub struct FileCopy {
    pub name: &'static str,
    pub content: Zeroizing<Vec<u8>>,
    pub mode: u32,
    pub ownership: Ownership,
}

/// What a delivery may replace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Replaced<'a> {
    Nothing,
    /// The files of the certificate with this serial number.
    Generation(&'a str),
    /// Any file in a folder of the user's, who asked for it.
    Whatever,
}

/// A delivery that has begun: there is a place on the disk, and the key is in it, under a name that nobody looks at.
pub struct Delivery<'a> {
    home: &'a Home,
    name: &'a EntryName,
    place: &'a Destination,
    ownership: Ownership,
    /// `None`: everything stays in memory.
    begun: Option<(PathBuf, StagedFolder)>,
}

impl Files {
    /// `chain` is what stands between the certificate and its root, the next issuer first.
    pub fn new(certificate: &Certificate, chain: &[Certificate]) -> Self {
        Self {
            certificate: pem::certificate(certificate.as_der()),
            chain: chain.iter().map(|above| pem::certificate(above.as_der())).collect(),
        }
    }

    fn fullchain(&self) -> String {
        format!("{}{}", self.certificate, self.chain)
    }

    /// Writes them into a folder under construction.
    pub fn stage(&self, staged: &mut StagedFolder, folder: &Path, with_fullchain: bool) -> Result<(), FileError> {
        staged.add(folder.join(CERT), self.certificate.as_bytes(), files::PUBLIC)?;
        staged.add(folder.join(CHAIN), self.chain.as_bytes(), files::PUBLIC)?;
        if with_fullchain {
            staged.add(folder.join(FULLCHAIN), self.fullchain().as_bytes(), files::PUBLIC)?;
        }
        Ok(())
    }
}

impl KeyText {
    /// Writes it into a folder under construction.
    pub fn stage(&self, staged: &mut StagedFolder, folder: &Path) -> Result<(), FileError> {
        staged.add(folder.join(KEY), self.text.as_bytes(), self.mode)
    }
}

impl Destination {
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

    /// Begins a delivery with the key, before there is a certificate: a place that cannot be written, or a full disk, is
    /// found while nothing is recorded yet.
    ///
    /// # Errors
    /// When the system refuses; nothing is left then.
    pub fn begin<'a>(
        &'a self,
        home: &'a Home,
        name: &'a EntryName,
        key: Option<&KeyText>,
        ownership: Ownership,
        entropy: &dyn Entropy,
    ) -> Result<Delivery<'a>, FileError> {
        let begun = match self.folder(home, name) {
            None => None,
            Some(folder) => {
                if !self.is_filled_one_by_one(&folder) {
                    files::create_folders(parent(&folder), files::FOLDER)?;
                }
                let workshop = self.workshop(home, &folder);
                if matches!(self, Self::Folder(_)) {
                    // What a killed run left of a key. Our own folder is tidy already.
                    files::remove_stale(workshop)?;
                }
                let mut staged = StagedFolder::create(workshop, entropy)?;
                if let Some(key) = key {
                    key.stage(&mut staged, Path::new(""))?;
                }
                // Only root may give files away: better told now than after the record.
                staged.give(ownership)?;
                Some((folder, staged))
            }
        };
        Ok(Delivery { home, name, place: self, ownership, begun })
    }

    /// Clears away what a dead process left where the files are made.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn sweep(&self, home: &Home, name: &EntryName) -> Result<(), FileError> {
        files::remove_stale(home.folder())?;
        match self.folder(home, name) {
            Some(folder) if matches!(self, Self::Folder(_)) => files::remove_stale(self.workshop(home, &folder)),
            _ => Ok(()),
        }
    }

    /// Where the files are made: on the same file system as the folder in which they will appear. For the CA's own that is
    /// its top, where what a dead process left is found without reading a folder of a hundred thousand names.
    fn workshop<'a>(&self, home: &'a Home, folder: &'a Path) -> &'a Path {
        match self {
            Self::Folder(_) if self.is_filled_one_by_one(folder) => folder,
            Self::Folder(_) => parent(folder),
            Self::Issued | Self::Authority | Self::Memory => home.folder(),
        }
    }

    /// A folder of the user's that is there already: it may hold other files, and stays.
    fn is_filled_one_by_one(&self, folder: &Path) -> bool {
        matches!(self, Self::Folder(_)) && folder.exists()
    }
}

impl Delivery<'_> {
    /// Brings the files into place. What is replaced is kept as a generation.
    ///
    /// # Errors
    /// When the system refuses, or something else is in the way. Nothing has changed then, but in a folder of the user's
    /// that was there before: there the files are exchanged one by one.
    pub fn finish(
        self,
        key: Option<&KeyText>,
        files: &Files,
        replaced: Replaced<'_>,
        entropy: &dyn Entropy,
    ) -> Result<(), FileError> {
        let Some((folder, mut staged)) = self.begun else { return Ok(()) };
        if self.place.is_filled_one_by_one(&folder) {
            let replace = replaced != Replaced::Nothing;
            if let Replaced::Generation(serial) = replaced {
                previous_certificates::keep_copy(self.home, self.name, &folder, serial, entropy)?;
            }
            return deliver_one_by_one(&folder, key, files, replace, self.ownership, entropy);
        }
        files.stage(&mut staged, Path::new(""), *self.place != Destination::Authority)?;
        staged.give(self.ownership)?;
        staged.sync()?;
        match replaced {
            Replaced::Generation(serial) if *self.place == Destination::Issued && folder.exists() => {
                files::create_folders(&self.home.generations(self.name), files::FOLDER)?;
                staged.publish_replacing(&folder, &previous_certificates::free_place(self.home, self.name, serial))
            }
            _ => staged.publish_new(&folder),
        }
    }
}

/// Another certificate for the key of an authority; the rest of its folder stays as it is.
pub fn replace_certificate(
    home: &Home,
    authority: &str,
    certificate: &Certificate,
    entropy: &dyn Entropy,
) -> Result<(), FileError> {
    let path = home.authority(authority).join(CERT);
    let text = pem::certificate(certificate.as_der());
    files::publish_file(&path, text.as_bytes(), files::PUBLIC, ExistingFile::Replace, entropy)
}

/// Another chain for an authority.
pub fn replace_chain(
    home: &Home,
    authority: &str,
    chain: &[Certificate],
    entropy: &dyn Entropy,
) -> Result<(), FileError> {
    let path = home.authority(authority).join(CHAIN);
    let text: String = chain.iter().map(|above| pem::certificate(above.as_der())).collect();
    files::publish_file(&path, text.as_bytes(), files::PUBLIC, ExistingFile::Replace, entropy)
}

fn parent(folder: &Path) -> &Path {
    match folder.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

fn deliver_one_by_one(
    folder: &Path,
    key: Option<&KeyText>,
    files: &Files,
    replace: bool,
    ownership: Ownership,
    entropy: &dyn Entropy,
) -> Result<(), FileError> {
    let existing = if replace { ExistingFile::Replace } else { ExistingFile::Keep };
    let fullchain = files.fullchain();
    let public = |name, text| (name, str::as_bytes(text), files::PUBLIC);
    // The order tells whoever comes after a run that died here whose files these are, even when nobody can look into the key:
    // the certificate says so first, and where the full chain is of the same one, everything between them is, too.
    let all = [
        Some(public(CERT, &files.certificate)),
        key.map(|key| (KEY, key.text.as_bytes(), key.mode)),
        Some(public(CHAIN, &files.chain)),
        Some(public(FULLCHAIN, &fullchain)),
    ];
    let mut written = Vec::new();
    for (name, content, mode) in all.into_iter().flatten() {
        let path = folder.join(name);
        let published = files::publish_file(&path, content, mode, existing, entropy).and_then(|()| {
            written.push(path.clone());
            ownership.give(&path)
        });
        if let Err(error) = published {
            if !replace {
                files::remove_quietly(&written);
            }
            return Err(error);
        }
    }
    Ok(())
}

/// Those of the four files that are in a folder, the key first.
///
/// # Errors
/// When one cannot be read, or is no regular file.
pub fn read_files(folder: &Path) -> Result<Vec<FileCopy>, FileError> {
    let mut found = Vec::new();
    for name in [KEY, CERT, CHAIN, FULLCHAIN] {
        let path = folder.join(name);
        if path.symlink_metadata().is_err() {
            continue;
        }
        files::check_place(&path, ExistingFile::Replace)?;
        let content = Zeroizing::new(files::read(&path, files::MAX_SMALL_FILE_BYTES)?);
        found.push(FileCopy { name, content, mode: files::mode(&path)?, ownership: Ownership::like(&path)? });
    }
    Ok(found)
}

/// Whether something that is no folder bears the name of the folder.
pub fn is_no_folder(folder: &Path) -> bool {
    folder.symlink_metadata().is_ok() && !folder.is_dir()
}

/// The first of the files to be written that is in the way in a folder of the user's.
pub fn in_the_way(folder: &Path, with_key: bool) -> Option<PathBuf> {
    let names = if with_key { &[KEY, CERT, CHAIN, FULLCHAIN][..] } else { &[CERT, CHAIN, FULLCHAIN] };
    names.iter().map(|name| folder.join(name)).find(|path| path.symlink_metadata().is_ok())
}

/// The key file in a folder of the user's that is not the one to this public key, which would stand beside a certificate
/// that it does not belong to. An encrypted one is known by the certificate that stands beside it already.
pub fn key_of_another(folder: &Path, public_key: &PublicKey) -> Result<Option<PathBuf>, StoreError> {
    let of_another = |certificate: &Certificate| certificate.public_key != *public_key;
    let is_pair_of_another = || {
        let there = ca_certificates::read_certificates(&folder.join(CERT)).unwrap_or_default();
        there.first().is_some_and(of_another)
    };
    Ok(match key_beside(folder, public_key)? {
        KeyBeside::None => None,
        KeyBeside::Its if !is_pair_of_another() => None,
        KeyBeside::Its | KeyBeside::Another => Some(folder.join(KEY)),
    })
}

/// The first certificate file that is there in a folder of the user's and begins with none of these certificates.
pub fn foreign_certificate(folder: &Path, own: &[Certificate]) -> Option<PathBuf> {
    let is_own = |path: &PathBuf| {
        let there = ca_certificates::read_certificates(path).unwrap_or_default();
        there.first().is_some_and(|certificate| own.contains(certificate))
    };
    certificate_files(folder).find(|path| !is_own(path))
}

fn certificate_files(folder: &Path) -> impl Iterator<Item = PathBuf> {
    [CERT, FULLCHAIN].map(|name| folder.join(name)).into_iter().filter(|path| path.symlink_metadata().is_ok())
}

/// The first of the files to be written that is there in a folder of the user's and none of these certificates', nor the key
/// of one of them; `None` when all are, and may be replaced by the next.
///
/// # Errors
/// When the key is there and cannot be read.
pub fn foreign(folder: &Path, own: &[Certificate], with_key: bool) -> Result<Option<PathBuf>, FileError> {
    if certificate_files(folder).next().is_none() {
        return Ok(in_the_way(folder, with_key));
    }
    if let Some(path) = foreign_certificate(folder, own) {
        return Ok(Some(path));
    }
    if !with_key {
        return Ok(None);
    }
    let path = folder.join(KEY);
    let Some(content) = files::read_if_exists(&path, files::MAX_SMALL_FILE_BYTES)? else { return Ok(None) };
    let content = Zeroizing::new(content);
    let is_own_key = match KeyFile::parse(&content) {
        // Nobody can look into it: it came after the certificate that is known (see `deliver_one_by_one`).
        Ok(file) if file.is_encrypted() => true,
        Ok(file) => {
            file.open(None).is_ok_and(|key| own.iter().any(|certificate| certificate.public_key == *key.public_key()))
        }
        Err(_) => false,
    };
    Ok((!is_own_key).then_some(path))
}

/// Whether all four names in a folder of the user's are free, or regular files that may be replaced.
pub fn is_replaceable(folder: &Path) -> Result<(), FileError> {
    [KEY, CERT, CHAIN, FULLCHAIN]
        .into_iter()
        .try_for_each(|name| files::check_place(&folder.join(name), ExistingFile::Replace))
}

/// Whether the files in a folder are those of this certificate: all of them, with its key beside it.
pub fn holds(folder: &Path, certificate: &Certificate) -> Result<bool, StoreError> {
    Ok(holds_certificate(folder, certificate) && key_beside(folder, &certificate.public_key)? == KeyBeside::Its)
}

/// Whether the files in a folder are those of this certificate, and no key of another stands beside them.
pub fn holds_public(folder: &Path, certificate: &Certificate) -> Result<bool, StoreError> {
    Ok(holds_certificate(folder, certificate) && key_beside(folder, &certificate.public_key)? != KeyBeside::Another)
}

fn holds_certificate(folder: &Path, certificate: &Certificate) -> bool {
    // An authority has no full chain.
    let of_certificate: &[&str] = if certificate.is_ca() { &[CERT] } else { &[CERT, FULLCHAIN] };
    let begins_with_it = |name: &&str| {
        let there = ca_certificates::read_certificates(&folder.join(name)).unwrap_or_default();
        there.first() == Some(certificate)
    };
    of_certificate.iter().all(begins_with_it) && folder.join(CHAIN).is_file()
}

/// What the key file in a folder is to a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum KeyBeside {
    /// Its own, as far as can be told without a passphrase.
    Its,
    Another,
    None,
}

fn key_beside(folder: &Path, public_key: &PublicKey) -> Result<KeyBeside, StoreError> {
    let Some(key) = files::read_if_exists(&folder.join(KEY), files::MAX_SMALL_FILE_BYTES)? else {
        return Ok(KeyBeside::None);
    };
    let key = Zeroizing::new(key);
    let is_its = match KeyFile::parse(&key) {
        // An encrypted key cannot be compared without its passphrase. It appeared with its folder, or before the full chain
        // did (see `deliver_one_by_one`).
        Ok(file) if file.is_encrypted() => true,
        Ok(file) => file.open(None).is_ok_and(|key| key.public_key() == public_key),
        Err(_) => false,
    };
    Ok(if is_its { KeyBeside::Its } else { KeyBeside::Another })
}
