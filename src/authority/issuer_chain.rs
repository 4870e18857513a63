//! The chain above an issuer: which CA certificates are delivered with its certificates, and whether the issuer may
//! still sign.

use crate::authority::error::CertifyError;
use crate::issuance::{CaCertificate, Issuer};
use crate::store::index::Index;
use crate::x509::Certificate;

/// Returns the CA certificates between a leaf of this issuer and the root, the issuer first. During the rotation of a
/// root, the list includes the cross-certificate of the new root by the old root, for clients that trust only the old
/// root.
pub fn chain_below_root(issuer: &Issuer<'_>) -> Vec<Certificate> {
    let facts = issuer.ca_certificate();
    let all = std::iter::once(facts.certificate()).chain(facts.above());
    all.filter(|certificate| !certificate.is_self_issued()).chain(facts.cross_certificate()).cloned().collect()
}

/// Checks that an authority may still sign: neither the authority nor a CA above it is revoked or on hold. A client
/// that knows of the revocation rejects what the authority signs (RFC 5280 §6.1.3 (a)(3)).
///
/// # Errors
/// When one of them is revoked or on hold, or the index cannot be read.
pub fn check_not_revoked(issuer: &CaCertificate, index: &Index) -> Result<(), CertifyError> {
    for certificate in std::iter::once(issuer.certificate()).chain(issuer.above()) {
        // A CRL does not contain the certificate of a root.
        if certificate.is_self_issued() {
            continue;
        }
        if let Some((name, revocation)) = index.current_revocation_of(certificate)? {
            let authority = issuer.name().to_owned();
            return Err(CertifyError::RevokedIssuer { authority, revoked: name, revocation });
        }
    }
    Ok(())
}
