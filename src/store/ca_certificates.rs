//! The authorities of a CA: their certificates and their key files.

use std::cell::RefCell;
use std::collections::HashMap;
use std::path::{Path, PathBuf};

use super::error::StoreError;
use super::passphrase_prompt::{EncryptedKey, PassphrasePrompt, open_with};
use zeroize::Zeroizing;

use crate::issuance::{CaCertificate, Issuer};
use crate::keys::key_file::{KeyFile, KeyFileError};
use crate::keys::{self, Passphrase, PrivateKey};
use crate::store::certificate_files::{CERTIFICATE, CHAIN};
use crate::store::config::Config;
use crate::store::home::Home;
use crate::store::trusted_directory;
use crate::system::files;
use crate::x509::certificate_file::CertificateFileError;
use crate::x509::{Certificate, certificate_file};

/// The name of the authority that `ca init` makes first.
pub const ROOT: &str = "root";

/// A root of this CA.
#[derive(Debug, Clone)]
pub struct Root {
    /// The name of the authority.
    pub name: String,
    /// The path of its certificate.
    pub path: PathBuf,
    pub certificate: Certificate,
}

/// The rotation of a root: a new root replaces an old one, and both are trusted.
#[derive(Debug, Clone)]
pub struct Rotation {
    /// The names of the two authorities.
    pub old: String,
    pub new: String,
    /// The cross-certificate of the new root, signed by the old one.
    pub cross_certificate: Certificate,
}

/// The content of an authority's key file, not yet decrypted or parsed as a key.
pub struct CaKeyFile {
    authority: String,
    path: PathBuf,
    content: Zeroizing<Vec<u8>>,
}

impl CaKeyFile {
    /// Returns the path of the file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns true when the key is encrypted. False also for a file that is not a private key.
    pub fn is_encrypted(&self) -> bool {
        KeyFile::parse(&self.content).is_ok_and(|file| file.is_encrypted())
    }

    /// Opens the key; `prompt` is called for the passphrase when the key is encrypted. Decryption is slow on purpose.
    ///
    /// # Errors
    /// When the passphrase is missing or wrong, or the file is not a private key.
    pub fn open(&self, prompt: &mut PassphrasePrompt<'_>) -> Result<(PrivateKey, Option<Passphrase>), StoreError> {
        open_key(&self.path, &self.content, prompt, &EncryptedKey::Authority(self.authority.clone()))
    }
}

impl Root {
    /// Returns true when this root's key signed the certificate and the issuer name matches.
    pub fn has_signed(&self, certificate: &Certificate) -> bool {
        let algorithm = &certificate.signature_algorithm;
        certificate.issuer == self.certificate.subject
            && keys::verify(&self.certificate.public_key, algorithm, certificate.tbs(), &certificate.signature).is_ok()
    }
}

/// The authorities of one CA, read on demand.
pub struct CaCertificates {
    home: Home,
    /// The files that were read, and their certificates. Every call reads the file again, since another process may
    /// have exchanged it; content with the same bytes as before is not parsed again.
    parsed: RefCell<HashMap<PathBuf, Parsed>>,
}

/// A file of certificates.
struct Parsed {
    content: Vec<u8>,
    certificates: Vec<Certificate>,
}

impl CaCertificates {
    pub fn of(home: &Home) -> Self {
        Self { home: home.clone(), parsed: RefCell::default() }
    }

    /// Returns the names of all authorities that have a certificate, the root first.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn names(&self) -> Result<Vec<String>, StoreError> {
        let mut names = files::names_in(&self.home.authorities())?;
        names.retain(|name| !name.starts_with('.') && self.cert_path(name).is_file());
        names.sort_by_key(|name| (name != ROOT, name.clone()));
        Ok(names)
    }

    /// Returns true when an authority of this name has a certificate.
    pub fn exists(&self, name: &str) -> bool {
        is_plain(name) && self.cert_path(name).is_file()
    }

    /// Returns true when an authority of this name has a CSR and waits for its certificate.
    pub fn is_pending(&self, name: &str) -> bool {
        is_plain(name) && !self.cert_path(name).is_file() && self.home.request(name).is_file()
    }

    /// Returns the authority that issues: the named one, or that of the setting, or the active root when there is no
    /// other; in the place of one that was replaced, the one that replaced it.
    ///
    /// # Errors
    /// When no authority has this name.
    pub fn choose_issuer(&self, named: Option<&str>, config: &Config) -> Result<String, StoreError> {
        // One that was replaced may have been moved away.
        let wanted = named.unwrap_or(&config.issue.issuer);
        let names = self.names()?;
        match self.newest_among(&names, wanted.to_owned())? {
            newest if newest != wanted => Ok(newest),
            _ => self.choose_named(&names, named, config),
        }
    }

    /// As [`choose_issuer`](Self::choose_issuer); one that is named is that one, replaced or not.
    ///
    /// # Errors
    /// When no authority has this name.
    pub fn choose(&self, named: Option<&str>, config: &Config) -> Result<String, StoreError> {
        match named {
            Some(_) => self.choose_named(&self.names()?, named, config),
            None => self.choose_issuer(None, config),
        }
    }

    /// Returns the authority that issues in the place of this one: itself, or the last of those that replaced each other.
    ///
    /// # Errors
    /// When the folder or a file cannot be read.
    pub fn newest_of(&self, name: String) -> Result<String, StoreError> {
        self.newest_among(&self.names()?, name)
    }

    fn newest_among(&self, names: &[String], mut name: String) -> Result<String, StoreError> {
        let mut replacements = self.replacements(names)?;
        // Each is followed once: a file that was edited by hand could lead in a circle.
        while let Some(at) = replacements.iter().position(|(replaced, _)| *replaced == name) {
            name = replacements.swap_remove(at).1;
        }
        Ok(name)
    }

    /// Returns the authority that replaced this one (`ca rekey`); `None` when it issues itself.
    ///
    /// # Errors
    /// When the folder or a file cannot be read.
    pub fn successor_of(&self, name: &str) -> Result<Option<String>, StoreError> {
        Ok(self.replacements(&self.names()?)?.into_iter().find(|(replaced, _)| replaced == name).map(|(_, by)| by))
    }

    /// Returns the authorities that were replaced by one of these, each with the one that replaced it.
    fn replacements(&self, names: &[String]) -> Result<Vec<(String, String)>, StoreError> {
        let mut replacements = Vec::new();
        for by in names {
            let Some(text) = files::read_if_exists(&self.home.replaces(by), files::MAX_SMALL_FILE_BYTES)? else {
                continue;
            };
            let replaced = String::from_utf8_lossy(&text).trim().to_owned();
            if replaced != *by {
                replacements.push((replaced, by.clone()));
            }
        }
        Ok(replacements)
    }

    /// As [`choose`](Self::choose); `known` are the names of all authorities.
    fn choose_named(&self, known: &[String], named: Option<&str>, config: &Config) -> Result<String, StoreError> {
        let wanted = named.unwrap_or(&config.issue.issuer);
        if self.exists(wanted) {
            return Ok(wanted.to_owned());
        }
        if self.is_pending(wanted) && named.is_some() {
            return Err(StoreError::Pending(wanted.to_owned()));
        }
        if named.is_none()
            && wanted == Config::default().issue.issuer
            && let Some(root) = self.present_root_among(known)?
        {
            return Ok(root);
        }
        let (name, known) = (wanted.to_owned(), known.to_vec());
        Err(match named {
            None if name == Config::default().issue.issuer && self.exists(ROOT) => {
                let (path, certificate) = (self.cert_path(ROOT), self.certificate(ROOT)?);
                let (subject, issuer) = (certificate.subject.to_string(), certificate.issuer.to_string());
                StoreError::NotARoot { path, subject, issuer }
            }
            // `ca.toml` does not have to name an issuer: the root would be used, but it is missing as well.
            None if name == Config::default().issue.issuer => {
                StoreError::UnknownAuthority { name: ROOT.to_owned(), known }
            }
            None => StoreError::UnknownIssuer { name, known },
            Some(_) => StoreError::UnknownAuthority { name, known },
        })
    }

    /// Returns the rotation that is in progress, which the cross-certificate of the new root shows; `None` when there
    /// is none.
    ///
    /// # Errors
    /// When a certificate cannot be read.
    pub fn rotation(&self) -> Result<Option<Rotation>, StoreError> {
        self.rotation_among(&self.names()?)
    }

    fn rotation_among(&self, names: &[String]) -> Result<Option<Rotation>, StoreError> {
        for new in names {
            let path = self.home.new_with_old(new);
            if !path.is_file() {
                continue;
            }
            let cross_certificate = self.first_of(&path)?;
            // Once the old root is removed from here, the cross-certificate has no further use.
            if let Some(old) = self.roots_among(names)?.into_iter().find(|root| root.has_signed(&cross_certificate)) {
                return Ok(Some(Rotation { old: old.name, new: new.clone(), cross_certificate }));
            }
        }
        Ok(None)
    }

    /// Returns the root that issues; during a rotation, the new one. `None` when there is no root.
    ///
    /// # Errors
    /// When a certificate cannot be read.
    pub fn present_root(&self) -> Result<Option<String>, StoreError> {
        self.present_root_among(&self.names()?)
    }

    fn present_root_among(&self, names: &[String]) -> Result<Option<String>, StoreError> {
        if let Some(rotation) = self.rotation_among(names)? {
            return Ok(Some(rotation.new));
        }
        // A root that was imported for its earlier certificates comes after the roots that this CA made.
        let rank = |name: &str| (name != ROOT, !self.home.new_with_old(name).is_file());
        Ok(self.roots_among(names)?.into_iter().map(|root| root.name).min_by_key(|name| rank(name)))
    }

    /// Returns the certificate of an authority with the CA certificates above it.
    ///
    /// # Errors
    /// When the files cannot be read, or the authority may not issue.
    pub fn ca_certificate(&self, name: &str) -> Result<CaCertificate, StoreError> {
        let certificate = self.first_of(&self.cert_path(name))?;
        let mut above = self.all_of(&CHAIN.path_in(&self.home.authority(name)))?;
        let names = self.names()?;
        if !certificate.is_self_issued() {
            above.extend(self.root_of(&names, above.last().unwrap_or(&certificate))?);
        }
        let cross_certificate = match self.rotation_among(&names)? {
            Some(Rotation { old, cross_certificate, .. }) => {
                let root = above.last().unwrap_or(&certificate);
                let is_its_own =
                    root.public_key == cross_certificate.public_key && root.subject == cross_certificate.subject;
                let depth = above.len();
                (is_its_own && bears(&self.certificate(&old)?, depth + 1)).then_some(cross_certificate)
            }
            None => None,
        };
        Ok(CaCertificate::new(name, certificate, above)?.with_cross_certificate(cross_certificate))
    }

    /// Returns why clients that trust only this root would reject certificates below a new root: the path length, as a
    /// sentence. `None` when they would accept them.
    ///
    /// # Errors
    /// When a chain cannot be read.
    pub fn why_no_cross_certificate(
        &self,
        root: &str,
        certificate: &Certificate,
    ) -> Result<Option<String>, StoreError> {
        let mut deepest = 0;
        for name in self.names()? {
            let facts = self.ca_certificate(&name)?;
            if name != root && facts.above().last() == Some(certificate) {
                deepest = deepest.max(facts.above().len());
            }
        }
        if bears(certificate, deepest + 1) {
            return Ok(None);
        }
        let length = certificate.basic_constraints.and_then(|constraints| constraints.path_length).unwrap_or_default();
        Ok(Some(format!(
            "its path length is {length}, and with the new root between there would be {} CAs below it",
            deepest + 1
        )))
    }

    /// Returns true when every authority below the new root delivers the cross-certificate of that root.
    ///
    /// # Errors
    /// When a certificate cannot be read.
    pub fn have_cross_certificate(&self, root: &Certificate) -> Result<bool, StoreError> {
        for name in self.names()? {
            let facts = self.ca_certificate(&name)?;
            if facts.above().last().unwrap_or(facts.certificate()) == root && facts.cross_certificate().is_none() {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Returns the certificate of an authority.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn certificate(&self, name: &str) -> Result<Certificate, StoreError> {
        self.first_of(&self.cert_path(name))
    }

    /// Returns the self-issued certificate whose subject is the issuer of this certificate; `None` when this CA does
    /// not have it.
    fn root_of(&self, names: &[String], certificate: &Certificate) -> Result<Option<Certificate>, StoreError> {
        let mut roots = self.roots_among(names)?.into_iter().map(|root| root.certificate);
        Ok(roots.find(|root| root.subject == certificate.issuer))
    }

    /// Returns the certificates that clients must trust: those of the self-issued authorities.
    ///
    /// # Errors
    /// When one cannot be read.
    pub fn roots(&self) -> Result<Vec<Root>, StoreError> {
        self.roots_among(&self.names()?)
    }

    fn roots_among(&self, names: &[String]) -> Result<Vec<Root>, StoreError> {
        let mut roots = Vec::new();
        for name in names {
            let path = self.cert_path(name);
            let certificate = self.first_of(&path)?;
            if certificate.is_self_issued() {
                roots.push(Root { name: name.clone(), path, certificate });
            }
        }
        Ok(roots)
    }

    /// Reads the key file of an authority without opening the key.
    ///
    /// # Errors
    /// When the file is missing, other users can read or change it, or it is not a private key.
    pub fn key_file(&self, name: &str) -> Result<CaKeyFile, StoreError> {
        let path = self.home.key(name);
        let Some(content) = files::read_if_exists(&path, files::MAX_SMALL_FILE_BYTES)? else {
            return Err(StoreError::KeyAway { authority: name.to_owned(), path });
        };
        let content = Zeroizing::new(content);
        if !trusted_directory::is_secret(&path, self.home.owners())? {
            return Err(StoreError::LooseKey(path));
        }
        Ok(CaKeyFile { authority: name.to_owned(), path, content })
    }

    /// Opens the key of an authority. The passphrase is derived here, before the caller takes a lock.
    ///
    /// # Errors
    /// As [`key_file`](Self::key_file); when the key cannot be opened, or does not match the certificate.
    pub fn unlock(
        &self,
        facts: CaCertificate,
        prompt: &mut PassphrasePrompt<'_>,
    ) -> Result<(Issuer<'static>, Option<Passphrase>), StoreError> {
        let (key, passphrase) = self.key_file(facts.name())?.open(prompt)?;
        Ok((Issuer::new(facts, key)?, passphrase))
    }

    /// Replaces the certificate and chain of an opened issuer by the current ones.
    ///
    /// # Errors
    /// When they cannot be read, or are for another key.
    pub fn refresh(&self, issuer: &mut Issuer<'_>) -> Result<(), StoreError> {
        Ok(issuer.refresh(self.ca_certificate(issuer.ca_certificate().name())?)?)
    }

    /// As [`read_certificate`].
    fn first_of(&self, path: &Path) -> Result<Certificate, StoreError> {
        first(path, self.all_of(path)?)
    }

    /// As [`read_certificates`].
    fn all_of(&self, path: &Path) -> Result<Vec<Certificate>, StoreError> {
        let content = files::read_if_exists(path, files::MAX_SMALL_FILE_BYTES)?.unwrap_or_default();
        if let Some(known) = self.parsed.borrow().get(path).filter(|known| known.content == content) {
            return Ok(known.certificates.clone());
        }
        let certificates = parse(path, &content)?;
        self.parsed.borrow_mut().insert(path.to_owned(), Parsed { content, certificates: certificates.clone() });
        Ok(certificates)
    }

    /// Returns the CA directory.
    pub fn home(&self) -> &Home {
        &self.home
    }

    pub(crate) fn cert_path(&self, name: &str) -> PathBuf {
        CERTIFICATE.path_in(&self.home.authority(name))
    }
}

/// Returns true when the path length of the root allows this many CAs below it (RFC 5280 §4.2.1.9).
fn bears(root: &Certificate, authorities: usize) -> bool {
    let length = root.basic_constraints.and_then(|constraints| constraints.path_length);
    length.is_none_or(|length| authorities <= length as usize)
}

/// Returns true when the name leads to a folder of authorities and not outside of it.
fn is_plain(name: &str) -> bool {
    !name.is_empty() && !name.contains(['/', '\\', '\0']) && !name.starts_with('.')
}

/// Opens the content of a key file, and asks for the passphrase when the key is encrypted.
pub fn open_key(
    path: &Path,
    content: &[u8],
    prompt: &mut PassphrasePrompt<'_>,
    which: &EncryptedKey,
) -> Result<(PrivateKey, Option<Passphrase>), StoreError> {
    let failed = |cause| match cause {
        KeyFileError::WrongPassphrase => StoreError::WrongPassphrase(path.to_owned()),
        cause => StoreError::KeyFile { path: path.to_owned(), cause },
    };
    let file = KeyFile::parse(content).map_err(failed)?;
    if !file.is_encrypted() {
        return Ok((file.open(None).map_err(failed)?, None));
    }
    let open = |passphrase: &Passphrase| file.open(Some(passphrase)).map_err(failed);
    let is_wrong = |error: &StoreError| matches!(error, StoreError::WrongPassphrase(_));
    let (key, passphrase) = open_with(|| Ok(prompt(which)?), open, is_wrong)?;
    Ok((key, Some(passphrase)))
}

/// Reads the first certificate of a file.
pub fn read_certificate(path: &Path) -> Result<Certificate, StoreError> {
    first(path, read_certificates(path)?)
}

fn first(path: &Path, certificates: Vec<Certificate>) -> Result<Certificate, StoreError> {
    let none = || StoreError::Certificate { path: path.to_owned(), cause: CertificateFileError::None };
    certificates.into_iter().next().ok_or_else(none)
}

/// Reads all certificates of a file, PEM or a single DER; the list is empty when the file is empty or missing.
pub fn read_certificates(path: &Path) -> Result<Vec<Certificate>, StoreError> {
    parse(path, &files::read_if_exists(path, files::MAX_SMALL_FILE_BYTES)?.unwrap_or_default())
}

fn parse(path: &Path, content: &[u8]) -> Result<Vec<Certificate>, StoreError> {
    certificate_file::parse(content).map_err(|cause| StoreError::Certificate { path: path.to_owned(), cause })
}
