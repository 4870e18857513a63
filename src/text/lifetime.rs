//! Durations in options and templates: `45s 30m 12h 90d 2w 1y`, or `90 days`.

use std::fmt;
use std::str::FromStr;

use serde::Deserialize;

use super::escape::escape;
use super::time::parse_time;

/// A duration in whole seconds, greater than zero. A year has 365 days, as in every CA tool.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
pub struct Lifetime(u64);

/// A unit of time.
struct Unit {
    letter: char,
    seconds: u64,
    /// What is read besides the letter.
    words: &'static [&'static str],
}

/// Every unit, the largest first.
const UNITS: [Unit; 6] = [
    Unit { letter: 'y', seconds: 365 * 86_400, words: &["yr", "year", "years"] },
    Unit { letter: 'w', seconds: 7 * 86_400, words: &["week", "weeks"] },
    Unit { letter: 'd', seconds: 86_400, words: &["day", "days"] },
    Unit { letter: 'h', seconds: 3_600, words: &["hr", "hour", "hours"] },
    Unit { letter: 'm', seconds: 60, words: &["min", "minute", "minutes"] },
    Unit { letter: 's', seconds: 1, words: &["sec", "second", "seconds"] },
];

/// Words for a month, which has no fixed length.
const MONTH: [&str; 5] = ["M", "mo", "mon", "month", "months"];

impl Unit {
    /// Returns the unit of a word in any case. `M` is not a minute, because it can also be a month.
    fn of(word: &str) -> Option<&'static Self> {
        let lower = word.to_ascii_lowercase();
        UNITS.iter().find(|unit| {
            let is_letter = lower.len() == 1 && lower.starts_with(unit.letter) && word != "M";
            is_letter || unit.words.contains(&lower.as_str())
        })
    }
}

impl Lifetime {
    /// A longer duration is taken for a typing error: the dates of a certificate end with the year 9999 (RFC 5280
    /// §4.1.2.5).
    pub const MOST: Self = Self::from_days(1000 * 365);

    /// Returns a duration of so many days.
    pub const fn from_days(days: u64) -> Self {
        Self(days * 86_400)
    }

    /// Returns a duration of so many seconds; `None` for zero and for more than [`Lifetime::MOST`].
    pub fn from_seconds(seconds: u64) -> Option<Self> {
        (1..=Self::MOST.0).contains(&seconds).then_some(Self(seconds))
    }

    /// Returns the length in seconds.
    pub const fn as_seconds(self) -> u64 {
        self.0
    }

    /// Returns the length as a [`Duration`](time::Duration).
    pub fn as_duration(self) -> time::Duration {
        time::Duration::seconds(self.0 as i64)
    }
}

/// The largest unit without a remainder: `90d`, `1y`, `36h`. Weeks can be read, and are shown as days.
impl fmt::Display for Lifetime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = UNITS.iter().find(|unit| unit.letter != 'w' && self.0.is_multiple_of(unit.seconds));
        let (letter, seconds) = unit.map_or(('s', 1), |unit| (unit.letter, unit.seconds));
        write!(f, "{}{letter}", self.0 / seconds)
    }
}

/// Why a text is not a duration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LifetimeError {
    #[error("'{}' is not a duration: expected a number and one of s, m, h, d, w, y, for example 90d", escape(.0))]
    Unreadable(String),
    #[error("'{}' is not a duration: a month has no fixed length; give days, for example 30d", escape(.0))]
    Months(String),
    #[error("'{}' is a date, not a duration such as 90d; '--not-after' takes a date", escape(.0))]
    Date(String),
    #[error("'{}' is not a duration: it must be greater than zero", escape(.0))]
    NotPositive(String),
    #[error("'{}' is more than {}", escape(.0), Lifetime::MOST)]
    TooLong(String),
}

impl FromStr for Lifetime {
    type Err = LifetimeError;

    fn from_str(given: &str) -> Result<Self, Self::Err> {
        let unreadable = || LifetimeError::Unreadable(given.to_owned());
        if given.starts_with('-') {
            return Err(LifetimeError::NotPositive(given.to_owned()));
        }
        if parse_time(given).is_ok() {
            return Err(LifetimeError::Date(given.to_owned()));
        }
        let (digits, word) = given.split_at(given.bytes().take_while(u8::is_ascii_digit).count());
        let word = word.strip_prefix(' ').unwrap_or(word);
        if digits.is_empty() {
            return Err(unreadable());
        }
        if word == MONTH[0] || MONTH.contains(&word.to_ascii_lowercase().as_str()) {
            return Err(LifetimeError::Months(given.to_owned()));
        }
        let seconds = Unit::of(word).ok_or_else(unreadable)?.seconds;
        let too_long = || LifetimeError::TooLong(given.to_owned());
        let count: u64 = digits.parse().map_err(|_| too_long())?;
        if count == 0 {
            return Err(LifetimeError::NotPositive(given.to_owned()));
        }
        count.checked_mul(seconds).and_then(Self::from_seconds).ok_or_else(too_long)
    }
}

impl TryFrom<String> for Lifetime {
    type Error = LifetimeError;

    fn try_from(given: String) -> Result<Self, Self::Error> {
        given.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_unit_is_read_and_a_year_is_365_days() {
        for (given, seconds) in
            [("45s", 45), ("30m", 1_800), ("12h", 43_200), ("90d", 7_776_000), ("2w", 1_209_600), ("1y", 31_536_000)]
        {
            assert_eq!(given.parse::<Lifetime>().unwrap().as_seconds(), seconds, "{given}");
        }
    }

    #[test]
    fn words_and_capital_letters_are_units_too_but_a_month_is_not() {
        let seconds = |given: &str| given.parse::<Lifetime>().map(Lifetime::as_seconds);
        for (given, day) in [("90 days", 90), ("90 d", 90), ("30D", 30), ("1 day", 1), ("2 Weeks", 14), ("1year", 365)]
        {
            assert_eq!(seconds(given), Ok(day * 86_400), "{given}");
        }
        for (given, short) in [("90min", 5_400), ("1 hour", 3_600), ("5 sec", 5), ("12H", 43_200)] {
            assert_eq!(seconds(given), Ok(short), "{given}");
        }
        for given in ["6months", "6 Months", "1mo", "3M"] {
            assert_eq!(seconds(given), Err(LifetimeError::Months(given.to_owned())));
        }
        for given in ["2027-06-01", "2027-06-01T00:00:00Z"] {
            assert_eq!(seconds(given), Err(LifetimeError::Date(given.to_owned())));
        }
    }

    #[test]
    fn zero_negative_absurd_and_unitless_durations_are_refused() {
        for given in [
            "",
            "d",
            "90",
            "0d",
            "-1d",
            "1.5d",
            "1d2h",
            "90  d",
            "90 d ",
            "+1d",
            "99999999999999999999y",
            "1001y",
            "1µ",
            "٣d",
        ] {
            assert!(given.parse::<Lifetime>().is_err(), "{given}");
        }
    }

    #[test]
    fn a_refusal_says_what_is_wrong_with_the_duration() {
        let refused = |given: &str| given.parse::<Lifetime>().unwrap_err();
        for given in ["", "d", "90", "1.5d", "90  d", "+1d", "٣d", "99999999999999999999"] {
            assert_eq!(refused(given), LifetimeError::Unreadable(given.to_owned()));
        }
        for given in ["0d", "-1d", "-", "00s"] {
            assert_eq!(refused(given), LifetimeError::NotPositive(given.to_owned()));
        }
        for given in ["1001y", "99999999999999999999y", "18446744073709551615y"] {
            assert_eq!(refused(given), LifetimeError::TooLong(given.to_owned()));
        }
    }

    #[test]
    fn a_duration_is_shown_in_its_largest_whole_unit() {
        for (given, shown) in [("365d", "1y"), ("36h", "36h"), ("2w", "14d"), ("90d", "90d"), ("3600s", "1h")] {
            assert_eq!(given.parse::<Lifetime>().unwrap().to_string(), shown);
        }
    }

    proptest::proptest! {
        #[test]
        fn a_duration_that_is_accepted_reads_the_same_again(given in "\\PC{0,12}|[0-9]{1,22}[smhdwy]") {
            if let Ok(lifetime) = given.parse::<Lifetime>() {
                proptest::prop_assert_eq!(lifetime.to_string().parse::<Lifetime>(), Ok(lifetime));
            }
        }
    }
}
