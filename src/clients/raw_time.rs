//! Dates of a certificate, in whatever form they are written.

use time::{Date, Month, OffsetDateTime, Time, UtcOffset};

use crate::x509::der;

/// A Time of RFC 5280 §4.1.2.5.
#[derive(Debug, Clone, Copy)]
pub struct RawTime<'a> {
    pub tag: u8,
    pub text: &'a [u8],
    instant: Option<OffsetDateTime>,
}

impl<'a> RawTime<'a> {
    pub fn new(tag: u8, text: &'a [u8]) -> Self {
        let written = Self { tag, text, instant: None };
        Self { instant: written.read(), ..written }
    }

    /// Returns the instant; seconds may be missing, a fraction is ignored, an offset is applied. `None` when it is not a date.
    pub fn instant(&self) -> Option<OffsetDateTime> {
        self.instant
    }

    fn read(&self) -> Option<OffsetDateTime> {
        let digits = self.digits();
        let mut pairs = digits.chunks_exact(2).map(|two| (two[0] - b'0') * 10 + two[1] - b'0');
        let mut next = || pairs.next();
        let year = match self.tag {
            der::UTC_TIME => match i32::from(next()?) {
                year @ 0..50 => 2000 + year,
                year => 1900 + year,
            },
            _ => i32::from(next()?) * 100 + i32::from(next()?),
        };
        let date = Date::from_calendar_date(year, Month::try_from(next()?).ok()?, next()?).ok()?;
        let time = Time::from_hms(next()?, next()?, next().unwrap_or_default()).ok()?;
        Some(OffsetDateTime::new_in_offset(date, time, self.offset().unwrap_or(UtcOffset::UTC)))
    }

    /// Returns the digits at the beginning.
    fn digits(&self) -> &[u8] {
        let end = self.text.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(self.text.len());
        &self.text[..end]
    }

    /// Returns the offset from UTC, when there is one.
    pub fn offset(&self) -> Option<UtcOffset> {
        let at = self.text.iter().position(|byte| matches!(byte, b'+' | b'-'))?;
        let (sign, digits) = self.text[at..].split_first()?;
        let two = |at: usize| std::str::from_utf8(digits.get(at..at + 2)?).ok()?.parse::<i8>().ok();
        let (hours, minutes) = (two(0)?, two(2).unwrap_or_default());
        let sign = if *sign == b'-' { -1 } else { 1 };
        UtcOffset::from_hms(sign * hours, sign * minutes, 0).ok()
    }

    pub fn has_fraction(&self) -> bool {
        self.text.iter().any(|byte| matches!(byte, b'.' | b','))
    }

    pub fn has_seconds(&self) -> bool {
        self.digits().len() >= if self.tag == der::UTC_TIME { 12 } else { 14 }
    }
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    #[test]
    fn a_date_is_read_in_every_form_that_a_client_reads() {
        for (tag, text, expected) in [
            (der::UTC_TIME, "261129060000Z", datetime!(2026-11-29 6:00 UTC)),
            (der::UTC_TIME, "500101000000Z", datetime!(1950-01-01 0:00 UTC)),
            (der::UTC_TIME, "2611290600Z", datetime!(2026-11-29 6:00 UTC)),
            (der::UTC_TIME, "261129060000+0130", datetime!(2026-11-29 4:30 UTC)),
            (der::GENERALIZED_TIME, "19490101000000Z", datetime!(1949-01-01 0:00 UTC)),
            (der::GENERALIZED_TIME, "20261129060000.5Z", datetime!(2026-11-29 6:00 UTC)),
            (der::GENERALIZED_TIME, "99991231235959Z", datetime!(9999-12-31 23:59:59 UTC)),
        ] {
            assert_eq!(RawTime::new(tag, text.as_bytes()).instant(), Some(expected), "{text}");
        }
        for text in ["", "Z", "261329060000Z", "2611", "26112906+"] {
            assert_eq!(RawTime::new(der::UTC_TIME, text.as_bytes()).instant(), None, "{text}");
        }
    }
}
