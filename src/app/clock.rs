//! The warning that the clock of this machine is behind the index. Validity periods and CRLs begin at the time of the clock, so
//! a clock that went back makes certificates that end too early, and hides that others are due.

use time::{Duration, OffsetDateTime};

use crate::app::context::Context;
use crate::text::{humanize, rfc3339};

/// How far the clock may be behind without a warning: machines that share a CA differ by seconds.
const TOLERANCE: Duration = Duration::seconds(10);

/// Returns the warning when the newest event of the index that the command opened is later than the clock.
pub fn warning(context: &Context<'_>) -> Option<String> {
    let newest = context.newest_event.as_ref()?.get()?;
    behind(newest, context.now()).map(|behind| {
        format!(
            "the clock of this machine is {} behind the newest event of the index ({}). Correct the clock; if it is right, it \
             was ahead when that event was recorded: 'ca log' shows it, and 'ca due' shows what is not valid yet",
            humanize(behind),
            rfc3339(newest)
        )
    })
}

/// Returns how far the clock is behind the newest event; `None` when two machines may differ as much.
pub fn behind(newest: OffsetDateTime, now: OffsetDateTime) -> Option<Duration> {
    Some(newest - now).filter(|behind| *behind > TOLERANCE)
}
