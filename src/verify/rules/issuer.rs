//! RFC 5280 §6.1.4 (k), (n): every issuer is a CA whose key may sign certificates. This program requires it of the
//! anchor too, which §6.1 does not.

use crate::verify::candidate::Candidate;
use crate::verify::code::{Code, Rank};
use crate::verify::verdict::{Problem, Role};
use crate::x509::KeyUsage;
use crate::x509::certificate::oid;

pub const NOT_A_CA: Code = Code {
    code: "not-a-ca",
    rank: Rank::NotACa,
    citation: "RFC 5280 §4.2.1.9, §6.1.4 (k)",
    requirement: "Every certificate that issued another is a CA certificate of version 3, with cA in basicConstraints",
    example: "CN=web.corp.test is an intermediate of the chain, but it has no basicConstraints: it is not a CA",
    fix: "have the certificate signed by a CA; a leaf cannot issue",
};

pub const ISSUER_WITHOUT_KEY_CERT_SIGN: Code = Code {
    code: "issuer-without-key-cert-sign",
    rank: Rank::Unranked,
    citation: "RFC 5280 §4.2.1.3, §6.1.4 (n)",
    requirement: "The key usage of a certificate that issued another has keyCertSign",
    example: "the key usage of the intermediate is crl-sign, expected key-cert-sign among it",
    fix: "issue the CA certificate again with key usage keyCertSign",
};

/// Adds the reasons why a certificate cannot issue others.
pub fn check(candidate: &Candidate, role: Role, problems: &mut Vec<Problem>) {
    let certificate = &candidate.certificate;
    if !certificate.is_ca() {
        let found = match certificate.basic_constraints {
            None if certificate.malformed.iter().any(|(found, _)| found == oid::BASIC_CONSTRAINTS) => {
                "has basicConstraints that cannot be read"
            }
            None => "has no basicConstraints",
            Some(_) => "has basicConstraints without cA",
        };
        let message = format!("{} is the {role} of the chain, but it {found}: it is not a CA", certificate.subject);
        problems.push(Problem::error(&NOT_A_CA, candidate, message));
    } else if certificate.version != 3 {
        let message = format!("the {role} has version {}, expected 3", certificate.version);
        problems.push(Problem::error(&NOT_A_CA, candidate, message));
    }
    if let Some(usage) = certificate.key_usage
        && !usage.contains(KeyUsage::KEY_CERT_SIGN)
    {
        let message = format!("the key usage of the {role} is {usage}, expected key-cert-sign among it");
        problems.push(Problem::error(&ISSUER_WITHOUT_KEY_CERT_SIGN, candidate, message));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::testing::TestCert;
    use crate::verify::tests::{TestPki, below, server};

    #[test]
    fn an_issuer_that_is_no_ca_is_found_the_anchor_too() {
        let silent = TestCert::ca("A").without(oid::BASIC_CONSTRAINTS).without(oid::KEY_USAGE);
        assert_eq!(TestPki::with(silent).case(server()).errors(), [NOT_A_CA.code]);
        let denied = TestCert::ca("A").basic_constraints(false, None).without(oid::KEY_USAGE);
        assert_eq!(TestPki::with(denied).case(server()).errors(), [NOT_A_CA.code]);
        assert_eq!(below(TestCert::ca("Root").version(1)).errors(), [NOT_A_CA.code]);
    }

    #[test]
    fn basic_constraints_that_cannot_be_read_are_not_called_missing() {
        let damaged = TestCert::ca("A").extension(oid::BASIC_CONSTRAINTS, true, vec![0x30, 5, 1, 1, 0xff, 2, 0]);
        let verdict = TestPki::with(damaged).case(server()).verify();
        let problem = verdict.problems.iter().find(|it| it.code == NOT_A_CA.code).unwrap();
        assert!(problem.message.contains("basicConstraints that cannot be read"), "{}", problem.message);
        assert!(verdict.problems.iter().any(|it| it.code == "extension-malformed"));
    }

    #[test]
    fn an_issuer_whose_key_signs_no_certificates_is_found() {
        let crl_only = |name| TestCert::ca(name).key_usage(KeyUsage::CRL_SIGN);
        let errors = TestPki::with(crl_only("A")).case(server()).errors();
        assert_eq!(errors, [ISSUER_WITHOUT_KEY_CERT_SIGN.code]);
        assert_eq!(below(crl_only("Root")).errors(), [ISSUER_WITHOUT_KEY_CERT_SIGN.code]);
    }

    #[test]
    fn a_ca_with_key_cert_sign_or_without_any_key_usage_is_right() {
        assert_eq!(TestPki::new().case(server()).errors(), [""; 0]);
        assert_eq!(TestPki::with(TestCert::ca("A").without(oid::KEY_USAGE)).case(server()).errors(), [""; 0]);
    }
}
