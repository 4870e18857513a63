//! Private keys: generated, kept and used by aws-lc-rs. With `x509::digest`, the only modules here that use it.

use std::fmt;
use std::ops::RangeInclusive;

use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    self, EcdsaKeyPair, EcdsaSigningAlgorithm, Ed25519KeyPair, KeyPair, RsaEncoding, RsaKeyPair,
};
use zeroize::Zeroizing;

use super::{Signer, SigningError};
use crate::x509::{KeyAlgorithm, KeyKind, PublicKey, SignatureAlgorithm, der};

/// The length of an RSA modulus in bits. Shorter ones are no longer allowed (NIST SP 800-57 part 1, CA/Browser Forum BR
/// §6.1.5), and the library neither signs nor verifies with longer ones.
pub const RSA_BITS: RangeInclusive<u32> = 2048..=8192;

const RSA_ENCODING: &dyn RsaEncoding = &signature::RSA_PKCS1_SHA256;

/// A private key in memory. It is wiped when it is dropped, and can be neither copied nor printed.
pub struct PrivateKey {
    pair: Pair,
    pkcs8: Zeroizing<Vec<u8>>,
    public_key: PublicKey,
    signature_algorithm: SignatureAlgorithm,
}

enum Pair {
    Ecdsa(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
    Rsa(RsaKeyPair),
}

/// Why bytes are not a private key that this program can use.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PrivateKeyError {
    #[error("the cryptographic library could not generate a key")]
    Generation,
    #[error("the key is damaged, or its private and public halves do not match")]
    Inconsistent,
}

impl PrivateKey {
    /// Generates a key. RSA takes from a tenth of a second to a few seconds, the others take microseconds.
    ///
    /// # Errors
    /// When the cryptographic library fails, for lack of randomness or memory.
    pub fn generate(algorithm: KeyAlgorithm) -> Result<Self, PrivateKeyError> {
        let failed = |_| PrivateKeyError::Generation;
        match ecdsa_algorithm(algorithm) {
            Some(curve) => {
                let pair = EcdsaKeyPair::generate(curve).map_err(failed)?;
                let pkcs8 = pair.to_pkcs8v1().map_err(failed)?.as_ref().to_vec();
                Self::assemble(Pair::Ecdsa(pair), pkcs8.into())
            }
            None if algorithm == KeyAlgorithm::Ed25519 => {
                let pair = Ed25519KeyPair::generate().map_err(failed)?;
                // Version 1, without the public key: OpenSSL 3.0 cannot read version 2.
                let pkcs8 = pair.to_pkcs8v1().map_err(failed)?.as_ref().to_vec();
                Self::assemble(Pair::Ed25519(pair), pkcs8.into())
            }
            None => {
                let pair = RsaKeyPair::generate(rsa_size(algorithm)).map_err(failed)?;
                let pkcs8 =
                    AsDer::<aws_lc_rs::encoding::Pkcs8V1Der<'_>>::as_der(&pair).map_err(failed)?.as_ref().to_vec();
                Self::assemble(Pair::Rsa(pair), pkcs8.into())
            }
        }
    }

    /// Reads the DER of a PKCS#8 `PrivateKeyInfo` whose algorithm is already known. RSA keys may have any size from 2048 to
    /// 8192 bits: other tools generate more sizes than this program.
    ///
    /// # Errors
    /// When the bytes are damaged, or the public and the private key do not belong together.
    pub fn from_pkcs8(algorithm: KeyAlgorithm, pkcs8: Zeroizing<Vec<u8>>) -> Result<Self, PrivateKeyError> {
        let rejected = |_| PrivateKeyError::Inconsistent;
        let pair = match ecdsa_algorithm(algorithm) {
            Some(curve) => Pair::Ecdsa(EcdsaKeyPair::from_pkcs8(curve, &pkcs8).map_err(rejected)?),
            None if algorithm == KeyAlgorithm::Ed25519 => {
                Pair::Ed25519(Ed25519KeyPair::from_pkcs8_maybe_unchecked(&pkcs8).map_err(rejected)?)
            }
            None => Pair::Rsa(RsaKeyPair::from_pkcs8(&pkcs8).map_err(rejected)?),
        };
        Self::assemble(pair, pkcs8)
    }

    fn assemble(pair: Pair, pkcs8: Zeroizing<Vec<u8>>) -> Result<Self, PrivateKeyError> {
        let spki = match &pair {
            Pair::Ecdsa(pair) => AsDer::<aws_lc_rs::encoding::PublicKeyX509Der<'_>>::as_der(pair.public_key())
                .map(|der| der.as_ref().to_vec()),
            Pair::Ed25519(pair) => AsDer::<aws_lc_rs::encoding::PublicKeyX509Der<'_>>::as_der(pair.public_key())
                .map(|der| der.as_ref().to_vec()),
            Pair::Rsa(pair) => AsDer::<aws_lc_rs::encoding::PublicKeyX509Der<'_>>::as_der(pair.public_key())
                .map(|der| der.as_ref().to_vec()),
        };
        let spki = spki.map_err(|_| PrivateKeyError::Inconsistent)?;
        let public_key = PublicKey::from_spki(&spki).map_err(|_| PrivateKeyError::Inconsistent)?;
        let signature_algorithm = signature_algorithm(public_key.kind()).ok_or(PrivateKeyError::Inconsistent)?;
        Ok(Self { pair, pkcs8, public_key, signature_algorithm })
    }

    /// Returns the algorithm that generates such keys; `None` for RSA keys of another size than this program generates.
    pub fn algorithm(&self) -> Option<KeyAlgorithm> {
        let kind = self.public_key.kind().to_string();
        KeyAlgorithm::ALL.into_iter().find(|algorithm| algorithm.name() == kind)
    }

    /// Returns the DER of its PKCS#8 `PrivateKeyInfo`, for the text of a key file and for the TLS library. The key wipes
    /// it.
    pub fn as_pkcs8(&self) -> &Zeroizing<Vec<u8>> {
        &self.pkcs8
    }
}

impl Signer for PrivateKey {
    fn public_key(&self) -> &PublicKey {
        &self.public_key
    }

    fn signature_algorithm(&self) -> SignatureAlgorithm {
        self.signature_algorithm.clone()
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SigningError> {
        let failed = |_| SigningError("sign");
        let random = SystemRandom::new();
        match &self.pair {
            Pair::Ecdsa(pair) => {
                pair.sign(&random, message).map(|signature| signature.as_ref().to_vec()).map_err(failed)
            }
            Pair::Ed25519(pair) => Ok(pair.sign(message).as_ref().to_vec()),
            Pair::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(RSA_ENCODING, &random, message, &mut signature).map_err(failed)?;
                Ok(signature)
            }
        }
    }
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { pair: _, pkcs8: _, public_key, signature_algorithm: _ } = self;
        write!(f, "PrivateKey({public_key:?}, [elided])")
    }
}

/// Returns the signature algorithm for a kind of key: a digest as long as the curve (RFC 5480 §4), SHA-256 for RSA. `None`
/// for kinds that do not sign here.
pub fn signature_algorithm(kind: &KeyKind) -> Option<SignatureAlgorithm> {
    const ECDSA_WITH_SHA2: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3];
    let (oid, content, parameters): (&str, Vec<u8>, Vec<u8>) = match kind {
        KeyKind::EcdsaP256 => ("1.2.840.10045.4.3.2", [ECDSA_WITH_SHA2, &[2]].concat(), Vec::new()),
        KeyKind::EcdsaP384 => ("1.2.840.10045.4.3.3", [ECDSA_WITH_SHA2, &[3]].concat(), Vec::new()),
        KeyKind::EcdsaP521 => ("1.2.840.10045.4.3.4", [ECDSA_WITH_SHA2, &[4]].concat(), Vec::new()),
        KeyKind::Ed25519 => ("1.3.101.112", vec![0x2b, 0x65, 0x70], Vec::new()),
        // RFC 4055 §5: the parameters MUST be NULL.
        KeyKind::Rsa { bits, .. } if RSA_BITS.contains(bits) => {
            ("1.2.840.113549.1.1.11", vec![0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 11], der::value(der::NULL, &[]))
        }
        KeyKind::Rsa { .. } | KeyKind::Other(_) => return None,
    };
    let der = der::sequence(&[&der::value(der::OBJECT_IDENTIFIER, &content), &parameters]);
    Some(SignatureAlgorithm { oid: oid.to_owned(), der })
}

/// Returns a value with the encoding and the length of a signature by such a key, which no key made: it stands in a
/// certificate that is verified before it is signed.
pub fn placeholder_signature(kind: &KeyKind) -> Vec<u8> {
    const FILL: u8 = 0x55;
    // RFC 3279 §2.2.3: an ECDSA signature is a SEQUENCE of two INTEGERs below the order of the curve.
    let ecdsa = |bytes: usize| {
        let number = der::value(der::INTEGER, &vec![FILL; bytes]);
        der::sequence(&[&number, &number])
    };
    match kind {
        KeyKind::EcdsaP256 => ecdsa(32),
        KeyKind::EcdsaP384 => ecdsa(48),
        KeyKind::EcdsaP521 => ecdsa(65),
        KeyKind::Rsa { bits, .. } => vec![FILL; bits.div_ceil(8) as usize],
        KeyKind::Ed25519 | KeyKind::Other(_) => vec![FILL; 64],
    }
}

fn ecdsa_algorithm(algorithm: KeyAlgorithm) -> Option<&'static EcdsaSigningAlgorithm> {
    match algorithm {
        KeyAlgorithm::EcdsaP256 => Some(&signature::ECDSA_P256_SHA256_ASN1_SIGNING),
        KeyAlgorithm::EcdsaP384 => Some(&signature::ECDSA_P384_SHA384_ASN1_SIGNING),
        KeyAlgorithm::EcdsaP521 => Some(&signature::ECDSA_P521_SHA512_ASN1_SIGNING),
        _ => None,
    }
}

fn rsa_size(algorithm: KeyAlgorithm) -> KeySize {
    match algorithm {
        KeyAlgorithm::Rsa3072 => KeySize::Rsa3072,
        KeyAlgorithm::Rsa4096 => KeySize::Rsa4096,
        _ => KeySize::Rsa2048,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verifies(key: &PrivateKey, message: &[u8], signed: &[u8]) -> bool {
        let algorithm: &dyn signature::VerificationAlgorithm = match key.public_key().kind() {
            KeyKind::EcdsaP256 => &signature::ECDSA_P256_SHA256_ASN1,
            KeyKind::EcdsaP384 => &signature::ECDSA_P384_SHA384_ASN1,
            KeyKind::EcdsaP521 => &signature::ECDSA_P521_SHA512_ASN1,
            KeyKind::Ed25519 => &signature::ED25519,
            _ => &signature::RSA_PKCS1_2048_8192_SHA256,
        };
        signature::UnparsedPublicKey::new(algorithm, key.public_key().bits()).verify(message, signed).is_ok()
    }

    #[test]
    fn every_kind_of_key_signs_and_survives_its_pkcs8() {
        for algorithm in KeyAlgorithm::ALL.into_iter().filter(|algorithm| *algorithm != KeyAlgorithm::Rsa4096) {
            let key = PrivateKey::generate(algorithm).unwrap();
            let again = PrivateKey::from_pkcs8(algorithm, key.as_pkcs8().clone()).unwrap();
            assert_eq!(again.public_key(), key.public_key(), "{algorithm}");
            assert!(verifies(&key, b"message", &again.sign(b"message").unwrap()), "{algorithm}");
            assert!(!verifies(&key, b"message", &again.sign(b"another").unwrap()), "{algorithm}");
            assert!(key.public_key().kind().to_string() == algorithm.name(), "{algorithm}");
        }
    }

    #[test]
    fn a_private_key_cannot_be_printed() {
        let key = PrivateKey::generate(KeyAlgorithm::EcdsaP256).unwrap();
        assert!(format!("{key:?}").ends_with("[elided])"));
        assert_eq!(key.public_key().kind(), &KeyKind::EcdsaP256);
    }

    #[test]
    fn a_key_under_the_wrong_algorithm_is_refused() {
        let key = PrivateKey::generate(KeyAlgorithm::EcdsaP256).unwrap();
        for other in [KeyAlgorithm::EcdsaP384, KeyAlgorithm::Ed25519, KeyAlgorithm::Rsa2048] {
            assert!(PrivateKey::from_pkcs8(other, key.as_pkcs8().clone()).is_err(), "{other}");
        }
    }
}
