//! The issuer is not an empty name.

use crate::lint::profile::LintProfile;
use crate::lint::rule::Rule;
use crate::lint::severity::Severity;
use crate::lint::target::LintTarget;

pub const RULE: Rule = Rule {
    code: "issuer-empty",
    severity: Severity::Error,
    citation: "RFC 5280 §4.1.2.4",
    requirement: "The issuer is a name with at least one attribute",
    example: "the issuer is an empty name",
    fix: "give the CA a subject, and issue the certificate again",
    profiles: &[LintProfile::Rfc5280, LintProfile::Strict],
    check,
};

fn check(target: &LintTarget<'_>) -> Option<String> {
    target.certificate.issuer.is_empty().then(|| "the issuer is an empty name".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::testing::*;

    #[test]
    fn an_empty_issuer_is_found() {
        assert!(finding(&RULE, TestCert::server("a.test").issuer(&empty_name())).is_some());
    }

    #[test]
    fn a_named_issuer_is_right() {
        assert_eq!(finding(&RULE, TestCert::server("a.test")), None);
    }
}
