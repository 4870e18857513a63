//! The effects that an act on the CA may use: clock, randomness, user and host, waiting time, approval and
//! progress.

use std::time::Duration;

use time::OffsetDateTime;

use crate::store::approval::Approval;
use crate::store::index::EventContext;
use crate::store::progress::Progress;
use crate::system::{Clock, Entropy, Identity};
use crate::text::whole_second;

/// The clock, the entropy source, the user and host, and the lock timeout of one command.
pub struct Effects<'w> {
    pub clock: &'w dyn Clock,
    pub entropy: &'w dyn Entropy,
    pub identity: &'w dyn Identity,
    pub lock_timeout: Duration,
    pub approval: &'w dyn Approval,
    pub progress: &'w dyn Progress,
}

impl Effects<'_> {
    /// Returns the current time in whole seconds, because certificates have no fractions of a second.
    pub fn now(&self) -> OffsetDateTime {
        whole_second(self.clock.now())
    }

    /// Returns what the event log records of every event of this command: its time, user and host.
    pub fn event_context(&self) -> EventContext {
        EventContext { at: self.now(), actor: self.identity.actor() }
    }
}
