//! Checking a signature with a public key.

use aws_lc_rs::signature::{self, UnparsedPublicKey, VerificationAlgorithm};

use crate::x509::{KeyKind, PublicKey, SignatureAlgorithm};

/// Why a signature does not count.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VerificationError {
    #[error("signatures of the algorithm {algorithm} by a key of the kind {key} cannot be checked")]
    Unsupported { algorithm: String, key: String },
    #[error("the signature was not made by this key over these octets")]
    Wrong,
}

/// Checks that `signature` was made over `message` by the private half of `key`.
///
/// The digest is the one that `algorithm` names, whatever the curve: openssl signs with SHA-256 by P-384 keys.
///
/// # Errors
/// When it was not, or the combination of key and algorithm is not one that can be checked.
pub fn verify(
    key: &PublicKey,
    algorithm: &SignatureAlgorithm,
    message: &[u8],
    signature: &[u8],
) -> Result<(), VerificationError> {
    let unsupported =
        || VerificationError::Unsupported { algorithm: algorithm.to_string(), key: key.kind().to_string() };
    let algorithm = verification_algorithm(key.kind(), &algorithm.oid).ok_or_else(unsupported)?;
    UnparsedPublicKey::new(algorithm, key.bits()).verify(message, signature).map_err(|_| VerificationError::Wrong)
}

fn verification_algorithm(key: &KeyKind, oid: &str) -> Option<&'static dyn VerificationAlgorithm> {
    const ECDSA_SHA256: &str = "1.2.840.10045.4.3.2";
    const ECDSA_SHA384: &str = "1.2.840.10045.4.3.3";
    const ECDSA_SHA512: &str = "1.2.840.10045.4.3.4";
    Some(match (key, oid) {
        (KeyKind::EcdsaP256, ECDSA_SHA256) => &signature::ECDSA_P256_SHA256_ASN1,
        (KeyKind::EcdsaP256, ECDSA_SHA384) => &signature::ECDSA_P256_SHA384_ASN1,
        (KeyKind::EcdsaP256, ECDSA_SHA512) => &signature::ECDSA_P256_SHA512_ASN1,
        (KeyKind::EcdsaP384, ECDSA_SHA256) => &signature::ECDSA_P384_SHA256_ASN1,
        (KeyKind::EcdsaP384, ECDSA_SHA384) => &signature::ECDSA_P384_SHA384_ASN1,
        (KeyKind::EcdsaP384, ECDSA_SHA512) => &signature::ECDSA_P384_SHA512_ASN1,
        (KeyKind::EcdsaP521, ECDSA_SHA256) => &signature::ECDSA_P521_SHA256_ASN1,
        (KeyKind::EcdsaP521, ECDSA_SHA384) => &signature::ECDSA_P521_SHA384_ASN1,
        (KeyKind::EcdsaP521, ECDSA_SHA512) => &signature::ECDSA_P521_SHA512_ASN1,
        (KeyKind::Ed25519, "1.3.101.112") => &signature::ED25519,
        (KeyKind::Rsa { .. }, "1.2.840.113549.1.1.11") => &signature::RSA_PKCS1_2048_8192_SHA256,
        (KeyKind::Rsa { .. }, "1.2.840.113549.1.1.12") => &signature::RSA_PKCS1_2048_8192_SHA384,
        (KeyKind::Rsa { .. }, "1.2.840.113549.1.1.13") => &signature::RSA_PKCS1_2048_8192_SHA512,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::{PrivateKey, Signer};
    use crate::x509::KeyAlgorithm;

    #[test]
    fn a_signature_counts_for_its_own_octets_and_key_only() {
        for algorithm in
            [KeyAlgorithm::EcdsaP256, KeyAlgorithm::EcdsaP521, KeyAlgorithm::Ed25519, KeyAlgorithm::Rsa2048]
        {
            let (key, other) = (PrivateKey::generate(algorithm).unwrap(), PrivateKey::generate(algorithm).unwrap());
            let (name, signed) = (key.signature_algorithm(), key.sign(b"message").unwrap());
            assert_eq!(verify(key.public_key(), &name, b"message", &signed), Ok(()), "{algorithm}");
            assert_eq!(
                verify(key.public_key(), &name, b"massage", &signed),
                Err(VerificationError::Wrong),
                "{algorithm}"
            );
            assert_eq!(
                verify(other.public_key(), &name, b"message", &signed),
                Err(VerificationError::Wrong),
                "{algorithm}"
            );
        }
    }

    #[test]
    fn an_algorithm_of_another_kind_of_key_is_named() {
        let (key, other) = (
            PrivateKey::generate(KeyAlgorithm::EcdsaP256).unwrap(),
            PrivateKey::generate(KeyAlgorithm::Ed25519).unwrap(),
        );
        let told = verify(key.public_key(), &other.signature_algorithm(), b"", b"").unwrap_err().to_string();
        assert!(told.contains("Ed25519") && told.contains("ecdsa-p256"), "{told}");
    }
}
