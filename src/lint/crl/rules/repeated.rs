//! A certificate has one entry.

use crate::lint::crl::CrlTarget;
use crate::lint::profile::LintProfile;
use crate::lint::rule::{CrlCheck, Rule};
use crate::lint::severity::Severity;

pub const RULE: Rule<CrlCheck> = Rule {
    code: "crl-entry-repeated",
    severity: Severity::Warning,
    citation: "RFC 5280 §5.1.2.6, §5.3.3",
    requirement: "A certificate is in one entry of a CRL",
    example: "the serial number 1a2b has two entries",
    fix: "sign the CRL again with one entry for each certificate",
    profiles: &[LintProfile::Rfc5280],
    check,
};

fn check(target: &CrlTarget) -> Option<String> {
    target.entries.repeated.as_ref().map(|serial| format!("the serial number {serial} has two entries"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::crl::testing::*;
    use crate::x509::certificate::oid;
    use crate::x509::der;

    #[test]
    fn a_certificate_with_two_entries_is_found() {
        let entries = [entry(9, &[]), entry(8, &[]), entry(9, &[reason(None, 1)])];
        assert!(finding(&RULE, TestCrl::new().entries(&entries)).unwrap().contains("09 has two entries"));
    }

    #[test]
    fn one_number_of_two_issuers_is_right() {
        let of = |issuer: &str| {
            let issuer = der::sequence(&[&der::value(0xa4, &crate::lint::testing::name(issuer))]);
            entry(9, &[extension(oid::CERTIFICATE_ISSUER, Some(0xff), &issuer)])
        };
        assert_eq!(finding(&RULE, TestCrl::new().entries(&[entry(9, &[]), of("A"), of("B")])), None);
    }
}
