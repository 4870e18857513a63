//! The bounds of every exchange: no endpoint can make this program wait or read without end.

use std::time::Duration;

/// No exchange takes longer.
pub(super) const MAX_DURATION: Duration = Duration::from_secs(10);

/// No exchange moves more than this in total: far above any chain that a TLS library accepts (64 KiB in rustls).
pub(super) const MAX_BYTES: usize = 1024 * 1024;
