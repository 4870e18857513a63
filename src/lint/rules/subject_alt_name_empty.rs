//! A subject alternative name has at least one name.

use crate::lint::profile::LintProfile;
use crate::lint::rule::Rule;
use crate::lint::severity::Severity;
use crate::lint::target::LintTarget;

pub const RULE: Rule = Rule {
    code: "subject-alt-name-empty",
    severity: Severity::Error,
    citation: "RFC 5280 §4.2.1.6",
    requirement: "The subject alternative name contains at least one name",
    example: "the subject alternative name is there, but empty",
    fix: "issue the certificate again with names in it, or without the extension",
    profiles: &[LintProfile::Rfc5280, LintProfile::Strict],
    check,
};

fn check(target: &LintTarget<'_>) -> Option<String> {
    target
        .certificate
        .subject_alt_names
        .as_ref()
        .is_some_and(Vec::is_empty)
        .then(|| "the subject alternative name is there, but empty".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::testing::*;

    #[test]
    fn an_empty_extension_is_found() {
        assert!(finding(&RULE, TestCert::server("a.test").general_names(&[])).is_some());
    }

    #[test]
    fn an_extension_with_a_name_is_right() {
        assert_eq!(finding(&RULE, TestCert::server("a.test")), None);
    }
}
