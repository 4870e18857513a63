//! A CRL has a number, so that the newer one of two is known.

use crate::lint::crl::CrlTarget;
use crate::lint::profile::LintProfile;
use crate::lint::rule::{CrlCheck, Rule};
use crate::lint::severity::Severity;
use crate::x509::certificate::oid;

pub const RULE: Rule<CrlCheck> = Rule {
    code: "crl-without-number",
    severity: Severity::Error,
    citation: "RFC 5280 §5.2.3",
    requirement: "A CRL has a CRL number",
    example: "ca.crl#1 has no CRL number, which RFC 5280 requires; it is used anyway",
    fix: "have the CA number its CRLs (crlnumber = FILE in the configuration of openssl-ca); with --strict such a CRL is not used",
    profiles: &[LintProfile::Rfc5280],
    check,
};

fn check(target: &CrlTarget) -> Option<String> {
    target.crl.extension(oid::CRL_NUMBER).is_none().then(|| "the CRL has no CRL number".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::crl::testing::*;

    #[test]
    fn a_crl_without_number_is_found() {
        assert!(finding(&RULE, TestCrl::new().without(oid::CRL_NUMBER)).unwrap().contains("no CRL number"));
    }

    #[test]
    fn a_number_is_right() {
        assert_eq!(finding(&RULE, TestCrl::new()), None);
    }
}
