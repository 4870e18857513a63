//! The files of a certificate in a folder: reading them, and which certificate they belong to.

use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::error::StoreError;
use crate::keys::Signer;
use crate::keys::key_file::KeyFile;
use crate::store::certificate_files::{self, CERTIFICATE, CHAIN, CertificateFile, FULLCHAIN, KEY};
use crate::system::files::{self, ExistingFile, FileError, Folder, NewFile, Ownership, StoredFile};
use crate::x509::digest::sha256;
use crate::x509::{Certificate, PublicKey, certificate_file};

/// A file as it is on the disk, for a copy. Its content is wiped when it is dropped.
pub struct FileCopy {
    pub name: &'static str,
    pub content: Zeroizing<Vec<u8>>,
    pub mode: u32,
    pub ownership: Ownership,
}

impl FileCopy {
    /// Returns the file that is to appear in another folder.
    pub fn as_new(&self) -> NewFile<'_> {
        NewFile { name: self.name, content: &self.content, mode: self.mode, ownership: self.ownership }
    }
}

/// The owner, group and mode that the files of a certificate get.
#[derive(Debug, Clone, Copy, Default)]
pub struct FolderAccess {
    pub ownership: Ownership,
    /// The mode of the private key; `None` leaves it.
    pub key_mode: Option<u32>,
}

impl FolderAccess {
    /// Returns a copy of a file with this owner, group and mode.
    pub fn applied_to(self, file: FileCopy) -> FileCopy {
        let key_mode = self.key_mode.filter(|_| file.name == KEY.name);
        FileCopy { mode: key_mode.unwrap_or(file.mode), ownership: self.ownership.over(file.ownership), ..file }
    }

    /// Gives it to the files in a folder of the CA directory, and to the folder.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn give(self, folder: &Folder) -> Result<(), FileError> {
        for CertificateFile { name, is_secret, .. } in certificate_files::ALL {
            folder.set_access(name, self.key_mode.filter(|_| is_secret), self.ownership)?;
        }
        match self.key_mode {
            Some(mode) => folder.set_own_access(mode & 0o040 != 0, self.ownership),
            None => folder.set_own_access(self.ownership.names_group(), self.ownership),
        }
    }
}

/// Reads those files of a certificate that are in a folder, the key first.
///
/// # Errors
/// When one cannot be read, or is not a regular file.
pub fn read_files(folder: &Folder) -> Result<Vec<FileCopy>, FileError> {
    let mut found = Vec::new();
    for CertificateFile { name, .. } in certificate_files::ALL {
        if let Some(StoredFile { content, mode, ownership }) = folder.read(name, files::MAX_SMALL_FILE_BYTES)? {
            found.push(FileCopy { name, content: Zeroizing::new(content), mode, ownership });
        }
    }
    Ok(found)
}

/// Returns the certificates in a file of a folder; none when it is missing, cannot be read, or is not a regular file.
fn read_certificates(path: &Path) -> Vec<Certificate> {
    let content = files::read_regular(path, files::MAX_SMALL_FILE_BYTES).ok().flatten();
    content.and_then(|file| certificate_file::parse(&file.content).ok()).unwrap_or_default()
}

/// Returns the first certificate of the file that begins with the certificate of a folder.
pub fn first_certificate(folder: &Path) -> Option<Certificate> {
    read_certificates(&CERTIFICATE.path_in(folder)).into_iter().next()
}

/// Returns the SHA-256 of [`first_certificate`], which is not decoded.
pub fn first_fingerprint(folder: &Path) -> Option<[u8; 32]> {
    let content =
        files::read_regular(&CERTIFICATE.path_in(folder), files::MAX_SMALL_FILE_BYTES).ok().flatten()?.content;
    certificate_file::ders(content).ok()?.ders.first().map(|der| sha256(der))
}

/// As [`first_certificate`], of a folder that is open.
pub fn first_certificate_in(folder: &Folder) -> Option<Certificate> {
    let stored = folder.read(CERTIFICATE.name, files::MAX_SMALL_FILE_BYTES).ok()??;
    certificate_file::parse(&stored.content).ok()?.into_iter().next()
}

/// Whether there is something at this path that is not a folder.
pub fn is_no_folder(folder: &Path) -> bool {
    folder.symlink_metadata().is_ok() && !folder.is_dir()
}

/// Returns the first of the files to be written that a folder of the user's has already.
pub fn in_the_way(folder: &Path, with_key: bool) -> Option<PathBuf> {
    let written = certificate_files::ALL.into_iter().filter(|file| with_key || !file.is_secret);
    written.map(|file| file.path_in(folder)).find(|path| path.symlink_metadata().is_ok())
}

/// Returns the key file in a folder of the user's that does not belong to this public key: it would be beside a certificate
/// of another key. An encrypted key cannot be read; it counts as the key of the certificate beside it.
pub fn key_of_another(folder: &Path, public_key: &PublicKey) -> Result<Option<PathBuf>, StoreError> {
    let of_another = |certificate: &Certificate| certificate.public_key != *public_key;
    let is_pair_of_another = || first_certificate(folder).as_ref().is_some_and(of_another);
    Ok(match key_beside(folder, public_key)? {
        KeyBeside::None => None,
        KeyBeside::Its if !is_pair_of_another() => None,
        KeyBeside::Its | KeyBeside::Another => Some(KEY.path_in(folder)),
    })
}

/// Returns the first certificate file in a folder of the user's that begins with none of these certificates.
pub fn other_certificate(folder: &Path, own: &[Certificate]) -> Option<PathBuf> {
    let is_own = |path: &PathBuf| {
        let there = read_certificates(path);
        there.first().is_some_and(|certificate| own.contains(certificate))
    };
    certificate_files(folder).find(|path| !is_own(path))
}

fn certificate_files(folder: &Path) -> impl Iterator<Item = PathBuf> {
    [CERTIFICATE, FULLCHAIN].map(|file| file.path_in(folder)).into_iter().filter(|path| path.symlink_metadata().is_ok())
}

/// Returns the first of the files to be written that a folder of the user's has, and that belongs to none of these
/// certificates. `None`: all of them may be replaced.
///
/// # Errors
/// When the key is there and cannot be read.
pub fn file_of_another(folder: &Path, own: &[Certificate], with_key: bool) -> Result<Option<PathBuf>, FileError> {
    if certificate_files(folder).next().is_none() {
        return Ok(in_the_way(folder, with_key));
    }
    if let Some(path) = other_certificate(folder, own) {
        return Ok(Some(path));
    }
    if !with_key {
        return Ok(None);
    }
    let path = KEY.path_in(folder);
    let Some(stored) = files::read_regular(&path, files::MAX_SMALL_FILE_BYTES)? else { return Ok(None) };
    let content = Zeroizing::new(stored.content);
    let is_own_key = match KeyFile::parse(&content) {
        // It cannot be read. It was written after the certificate that is known: see `deliver_one_by_one`.
        Ok(file) if file.is_encrypted() => true,
        Ok(file) => {
            file.open(None).is_ok_and(|key| own.iter().any(|certificate| certificate.public_key == *key.public_key()))
        }
        Err(_) => false,
    };
    Ok((!is_own_key).then_some(path))
}

/// Checks that each name in a folder of the user's is free, or a regular file that may be replaced.
///
/// # Errors
/// When one is neither.
pub fn is_replaceable(folder: &Path) -> Result<(), FileError> {
    let check = |file: CertificateFile| files::check_place(&file.path_in(folder), ExistingFile::Replace);
    certificate_files::ALL.into_iter().try_for_each(check)
}

/// Whether the files in a folder are those of this certificate: all of them, with its key beside it.
///
/// # Errors
/// When the key file cannot be read.
pub fn holds(folder: &Path, certificate: &Certificate) -> Result<bool, StoreError> {
    Ok(holds_certificate(folder, certificate) && key_beside(folder, &certificate.public_key)? == KeyBeside::Its)
}

/// Whether the files in a folder are those of this certificate, and no key of another certificate is beside them.
///
/// # Errors
/// When the key file cannot be read.
pub fn holds_public(folder: &Path, certificate: &Certificate) -> Result<bool, StoreError> {
    Ok(holds_certificate(folder, certificate) && key_beside(folder, &certificate.public_key)? != KeyBeside::Another)
}

fn holds_certificate(folder: &Path, certificate: &Certificate) -> bool {
    let mut of_certificate =
        [CERTIFICATE, FULLCHAIN].into_iter().filter(|file| file.is_of_authority || !certificate.is_ca());
    let begins_with_it = |file: CertificateFile| {
        let there = read_certificates(&file.path_in(folder));
        there.first() == Some(certificate)
    };
    of_certificate.all(begins_with_it) && CHAIN.path_in(folder).is_file()
}

/// How the files in a folder compare with those of a certificate.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FolderState {
    /// The names of the files that are not there.
    pub missing: Vec<&'static str>,
    /// The names of the files that are not those of the certificate.
    pub altered: Vec<&'static str>,
    /// The name of the kind of the private key; `None` when there is none, or it cannot be read without a passphrase.
    pub key_kind: Option<String>,
    /// The mode of the private key, and the owner and group of every file.
    pub key_mode: Option<u32>,
    pub ownerships: Vec<Ownership>,
}

impl FolderState {
    /// Returns the state of a folder without files.
    pub fn empty(with_key: bool) -> Self {
        let wanted = certificate_files::ALL.into_iter().filter(|file| with_key || !file.is_secret);
        Self { missing: wanted.map(|file| file.name).collect(), ..Self::default() }
    }

    /// Reads a folder once, and compares what it has with a certificate and its key, by their SHA-256. No certificate is decoded:
    /// the question is asked about thousands of folders. Without `with_key`, a key file is not expected, but must not be another
    /// one.
    ///
    /// # Errors
    /// When a file cannot be read, or is not a regular file.
    pub fn read(folder: &Path, fingerprint: &[u8; 32], key: &[u8; 32], with_key: bool) -> Result<Self, FileError> {
        let Some(folder) = Folder::open_if_exists(folder)? else { return Ok(Self::empty(with_key)) };
        let files = read_files(&folder)?;
        let content =
            |wanted: CertificateFile| files.iter().find(|file| file.name == wanted.name).map(|file| &file.content);
        let mut state = Self { ownerships: files.iter().map(|file| file.ownership).collect(), ..Self::default() };
        let (certificate, chain) = (content(CERTIFICATE), content(CHAIN));
        for (file, is_its) in [
            (CERTIFICATE, certificate.is_some_and(|certificate| begins_with(certificate, fingerprint))),
            (CHAIN, true),
            (FULLCHAIN, content(FULLCHAIN).is_some_and(|whole| is_whole(whole, certificate, chain))),
        ] {
            match content(file) {
                None => state.missing.push(file.name),
                Some(_) if !is_its => state.altered.push(file.name),
                Some(_) => {}
            }
        }
        match files.iter().find(|file| file.name == KEY.name) {
            None if with_key => state.missing.push(KEY.name),
            None => {}
            Some(file) => {
                state.key_mode = Some(file.mode);
                let opened = match KeyFile::parse(&file.content) {
                    // It cannot be compared without its passphrase.
                    Ok(parsed) if parsed.is_encrypted() => return Ok(state),
                    parsed => parsed.and_then(|parsed| parsed.open(None)).ok(),
                };
                match opened.filter(|opened| opened.public_key().fingerprint() == *key) {
                    Some(opened) => state.key_kind = Some(opened.public_key().kind().to_string()),
                    None => state.altered.push(KEY.name),
                }
            }
        }
        Ok(state)
    }
}

/// Returns whether the first certificate of a file has this SHA-256.
fn begins_with(content: &[u8], fingerprint: &[u8; 32]) -> bool {
    let ders = certificate_file::ders(content.to_vec());
    ders.is_ok_and(|ders| ders.ders.first().is_some_and(|der| sha256(der) == *fingerprint))
}

/// Returns whether a file has the certificates of two others. What is between the blocks does not count.
fn is_whole(whole: &[u8], certificate: Option<&Zeroizing<Vec<u8>>>, chain: Option<&Zeroizing<Vec<u8>>>) -> bool {
    let (Some(certificate), Some(chain)) = (certificate, chain) else { return true };
    if whole.strip_prefix(certificate.as_slice()) == Some(chain.as_slice()) {
        return true;
    }
    let ders = |content: &[u8]| certificate_file::ders(content.to_vec()).map(|found| found.ders).unwrap_or_default();
    let parts: Vec<_> = ders(certificate).into_iter().take(1).chain(ders(chain)).collect();
    ders(whole) == parts
}

/// What the key file in a folder is to a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum KeyBeside {
    /// Its own; of an encrypted key this is assumed.
    Its,
    /// Of another certificate.
    Another,
    /// There is no key file.
    None,
}

fn key_beside(folder: &Path, public_key: &PublicKey) -> Result<KeyBeside, StoreError> {
    let Some(stored) = files::read_regular(&KEY.path_in(folder), files::MAX_SMALL_FILE_BYTES)? else {
        return Ok(KeyBeside::None);
    };
    let key = Zeroizing::new(stored.content);
    let is_its = match KeyFile::parse(&key) {
        // An encrypted key cannot be compared without its passphrase. It appeared with its folder, or before the full chain
        // did (see `deliver_one_by_one`).
        Ok(file) if file.is_encrypted() => true,
        Ok(file) => file.open(None).is_ok_and(|key| key.public_key() == public_key),
        Err(_) => false,
    };
    Ok(if is_its { KeyBeside::Its } else { KeyBeside::Another })
}
