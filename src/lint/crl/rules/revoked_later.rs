//! A CRL names what was revoked until it was signed.

use crate::lint::crl::CrlTarget;
use crate::lint::profile::LintProfile;
use crate::lint::rule::{CrlCheck, Rule};
use crate::lint::severity::Severity;
use crate::text::rfc3339;

pub const RULE: Rule<CrlCheck> = Rule {
    code: "crl-revocation-in-future",
    severity: Severity::Warning,
    citation: "RFC 5280 §5.1.2.4, §5.1.2.6",
    requirement: "No certificate of a CRL is revoked more than an hour later than thisUpdate",
    example: "the entry 1a2b was revoked at 2026-03-01T00:00:00Z, after thisUpdate, 2026-02-01T00:00:00Z",
    fix: "check the clock of the CA, and sign the CRL again",
    profiles: &[LintProfile::Rfc5280],
    check,
};

/// CAs date thisUpdate back, for clients whose clocks are slow.
const BACKDATED: time::Duration = time::Duration::hours(1);

fn check(target: &CrlTarget) -> Option<String> {
    let (at, serial) = target.entries.latest.as_ref()?;
    let signed = target.crl.this_update;
    (*at > signed + BACKDATED)
        .then(|| format!("the entry {serial} was revoked at {}, after thisUpdate, {}", rfc3339(*at), rfc3339(signed)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::crl::testing::*;

    #[test]
    fn a_revocation_after_the_crl_is_found() {
        let entries = [entry(8, &[]), entry_at(9, b"\x17\x0d260202000000Z", &[]), entry(10, &[])];
        assert!(finding(&RULE, TestCrl::new().entries(&entries)).unwrap().starts_with("the entry 09"));
    }

    #[test]
    fn an_earlier_one_is_right() {
        assert_eq!(finding(&RULE, TestCrl::new().entries(&[entry(9, &[])])), None);
        let backdated = [entry_at(9, b"\x17\x0d260201010000Z", &[])];
        assert_eq!(finding(&RULE, TestCrl::new().entries(&backdated)), None);
        assert_eq!(finding(&RULE, TestCrl::new()), None);
    }
}
