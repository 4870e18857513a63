//! A leaf has a subject key identifier, which helps to find it by its key.

use crate::lint::profile::LintProfile;
use crate::lint::rule::Rule;
use crate::lint::severity::Severity;
use crate::lint::target::LintTarget;

pub const RULE: Rule = Rule {
    code: "leaf-without-subject-key-id",
    severity: Severity::Warning,
    citation: "RFC 5280 §4.2.1.2 (SHOULD)",
    requirement: "A leaf has a subject key identifier",
    example: "the certificate has no subject key identifier",
    fix: "issue the certificate again with a subject key identifier",
    profiles: &[LintProfile::Rfc5280],
    check,
};

fn check(target: &LintTarget<'_>) -> Option<String> {
    (!target.is_ca() && target.certificate.subject_key_id.is_none())
        .then(|| "the certificate has no subject key identifier".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::testing::*;
    use crate::x509::certificate::oid;

    #[test]
    fn a_leaf_without_key_identifier_is_found() {
        assert!(finding(&RULE, TestCert::server("a.test").without(oid::SUBJECT_KEY_ID)).is_some());
    }

    #[test]
    fn a_leaf_with_one_is_right_and_cas_have_a_rule_of_their_own() {
        assert_eq!(finding(&RULE, TestCert::server("a.test")), None);
        assert_eq!(finding(&RULE, TestCert::ca("A").without(oid::SUBJECT_KEY_ID)), None);
    }
}
