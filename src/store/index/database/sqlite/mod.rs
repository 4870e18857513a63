//! SQLite: a connection to a file, limited to what the index uses. Only this module uses rusqlite.

mod index_content;
pub(super) mod raw;

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::backup::Backup;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, TransactionBehavior};

use super::error::DatabaseResult;
use crate::store::index::limits::PATIENCE;
use raw::{RawStatement, RawTransaction};

/// Returns the version of the SQLite library that is linked.
pub fn version() -> &'static str {
    rusqlite::version()
}

/// Returns the path of the write-ahead log of a database.
pub fn log_of(path: &Path) -> PathBuf {
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    log.into()
}

/// How a file is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    Write,
    Read,
    /// As a file that does not change, without its log: no file is created.
    Immutable,
    /// Without locks, and with memory of this process in place of `index.db-shm`: no file is created.
    Unlocked,
}

/// A connection to a database.
#[derive(Debug)]
pub struct SqliteDatabase {
    connection: Connection,
}

impl SqliteDatabase {
    /// Opens a file.
    ///
    /// # Errors
    /// When SQLite cannot open it, or refuses a setting.
    pub fn open(path: &Path, access: Access) -> DatabaseResult<Self> {
        // Rust ensures that only one thread uses a connection at a time.
        let read = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = match access {
            Access::Write => {
                let write = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
                Connection::open_with_flags(path, write)?
            }
            Access::Read => Connection::open_with_flags(path, read)?,
            Access::Immutable => Connection::open_with_flags(immutable(path), read | OpenFlags::SQLITE_OPEN_URI)?,
            Access::Unlocked => {
                let opened = Connection::open_with_flags_and_vfs(path, read, c"unix-none")?;
                opened.pragma_update(None, "locking_mode", "EXCLUSIVE")?;
                opened
            }
        };
        Self::limited(connection)
    }

    /// Makes an empty database in memory.
    ///
    /// # Errors
    /// When SQLite refuses a setting.
    pub fn in_memory() -> DatabaseResult<Self> {
        Self::limited(Connection::open_in_memory()?)
    }

    /// Returns a copy in memory.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn copy_in_memory(&self) -> DatabaseResult<Self> {
        let mut copy = Connection::open_in_memory()?;
        Backup::new(&self.connection, &mut copy)?.run_to_completion(1024, Duration::ZERO, None)?;
        Self::limited(copy)
    }

    /// Limits a connection to what the index uses.
    fn limited(connection: Connection) -> DatabaseResult<Self> {
        connection.busy_timeout(PATIENCE)?;
        // An act on many certificates runs about twenty statements again and again.
        connection.set_prepared_statement_cache_capacity(64);
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
        // The query plan does not depend on the bound values, so that a repeated statement is not planned again.
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
        // Another user may have written the file, so its schema must not be able to do more than define tables.
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, false)?;
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_VIEW, false)?;
        Ok(Self { connection })
    }

    /// Prepares a statement.
    ///
    /// # Errors
    /// When the database does not accept it.
    pub fn prepare(&self, sql: &str) -> DatabaseResult<RawStatement<'_>> {
        Ok(RawStatement::Once(self.connection.prepare(sql)?))
    }

    /// Prepares a statement, or returns the one that this connection has prepared before.
    ///
    /// # Errors
    /// When the database does not accept it.
    pub fn prepare_cached(&self, sql: &str) -> DatabaseResult<RawStatement<'_>> {
        Ok(RawStatement::Cached(self.connection.prepare_cached(sql)?))
    }

    /// Runs statements without values, which return no rows.
    ///
    /// # Errors
    /// When the database reports one.
    pub fn execute_batch(&self, sql: &str) -> DatabaseResult<()> {
        Ok(self.connection.execute_batch(sql)?)
    }

    /// Returns the id of the row that this connection inserted last.
    pub fn last_insert_id(&self) -> i64 {
        self.connection.last_insert_rowid()
    }

    /// Begins a transaction that only reads: what it reads is of one time. `None` within a transaction, which is one already.
    ///
    /// # Errors
    /// When the database reports one.
    pub fn begin_reading_once(&self) -> DatabaseResult<Option<SqliteTransaction<'_>>> {
        self.connection.is_autocommit().then(|| self.begin(TransactionBehavior::Deferred)).transpose()
    }

    /// Begins a transaction that writes. Of several writers one goes first, and the others wait.
    ///
    /// # Errors
    /// When another writer does not finish in time, or the database was opened for reading.
    pub fn begin_writing(&self) -> DatabaseResult<SqliteTransaction<'_>> {
        self.begin(TransactionBehavior::Immediate)
    }

    fn begin(&self, behavior: TransactionBehavior) -> DatabaseResult<SqliteTransaction<'_>> {
        Ok(SqliteTransaction { raw: RawTransaction::begin(&self.connection, behavior)? })
    }

    /// Runs changes whose commits do not wait for the disk: a power cut can lose them.
    ///
    /// # Errors
    /// When the database reports one, or that of `write`.
    pub fn lightly(&self, write: impl FnOnce() -> DatabaseResult<()>) -> DatabaseResult<()> {
        // NORMAL, not OFF: a commit that writes the log back into the main file still syncs the log first.
        let light = self.execute_batch("PRAGMA synchronous = NORMAL");
        let written = light.and_then(|()| write());
        self.execute_batch("PRAGMA synchronous = FULL")?;
        written
    }

    /// Gives the connection memory for a question about every certificate, 64 MiB if the index is that large. Of its 2 MiB SQLite
    /// would read most pages again and again, since rows in the order of their names are everywhere in the file.
    ///
    /// # Errors
    /// When SQLite refuses the setting.
    pub fn read_much(&self) -> DatabaseResult<()> {
        Ok(self.connection.pragma_update(None, "cache_size", -65_536)?)
    }

    /// Reads the first page.
    ///
    /// # Errors
    /// When the file cannot be read, or is not a database.
    pub fn probe(&self) -> DatabaseResult<()> {
        Ok(self.connection.query_row("PRAGMA schema_version", [], |_| Ok(()))?)
    }

    /// Writes the log back into the main file.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn fold_log(&self) -> DatabaseResult<()> {
        Ok(self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?)
    }

    /// Reads the whole database and returns a list of its problems; the list is empty when it is sound.
    ///
    /// # Errors
    /// When it cannot be read at all.
    pub fn check(&self) -> DatabaseResult<Vec<String>> {
        let problems = |pragma: &str| -> DatabaseResult<Vec<String>> {
            Ok(self.texts(pragma)?.into_iter().filter(|line| line != "ok").collect())
        };
        // Together the two find what the complete check finds, in a tenth of its time; it is asked for the words.
        if problems("PRAGMA quick_check")?.is_empty() && matches!(index_content::is_sound(&self.connection), Ok(true)) {
            return Ok(Vec::new());
        }
        problems("PRAGMA integrity_check")
    }

    /// Returns the tables with their columns, and the indexes, triggers and views of the database.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn objects(&self) -> DatabaseResult<Vec<String>> {
        self.texts(
            "SELECT s.type || ' ' || s.name || coalesce(' (' || (
                 SELECT group_concat(c.name || ' ' || c.type || ' ' || c.\"notnull\" || ' ' || c.pk, ', ')
                 FROM pragma_table_info(s.name) AS c) || ')', '') || ' on ' || s.tbl_name
             FROM sqlite_schema AS s ORDER BY 1",
        )
    }

    fn texts(&self, sql: &str) -> DatabaseResult<Vec<String>> {
        let mut statement = self.connection.prepare(sql)?;
        let texts = statement.query_map([], |row| row.get(0))?;
        Ok(texts.collect::<rusqlite::Result<_>>()?)
    }
}

/// A transaction. When it is dropped, nothing is changed.
pub struct SqliteTransaction<'d> {
    raw: RawTransaction<'d>,
}

impl SqliteTransaction<'_> {
    /// Commits: everything is changed, or nothing.
    ///
    /// # Errors
    /// When the database reports one; then nothing is changed.
    pub fn commit(self) -> DatabaseResult<()> {
        self.raw.commit()
    }
}

/// Returns the URI of a file that does not change (sqlite.org/uri.html).
fn immutable(path: &Path) -> String {
    let byte = |byte: &u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'.' | b'-' | b'_' => char::from(*byte).to_string(),
        byte => format!("%{byte:02x}"),
    };
    format!("file:{}?immutable=1", path.as_os_str().as_encoded_bytes().iter().map(byte).collect::<String>())
}

#[cfg(test)]
impl SqliteDatabase {
    /// Returns the connection of the library, for what only tests do.
    pub fn raw(&self) -> &Connection {
        &self.connection
    }

    /// Wraps a connection that a test made.
    pub fn of_raw(connection: Connection) -> Self {
        Self { connection }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_in_a_uri_stands_for_itself() {
        let path = Path::new("/a?b#c%20 d=é/index.db");
        assert_eq!(immutable(path), "file:/a%3fb%23c%2520%20d%3d%c3%a9/index.db?immutable=1");
    }
}
