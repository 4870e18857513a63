//! What an act on the CA may use of the world.

use std::time::Duration;

use time::OffsetDateTime;

use crate::system::{Clock, Entropy};
use crate::text::whole_second;

/// The clock, the randomness and the patience of one command.
pub struct Effects<'w> {
    pub clock: &'w dyn Clock,
    pub entropy: &'w dyn Entropy,
    pub lock_timeout: Duration,
}

impl Effects<'_> {
    /// The present moment, in whole seconds: certificates have no fractions.
    pub fn now(&self) -> OffsetDateTime {
        whole_second(self.clock.now())
    }
}
