//! Key identifiers (RFC 5280 §4.2.1.1 and §4.2.1.2).

use super::item::Item;
use crate::clients::fact::{Found, Subject, words};
use crate::clients::raw::{RawCertificate, extension};
use crate::clients::raw_der::{expect, values};
use crate::clients::raw_name::RawName;
use crate::x509::der;

words! {
    SKI_MISSING = "ski:missing", ANY, "has no subject key identifier", "RFC 5280 §4.2.1.2";
    SKI_MISSING_AS_CA = "ski:missing-as-ca", LEAF, "is a CA and has no subject key identifier", "RFC 5280 §4.2.1.2";
    SKI_CRITICAL = "ski:critical", ANY, "has a critical subject key identifier", "RFC 5280 §4.2.1.2";
    MISSING = "aki:missing", BELOW_ROOT, "has no authority key identifier", "RFC 5280 §4.2.1.1";
    MISSING_V1 = "aki:missing-v1", BELOW_ROOT, "has no authority key identifier, as version 1 has none", "RFC 5280 §4.2.1.1";
    CRITICAL = "aki:critical", ANY, "has a critical authority key identifier", "RFC 5280 §4.2.1.1";
    EMPTY = "aki:empty", ANY, "has an empty authority key identifier", "RFC 5280 §4.2.1.1";
    UNREADABLE = "unreadable:aki", ANY, "has an authority key identifier that cannot be read", "RFC 5280 §4.2.1.1";
    MISMATCH = "aki:mismatch", ANY, "has an authority key identifier that is not the key identifier of its issuer", "RFC 5280 §4.2.1.1";
    SERIAL = "aki:serial", ANY, "has an authority key identifier with issuer and serial number", "BR §7.1.2.11.1";
    ISSUER_SERIAL_ONLY = "aki:issuer-serial-only", ANY, "has an authority key identifier of issuer and serial number alone",
        "RFC 5280 §4.2.1.1";
    SERIAL_WRONG = "aki:serial-wrong", ANY, "has an authority key identifier with the issuer and serial number of another certificate",
        "RFC 5280 §4.2.1.1";
}

pub fn find(item: &Item<'_, '_>, found: &mut Found) {
    let (subject, certificate) = (item.subject, item.certificate);
    match certificate.extension(extension::SKI) {
        None => {
            found.add(subject, &SKI_MISSING);
            found.add_if(item.is_leaf() && certificate.is_ca(), subject, &SKI_MISSING_AS_CA);
        }
        Some(extension) => found.add_if(extension.critical, subject, &SKI_CRITICAL),
    }
    // A self-signed certificate names itself.
    let signs_itself = subject == Subject::Root || item.is_trusted_leaf;
    let Some(extension) = certificate.extension(extension::AKI) else {
        if !signs_itself {
            found.add(subject, if certificate.version == 1 { &MISSING_V1 } else { &MISSING });
        }
        return;
    };
    found.add_if(extension.critical, subject, &CRITICAL);
    let Some((fields, _)) = expect(der::SEQUENCE, extension.value) else { return found.add(subject, &UNREADABLE) };
    let fields: Vec<(u8, &[u8])> = values(fields).collect();
    let field = |number: u8| fields.iter().find(|(tag, _)| tag & 0x1f == number).map(|(_, content)| *content);
    let (key_id, issuer_names, serial) = (field(0), field(1), field(2));
    // Of an anchor that another CA signed, the issuer is not known.
    let names_itself = (subject == Subject::Root || item.is_trusted_leaf) && item.is_self_signed;
    let issuer = if names_itself { Some(certificate) } else { item.issuer };
    found.add_if(fields.is_empty(), subject, &EMPTY);
    if let (Some(wanted), Some(present)) = (key_id, issuer.and_then(RawCertificate::key_id)) {
        found.add_if(wanted != present, subject, &MISMATCH);
    }
    if issuer_names.is_some() || serial.is_some() {
        found.add(subject, &SERIAL);
        found.add_if(key_id.is_none(), subject, &ISSUER_SERIAL_ONLY);
        let names_it = |issuer: &RawCertificate<'_>| {
            serial.is_none_or(|serial| serial == issuer.serial)
                && issuer_names
                    .is_none_or(|names| directory_names(names).iter().any(|name| name.is_same(&issuer.issuer)))
        };
        found.add_if(issuer.is_some_and(|issuer| !names_it(issuer)), subject, &SERIAL_WRONG);
    }
}

/// Returns the directory names of a list of general names.
fn directory_names(names: &[u8]) -> Vec<RawName<'_>> {
    let names = values(names).filter(|(tag, _)| *tag == der::context_constructed(4));
    names.map(|(_, name)| RawName::new(name)).collect()
}
