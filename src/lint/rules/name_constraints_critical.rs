//! Name constraints are critical: software that does not process them must refuse the CA.

use crate::lint::profile::LintProfile;
use crate::lint::rule::Rule;
use crate::lint::severity::Severity;
use crate::lint::target::LintTarget;
use crate::x509::certificate::oid;

pub const RULE: Rule = Rule {
    code: "name-constraints-not-critical",
    severity: Severity::Error,
    citation: "RFC 5280 §4.2.1.10",
    requirement: "Name constraints are critical",
    example: "the name constraints are not critical, expected critical",
    fix: "issue the CA certificate again with critical name constraints",
    profiles: &[LintProfile::Rfc5280],
    check,
};

fn check(target: &LintTarget<'_>) -> Option<String> {
    let extension = target.certificate.extension(oid::NAME_CONSTRAINTS)?;
    (!extension.critical).then(|| "the name constraints are not critical, expected critical".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::testing::*;

    #[test]
    fn plain_constraints_are_found() {
        assert!(finding(&RULE, TestCert::ca("A").permit(&["a.test"]).critical(oid::NAME_CONSTRAINTS, false)).is_some());
    }

    #[test]
    fn critical_constraints_are_right() {
        assert_eq!(finding(&RULE, TestCert::ca("A").permit(&["a.test"])), None);
    }
}
