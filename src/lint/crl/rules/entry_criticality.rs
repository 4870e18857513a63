//! Entry extensions are critical as RFC 5280 fixes it.

use crate::lint::crl::CrlTarget;
use crate::lint::profile::LintProfile;
use crate::lint::rule::{CrlCheck, Rule};
use crate::lint::severity::Severity;

pub const RULE: Rule<CrlCheck> = Rule {
    code: "crl-entry-extension-criticality",
    severity: Severity::Error,
    citation: "RFC 5280 §5.3.1, §5.3.2, §5.3.3",
    requirement: "Reason code and invalidity date of an entry are not critical, and the certificate issuer is",
    example: "the reason code of the entry 1a2b is critical, and must not be",
    fix: "sign the CRL again with the extension as the message says",
    profiles: &[LintProfile::Rfc5280],
    check,
};

fn check(target: &CrlTarget) -> Option<String> {
    let shown = |(name, serial): &(&str, crate::x509::SerialNumber)| {
        let should = match *name {
            "certificate issuer" => "is not critical, and must be",
            _ => "is critical, and must not be",
        };
        format!("the {name} of the entry {serial} {should}")
    };
    let found: Vec<_> = target.entries.wrong_criticality.iter().map(shown).collect();
    (!found.is_empty()).then(|| found.join("; "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::crl::testing::*;
    use crate::x509::certificate::oid;
    use crate::x509::der;

    #[test]
    fn the_wrong_criticality_of_an_entry_extension_is_found() {
        let critical = entry(9, &[reason(Some(0xff), 1)]);
        assert!(finding(&RULE, TestCrl::new().entries(&[critical])).unwrap().contains("reason code of the entry 09"));
        let issuer = der::sequence(&[&der::value(0xa4, &crate::lint::testing::name("Other CA"))]);
        let issuer = entry(9, &[extension(oid::CERTIFICATE_ISSUER, None, &issuer)]);
        assert!(finding(&RULE, TestCrl::new().entries(&[issuer])).unwrap().ends_with("must be"));
    }

    #[test]
    fn the_criticality_of_rfc_5280_is_right() {
        assert_eq!(finding(&RULE, TestCrl::new().entries(&[entry(9, &[reason(None, 1)])])), None);
    }
}
