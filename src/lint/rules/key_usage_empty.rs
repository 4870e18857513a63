//! A key usage has at least one bit.

use crate::lint::profile::LintProfile;
use crate::lint::rule::Rule;
use crate::lint::severity::Severity;
use crate::lint::target::LintTarget;

pub const RULE: Rule = Rule {
    code: "key-usage-empty",
    severity: Severity::Error,
    citation: "RFC 5280 §4.2.1.3",
    requirement: "Key usage, where it stands, sets at least one bit",
    example: "key usage is there, but no bit of it is set",
    fix: "issue the certificate again with the usages that the key is for",
    profiles: &[LintProfile::Rfc5280],
    check,
};

fn check(target: &LintTarget<'_>) -> Option<String> {
    target.certificate.key_usage?.is_empty().then(|| "key usage is there, but no bit of it is set".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::testing::*;
    use crate::x509::KeyUsage;

    #[test]
    fn key_usage_without_a_bit_is_found() {
        assert!(finding(&RULE, TestCert::server("a.test").key_usage(KeyUsage::default())).is_some());
    }

    #[test]
    fn key_usage_with_a_bit_is_right() {
        assert_eq!(finding(&RULE, TestCert::server("a.test")), None);
    }
}
