//! Certificates in the formats of other programs, each made in memory from the same material.
//!
//! Every format that has a private key goes through [`encode`]; only its result is written, by the caller.

pub mod kubernetes;
pub mod openssl_index;
pub mod openvpn;

use std::fmt;
use std::str::FromStr;

use zeroize::Zeroizing;

use crate::keys::PrivateKey;
use crate::keys::key_file::{self, KeyFileError};
use crate::system::files;
use crate::text::{Diagnosis, Diagnostic, escape};
use crate::x509::{Certificate, pem, pkcs7};

/// A format of another program for a certificate of this CA.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExportFormat {
    /// The certificate and the intermediates.
    Pem,
    /// The private key, the certificate and the intermediates in one file.
    Combined,
    /// The certificate alone.
    Der,
    /// The certificate and the intermediates, as a `.p7b` file has them.
    Pkcs7,
    /// A manifest of Kubernetes.
    KubernetesSecret,
    /// The inline blocks of a profile.
    OpenVpn,
    /// `index.txt` of `openssl ca`, of all certificates of an authority.
    OpensslIndex,
}

impl ExportFormat {
    pub const ALL: [Self; 7] =
        [Self::Pem, Self::Combined, Self::Der, Self::Pkcs7, Self::KubernetesSecret, Self::OpenVpn, Self::OpensslIndex];

    /// Returns the name in flags and reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pem => "pem",
            Self::Combined => "combined",
            Self::Der => "der",
            Self::Pkcs7 => "pkcs7",
            Self::KubernetesSecret => "k8s-secret",
            Self::OpenVpn => "openvpn",
            Self::OpensslIndex => "openssl-index",
        }
    }

    /// Returns what a file of this format has, in its order.
    pub const fn parts(self) -> &'static [Part] {
        match self {
            Self::Pem | Self::Pkcs7 => &[Part::Certificate, Part::Intermediates],
            Self::Combined => &[Part::PrivateKey, Part::Certificate, Part::Intermediates],
            Self::Der => &[Part::Certificate],
            Self::KubernetesSecret | Self::OpenVpn => {
                &[Part::Roots, Part::Certificate, Part::Intermediates, Part::PrivateKey]
            }
            Self::OpensslIndex => &[Part::Index],
        }
    }

    /// Returns whether a file of this format has the private key.
    pub fn has_key(self) -> bool {
        self.parts().contains(&Part::PrivateKey)
    }

    /// Returns whether a file of this format has the roots.
    pub fn has_roots(self) -> bool {
        self.parts().contains(&Part::Roots)
    }

    /// Returns whether a file of this format is not text.
    pub const fn is_binary(self) -> bool {
        matches!(self, Self::Der)
    }

    /// Returns the permissions of a file of this format.
    pub fn mode(self) -> u32 {
        if self.has_key() { files::SECRET } else { files::PUBLIC }
    }
}

impl fmt::Display for ExportFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for ExportFormat {
    type Err = String;

    fn from_str(given: &str) -> Result<Self, Self::Err> {
        let known = Self::ALL.into_iter().find(|format| format.name() == given);
        known.ok_or_else(|| format!("expected one of {}", Self::ALL.map(Self::name).join(", ")))
    }
}

/// A part of an exported file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    PrivateKey,
    Certificate,
    Intermediates,
    Roots,
    /// Every certificate of an authority, without its content.
    Index,
}

impl Part {
    /// Returns the name in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::PrivateKey => "private key",
            Self::Certificate => "certificate",
            Self::Intermediates => "intermediates",
            Self::Roots => "roots",
            Self::Index => "index",
        }
    }

    /// Returns the name in JSON.
    pub const fn word(self) -> &'static str {
        match self {
            Self::PrivateKey => "private-key",
            other => other.name(),
        }
    }
}

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
    NoKey { name: String, format: ExportFormat },
    #[error("'{}' is an authority: its private key is not exported", escape(name))]
    AuthorityKey { name: String, format: ExportFormat },
    #[error("the private key of '{}' does not belong to its certificate", escape(.0))]
    KeyMismatch(String),
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
            Self::Writing { cause, .. } => Diagnosis::usage("bad-key").hints(cause.hint()),
        }
    }
}

impl Material<'_> {
    fn key(&self, format: ExportFormat) -> Result<&PrivateKey, ExportError> {
        self.key.ok_or_else(|| ExportError::NoKey { name: self.name.to_owned(), format })
    }

    /// Returns the private key as PEM, not encrypted.
    fn key_pem(&self, format: ExportFormat) -> Result<Zeroizing<String>, ExportError> {
        let failed = |cause| ExportError::Writing { name: self.name.to_owned(), cause };
        key_file::write(self.key(format)?, None).map_err(failed)
    }

    /// Returns the certificate and the intermediates.
    fn chain(&self) -> impl Iterator<Item = &[u8]> {
        std::iter::once(self.certificate).chain(self.intermediates).map(Certificate::as_der)
    }

    fn chain_pem(&self) -> String {
        self.chain().map(pem::certificate).collect()
    }

    fn roots_pem(&self) -> String {
        self.roots.iter().map(|root| pem::certificate(root.as_der())).collect()
    }
}

/// Makes the content of a file. [`ExportFormat::OpensslIndex`] is not about one certificate: of it, nothing is made here.
///
/// # Errors
/// When the format has the private key, and the material does not.
pub fn encode(format: ExportFormat, material: &Material<'_>) -> Result<Zeroizing<Vec<u8>>, ExportError> {
    let text = |text: String| Ok(Zeroizing::new(text.into_bytes()));
    match format {
        ExportFormat::Pem => text(material.chain_pem()),
        ExportFormat::Combined => Ok(joined(&[&material.key_pem(format)?, &material.chain_pem()])),
        ExportFormat::Der => Ok(Zeroizing::new(material.certificate.as_der().to_vec())),
        ExportFormat::Pkcs7 => text(pkcs7::certificates(material.chain())),
        ExportFormat::KubernetesSecret => {
            kubernetes::secret(material.name, &material.roots_pem(), &material.chain_pem(), &material.key_pem(format)?)
        }
        ExportFormat::OpenVpn => openvpn::profile(material, &material.key_pem(format)?),
        ExportFormat::OpensslIndex => text(String::new()),
    }
}

/// Joins texts, of which one is secret, without a copy that is not wiped.
fn joined(parts: &[&str]) -> Zeroizing<Vec<u8>> {
    let mut whole = Zeroizing::new(Vec::with_capacity(parts.iter().map(|part| part.len()).sum()));
    parts.iter().for_each(|part| whole.extend_from_slice(part.as_bytes()));
    whole
}

#[cfg(test)]
mod tests;
