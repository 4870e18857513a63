//! Only a CA certificate has name constraints.

use crate::lint::profile::LintProfile;
use crate::lint::rule::Rule;
use crate::lint::severity::Severity;
use crate::lint::target::LintTarget;
use crate::x509::certificate::oid;

pub const RULE: Rule = Rule {
    code: "name-constraints-in-leaf",
    severity: Severity::Error,
    citation: "RFC 5280 §4.2.1.10",
    requirement: "Name constraints stand only in a CA certificate",
    example: "a certificate that is not a CA has name constraints",
    fix: "issue the certificate again without name constraints",
    profiles: &[LintProfile::Rfc5280],
    check,
};

fn check(target: &LintTarget<'_>) -> Option<String> {
    (!target.is_ca() && target.certificate.extension(oid::NAME_CONSTRAINTS).is_some())
        .then(|| "a certificate that is not a CA has name constraints".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::testing::*;

    #[test]
    fn constraints_in_a_leaf_are_found() {
        assert!(finding(&RULE, TestCert::server("a.test").permit(&["a.test"])).is_some());
    }

    #[test]
    fn constraints_in_a_ca_are_right() {
        assert_eq!(finding(&RULE, TestCert::ca("A").permit(&["a.test"])), None);
    }
}
