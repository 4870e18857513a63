//! The effects that an act on the CA may use: clock, randomness and waiting time.

use std::time::Duration;

use time::OffsetDateTime;

use crate::system::{Clock, Entropy};
use crate::text::whole_second;

/// The clock, the entropy source and the lock timeout of one command.
pub struct Effects<'w> {
    pub clock: &'w dyn Clock,
    pub entropy: &'w dyn Entropy,
    pub lock_timeout: Duration,
}

impl Effects<'_> {
    /// Returns the current time in whole seconds, because certificates have no fractions of a second.
    pub fn now(&self) -> OffsetDateTime {
        whole_second(self.clock.now())
    }
}
