//! The certificate that rules are applied to, with its issuer.

use crate::x509::{Certificate, ExtendedKeyUsage};

/// A certificate that rules are applied to.
#[derive(Debug, Clone, Copy)]
pub struct LintTarget<'a> {
    pub certificate: &'a Certificate,
    /// The certificate of the signer; `None` when it is not known.
    pub issuer: Option<&'a Certificate>,
}

impl<'a> LintTarget<'a> {
    /// Returns a target whose issuer is not known.
    pub fn alone(certificate: &'a Certificate) -> Self {
        Self { certificate, issuer: None }
    }

    pub fn is_ca(&self) -> bool {
        self.certificate.is_ca()
    }

    /// Returns whether the extended key usage has serverAuth.
    pub fn is_server(&self) -> bool {
        self.has_purpose(&ExtendedKeyUsage::ServerAuth)
    }

    /// Returns whether the extended key usage has serverAuth or clientAuth.
    pub fn is_tls(&self) -> bool {
        self.is_server() || self.has_purpose(&ExtendedKeyUsage::ClientAuth)
    }

    /// Returns whether the extended key usage has this purpose.
    pub fn has_purpose(&self, purpose: &ExtendedKeyUsage) -> bool {
        self.certificate.extended_key_usage.as_ref().is_some_and(|purposes| purposes.contains(purpose))
    }

    /// Returns whether the certificate has the extension, marked as critical.
    pub fn is_critical(&self, oid: &str) -> bool {
        self.certificate.extension(oid).is_some_and(|extension| extension.critical)
    }
}
