//! A CRL says when the next one comes: without it, software does not know when it is old.

use crate::lint::crl::CrlTarget;
use crate::lint::profile::LintProfile;
use crate::lint::rule::{CrlCheck, Rule};
use crate::lint::severity::Severity;
use crate::text::rfc3339;

pub const RULE: Rule<CrlCheck> = Rule {
    code: "crl-without-next-update",
    severity: Severity::Error,
    citation: "RFC 5280 §5.1.2.5",
    requirement: "A CRL has a nextUpdate, which is later than thisUpdate",
    example: "the CRL has no nextUpdate",
    fix: "sign the CRL again with a lifetime: ca crl --for 30d, or default_crl_days in the configuration of openssl-ca",
    profiles: &[LintProfile::Rfc5280],
    check,
};

fn check(target: &CrlTarget) -> Option<String> {
    let Some(next) = target.crl.next_update else { return Some("the CRL has no nextUpdate".to_owned()) };
    (next <= target.crl.this_update).then(|| {
        format!("nextUpdate is {}, expected later than thisUpdate, {}", rfc3339(next), rfc3339(target.crl.this_update))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::crl::testing::*;

    #[test]
    fn no_next_update_and_one_in_the_past_are_found() {
        let crl = TestCrl { next_update: Vec::new(), ..TestCrl::new() };
        assert!(finding(&RULE, crl).unwrap().contains("no nextUpdate"));
        let crl = TestCrl { next_update: b"\x17\x0d260101000000Z".to_vec(), ..TestCrl::new() };
        assert!(finding(&RULE, crl).unwrap().contains("later than thisUpdate"));
    }

    #[test]
    fn a_later_next_update_is_right() {
        assert_eq!(finding(&RULE, TestCrl::new()), None);
    }
}
