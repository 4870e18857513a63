//! What `ca inspect` shows, in JSON.

use schemars::JsonSchema;
use serde::Serialize;

use crate::report::json::{Hex, NameJson, Shown, SignedSerial, Time};
use crate::x509::certificate::{UnreadablePart, oid};
use crate::x509::crl::RevokedEntry;
use crate::x509::name_constraints::Subtree;
use crate::x509::signature_algorithm::Strength;
use crate::x509::{
    AuthorityKeyId, BasicConstraints, DistinguishedName, ExtendedKeyUsage, Extension, KeyKind, NameConstraints,
    PublicKey, SignatureAlgorithm,
};

use super::fields::{exponent_words, extension_name};

/// An object of a file.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(untagged)]
#[schemars(rename = "Object")]
pub enum ObjectJson<'a> {
    Certificate(Box<CertificateJson<'a>>),
    Request(Box<RequestJson<'a>>),
    Crl(Box<CrlJson<'a>>),
    PrivateKey(PrivateKeyJson<'a>),
    PublicKey(PublicKeyObjectJson<'a>),
}

/// A certificate.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "CertificateObject")]
pub struct CertificateJson<'a> {
    #[schemars(extend("const" = "certificate"))]
    pub kind: &'static str,
    /// As `version_number`.
    #[schemars(extend("deprecated" = true))]
    pub version: u32,
    pub version_number: u32,
    pub subject: Shown<&'a DistinguishedName>,
    pub subject_attributes: Vec<AttributeJson<'a>>,
    pub issuer: Shown<&'a DistinguishedName>,
    pub issuer_attributes: Vec<AttributeJson<'a>>,
    /// Subject and issuer are the same name.
    pub self_issued: bool,
    /// Its own key signed it; `null`: the signature cannot be checked.
    pub self_signed: Option<bool>,
    /// `null`: the extension is not there.
    pub sans: Option<Vec<NameJson<'a>>>,
    pub not_before: Time,
    pub not_after: Time,
    pub length_seconds: i64,
    /// Until it expires; negative afterwards.
    pub seconds_left: i64,
    pub time_left: String,
    pub serial: SignedSerial<'a>,
    pub public_key: PublicKeyJson<'a>,
    pub is_ca: bool,
    pub basic_constraints: Option<BasicConstraintsJson>,
    pub key_usage: Option<Vec<&'static str>>,
    pub extended_key_usage: Option<Vec<Shown<&'a ExtendedKeyUsage>>>,
    pub name_constraints: Option<NameConstraintsJson<'a>>,
    pub subject_key_id: Option<Hex<&'a [u8]>>,
    pub authority_key_id: Option<AuthorityKeyIdJson<'a>>,
    pub crl_urls: &'a Vec<String>,
    pub ocsp_urls: &'a Vec<String>,
    pub ca_issuer_urls: &'a Vec<String>,
    pub policies: &'a Vec<String>,
    pub extensions: Vec<ExtensionJson<'a>>,
    /// What cannot be read.
    pub malformed: Vec<MalformedJson<'a>>,
    pub signature: SignatureJson<'a>,
    /// The algorithm in the signed part.
    pub signed_signature_algorithm: Shown<&'a SignatureAlgorithm>,
    pub fingerprint_sha256: Hex<[u8; 32]>,
    pub fingerprint_sha1: Hex<[u8; 20]>,
}

/// A signing request.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "RequestObject")]
pub struct RequestJson<'a> {
    #[schemars(extend("const" = "signing-request"))]
    pub kind: &'static str,
    pub subject: Shown<&'a DistinguishedName>,
    pub subject_attributes: Vec<AttributeJson<'a>>,
    /// `null`: the extension is not there.
    pub sans: Option<Vec<NameJson<'a>>>,
    pub public_key: PublicKeyJson<'a>,
    /// As `version_number`.
    #[schemars(extend("deprecated" = true))]
    pub version: u32,
    pub version_number: u32,
    pub basic_constraints: Option<BasicConstraintsJson>,
    pub key_usage: Option<Vec<&'static str>>,
    pub extended_key_usage: Option<Vec<Shown<&'a ExtendedKeyUsage>>>,
    pub requested_extensions: Vec<ExtensionJson<'a>>,
    /// What cannot be read.
    pub malformed: Vec<MalformedJson<'a>>,
    pub other_attributes: &'a Vec<String>,
    #[serde(rename = "possession_proven")]
    pub has_possession: bool,
    /// Whether it is signed with its own key.
    #[schemars(extend("enum" = ["proven", "not-proven", "cannot-be-checked"]))]
    pub possession: &'static str,
    pub signature: SignatureJson<'a>,
    pub fingerprint_sha256: Hex<[u8; 32]>,
    pub fingerprint_sha1: Hex<[u8; 20]>,
}

/// A CRL.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "CrlObject")]
pub struct CrlJson<'a> {
    #[schemars(extend("const" = "revocation-list"))]
    pub kind: &'static str,
    /// As `version_number`.
    #[schemars(extend("deprecated" = true))]
    pub version: u32,
    pub version_number: u32,
    pub issuer: Shown<&'a DistinguishedName>,
    pub issuer_attributes: Vec<AttributeJson<'a>>,
    /// As text: it may be longer than the integers of JSON readers.
    #[schemars(extend("deprecated" = true))]
    pub number: Option<String>,
    /// `null`: it has none, or one that is longer than 64 bits; `number` has it then.
    pub crl_number: Option<u64>,
    pub this_update: Time,
    pub next_update: Option<Time>,
    /// Until the next update; negative afterwards.
    pub seconds_left: Option<i64>,
    pub authority_key_id: Option<AuthorityKeyIdJson<'a>>,
    pub extensions: Vec<ExtensionJson<'a>>,
    /// What cannot be read.
    pub malformed: Vec<MalformedJson<'a>>,
    pub revoked: Vec<RevokedJson<'a>>,
    /// How many certificates it names, those that are not shown among them.
    pub revoked_count: usize,
    /// How many follow those that are shown.
    pub revoked_not_shown: usize,
    pub signature: SignatureJson<'a>,
    /// The algorithm in the signed part.
    pub signed_signature_algorithm: Shown<&'a SignatureAlgorithm>,
    pub fingerprint_sha256: Hex<[u8; 32]>,
    pub fingerprint_sha1: Hex<[u8; 20]>,
}

/// A certificate that a CRL names.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "RevokedEntry")]
pub struct RevokedJson<'a> {
    serial: SignedSerial<'a>,
    revoked_at: Time,
    reason: Option<&'static str>,
    /// Since when the private key is suspected.
    invalid_since: Option<Time>,
    unknown_critical_extensions: &'a Vec<String>,
}

/// A private key, without its secret.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "PrivateKeyObject")]
pub struct PrivateKeyJson<'a> {
    #[schemars(extend("const" = "private-key"))]
    pub kind: &'static str,
    /// `PKCS#8`, `PKCS#1`, `SEC1`.
    pub format: &'static str,
    pub encrypted: bool,
    /// Key derivation and cipher.
    pub encryption: Option<&'a str>,
    /// `null`: it was not opened.
    pub public_key: Option<PublicKeyJson<'a>>,
    /// Why it cannot be used here.
    pub unusable: Option<&'a str>,
    /// The command that makes it usable.
    pub fix: Option<&'a str>,
}

/// A public key.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "PublicKeyObject")]
pub struct PublicKeyObjectJson<'a> {
    #[schemars(extend("const" = "public-key"))]
    pub kind: &'static str,
    pub public_key: PublicKeyJson<'a>,
}

/// An attribute of a name.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Attribute")]
pub struct AttributeJson<'a> {
    #[serde(rename = "type")]
    kind: &'a str,
    value: &'a str,
    /// Of the relative name that it is in.
    position: usize,
}

/// A public key.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "PublicKey")]
pub struct PublicKeyJson<'a> {
    algorithm: Shown<&'a KeyKind>,
    bits: Option<u64>,
    /// Of an RSA key.
    exponent: Option<String>,
    #[serde(rename = "octets")]
    bytes: Hex<&'a [u8]>,
    key_id_sha1: Hex<[u8; 20]>,
    fingerprint_sha256: Hex<[u8; 32]>,
}

/// A signature.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Signature")]
pub struct SignatureJson<'a> {
    algorithm: Shown<&'a SignatureAlgorithm>,
    oid: &'a str,
    /// `null`: the algorithm is not known.
    weak: Option<bool>,
    value: Hex<&'a [u8]>,
}

/// An extension.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Extension")]
pub struct ExtensionJson<'a> {
    oid: &'a str,
    name: Option<&'static str>,
    critical: bool,
    value: Hex<&'a [u8]>,
}

/// A part that cannot be read.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Malformed")]
pub struct MalformedJson<'a> {
    /// Of an extension.
    oid: Option<&'a str>,
    name: Option<&'static str>,
    place: &'a str,
    reason: &'a str,
}

/// Whether it is a CA.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "BasicConstraints")]
pub struct BasicConstraintsJson {
    /// As `is_ca`.
    #[schemars(extend("deprecated" = true))]
    ca: bool,
    is_ca: bool,
    path_length: Option<u32>,
}

/// The names for which it may issue.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "NameConstraints")]
pub struct NameConstraintsJson<'a> {
    permitted: Vec<Shown<&'a Subtree>>,
    excluded: Vec<Shown<&'a Subtree>>,
}

/// Which key its issuer has.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "AuthorityKeyId")]
pub struct AuthorityKeyIdJson<'a> {
    key_id: Option<Hex<&'a [u8]>>,
    names_issuer_and_serial: bool,
}

impl<'a> AttributeJson<'a> {
    /// `position` tells those apart that share one relative name.
    pub fn all(name: &'a DistinguishedName) -> Vec<Self> {
        let relative_names = name.relative_names().iter().enumerate();
        let attributes = relative_names.flat_map(|(position, relative_name)| {
            relative_name.iter().map(move |attribute| Self {
                kind: attribute.kind.long_label(),
                value: &attribute.value,
                position,
            })
        });
        attributes.collect()
    }
}

impl<'a> PublicKeyJson<'a> {
    pub fn new(key: &'a PublicKey) -> Self {
        let bits = match key.kind() {
            KeyKind::EcdsaP256 | KeyKind::Ed25519 => Some(256),
            KeyKind::EcdsaP384 => Some(384),
            KeyKind::EcdsaP521 => Some(521),
            KeyKind::Rsa { bits, .. } => Some(u64::from(*bits)),
            KeyKind::Other(_) => None,
        };
        let exponent = match key.kind() {
            KeyKind::Rsa { exponent, .. } => Some(exponent_words(exponent)),
            _ => None,
        };
        Self {
            algorithm: Shown(key.kind()),
            bits,
            exponent,
            bytes: Hex(key.bits()),
            key_id_sha1: Hex(key.key_id()),
            fingerprint_sha256: Hex(key.fingerprint()),
        }
    }
}

impl<'a> SignatureJson<'a> {
    pub fn new(algorithm: &'a SignatureAlgorithm, signature: &'a [u8]) -> Self {
        let weak = match algorithm.strength() {
            Strength::Sound => Some(false),
            Strength::Weak => Some(true),
            Strength::Unknown => None,
        };
        Self { algorithm: Shown(algorithm), oid: &algorithm.oid, weak, value: Hex(signature) }
    }
}

impl<'a> ExtensionJson<'a> {
    pub fn all(extensions: &'a [Extension]) -> Vec<Self> {
        let shown = extensions.iter().map(|extension| Self {
            oid: &extension.oid,
            name: oid::name(&extension.oid),
            critical: extension.critical,
            value: Hex(&extension.value),
        });
        shown.collect()
    }
}

impl<'a> MalformedJson<'a> {
    /// Only an extension whose content cannot be read has an object identifier.
    pub fn all(malformed: &'a [(String, String)], unreadable: &'a [UnreadablePart]) -> Vec<Self> {
        let unreadable =
            unreadable.iter().map(|part| Self { oid: None, name: None, place: &part.place, reason: &part.reason });
        let malformed = malformed.iter().map(|(oid, reason)| Self {
            oid: Some(oid),
            name: oid::name(oid),
            place: extension_name(oid),
            reason,
        });
        unreadable.chain(malformed).collect()
    }
}

impl BasicConstraintsJson {
    pub fn new(constraints: BasicConstraints) -> Self {
        Self { ca: constraints.ca, is_ca: constraints.ca, path_length: constraints.path_length }
    }
}

impl<'a> NameConstraintsJson<'a> {
    pub fn new(constraints: &'a NameConstraints) -> Self {
        Self {
            permitted: constraints.permitted.iter().map(Shown).collect(),
            excluded: constraints.excluded.iter().map(Shown).collect(),
        }
    }
}

impl<'a> AuthorityKeyIdJson<'a> {
    pub fn new(id: &'a AuthorityKeyId) -> Self {
        Self { key_id: id.key_id.as_deref().map(Hex), names_issuer_and_serial: id.names_issuer_and_serial }
    }
}

impl<'a> RevokedJson<'a> {
    pub fn new(entry: &'a RevokedEntry) -> Self {
        Self {
            serial: SignedSerial(&entry.serial),
            revoked_at: Time(entry.revoked_at),
            reason: entry.reason.map(|reason| reason.name()),
            invalid_since: entry.invalid_since.map(Time),
            unknown_critical_extensions: &entry.unknown_critical,
        }
    }
}
