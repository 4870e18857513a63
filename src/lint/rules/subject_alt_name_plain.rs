//! The subject alternative name is not critical when there is a subject: old software may refuse it, and Python's
//! verifier does.

use crate::lint::rule::Rule;
use crate::lint::severity::Severity;
use crate::lint::target::LintTarget;
use crate::x509::certificate::oid;

pub const RULE: Rule = Rule {
    code: "subject-alt-name-needlessly-critical",
    severity: Severity::Warning,
    citation: "RFC 5280 §4.2.1.6 (SHOULD); CA/Browser Forum BR §7.1.2.7.12 (MUST)",
    requirement: "The subject alternative name is not critical beside a subject",
    example: "the subject alternative name is critical although there is a subject",
    fix: "issue the certificate again with a subject alternative name that is not critical",
    profiles: &[],
    check,
};

fn check(target: &LintTarget<'_>) -> Option<String> {
    (target.is_critical(oid::SUBJECT_ALT_NAME) && !target.certificate.subject.is_empty())
        .then(|| "the subject alternative name is critical although there is a subject".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::testing::*;

    #[test]
    fn critical_names_beside_a_subject_are_found() {
        assert!(finding(&RULE, TestCert::server("a.test").critical(oid::SUBJECT_ALT_NAME, true)).is_some());
    }

    #[test]
    fn plain_names_are_right() {
        assert_eq!(finding(&RULE, TestCert::server("a.test")), None);
        let nameless = TestCert::server("a.test").subject(&empty_name()).critical(oid::SUBJECT_ALT_NAME, true);
        assert_eq!(finding(&RULE, nameless), None);
    }
}
