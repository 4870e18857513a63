//! Extended key usage (RFC 5280 §4.2.1.12) and its predecessor, the Netscape certificate type.

use super::item::Item;
use crate::clients::fact::{Found, Subject, words};
use crate::clients::raw::extension;
use crate::clients::raw_der::{expect, values};
use crate::x509::der;

words! {
    MISSING = "eku:missing", LEAF, "has no extended key usage", "BR §7.1.2.7.10";
    EMPTY = "eku:empty", ANY, "has an extended key usage without any purpose", "RFC 5280 §4.2.1.12";
    UNREADABLE = "unreadable:eku", ANY, "has an extended key usage that cannot be read", "RFC 5280 §4.2.1.12";
    CRITICAL = "eku:critical", LEAF, "has a critical extended key usage", "BR §7.1.2.7.6";
    PRESENT = "eku:present", ROOT, "has an extended key usage", "BR §7.1.2.1.2";
    ANY_ONLY = "eku:any", ANY, "has the purpose anyExtendedKeyUsage, and not serverAuth", "RFC 5280 §4.2.1.12";
    GATED = "eku:gated", ANY, "has a purpose of server gated cryptography, and not serverAuth", "RFC 5280 §4.2.1.12";
    CLIENT_ONLY = "eku:client-only", ANY, "has the purpose clientAuth, and not serverAuth", "RFC 5280 §4.2.1.12";
    WITHOUT_SERVER = "eku:without-server", ANY, "has purposes, and serverAuth is not one of them", "RFC 5280 §4.2.1.12";
    SERVER_AND_ANY = "eku:server-and-any", LEAF, "has anyExtendedKeyUsage beside serverAuth", "BR §7.1.2.7.10";
    SERVER_AND_OCSP = "eku:server-and-ocsp", LEAF, "has OCSPSigning beside serverAuth", "BR §7.1.2.7.10";
    NETSCAPE_PRESENT = "nscerttype:present", LEAF, "has a Netscape certificate type", "Netscape certificate extensions";
    NETSCAPE_SERVER = "nscerttype:server", LEAF, "has a Netscape certificate type for servers", "Netscape certificate extensions";
    NETSCAPE_NO_SERVER = "nscerttype:no-server", LEAF, "has a Netscape certificate type that is not for servers",
        "Netscape certificate extensions";
    NETSCAPE_NO_SERVER_ALONE = "nscerttype:no-server-without-eku", LEAF,
        "has a Netscape certificate type that is not for servers, and no extended key usage", "Netscape certificate extensions";
}

const SERVER: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 3, 1];
const CLIENT: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 3, 2];
const OCSP: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 3, 9];
const ANY: &[u8] = &[0x55, 0x1d, 37, 0];
/// Server gated cryptography of Microsoft and of Netscape.
const GATED_PURPOSES: [&[u8]; 2] =
    [&[0x2b, 6, 1, 4, 1, 0x82, 0x37, 10, 3, 3], &[0x60, 0x86, 0x48, 1, 0x86, 0xf8, 0x42, 4, 1]];

pub fn find(item: &Item<'_, '_>, found: &mut Found) {
    extended_key_usage(item, found);
    if item.is_leaf()
        && let Some(extension) = item.certificate.extension(extension::NETSCAPE_TYPE)
    {
        const SSL_SERVER: u8 = 0x40;
        let bits = expect(der::BIT_STRING, extension.value).map(|(bits, _)| bits).unwrap_or_default();
        let is_for_servers = bits.get(1).is_some_and(|bits| bits & SSL_SERVER != 0);
        found.add(item.subject, &NETSCAPE_PRESENT);
        found.add(item.subject, if is_for_servers { &NETSCAPE_SERVER } else { &NETSCAPE_NO_SERVER });
        let is_alone = item.certificate.extension(extension::EXTENDED_KEY_USAGE).is_none();
        found.add_if(!is_for_servers && is_alone, item.subject, &NETSCAPE_NO_SERVER_ALONE);
    }
}

fn extended_key_usage(item: &Item<'_, '_>, found: &mut Found) {
    let subject = item.subject;
    let Some(extension) = item.certificate.extension(extension::EXTENDED_KEY_USAGE) else {
        return found.add_if(item.is_leaf(), subject, &MISSING);
    };
    found.add_if(item.is_leaf() && extension.critical, subject, &CRITICAL);
    let Some((list, _)) = expect(der::SEQUENCE, extension.value) else { return found.add(subject, &UNREADABLE) };
    let purposes: Vec<&[u8]> = values(list).map(|(_, oid)| oid).collect();
    let has = |purpose: &[u8]| purposes.contains(&purpose);
    if has(SERVER) {
        found.add_if(subject == Subject::Root, subject, &PRESENT);
        found.add_if(item.is_leaf() && has(ANY), subject, &SERVER_AND_ANY);
        found.add_if(item.is_leaf() && has(OCSP), subject, &SERVER_AND_OCSP);
    } else if has(ANY) {
        found.add(subject, &ANY_ONLY);
    } else if GATED_PURPOSES.iter().any(|purpose| has(purpose)) {
        found.add(subject, &GATED);
    } else if has(CLIENT) {
        found.add(subject, &CLIENT_ONLY);
    } else {
        found.add(subject, if purposes.is_empty() { &EMPTY } else { &WITHOUT_SERVER });
    }
}
