//! The timeout of a writer and the size of the write-ahead log.

use std::time::Duration;

/// The time that a writer waits for another one. A writer that has the lock of the CA never waits.
pub(super) const PATIENCE: Duration = Duration::from_secs(120);

/// The number of pages of 4 KiB in the log at which it is written back into the main file: about every 15th certificate
/// pays two more syncs for this. A process that opens the index alone reads the whole log first. With 100 pages this
/// takes 0.05 ms; with SQLite's default of 1,000 pages it takes on average ten times as long.
pub(super) const PAGES_OF_LOG: u32 = 100;
