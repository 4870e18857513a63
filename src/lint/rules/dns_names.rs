//! DNS names are in the form that TLS clients look for.

use crate::lint::names;
use crate::lint::profile::LintProfile;
use crate::lint::rule::Rule;
use crate::lint::severity::Severity;
use crate::lint::target::LintTarget;
use crate::x509::certificate::oid;
use crate::x509::{Certificate, GeneralName, general_name};

pub const RULE: Rule = Rule {
    code: "dns-name-malformed",
    severity: Severity::Error,
    citation: "RFC 5280 §4.2.1.6, §4.2.1.7, §7.2; RFC 9525 §6.3",
    requirement: "DNS names are A-labels without a dot at the end; a wildcard is the whole first label",
    example: "'w*.corp.test' is not a DNS name: a wildcard may stand only for the whole first label, as in *.corp.test",
    fix: "issue the certificate again with the right names",
    profiles: &[LintProfile::Rfc5280, LintProfile::Apple, LintProfile::Rustls],
    check,
};

fn check(target: &LintTarget<'_>) -> Option<String> {
    let faults: Vec<String> = target
        .certificate
        .names()
        .iter()
        .filter_map(|name| match name {
            GeneralName::Dns(name) => problem(name),
            _ => None,
        })
        .chain(of_issuer(target.certificate))
        .collect();
    (!faults.is_empty()).then(|| faults.join("; "))
}

/// Returns the faults of the issuer's alternative names, which have the same form (RFC 5280 §4.2.1.7).
fn of_issuer(certificate: &Certificate) -> impl Iterator<Item = String> {
    let names = names::of_extension(certificate, oid::ISSUER_ALT_NAME).filter(|(tag, _)| *tag == names::DNS);
    let problems = names.filter_map(|(_, name)| problem(&String::from_utf8_lossy(name)));
    problems.map(|problem| format!("{problem} (an issuer alternative name)"))
}

/// Returns the fault of a DNS name in a certificate, where it must already be in A-labels.
fn problem(name: &str) -> Option<String> {
    if !name.is_ascii() {
        return Some(format!("'{name}' is not written in A-labels (xn--)"));
    }
    general_name::dns(name).err().map(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::testing::*;
    use crate::x509::der;

    #[test]
    fn names_that_no_client_looks_for_are_found() {
        for name in ["a..test", "w*.corp.test", "a.test.", "*.test", "", " ", "münchen.test", "192.0.2.1"] {
            let names = [GeneralName::Dns("good.test".to_owned()), GeneralName::Dns(name.to_owned())];
            assert!(finding(&RULE, TestCert::server("a.test").general_names(&names)).is_some(), "{name}");
        }
        let of_issuer = |name: &[u8]| {
            let list = der::sequence(&[&der::value(names::DNS, name)]);
            finding(&RULE, TestCert::server("a.test").extension(oid::ISSUER_ALT_NAME, false, list))
        };
        assert!(of_issuer(b"a..test").unwrap().contains("(an issuer alternative name)"));
        assert_eq!(of_issuer(b"ca.corp.test"), None);
    }

    #[test]
    fn names_and_wildcards_are_right() {
        assert_eq!(
            finding(&RULE, TestCert::server("a.test").names(&["*.corp.test", "xn--mnchen-3ya.test", "10.0.0.1"])),
            None
        );
    }
}
