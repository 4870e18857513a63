//! A certificate for every purpose can be misused for one that was not intended.

use crate::lint::rule::Rule;
use crate::lint::severity::Severity;
use crate::lint::target::LintTarget;
use crate::x509::ExtendedKeyUsage;

pub const RULE: Rule = Rule {
    code: "extended-key-usage-any",
    severity: Severity::Error,
    citation: "CA/Browser Forum BR §7.1.2.7.10",
    requirement: "No certificate is for any purpose whatsoever",
    example: "extended key usage has anyExtendedKeyUsage, expected named purposes",
    fix: "issue the certificate again with the purposes it is for",
    profiles: &[],
    check,
};

fn check(target: &LintTarget<'_>) -> Option<String> {
    target
        .has_purpose(&ExtendedKeyUsage::Any)
        .then(|| "extended key usage has anyExtendedKeyUsage, expected named purposes".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::testing::*;

    #[test]
    fn any_purpose_is_found() {
        assert!(finding(&RULE, TestCert::server("a.test").purposes(&[ExtendedKeyUsage::Any])).is_some());
    }

    #[test]
    fn a_named_purpose_is_right() {
        assert_eq!(finding(&RULE, TestCert::server("a.test")), None);
    }
}
