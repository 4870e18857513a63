//! Key identifiers are hints for path building, so they are not critical.

use crate::lint::profile::LintProfile;
use crate::lint::rule::Rule;
use crate::lint::severity::Severity;
use crate::lint::target::LintTarget;
use crate::x509::certificate::oid;

pub const RULE: Rule = Rule {
    code: "key-id-critical",
    severity: Severity::Error,
    citation: "RFC 5280 §4.2.1.1, §4.2.1.2",
    requirement: "Subject and authority key identifier are not critical",
    example: "the subject key identifier is critical, expected not critical",
    fix: "issue the certificate again with key identifiers that are not critical",
    profiles: &[LintProfile::Rfc5280, LintProfile::Strict],
    check,
};

fn check(target: &LintTarget<'_>) -> Option<String> {
    let known = [(oid::SUBJECT_KEY_ID, "subject"), (oid::AUTHORITY_KEY_ID, "authority")];
    let (_, which) = known.into_iter().find(|(oid, _)| target.is_critical(oid))?;
    Some(format!("the {which} key identifier is critical, expected not critical"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::testing::*;

    #[test]
    fn critical_key_identifiers_are_found() {
        for oid in [oid::SUBJECT_KEY_ID, oid::AUTHORITY_KEY_ID] {
            assert!(finding(&RULE, TestCert::server("a.test").critical(oid, true)).is_some());
        }
    }

    #[test]
    fn plain_key_identifiers_are_right() {
        assert_eq!(finding(&RULE, TestCert::server("a.test")), None);
    }
}
