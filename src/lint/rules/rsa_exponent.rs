//! The exponent of an RSA key is odd and greater than 1.

use crate::lint::profile::LintProfile;
use crate::lint::rule::Rule;
use crate::lint::severity::Severity;
use crate::lint::target::LintTarget;
use crate::x509::KeyKind;

pub const RULE: Rule = Rule {
    code: "rsa-exponent",
    severity: Severity::Error,
    citation: "RFC 8017 §3.1; CA/Browser Forum BR §6.1.6",
    requirement: "The RSA exponent is odd and greater than 1",
    example: "the RSA exponent is even or 1, expected an odd one such as 65537",
    fix: "make a new key, and a new certificate",
    profiles: &[LintProfile::Rustls],
    check,
};

fn check(target: &LintTarget<'_>) -> Option<String> {
    let KeyKind::Rsa { exponent, .. } = target.certificate.public_key.kind() else { return None };
    let is_odd = exponent.last().is_some_and(|byte| byte % 2 == 1);
    (!is_odd || *exponent == [1]).then(|| "the RSA exponent is even or 1, expected an odd one such as 65537".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::testing::*;

    #[test]
    fn an_even_exponent_and_one_are_found() {
        for exponent in [&[2][..], &[1], &[]] {
            assert!(finding(&RULE, TestCert::server("a.test").spki(rsa_spki(&[0xff; 256], exponent))).is_some());
        }
    }

    #[test]
    fn the_usual_exponent_is_right() {
        assert_eq!(finding(&RULE, TestCert::server("a.test").spki(rsa_spki(&[0xff; 256], &[1, 0, 1]))), None);
    }
}
