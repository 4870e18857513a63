//! The fields that certificates, requests, CRLs and keys have in common.

use time::OffsetDateTime;

use crate::report::page::{Page, Tone};
use crate::text::{self, how_far, rfc3339};
use crate::x509::certificate::{UnreadablePart, oid};
use crate::x509::signature_algorithm::Strength;
use crate::x509::{
    AttributeType, AuthorityKeyId, DistinguishedName, Extension, GeneralName, KeyKind, PublicKey, SignatureAlgorithm,
    digest, key_names,
};

/// A name as one line, and each of its attributes below it under the word for its type.
pub(super) fn name_fields(page: &mut Page, label: &str, name: &DistinguishedName) {
    if name.is_empty() {
        page.field(label, "(empty)");
        return;
    }
    page.field(label, &name.to_string());
    for attribute in name.attributes() {
        let word = match &attribute.kind {
            // As long as the column is wide.
            AttributeType::OrganizationalUnit => "unit".to_owned(),
            AttributeType::DomainComponent => "domain".to_owned(),
            kind => kind.long_label().replace('-', " "),
        };
        page.field(&format!("  {word}"), &text::with_visible_ends(&attribute.value));
    }
}

pub(super) fn names_field(page: &mut Page, label: &str, names: &[GeneralName]) {
    let lines: Vec<String> = names.iter().map(GeneralName::to_string).collect();
    page.rows(label, &if lines.is_empty() { vec!["(empty)".to_owned()] } else { lines });
}

/// `2027-03-01T09:12:00Z (3 days ago)`.
pub(super) fn when(at: OffsetDateTime, now: OffsetDateTime) -> String {
    format!("{} ({})", rfc3339(at), how_far(at, now))
}

/// The kind of a key as a flag names it, and as textbooks do.
fn key_words(key: &PublicKey) -> String {
    match key.kind() {
        KeyKind::EcdsaP256 => "ecdsa-p256 (elliptic curve P-256, 256 bits)".to_owned(),
        KeyKind::EcdsaP384 => "ecdsa-p384 (elliptic curve P-384, 384 bits)".to_owned(),
        KeyKind::EcdsaP521 => "ecdsa-p521 (elliptic curve P-521, 521 bits)".to_owned(),
        KeyKind::Ed25519 => "ed25519 (Edwards curve 25519, 256 bits)".to_owned(),
        KeyKind::Rsa { bits, exponent } => {
            format!("rsa-{bits} (RSA, {bits} bits, public exponent {})", exponent_words(exponent))
        }
        KeyKind::Other(oid) => match key_names::find(oid) {
            Some(known) => format!("{}: {}", key.kind(), known.words),
            None => key.kind().to_string(),
        },
    }
}

/// A number in decimal when it fits, in hexadecimal otherwise.
pub(super) fn exponent_words(bytes: &[u8]) -> String {
    if bytes.len() <= 8 {
        bytes.iter().fold(0_u64, |number, byte| number << 8 | u64::from(*byte)).to_string()
    } else {
        format!("0x{}", text::hex(bytes))
    }
}

pub(super) fn public_key_fields(page: &mut Page, key: &PublicKey) {
    page.field("Public key", &key_words(key));
    page.rows("  bytes", &hex_lines(key.bits()));
    page.digest("  SHA-256", &key.fingerprint());
}

pub(super) fn signature_field(page: &mut Page, algorithm: &SignatureAlgorithm, signature: &[u8]) {
    let (tone, weak) = match algorithm.strength() {
        Strength::Sound => (Tone::Plain, ""),
        Strength::Weak => (Tone::Warning, " (weak: its digest can be forged)"),
        Strength::Unknown => (Tone::Plain, " (not known to be sound)"),
    };
    page.toned_field("Signature", tone, &format!("{algorithm}{weak}, {} bytes", signature.len()));
    let (first, more) = signature.split_at_checked(16).map_or((signature, ""), |(first, _)| (first, " …"));
    page.field("  bytes", &format!("{}{more}", text::hex(first)));
}

pub(super) fn fingerprint_fields(page: &mut Page, der: &[u8]) {
    page.digest("SHA-256", &digest::sha256(der));
    page.digest("SHA-1", &digest::sha1(der));
}

pub(super) fn authority_key_id_words(id: &AuthorityKeyId) -> String {
    let key_id = id.key_id.as_ref().map_or_else(|| "without a key identifier".to_owned(), |id| text::hex(id));
    let suffix = if id.names_issuer_and_serial { ", and the issuer by name and serial" } else { "" };
    format!("{key_id}{suffix}")
}

/// The extensions of which only the bytes can be shown.
pub(super) fn extension_fields(page: &mut Page, extensions: &[Extension]) {
    for extension in extensions.iter().filter(|extension| !SHOWN.contains(&extension.oid.as_str())) {
        let critical = if extension.critical { "critical, " } else { "" };
        let about = format!("{} ({critical}{} bytes)", extension_name(&extension.oid), extension.value.len());
        page.rows("Extension", &[vec![about], shortened(&extension.value)].concat());
    }
    let critical: Vec<&str> = extensions
        .iter()
        .filter(|extension| extension.critical)
        .map(|extension| extension_name(&extension.oid))
        .collect();
    if !critical.is_empty() {
        page.field("Critical", &critical.join(", "));
    }
}

pub(super) fn malformed_fields(page: &mut Page, malformed: &[(String, String)]) {
    for (oid, reason) in malformed {
        page.toned_field("Malformed", Tone::Bad, &format!("{}: {reason}", extension_name(oid)));
    }
}

/// The parts of a certificate that cannot be read at all.
pub(super) fn unreadable_fields(page: &mut Page, unreadable: &[UnreadablePart]) {
    for UnreadablePart { place, reason } in unreadable {
        page.toned_field("Malformed", Tone::Bad, &format!("{place}: {reason}"));
    }
}

/// Returns the first two lines of the bytes.
fn shortened(bytes: &[u8]) -> Vec<String> {
    match bytes.split_at_checked(2 * BYTES_OF_LINE) {
        Some((first, rest)) if !rest.is_empty() => {
            let mut lines = hex_lines(first);
            lines.last_mut().into_iter().for_each(|last| last.push_str(" …"));
            lines
        }
        _ => hex_lines(bytes),
    }
}

/// Two of the lines in which openssl shows a key, to compare them; they fit a terminal of 80 columns.
const BYTES_OF_LINE: usize = 30;

fn hex_lines(bytes: &[u8]) -> Vec<String> {
    bytes.chunks(BYTES_OF_LINE).map(text::hex).collect()
}

pub(super) fn extension_name(oid: &str) -> &str {
    oid::name(oid).unwrap_or(oid)
}

/// The extensions that have fields of their own.
const SHOWN: [&str; 13] = [
    oid::SUBJECT_KEY_ID,
    oid::KEY_USAGE,
    oid::SUBJECT_ALT_NAME,
    oid::BASIC_CONSTRAINTS,
    oid::CRL_NUMBER,
    oid::NAME_CONSTRAINTS,
    oid::CRL_DISTRIBUTION_POINTS,
    oid::CERTIFICATE_POLICIES,
    oid::AUTHORITY_KEY_ID,
    oid::EXTENDED_KEY_USAGE,
    oid::AUTHORITY_INFO_ACCESS,
    oid::REASON_CODE,
    oid::INVALIDITY_DATE,
];
