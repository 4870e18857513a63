//! Software that does not know basicConstraints must refuse a CA certificate.

use crate::lint::profile::LintProfile;
use crate::lint::rule::Rule;
use crate::lint::severity::Severity;
use crate::lint::target::LintTarget;
use crate::x509::certificate::oid;

pub const RULE: Rule = Rule {
    code: "ca-basic-constraints-not-critical",
    severity: Severity::Error,
    citation: "RFC 5280 §4.2.1.9",
    requirement: "basicConstraints is critical in a CA certificate",
    example: "basicConstraints with cA set is not critical, expected critical",
    fix: "issue the CA certificate again with basicConstraints critical",
    profiles: &[LintProfile::Rfc5280, LintProfile::Strict],
    check,
};

fn check(target: &LintTarget<'_>) -> Option<String> {
    (target.is_ca() && !target.is_critical(oid::BASIC_CONSTRAINTS))
        .then(|| "basicConstraints with cA set is not critical, expected critical".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::testing::*;

    #[test]
    fn a_ca_bit_that_is_not_critical_is_found() {
        assert!(finding(&RULE, TestCert::ca("A").critical(oid::BASIC_CONSTRAINTS, false)).is_some());
    }

    #[test]
    fn a_critical_ca_bit_is_right() {
        assert_eq!(finding(&RULE, TestCert::ca("A")), None);
    }
}
