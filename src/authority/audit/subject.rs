//! What the checks of files share: the index, the CA certificates, and the findings so far.

use std::path::Path;

use zeroize::Zeroizing;

use crate::authority::audit::event_log::Facts;
use crate::authority::audit::finding::{Findings, Repair, Severity};
use crate::authority::audit::records::RecordedCa;
use crate::authority::signed_by::has_signed;
use crate::keys::Signer;
use crate::keys::key_file::KeyFile;
use crate::store::index::{Entry, Index, IndexError};
use crate::store::progress::Progress;
use crate::store::{Store, StoreError, ca_certificates};
use crate::system::files::{self, FileError};
use crate::text::{self, PathText};
use crate::x509::{Certificate, pem};

/// What is audited.
pub struct Subject<'a> {
    pub store: &'a Store,
    pub index: &'a Index,
    pub authorities: &'a [RecordedCa],
    /// What the log says of them.
    pub facts: &'a Facts,
    pub progress: &'a dyn Progress,
}

impl Subject<'_> {
    /// Returns the record of exactly this certificate.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub fn record_of(&self, certificate: &Certificate) -> Result<Option<Entry>, IndexError> {
        let fingerprint = certificate.fingerprint();
        let entries = self.index.by_serial(&certificate.serial)?;
        Ok(entries.into_iter().find(|entry| entry.fingerprint == fingerprint))
    }

    /// Returns the name of the authority whose key signed a certificate; `None` when none of this CA did.
    pub fn signer_of(&self, certificate: &Certificate) -> Option<&str> {
        self.issuer_of(certificate).map(|issuer| issuer.name.as_str())
    }

    fn issuer_of(&self, certificate: &Certificate) -> Option<&RecordedCa> {
        self.authorities.iter().find(|authority| has_signed(&authority.certificate, certificate))
    }

    /// Returns the certificates between a certificate and its root, by the index; `None` when one is missing there.
    pub fn chain_of(&self, certificate: &Certificate) -> Option<Vec<Certificate>> {
        /// No chain of this program is as long.
        const LONGEST: usize = 10;
        let mut chain: Vec<Certificate> = Vec::new();
        while chain.len() < LONGEST {
            let last = chain.last().unwrap_or(certificate);
            if last.is_self_issued() {
                return Some(chain);
            }
            // A root is preferred to a cross-certificate for the same key.
            let issuers = || self.authorities.iter().filter(|ca| has_signed(&ca.certificate, last));
            let issuer = issuers().find(|ca| ca.certificate.is_self_issued()).or_else(|| issuers().next_back())?;
            if issuer.certificate.is_self_issued() {
                return Some(chain);
            }
            chain.push(issuer.certificate.clone());
        }
        None
    }

    /// Describes a certificate for messages: whose it is, and whether the index has it.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub fn describe(&self, certificate: &Certificate) -> Result<String, IndexError> {
        let serial = &certificate.serial;
        Ok(match (self.record_of(certificate)?, self.signer_of(certificate)) {
            (Some(entry), _) => {
                format!("the certificate of '{}' with serial number {serial}", text::escape(&entry.name))
            }
            (None, Some(authority)) => format!(
                "a certificate with serial number {serial} that '{}' signed and the index does not have",
                text::escape(authority)
            ),
            (None, None) => format!("a certificate with serial number {serial} that no authority of this CA signed"),
        })
    }

    /// Checks the chain in a file: each certificate signed the one before it, and the last one is below a root. Returns the
    /// chain, or that of the index when the file cannot be read.
    pub fn check_chain(&self, path: &Path, certificate: &Certificate, findings: &mut Findings) -> Vec<Certificate> {
        let repair = || {
            let chain = self.chain_of(certificate)?;
            let text: String = chain.iter().map(|above| pem::certificate(above.as_der())).collect();
            Some(Repair::Write { path: path.to_owned(), content: text.into_bytes(), mode: files::PUBLIC })
        };
        let Some(chain) = read_certificates(path, "chain.pem", repair, findings) else {
            return self.chain_of(certificate).unwrap_or_default();
        };
        let mut below = certificate;
        for above in &chain {
            if !above.is_ca() || !has_signed(above, below) {
                let message = format!("'{}' in it did not sign '{}'", above.subject, below.subject);
                findings.error("chain-differs", path.escaped().to_string(), message, RESTORE_FILE);
                return chain;
            }
            below = above;
        }
        let is_below_root = below.is_self_issued()
            || self.authorities.iter().any(|ca| ca.certificate.is_self_issued() && has_signed(&ca.certificate, below))
            // Of an imported CA, the root need not be in the index.
            || !self.authorities.iter().any(|ca| ca.certificate.subject == below.issuer);
        if !is_below_root {
            let message = format!(
                "its last certificate is '{}', whose issuer '{}' is \
                 missing",
                below.subject, below.issuer
            );
            findings.error("chain-differs", path.escaped().to_string(), message, RESTORE_FILE);
        }
        chain
    }

    /// Checks a key file: its mode, and that it belongs to the certificate beside it. Of an encrypted key only the mode can
    /// be checked. Returns false when there is no such file.
    pub fn check_key(path: &Path, certificate: &Certificate, mode: u32, findings: &mut Findings) -> bool {
        let object = path.escaped().to_string();
        let content = match files::read_if_exists(path, files::MAX_SMALL_FILE_BYTES) {
            Ok(None) => return false,
            Ok(Some(content)) => Zeroizing::new(content),
            Err(error) => {
                unreadable(path, &error, findings);
                return true;
            }
        };
        check_key_mode(path, mode, findings);
        let is_its = match KeyFile::parse(&content) {
            Ok(file) if file.is_encrypted() => true,
            Ok(file) => file.open(None).is_ok_and(|key| *key.public_key() == certificate.public_key),
            Err(_) => false,
        };
        if !is_its {
            let message =
                format!("it is not the private key of the certificate with serial number {}", certificate.serial);
            findings.error(
                "key-differs",
                object,
                message,
                "restore the key from a backup, or issue for a new key: ca rekey NAME",
            );
        }
        true
    }
}

/// Checks the mode of a key file, if there is one.
pub fn check_key_mode(path: &Path, mode: u32, findings: &mut Findings) {
    if let Ok(found) = files::mode(path)
        && found & !mode & 0o777 != 0
    {
        let message = format!("other users can read or change the private key: its mode is {found:04o}");
        let fix = format!("chmod {mode:04o} {}", path.in_shell());
        let repair = Some(Repair::Mode { path: path.to_owned(), mode });
        findings.repairable(Severity::Error, "key-readable", path.escaped().to_string(), message, fix, repair);
    }
}

/// The fix for a file that was changed.
pub const RESTORE_FILE: &str =
    "find out who changed it; move it away, and restore the file from a backup or with 'ca audit --fix'";

/// The code of a file or folder that this user cannot read.
pub const UNREADABLE: &str = "file-unreadable";

/// Adds that a file or folder cannot be read by this user.
pub fn unreadable(path: &Path, error: &FileError, findings: &mut Findings) {
    let fix = "run the audit as the owner of the file";
    findings.add(Severity::Warning, UNREADABLE, path.escaped().to_string(), error.to_string(), fix);
}

/// Reads the certificates of a file. `None` when that is not possible, which is a finding.
pub fn read_certificates(
    path: &Path,
    what: &str,
    repair: impl FnOnce() -> Option<Repair>,
    findings: &mut Findings,
) -> Option<Vec<Certificate>> {
    let object = path.escaped().to_string();
    if path.symlink_metadata().is_err_and(|error| error.kind() == std::io::ErrorKind::NotFound) {
        let fix = "ca audit --fix, or restore it from a backup";
        let message = format!("{what} is missing");
        findings.repairable(Severity::Error, "file-missing", object, message, fix, repair());
        return None;
    }
    match ca_certificates::read_certificates(path) {
        Ok(certificates) => Some(certificates),
        Err(StoreError::File(error)) => {
            unreadable(path, &error, findings);
            None
        }
        Err(error) => {
            findings.error("file-differs", object, error.to_string(), RESTORE_FILE);
            None
        }
    }
}
