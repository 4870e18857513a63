//! Unique identifiers are of X.509 version 2: rustls refuses them.

use crate::lint::fields;
use crate::lint::profile::LintProfile;
use crate::lint::rule::Rule;
use crate::lint::severity::Severity;
use crate::lint::target::LintTarget;
use crate::x509::der;

pub const RULE: Rule = Rule {
    code: "unique-identifiers",
    severity: Severity::Error,
    citation: "RFC 5280 §4.1.2.8",
    requirement: "A certificate has no unique identifiers of issuer and subject",
    example: "it has a unique identifier of the issuer",
    fix: "issue the certificate again without it: a name is not used again for another entity",
    profiles: &[LintProfile::Rfc5280],
    check,
};

fn check(target: &LintTarget<'_>) -> Option<String> {
    let fields = fields::all(target.certificate);
    let has = |number: u8| {
        fields.iter().any(|field| [der::context(number), der::context_constructed(number)].contains(&field[0]))
    };
    let whose: Vec<_> =
        [(1, "issuer"), (2, "subject")].into_iter().filter(|(number, _)| has(*number)).map(|(_, name)| name).collect();
    (!whose.is_empty()).then(|| format!("it has a unique identifier of the {}", whose.join(" and the ")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::testing::*;

    #[test]
    fn a_unique_identifier_is_found() {
        let cert = TestCert::server("a.test").unique_ids(1, 2);
        assert!(finding(&RULE, cert).unwrap().ends_with("of the issuer and the subject"));
    }

    #[test]
    fn a_certificate_without_one_is_right() {
        assert_eq!(finding(&RULE, TestCert::server("a.test")), None);
        assert_eq!(finding(&RULE, TestCert::server("a.test").version(1)), None);
    }
}
