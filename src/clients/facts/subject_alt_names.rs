//! Subject alternative names: their form (RFC 5280 §4.2.1.6).

use std::net::IpAddr;

use crate::clients::fact::{Found, Subject, words};
use crate::clients::raw::{RawCertificate, extension};
use crate::clients::raw_der::{expect, values};
use crate::x509::der;

words! {
    MISSING = "san:missing", LEAF, "has no subject alternative names", "RFC 9525 §2";
    UNREADABLE = "unreadable:san", LEAF, "has subject alternative names that cannot be read", "RFC 5280 §4.2.1.6";
    TRAILING = "san:trailing-octets", LEAF, "has bytes after its subject alternative names", "RFC 5280 §4.2.1.6";
    EMPTY = "san:empty", LEAF, "has an empty list of subject alternative names", "RFC 5280 §4.2.1.6";
    MANY = "san:many", LEAF, "has more than 100 subject alternative names", "RFC 5280 §4.2.1.6";
    TOO_MANY = "san:over-400", LEAF, "has more than 400 subject alternative names", "RFC 5280 §4.2.1.6";
    CRITICAL = "san:critical-beside-subject", LEAF, "has critical subject alternative names beside a subject", "RFC 5280 §4.2.1.6";
    NOT_CRITICAL = "san:not-critical-empty-subject", LEAF,
        "has an empty subject and subject alternative names that are not critical", "RFC 5280 §4.1.2.6";
    UPPER_CASE = "san:upper-case", LEAF, "has a DNS name in capitals", "RFC 9525 §6.3";
    TRAILING_DOT = "san:trailing-dot", LEAF, "has a DNS name that ends with a dot", "RFC 5280 §4.2.1.6";
    LEADING_DOT = "san:leading-dot", LEAF, "has a DNS name that begins with a dot", "RFC 5280 §4.2.1.6";
    UNDERSCORE = "san:underscore", LEAF, "has a DNS name with an underscore", "RFC 1034 §3.5";
    HYPHEN_FIRST = "san:hyphen-first", LEAF, "has a DNS name with a label that begins with a hyphen", "RFC 1034 §3.5";
    LONG_LABEL = "san:long-label", LEAF, "has a DNS name with a label of more than 63 characters", "RFC 1034 §3.1";
    NOT_ASCII = "san:not-ascii", LEAF, "has a name outside of ASCII", "RFC 5280 §7.2";
    NUL = "san:nul", LEAF, "has a DNS name with a null byte", "RFC 1034 §3.5";
    PORT = "san:port", LEAF, "has a DNS name with a port", "RFC 5280 §4.2.1.6";
    SPACE = "san:space", LEAF, "has a DNS name with a space", "RFC 5280 §4.2.1.6";
    URL = "san:url", LEAF, "has a URL as DNS name", "RFC 5280 §4.2.1.6";
    BARE_STAR = "san:bare-star", LEAF, "has the DNS name '*'", "RFC 9525 §6.3";
    WILDCARD_ODD = "san:wildcard-odd", LEAF, "has a wildcard that is not the whole first label", "RFC 9525 §6.3";
    EMPTY_DNS = "san:empty-dns", LEAF, "has an empty DNS name", "RFC 5280 §4.2.1.6";
    IP_AS_DNS = "san:ip-as-dns", LEAF, "has an IP address as DNS name", "RFC 5280 §4.2.1.6";
    IP_LENGTH = "san:ip-length", LEAF, "has an IP address that is not of 4 or 16 bytes", "RFC 5280 §4.2.1.6";
    IP_MAPPED = "san:ip-mapped", LEAF, "has an IPv4 address as an IPv6 address", "RFC 4291 §2.5.5.2";
    EMAIL_BAD = "san:email-bad", LEAF, "has an e-mail address that is not a mailbox", "RFC 5280 §4.2.1.6";
    URI_BAD = "san:uri-bad", LEAF, "has a URI with a character that a URI does not allow", "RFC 5280 §4.2.1.6";
}

/// The number of the tag of each kind of general name.
pub const OTHER_NAME: u8 = 0;
pub const EMAIL: u8 = 1;
pub const DNS: u8 = 2;
pub const DIRECTORY: u8 = 4;
pub const URI: u8 = 6;
pub const IP: u8 = 7;
pub const REGISTERED_ID: u8 = 8;

/// Returns the general names of a leaf as (number of the tag, content); `None` without the extension.
pub fn names<'a>(leaf: &RawCertificate<'a>) -> Option<Vec<(u8, &'a [u8])>> {
    let (list, _) = expect(der::SEQUENCE, leaf.extension(extension::SAN)?.value)?;
    Some(values(list).map(|(tag, content)| (tag & 0x1f, content)).collect())
}

pub fn find(leaf: &RawCertificate<'_>, found: &mut Found) {
    let mut add = |condition: bool, word| found.add_if(condition, Subject::Leaf, word);
    let Some(extension) = leaf.extension(extension::SAN) else { return add(true, &MISSING) };
    let Some((list, rest)) = expect(der::SEQUENCE, extension.value) else { return add(true, &UNREADABLE) };
    add(!rest.is_empty(), &TRAILING);
    let names: Vec<_> = values(list).map(|(tag, content)| (tag & 0x1f, content)).collect();
    add(names.is_empty(), &EMPTY);
    add(names.len() > 100, &MANY);
    add(names.len() > 400, &TOO_MANY);
    let has_subject = !leaf.subject.is_empty();
    add(extension.critical && has_subject, &CRITICAL);
    add(!extension.critical && !has_subject, &NOT_CRITICAL);
    for (kind, name) in names {
        match kind {
            DNS => dns(name, &mut add),
            IP => {
                add(!matches!(name.len(), 4 | 16), &IP_LENGTH);
                add(name.len() == 16 && name.starts_with(&[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff]), &IP_MAPPED);
            }
            EMAIL => {
                let parts = name.iter().position(|byte| *byte == b'@').map(|at| name.split_at(at));
                let is_mailbox = parts.is_some_and(|(local, domain)| !local.is_empty() && domain.len() > 1);
                add(!name.is_ascii(), &NOT_ASCII);
                add(!is_mailbox || name.iter().any(|byte| byte.is_ascii_control() || *byte == b' '), &EMAIL_BAD);
            }
            URI => {
                let is_allowed = |byte: &u8| byte.is_ascii_graphic() && !b"\"<>\\^`{|}".contains(byte);
                add(!name.iter().all(is_allowed) || !name.contains(&b':'), &URI_BAD);
            }
            _ => {}
        }
    }
}

fn dns(name: &[u8], add: &mut impl FnMut(bool, &'static crate::clients::Word)) {
    let labels = || name.split(|byte| *byte == b'.');
    let is_url = name.windows(3).any(|three| three == b"://");
    let text = std::str::from_utf8(name).unwrap_or_default();
    let after_colon = text.rsplit_once(':').map(|(_, port)| port).unwrap_or_default();
    let is_address = text.parse::<IpAddr>().is_ok();
    add(name.iter().any(u8::is_ascii_uppercase), &UPPER_CASE);
    add(name.len() > 1 && name.ends_with(b"."), &TRAILING_DOT);
    add(name.starts_with(b"."), &LEADING_DOT);
    add(name.contains(&b'_'), &UNDERSCORE);
    add(labels().any(|label| label.starts_with(b"-")), &HYPHEN_FIRST);
    add(labels().any(|label| label.len() > 63), &LONG_LABEL);
    add(!name.is_ascii(), &NOT_ASCII);
    add(name.contains(&0), &NUL);
    add(!is_url && !is_address && !after_colon.is_empty() && after_colon.bytes().all(|it| it.is_ascii_digit()), &PORT);
    add(name.contains(&b' '), &SPACE);
    add(is_url, &URL);
    add(name == b"*", &BARE_STAR);
    let stars = name.iter().filter(|byte| **byte == b'*').count();
    add(stars > 1 || stars == 1 && !name.starts_with(b"*."), &WILDCARD_ODD);
    add(name.is_empty(), &EMPTY_DNS);
    add(is_address, &IP_AS_DNS);
}
