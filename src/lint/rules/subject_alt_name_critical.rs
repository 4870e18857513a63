//! The subject alternative name is critical when the subject is empty.

use crate::lint::profile::LintProfile;
use crate::lint::rule::Rule;
use crate::lint::severity::Severity;
use crate::lint::target::LintTarget;
use crate::x509::certificate::oid;

pub const RULE: Rule = Rule {
    code: "subject-alt-name-criticality",
    severity: Severity::Error,
    citation: "RFC 5280 §4.1.2.6, §4.2.1.6",
    requirement: "The subject alternative name is critical beside an empty subject",
    example: "the subject is empty, but the subject alternative name is not critical",
    fix: "issue the certificate again with a critical subject alternative name, or with a subject",
    profiles: &[LintProfile::Rfc5280, LintProfile::Strict],
    check,
};

fn check(target: &LintTarget<'_>) -> Option<String> {
    let certificate = target.certificate;
    if !certificate.subject.is_empty() || target.is_ca() {
        return None;
    }
    match certificate.extension(oid::SUBJECT_ALT_NAME) {
        None => Some("the certificate has neither a subject nor a subject alternative name".to_owned()),
        Some(extension) if !extension.critical => {
            Some("the subject is empty, but the subject alternative name is not critical".to_owned())
        }
        Some(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::testing::*;

    #[test]
    fn an_empty_subject_beside_plain_names_is_found() {
        assert!(finding(&RULE, TestCert::server("a.test").subject(&empty_name())).unwrap().contains("not critical"));
        let nameless = TestCert::server("a.test").subject(&empty_name()).without(oid::SUBJECT_ALT_NAME);
        assert!(finding(&RULE, nameless).unwrap().contains("neither"));
    }

    #[test]
    fn an_empty_subject_beside_critical_names_is_right() {
        let cert = TestCert::server("a.test").subject(&empty_name()).critical(oid::SUBJECT_ALT_NAME, true);
        assert_eq!(finding(&RULE, cert), None);
        assert_eq!(finding(&RULE, TestCert::server("a.test")), None);
    }
}
