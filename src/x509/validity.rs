//! The time in which a certificate is valid (RFC 5280 §4.1.2.5), and times as people read and write them.

use time::format_description::well_known::Rfc3339;
use time::macros::datetime;
use time::{Duration, OffsetDateTime, UtcOffset};

use super::der;
use super::text;

/// From the first second to the last, both included; whole seconds in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Validity {
    pub not_before: OffsetDateTime,
    pub not_after: OffsetDateTime,
}

impl Validity {
    /// The earliest date that is written: UTCTime begins in 1950 (RFC 5280 §4.1.2.5.1).
    pub const EARLIEST: OffsetDateTime = datetime!(1950-01-01 00:00:00 UTC);
    /// The latest: GeneralizedTime ends with 9999, which also stands for "no known end" (RFC 5280 §4.1.2.5).
    pub const LATEST: OffsetDateTime = datetime!(9999-12-31 23:59:59 UTC);

    /// Whether `at` lies within, the first and the last second included.
    pub fn contains(&self, at: OffsetDateTime) -> bool {
        self.not_before <= at && at <= self.end()
    }

    /// The whole length: the last second counts (RFC 5280 §4.1.2.5; a common mistake is one second too many).
    pub fn length(&self) -> Duration {
        self.not_after - self.not_before + Duration::SECOND
    }

    /// The last instant that still belongs to the last second.
    fn end(&self) -> OffsetDateTime {
        self.not_after.saturating_add(Duration::nanoseconds(999_999_999))
    }

    /// `Validity ::= SEQUENCE { notBefore Time, notAfter Time }`, each as UTCTime through 2049 and as GeneralizedTime after.
    pub fn to_der(&self) -> Vec<u8> {
        der::sequence(&[&time_to_der(self.not_before), &time_to_der(self.not_after)])
    }
}

/// `Time` of RFC 5280 §4.1.2.5: UTCTime until 2049, GeneralizedTime from 2050 on, always with seconds and `Z`.
pub fn time_to_der(at: OffsetDateTime) -> Vec<u8> {
    let at = at.to_offset(UtcOffset::UTC);
    match at.year() {
        1950..=2049 => der::value(der::UTC_TIME, &to_the_second(&at, false)),
        _ => generalized_time_to_der(at),
    }
}

/// GeneralizedTime whatever the year, with seconds and `Z` (RFC 5280 §4.1.2.5.2).
pub fn generalized_time_to_der(at: OffsetDateTime) -> Vec<u8> {
    der::value(der::GENERALIZED_TIME, &to_the_second(&at.to_offset(UtcOffset::UTC), true))
}

/// By hand rather than by `format!`: a revocation list has a hundred thousand of them.
fn to_the_second(at: &OffsetDateTime, century: bool) -> Vec<u8> {
    let year = at.year().unsigned_abs();
    let fields = [year / 100, year % 100].map(|two_digits| two_digits as u8);
    let rest = [u8::from(at.month()), at.day(), at.hour(), at.minute(), at.second()];
    let pairs = fields[usize::from(!century)..].iter().chain(&rest).flat_map(|two| [b'0' + two / 10, b'0' + two % 10]);
    pairs.chain([b'Z']).collect()
}

/// The instant without its fraction of a second: certificates have none.
pub fn whole_second(at: OffsetDateTime) -> OffsetDateTime {
    at.to_offset(UtcOffset::UTC).replace_nanosecond(0).unwrap_or(at)
}

/// RFC 3339 in UTC with whole seconds, `2026-03-01T09:12:00Z`: the form of every time that is shown.
pub fn rfc3339(at: OffsetDateTime) -> String {
    let at = at.to_offset(UtcOffset::UTC);
    format!(
        "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z",
        at.year(),
        u8::from(at.month()),
        at.day(),
        at.hour(),
        at.minute(),
        at.second()
    )
}

/// What was given is not a time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{}' is not a time: expected RFC 3339 between 1950 and 9999, for example 2027-03-01T09:00:00Z", text::escape(.0))]
pub struct TimeError(pub String);

/// Reads an RFC 3339 time; a fraction of a second is dropped.
pub fn parse_time(given: &str) -> Result<OffsetDateTime, TimeError> {
    let at = OffsetDateTime::parse(given, &Rfc3339)
        .ok()
        .and_then(|at| at.checked_to_offset(UtcOffset::UTC))
        .ok_or_else(|| TimeError(given.to_owned()))?;
    // The other end is that of the calendar library, whose years have four digits.
    if at < Validity::EARLIEST {
        return Err(TimeError(given.to_owned()));
    }
    Ok(whole_second(at))
}

/// A distance in time in the two largest units that say something: `89 days`, `3 hours 5 minutes`, `1 second`.
pub fn distance(length: Duration) -> String {
    let seconds = length.whole_seconds().unsigned_abs();
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60);
    let count = |number: u64, unit: &str| format!("{number} {unit}{}", if number == 1 { "" } else { "s" });
    match (days, hours, minutes) {
        (0, 0, 0) => count(seconds, "second"),
        (0, 0, _) => count(minutes, "minute"),
        (0, _, 0) => count(hours, "hour"),
        (0, _, _) => format!("{} {}", count(hours, "hour"), count(minutes, "minute")),
        (1..=2, 1.., _) => format!("{} {}", count(days, "day"), count(hours, "hour")),
        (0..=729, _, _) => count(days, "day"),
        // To the nearest: a root that was made a minute ago has ten years left, not nine.
        _ => format!("{} years", (days + 182) / 365),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_and_the_last_second_count() {
        let validity =
            Validity { not_before: datetime!(2026-01-01 0:00 UTC), not_after: datetime!(2026-01-01 0:00:59 UTC) };
        assert_eq!(validity.length(), Duration::MINUTE);
        assert!(validity.contains(validity.not_before));
        assert!(validity.contains(datetime!(2026-01-01 0:00:59.9 UTC)));
        assert!(!validity.contains(datetime!(2026-01-01 0:01 UTC)));
        assert!(!validity.contains(datetime!(2025-12-31 23:59:59 UTC)));
    }

    #[test]
    fn dates_change_their_encoding_with_2050() {
        assert_eq!(time_to_der(datetime!(2049-12-31 23:59:59 UTC)), b"\x17\x0d491231235959Z");
        assert_eq!(time_to_der(datetime!(2050-01-01 0:00 UTC)), b"\x18\x0f20500101000000Z");
        assert_eq!(time_to_der(datetime!(2050-01-01 0:30 +1)), b"\x17\x0d491231233000Z");
        assert_eq!(time_to_der(Validity::LATEST), b"\x18\x0f99991231235959Z");
    }

    #[test]
    fn times_outside_what_a_certificate_can_say_are_refused() {
        for given in
            ["1949-12-31T23:59:59Z", "10000-01-01T00:00:00Z", "2027-03-01", "tomorrow", "9999-12-31T23:59:59-01:00"]
        {
            assert!(parse_time(given).is_err(), "{given}");
        }
        assert_eq!(parse_time("2027-03-01T10:00:00.5+01:00").unwrap(), datetime!(2027-03-01 9:00 UTC));
    }

    #[test]
    fn distances_are_told_in_the_units_that_matter() {
        for (seconds, told) in [
            (1, "1 second"),
            (300, "5 minutes"),
            (11_100, "3 hours 5 minutes"),
            (90_000, "1 day 1 hour"),
            (7_775_999, "89 days"),
            (315_356_399, "10 years"),
            (3 * 31_536_000 - 7_200, "3 years"),
        ] {
            assert_eq!(distance(Duration::seconds(seconds)), told);
        }
    }

    proptest::proptest! {
        #[test]
        fn a_time_that_is_accepted_reads_the_same_again(given in "\\PC{0,25}|[0-9]{4,5}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(Z|[+-][0-9]{2}:[0-9]{2})") {
            if let Ok(at) = parse_time(&given) {
                proptest::prop_assert_eq!(parse_time(&rfc3339(at)), Ok(at));
                proptest::prop_assert!((1950..=9999).contains(&at.year()));
            }
        }
    }
}
