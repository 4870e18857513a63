//! Only a CA has keyCertSign.

use crate::lint::profile::LintProfile;
use crate::lint::rule::Rule;
use crate::lint::severity::Severity;
use crate::lint::target::LintTarget;
use crate::x509::KeyUsage;

pub const RULE: Rule = Rule {
    code: "key-cert-sign-without-ca",
    severity: Severity::Error,
    citation: "RFC 5280 §4.2.1.9",
    requirement: "keyCertSign stands only in a certificate with cA set",
    example: "key usage has keyCertSign, but basicConstraints does not set cA",
    fix: "take keyCertSign out of the key usage, or make it a CA certificate",
    profiles: &[LintProfile::Rfc5280, LintProfile::Strict],
    check,
};

fn check(target: &LintTarget<'_>) -> Option<String> {
    let signs = target.certificate.key_usage.is_some_and(|usage| usage.contains(KeyUsage::KEY_CERT_SIGN));
    (signs && !target.is_ca()).then(|| "key usage has keyCertSign, but basicConstraints does not set cA".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::testing::*;

    #[test]
    fn a_leaf_that_signs_certificates_is_found() {
        assert!(finding(&RULE, TestCert::server("a.test").key_usage(KeyUsage::KEY_CERT_SIGN)).is_some());
    }

    #[test]
    fn a_ca_may_sign_certificates() {
        assert_eq!(finding(&RULE, TestCert::ca("A")), None);
    }
}
