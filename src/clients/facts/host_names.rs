//! The host name that a client wants, and where the leaf has it (RFC 9525 §6).

use std::net::IpAddr;

use super::host_match::{Wildcard, is_public_suffix, labels, wildcard};
use super::subject_alt_names::{self, DNS, EMAIL, IP, URI};
use crate::clients::fact::{Found, Subject, Word, words};
use crate::clients::raw::RawCertificate;
use crate::x509::{GeneralName, general_name};

words! {
    NONE = "name:none", LEAF, "does not have the name that is wanted", "RFC 9525 §6";
    ADDRESS_ASKED = "name:address-asked", LEAF, "is wanted by its IP address", "RFC 9525 §6.5";
    IP_AS_DNS = "name:ip-as-dns", LEAF, "has the IP address that is wanted as DNS name", "RFC 9525 §6.5";
    IP_WILDCARD_DNS = "name:ip-wildcard-dns", LEAF, "has a wildcard that covers the IP address that is wanted", "RFC 9525 §6.3";
    MAPPED = "name:mapped", LEAF, "has the IPv4 address that is wanted as an IPv6 address", "RFC 4291 §2.5.5.2";
    COMMON_NAME_ONLY = "name:cn-no-san", LEAF, "has the name that is wanted in its common name alone", "RFC 9525 §2";
    COMMON_NAME_WILDCARD = "name:cn-wildcard-no-san", LEAF, "has the name that is wanted in a wildcard of its common name alone",
        "RFC 9525 §2";
    COMMON_NAME_IP = "name:cn-ip-no-san", LEAF, "has the IP address that is wanted in its common name alone", "RFC 9525 §2";
    COMMON_NAME_IP_BESIDE = "name:cn-ip-beside-san", LEAF,
        "has the IP address that is wanted in its common name, beside other alternative names", "RFC 9525 §2";
    BESIDE_DNS = "name:cn-beside-dns", LEAF, "has the name that is wanted in its common name, beside another DNS name", "RFC 9525 §2";
    BESIDE_IP = "name:cn-beside-ip", LEAF, "has the name that is wanted in its common name, beside an IP address", "RFC 9525 §2";
    BESIDE_URI = "name:cn-beside-uri", LEAF, "has the name that is wanted in its common name, beside a URI", "RFC 9525 §2";
    BESIDE_EMAIL = "name:cn-beside-email", LEAF, "has the name that is wanted in its common name, beside an e-mail address",
        "RFC 9525 §2";
    BESIDE_OTHER = "name:cn-beside-other", LEAF, "has the name that is wanted in its common name, beside a name of another form",
        "RFC 9525 §2";
    BESIDE_EMPTY = "name:cn-san-empty", LEAF, "has the name that is wanted in its common name, beside an empty list of names",
        "RFC 9525 §2";
    LEADING_DOT = "name:leading-dot", LEAF, "has the name that is wanted only as a domain with a leading dot", "RFC 9525 §6.3";
    TRAILING_DOT = "name:trailing-dot", LEAF, "has the name that is wanted only with a dot at its end", "RFC 9525 §6.3";
    A_LABEL = "name:a-label", LEAF, "is wanted by an internationalised name, and has it", "RFC 9525 §6.3";
    U_LABEL = "name:u-label", LEAF, "has the internationalised name that is wanted only as UTF-8", "RFC 5280 §7.2";
    UNDERSCORE = "name:underscore-asked", LEAF, "is wanted by a name with an underscore", "RFC 1034 §3.5";
    UNDERSCORE_UNDER_WILDCARD = "name:underscore-under-wildcard", LEAF, "has a name with an underscore only under a wildcard",
        "RFC 1034 §3.5";
    BARE_STAR = "name:bare-star", LEAF, "has the name that is wanted only as '*'", "RFC 9525 §6.3";
    PARTIAL = "name:wildcard-partial", LEAF, "has the name that is wanted only in a wildcard such as s*.corp.test", "RFC 9525 §6.3";
    PARTIAL_SUFFIX = "name:wildcard-partial-suffix", LEAF, "has the name that is wanted only in a wildcard such as *rv.corp.test",
        "RFC 9525 §6.3";
    ELSEWHERE = "name:wildcard-elsewhere", LEAF, "has the name that is wanted only in a wildcard that is not in the first label",
        "RFC 9525 §6.3";
    IN_IDN = "name:wildcard-in-idn", LEAF, "has the name that is wanted only in a wildcard inside an A-label", "RFC 9525 §6.3";
    ONE_LABEL = "name:wildcard-one-label", LEAF, "has the name that is wanted only in a wildcard of a single label, such as *.test",
        "RFC 9525 §6.3";
    PUBLIC_SUFFIX = "name:wildcard-public-suffix", LEAF,
        "has the name that is wanted only in a wildcard of a public suffix, such as *.co.uk", "RFC 9525 §7.1";
}

pub fn find(leaf: &RawCertificate<'_>, hosts: &[GeneralName], found: &mut Found) {
    let names = subject_alt_names::names(leaf);
    for host in hosts {
        let word = match host {
            GeneralName::Dns(host) => dns(leaf, names.as_deref(), &host.to_ascii_lowercase()),
            GeneralName::Ip(address) => Some(ip(leaf, names.as_deref(), *address)),
            // Clients do not look for other forms.
            _ => None,
        };
        if let Some(word) = word {
            found.add(Subject::Leaf, word);
        }
    }
}

/// Returns the DNS names as text, in lower case.
fn dns_names<'n>(names: &'n [(u8, &[u8])]) -> impl Iterator<Item = String> + 'n {
    let dns = names.iter().filter(|(kind, _)| *kind == DNS);
    dns.filter_map(|(_, name)| std::str::from_utf8(name).ok()).map(str::to_ascii_lowercase)
}

/// Returns how the leaf has this host; `None` for the plain way.
fn dns(leaf: &RawCertificate<'_>, names: Option<&[(u8, &[u8])]>, host: &str) -> Option<&'static Word> {
    let present = names.unwrap_or_default();
    let mut best: Option<(u8, Option<&'static Word>)> = None;
    for name in dns_names(present) {
        let Some((rank, word)) = dns_match(&name, host) else { continue };
        if best.is_none_or(|(known, _)| rank < known) {
            best = Some((rank, word));
        }
    }
    match best {
        Some((_, word)) => word,
        None => Some(common_name(leaf, names, host)),
    }
}

/// Returns how a DNS name covers a host: a rank, which is lower for the better way, and the word.
fn dns_match(name: &str, host: &str) -> Option<(u8, Option<&'static Word>)> {
    let has_underscore = host.contains('_');
    if name == host {
        let is_internationalised = host.split('.').any(|label| label.starts_with("xn--"));
        return Some((0, has_underscore.then_some(&UNDERSCORE).or(is_internationalised.then_some(&A_LABEL))));
    }
    if name.strip_suffix('.') == Some(host) {
        return Some((4, Some(&TRAILING_DOT)));
    }
    if !name.is_ascii() && general_name::dns(name).is_ok_and(|a_labels| a_labels == host) {
        return Some((6, Some(&U_LABEL)));
    }
    if name.strip_prefix('.').is_some_and(|domain| host.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.'))) {
        return Some((5, Some(&LEADING_DOT)));
    }
    Some(match wildcard(name, host)? {
        Wildcard::Whole if labels(name) == 2 => (2, Some(&ONE_LABEL)),
        Wildcard::Whole if is_public_suffix(&name[2..]) => (2, Some(&PUBLIC_SUFFIX)),
        Wildcard::Whole => (1, has_underscore.then_some(&UNDERSCORE_UNDER_WILDCARD)),
        Wildcard::Bare => (3, Some(&BARE_STAR)),
        Wildcard::InIdn => (3, Some(&IN_IDN)),
        Wildcard::Prefix => (3, Some(&PARTIAL)),
        Wildcard::Suffix => (3, Some(&PARTIAL_SUFFIX)),
        Wildcard::Elsewhere => (3, Some(&ELSEWHERE)),
    })
}

fn common_name(leaf: &RawCertificate<'_>, names: Option<&[(u8, &[u8])]>, host: &str) -> &'static Word {
    let mut is_wildcard = None;
    for name in leaf.subject.common_names().map(|name| name.to_ascii_lowercase()) {
        if name == host {
            is_wildcard = Some(false);
        } else if wildcard(&name, host) == Some(Wildcard::Whole) {
            is_wildcard = is_wildcard.or(Some(true));
        }
    }
    let Some(is_wildcard) = is_wildcard else { return &NONE };
    let Some(names) = names else { return if is_wildcard { &COMMON_NAME_WILDCARD } else { &COMMON_NAME_ONLY } };
    let has = |kind: u8| names.iter().any(|(found, _)| *found == kind);
    if names.is_empty() {
        &BESIDE_EMPTY
    } else if has(DNS) {
        &BESIDE_DNS
    } else if has(IP) {
        &BESIDE_IP
    } else if has(URI) {
        &BESIDE_URI
    } else if has(EMAIL) {
        &BESIDE_EMAIL
    } else {
        &BESIDE_OTHER
    }
}

fn ip(leaf: &RawCertificate<'_>, names: Option<&[(u8, &[u8])]>, address: IpAddr) -> &'static Word {
    let present = names.unwrap_or_default();
    let bytes = |address: IpAddr| match address {
        IpAddr::V4(address) => address.octets().to_vec(),
        IpAddr::V6(address) => address.octets().to_vec(),
    };
    let has = |wanted: &[u8]| present.iter().any(|(kind, name)| *kind == IP && *name == wanted);
    let text = address.to_string();
    if has(&bytes(address)) {
        &ADDRESS_ASKED
    } else if matches!(address, IpAddr::V4(address) if has(&address.to_ipv6_mapped().octets())) {
        &MAPPED
    } else if dns_names(present).any(|name| name == text) {
        &IP_AS_DNS
    } else if dns_names(present).any(|name| wildcard(&name, &text).is_some()) {
        &IP_WILDCARD_DNS
    } else if leaf.subject.common_names().any(|name| name == text) {
        if names.is_some() { &COMMON_NAME_IP_BESIDE } else { &COMMON_NAME_IP }
    } else {
        &NONE
    }
}
