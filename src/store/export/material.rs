//! What an export is made of, and why it cannot be made.

use zeroize::Zeroizing;

use super::format::ExportFormat;
use crate::keys::PrivateKey;
use crate::keys::key_file::{self, KeyFileError};
use crate::text::{Diagnosis, Diagnostic, escape};
use crate::x509::{Certificate, pem};

/// What an export is made of.
pub struct Material<'a> {
    /// The name of the certificate.
    pub name: &'a str,
    pub certificate: &'a Certificate,
    /// The CA certificates between it and its root, its issuer first.
    pub intermediates: &'a [Certificate],
    /// The roots that clients must trust; needed by formats that [have](ExportFormat::has_roots) them.
    pub roots: &'a [Certificate],
    /// Needed by formats that [have](ExportFormat::has_key) it.
    pub key: Option<&'a PrivateKey>,
}

/// Why an export cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    #[error("{format} needs the private key of '{}', which is not with its files", escape(name))]
    NoKey { name: String, format: String },
    #[error("'{}' is an authority: its private key is not exported", escape(name))]
    AuthorityKey { name: String, format: ExportFormat },
    #[error("the private key of '{}' does not belong to its certificate", escape(.0))]
    KeyMismatch(String),
    #[error("a passphrase is required for the exported file")]
    NoPassphrase,
    #[error(transparent)]
    Passphrase(KeyFileError),
    #[error("der has one certificate, and this CA has {0} roots")]
    SeveralRoots(usize),
    #[error("the trust store cannot be written: {0}")]
    Roots(KeyFileError),
    #[error("the private key of '{}' cannot be written: {cause}", escape(name))]
    Writing { name: String, cause: KeyFileError },
}

impl Diagnostic for ExportError {
    fn diagnosis(&self) -> Diagnosis {
        match self {
            Self::NoKey { .. } => Diagnosis::refused("no-private-key")
                .hint("export where the private key is, or choose a format without it: --as pem"),
            Self::AuthorityKey { .. } => Diagnosis::refused("authority-key")
                .hint("choose a format without the private key: --as pem")
                .hint("to copy the whole CA with its keys, encrypted: ca backup FILE"),
            Self::KeyMismatch(_) => Diagnosis::refused("key-mismatch").hint("ca audit shows what differs"),
            Self::NoPassphrase => Diagnosis::usage("no-passphrase")
                .hint("give --passphrase-file FILE, --passphrase-env VAR or --passphrase-fd N")
                .hint("or write to a file, beside which a generated passphrase is written: --out FILE"),
            Self::SeveralRoots(_) => Diagnosis::usage("several-roots")
                .hint("choose a format for several: --as pem")
                .hint("or export one of them: ca export AUTHORITY --as der"),
            Self::Roots(cause) => Diagnosis::usage("bad-key").hints(cause.hint()),
            Self::Passphrase(_) => {
                Diagnosis::usage("bad-passphrase").hint("choose a passphrase of letters, digits and ASCII punctuation")
            }
            Self::Writing { cause, .. } => Diagnosis::usage("bad-key").hints(cause.hint()),
        }
    }
}

impl Material<'_> {
    pub(super) fn key(&self, format: &str) -> Result<&PrivateKey, ExportError> {
        let missing = || ExportError::NoKey { name: self.name.to_owned(), format: format.to_owned() };
        self.key.ok_or_else(missing)
    }

    /// Returns the private key as PEM, not encrypted. `format` is what needs it.
    pub(in crate::store) fn key_pem(&self, format: &str) -> Result<Zeroizing<String>, ExportError> {
        let failed = |cause| ExportError::Writing { name: self.name.to_owned(), cause };
        key_file::write(self.key(format)?, None).map_err(failed)
    }

    /// Returns the certificate and the intermediates.
    pub(in crate::store) fn chain(&self) -> impl Iterator<Item = &[u8]> {
        std::iter::once(self.certificate).chain(self.intermediates).map(Certificate::as_der)
    }

    pub(super) fn chain_pem(&self) -> String {
        self.chain().map(pem::certificate).collect()
    }

    pub(super) fn roots_pem(&self) -> String {
        self.roots.iter().map(|root| pem::certificate(root.as_der())).collect()
    }
}

/// Joins texts, of which one is secret, without a copy that is not wiped.
pub(in crate::store) fn joined(parts: &[&str]) -> Zeroizing<Vec<u8>> {
    let mut whole = Zeroizing::new(Vec::with_capacity(parts.iter().map(|part| part.len()).sum()));
    parts.iter().for_each(|part| whole.extend_from_slice(part.as_bytes()));
    whole
}
