//! RFC 5280 §6.1.3 (a)(2): every certificate of the path is valid at the time of verification. This program requires it
//! of the anchor too, which §6.1 does not.

use crate::text::{humanize, rfc3339};
use crate::verify::candidate::Candidate;
use crate::verify::code::{Code, Rank};
use crate::verify::input::VerifyOptions;
use crate::verify::verdict::{Problem, Role};

pub const EXPIRED: Code = Code {
    code: "expired",
    rank: Rank::Expired,
    citation: "RFC 5280 §4.1.2.5, §6.1.3 (a)(2)",
    requirement: "A certificate is used until its notAfter",
    example: "the leaf expired at 2026-03-31T23:59:59Z, 1 day before 2026-04-02T00:00:00Z",
    fix: "renew the certificate (ca renew NAME)",
};

pub const NOT_YET_VALID: Code = Code {
    code: "not-yet-valid",
    rank: Rank::NotYetValid,
    citation: "RFC 5280 §4.1.2.5, §6.1.3 (a)(2)",
    requirement: "A certificate is used from its notBefore on",
    example: "the leaf is valid from 2027-01-01T00:00:00Z, 334 days after 2026-02-01T00:00:00Z",
    fix: "wait, or check the clocks of this machine and of the CA",
};

/// Adds the problem of one certificate's dates.
pub fn check(candidate: &Candidate, role: Role, options: &VerifyOptions, problems: &mut Vec<Problem>) {
    let validity = &candidate.certificate.validity;
    let at = options.at;
    if validity.contains(at) {
        return;
    }
    if at < validity.not_before {
        problems.push(Problem::error(
            &NOT_YET_VALID,
            candidate,
            format!(
                "the {role} is valid from {}, {} after {}",
                rfc3339(validity.not_before),
                humanize(validity.not_before - at),
                rfc3339(at)
            ),
        ));
    } else {
        let hint = match role {
            Role::Leaf if !candidate.certificate.is_ca() => EXPIRED.fix,
            Role::Leaf | Role::Intermediate => "put the current certificate of this CA into the chain file",
            Role::Root => "trust the successor of this root, and issue the chain again below it",
        };
        let message = format!(
            "the {role} expired at {}, {} before {}",
            rfc3339(validity.not_after),
            humanize(at - validity.not_after),
            rfc3339(at)
        );
        problems.push(Problem::error(&EXPIRED, candidate, message).hint(hint));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verify::tests::{TestPki, server};
    use time::macros::datetime;

    #[test]
    fn too_late_and_too_early_are_found() {
        assert_eq!(TestPki::new().case(server()).at(datetime!(2026-04-01 0:00 UTC)).errors(), [EXPIRED.code]);
        assert_eq!(TestPki::new().case(server()).at(datetime!(2025-12-31 23:59:59 UTC)).errors(), [NOT_YET_VALID.code]);
        // The intermediate and the root too.
        let codes = TestPki::new().case(server()).at(datetime!(2036-01-01 0:00 UTC)).errors();
        assert_eq!(codes, [EXPIRED.code; 3]);
    }

    #[test]
    fn the_first_and_the_last_second_are_right() {
        for at in [datetime!(2026-01-01 0:00 UTC), datetime!(2026-03-31 23:59:59 UTC)] {
            assert_eq!(TestPki::new().case(server()).at(at).errors(), [""; 0], "{at}");
        }
    }
}
