//! The authorities of a CA: their certificates, and the way to their keys.

use std::path::{Path, PathBuf};

use super::error::CertificateError;
use super::{AuthorityError, Config, Home};
use crate::issuance::{Issuer, IssuerFacts};
use crate::keys::key_file::{KeyFile, KeyFileError};
use crate::keys::{Passphrase, PrivateKey};
use crate::system::files;
use crate::x509::{Certificate, pem};

/// Certificates and keys are small; more than this is neither.
const MOST_OCTETS: u64 = 1024 * 1024;

/// The authority that `ca init` makes first.
pub const ROOT: &str = "root";

/// Whoever can be asked for the passphrase of a key: called only when the key is encrypted.
pub type KeyOpener<'a> = dyn FnMut(&str) -> Result<Passphrase, AuthorityError> + 'a;

/// The authorities of one CA, read as they are asked for.
pub struct Authorities<'h> {
    home: &'h Home,
}

impl<'h> Authorities<'h> {
    pub fn of(home: &'h Home) -> Self {
        Self { home }
    }

    /// The names of all, the root first.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn names(&self) -> Result<Vec<String>, AuthorityError> {
        let mut names = files::names_in(&self.home.authorities())?;
        names.retain(|name| !name.starts_with('.'));
        names.sort_by_key(|name| (name != ROOT, name.clone()));
        Ok(names)
    }

    /// Which authority issues: the one that was named, or the setting's, or the root while there is no other.
    ///
    /// # Errors
    /// When there is none of this name.
    pub fn choose(&self, named: Option<&str>, config: &Config) -> Result<String, AuthorityError> {
        let exists =
            |name: &str| !name.contains(['/', '\\', '\0']) && !name.starts_with('.') && self.cert_path(name).is_file();
        let wanted = named.unwrap_or(&config.issue.issuer);
        if exists(wanted) {
            Ok(wanted.to_owned())
        } else if named.is_none() && wanted == Config::default().issue.issuer && exists(ROOT) {
            Ok(ROOT.to_owned())
        } else {
            Err(AuthorityError::UnknownAuthority { name: wanted.to_owned(), known: self.names()? })
        }
    }

    /// The certificate of an authority and of those above it.
    ///
    /// # Errors
    /// When its files cannot be read, or it may not issue.
    pub fn facts(&self, name: &str) -> Result<IssuerFacts, AuthorityError> {
        let certificate = read_certificate(&self.cert_path(name))?;
        let mut above = read_certificates(&self.home.authority(name).join("chain.pem"))?;
        if !certificate.is_self_issued() {
            above.extend(self.root_of(above.last().unwrap_or(&certificate))?);
        }
        Ok(IssuerFacts::new(name, certificate, above)?)
    }

    /// The self-issued authority that has this certificate's issuer for its subject, if it is one of ours.
    fn root_of(&self, certificate: &Certificate) -> Result<Option<Certificate>, AuthorityError> {
        for name in self.names()? {
            let candidate = read_certificate(&self.cert_path(&name))?;
            if candidate.is_self_issued() && candidate.subject == certificate.issuer {
                return Ok(Some(candidate));
            }
        }
        Ok(None)
    }

    /// The certificates that clients must trust: those that issued themselves.
    ///
    /// # Errors
    /// When one cannot be read.
    pub fn roots(&self) -> Result<Vec<(PathBuf, Certificate)>, AuthorityError> {
        let mut roots = Vec::new();
        for name in self.names()? {
            let path = self.cert_path(&name);
            let certificate = read_certificate(&path)?;
            if certificate.is_self_issued() {
                roots.push((path, certificate));
            }
        }
        Ok(roots)
    }

    /// Opens the key of an authority: the passphrase is asked for only when there is one, and worked through here, before
    /// anybody takes a lock.
    ///
    /// # Errors
    /// When the key is away, open to others, does not open, or is not that of the certificate.
    pub fn unlock(
        &self,
        facts: IssuerFacts,
        ask: &mut KeyOpener<'_>,
    ) -> Result<(Issuer, Option<Passphrase>), AuthorityError> {
        let name = facts.name().to_owned();
        let path = self.home.authority(&name).join("key.pem");
        let Some(content) = files::read_if_exists(&path, MOST_OCTETS)? else {
            return Err(AuthorityError::KeyAway { authority: name, path });
        };
        if !files::is_secret_to_us(&path)? {
            return Err(AuthorityError::LooseKey(path));
        }
        let (key, passphrase) = open_key(&path, &content, ask, &format!("Passphrase of '{name}': "))?;
        Ok((Issuer::new(facts, key)?, passphrase))
    }

    fn cert_path(&self, name: &str) -> PathBuf {
        self.home.authority(name).join("cert.pem")
    }
}

/// Opens a key file's content, asking for the passphrase when it is encrypted.
pub fn open_key(
    path: &Path,
    content: &[u8],
    ask: &mut KeyOpener<'_>,
    question: &str,
) -> Result<(PrivateKey, Option<Passphrase>), AuthorityError> {
    let failed = |cause| match cause {
        KeyFileError::WrongPassphrase => AuthorityError::WrongPassphrase(path.to_owned()),
        cause => AuthorityError::KeyFile { path: path.to_owned(), cause },
    };
    let file = KeyFile::parse(content).map_err(failed)?;
    let passphrase = if file.is_encrypted() { Some(ask(question)?) } else { None };
    let key = file.open(passphrase.as_ref()).map_err(failed)?;
    Ok((key, passphrase))
}

/// The first certificate of a file.
pub fn read_certificate(path: &Path) -> Result<Certificate, AuthorityError> {
    let certificate = read_certificates(path)?.into_iter().next();
    certificate.ok_or_else(|| AuthorityError::Certificate { path: path.to_owned(), cause: CertificateError::None })
}

/// All certificates of a file, PEM or a single DER; none when the file is empty or missing.
pub fn read_certificates(path: &Path) -> Result<Vec<Certificate>, AuthorityError> {
    let content = files::read_if_exists(path, MOST_OCTETS)?.unwrap_or_default();
    certificates(&content).map_err(|cause| AuthorityError::Certificate { path: path.to_owned(), cause })
}

/// As [`read_certificates`], from the content of a file.
pub fn certificates(content: &[u8]) -> Result<Vec<Certificate>, CertificateError> {
    if content.iter().all(u8::is_ascii_whitespace) {
        return Ok(Vec::new());
    }
    if !pem::is_pem(content) {
        return Ok(vec![Certificate::from_der(content)?]);
    }
    let blocks = pem::parse_all(content)?;
    let certificates = blocks.iter().filter(|block| matches!(block.label.as_str(), "CERTIFICATE" | "X509 CERTIFICATE"));
    certificates.map(|block| Ok(Certificate::from_der(&block.content)?)).collect()
}
