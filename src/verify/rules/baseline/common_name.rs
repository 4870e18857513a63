//! A common name that differs from the alternative names misleads readers of the certificate.

use std::net::{IpAddr, Ipv4Addr};

use crate::verify::candidate::Candidate;
use crate::verify::code::{Code, Rank};
use crate::verify::verdict::Problem;
use crate::x509::{GeneralName, general_name};

pub const COMMON_NAME_SPELLING: Code = Code {
    code: "common-name-spelling",
    rank: Rank::Unranked,
    citation: "CA/Browser Forum BR §7.1.4.3",
    requirement: "The common name is one of the subject alternative names, in the same spelling",
    example: "the common name WEB.corp.test means dns:web.corp.test, but is written differently",
    fix: "issue the certificate again with the common name written as the alternative name, or without it",
};

/// A common name that stands for one of the alternative names must be encoded like it. One that stands for none of them
/// is common in private CAs, and only a warning.
pub fn check(leaf: &Candidate) -> Option<Problem> {
    let certificate = &leaf.certificate;
    let names = certificate.names();
    let found = certificate.subject.common_name()?;
    if names.is_empty() || names.iter().any(|name| canonical_text(name) == found) {
        return None;
    }
    let message = |what: &str| format!("the common name {found} {what}");
    if let Some(address) = loosely_address(found).filter(|address| address.to_string() != found) {
        let what = format!("is an address (in canonical form {address}), but is not written so among the names");
        return Some(Problem::error(&COMMON_NAME_SPELLING, leaf, message(&what)));
    }
    let as_dns = general_name::dns(found).ok()?;
    let meant = names.iter().find(|name| matches!(name, GeneralName::Dns(name) if name.eq_ignore_ascii_case(&as_dns)));
    let is_international = as_dns.split('.').any(|label| label.starts_with("xn--"));
    match meant {
        Some(meant) => {
            let what = format!("means {meant}, but is written differently");
            Some(Problem::error(&COMMON_NAME_SPELLING, leaf, message(&what)))
        }
        None if is_international => Some(Problem::error(
            &COMMON_NAME_SPELLING,
            leaf,
            message("is an international name that is not among the names"),
        )),
        None => Some(Problem::warning(
            &COMMON_NAME_SPELLING,
            leaf,
            message("is not among the names, and does not count (RFC 9525 §2)"),
        )),
    }
}

fn canonical_text(name: &GeneralName) -> String {
    match name {
        GeneralName::Dns(name) | GeneralName::Email(name) | GeneralName::Uri(name) => name.clone(),
        other => other.value(),
    }
}

/// Parses an address in any form that a C library reads: octal, hexadecimal, fewer than four parts, any IPv6 form.
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
        None if lower.starts_with('0') => u64::from_str_radix(&lower, 8).or_else(|_| lower.parse()).ok(),
        None => lower.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::Severity;
    use crate::lint::testing::{TestCert, name};
    use crate::verify::tests::TestPki;
    use crate::x509::certificate::oid;

    fn cert(common_name: &str) -> TestCert {
        TestCert::server("web.corp.test").subject(&name(common_name)).names(&["web.corp.test", "10.0.0.1"])
    }

    #[test]
    fn another_spelling_of_a_name_is_found() {
        for spelling in ["WEB.corp.test", "0x0a000001", "10.0.0.01", "xn--mnchen-3ya.test"] {
            let errors = TestPki::new().case(cert(spelling)).server("web.corp.test").errors();
            assert_eq!(errors, [COMMON_NAME_SPELLING.code], "{spelling}");
            assert_eq!(TestPki::new().case(cert(spelling)).errors(), [""; 0], "{spelling}");
        }
    }

    #[test]
    fn the_same_spelling_and_a_name_for_people_are_right() {
        for spelling in ["web.corp.test", "10.0.0.1", "Web server of ACME"] {
            assert_eq!(TestPki::new().case(cert(spelling)).server("web.corp.test").errors(), [""; 0], "{spelling}");
        }
    }

    #[test]
    fn addresses_are_recognised_in_every_spelling() {
        let address = |text: &str| loosely_address(text).map(|address| address.to_string());
        for spelling in ["192.168.1.1", "0xC0A80101", "192.168.001.001", "0xc0.168.1.1", "0300.0250.1.1", "192.168.257"]
        {
            assert_eq!(address(spelling).as_deref(), Some("192.168.1.1"), "{spelling}");
        }
        assert_eq!(address("2001:DB8:0:0::1").as_deref(), Some("2001:db8::1"));
        for name in [
            "web.corp.test",
            "1.2.3.4.5",
            "1.2.3.4.5.6",
            "1.300.1",
            "256.1.1.1",
            "1.2.3.256",
            "1.2.65536",
            "0x100000000",
            "42",
            "a",
            "",
        ] {
            assert_eq!(address(name), None, "{name}");
        }
    }

    #[test]
    fn another_name_than_those_among_the_names_is_worth_a_word() {
        for common_name in ["mail.corp.test", "Corp Web Server"] {
            let verdict = TestPki::new().case(cert(common_name)).server("web.corp.test").verify();
            let found: Vec<_> = verdict.problems.iter().map(|it| (it.code, it.severity)).collect();
            let expected =
                general_name::dns(common_name).is_ok().then_some((COMMON_NAME_SPELLING.code, Severity::Warning));
            assert_eq!((verdict.valid, found), (true, expected.into_iter().collect()), "{common_name}");
        }
        // An address in canonical form is not another form of a name; a certificate without names breaks another rule.
        assert_eq!(TestPki::new().case(cert("8.8.8.8")).server("web.corp.test").verify().problems, []);
        let nameless =
            TestPki::new().case(cert("WEB.corp.test").without(oid::SUBJECT_ALT_NAME)).server("web.corp.test");
        assert!(nameless.verify().problems.iter().all(|it| it.code != COMMON_NAME_SPELLING.code));
    }
}
