//! Extensions that are unknown, repeated, or unusual by being there (RFC 5280 §4.2).

use super::item::Item;
use crate::clients::fact::{Found, words};
use crate::clients::raw::extension;
use crate::clients::raw_der::{expect, values};
use crate::x509::der;
use crate::x509::seen::Seen;

words! {
    UNKNOWN_CRITICAL = "unknown:critical", ANY, "has a critical extension that clients do not know", "RFC 5280 §4.2";
    OTHER_CRITICAL = "other:critical", ANY, "has an extension that is critical and must not be", "RFC 5280 §4.2";
    DUPLICATE_SAN = "duplicate:san", ANY, "has two extensions of subject alternative names", "RFC 5280 §4.2";
    DUPLICATE_BC = "duplicate:bc", ANY, "has two extensions of basic constraints", "RFC 5280 §4.2";
    DUPLICATE_OTHER = "duplicate:other", ANY, "has an extension twice", "RFC 5280 §4.2";
    CT_POISON = "ct-poison:critical", LEAF, "is a precertificate", "RFC 6962 §3.1";
    MUST_STAPLE = "must-staple:present", LEAF, "requires a stapled OCSP response", "RFC 7633 §4";
    CDP_PRESENT = "cdp:present", LEAF, "has CRL distribution points", "RFC 5280 §4.2.1.13";
    CDP_CRITICAL = "cdp:critical", ANY, "has critical CRL distribution points", "RFC 5280 §4.2.1.13";
    AIA_PRESENT = "aia:present", LEAF, "has authority information access", "RFC 5280 §4.2.2.1";
    AIA_CRITICAL = "aia:critical", ANY, "has critical authority information access", "RFC 5280 §4.2.2.1";
    AIA_UNREADABLE = "unreadable:aia", ANY, "has authority information access that cannot be read", "RFC 5280 §4.2.2.1";
    CDP_UNREADABLE = "unreadable:cdp", ANY, "has CRL distribution points that cannot be read", "RFC 5280 §4.2.1.13";
    IAN_PRESENT = "ian:present", LEAF, "has issuer alternative names", "RFC 5280 §4.2.1.7";
    PERIOD_PRESENT = "pkup:present", LEAF, "has a private key usage period", "RFC 3280 §4.2.1.4";
}

/// Known extensions whose criticality has no word of its own. Key usage, basic constraints, name constraints and those with
/// a word in another file are in the second list.
const MUST_NOT_BE_CRITICAL: [&[u8]; 7] = [
    extension::PRIVATE_KEY_USAGE_PERIOD,
    extension::ISSUER_ALT_NAME,
    extension::FRESHEST_CRL,
    extension::SUBJECT_INFO_ACCESS,
    extension::TLS_FEATURE,
    extension::NETSCAPE_TYPE,
    extension::NETSCAPE_COMMENT,
];
const KNOWN: [&[u8]; 14] = [
    extension::SKI,
    extension::KEY_USAGE,
    extension::SAN,
    extension::BASIC_CONSTRAINTS,
    extension::NAME_CONSTRAINTS,
    extension::CRL_DISTRIBUTION_POINTS,
    extension::POLICIES,
    extension::POLICY_MAPPINGS,
    extension::AKI,
    extension::POLICY_CONSTRAINTS,
    extension::EXTENDED_KEY_USAGE,
    extension::INHIBIT_ANY_POLICY,
    extension::AUTHORITY_INFO_ACCESS,
    extension::CT_POISON,
];

pub fn find(item: &Item<'_, '_>, found: &mut Found) {
    let subject = item.subject;
    let mut seen = Seen::default();
    for extension in item.certificate.extensions() {
        if !seen.insert(extension.oid) {
            found.add(
                subject,
                match extension.oid {
                    extension::SAN => &DUPLICATE_SAN,
                    extension::BASIC_CONSTRAINTS => &DUPLICATE_BC,
                    _ => &DUPLICATE_OTHER,
                },
            );
        }
        let form: Option<(&[u8], _)> = match extension.oid {
            extension::AUTHORITY_INFO_ACCESS => Some((&[der::OBJECT_IDENTIFIER], &AIA_UNREADABLE)),
            extension::CRL_DISTRIBUTION_POINTS => Some((&[], &CDP_UNREADABLE)),
            _ => None,
        };
        if let Some((first, word)) = form {
            found.add_if(!is_list_of_sequences(extension.value, first), subject, word);
        }
        match (extension.oid, extension.critical) {
            (extension::CT_POISON, _) => found.add_if(item.is_leaf(), subject, &CT_POISON),
            (extension::CRL_DISTRIBUTION_POINTS, true) => found.add(subject, &CDP_CRITICAL),
            (extension::CRL_DISTRIBUTION_POINTS, false) => found.add_if(item.is_leaf(), subject, &CDP_PRESENT),
            (extension::AUTHORITY_INFO_ACCESS, true) => found.add(subject, &AIA_CRITICAL),
            (extension::AUTHORITY_INFO_ACCESS, false) => found.add_if(item.is_leaf(), subject, &AIA_PRESENT),
            (oid, true) if MUST_NOT_BE_CRITICAL.contains(&oid) => found.add(subject, &OTHER_CRITICAL),
            (oid, true) => found.add_if(!KNOWN.contains(&oid), subject, &UNKNOWN_CRITICAL),
            (extension::TLS_FEATURE, _) => found.add_if(item.is_leaf(), subject, &MUST_STAPLE),
            (extension::ISSUER_ALT_NAME, _) => found.add_if(item.is_leaf(), subject, &IAN_PRESENT),
            (extension::PRIVATE_KEY_USAGE_PERIOD, _) => found.add_if(item.is_leaf(), subject, &PERIOD_PRESENT),
            _ => {}
        }
    }
}

/// Returns whether a value is a list of sequences with something in it, each of which begins with an element of this tag.
fn is_list_of_sequences(value: &[u8], first: &[u8]) -> bool {
    let Some((list, [])) = expect(der::SEQUENCE, value) else { return false };
    let Some(children) = der::children(list) else { return false };
    !children.is_empty()
        && values(list)
            .all(|(tag, fields)| tag == der::SEQUENCE && fields.starts_with(first) && der::children(fields).is_some())
}
