//! The chain above an issuer: what is delivered with its certificates, and whether it may go on signing.

use crate::authority::error::CertifyError;
use crate::issuance::{CaCertificate, Issuer};
use crate::store::index::Index;
use crate::x509::Certificate;

/// What stands between a leaf of this issuer and the root, the issuer first; while a root follows another, with the
/// certificate of the new one by the old one, for those who trust only that.
pub fn chain_below_root(issuer: &Issuer<'_>) -> Vec<Certificate> {
    let facts = issuer.ca_certificate();
    let all = std::iter::once(facts.certificate()).chain(facts.above());
    all.filter(|certificate| !certificate.is_self_issued()).chain(facts.cross_certificate()).cloned().collect()
}

/// Whether an authority may go on signing: neither it nor one above it was revoked or put on hold. Whoever knows that would
/// not believe what it signs (RFC 5280 §6.1.3 (a)(3)).
///
/// # Errors
/// When one of them was; and when the index cannot be read.
pub fn check_not_revoked(issuer: &CaCertificate, index: &Index) -> Result<(), CertifyError> {
    for certificate in std::iter::once(issuer.certificate()).chain(issuer.above()) {
        // A root is in no list.
        if certificate.is_self_issued() {
            continue;
        }
        if let Some((name, revocation)) = index.standing_revocation_of(certificate)? {
            let authority = issuer.name().to_owned();
            return Err(CertifyError::RevokedIssuer { authority, revoked: name, revocation });
        }
    }
    Ok(())
}
