//! DER ends a list of named bits with the last bit that is set.

use crate::lint::profile::LintProfile;
use crate::lint::rule::Rule;
use crate::lint::severity::Severity;
use crate::lint::target::LintTarget;
use crate::x509::certificate::oid;
use crate::x509::der;
use crate::x509::der_rules::is_shortest_bit_list;

pub const RULE: Rule = Rule {
    code: "bit-list-padded",
    severity: Severity::Error,
    citation: "X.690 §11.2.2; RFC 5280 §4.2.1.3",
    requirement: "A list of named bits ends with the last bit that is set, and has no bit without a name",
    example: "2.5.29.15 (key usage) has zero bits after the last bit that is set",
    fix: "issue the certificate again with a tool that writes DER: it leaves the bits out",
    profiles: &[LintProfile::Rfc5280],
    check,
};

/// Extensions that are one list of named bits, and the number of bits that have a name.
const LISTS: [(&str, usize); 2] = [(oid::KEY_USAGE, 9), (oid::NETSCAPE_TYPE, 8)];

fn check(target: &LintTarget<'_>) -> Option<String> {
    let certificate = target.certificate;
    let mut found = Vec::new();
    for extension in &certificate.extensions {
        if certificate.malformed.iter().any(|(oid, _)| *oid == extension.oid) {
            continue;
        }
        if let Some((_, most)) = LISTS.iter().find(|(oid, _)| *oid == extension.oid) {
            let Some((der::BIT_STRING, bits, _)) = der::split_first(&extension.value) else { continue };
            found.extend(problem(bits, *most).map(|problem| format!("{} {problem}", oid::with_name(&extension.oid))));
        } else if [oid::CRL_DISTRIBUTION_POINTS, oid::FRESHEST_CRL].contains(&&*extension.oid) {
            let problem = reasons(&extension.value).into_iter().find_map(|bits| problem(bits, 9));
            found.extend(problem.map(|problem| format!("the reasons of {} {problem}", oid::with_name(&extension.oid))));
        }
    }
    (!found.is_empty()).then(|| found.join("; "))
}

fn problem(bits: &[u8], most: usize) -> Option<&'static str> {
    let unnamed = |(index, byte): (usize, &u8)| (0..8).any(|bit| index * 8 + bit >= most && byte & 0x80 >> bit != 0);
    if bits.iter().skip(1).enumerate().any(unnamed) {
        return Some("has a bit that has no name");
    }
    (!is_shortest_bit_list(bits)).then_some("has zero bits after the last bit that is set")
}

/// Returns the contents of the reasons of all distribution points.
fn reasons(value: &[u8]) -> Vec<&[u8]> {
    let children =
        |value| der::split_first(value).and_then(|(_, content, _)| der::children(content)).unwrap_or_default();
    let fields = children(value).into_iter().flat_map(children);
    fields
        .filter_map(|field| der::split_first(field).filter(|(tag, ..)| *tag == 0x81).map(|(_, bits, _)| bits))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::testing::*;

    fn key_usage(bits: &[u8]) -> TestCert {
        TestCert::server("a.test").extension(oid::KEY_USAGE, true, der::value(der::BIT_STRING, bits))
    }

    #[test]
    fn bits_after_the_last_one_are_found() {
        for bits in [&[0, 0x80][..], &[7, 0x80, 0], &[6, 0x80]] {
            assert!(finding(&RULE, key_usage(bits)).unwrap().contains("zero bits"), "{bits:?}");
        }
        assert!(finding(&RULE, key_usage(&[6, 0x80, 0x40])).unwrap().contains("no name"));
        let point = der::sequence(&[&[0x81, 2, 0, 0x40], &[0xa2, 2, 0x82, 0]]);
        let point = TestCert::server("a.test").extension(oid::CRL_DISTRIBUTION_POINTS, false, der::sequence(&[&point]));
        assert!(finding(&RULE, point).unwrap().starts_with("the reasons of 2.5.29.31"));
    }

    #[test]
    fn a_list_that_ends_with_its_last_bit_is_right() {
        for bits in [&[7, 0x80][..], &[1, 0x06], &[7, 0, 0x80], &[0]] {
            assert_eq!(finding(&RULE, key_usage(bits)), None, "{bits:?}");
        }
    }
}
