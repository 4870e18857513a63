//! The time.

use time::OffsetDateTime;

/// Whoever knows what time it is.
pub trait Clock {
    /// The instant, in UTC.
    fn now(&self) -> OffsetDateTime;
}

/// The clock of the operating system.
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> OffsetDateTime {
        OffsetDateTime::now_utc()
    }
}

/// A clock that stands still: for tests, and for `--at`.
pub struct FixedClock(pub OffsetDateTime);

impl Clock for FixedClock {
    fn now(&self) -> OffsetDateTime {
        self.0
    }
}
