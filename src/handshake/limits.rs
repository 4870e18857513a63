//! The limits of each exchange: no endpoint can make this program wait or read without end.

use std::time::Duration;

/// The longest duration of an exchange.
pub(super) const MAX_DURATION: Duration = Duration::from_secs(10);

/// The largest number of bytes of an exchange, far above any chain that a TLS library accepts (64 KiB in rustls).
pub(super) const MAX_BYTES: usize = 1024 * 1024;
