//! Apple's platforms refuse long-lived server certificates, also those of private CAs.

use crate::lint::profile::LintProfile;
use crate::lint::rule::Rule;
use crate::lint::severity::Severity;
use crate::lint::target::LintTarget;
use crate::text::humanize;

pub const RULE: Rule = Rule {
    code: "apple-lifetime",
    severity: Severity::Error,
    citation: "Apple HT210176",
    requirement: "A server certificate is valid for at most 825 days",
    example: "it is valid for 2 years, expected at most 825 days",
    fix: "issue the certificate again for 825 days or less",
    profiles: &[LintProfile::Apple],
    check,
};

/// The rule applies to certificates that are valid from 2019-07-01 or later.
const SINCE: time::OffsetDateTime = time::macros::datetime!(2019-07-01 0:00 UTC);
const MOST: time::Duration = time::Duration::days(825);

fn check(target: &LintTarget<'_>) -> Option<String> {
    let validity = &target.certificate.validity;
    (target.is_server() && !target.is_ca() && validity.not_before >= SINCE && validity.length() > MOST)
        .then(|| format!("it is valid for {}, expected at most 825 days", humanize(validity.length())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::testing::*;
    use time::macros::datetime;

    #[test]
    fn more_than_825_days_are_too_long() {
        let begin = datetime!(2026-01-01 0:00 UTC);
        let long = TestCert::server("a.test").validity(begin, begin + MOST);
        assert!(finding(&RULE, long).is_some());
    }

    #[test]
    fn just_825_days_are_right() {
        let begin = datetime!(2026-01-01 0:00 UTC);
        assert_eq!(
            finding(&RULE, TestCert::server("a.test").validity(begin, begin + MOST - time::Duration::SECOND)),
            None
        );
        assert_eq!(finding(&RULE, TestCert::client("alice").validity(begin, begin + MOST * 2)), None);
    }

    #[test]
    fn cas_and_what_began_before_the_rule_may_live_longer() {
        let begin = datetime!(2026-01-01 0:00 UTC);
        let ca = TestCert::ca("A").purposes(&[crate::x509::ExtendedKeyUsage::ServerAuth]);
        assert_eq!(finding(&RULE, ca.validity(begin, begin + MOST * 2)), None);
        let old = SINCE - time::Duration::SECOND;
        assert_eq!(finding(&RULE, TestCert::server("a.test").validity(old, old + MOST * 2)), None);
        assert!(finding(&RULE, TestCert::server("a.test").validity(SINCE, SINCE + MOST)).is_some());
    }
}
