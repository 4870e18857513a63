//! Policy constraints are critical: software that does not process them must refuse the CA.

use crate::lint::profile::LintProfile;
use crate::lint::rule::Rule;
use crate::lint::severity::Severity;
use crate::lint::target::LintTarget;
use crate::x509::certificate::oid;

pub const RULE: Rule = Rule {
    code: "policy-constraints-not-critical",
    severity: Severity::Error,
    citation: "RFC 5280 §4.2.1.11, §4.2.1.14",
    requirement: "Policy constraints and inhibit any policy are critical",
    example: "2.5.29.36 (policy constraints) is not critical",
    fix: "issue the CA certificate again with the extension critical",
    profiles: &[LintProfile::Rfc5280],
    check,
};

fn check(target: &LintTarget<'_>) -> Option<String> {
    [oid::POLICY_CONSTRAINTS, oid::INHIBIT_ANY_POLICY]
        .into_iter()
        .find(|oid| target.certificate.extension(oid).is_some() && !target.is_critical(oid))
        .map(|oid| format!("{} is not critical", oid::with_name(oid)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::testing::*;
    use crate::x509::der;

    fn cert(oid: &str, critical: bool) -> TestCert {
        let value = match oid {
            oid::POLICY_CONSTRAINTS => der::sequence(&[&[0x80, 1, 0]]),
            _ => der::value(der::INTEGER, &[0]),
        };
        TestCert::ca("A").extension(oid, critical, value)
    }

    #[test]
    fn constraints_that_are_not_critical_are_found() {
        assert_eq!(finding(&RULE, cert(oid::POLICY_CONSTRAINTS, false)).as_deref(), Some(RULE.example));
        assert!(finding(&RULE, cert(oid::INHIBIT_ANY_POLICY, false)).is_some());
    }

    #[test]
    fn critical_ones_and_none_are_right() {
        assert_eq!(finding(&RULE, cert(oid::POLICY_CONSTRAINTS, true)), None);
        assert_eq!(finding(&RULE, cert(oid::INHIBIT_ANY_POLICY, true)), None);
        assert_eq!(finding(&RULE, TestCert::ca("A")), None);
    }
}
