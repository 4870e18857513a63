//! Times in RFC 3339, in UTC and whole seconds.

use time::format_description::well_known::Rfc3339;
use time::macros::{datetime, format_description};
use time::{Date, Duration, OffsetDateTime, UtcOffset};

use super::escape::escape;

/// The earliest time that is read: UTCTime begins in 1950 (RFC 5280 §4.1.2.5.1).
pub const EARLIEST: OffsetDateTime = datetime!(1950-01-01 00:00:00 UTC);

/// Returns the instant without its fraction of a second: certificates have none.
pub fn whole_second(at: OffsetDateTime) -> OffsetDateTime {
    at.to_offset(UtcOffset::UTC).replace_nanosecond(0).unwrap_or(at)
}

/// Returns RFC 3339 in UTC with whole seconds, `2026-03-01T09:12:00Z`: the form of every time that is shown.
pub fn rfc3339(at: OffsetDateTime) -> String {
    let at = at.to_offset(UtcOffset::UTC);
    let (year, month, day) = at.to_calendar_date();
    let (hour, minute, second) = at.to_hms();
    let (Ok(century), Ok(of_century)) = (u8::try_from(year / 100), u8::try_from(year % 100)) else {
        // Before the year 0.
        return format!("{year:04}-{:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z", u8::from(month));
    };
    // Lists of millions have several for each row: two digits at a time take a tenth of the time that formatting takes.
    let mut text = String::with_capacity(20);
    let mut push = |number: u8, after: &str| {
        text.extend([number / 10, number % 10].map(|digit| char::from(b'0' + digit)));
        text.push_str(after);
    };
    push(century, "");
    push(of_century, "-");
    push(month.into(), "-");
    push(day, "T");
    push(hour, ":");
    push(minute, ":");
    push(second, "Z");
    text
}

/// The text is not a time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{}' is not a time: expected a date or RFC 3339 between 1950 and 9999, for example 2027-03-01T09:00:00Z", escape(.0))]
pub struct TimeError(pub String);

/// Parses an RFC 3339 time; a fraction of a second is ignored. A date alone is its first second in UTC.
pub fn parse_time(given: &str) -> Result<OffsetDateTime, TimeError> {
    let midnight = |date: Date| date.midnight().assume_utc();
    let at = OffsetDateTime::parse(given, &Rfc3339)
        .or_else(|error| {
            Date::parse(given, format_description!("[year]-[month]-[day]")).map(midnight).map_err(|_| error)
        })
        .ok()
        .and_then(|at| at.checked_to_offset(UtcOffset::UTC))
        .ok_or_else(|| TimeError(given.to_owned()))?;
    // The other limit is that of the `time` library, whose years have four digits.
    if at < EARLIEST {
        return Err(TimeError(given.to_owned()));
    }
    Ok(whole_second(at))
}

/// Returns where a time is, seen from another: `in 90 days`, `3 hours ago`.
pub fn how_far(at: OffsetDateTime, now: OffsetDateTime) -> String {
    match at - now {
        until if until.is_positive() => format!("in {}", humanize(until)),
        since => format!("{} ago", humanize(since)),
    }
}

/// Returns a duration in its two largest units: `89 days`, `3 hours 5 minutes`, `1 second`.
pub fn humanize(length: Duration) -> String {
    const MINUTE: u64 = 60;
    const HOUR: u64 = 60 * MINUTE;
    const DAY: u64 = 24 * HOUR;
    // Rounded to the unit that is shown last: a certificate for 90 days that was made a second ago is valid for 90 days.
    let seconds = length.whole_seconds().unsigned_abs();
    let seconds = match seconds {
        0..MINUTE => seconds,
        MINUTE..DAY => (seconds + MINUTE / 2) / MINUTE * MINUTE,
        _ => (seconds + HOUR / 2) / HOUR * HOUR,
    };
    let seconds = if seconds < 3 * DAY { seconds } else { (seconds + DAY / 2) / DAY * DAY };
    let (days, hours, minutes) = (seconds / DAY, seconds / HOUR % 24, seconds / MINUTE % 60);
    let count = |number: u64, unit: &str| format!("{number} {unit}{}", if number == 1 { "" } else { "s" });
    match (days, hours, minutes) {
        (0, 0, 0) => count(seconds, "second"),
        (0, 0, _) => count(minutes, "minute"),
        (0, _, 0) => count(hours, "hour"),
        (0, _, _) => format!("{} {}", count(hours, "hour"), count(minutes, "minute")),
        (1..=2, 1.., _) => format!("{} {}", count(days, "day"), count(hours, "hour")),
        (0..=729, _, _) => count(days, "day"),
        _ => format!("{} years", (days + 182) / 365),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_outside_what_a_certificate_can_say_are_refused() {
        for given in [
            "1949-12-31T23:59:59Z",
            "10000-01-01T00:00:00Z",
            "2027-3-1",
            "1949-12-31",
            "2027-02-29",
            "tomorrow",
            "9999-12-31T23:59:59-01:00",
        ] {
            assert!(parse_time(given).is_err(), "{given}");
        }
        assert_eq!(parse_time("2027-03-01T10:00:00.5+01:00").unwrap(), datetime!(2027-03-01 9:00 UTC));
        assert_eq!(parse_time("2027-03-01").unwrap(), datetime!(2027-03-01 0:00 UTC));
    }

    #[test]
    fn durations_are_shown_in_the_units_that_matter() {
        for (seconds, message) in [
            (1, "1 second"),
            (300, "5 minutes"),
            (11_100, "3 hours 5 minutes"),
            (90_000, "1 day 1 hour"),
            (7_775_999, "90 days"),
            (7_689_600, "89 days"),
            (86_399, "1 day"),
            (29, "29 seconds"),
            (3_599, "1 hour"),
            (315_356_399, "10 years"),
            (3 * 31_536_000 - 7_200, "3 years"),
        ] {
            assert_eq!(humanize(Duration::seconds(seconds)), message);
        }
    }

    proptest::proptest! {
        #[test]
        fn each_number_of_a_time_has_its_place_and_its_zeros(second in -377_705_116_800_i64..=253_402_300_799) {
            let at = OffsetDateTime::from_unix_timestamp(second).unwrap();
            let (year, month, day) = (at.year(), u8::from(at.month()), at.day());
            let (hour, minute, second) = at.to_hms();
            let expected = format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z");
            proptest::prop_assert_eq!(rfc3339(at), expected);
        }
    }

    proptest::proptest! {
        /// A few seconds pass between the decision about a lifetime and the report of it.
        #[test]
        fn a_lifetime_is_shown_as_it_was_given(days in 3_u64..700, hours in 2_u64..24, minutes in 2_u64..60, passed in 0_u64..20) {
            let shown = |seconds: u64| humanize(Duration::seconds((seconds - passed) as i64));
            proptest::prop_assert_eq!(shown(days * 86_400), format!("{days} days"));
            proptest::prop_assert_eq!(shown(hours * 3_600), format!("{hours} hours"));
            proptest::prop_assert_eq!(shown(minutes * 60), format!("{minutes} minutes"));
        }

        #[test]
        fn a_time_that_is_accepted_reads_the_same_again(given in "\\PC{0,25}|[0-9]{4,5}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(Z|[+-][0-9]{2}:[0-9]{2})") {
            if let Ok(at) = parse_time(&given) {
                proptest::prop_assert_eq!(parse_time(&rfc3339(at)), Ok(at));
                proptest::prop_assert!((1950..=9999).contains(&at.year()));
            }
        }
    }
}
