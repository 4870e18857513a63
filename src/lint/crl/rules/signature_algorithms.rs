//! The algorithm outside of what is signed is the one inside.

use crate::lint::crl::CrlTarget;
use crate::lint::fields;
use crate::lint::profile::LintProfile;
use crate::lint::rule::{CrlCheck, Rule};
use crate::lint::severity::Severity;

pub const RULE: Rule<CrlCheck> = Rule {
    code: "crl-signature-algorithms-differ",
    severity: Severity::Error,
    citation: "RFC 5280 §5.1.1.2",
    requirement: "Both signature algorithms of a CRL are the same, parameters included",
    example: "what is signed names ecdsa-with-SHA384, the signature ecdsa-with-SHA256; expected the same",
    fix: "sign the CRL again: the tool that made it is broken",
    profiles: &[LintProfile::Rfc5280],
    check,
};

fn check(target: &CrlTarget) -> Option<String> {
    fields::algorithms_differ(&target.crl.tbs_signature_algorithm, &target.crl.signature_algorithm)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::crl::testing::*;
    use crate::x509::der;

    #[test]
    fn two_different_algorithms_are_found() {
        let sha384 = der::sequence(&[&crate::lint::testing::object_identifier("1.2.840.10045.4.3.3")]);
        assert!(finding(&RULE, TestCrl { outer_algorithm: sha384, ..TestCrl::new() }).unwrap().contains("SHA384"));
    }

    #[test]
    fn the_same_algorithm_is_right() {
        assert_eq!(finding(&RULE, TestCrl::new()), None);
    }
}
