//! An extended key usage has at least one purpose.

use crate::lint::profile::LintProfile;
use crate::lint::rule::Rule;
use crate::lint::severity::Severity;
use crate::lint::target::LintTarget;

pub const RULE: Rule = Rule {
    code: "extended-key-usage-empty",
    severity: Severity::Error,
    citation: "RFC 5280 §4.2.1.12",
    requirement: "Extended key usage, where it stands, names at least one purpose",
    example: "extended key usage is there, but names no purpose",
    fix: "issue the certificate again with its purposes",
    profiles: &[LintProfile::Rfc5280],
    check,
};

fn check(target: &LintTarget<'_>) -> Option<String> {
    let purposes = target.certificate.extended_key_usage.as_ref()?;
    purposes.is_empty().then(|| "extended key usage is there, but names no purpose".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::testing::*;

    #[test]
    fn an_empty_list_of_purposes_is_found() {
        assert!(finding(&RULE, TestCert::server("a.test").purposes(&[])).is_some());
    }

    #[test]
    fn a_purpose_is_right() {
        assert_eq!(finding(&RULE, TestCert::server("a.test")), None);
    }
}
