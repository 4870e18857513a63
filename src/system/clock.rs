//! The time.

use time::OffsetDateTime;

/// A source of the current time.
pub trait Clock {
    /// Returns the current time, in UTC.
    fn now(&self) -> OffsetDateTime;
}

/// The clock of the operating system.
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> OffsetDateTime {
        OffsetDateTime::now_utc()
    }
}

/// A clock that always shows the same time: for tests, and for `--at`.
pub struct FixedClock(pub OffsetDateTime);

impl Clock for FixedClock {
    fn now(&self) -> OffsetDateTime {
        self.0
    }
}
