//! Where the bytes of a key stop being one: for the message, after the decoding failed. It never has a number of the key.

use crate::x509::der;

/// RFC 8017 §A.1.2.
pub(super) const PKCS1: &[(&str, u8)] = &[
    ("version", der::INTEGER),
    ("modulus", der::INTEGER),
    ("public exponent", der::INTEGER),
    ("private exponent", der::INTEGER),
    ("first prime", der::INTEGER),
    ("second prime", der::INTEGER),
    ("first exponent", der::INTEGER),
    ("second exponent", der::INTEGER),
    ("coefficient", der::INTEGER),
];

/// RFC 5958 §2.
pub(super) const PKCS8: &[(&str, u8)] =
    &[("version", der::INTEGER), ("algorithm", der::SEQUENCE), ("private key", der::OCTET_STRING)];

/// Returns the first part of a SEQUENCE that is missing, cut off or of another type: `modulus: it is cut off`.
pub(super) fn describe(input: &[u8], parts: &[(&str, u8)]) -> String {
    let mut content = match (input.first(), der::split_first(input)) {
        (None, _) => return "it is empty".to_owned(),
        (Some(&der::SEQUENCE), Some((_, content, []))) => content,
        (Some(&der::SEQUENCE), Some((.., rest))) => return format!("{} bytes follow its end", rest.len()),
        (Some(&der::SEQUENCE), None) => {
            return match der::announced(input) {
                Some(length) => format!("it is cut off: {length} bytes are announced, and {} are there", input.len()),
                None => "its length cannot be read".to_owned(),
            };
        }
        _ => return "it is not a SEQUENCE".to_owned(),
    };
    for (name, expected) in parts {
        match der::split_first(content) {
            None if content.is_empty() => return format!("{name}: it is missing"),
            None => return format!("{name}: it is cut off, or its length is wrong"),
            Some((found, ..)) if found != *expected => {
                return format!("{name}: {} is expected, and {} found", der::tag_name(*expected), der::tag_name(found));
            }
            Some((der::INTEGER, [] | [0, 0..0x80, ..], _)) => return format!("{name}: it is not a number in DER"),
            Some((.., rest)) => content = rest,
        }
    }
    "its content is not in the one form that DER allows".to_owned()
}
