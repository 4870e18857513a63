//! The verification of a signature with a public key.
//!
//! The verification of chains does not use it: `verify/signature.rs` verifies with another library, so that a fault in one
//! of them is noticed.

use aws_lc_rs::signature::{self, RsaParameters, RsaPssSaltLength, UnparsedPublicKey, VerificationAlgorithm};

use crate::x509::{KeyKind, PublicKey, SignatureAlgorithm, der};

/// Why a signature is not valid.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VerificationError {
    #[error("the algorithm {algorithm} with a key of the kind {key} is not supported here")]
    Unsupported { algorithm: String, key: String },
    #[error("RSASSA-PSS with {0} is not supported here")]
    PssParameters(String),
    #[error("the signature was not made by this key over these bytes")]
    Wrong,
}

/// The lengths of moduli in the names of the library's algorithms (`RSA_PKCS1_2048_8192_SHA256`).
const RSA_BITS: std::ops::RangeInclusive<u32> = 2048..=8192;

/// Verifies that the private key of `key` made `signature` over `message`.
///
/// The digest is the one of `algorithm`, whatever the curve: openssl signs with SHA-256 by P-384 keys.
///
/// # Errors
/// When the signature is wrong, or this combination of key and algorithm is not supported.
pub fn verify(
    key: &PublicKey,
    algorithm: &SignatureAlgorithm,
    message: &[u8],
    signature: &[u8],
) -> Result<(), VerificationError> {
    let unsupported =
        || VerificationError::Unsupported { algorithm: algorithm.to_string(), key: key.kind().to_string() };
    let algorithm = match (key.kind(), algorithm.oid.as_str()) {
        // The library says "wrong" of each signature by such a key, without a look at it.
        (KeyKind::Rsa { bits, .. }, _) if !RSA_BITS.contains(bits) => return Err(unsupported()),
        (KeyKind::Rsa { bits, .. }, PSS) => pss_algorithm(&algorithm.der, *bits)?,
        (kind, oid) => verification_algorithm(kind, oid).ok_or_else(unsupported)?,
    };
    UnparsedPublicKey::new(algorithm, key.bits()).verify(message, signature).map_err(|_| VerificationError::Wrong)
}

/// Verifies a signature over SHA-1, as CAs made them until 2017.
///
/// Two certificates can be made with the same SHA-1 (RFC 6194 §3; a chosen prefix costs some ten thousand dollars), so that
/// the signature does not show which of the two the CA saw. Only for a question whose answer does no harm then: whether a
/// serial number of this CA may be revoked.
///
/// # Errors
/// When the signature is wrong, or not one over SHA-1 by a key that can make it.
pub fn verify_over_sha1(
    key: &PublicKey,
    algorithm: &SignatureAlgorithm,
    message: &[u8],
    signature: &[u8],
) -> Result<(), VerificationError> {
    const ECDSA_SHA1: &str = "1.2.840.10045.4.1";
    const RSA_SHA1: &str = "1.2.840.113549.1.1.5";
    let algorithm: &dyn VerificationAlgorithm = match (key.kind(), algorithm.oid.as_str()) {
        (KeyKind::EcdsaP256, ECDSA_SHA1) => &signature::ECDSA_P256_SHA1_ASN1,
        (KeyKind::EcdsaP521, ECDSA_SHA1) => &signature::ECDSA_P521_SHA1_ASN1,
        (KeyKind::Rsa { bits, .. }, RSA_SHA1) if RSA_BITS.contains(bits) => {
            &signature::RSA_PKCS1_2048_8192_SHA1_FOR_LEGACY_USE_ONLY
        }
        (kind, _) => {
            return Err(VerificationError::Unsupported { algorithm: algorithm.to_string(), key: kind.to_string() });
        }
    };
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

const PSS: &str = "1.2.840.113549.1.1.10";

/// Returns the verification algorithm for the parameters of RFC 4055 §3.1: SHA-2, the same for message and mask, and a salt
/// as long as the digest or as long as the key allows. Other lengths are possible, and no tool writes them.
fn pss_algorithm(identifier: &[u8], key_bits: u32) -> Result<&'static dyn VerificationAlgorithm, VerificationError> {
    static SHA256_MOST: RsaParameters = signature::RSA_PSS_2048_8192_SHA256.with_pss_salt_length(RsaPssSaltLength::Max);
    static SHA384_MOST: RsaParameters = signature::RSA_PSS_2048_8192_SHA384.with_pss_salt_length(RsaPssSaltLength::Max);
    static SHA512_MOST: RsaParameters = signature::RSA_PSS_2048_8192_SHA512.with_pss_salt_length(RsaPssSaltLength::Max);
    let refused = |what: &str| VerificationError::PssParameters(what.to_owned());
    let parameters = PssParameters::read(identifier).ok_or_else(|| refused("parameters that cannot be read"))?;
    if parameters.mask_digest != parameters.digest {
        return Err(refused("one digest for the message and another for the mask"));
    }
    let digests: [(_, _, &dyn VerificationAlgorithm, &dyn VerificationAlgorithm); 3] = [
        (1, 32, &signature::RSA_PSS_2048_8192_SHA256, &SHA256_MOST),
        (2, 48, &signature::RSA_PSS_2048_8192_SHA384, &SHA384_MOST),
        (3, 64, &signature::RSA_PSS_2048_8192_SHA512, &SHA512_MOST),
    ];
    // The content bytes of 2.16.840.1.101.3.4.2.N.
    let of_digest = |number: u8| parameters.digest == [0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, number];
    let Some((_, length, as_digest, as_possible)) = digests.into_iter().find(|(number, ..)| of_digest(*number)) else {
        return Err(refused("another digest than SHA-256, SHA-384 and SHA-512"));
    };
    let most = ((key_bits + 6) / 8).saturating_sub(length + 2);
    match parameters.salt {
        salt if salt == length => Ok(as_digest),
        salt if salt == most => Ok(as_possible),
        salt => Err(refused(&format!("a salt of {salt} bytes, where {length} or {most} are expected,"))),
    }
}

/// The parameters `RSASSA-PSS-params`. Without a digest they are not supported: the default is SHA-1.
struct PssParameters<'a> {
    digest: &'a [u8],
    mask_digest: &'a [u8],
    salt: u32,
}

impl<'a> PssParameters<'a> {
    fn read(identifier: &'a [u8]) -> Option<Self> {
        let (der::SEQUENCE, content, []) = der::split_first(identifier)? else { return None };
        let [_oid, parameters] = der::children(content)?[..] else { return None };
        let (der::SEQUENCE, content, []) = der::split_first(parameters)? else { return None };
        let mut read = Self { digest: &[], mask_digest: &[], salt: 20 };
        for field in der::children(content)? {
            let (tag, field, _) = der::split_first(field)?;
            match tag & 0x1f {
                0 => read.digest = algorithm(field)?.0,
                // MGF1, with the digest as its parameter.
                1 => read.mask_digest = algorithm(algorithm(field)?.1)?.0,
                2 => {
                    let (der::INTEGER, bytes @ ([] | [_] | [_, _]), []) = der::split_first(field)? else {
                        return None;
                    };
                    read.salt = bytes.iter().fold(0, |number, byte| number << 8 | u32::from(*byte));
                }
                // The trailer, which can only have its default value.
                _ => {}
            }
        }
        Some(read)
    }
}

/// Returns the object identifier and the parameters of an `AlgorithmIdentifier`.
fn algorithm(identifier: &[u8]) -> Option<(&[u8], &[u8])> {
    let (der::SEQUENCE, content, []) = der::split_first(identifier)? else { return None };
    let (der::OBJECT_IDENTIFIER, oid, parameters) = der::split_first(content)? else { return None };
    Some((oid, parameters))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::{PrivateKey, Signer};
    use crate::x509::KeyAlgorithm;

    #[test]
    fn a_signature_counts_for_its_own_bytes_and_key_only() {
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
    fn one_digest_for_the_message_and_another_for_the_mask_are_refused() {
        let digest = |last: u8| {
            let oid = [0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, last];
            der::sequence(&[&der::value(der::OBJECT_IDENTIFIER, &oid)])
        };
        let identifier = |mask: u8| {
            let mgf1 = der::value(der::OBJECT_IDENTIFIER, &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 8]);
            let parameters = der::sequence(&[
                &der::value(der::context_constructed(0), &digest(1)),
                &der::value(der::context_constructed(1), &der::sequence(&[&mgf1, &digest(mask)])),
                &der::value(der::context_constructed(2), &der::value(der::INTEGER, &[32])),
            ]);
            let oid = der::value(der::OBJECT_IDENTIFIER, &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 10]);
            der::sequence(&[&oid, &parameters])
        };
        assert!(pss_algorithm(&identifier(1), 2048).is_ok());
        assert!(matches!(pss_algorithm(&identifier(2), 2048), Err(VerificationError::PssParameters(_))));
    }

    #[test]
    fn a_key_of_a_length_that_the_library_does_not_look_at_is_not_called_wrong() {
        let sha256_with_rsa = SignatureAlgorithm { oid: "1.2.840.113549.1.1.11".to_owned(), der: Vec::new() };
        let sha1_with_rsa = SignatureAlgorithm { oid: "1.2.840.113549.1.1.5".to_owned(), der: Vec::new() };
        for octets in [128, 1025] {
            let key = PublicKey::from_spki(&crate::lint::testing::rsa_spki(&vec![0xff; octets], &[1, 0, 1])).unwrap();
            let signature = vec![1; octets];
            for answer in [
                verify(&key, &sha256_with_rsa, b"", &signature),
                verify_over_sha1(&key, &sha1_with_rsa, b"", &signature),
            ] {
                assert!(matches!(answer, Err(VerificationError::Unsupported { .. })), "{octets}: {answer:?}");
            }
        }
    }

    #[test]
    fn an_algorithm_of_another_kind_of_key_is_named() {
        let (key, other) = (
            PrivateKey::generate(KeyAlgorithm::EcdsaP256).unwrap(),
            PrivateKey::generate(KeyAlgorithm::Ed25519).unwrap(),
        );
        let message = verify(key.public_key(), &other.signature_algorithm(), b"", b"").unwrap_err().to_string();
        assert!(message.contains("Ed25519") && message.contains("ecdsa-p256"), "{message}");
    }
}
