//! In TLS 1.3, and with elliptic curves in TLS 1.2, both sides sign the handshake.

use crate::lint::rule::Rule;
use crate::lint::severity::Severity;
use crate::lint::target::LintTarget;
use crate::x509::KeyUsage;

pub const RULE: Rule = Rule {
    code: "digital-signature-missing",
    severity: Severity::Error,
    citation: "RFC 8446 §4.4.2.2",
    requirement: "A TLS certificate with key usage has digitalSignature",
    example: "key usage is key-agreement, expected digital-signature among it",
    fix: "issue the certificate again with key usage digitalSignature",
    profiles: &[],
    check,
};

fn check(target: &LintTarget<'_>) -> Option<String> {
    let usage = target.certificate.key_usage?;
    (target.is_tls() && !target.is_ca() && !usage.contains(KeyUsage::DIGITAL_SIGNATURE))
        .then(|| format!("key usage is {usage}, expected digital-signature among it"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::testing::*;
    use crate::x509::certificate::oid;

    #[test]
    fn a_server_or_client_that_may_not_sign_is_found() {
        assert!(finding(&RULE, TestCert::server("a.test").key_usage(KeyUsage::KEY_AGREEMENT)).is_some());
        assert!(finding(&RULE, TestCert::client("alice").key_usage(KeyUsage::KEY_AGREEMENT)).is_some());
    }

    #[test]
    fn a_server_that_signs_is_right() {
        assert_eq!(finding(&RULE, TestCert::server("a.test")), None);
        assert_eq!(finding(&RULE, TestCert::server("a.test").without(oid::KEY_USAGE)), None);
    }

    #[test]
    fn cas_and_what_is_not_for_tls_are_not_meant() {
        assert_eq!(finding(&RULE, TestCert::ca("A").purposes(&[crate::x509::ExtendedKeyUsage::ServerAuth])), None);
        assert_eq!(finding(&RULE, TestCert::leaf("a").key_usage(KeyUsage::KEY_AGREEMENT)), None);
    }
}
