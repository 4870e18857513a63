//! The limits of each exchange: no endpoint can make this program wait or read without end.

use std::time::Duration;

/// The longest duration of an exchange.
pub(super) const MAX_DURATION: Duration = Duration::from_secs(10);

/// The largest number of bytes of an exchange, far above any chain that a TLS library accepts (64 KiB in rustls).
pub(super) const MAX_BYTES: usize = 1024 * 1024;

/// What all sessions of a test with clients from outside may keep, in bytes: one half is for open connections, the other
/// for sessions that have ended, so that these never keep the next client out.
pub(super) const MAX_KEPT_BYTES: usize = 64 * 1024 * 1024;

/// The bytes that one endpoint sends within this time are one flight.
pub(super) const FLIGHT_DURATION: Duration = Duration::from_millis(1);

/// The longest flight: a packet of a pcapng file has it whole, and IPv4 allows 64 KiB.
pub(super) const MAX_FLIGHT_BYTES: usize = 16 * 1024;

/// The number of flights from which on bytes join the last one, however late they are: an endpoint may send one byte at a
/// time.
pub(super) const MAX_FLIGHTS: usize = 1024;
