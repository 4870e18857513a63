//! Only a CA with keyCertSign has a path length.

use crate::lint::profile::LintProfile;
use crate::lint::rule::Rule;
use crate::lint::severity::Severity;
use crate::lint::target::LintTarget;
use crate::x509::KeyUsage;

pub const RULE: Rule = Rule {
    code: "path-length-without-ca",
    severity: Severity::Error,
    citation: "RFC 5280 §4.2.1.9",
    requirement: "A path length stands only beside cA and keyCertSign",
    example: "basicConstraints has the path length 0, but cA is not set",
    fix: "take the path length out, or make it a CA certificate with keyCertSign",
    profiles: &[LintProfile::Rfc5280, LintProfile::Strict],
    check,
};

fn check(target: &LintTarget<'_>) -> Option<String> {
    let constraints = target.certificate.basic_constraints?;
    let length = constraints.path_length?;
    let signs = target.certificate.key_usage.is_none_or(|usage| usage.contains(KeyUsage::KEY_CERT_SIGN));
    let lacking = match (constraints.ca, signs) {
        (true, true) => return None,
        (false, _) => "cA is not set",
        (true, false) => "key usage has no keyCertSign",
    };
    Some(format!("basicConstraints has the path length {length}, but {lacking}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::testing::*;

    #[test]
    fn a_path_length_in_a_leaf_is_found() {
        assert!(
            finding(&RULE, TestCert::server("a.test").basic_constraints(false, Some(0)))
                .unwrap()
                .contains("cA is not set")
        );
        assert!(finding(&RULE, TestCert::ca("A").path_length(1).key_usage(KeyUsage::CRL_SIGN)).is_some());
    }

    #[test]
    fn a_path_length_in_a_ca_is_right() {
        assert_eq!(finding(&RULE, TestCert::ca("A").path_length(0)), None);
        assert_eq!(finding(&RULE, TestCert::ca("A")), None);
    }
}
