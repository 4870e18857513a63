//! A certificate does not expire after its issuer: no chain is valid without the issuer.

use crate::lint::rule::Rule;
use crate::lint::severity::Severity;
use crate::lint::target::LintTarget;
use crate::text::rfc3339;

pub const RULE: Rule = Rule {
    code: "outlives-issuer",
    severity: Severity::Error,
    citation: "RFC 5280 §6.1.3 (a)(2); RFC 4158 §3.5.4",
    requirement: "A certificate is valid only within the lifetime of its CA",
    example: "it expires at 2035-01-01T00:00:01Z, after its CA at 2035-01-01T00:00:00Z",
    fix: "shorten the certificate, or renew the CA first",
    profiles: &[],
    check,
};

fn check(target: &LintTarget<'_>) -> Option<String> {
    let (own, issuers) = (&target.certificate.validity, &target.issuer?.validity);
    if own.not_after > issuers.not_after {
        Some(format!("it expires at {}, after its CA at {}", rfc3339(own.not_after), rfc3339(issuers.not_after)))
    } else if own.not_before < issuers.not_before {
        Some(format!("it is valid from {}, before its CA at {}", rfc3339(own.not_before), rfc3339(issuers.not_before)))
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::testing::*;
    use time::macros::datetime;

    #[test]
    fn a_certificate_that_leaves_the_life_of_its_ca_is_found() {
        let (begin, end) = (datetime!(2026-01-01 0:00 UTC), datetime!(2026-02-01 0:00 UTC));
        assert!(finding(&RULE, TestCert::ca("A").validity(begin, datetime!(2035-01-01 0:00:01 UTC))).is_some());
        assert!(finding(&RULE, TestCert::ca("A").validity(datetime!(2024-12-31 23:59:59 UTC), end)).is_some());
    }

    #[test]
    fn a_certificate_within_the_life_of_its_ca_is_right() {
        assert_eq!(finding(&RULE, TestCert::ca("A")), None);
        assert_eq!(finding(&RULE, TestCert::server("a.test")), None);
    }
}
