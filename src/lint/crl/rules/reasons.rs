//! A reason is one of those of RFC 5280; none is said by leaving it out.

use crate::lint::crl::CrlTarget;
use crate::lint::profile::LintProfile;
use crate::lint::rule::{CrlCheck, Rule};
use crate::lint::severity::Severity;

pub const RULE: Rule<CrlCheck> = Rule {
    code: "crl-reason",
    severity: Severity::Error,
    citation: "RFC 5280 §5.3.1",
    requirement: "A reason code is one of RFC 5280, is not unspecified, and is removeFromCRL in a delta CRL alone",
    example: "the entry 1a2b has the reason unspecified, which is encoded by leaving the reason out",
    fix: "sign the CRL again with the reason that the message names",
    profiles: &[LintProfile::Rfc5280],
    check,
};

fn check(target: &CrlTarget) -> Option<String> {
    let entries = &target.entries;
    let mut found = Vec::new();
    if let Some((code, serial)) = &entries.unknown_reason {
        found.push(format!("the entry {serial} has the reason {code}, which does not exist"));
    }
    if let Some(serial) = &entries.unspecified {
        found.push(format!(
            "the entry {serial} has the reason unspecified, which is encoded by leaving the \
             reason out"
        ));
    }
    if let Some(serial) = entries.removed.as_ref().filter(|_| !target.is_delta()) {
        found.push(format!("the entry {serial} has the reason removeFromCRL, which belongs into a delta CRL"));
    }
    (!found.is_empty()).then(|| found.join("; "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::crl::testing::*;

    fn with(code: u8) -> TestCrl {
        TestCrl::new().entries(&[entry(9, &[reason(None, code)])])
    }

    #[test]
    fn reasons_that_do_not_belong_there_are_found() {
        for (code, problem) in [(0, "unspecified"), (7, "the reason 7"), (11, "the reason 11"), (8, "removeFromCRL")] {
            assert!(finding(&RULE, with(code)).unwrap().contains(problem), "{code}");
        }
    }

    #[test]
    fn other_reasons_are_right() {
        for code in [1, 2, 3, 4, 5, 6, 9, 10] {
            assert_eq!(finding(&RULE, with(code)), None, "{code}");
        }
        let delta = with(8).extension(crate::x509::certificate::oid::DELTA_CRL_INDICATOR, Some(0xff), &[2, 1, 4]);
        assert_eq!(finding(&RULE, delta), None);
    }
}
