//! The key usage of a CA is critical.

use crate::lint::profile::LintProfile;
use crate::lint::rule::Rule;
use crate::lint::severity::Severity;
use crate::lint::target::LintTarget;
use crate::x509::certificate::oid;

pub const RULE: Rule = Rule {
    code: "ca-key-usage-not-critical",
    severity: Severity::Warning,
    citation: "RFC 5280 §4.2.1.3 (SHOULD); CA/Browser Forum BR §7.1.2.10.7",
    requirement: "Key usage is critical in a CA certificate",
    example: "the key usage of the CA certificate is not critical, expected critical",
    fix: "issue the CA certificate again with key usage critical",
    profiles: &[LintProfile::Rfc5280],
    check,
};

fn check(target: &LintTarget<'_>) -> Option<String> {
    (target.is_ca() && target.certificate.key_usage.is_some() && !target.is_critical(oid::KEY_USAGE))
        .then(|| "the key usage of the CA certificate is not critical, expected critical".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::testing::*;

    #[test]
    fn key_usage_that_is_not_critical_is_found() {
        assert!(finding(&RULE, TestCert::ca("A").critical(oid::KEY_USAGE, false)).is_some());
    }

    #[test]
    fn critical_key_usage_is_right() {
        assert_eq!(finding(&RULE, TestCert::ca("A")), None);
    }

    #[test]
    fn a_leaf_and_a_ca_without_key_usage_are_not_meant() {
        assert_eq!(finding(&RULE, TestCert::server("a.test").critical(oid::KEY_USAGE, false)), None);
        assert_eq!(finding(&RULE, TestCert::ca("A").without(oid::KEY_USAGE)), None);
    }
}
