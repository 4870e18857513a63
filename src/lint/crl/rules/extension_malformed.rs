//! Implementations disagree about an extension of a CRL that occurs twice or cannot be read.

use crate::lint::crl::CrlTarget;
use crate::lint::profile::LintProfile;
use crate::lint::rule::{CrlCheck, Rule};
use crate::lint::severity::Severity;
use crate::x509::certificate::oid;

pub const RULE: Rule<CrlCheck> = Rule {
    code: "crl-extension-malformed",
    severity: Severity::Error,
    citation: "RFC 5280 §5.2, §5.3",
    requirement: "Every extension of a CRL and of its entries can be read, and stands once",
    example: "extension 2.5.29.20 (CRL number): it stands twice",
    fix: "sign the CRL again: the tool that made it is broken",
    profiles: &[LintProfile::Rfc5280],
    check,
};

fn check(target: &CrlTarget) -> Option<String> {
    // One fault of many entries is one finding.
    let mut faults: Vec<_> = target.crl.malformed.iter().take(10).collect();
    faults.dedup();
    let faults: Vec<_> =
        faults.into_iter().map(|(oid, reason)| format!("extension {}: {reason}", oid::with_name(oid))).collect();
    (!faults.is_empty()).then(|| faults.join("; "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::crl::testing::*;

    #[test]
    fn an_extension_that_cannot_be_read_is_found() {
        let crl = TestCrl::new().extension(oid::CRL_NUMBER, None, &[2, 1, 0xff]);
        assert!(finding(&RULE, crl).unwrap().contains("2.5.29.20"));
        let entry = entry(9, &[extension(oid::REASON_CODE, None, &[5, 0])]);
        assert!(finding(&RULE, TestCrl::new().entries(&[entry])).is_some());
    }

    #[test]
    fn other_extensions_are_right() {
        assert_eq!(finding(&RULE, TestCrl::new().entries(&[entry(9, &[reason(None, 1)])])), None);
    }
}
