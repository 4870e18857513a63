//! The key is of a kind that a TLS handshake can use.

use crate::lint::profile::LintProfile;
use crate::lint::rule::Rule;
use crate::lint::severity::Severity;
use crate::lint::target::LintTarget;
use crate::x509::KeyKind;

pub const RULE: Rule = Rule {
    code: "key-kind-unfit",
    severity: Severity::Error,
    citation: "CA/Browser Forum BR §6.1.5, §7.1.3.1; RFC 8446 §4.2.3",
    requirement: "The key is RSA, ECDSA on P-256, P-384 or P-521, or Ed25519",
    example: "the key is of kind dsa (1.2.840.10040.4.1), expected RSA, ECDSA on P-256, P-384 or P-521, or Ed25519",
    fix: "make a new key, for example ecdsa-p256, and a new certificate",
    profiles: &[LintProfile::Apple, LintProfile::Rustls],
    check,
};

fn check(target: &LintTarget<'_>) -> Option<String> {
    match target.certificate.public_key.kind() {
        kind @ KeyKind::Other(_) => {
            Some(format!("the key is of kind {kind}, expected RSA, ECDSA on P-256, P-384 or P-521, or Ed25519"))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::testing::*;
    use crate::x509::{KeyAlgorithm, der};

    /// Makes a key of this kind, with the OID of a curve where the kind has one.
    fn key(kind: &str, curve: Option<&str>) -> TestCert {
        let curve = curve.map(object_identifier).unwrap_or_default();
        let algorithm = der::sequence(&[&object_identifier(kind), &curve]);
        TestCert::server("a.test").spki(der::sequence(&[&algorithm, &der::bit_string(&[4; 57])]))
    }

    #[test]
    fn keys_of_other_kinds_and_on_other_curves_are_found() {
        const ON_CURVE: &str = "1.2.840.10045.2.1";
        for (cert, named) in [
            (key("1.2.840.10040.4.1", None), "dsa"),
            (key("1.3.101.113", None), "ed448"),
            (key(ON_CURVE, Some("1.3.132.0.33")), "ecdsa-p224"),
            (key(ON_CURVE, Some("1.3.132.0.10")), "secp256k1"),
            (key(ON_CURVE, None), ON_CURVE),
            // An RSA key whose modulus and exponent cannot be read.
            (key("1.2.840.113549.1.1.1", None), "1.2.840.113549.1.1.1"),
        ] {
            assert!(finding(&RULE, cert).unwrap().contains(named), "{named}");
        }
    }

    #[test]
    fn every_kind_of_key_that_is_made_here_is_right() {
        for algorithm in KeyAlgorithm::ALL {
            assert_eq!(finding(&RULE, TestCert::server("a.test").algorithm(algorithm)), None);
        }
    }
}
