//! A connection to the database of an index, whichever engine it has. Each function is one match: no call goes through a table of
//! functions, and the values of a row are borrowed from the engine's own row.

use std::ops::Deref;
use std::path::Path;
use std::time::Duration;

use super::Proof;
use super::error::DatabaseResult;
use super::postgres::{PostgresDatabase, PostgresTransaction};
use super::sqlite::{Access, SqliteDatabase, SqliteTransaction};
use super::statement::{Row, Statement};
use super::value::ValueRef;

/// A connection to a database.
#[derive(Debug)]
pub enum Database {
    Sqlite(SqliteDatabase),
    Postgres(Box<PostgresDatabase>),
}

/// A transaction. When it is dropped, nothing is changed.
pub struct DatabaseTransaction<'d> {
    database: &'d Database,
    engine: EngineTransaction<'d>,
}

enum EngineTransaction<'d> {
    Sqlite(SqliteTransaction<'d>),
    Postgres(PostgresTransaction<'d>),
}

impl Database {
    /// Prepares a statement.
    ///
    /// # Errors
    /// When the database does not accept it.
    pub fn prepare(&self, sql: &str) -> DatabaseResult<Statement<'_>> {
        match self {
            Self::Sqlite(database) => database.prepare(sql).map(Statement::Sqlite),
            Self::Postgres(database) => Ok(Statement::Postgres(database.statement(sql))),
        }
    }

    /// Prepares a statement, or returns the one that this connection has prepared before.
    ///
    /// # Errors
    /// When the database does not accept it.
    pub fn prepare_cached(&self, sql: &str) -> DatabaseResult<Statement<'_>> {
        match self {
            Self::Sqlite(database) => database.prepare_cached(sql).map(Statement::Sqlite),
            Self::Postgres(database) => Ok(Statement::Postgres(database.statement(sql))),
        }
    }

    /// Runs a statement that returns no rows. Returns the number of rows that it changed.
    ///
    /// # Errors
    /// When the database reports one.
    pub fn execute(&self, sql: &str, values: &[ValueRef<'_>]) -> DatabaseResult<usize> {
        // It may run again for the next certificate of a batch.
        self.prepare_cached(sql)?.execute(values)
    }

    /// Runs statements without values, which return no rows.
    ///
    /// # Errors
    /// When the database reports one.
    pub fn execute_batch(&self, sql: &str) -> DatabaseResult<()> {
        match self {
            Self::Sqlite(database) => database.execute_batch(sql),
            Self::Postgres(database) => database.execute_batch(sql),
        }
    }

    /// Runs a statement and converts its first row.
    ///
    /// # Errors
    /// When there is no row, or the database reports an error.
    pub fn query_row<T>(
        &self,
        sql: &str,
        values: &[ValueRef<'_>],
        read: impl FnOnce(&Row<'_>) -> DatabaseResult<T>,
    ) -> DatabaseResult<T> {
        self.prepare(sql)?.query_row(values, read)
    }

    /// Returns the id of the row that this connection inserted last.
    ///
    /// # Errors
    /// When the database reports one.
    pub fn last_insert_id(&self) -> DatabaseResult<i64> {
        match self {
            Self::Sqlite(database) => Ok(database.last_insert_id()),
            Self::Postgres(database) => database.last_insert_id(),
        }
    }

    /// Returns that id, and the greatest one of the table, which is the table of that row.
    ///
    /// # Errors
    /// When the database reports one.
    pub fn newest_ids(&self, table: &str) -> DatabaseResult<(i64, i64)> {
        match self {
            Self::Sqlite(database) => {
                let mut greatest = self.prepare_cached(&format!("SELECT max(id) FROM {table}"))?;
                Ok((database.last_insert_id(), greatest.query_row(&[], |row| row.get(0))?))
            }
            Self::Postgres(database) => database.newest_ids(table),
        }
    }

    /// Opens a file of SQLite.
    ///
    /// # Errors
    /// When SQLite cannot open it, or refuses a setting.
    pub fn open_file(path: &Path, access: Access) -> DatabaseResult<Self> {
        SqliteDatabase::open(path, access).map(Self::Sqlite)
    }

    /// Makes an empty SQLite database in memory.
    ///
    /// # Errors
    /// When SQLite refuses a setting.
    pub fn in_memory() -> DatabaseResult<Self> {
        SqliteDatabase::in_memory().map(Self::Sqlite)
    }

    /// Begins a transaction that only reads: what it reads is of one time. `None` within a transaction, which is one already.
    ///
    /// # Errors
    /// When the database reports one.
    pub fn begin_reading_once(&self) -> DatabaseResult<Option<DatabaseTransaction<'_>>> {
        let engine = match self {
            Self::Sqlite(database) => database.begin_reading_once()?.map(EngineTransaction::Sqlite),
            Self::Postgres(database) => database.begin_reading_once()?.map(EngineTransaction::Postgres),
        };
        Ok(engine.map(|engine| DatabaseTransaction { database: self, engine }))
    }

    /// Begins a transaction that writes. Of several writers one goes first, and the others wait.
    ///
    /// # Errors
    /// When another writer does not finish in time, or the database was opened for reading.
    pub fn begin_writing(&self) -> DatabaseResult<DatabaseTransaction<'_>> {
        let engine = match self {
            Self::Sqlite(database) => EngineTransaction::Sqlite(database.begin_writing()?),
            Self::Postgres(database) => EngineTransaction::Postgres(database.begin_writing()?),
        };
        Ok(DatabaseTransaction { database: self, engine })
    }

    /// Runs changes whose commits do not wait for the disk: a power cut can lose them.
    ///
    /// # Errors
    /// When the database reports one, or that of `write`.
    pub fn lightly(&self, write: impl FnOnce(&Self) -> DatabaseResult<()>) -> DatabaseResult<()> {
        match self {
            Self::Sqlite(database) => database.lightly(|| write(self)),
            Self::Postgres(database) => database.lightly(|| write(self)),
        }
    }

    /// Gives the connection memory for a question about every certificate; a server has its own.
    ///
    /// # Errors
    /// When the database refuses the setting.
    pub fn read_much(&self) -> DatabaseResult<()> {
        match self {
            Self::Sqlite(database) => database.read_much(),
            Self::Postgres(_) => Ok(()),
        }
    }

    /// Writes the log of a file back into it; a server has its own.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn fold_log(&self) -> DatabaseResult<()> {
        self.sqlite().map_or(Ok(()), SqliteDatabase::fold_log)
    }

    /// Reads a whole file and returns a list of its problems; the list is empty when it is sound. A server checks each page that it
    /// reads (`data_checksums`).
    ///
    /// # Errors
    /// When it cannot be read at all.
    pub fn check(&self) -> DatabaseResult<Vec<String>> {
        self.sqlite().map_or(Ok(Vec::new()), SqliteDatabase::check)
    }

    /// Reads the first page of a file.
    ///
    /// # Errors
    /// When the file cannot be read, or is not a database.
    pub fn probe(&self) -> DatabaseResult<()> {
        self.sqlite().map_or(Ok(()), SqliteDatabase::probe)
    }

    /// Returns the tables with their columns, and the indexes, triggers and views of the database.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn objects(&self) -> DatabaseResult<Vec<String>> {
        match self {
            Self::Sqlite(database) => database.objects(),
            Self::Postgres(database) => database.objects(),
        }
    }

    /// Returns a copy of a file in memory; `None` of a server.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn copy_in_memory(&self) -> DatabaseResult<Option<Self>> {
        self.sqlite().map(|database| database.copy_in_memory().map(Self::Sqlite)).transpose()
    }

    /// Returns the name of the engine and its version.
    ///
    /// # Errors
    /// When the database reports one.
    pub fn engine(&self) -> DatabaseResult<String> {
        match self {
            Self::Sqlite(_) => Ok(format!("SQLite {}", super::sqlite::version())),
            Self::Postgres(_) => self.query_row(
                "SELECT 'PostgreSQL ' || split_part(current_setting('server_version'), ' ', 1)",
                &[],
                |row| row.get(0),
            ),
        }
    }

    /// Takes the lock of the writers of a server again; that of a file is not one of the database.
    ///
    /// # Errors
    /// When another session has it for longer than `timeout`.
    pub fn lock_again(&self, timeout: Duration) -> DatabaseResult<()> {
        match self {
            Self::Sqlite(_) => Ok(()),
            Self::Postgres(database) => database.lock(timeout),
        }
    }

    /// Lets other writers of a server go on while this connection delivers what it has recorded.
    ///
    /// # Errors
    /// When the server reports one.
    pub fn begin_delivery(&self) -> DatabaseResult<()> {
        match self {
            Self::Sqlite(_) => Ok(()),
            Self::Postgres(database) => database.begin_delivery(),
        }
    }

    /// Waits until no other connection of a server delivers any longer. Returns false for a file, whose writers deliver under
    /// their lock.
    ///
    /// # Errors
    /// When another connection delivers for longer than `timeout`.
    pub fn wait_for_deliveries(&self, timeout: Duration) -> DatabaseResult<bool> {
        match self {
            Self::Sqlite(_) => Ok(false),
            Self::Postgres(database) => database.wait_for_deliveries(timeout).map(|()| true),
        }
    }

    /// Releases the locks of a server, which end with its connection anyway.
    ///
    /// # Errors
    /// When the server reports one.
    pub fn unlock(&self) -> DatabaseResult<()> {
        match self {
            Self::Sqlite(_) => Ok(()),
            Self::Postgres(database) => database.unlock(),
        }
    }

    /// Returns true when a server has the database, and not a file.
    pub fn is_of_a_server(&self) -> bool {
        matches!(self, Self::Postgres(_))
    }

    /// Returns the file behind this connection; `None` for a server.
    fn sqlite(&self) -> Option<&SqliteDatabase> {
        match self {
            Self::Sqlite(database) => Some(database),
            Self::Postgres(_) => None,
        }
    }
}

impl DatabaseTransaction<'_> {
    /// Commits: everything is changed, or nothing.
    ///
    /// # Errors
    /// When the database reports one.
    pub fn commit(self) -> DatabaseResult<()> {
        self.commit_with(None)
    }

    /// As [`commit`](Self::commit), with the proof that everything was changed.
    ///
    /// # Errors
    /// As [`commit`](Self::commit).
    pub fn commit_with(self, proof: Option<&Proof<'_>>) -> DatabaseResult<()> {
        match self.engine {
            EngineTransaction::Sqlite(transaction) => transaction.commit(),
            EngineTransaction::Postgres(transaction) => transaction.commit(proof),
        }
    }
}

/// Statements of the transaction are those of its connection.
impl Deref for DatabaseTransaction<'_> {
    type Target = Database;

    fn deref(&self) -> &Database {
        self.database
    }
}

#[cfg(test)]
impl Database {
    /// Returns the connection of rusqlite, for what only tests do.
    pub fn raw(&self) -> &rusqlite::Connection {
        self.sqlite().unwrap().raw()
    }

    /// Wraps a connection that a test made.
    pub fn of_raw(connection: rusqlite::Connection) -> Self {
        Self::Sqlite(SqliteDatabase::of_raw(connection))
    }
}
