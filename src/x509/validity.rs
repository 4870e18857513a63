//! The validity of a certificate (RFC 5280 §4.1.2.5), and its DER.

use time::macros::datetime;
use time::{Duration, OffsetDateTime, UtcOffset};

use super::der;

/// The first and the last second in which a certificate is valid, in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Validity {
    pub not_before: OffsetDateTime,
    pub not_after: OffsetDateTime,
}

impl Validity {
    /// The earliest date that can be encoded: UTCTime begins in 1950 (RFC 5280 §4.1.2.5.1).
    pub const EARLIEST: OffsetDateTime = crate::text::time::EARLIEST;
    /// The latest date that can be encoded: GeneralizedTime ends with 9999, which also stands for "no known end" (RFC 5280
    /// §4.1.2.5).
    pub const LATEST: OffsetDateTime = datetime!(9999-12-31 23:59:59 UTC);

    /// Returns whether a certificate is valid at this time, the first and the last second included.
    pub fn contains(&self, at: OffsetDateTime) -> bool {
        self.not_before <= at && at <= self.end()
    }

    /// Returns the length, which includes the last second (RFC 5280 §4.1.2.5; one second too many is a common mistake).
    pub fn length(&self) -> Duration {
        self.not_after - self.not_before + Duration::SECOND
    }

    /// Returns the last instant of the last second.
    fn end(&self) -> OffsetDateTime {
        self.not_after.saturating_add(Duration::nanoseconds(999_999_999))
    }

    /// Returns `Validity ::= SEQUENCE { notBefore Time, notAfter Time }`, each as UTCTime until 2049 and as GeneralizedTime
    /// from 2050 on.
    pub fn to_der(&self) -> Vec<u8> {
        der::sequence(&[&time_to_der(self.not_before), &time_to_der(self.not_after)])
    }
}

/// Returns the `Time` of RFC 5280 §4.1.2.5: UTCTime until 2049, GeneralizedTime from 2050 on, always with seconds and `Z`.
pub fn time_to_der(at: OffsetDateTime) -> Vec<u8> {
    let at = at.to_offset(UtcOffset::UTC);
    match at.year() {
        1950..=2049 => to_the_second(der::UTC_TIME, &at),
        _ => generalized_time_to_der(at),
    }
}

/// Returns a GeneralizedTime in every year, with seconds and `Z` (RFC 5280 §4.1.2.5.2).
pub fn generalized_time_to_der(at: OffsetDateTime) -> Vec<u8> {
    to_the_second(der::GENERALIZED_TIME, &at.to_offset(UtcOffset::UTC))
}

/// Returns a time whole. Without `format!`, which is slow: a CRL can have a hundred thousand of them, and each certificate that is
/// verified has two.
fn to_the_second(tag: u8, at: &OffsetDateTime) -> Vec<u8> {
    let year = at.year().unsigned_abs();
    let fields = [year / 100, year % 100].map(|two_digits| two_digits as u8);
    let rest = [u8::from(at.month()), at.day(), at.hour(), at.minute(), at.second()];
    let is_utc_time = tag == der::UTC_TIME;
    let mut time = Vec::with_capacity(17);
    time.extend([tag, if is_utc_time { 13 } else { 15 }]);
    for two in fields[usize::from(is_utc_time)..].iter().chain(&rest) {
        time.extend([b'0' + two / 10, b'0' + two % 10]);
    }
    time.push(b'Z');
    time
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
}
