//! The key usage of a CA has keyCertSign.

use crate::lint::profile::LintProfile;
use crate::lint::rule::Rule;
use crate::lint::severity::Severity;
use crate::lint::target::LintTarget;
use crate::x509::KeyUsage;

pub const RULE: Rule = Rule {
    code: "ca-without-key-cert-sign",
    severity: Severity::Error,
    citation: "RFC 5280 §4.2.1.3",
    requirement: "A CA certificate has key usage with keyCertSign",
    example: "the key usage of the CA certificate is crl-sign, expected keyCertSign among it",
    fix: "issue the CA certificate again with key usage keyCertSign and cRLSign",
    profiles: &[LintProfile::Rfc5280, LintProfile::Strict],
    check,
};

fn check(target: &LintTarget<'_>) -> Option<String> {
    match target.certificate.key_usage {
        _ if !target.is_ca() => None,
        None => Some("the CA certificate has no key usage, expected keyCertSign".to_owned()),
        Some(usage) if !usage.contains(KeyUsage::KEY_CERT_SIGN) => {
            Some(format!("the key usage of the CA certificate is {usage}, expected keyCertSign among it"))
        }
        Some(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::testing::*;
    use crate::x509::certificate::oid;

    #[test]
    fn a_ca_that_does_not_sign_certificates_is_found() {
        assert!(finding(&RULE, TestCert::ca("A").without(oid::KEY_USAGE)).unwrap().contains("no key usage"));
        assert!(finding(&RULE, TestCert::ca("A").key_usage(KeyUsage::CRL_SIGN)).unwrap().contains("crl-sign"));
    }

    #[test]
    fn a_ca_with_key_cert_sign_is_right() {
        assert_eq!(finding(&RULE, TestCert::ca("A")), None);
        assert_eq!(finding(&RULE, TestCert::server("a.test")), None);
    }
}
