//! Public keys (RFC 5280 §4.1.2.7) and the key algorithms that this program generates.

use std::fmt;
use std::str::FromStr;

use serde::Deserialize;

use super::{digest, key_names};
use crate::text;

/// The key algorithms for which keys are generated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(try_from = "String")]
pub enum KeyAlgorithm {
    EcdsaP256,
    EcdsaP384,
    EcdsaP521,
    Ed25519,
    Rsa2048,
    Rsa3072,
    Rsa4096,
}

impl KeyAlgorithm {
    /// All of them, in the order of messages and help.
    pub const ALL: [Self; 7] =
        [Self::EcdsaP256, Self::EcdsaP384, Self::EcdsaP521, Self::Ed25519, Self::Rsa2048, Self::Rsa3072, Self::Rsa4096];

    /// Returns the name in flags, templates and reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::EcdsaP256 => "ecdsa-p256",
            Self::EcdsaP384 => "ecdsa-p384",
            Self::EcdsaP521 => "ecdsa-p521",
            Self::Ed25519 => "ed25519",
            Self::Rsa2048 => "rsa-2048",
            Self::Rsa3072 => "rsa-3072",
            Self::Rsa4096 => "rsa-4096",
        }
    }
}

impl KeyAlgorithm {
    pub const fn is_rsa(self) -> bool {
        matches!(self, Self::Rsa2048 | Self::Rsa3072 | Self::Rsa4096)
    }
}

impl fmt::Display for KeyAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The text is not the name of a key algorithm.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "'{}' is not a key algorithm{}: expected one of ecdsa-p256, ecdsa-p384, ecdsa-p521, ed25519, rsa-2048, rsa-3072, rsa-4096",
    text::escape(.0),
    text::did_you_mean(.0, KeyAlgorithm::ALL.map(KeyAlgorithm::name))
)]
pub struct KeyAlgorithmError(String);

impl FromStr for KeyAlgorithm {
    type Err = KeyAlgorithmError;

    fn from_str(given: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|algorithm| algorithm.name() == given)
            .ok_or_else(|| KeyAlgorithmError(given.to_owned()))
    }
}

impl TryFrom<String> for KeyAlgorithm {
    type Error = KeyAlgorithmError;

    fn try_from(given: String) -> Result<Self, Self::Error> {
        given.parse()
    }
}

/// The kinds of keys that certificates have, of this program and of others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyKind {
    EcdsaP256,
    EcdsaP384,
    EcdsaP521,
    Ed25519,
    Rsa {
        /// The length of the modulus in bits.
        bits: u32,
        /// The public exponent, big-endian without leading zeros.
        exponent: Vec<u8>,
    },
    /// A kind that is not supported, by the object identifier of its algorithm or curve.
    Other(String),
}

impl KeyKind {
    /// Returns whether it is a key on a curve without a name: the curve is written out, or left to the issuer.
    pub fn is_without_named_curve(&self) -> bool {
        matches!(self, Self::Other(oid) if oid == key_names::EC_PUBLIC_KEY)
    }
}

impl fmt::Display for KeyKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::EcdsaP256 => f.write_str("ecdsa-p256"),
            Self::EcdsaP384 => f.write_str("ecdsa-p384"),
            Self::EcdsaP521 => f.write_str("ecdsa-p521"),
            Self::Ed25519 => f.write_str("ed25519"),
            Self::Rsa { bits, .. } => write!(f, "rsa-{bits}"),
            Self::Other(oid) => {
                write!(f, "{} ({oid})", key_names::find(oid).map_or("unknown", |known| known.name))
            }
        }
    }
}

/// A public key: the DER of its SubjectPublicKeyInfo, and its decoded content.
#[derive(Clone, PartialEq, Eq)]
pub struct PublicKey {
    spki: Vec<u8>,
    kind: KeyKind,
    bits: Vec<u8>,
}

impl PublicKey {
    /// Takes the parts that the decoder found; `bits` is the content of the `subjectPublicKey` BIT STRING.
    pub(super) fn from_parts(spki: Vec<u8>, kind: KeyKind, bits: Vec<u8>) -> Self {
        Self { spki, kind, bits }
    }

    /// Returns the DER of the SubjectPublicKeyInfo.
    pub fn spki(&self) -> &[u8] {
        &self.spki
    }

    pub fn kind(&self) -> &KeyKind {
        &self.kind
    }

    /// Returns the content of the `subjectPublicKey` BIT STRING: an RSAPublicKey, a curve point, or the 32 bytes of
    /// Ed25519.
    pub fn bits(&self) -> &[u8] {
        &self.bits
    }

    /// Returns the key identifier that this program uses: RFC 5280 §4.2.1.2 method (1), SHA-1 of the BIT STRING.
    pub fn key_id(&self) -> [u8; 20] {
        digest::sha1(&self.bits)
    }

    /// Returns the SHA-256 of the SubjectPublicKeyInfo: the same for every certificate of one key pair.
    pub fn fingerprint(&self) -> [u8; 32] {
        digest::sha256(&self.spki)
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({}, {})", self.kind, text::hex(&self.key_id()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn a_word_is_a_key_algorithm_or_refused(word in "\\PC{0,14}|(ecdsa-p|rsa-|ed)[0-9]{0,5}") {
            match word.parse::<KeyAlgorithm>() {
                Ok(algorithm) => proptest::prop_assert_eq!(algorithm.name(), word),
                Err(error) => proptest::prop_assert!(!KeyAlgorithm::ALL.map(KeyAlgorithm::name).contains(&word.as_str()), "{}", error),
            }
        }
    }
}
