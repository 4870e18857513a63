//! Whether the key of a CA signed a certificate or a CRL that was found in a file: the issuer's name fits, and the signature
//! verifies.

use crate::keys;
use crate::keys::verification::{VerificationError, verify_over_sha1};
use crate::x509::{CanonicalName, Certificate, Crl};

/// Returns true when the CA signed the certificate.
pub(crate) fn has_signed(ca: &Certificate, certificate: &Certificate) -> bool {
    let Certificate { issuer, signature_algorithm, signature, .. } = certificate;
    CanonicalName::of(issuer) == CanonicalName::of(&ca.subject)
        && keys::verify(&ca.public_key, signature_algorithm, certificate.tbs(), signature).is_ok()
}

/// Returns true when the CA signed the certificate, over SHA-1. See [`verify_over_sha1`] for what that does not show.
pub(crate) fn has_signed_over_sha1(ca: &Certificate, certificate: &Certificate) -> bool {
    let Certificate { issuer, signature_algorithm, signature, .. } = certificate;
    CanonicalName::of(issuer) == CanonicalName::of(&ca.subject)
        && verify_over_sha1(&ca.public_key, signature_algorithm, certificate.tbs(), signature).is_ok()
}

/// Returns true when the CA signed the CRL.
pub(crate) fn has_signed_crl(ca: &Certificate, crl: &Crl) -> bool {
    CanonicalName::of(&crl.issuer) == CanonicalName::of(&ca.subject)
        && keys::verify(&ca.public_key, &crl.signature_algorithm, crl.tbs(), &crl.signature).is_ok()
}

/// How the signature of a certificate relates to a CA with the name of its issuer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Signature {
    Verified,
    /// The key identifiers match, and signatures of this algorithm are not verified here: MD5 and SHA-1 can be forged.
    Unverifiable,
    Other,
}

/// Returns how the signature of a certificate relates to a CA.
pub(crate) fn relation(issuer: &Certificate, certificate: &Certificate) -> Signature {
    if issuer.subject != certificate.issuer {
        return Signature::Other;
    }
    let (algorithm, signature) = (&certificate.signature_algorithm, &certificate.signature);
    let named = certificate.authority_key_id.as_ref().and_then(|id| id.key_id.as_ref());
    match keys::verify(&issuer.public_key, algorithm, certificate.tbs(), signature) {
        Ok(()) => Signature::Verified,
        Err(VerificationError::Wrong) => Signature::Other,
        Err(_) => match (named, &issuer.subject_key_id) {
            (Some(named), Some(own)) if named != own => Signature::Other,
            _ => Signature::Unverifiable,
        },
    }
}

/// Returns true for a certificate that signed itself, also when the algorithm of that signature is not verified here.
pub(crate) fn is_root(certificate: &Certificate) -> bool {
    relation(certificate, certificate) != Signature::Other
}
