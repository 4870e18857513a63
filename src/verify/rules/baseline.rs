//! The CA/Browser Forum's Baseline Requirements for TLS servers, as far as they can be read from a chain and a private
//! CA can keep them. They count for `--purpose server` alone.

use std::net::{IpAddr, Ipv4Addr};

use super::Path;
use crate::verify::question::{Exhibit, Purpose};
use crate::verify::verdict::{Code, Problem};
use crate::x509::text::hex;
use crate::x509::{GeneralName, general_name};

pub const CA_AS_LEAF: Code = Code {
    code: "ca-as-leaf",
    citation: "CA/Browser Forum BR §7.1.2.7.8; RFC 5280 §4.2.1.9",
    demand: "The certificate of a server is no CA certificate",
    example: "CN=Corp Root CA issuing is a CA certificate (basicConstraints has cA), not one of a server",
    cure: "give the server a certificate that this CA issued (ca issue server NAME); keep the CA's key away from servers",
};

pub const WITHOUT_PURPOSE: Code = Code {
    code: "without-purpose",
    citation: "CA/Browser Forum BR §7.1.2.7.6",
    demand: "A server certificate names its purpose, server-auth",
    example: "the certificate has no extended key usage, expected server-auth",
    cure: "issue the certificate anew with extended key usage server-auth",
};

pub const COMMON_NAME_SPELLING: Code = Code {
    code: "common-name-spelling",
    citation: "CA/Browser Forum BR §7.1.4.3",
    demand: "The common name is one of the subject alternative names, spelled as it is there",
    example: "the common name WEB.corp.test means dns:web.corp.test, but is spelled otherwise",
    cure: "issue the certificate anew with the common name spelled as the alternative name, or without it",
};

pub const ROOT_WITH_PURPOSES: Code = Code {
    code: "root-with-purposes",
    citation: "CA/Browser Forum BR §7.1.2.1.2",
    demand: "A root has no extended key usage",
    example: "the root has the extended key usage server-auth, expected none",
    cure: "make a root without extended key usage; limit intermediates instead",
};

pub const ROOT_KEY_ID: Code = Code {
    code: "root-key-id-differs",
    citation: "CA/Browser Forum BR §7.1.2.1.3; RFC 5280 §4.2.1.1",
    demand: "The authority key identifier of a root equals its subject key identifier",
    example: "the authority key identifier of the root is 0707070707070707070707070707070707070707, its own is \
        82bd909677a1085ceed7aa38e4a461f7f7228ace",
    cure: "make the root anew with matching key identifiers",
};

pub const PUBLIC_SUFFIX_WILDCARD: Code = Code {
    code: "public-suffix-wildcard",
    citation: "CA/Browser Forum BR §3.2.2.6",
    demand: "A wildcard does not stand directly below a public suffix",
    example: "the wildcard *.co.uk stands directly below the public suffix co.uk",
    cure: "issue the certificate for names below a domain of your own",
};

/// Adds what the Baseline Requirements forbid.
pub fn check(path: &Path<'_>, problems: &mut Vec<Problem>) {
    let (Purpose::Server, Some(leaf), Some(anchor)) = (path.question.purpose, path.leaf(), path.exhibits.first())
    else {
        return;
    };
    if leaf.certificate.is_ca() {
        let message =
            format!("{} is a CA certificate (basicConstraints has cA), not one of a server", leaf.certificate.subject);
        problems.push(Problem::error(&CA_AS_LEAF, leaf, message));
    } else if leaf.certificate.extended_key_usage.is_none() {
        problems.push(Problem::warning(
            &WITHOUT_PURPOSE,
            leaf,
            "the certificate has no extended key usage, expected server-auth",
        ));
    }
    problems.extend(common_name(leaf));
    problems.extend(wildcards(leaf));
    if anchor.is_self_issued() {
        problems.extend(root(anchor));
    }
}

fn root(anchor: &Exhibit) -> Vec<Problem> {
    let certificate = &anchor.certificate;
    let mut problems = Vec::new();
    if let Some(purposes) = &certificate.extended_key_usage {
        let found: Vec<_> = purposes.iter().map(ToString::to_string).collect();
        let message = format!("the root has the extended key usage {}, expected none", found.join(", "));
        problems.push(Problem::error(&ROOT_WITH_PURPOSES, anchor, message));
    }
    let authority = certificate.authority_key_id.as_ref().and_then(|id| id.key_id.as_ref());
    if let (Some(authority), Some(own)) = (authority, &certificate.subject_key_id)
        && authority != own
    {
        let message =
            format!("the authority key identifier of the root is {}, its own is {}", hex(authority), hex(own));
        problems.push(Problem::error(&ROOT_KEY_ID, anchor, message));
    }
    problems
}

/// A common name that means one of the alternative names must be spelled like it; one that means none is common practice
/// in private CAs, and only worth a word.
fn common_name(leaf: &Exhibit) -> Option<Problem> {
    let certificate = &leaf.certificate;
    let names = certificate.names();
    let found = certificate.subject.common_name()?;
    if names.is_empty() || names.iter().any(|name| spelled(name) == found) {
        return None;
    }
    let message = |what: &str| format!("the common name {found} {what}");
    if let Some(address) = loosely_address(found).filter(|address| address.to_string() != found) {
        let what = format!("is an address (in canonical form {address}), but is not spelled so among the names");
        return Some(Problem::error(&COMMON_NAME_SPELLING, leaf, message(&what)));
    }
    let as_dns = general_name::dns(found).ok()?;
    let meant = names.iter().find(|name| matches!(name, GeneralName::Dns(name) if name.eq_ignore_ascii_case(&as_dns)));
    let is_international = as_dns.split('.').any(|label| label.starts_with("xn--"));
    match meant {
        Some(meant) => {
            let what = format!("means {meant}, but is spelled otherwise");
            Some(Problem::error(&COMMON_NAME_SPELLING, leaf, message(&what)))
        }
        None if is_international => Some(Problem::error(
            &COMMON_NAME_SPELLING,
            leaf,
            message("is an international name that is not among the names"),
        )),
        None => {
            Some(Problem::warning(&COMMON_NAME_SPELLING, leaf, message("is not among the names; nobody looks at it")))
        }
    }
}

fn spelled(name: &GeneralName) -> String {
    match name {
        GeneralName::Dns(name) | GeneralName::Email(name) | GeneralName::Uri(name) => name.clone(),
        other => other.value(),
    }
}

/// An address in any spelling that a C library reads: octal, hexadecimal, fewer than four parts, any IPv6 form.
fn loosely_address(text: &str) -> Option<IpAddr> {
    if let Ok(address) = text.trim_start_matches('[').trim_end_matches(']').parse() {
        return Some(address);
    }
    if !text.contains(['.', 'x', 'X']) {
        return None;
    }
    let parts: Vec<u64> = text.split('.').map(number).collect::<Option<_>>()?;
    let (last, front) = parts.split_last()?;
    if front.len() > 3 || front.iter().any(|part| *part > 255) {
        return None;
    }
    let mut value: u64 = front.iter().fold(0, |value, part| value << 8 | part);
    let bits = 8 * (4 - front.len() as u32);
    if last >> bits != 0 {
        return None;
    }
    value = value << bits | last;
    u32::try_from(value).ok().map(|value| IpAddr::V4(Ipv4Addr::from(value)))
}

fn number(part: &str) -> Option<u64> {
    let lower = part.to_ascii_lowercase();
    match lower.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16).ok(),
        None if lower.len() > 1 && lower.starts_with('0') => {
            u64::from_str_radix(&lower, 8).or_else(|_| lower.parse()).ok()
        }
        None => lower.parse().ok(),
    }
}

fn wildcards(leaf: &Exhibit) -> Option<Problem> {
    leaf.certificate.names().iter().find_map(|name| match name {
        GeneralName::Dns(name) => {
            let parent = name.strip_prefix("*.")?;
            is_public_suffix(parent).then(|| {
                let message = format!("the wildcard {name} stands directly below the public suffix {parent}");
                Problem::error(&PUBLIC_SUFFIX_WILDCARD, leaf, message)
            })
        }
        _ => None,
    })
}

/// A top-level domain, or the second level under which a country registers names (the ICANN section of the public
/// suffix list, by the labels that registries use; the full list would outweigh the program).
fn is_public_suffix(name: &str) -> bool {
    const REGISTRY_LABELS: [&str; 19] = [
        "ac", "co", "com", "ed", "edu", "go", "gob", "gouv", "gov", "govt", "gv", "ltd", "mil", "ne", "net", "or",
        "org", "plc", "sch",
    ];
    let lower = name.to_ascii_lowercase();
    match lower.split_once('.') {
        None => true,
        Some((label, country)) => {
            country.len() == 2
                && country.bytes().all(|octet| octet.is_ascii_lowercase())
                && REGISTRY_LABELS.contains(&label)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_recognised_in_every_spelling() {
        let address = |text: &str| loosely_address(text).map(|address| address.to_string());
        for spelling in ["192.168.1.1", "0xC0A80101", "192.168.001.001", "0xc0.168.1.1", "192.168.257"] {
            assert_eq!(address(spelling).as_deref(), Some("192.168.1.1"), "{spelling}");
        }
        assert_eq!(address("2001:DB8:0:0::1").as_deref(), Some("2001:db8::1"));
        for name in ["web.corp.test", "1.2.3.4.5", "256.1.1.1", "42", "a", ""] {
            assert_eq!(address(name), None, "{name}");
        }
    }

    #[test]
    fn registries_are_told_from_domains() {
        for suffix in ["com", "test", "co.uk", "com.au", "gov.br"] {
            assert!(is_public_suffix(suffix), "{suffix}");
        }
        for domain in ["example.com", "corp.test", "s3.amazonaws.com", "a.co.uk"] {
            assert!(!is_public_suffix(domain), "{domain}");
        }
    }
}
