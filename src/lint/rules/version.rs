//! A certificate with extensions is of version 3.

use crate::lint::profile::LintProfile;
use crate::lint::rule::Rule;
use crate::lint::severity::Severity;
use crate::lint::target::LintTarget;

pub const RULE: Rule = Rule {
    code: "version-not-3",
    severity: Severity::Error,
    citation: "RFC 5280 §4.1.2.1",
    requirement: "A certificate has version 3",
    example: "the version is 1, expected 3",
    fix: "issue it again as version 3: openssl x509 -req writes version 3 when it is given -extfile or -copy_extensions",
    profiles: &[LintProfile::Rfc5280, LintProfile::Strict, LintProfile::Apple, LintProfile::Rustls],
    check,
};

fn check(target: &LintTarget<'_>) -> Option<String> {
    let found = target.certificate.version;
    (found != 3).then(|| format!("the version is {found}, expected 3"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::testing::*;

    #[test]
    fn a_version_1_certificate_is_found() {
        assert_eq!(finding(&RULE, TestCert::server("a.test").version(1)).unwrap(), "the version is 1, expected 3");
    }

    #[test]
    fn version_3_is_right() {
        assert_eq!(finding(&RULE, TestCert::server("a.test")), None);
    }
}
