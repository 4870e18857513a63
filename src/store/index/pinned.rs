//! An index that stays as it is while its files are copied.

use std::fs::File;
use std::ops::Deref;

use super::{Index, IndexError};
use crate::system::files::FileError;

/// A read transaction. While it lives, no frame of the write-ahead log is overwritten, so that the main file and the log,
/// copied one after the other, are one state of the index or a later one.
pub struct PinnedIndex<'i> {
    // The files come after the transaction: to close a file ends the locks that this process has on it, SQLite's too
    // (https://www.sqlite.org/howtocorrupt.html, 2.2).
    transaction: OpenTransaction<'i>,
    files: [Option<File>; 2],
}

/// Ends its transaction when it is dropped.
struct OpenTransaction<'i>(&'i Index);

impl Index {
    /// Begins such a transaction and opens the files.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub fn pin(&self) -> Result<PinnedIndex<'_>, IndexError> {
        self.connection.execute_batch("BEGIN").map_err(self.place.error())?;
        let transaction = OpenTransaction(self);
        // The transaction begins with its first read.
        transaction.0.certificate_count()?;
        let [main, log] = Self::files(self.path());
        let log_file = match File::open(&log) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
            opened => Some(opened.map_err(FileError::of("open", &log))?),
        };
        let main_file = File::open(&main).map_err(FileError::of("open", &main))?;
        Ok(PinnedIndex { transaction, files: [Some(main_file), log_file] })
    }
}

impl PinnedIndex<'_> {
    /// Returns the main file and its log, which may be missing.
    pub fn files(&self) -> [Option<&File>; 2] {
        self.files.each_ref().map(Option::as_ref)
    }
}

/// Every query of the index works within the transaction.
impl Deref for PinnedIndex<'_> {
    type Target = Index;

    fn deref(&self) -> &Index {
        self.transaction.0
    }
}

impl Drop for OpenTransaction<'_> {
    fn drop(&mut self) {
        // A read transaction has nothing to lose.
        drop(self.0.connection.execute_batch("ROLLBACK"));
    }
}
