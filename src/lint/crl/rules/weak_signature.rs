//! The signature of a CRL cannot be forged.

use crate::lint::crl::CrlTarget;
use crate::lint::profile::LintProfile;
use crate::lint::rule::{CrlCheck, Rule};
use crate::lint::rules::algorithm_parameters;
use crate::lint::severity::Severity;

pub const RULE: Rule<CrlCheck> = Rule {
    code: "crl-weak-signature",
    severity: Severity::Error,
    citation: "RFC 6151; RFC 6194; RFC 4055 §5; RFC 5758 §3.2",
    requirement: "A CRL is signed with SHA-256 or better, and with the parameters of its algorithm",
    example: "the CRL is signed with sha1WithRSAEncryption, whose digest can be forged",
    fix: "sign the CRL again with SHA-256: default_md = sha256 in the configuration of openssl-ca",
    profiles: &[LintProfile::Rfc5280],
    check,
};

fn check(target: &CrlTarget) -> Option<String> {
    let algorithm = &target.crl.signature_algorithm;
    if algorithm.is_weak() {
        return Some(format!("the CRL is signed with {algorithm}, whose digest can be forged"));
    }
    algorithm_parameters::problem(&algorithm.der, "signature")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::crl::testing::*;
    use crate::lint::testing::object_identifier;
    use crate::x509::der;

    fn signed(oid: &str, parameters: &[u8]) -> TestCrl {
        let algorithm = der::sequence(&[&object_identifier(oid), parameters]);
        TestCrl { inner_algorithm: algorithm.clone(), outer_algorithm: algorithm, ..TestCrl::new() }
    }

    #[test]
    fn sha1_and_wrong_parameters_are_found() {
        assert!(finding(&RULE, signed("1.2.840.113549.1.1.5", &[5, 0])).unwrap().contains("can be forged"));
        assert!(finding(&RULE, signed("1.2.840.113549.1.1.11", &[])).unwrap().contains("expected NULL"));
    }

    #[test]
    fn sha256_is_right() {
        assert_eq!(finding(&RULE, TestCrl::new()), None);
        assert_eq!(finding(&RULE, signed("1.2.840.113549.1.1.11", &[5, 0])), None);
    }
}
