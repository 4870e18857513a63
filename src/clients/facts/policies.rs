//! Certificate policies (RFC 5280 §4.2.1.4, §4.2.1.5, §4.2.1.11 and §4.2.1.14).

use super::item::Item;
use crate::clients::fact::{Found, words};
use crate::clients::raw::extension;
use crate::clients::raw_der::{expect, values};
use crate::x509::der;

words! {
    PRESENT = "cp:present", LEAF, "has certificate policies", "RFC 5280 §4.2.1.4";
    CRITICAL = "cp:critical", ANY, "has critical certificate policies", "RFC 5280 §4.2.1.4";
    CRITICAL_OWN = "cp:critical-own", ANY, "has critical certificate policies other than anyPolicy", "RFC 5280 §4.2.1.4";
    DUPLICATE = "cp:duplicate", ANY, "has one certificate policy twice", "RFC 5280 §4.2.1.4";
    UNREADABLE = "unreadable:cp", ANY, "has certificate policies that cannot be read", "RFC 5280 §4.2.1.4";
    CONSTRAINTS_CRITICAL = "pc:critical", CA, "has critical policy constraints", "RFC 5280 §4.2.1.11";
    INHIBIT_CRITICAL = "iap:critical", CA, "has a critical inhibitAnyPolicy", "RFC 5280 §4.2.1.14";
    MAPPINGS_CRITICAL = "pm:critical", CA, "has critical policy mappings", "RFC 5280 §4.2.1.5";
}

const ANY_POLICY: &[u8] = &[0x55, 0x1d, 32, 0];

pub fn find(item: &Item<'_, '_>, found: &mut Found) {
    let (subject, certificate) = (item.subject, item.certificate);
    if !item.is_leaf() {
        for (oid, word) in [
            (extension::POLICY_CONSTRAINTS, &CONSTRAINTS_CRITICAL),
            (extension::INHIBIT_ANY_POLICY, &INHIBIT_CRITICAL),
            (extension::POLICY_MAPPINGS, &MAPPINGS_CRITICAL),
        ] {
            found.add_if(certificate.extension(oid).is_some_and(|extension| extension.critical), subject, word);
        }
    }
    let Some(extension) = certificate.extension(extension::POLICIES) else { return };
    let policies = policies(extension.value);
    if extension.critical {
        found.add(subject, &CRITICAL);
        let own = policies.iter().flatten().any(|oid| *oid != ANY_POLICY);
        found.add_if(own, subject, &CRITICAL_OWN);
    } else {
        found.add_if(item.is_leaf(), subject, &PRESENT);
    }
    let Some(mut policies) = policies else { return found.add(subject, &UNREADABLE) };
    let count = policies.len();
    policies.sort_unstable();
    policies.dedup();
    found.add_if(policies.len() < count, subject, &DUPLICATE);
}

/// Returns the object identifiers; `None` when they cannot be read.
fn policies(value: &[u8]) -> Option<Vec<&[u8]>> {
    let (list, rest) = expect(der::SEQUENCE, value)?;
    let children = der::children(list)?;
    if !rest.is_empty() || children.is_empty() {
        return None;
    }
    let policies = values(list).map(|(tag, fields)| {
        let policy = (tag == der::SEQUENCE).then(|| expect(der::OBJECT_IDENTIFIER, fields)).flatten();
        policy.map(|(oid, _)| oid)
    });
    policies.collect()
}
