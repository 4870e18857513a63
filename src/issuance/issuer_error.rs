//! The error of issuers.

use crate::keys::SigningError;
use crate::x509::DecodeError;

/// Why a certificate and a key are not an issuer, or the issuer did not sign.
#[derive(Debug, thiserror::Error)]
pub enum IssuerError {
    #[error("the certificate of '{0}' is a leaf, not a CA: its basic constraints do not say so (RFC 5280 §4.2.1.9)")]
    NotAnAuthority(String),
    #[error("the certificate of '{0}' does not allow its key to sign certificates (RFC 5280 §4.2.1.3)")]
    MayNotSign(String),
    #[error(
        "the certificate of '{0}' does not allow its key to sign CRLs: key usage without crl-sign (RFC 5280 §4.2.1.3)"
    )]
    MayNotSignCrls(String),
    #[error("the certificate of '{0}' has no subject, which a CA must have (RFC 5280 §4.1.2.6)")]
    NoSubject(String),
    #[error("the certificate of '{name}' is damaged: extension {oid}: {reason}")]
    Malformed { name: String, oid: String, reason: String },
    #[error("the certificate of '{name}' has a key of the kind {kind}, which this program cannot sign with")]
    UnusableKey { name: String, kind: String },
    #[error("the key and the certificate of '{0}' do not match")]
    KeyMismatch(String),
    #[error("the draft was approved for another key than that of its issuer")]
    OtherKey,
    #[error(transparent)]
    Signing(#[from] SigningError),
    #[error("what was signed is not what was approved")]
    Altered,
    #[error(transparent)]
    Decode(#[from] DecodeError),
}
