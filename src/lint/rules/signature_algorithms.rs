//! The two signature algorithms of a certificate are equal.

use crate::lint::fields;
use crate::lint::profile::LintProfile;
use crate::lint::rule::Rule;
use crate::lint::severity::Severity;
use crate::lint::target::LintTarget;

pub const RULE: Rule = Rule {
    code: "signature-algorithms-differ",
    severity: Severity::Error,
    citation: "RFC 5280 §4.1.1.2",
    requirement: "The signature algorithm inside what is signed equals the one outside",
    example: "what is signed names ecdsa-with-SHA384, the signature ecdsa-with-SHA256; expected the same, parameters \
        included",
    fix: "issue the certificate again: the tool that made it is broken, or the certificate was changed",
    profiles: &[LintProfile::Rfc5280, LintProfile::Strict, LintProfile::Apple, LintProfile::Rustls],
    check,
};

fn check(target: &LintTarget<'_>) -> Option<String> {
    fields::algorithms_differ(&target.certificate.tbs_signature_algorithm, &target.certificate.signature_algorithm)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::testing::*;

    #[test]
    fn two_different_algorithms_are_found() {
        let ecdsa_with_sha384 = [0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x03];
        assert!(
            finding(&RULE, TestCert::server("a.test").inner_algorithm(&ecdsa_with_sha384)).unwrap().contains("SHA384")
        );
    }

    #[test]
    fn the_same_algorithm_is_right() {
        assert_eq!(finding(&RULE, TestCert::server("a.test")), None);
    }
}
