//! What an act on the CA may use of the world.

use std::time::Duration;

use crate::system::{Clock, Entropy};

/// The clock, the randomness and the patience of one command.
pub struct Tools<'w> {
    pub clock: &'w dyn Clock,
    pub entropy: &'w dyn Entropy,
    pub lock_timeout: Duration,
}
