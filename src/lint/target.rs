//! What the rules look at: a certificate, and whoever signs it.

use crate::x509::{Certificate, ExtendedKeyUsage};

/// A certificate under examination.
#[derive(Debug, Clone, Copy)]
pub struct LintTarget<'a> {
    pub certificate: &'a Certificate,
    /// The certificate of the signer, where it is known.
    pub issuer: Option<&'a Certificate>,
}

impl<'a> LintTarget<'a> {
    /// A certificate without its issuer at hand.
    pub fn alone(certificate: &'a Certificate) -> Self {
        Self { certificate, issuer: None }
    }

    pub fn is_ca(&self) -> bool {
        self.certificate.is_ca()
    }

    /// Meant for TLS servers: serverAuth is among its purposes.
    pub fn is_server(&self) -> bool {
        self.has_purpose(&ExtendedKeyUsage::ServerAuth)
    }

    /// Meant for TLS, on either side.
    pub fn is_tls(&self) -> bool {
        self.is_server() || self.has_purpose(&ExtendedKeyUsage::ClientAuth)
    }

    /// Whether this purpose is named in the certificate.
    pub fn has_purpose(&self, purpose: &ExtendedKeyUsage) -> bool {
        self.certificate.extended_key_usage.as_ref().is_some_and(|purposes| purposes.contains(purpose))
    }

    /// Whether the extension is there and critical.
    pub fn is_critical(&self, oid: &str) -> bool {
        self.certificate.extension(oid).is_some_and(|extension| extension.critical)
    }
}
