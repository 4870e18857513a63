//! A head of the event log before it is signed with the key of a CA.
//!
//! The key of a CA also signs certificates, CRLs and CSRs, all of which are DER SEQUENCEs. The text at the start of a head
//! makes it something else: its first byte is `c` (0x63) and not 0x30, so that no signature over a head is one over a
//! certificate.

use time::OffsetDateTime;

use super::ca_certificate::CaCertificate;
use crate::keys::{self, private_key};
use crate::x509::{PublicKey, SignatureAlgorithm, der};

/// The start of what is signed.
const LABEL: &[u8] = b"ca-event-log-head-v1\0";
const _: () = assert!(LABEL[0] != der::SEQUENCE);

/// A head of the event log: what it covers, and the key that is to sign it.
#[derive(Debug, Clone)]
pub struct LogHeadDraft {
    /// The number of events.
    pub count: u64,
    /// The hash over these events.
    pub hash: [u8; 32],
    /// The time of the last event.
    pub at: OffsetDateTime,
    pub issuer_key: PublicKey,
    pub signature_algorithm: SignatureAlgorithm,
}

impl LogHeadDraft {
    /// Describes a head that the key of this CA is to sign.
    pub fn new(issuer: &CaCertificate, count: u64, hash: [u8; 32], at: OffsetDateTime) -> Self {
        let issuer_key = issuer.certificate().public_key.clone();
        Self { count, hash, at, issuer_key, signature_algorithm: issuer.signature_algorithm().clone() }
    }

    /// Returns what is signed. It cannot be taken for a certificate, CRL or CSR.
    pub(super) fn to_be_signed(&self) -> Vec<u8> {
        to_be_signed(self.count, &self.hash, self.at, &self.issuer_key)
    }
}

/// Returns the label, the count (8 bytes, big-endian), the hash, the time in seconds since 1970 (8 bytes, two's
/// complement), and the SHA-256 of the SubjectPublicKeyInfo of the signing key.
fn to_be_signed(count: u64, hash: &[u8; 32], at: OffsetDateTime, key: &PublicKey) -> Vec<u8> {
    [LABEL, &count.to_be_bytes(), hash, &at.unix_timestamp().to_be_bytes(), &key.fingerprint()].concat()
}

/// Returns true when this key signed a head with these values.
pub fn verify_log_head(key: &PublicKey, count: u64, hash: &[u8; 32], at: OffsetDateTime, signature: &[u8]) -> bool {
    let message = to_be_signed(count, hash, at, key);
    private_key::signature_algorithm(key.kind())
        .is_some_and(|algorithm| keys::verify(key, &algorithm, &message, signature).is_ok())
}

#[cfg(test)]
mod tests {
    use time::Duration;

    use super::super::testing::{NOW, ROOT, root};
    use super::super::{IssuerError, sign_log_head};
    use super::*;
    use crate::x509::{Certificate, Crl, KeyAlgorithm, SigningRequest, tbs};

    #[test]
    fn a_signature_over_a_head_verifies_for_exactly_that_head_and_key() {
        for algorithm in [KeyAlgorithm::EcdsaP384, KeyAlgorithm::Ed25519, KeyAlgorithm::Rsa2048] {
            let issuer = root(algorithm, ROOT);
            let draft = LogHeadDraft::new(issuer.ca_certificate(), 7, [3; 32], NOW);
            let signature = issuer.sign_log_head(&draft).unwrap();
            let key = &issuer.ca_certificate().certificate().public_key;
            let other = root(algorithm, ROOT);
            let other_key = &other.ca_certificate().certificate().public_key;
            assert!(matches!(sign_log_head(&draft, other.signer()), Err(IssuerError::OtherKey)));
            assert!(verify_log_head(key, 7, &[3; 32], NOW, &signature));
            assert!(!verify_log_head(key, 8, &[3; 32], NOW, &signature));
            assert!(!verify_log_head(key, 7, &[4; 32], NOW, &signature));
            assert!(!verify_log_head(key, 7, &[3; 32], NOW + Duration::SECOND, &signature));
            assert!(!verify_log_head(other_key, 7, &[3; 32], NOW, &signature));
        }
    }

    #[test]
    fn what_is_signed_of_a_head_is_no_certificate_crl_or_csr() {
        let issuer = root(KeyAlgorithm::EcdsaP256, ROOT);
        let draft = LogHeadDraft::new(issuer.ca_certificate(), 7, [0x30; 32], NOW);
        let algorithm = draft.signature_algorithm.clone();
        let bytes = draft.to_be_signed();
        assert_eq!((bytes[0], bytes.len()), (b'c', 101));
        let signed = tbs::assemble(&bytes, &algorithm, b"signature");
        assert!(Certificate::from_der(&signed).is_err());
        assert!(Crl::from_der(&signed).is_err());
        assert!(SigningRequest::from_der(&signed).is_err());
    }
}
