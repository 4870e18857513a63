//! An RSA key has at least 2048 bits, since shorter ones give less than 112 bits of security (NIST SP 800-57).

use crate::lint::profile::LintProfile;
use crate::lint::rule::Rule;
use crate::lint::severity::Severity;
use crate::lint::target::LintTarget;
use crate::x509::KeyKind;

pub const RULE: Rule = Rule {
    code: "rsa-key-size",
    severity: Severity::Error,
    citation: "CA/Browser Forum BR §6.1.5",
    requirement: "An RSA modulus has at least 2048 bits, in whole bytes",
    example: "the RSA key has 1024 bits, expected at least 2048",
    fix: "make a new key of at least 2048 bits, better an ECDSA one, and a new certificate",
    profiles: &[LintProfile::Apple, LintProfile::Rustls],
    check,
};

fn check(target: &LintTarget<'_>) -> Option<String> {
    match target.certificate.public_key.kind() {
        KeyKind::Rsa { bits, .. } if *bits < 2048 => {
            Some(format!("the RSA key has {bits} bits, expected at least 2048"))
        }
        KeyKind::Rsa { bits, .. } if bits % 8 != 0 => {
            Some(format!("the RSA key has {bits} bits, expected a multiple of 8"))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::testing::*;

    #[test]
    fn short_and_odd_moduli_are_found() {
        let first_byte = |byte: u8, length: usize| [&[byte][..], &vec![0xff; length - 1]].concat();
        for (modulus, expected) in [(first_byte(0x80, 128), "1024"), (first_byte(0x01, 257), "multiple of 8")] {
            let cert = TestCert::server("a.test").spki(rsa_spki(&modulus, &[1, 0, 1]));
            assert!(finding(&RULE, cert).unwrap().contains(expected));
        }
    }

    #[test]
    fn a_modulus_of_2048_bits_is_right() {
        assert_eq!(finding(&RULE, TestCert::server("a.test").spki(rsa_spki(&[0xff; 256], &[1, 0, 1]))), None);
        assert_eq!(finding(&RULE, TestCert::server("a.test")), None);
    }
}
