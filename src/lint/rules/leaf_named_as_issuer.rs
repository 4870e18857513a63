//! Path builders take a leaf with the name of its CA for the CA.

use crate::lint::rule::Rule;
use crate::lint::severity::Severity;
use crate::lint::target::LintTarget;

pub const RULE: Rule = Rule {
    code: "leaf-named-as-issuer",
    severity: Severity::Error,
    citation: "RFC 5280 §6.1 (self-issued)",
    requirement: "The subject of a leaf differs from its issuer",
    example: "subject and issuer are both CN=Test Root, expected its own name",
    fix: "give the certificate its own subject",
    profiles: &[],
    check,
};

fn check(target: &LintTarget<'_>) -> Option<String> {
    let certificate = target.certificate;
    (!target.is_ca() && certificate.is_self_issued() && !certificate.subject.is_empty())
        .then(|| format!("subject and issuer are both {}, expected its own name", certificate.subject))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::testing::*;

    #[test]
    fn a_leaf_with_the_name_of_its_issuer_is_found() {
        assert!(finding(&RULE, TestCert::client("Test Root")).unwrap().contains("CN=Test Root"));
    }

    #[test]
    fn a_leaf_with_its_own_name_is_right() {
        assert_eq!(finding(&RULE, TestCert::server("a.test")), None);
        assert_eq!(finding_in_root(&RULE, TestCert::ca("A")), None);
        // Other rules report empty names.
        assert_eq!(finding(&RULE, TestCert::server("a.test").subject(&empty_name()).issuer(&empty_name())), None);
    }
}
