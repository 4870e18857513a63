//! Extensions of a CRL are critical when software that does not know them would misread the CRL, and not otherwise.

use crate::lint::crl::CrlTarget;
use crate::lint::profile::LintProfile;
use crate::lint::rule::{CrlCheck, Rule};
use crate::lint::severity::Severity;
use crate::x509::certificate::oid;

pub const RULE: Rule<CrlCheck> = Rule {
    code: "crl-extension-criticality",
    severity: Severity::Error,
    citation: "RFC 5280 §5.2.1, §5.2.3, §5.2.4, §5.2.5, §5.2.6, §5.2.7",
    requirement: "The delta CRL indicator and the issuing distribution point are critical; key identifier, number, freshest CRL and authority information access are not",
    example: "2.5.29.20 (CRL number) is critical, and must not be",
    fix: "sign the CRL again with the extension as the message says",
    profiles: &[LintProfile::Rfc5280],
    check,
};

const CRITICAL: [&str; 2] = [oid::DELTA_CRL_INDICATOR, oid::ISSUING_DISTRIBUTION_POINT];
const NOT_CRITICAL: [&str; 4] = [oid::AUTHORITY_KEY_ID, oid::CRL_NUMBER, oid::FRESHEST_CRL, oid::AUTHORITY_INFO_ACCESS];

fn check(target: &CrlTarget) -> Option<String> {
    let is_there = |oid: &&str| target.crl.extension(oid).is_some();
    let missing = CRITICAL.into_iter().filter(is_there).filter(|oid| !target.is_critical(oid));
    let needless = NOT_CRITICAL.into_iter().filter(|oid| target.is_critical(oid));
    let missing = missing.map(|oid| format!("{} is not critical, and must be", oid::with_name(oid)));
    let needless = needless.map(|oid| format!("{} is critical, and must not be", oid::with_name(oid)));
    let found: Vec<_> = missing.chain(needless).collect();
    (!found.is_empty()).then(|| found.join("; "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::crl::testing::*;

    #[test]
    fn each_extension_with_the_wrong_criticality_is_found() {
        for oid in NOT_CRITICAL {
            let crl = TestCrl::new().extension(oid, Some(0xff), &[0x30, 0]);
            assert!(finding(&RULE, crl).unwrap().ends_with("is critical, and must not be"), "{oid}");
        }
        let scope = TestCrl::new().extension(oid::ISSUING_DISTRIBUTION_POINT, None, &[0x30, 3, 0x81, 1, 0xff]);
        assert!(finding(&RULE, scope).unwrap().ends_with("is not critical, and must be"));
        assert!(finding(&RULE, TestCrl::new().extension(oid::DELTA_CRL_INDICATOR, None, &[2, 1, 4])).is_some());
    }

    #[test]
    fn the_criticality_of_rfc_5280_is_right() {
        let delta = TestCrl::new().extension(oid::DELTA_CRL_INDICATOR, Some(0xff), &[2, 1, 4]);
        assert_eq!(finding(&RULE, delta), None);
        assert_eq!(finding(&RULE, TestCrl::new()), None);
    }
}
