//! The book of what was issued: an SQLite file, `index.db`. The one door to rusqlite.
//!
//! - A record is durable when [`Transaction::commit`] returns (write-ahead log, `synchronous=FULL`), at the cost of about one
//!   sync. The log is not folded into the main file when a process ends (that alone cost three syncs of five), but
//!   every so often by a commit. Hence `index.db` without its `index.db-wal` is not the whole book.
//! - Readers never wait for a writer, and a writer never for readers.
//! - Rows are only ever added. What happens to a certificate later (revoked, held) is an event of its own; the end of a
//!   hold is written beside its beginning.

mod crl;
mod entry;
mod error;
mod limits;
pub mod location;
pub mod placement;
mod query;
mod reference;
mod schema;
mod write;

use std::fs;
use std::path::{Path, PathBuf};

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

pub use crl::{NewCrl, RecordedCrl};
pub use entry::{CertificateStatus, Entry, EntryId, NewEntry, Origin, Revocation};
pub use error::IndexError;
pub use placement::{Rollback, StoredHook};
pub use query::Filter;
pub use reference::{Reference, ReferenceError};
pub use write::Transaction;

use crate::system::files::{self, FileError};
use error::Place;
use limits::PATIENCE;

/// An open index.
#[derive(Debug)]
pub struct Index {
    connection: Connection,
    place: Place,
}

impl Index {
    /// Makes an empty index, mode 0600, durably; the name of the file is durable when its folder is synced. An interrupted
    /// call leaves an unusable file: do it where nobody looks yet.
    ///
    /// # Errors
    /// When something of that name is there already, or the system refuses.
    pub fn create(path: &Path) -> Result<Self, IndexError> {
        // SQLite gives its side files the mode of the main file.
        files::write_secret(path, b"")?;
        let place = Place(path.to_owned());
        let connection = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE).map_err(place.error())?;
        schema::create(&connection).map_err(place.error())?;
        drop(connection);
        files::sync_all(&[path])?;
        Self::open(path)
    }

    /// Opens an index for reading and writing, and brings an older one to the present form.
    ///
    /// # Errors
    /// When it is not there, not an index, of a later version of this program, or damaged.
    pub fn open(path: &Path) -> Result<Self, IndexError> {
        let place = Place(path.to_owned());
        check_file(path)?;
        let connection = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE).map_err(place.error())?;
        let is_older = schema::is_older(&connection, &place)?;
        settle_log(path)?;
        if is_older {
            schema::migrate(&connection).map_err(place.error())?;
        }
        schema::prepare_for_writing(&connection).map_err(place.error())?;
        Ok(Self { connection, place })
    }

    /// Opens an index for reading alone. Nothing waits for it, and it waits for nothing.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn open_to_read(path: &Path) -> Result<Self, IndexError> {
        let place = Place(path.to_owned());
        check_file(path)?;
        let connection = connect(path, OpenFlags::SQLITE_OPEN_READ_ONLY).map_err(place.error())?;
        if schema::is_older(&connection, &place)? {
            // Only a writer can bring it to the present form.
            drop(connection);
            return Self::open(path);
        }
        Ok(Self { connection, place })
    }

    /// Folds the log into the main file and closes the index: what is left to copy or move is that one file.
    ///
    /// # Errors
    /// When the index cannot be written.
    pub fn close_folded(self) -> Result<(), IndexError> {
        let fold = || self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
        fold().map_err(self.place.error())
    }

    /// Where it lies.
    pub fn path(&self) -> &Path {
        &self.place.0
    }

    /// The files that make it up while it is in use: the main file and its log. Both belong into a copy.
    pub fn files(path: &Path) -> [PathBuf; 2] {
        let mut log = path.as_os_str().to_owned();
        log.push("-wal");
        [path.to_owned(), log.into()]
    }

    /// Reads the whole file and says what is wrong with it; nothing when it is sound.
    ///
    /// # Errors
    /// When it cannot be read at all.
    pub fn check(&self) -> Result<Vec<String>, IndexError> {
        let check = || -> rusqlite::Result<_> {
            let mut statement = self.connection.prepare("PRAGMA integrity_check")?;
            let lines = statement.query_map([], |row| row.get(0))?;
            lines.filter(|line| !matches!(line, Ok(line) if line == "ok")).collect()
        };
        check().map_err(self.place.error())
    }

    /// For what stands in it and cannot be.
    pub fn damaged(&self, reason: String) -> IndexError {
        IndexError::Damaged { path: self.place.0.clone(), reason }
    }
}

fn connect(path: &Path, access: OpenFlags) -> rusqlite::Result<Connection> {
    // One thread uses a connection at a time: Rust sees to that.
    let connection = Connection::open_with_flags(path, access | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.busy_timeout(PATIENCE)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    // The plan of a statement does not hang on the values in it: one that is run again is not planned again.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    // The file may have been written by somebody else: its schema must not be able to do anything but name tables.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, false)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_VIEW, false)?;
    Ok(connection)
}

/// Makes the name of the log durable before anything is written into it: a log that holds something has a name that survives
/// a power cut. SQLite would sync the folder with the first commit of every process, the log being new or not; it is
/// built without that (`.cargo/config.toml`). The first read of a connection makes the log if there is none.
fn settle_log(path: &Path) -> Result<(), FileError> {
    let [_, log] = Index::files(path);
    let is_empty = fs::metadata(&log).map_or(true, |log| log.len() == 0);
    if is_empty { files::sync_folder(path.parent().unwrap_or(Path::new("."))) } else { Ok(()) }
}

/// Answers for what SQLite would say in its own way: a missing file, a folder, an empty file (which it takes for new).
fn check_file(path: &Path) -> Result<(), IndexError> {
    match fs::metadata(path) {
        Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => {
            Err(IndexError::Missing { path: path.to_owned() })
        }
        Err(cause) => Err(FileError::of("open", path)(cause).into()),
        Ok(found) if !found.is_file() => Err(IndexError::Foreign { path: path.to_owned(), found: "no regular file" }),
        Ok(found) if found.len() == 0 => {
            Err(IndexError::Damaged { path: path.to_owned(), reason: "it is empty".to_owned() })
        }
        Ok(_) => Ok(()),
    }
}

#[cfg(test)]
mod kill_tests;
#[cfg(test)]
pub(crate) mod sample;
#[cfg(test)]
mod tests;
