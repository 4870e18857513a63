//! notBefore is not after notAfter: otherwise the certificate is never valid.

use crate::lint::profile::LintProfile;
use crate::lint::rule::Rule;
use crate::lint::severity::Severity;
use crate::lint::target::LintTarget;
use crate::text::rfc3339;

pub const RULE: Rule = Rule {
    code: "validity-reversed",
    severity: Severity::Error,
    citation: "RFC 5280 §4.1.2.5",
    requirement: "notBefore comes before notAfter",
    example: "it is valid from 2026-02-01T00:00:00Z, after it expires at 2026-01-01T00:00:00Z",
    fix: "issue the certificate again with the dates in order",
    profiles: &[LintProfile::Rfc5280, LintProfile::Strict, LintProfile::Apple, LintProfile::Rustls],
    check,
};

fn check(target: &LintTarget<'_>) -> Option<String> {
    let validity = &target.certificate.validity;
    (validity.not_before > validity.not_after).then(|| {
        format!(
            "it is valid from {}, after it expires at {}",
            rfc3339(validity.not_before),
            rfc3339(validity.not_after)
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::testing::*;
    use time::macros::datetime;

    #[test]
    fn dates_in_the_wrong_order_are_found() {
        let cert = TestCert::server("a.test").validity(datetime!(2026-02-01 0:00 UTC), datetime!(2026-01-01 0:00 UTC));
        assert!(finding(&RULE, cert).unwrap().contains("2026-02-01T00:00:00Z, after it expires"));
    }

    #[test]
    fn dates_in_order_are_right() {
        assert_eq!(finding(&RULE, TestCert::server("a.test")), None);
    }
}
