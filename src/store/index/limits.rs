//! How long a writer waits, and how large the log becomes.

use std::time::Duration;

/// How long a writer waits for another one. A writer that holds the lock of the CA never waits.
pub(super) const PATIENCE: Duration = Duration::from_secs(120);

/// The log is written back into the main file when it holds this many pages of 4 KiB: about every 15th certificate pays two
/// more syncs for it. A process that opens the index alone reads the whole log first: with 100 pages that takes 0.05 ms, with
/// SQLite's default of 1,000 on average ten times that.
pub(super) const PAGES_OF_LOG: u32 = 100;
