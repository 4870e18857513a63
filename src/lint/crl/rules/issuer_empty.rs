//! A CRL names its issuer.

use crate::lint::crl::CrlTarget;
use crate::lint::profile::LintProfile;
use crate::lint::rule::{CrlCheck, Rule};
use crate::lint::severity::Severity;

pub const RULE: Rule<CrlCheck> = Rule {
    code: "crl-issuer-empty",
    severity: Severity::Error,
    citation: "RFC 5280 §5.1.2.3",
    requirement: "The issuer of a CRL has a name",
    example: "the name of the issuer is empty",
    fix: "sign the CRL with a CA that has a name",
    profiles: &[LintProfile::Rfc5280],
    check,
};

fn check(target: &CrlTarget) -> Option<String> {
    target.crl.issuer.is_empty().then(|| "the name of the issuer is empty".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::crl::testing::*;

    #[test]
    fn an_issuer_without_a_name_is_found() {
        let crl = TestCrl { issuer: crate::lint::testing::empty_name(), ..TestCrl::new() };
        assert!(finding(&RULE, crl).unwrap().contains("empty"));
    }

    #[test]
    fn a_name_is_right() {
        assert_eq!(finding(&RULE, TestCrl::new()), None);
    }
}
