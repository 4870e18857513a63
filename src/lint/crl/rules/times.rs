//! The dates of a CRL are UTCTime through 2049, GeneralizedTime from 2050 on.

use crate::lint::crl::CrlTarget;
use crate::lint::crl::entries::is_written_as_required;
use crate::lint::profile::LintProfile;
use crate::lint::rule::{CrlCheck, Rule};
use crate::lint::severity::Severity;
use crate::x509::der;

pub const RULE: Rule<CrlCheck> = Rule {
    code: "crl-time-encoding",
    severity: Severity::Error,
    citation: "RFC 5280 §5.1.2.4, §5.1.2.5, §5.1.2.6",
    requirement: "Dates of a CRL are written as UTCTime through 2049 and as GeneralizedTime after, with seconds and Z",
    example: "thisUpdate is not written as a UTCTime with seconds and Z",
    fix: "sign the CRL again with a tool that writes dates as RFC 5280 requires",
    profiles: &[LintProfile::Rfc5280],
    check,
};

fn check(target: &CrlTarget) -> Option<String> {
    let times = target.fields().times;
    let is_wrong =
        |time: &&[u8]| der::split_first(time).is_none_or(|(tag, text, _)| !is_written_as_required(tag, text));
    const EXPECTED: &str = "is not written as a UTCTime through 2049 or a GeneralizedTime after, with seconds and Z";
    let named = ["thisUpdate", "nextUpdate"].into_iter().zip(&times).find(|(_, time)| is_wrong(time));
    let entry = || {
        let serial = target.entries.wrong_time.as_ref()?;
        Some(format!("the date of the entry {serial} {EXPECTED}"))
    };
    named.map(|(name, _)| format!("{name} {EXPECTED}")).or_else(entry)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::crl::testing::*;

    #[test]
    fn another_form_of_a_date_is_found() {
        let early = TestCrl { this_update: b"\x18\x0f20260201000000Z".to_vec(), ..TestCrl::new() };
        assert!(finding(&RULE, early).unwrap().starts_with("thisUpdate"));
        let entry = entry_at(9, b"\x18\x0f20260101000000Z", &[]);
        assert!(finding(&RULE, TestCrl::new().entries(&[entry])).unwrap().starts_with("the date of the entry 09"));
    }

    #[test]
    fn the_forms_of_rfc_5280_are_right() {
        let late = TestCrl { next_update: b"\x18\x0f20500101000000Z".to_vec(), ..TestCrl::new() };
        assert_eq!(finding(&RULE, late.entries(&[entry(9, &[])])), None);
    }
}
