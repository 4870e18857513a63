//! Private keys that are not encrypted: PKCS#8 (RFC 5958), PKCS#1 (RFC 8017 appendix A.1.2) and SEC1 (RFC 5915).
//!
//! Whatever the format, the key is converted to PKCS#8 and checked by the library that will use it; RSA keys, and SEC1 keys
//! on P-256, are checked by a second library first.

use pkcs8::PrivateKeyInfo;
use pkcs8::der::Decode;
use rsa::pkcs1::DecodeRsaPrivateKey;
use rsa::traits::PublicKeyParts;
use zeroize::Zeroizing;

use super::damage;
use super::error::KeyFileError;
use crate::keys::private_key::{PrivateKeyError, RSA_BITS};
use crate::keys::{PrivateKey, Signer};
use crate::x509::key_names::{self, EC_PUBLIC_KEY};
use crate::x509::{KeyAlgorithm, der};

/// The format of an unencrypted key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Pkcs8,
    Pkcs1,
    Sec1,
}

impl Form {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Pkcs8 => "PKCS#8",
            Self::Pkcs1 => "PKCS#1",
            Self::Sec1 => "SEC1",
        }
    }

    /// Recognizes the format by the first values in the outer SEQUENCE.
    pub(super) fn recognise(input: &[u8]) -> Option<Self> {
        let (der::SEQUENCE, content, []) = der::split_first(input)? else { return None };
        let tags: Vec<u8> = der::children(content)?.iter().filter_map(|part| part.first().copied()).collect();
        match tags[..] {
            [der::INTEGER, der::SEQUENCE, der::OCTET_STRING, ..] => Some(Self::Pkcs8),
            // Nine numbers, and the further primes in a SEQUENCE (RFC 8017 §A.1.2); a DSA key of openssl has six.
            _ if tags.starts_with(&[der::INTEGER; 9]) && matches!(tags[9..], [] | [der::SEQUENCE]) => Some(Self::Pkcs1),
            [der::INTEGER, der::OCTET_STRING, ..] => Some(Self::Sec1),
            _ => None,
        }
    }

    pub(super) fn read(self, input: &[u8]) -> Result<PrivateKey, KeyFileError> {
        match self {
            Self::Pkcs8 => pkcs8(input),
            Self::Pkcs1 => pkcs1(input),
            Self::Sec1 => sec1(input, None),
        }
    }
}

const RSA: &str = "1.2.840.113549.1.1.1";
const ED25519: &str = "1.3.101.112";

fn unused(oid: &str, otherwise: &str) -> KeyFileError {
    let known = key_names::find(oid);
    KeyFileError::UnsupportedKey(known.map_or_else(|| format!("{otherwise} {oid}"), |known| known.words.to_owned()))
}

fn pkcs8(input: &[u8]) -> Result<PrivateKey, KeyFileError> {
    let info = PrivateKeyInfo::try_from(input).map_err(|_| KeyFileError::Malformed {
        what: "a PKCS#8 private key",
        reason: damage::describe(input, damage::PKCS8),
    })?;
    match info.algorithm.oid.to_string().as_str() {
        RSA => pkcs1(info.private_key),
        EC_PUBLIC_KEY => {
            let curve = info.algorithm.parameters_oid().map_err(|_| explicit_parameters())?;
            sec1(info.private_key, Some(Curve::from_oid(&curve.to_string())?))
        }
        ED25519 => ed25519(&info),
        other => Err(unused(other, "a key of the unknown algorithm")),
    }
}

fn explicit_parameters() -> KeyFileError {
    unused(EC_PUBLIC_KEY, "a key of the algorithm")
}

fn ed25519(info: &PrivateKeyInfo<'_>) -> Result<PrivateKey, KeyFileError> {
    // RFC 8410 §7. Version 2 has the public key too, which OpenSSL 3.0 cannot read: it is compared, then left out.
    let algorithm = der::sequence(&[&der::value(der::OBJECT_IDENTIFIER, &[0x2b, 0x65, 0x70])]);
    let key = PrivateKey::from_pkcs8(KeyAlgorithm::Ed25519, wrap(&algorithm, info.private_key))?;
    match info.public_key {
        Some(public) if public != key.public_key().bits() => Err(PrivateKeyError::Inconsistent.into()),
        _ => Ok(key),
    }
}

fn pkcs1(input: &[u8]) -> Result<PrivateKey, KeyFileError> {
    let malformed = || KeyFileError::Malformed {
        what: "an RSA private key (PKCS#1)",
        reason: damage::describe(input, damage::PKCS1),
    };
    let parts = rsa::pkcs1::RsaPrivateKey::from_der(input).map_err(|_| malformed())?;
    if parts.other_prime_infos.is_some() {
        return Err(KeyFileError::UnsupportedKey("an RSA key of more than two primes".to_owned()));
    }
    let modulus = parts.modulus.as_bytes();
    let bits = modulus.first().map_or(0, |first| modulus.len() * 8 - first.leading_zeros() as usize);
    if !RSA_BITS.contains(&u32::try_from(bits).unwrap_or(u32::MAX)) {
        return Err(KeyFileError::UnsupportedKey(format!("an RSA key of {bits} bits")));
    }
    let exponent = parts.public_exponent.as_bytes();
    if exponent.last().is_none_or(|last| last % 2 == 0) || exponent == [1] {
        return Err(KeyFileError::Rsa("its public exponent is not an odd number from 3 on"));
    }
    // Checks that the primes are the factors of the modulus and that the exponents belong together.
    let checked = rsa::RsaPrivateKey::from_pkcs1_der(input)
        .map_err(|_| KeyFileError::Rsa("its primes, modulus and exponents do not match"))?;
    debug_assert_eq!(checked.n().bits(), bits);

    const RSA_ENCRYPTION: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1];
    let identifier = der::sequence(&[&der::value(der::OBJECT_IDENTIFIER, RSA_ENCRYPTION), &der::value(der::NULL, &[])]);
    Ok(PrivateKey::from_pkcs8(KeyAlgorithm::Rsa2048, wrap(&identifier, input))?)
}

/// A curve, with what is needed to encode its keys.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Curve {
    algorithm: KeyAlgorithm,
    /// The content bytes of its object identifier.
    oid: &'static [u8],
    /// The length of a private key in bytes.
    length: usize,
}

const CURVES: [(&str, Curve); 3] = [
    (
        "1.2.840.10045.3.1.7",
        Curve { algorithm: KeyAlgorithm::EcdsaP256, oid: &[0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7], length: 32 },
    ),
    ("1.3.132.0.34", Curve { algorithm: KeyAlgorithm::EcdsaP384, oid: &[0x2b, 0x81, 4, 0, 34], length: 48 }),
    ("1.3.132.0.35", Curve { algorithm: KeyAlgorithm::EcdsaP521, oid: &[0x2b, 0x81, 4, 0, 35], length: 66 }),
];

impl Curve {
    fn from_oid(oid: &str) -> Result<Self, KeyFileError> {
        CURVES
            .into_iter()
            .find(|(known, _)| *known == oid)
            .map(|(_, curve)| curve)
            .ok_or_else(|| unused(oid, "an ECDSA key on the unknown curve"))
    }

    /// Returns the `AlgorithmIdentifier` of its keys (RFC 5480 §2.1.1).
    fn identifier(self) -> Vec<u8> {
        const EC_PUBLIC_KEY: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1];
        der::sequence(&[
            &der::value(der::OBJECT_IDENTIFIER, EC_PUBLIC_KEY),
            &der::value(der::OBJECT_IDENTIFIER, self.oid),
        ])
    }
}

/// Reads an `ECPrivateKey` (RFC 5915 §3); inside PKCS#8 the curve is already known.
fn sec1(input: &[u8], curve: Option<Curve>) -> Result<PrivateKey, KeyFileError> {
    let malformed =
        |reason: &str| KeyFileError::Malformed { what: "an EC private key (SEC1)", reason: reason.to_owned() };
    let parts = Sec1::split(input).ok_or_else(|| malformed("its structure is damaged"))?;
    let named = parts.curve()?;
    let curve = match (curve, named) {
        (Some(outer), Some(inner)) if outer != inner => return Err(PrivateKeyError::Inconsistent.into()),
        (Some(curve), _) | (None, Some(curve)) => curve,
        (None, None) => return Err(malformed("it does not name its curve")),
    };
    let scalar = parts.scalar(curve.length).ok_or_else(|| malformed("its number is too long for its curve"))?;
    if curve.algorithm == KeyAlgorithm::EcdsaP256 {
        // RFC 5915 §3: a number from 1 to the order of the curve.
        p256::SecretKey::from_slice(&scalar).map_err(|_| PrivateKeyError::Inconsistent)?;
    }
    let read =
        |public| PrivateKey::from_pkcs8(curve.algorithm, wrap(&curve.identifier(), &ec_private_key(&scalar, public)));
    if let Some(point @ [UNCOMPRESSED, ..]) = parts.public {
        // The usual form. The library computes the public key from the private one, and compares.
        return Ok(read(Some(point))?);
    }
    let without_public = read(None)?;
    let point = without_public.public_key().bits();
    if parts.public.is_some_and(|public| !is_same_point(public, point)) {
        return Err(PrivateKeyError::Inconsistent.into());
    }
    Ok(read(Some(point))?)
}

/// The first byte of a point that is not compressed (SEC 1 §2.3.3).
const UNCOMPRESSED: u8 = 4;

/// The parts of an `ECPrivateKey`.
struct Sec1<'a> {
    scalar: &'a [u8],
    parameters: Option<&'a [u8]>,
    public: Option<&'a [u8]>,
}

impl<'a> Sec1<'a> {
    fn split(input: &'a [u8]) -> Option<Self> {
        let (der::SEQUENCE, content, []) = der::split_first(input)? else { return None };
        let (der::INTEGER, [1], content) = der::split_first(content)? else { return None };
        let (der::OCTET_STRING, scalar, mut content) = der::split_first(content)? else { return None };
        let mut parts = Self { scalar, parameters: None, public: None };
        while !content.is_empty() {
            let (tag, value, rest) = der::split_first(content)?;
            if tag == der::context_constructed(0) && parts.parameters.is_none() && parts.public.is_none() {
                parts.parameters = Some(value);
            } else if tag == der::context_constructed(1) && parts.public.is_none() {
                let (der::BIT_STRING, [0, point @ ..], []) = der::split_first(value)? else { return None };
                parts.public = Some(point);
            } else {
                return None;
            }
            content = rest;
        }
        Some(parts)
    }

    fn curve(&self) -> Result<Option<Curve>, KeyFileError> {
        let Some(parameters) = self.parameters else { return Ok(None) };
        let oid = pkcs8::ObjectIdentifier::from_der(parameters).map_err(|_| explicit_parameters())?;
        Curve::from_oid(&oid.to_string()).map(Some)
    }

    /// Returns the private number in exactly `length` bytes. GnuTLS writes one byte more than RFC 5915 §3 when the first
    /// bit is set, and old OpenSSL leaves out leading zeros.
    fn scalar(&self, length: usize) -> Option<Zeroizing<Vec<u8>>> {
        let first = self.scalar.iter().position(|byte| *byte != 0).unwrap_or(self.scalar.len());
        let magnitude = self.scalar.get(first..)?;
        let zeros = length.checked_sub(magnitude.len())?;
        let mut scalar = Zeroizing::new(Vec::with_capacity(length));
        scalar.resize(zeros, 0);
        scalar.extend_from_slice(magnitude);
        Some(scalar)
    }
}

/// Returns whether `given`, compressed or not (SEC 1 §2.3.3) or hybrid (X9.62 §4.3.6), is the uncompressed `point`.
fn is_same_point(given: &[u8], point: &[u8]) -> bool {
    match given {
        [sign @ (2 | 3), x @ ..] => {
            point.get(1..=x.len()) == Some(x)
                && point.len() == 1 + 2 * x.len()
                && point.last().is_some_and(|last| 2 + last % 2 == *sign)
        }
        [sign @ (6 | 7), coordinates @ ..] => {
            point.get(1..) == Some(coordinates) && coordinates.last().is_some_and(|last| 6 + last % 2 == *sign)
        }
        _ => given == point,
    }
}

fn ec_private_key(scalar: &[u8], point: Option<&[u8]>) -> Zeroizing<Vec<u8>> {
    let public =
        point.map(|point| der::value(der::context_constructed(1), &der::bit_string(point))).unwrap_or_default();
    let scalar = Zeroizing::new(der::value(der::OCTET_STRING, scalar));
    Zeroizing::new(der::sequence(&[&der::value(der::INTEGER, &[1]), &scalar, &public]))
}

/// Returns the `PrivateKeyInfo`, version 1, without attributes.
fn wrap(algorithm: &[u8], key: &[u8]) -> Zeroizing<Vec<u8>> {
    let key = Zeroizing::new(der::value(der::OCTET_STRING, key));
    Zeroizing::new(der::sequence(&[&der::value(der::INTEGER, &[0]), algorithm, &key]))
}
