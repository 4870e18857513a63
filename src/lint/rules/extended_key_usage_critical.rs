//! Software that does not know a purpose may refuse a critical extended key usage.

use crate::lint::rule::Rule;
use crate::lint::severity::Severity;
use crate::lint::target::LintTarget;
use crate::x509::certificate::oid;

pub const RULE: Rule = Rule {
    code: "extended-key-usage-critical",
    severity: Severity::Error,
    citation: "CA/Browser Forum BR §7.1.2.7.6",
    requirement: "Extended key usage is not critical in a server certificate",
    example: "extended key usage is critical, expected not critical",
    fix: "issue the certificate again with extended key usage that is not critical",
    profiles: &[],
    check,
};

fn check(target: &LintTarget<'_>) -> Option<String> {
    (target.is_server() && target.is_critical(oid::EXTENDED_KEY_USAGE))
        .then(|| "extended key usage is critical, expected not critical".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::testing::*;

    #[test]
    fn critical_purposes_are_found() {
        assert!(finding(&RULE, TestCert::server("a.test").critical(oid::EXTENDED_KEY_USAGE, true)).is_some());
    }

    #[test]
    fn plain_purposes_are_right() {
        assert_eq!(finding(&RULE, TestCert::server("a.test")), None);
        // The Baseline Requirements apply to servers; RFC 5280 allows both.
        assert_eq!(finding(&RULE, TestCert::client("alice").critical(oid::EXTENDED_KEY_USAGE, true)), None);
    }
}
