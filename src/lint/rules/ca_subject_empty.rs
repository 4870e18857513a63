//! The subject of a CA is the issuer name of other certificates, so it must not be empty.

use crate::lint::profile::LintProfile;
use crate::lint::rule::Rule;
use crate::lint::severity::Severity;
use crate::lint::target::LintTarget;

pub const RULE: Rule = Rule {
    code: "ca-subject-empty",
    severity: Severity::Error,
    citation: "RFC 5280 §4.1.2.6",
    requirement: "A CA certificate has a subject",
    example: "the subject of the CA certificate is an empty name",
    fix: "issue the CA certificate again with a subject",
    profiles: &[LintProfile::Rfc5280, LintProfile::Strict],
    check,
};

fn check(target: &LintTarget<'_>) -> Option<String> {
    (target.is_ca() && target.certificate.subject.is_empty())
        .then(|| "the subject of the CA certificate is an empty name".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::testing::*;

    #[test]
    fn a_nameless_ca_is_found() {
        assert!(finding(&RULE, TestCert::ca("A").subject(&empty_name())).is_some());
    }

    #[test]
    fn a_named_ca_is_right() {
        assert_eq!(finding(&RULE, TestCert::ca("A")), None);
        assert_eq!(finding(&RULE, TestCert::server("a.test").subject(&empty_name())), None);
    }
}
