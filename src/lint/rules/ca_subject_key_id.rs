//! Path builders look for the subject key identifier of a CA.

use crate::lint::profile::LintProfile;
use crate::lint::rule::Rule;
use crate::lint::severity::Severity;
use crate::lint::target::LintTarget;

pub const RULE: Rule = Rule {
    code: "ca-without-subject-key-id",
    severity: Severity::Error,
    citation: "RFC 5280 §4.2.1.2",
    requirement: "A CA certificate has a subject key identifier",
    example: "the CA certificate has no subject key identifier",
    fix: "issue the CA certificate again with a subject key identifier",
    profiles: &[LintProfile::Rfc5280, LintProfile::Strict],
    check,
};

fn check(target: &LintTarget<'_>) -> Option<String> {
    let missing = target.certificate.subject_key_id.as_ref().is_none_or(Vec::is_empty);
    (target.is_ca() && missing).then(|| "the CA certificate has no subject key identifier".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::testing::*;
    use crate::x509::certificate::oid;

    #[test]
    fn a_ca_without_key_identifier_is_found() {
        assert!(finding(&RULE, TestCert::ca("A").without(oid::SUBJECT_KEY_ID)).is_some());
    }

    #[test]
    fn a_ca_with_one_is_right() {
        assert_eq!(finding(&RULE, TestCert::ca("A")), None);
        assert_eq!(finding(&RULE, TestCert::server("a.test").without(oid::SUBJECT_KEY_ID)), None);
    }
}
