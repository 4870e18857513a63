//! Basic constraints (RFC 5280 §4.2.1.9).

use super::item::Item;
use crate::clients::fact::{Found, Subject, words};
use crate::clients::raw::{RawCertificate, extension};
use crate::clients::raw_der::expect;
use crate::x509::der;

words! {
    MISSING = "bc:missing", CA, "has no basic constraints", "RFC 5280 §6.1.4 (k)";
    MISSING_V1 = "bc:missing-v1", CA, "has no basic constraints, as version 1 has none", "RFC 5280 §6.1.4 (k)";
    MISSING_BESIDE_KEY_USAGE = "bc:missing-beside-ku", CA, "has a key usage and no basic constraints", "RFC 5280 §6.1.4 (k)";
    MISSING_WITHOUT_KEY_USAGE = "bc:missing-without-ku", ROOT, "has neither basic constraints nor a key usage", "RFC 5280 §6.1.4 (k)";
    FALSE = "bc:false", CA, "has basic constraints that say it is not a CA", "RFC 5280 §6.1.4 (k)";
    NOT_CRITICAL = "bc:not-critical", CA, "has basic constraints that are not critical", "RFC 5280 §4.2.1.9";
    NOT_DER = "bc:boolean-not-der", ANY, "has basic constraints with a BOOLEAN that is not DER", "X.690 §11.1";
    FALSE_WRITTEN = "bc:false-written", LEAF, "has basic constraints that write out cA FALSE, which is the default", "X.690 §11.5";
    NEGATIVE = "bc:pathlen-negative", CA, "has a negative path length", "RFC 5280 §4.2.1.9";
    PATH_LENGTH_WITHOUT_CA = "bc:pathlen-without-ca", LEAF, "has a path length and is not a CA", "RFC 5280 §4.2.1.9";
    PATH_LENGTH_WITHOUT_KEY_USAGE = "pathlen-without-ku", CA, "has a path length and no key usage", "RFC 5280 §4.2.1.9";
    UNREADABLE = "unreadable:bc", ANY, "has basic constraints that cannot be read", "RFC 5280 §4.2.1.9";
    CA_TRUE = "ca-true", LEAF, "is a CA", "BR §7.1.2.7.8";
    CA_TRUE_WITHOUT_KEY_USAGE = "ca-true-without-ku", LEAF, "is a CA without key usage", "BR §7.1.2.7.8";
    CA_TRUE_WITHOUT_PURPOSES = "ca-true-without-eku", LEAF, "is a CA without extended key usage", "BR §7.1.2.7.8";
    CA_TRUE_SELF_SIGNED = "ca-true-self-signed", LEAF, "is a CA that signed itself", "BR §7.1.2.7.8";
    CA_TRUE_SELF_SIGNED_WITHOUT_KEY_USAGE = "ca-true-self-signed-without-ku", LEAF,
        "is a CA that signed itself, without key usage", "BR §7.1.2.7.8";
}

/// The fields of the extension.
#[derive(Default)]
struct BasicConstraints {
    ca: bool,
    has_odd_boolean: bool,
    writes_false: bool,
    has_path_length: bool,
    is_negative: bool,
}

fn read(value: &[u8]) -> Option<BasicConstraints> {
    let (mut rest, _) = expect(der::SEQUENCE, value)?;
    let mut read = BasicConstraints::default();
    if let Some((flag, after)) = expect(der::BOOLEAN, rest) {
        read.ca = flag.iter().any(|byte| *byte != 0);
        // FALSE is the default, which DER leaves out.
        read.writes_false = flag == [0];
        read.has_odd_boolean = flag != [0xff] && !read.writes_false;
        rest = after;
    }
    if let Some((length, _)) = expect(der::INTEGER, rest) {
        read.has_path_length = true;
        read.is_negative = length.first().is_some_and(|byte| byte & 0x80 != 0);
    }
    Some(read)
}

pub fn find(item: &Item<'_, '_>, found: &mut Found) {
    let (subject, certificate) = (item.subject, item.certificate);
    let has_key_usage = certificate.extension(extension::KEY_USAGE).is_some();
    let Some(extension) = certificate.extension(extension::BASIC_CONSTRAINTS) else {
        if subject != Subject::Leaf {
            found.add(subject, if certificate.version == 1 { &MISSING_V1 } else { &MISSING });
            found.add_if(has_key_usage, subject, &MISSING_BESIDE_KEY_USAGE);
            let has_neither = subject == Subject::Root && certificate.version != 1 && !has_key_usage;
            found.add_if(has_neither, subject, &MISSING_WITHOUT_KEY_USAGE);
        }
        return;
    };
    let Some(constraints) = read(extension.value) else { return found.add(subject, &UNREADABLE) };
    found.add_if(constraints.has_odd_boolean, subject, &NOT_DER);
    if item.is_leaf() {
        found.add_if(constraints.writes_false, subject, &FALSE_WRITTEN);
        found.add_if(constraints.has_path_length && !constraints.ca, subject, &PATH_LENGTH_WITHOUT_CA);
        let word = match (item.is_trusted_leaf && certificate.is_self_issued(), has_key_usage) {
            (false, true) if certificate.extension(extension::EXTENDED_KEY_USAGE).is_none() => {
                &CA_TRUE_WITHOUT_PURPOSES
            }
            (false, true) => &CA_TRUE,
            (false, false) => &CA_TRUE_WITHOUT_KEY_USAGE,
            (true, true) => &CA_TRUE_SELF_SIGNED,
            (true, false) => &CA_TRUE_SELF_SIGNED_WITHOUT_KEY_USAGE,
        };
        return found.add_if(constraints.ca, subject, word);
    }
    found.add_if(!constraints.ca, subject, &FALSE);
    found.add_if(!extension.critical, subject, &NOT_CRITICAL);
    found.add_if(constraints.is_negative, subject, &NEGATIVE);
    found.add_if(constraints.has_path_length && !has_key_usage, subject, &PATH_LENGTH_WITHOUT_KEY_USAGE);
}

/// Returns the path length of a CA, when it has one that is not negative.
pub fn path_length(certificate: &RawCertificate<'_>) -> Option<usize> {
    let extension = certificate.extension(extension::BASIC_CONSTRAINTS)?;
    let (mut rest, _) = expect(der::SEQUENCE, extension.value)?;
    if let Some((_, after)) = expect(der::BOOLEAN, rest) {
        rest = after;
    }
    let (length, _) = expect(der::INTEGER, rest)?;
    match length {
        [length @ 0..0x80] => Some(usize::from(*length)),
        [0, ..] | [1..0x80, ..] => Some(usize::MAX),
        _ => None,
    }
}
