//! The index of issued certificates: an SQLite file, `index.db`.
//!
//! - A record is durable when [`Transaction::commit`] returns (write-ahead log, `synchronous=FULL`), at the cost of
//!   about one sync. The log is not written back into the main file when a process exits (that alone cost three syncs
//!   of five), but from time to time by a commit. So `index.db` without its `index.db-wal` is not the whole index.
//! - Readers never wait for a writer, and a writer never waits for readers.
//! - Every change is also an event of a log, in the same transaction ([`Transaction`]).
//! - Rows are only added. A later event of a certificate (revoked, on hold) is a row of its own; the release of a hold is
//!   written into the row of the hold.

mod audit_query;
pub mod cfssl_database;
mod completion_query;
mod copy;
pub mod credentials;
mod crl;
pub mod crl_bundle;
mod database;
mod declaration;
mod entry;
mod error;
mod event;
mod event_log;
mod event_object;
pub mod event_query;
mod export;
mod file_rules;
mod grants;
mod imported;
mod in_effect;
mod inventory;
mod limits;
pub mod location;
mod look_up;
mod mark;
mod name_pattern;
mod password_file;
pub mod pinned;
pub mod placement;
pub mod postgres_location;
mod postgres_schema;
mod query;
mod read_only;
mod recorded_state;
mod reference;
mod schema;
mod server;
pub mod tally;
pub mod unexpired;
mod version;
mod write;

use std::fs;
use std::path::{Path, PathBuf};

pub use audit_query::{StoredCertificate, UncoveredRow};
pub use copy::CopiedRows;
pub use crl::{NewCrl, RecordedCrl};
pub use declaration::{Declaration, NameRecords};
pub use entry::{CertificateStatus, Entry, EntryId, NewEntry, Origin, Revocation};
pub use error::{Candidates, IndexError};
pub use event::{Event, EventContext, EventKind, HeadSignature, LogHead, empty_hash, next_hash};
pub use event_object::EventObject;
pub use export::{NewExport, RECIPE, StoredExport};
pub use grants::{RoleRights, grants};
pub use imported::{ImportSource, ImportedRevocation, ImportedSerial, RecordedRevocation};
pub use inventory::{Covered, InventoryFilter, InventoryOrder, InventoryQuery, Keep, ListedEntry, SortKey};
pub use name_pattern::NamePattern;
pub use placement::{Rollback, StoredHook};
pub use query::Filter;
pub use recorded_state::{StoredCrl, StoredRevocation};
pub use reference::{Reference, ReferenceError};
pub use version::IndexVersion;
pub use write::Transaction;

use crate::system::files::{self, FileError};
use database::Database;
use database::sqlite::{self, Access};
use error::IndexPath;

/// Returns the version of the SQLite library that is linked.
pub fn sqlite_version() -> &'static str {
    sqlite::version()
}

/// An open index.
#[derive(Debug)]
pub struct Index {
    connection: Database,
    place: IndexPath,
}

impl Index {
    /// Creates an empty index with mode 0600. Neither the file nor its name is durable: the caller syncs both when the first
    /// records are in it, with [`close_folded`](Self::close_folded) and with the folder. An interrupted call leaves an unusable
    /// file, so the caller creates it in a folder that no other process reads yet.
    ///
    /// # Errors
    /// When a file of that name exists, or the system reports an error.
    pub fn create(path: &Path) -> Result<Self, IndexError> {
        // SQLite gives its side files the mode of the main file.
        files::write_secret(path, b"")?;
        let place = IndexPath(path.to_owned());
        let connection = Database::open_file(path, Access::Write).map_err(place.error())?;
        schema::create(&connection).map_err(place.error())?;
        drop(connection);
        Self::open(path)
    }

    /// Opens an index for reading and writing, and migrates an older version to the current one.
    ///
    /// # Errors
    /// When the file is missing, not an index, of a later version of this program, or damaged.
    pub fn open(path: &Path) -> Result<Self, IndexError> {
        let place = IndexPath(path.to_owned());
        check_file(path)?;
        if let Err(cause) = files::check_writable(path) {
            return Err(IndexError::ReadOnly { path: path.to_owned(), reason: cause.to_string() });
        }
        let connection = Database::open_file(path, Access::Write).map_err(place.error())?;
        let is_older = schema::version(&connection, &place)?.is_older();
        settle_log(path)?;
        if is_older {
            schema::migrate(&connection).map_err(place.error())?;
        }
        schema::prepare_for_writing(&connection).map_err(place.error())?;
        Ok(Self { connection, place })
    }

    /// Opens an index for reading only. It neither waits for other processes nor makes them wait.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn open_to_read(path: &Path) -> Result<Self, IndexError> {
        let place = IndexPath(path.to_owned());
        check_file(path)?;
        let connection = read_only::connect_to_read(path, &place)?;
        if !schema::version(&connection, &place)?.is_older() {
            return Ok(Self { connection, place });
        }
        // Only a writer can migrate the index to the current version; where none can be, a copy in memory is migrated.
        match Self::open(path) {
            Err(IndexError::ReadOnly { .. }) => {
                Ok(Self { connection: read_only::migrated_copy(&connection, &place)?, place })
            }
            opened => opened,
        }
    }

    /// Returns the version of the tables in a file, which are not migrated by this.
    ///
    /// # Errors
    /// As [`open_to_read`](Self::open_to_read).
    pub fn version_of_file(path: &Path) -> Result<IndexVersion, IndexError> {
        let place = IndexPath(path.to_owned());
        check_file(path)?;
        schema::version(&read_only::connect_to_read(path, &place)?, &place)
    }

    /// Writes the log back into the main file and closes the index, so that a copy or move needs only that one file.
    ///
    /// # Errors
    /// When the index cannot be written.
    pub fn close_folded(self) -> Result<(), IndexError> {
        self.connection.fold_log().map_err(self.place.error())
    }

    /// Returns the path of the index.
    pub fn path(&self) -> &Path {
        &self.place.0
    }

    /// Returns the files of an index in use: the main file and its log. A backup needs both.
    pub fn files(path: &Path) -> [PathBuf; 2] {
        [path.to_owned(), sqlite::log_of(path)]
    }

    /// Returns the engine of the database with its version: `SQLite 3.51.3`, `PostgreSQL 15.8`.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub fn engine(&self) -> Result<String, IndexError> {
        self.connection.engine().map_err(self.place.error())
    }

    /// Returns how many certificates the index has.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub fn certificate_count(&self) -> Result<u64, IndexError> {
        let count = self.connection.query_row("SELECT count(*) FROM certificate", &[], |row| row.get::<_, i64>(0));
        count.map(i64::unsigned_abs).map_err(self.place.error())
    }

    /// Reads the whole file and returns a list of its problems; the list is empty when the file is sound.
    ///
    /// # Errors
    /// When the file cannot be read at all.
    pub fn check(&self) -> Result<Vec<String>, IndexError> {
        self.connection.check().map_err(self.place.error())
    }

    /// Begins a transaction that only reads: everything until its end is of one time, and each query is cheaper, because SQLite
    /// does not lock the file again. `None` within a transaction.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub fn reading(&self) -> Result<Option<impl Sized>, IndexError> {
        self.connection.begin_reading_once().map_err(self.place.error())
    }

    /// Returns the error for a record with an impossible value.
    pub fn damaged(&self, reason: String) -> IndexError {
        IndexError::Damaged { path: self.place.0.clone(), reason }
    }
}

/// Makes the name of the log durable before the log has content, so that a power cut does not remove a log with
/// content. SQLite would sync the folder with the first commit of every process, even for an existing log; it is built
/// without that (`.cargo/config.toml`). The first read of a connection creates the log if it is missing.
fn settle_log(path: &Path) -> Result<(), FileError> {
    let [_, log] = Index::files(path);
    let is_empty = fs::metadata(&log).map_or(true, |log| log.len() == 0);
    if is_empty { files::sync_folder(path.parent().unwrap_or(Path::new("."))) } else { Ok(()) }
}

/// Returns a clear error for cases that SQLite reports in its own way: a missing file, a folder, an empty file (which
/// SQLite takes for a new database).
fn check_file(path: &Path) -> Result<(), IndexError> {
    match fs::metadata(path) {
        Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => {
            Err(IndexError::Missing { path: path.to_owned() })
        }
        Err(cause) => Err(FileError::of("open", path)(cause).into()),
        Ok(found) if !found.is_file() => {
            Err(IndexError::NotAnIndex { path: path.to_owned(), found: "not a regular file" })
        }
        Ok(found) if found.len() == 0 => {
            Err(IndexError::Damaged { path: path.to_owned(), reason: "it is empty".to_owned() })
        }
        Ok(_) => Ok(()),
    }
}

#[cfg(test)]
mod event_log_tests;
#[cfg(test)]
mod imported_tests;
#[cfg(test)]
mod in_effect_tests;
#[cfg(test)]
mod inventory_tests;
#[cfg(test)]
mod kill_tests;
#[cfg(test)]
mod look_up_tests;
#[cfg(test)]
mod read_only_tests;
#[cfg(test)]
mod reference_page_tests;
#[cfg(test)]
pub(crate) mod sample;
#[cfg(test)]
mod tests;
