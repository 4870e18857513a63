//! Keys on elliptic curves cannot encipher keys.

use crate::lint::profile::LintProfile;
use crate::lint::rule::Rule;
use crate::lint::severity::Severity;
use crate::lint::target::LintTarget;
use crate::x509::{KeyKind, KeyUsage};

pub const RULE: Rule = Rule {
    code: "key-encipherment-without-rsa",
    severity: Severity::Error,
    citation: "RFC 8813 §3; RFC 8410 §5",
    requirement: "An ECDSA or Ed25519 key has neither keyEncipherment nor dataEncipherment",
    example: "key usage is digital-signature, key-encipherment, which a key of kind ecdsa-p256 cannot do",
    fix: "issue the certificate again with key usage digitalSignature",
    profiles: &[LintProfile::Rfc5280],
    check,
};

fn check(target: &LintTarget<'_>) -> Option<String> {
    let certificate = target.certificate;
    let usage = certificate.key_usage?;
    let enciphers = usage.contains(KeyUsage::KEY_ENCIPHERMENT) || usage.contains(KeyUsage::DATA_ENCIPHERMENT);
    let kind = certificate.public_key.kind();
    let on_a_curve = matches!(kind, KeyKind::EcdsaP256 | KeyKind::EcdsaP384 | KeyKind::EcdsaP521 | KeyKind::Ed25519);
    (enciphers && on_a_curve).then(|| format!("key usage is {usage}, which a key of kind {kind} cannot do"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::testing::*;

    #[test]
    fn key_encipherment_by_a_curve_is_found() {
        let usage = KeyUsage::DIGITAL_SIGNATURE.union(KeyUsage::KEY_ENCIPHERMENT);
        assert!(finding(&RULE, TestCert::server("a.test").key_usage(usage)).unwrap().contains("ecdsa-p256"));
        let usage = KeyUsage::DIGITAL_SIGNATURE.union(KeyUsage::DATA_ENCIPHERMENT);
        assert!(finding(&RULE, TestCert::server("a.test").key_usage(usage)).unwrap().contains("data-encipherment"));
    }

    #[test]
    fn a_signature_by_a_curve_and_key_encipherment_by_rsa_are_right() {
        assert_eq!(finding(&RULE, TestCert::server("a.test")), None);
        let rsa = TestCert::server("a.test").spki(rsa_spki(&[0xab; 256], &[1, 0, 1]));
        assert_eq!(finding(&RULE, rsa.key_usage(KeyUsage::DIGITAL_SIGNATURE.union(KeyUsage::KEY_ENCIPHERMENT))), None);
    }
}
