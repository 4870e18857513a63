//! The types of rusqlite behind those of the database, and its errors.

use rusqlite::types::{self, ToSql, ToSqlOutput};
use rusqlite::{CachedStatement, Connection, ErrorCode, TransactionBehavior, ffi, params_from_iter};

use crate::store::index::database::error::{DatabaseError, DatabaseFailure, DatabaseResult};
use crate::store::index::database::value::ValueRef;

/// A statement for one use, or one that goes back into the cache of its connection.
pub enum RawStatement<'d> {
    Once(rusqlite::Statement<'d>),
    Cached(CachedStatement<'d>),
}

/// The rows of a statement that runs.
pub struct RawRows<'s>(rusqlite::Rows<'s>);

/// A row.
#[derive(Clone, Copy)]
pub struct RawRow<'r>(&'r rusqlite::Row<'r>);

/// A transaction.
pub struct RawTransaction<'d>(rusqlite::Transaction<'d>);

impl<'d> RawStatement<'d> {
    fn statement(&mut self) -> &mut rusqlite::Statement<'d> {
        match self {
            Self::Once(statement) => statement,
            Self::Cached(statement) => statement,
        }
    }

    /// Runs the statement and returns the number of rows that it changed.
    pub fn execute(&mut self, values: &[ValueRef<'_>]) -> DatabaseResult<usize> {
        Ok(self.statement().execute(params_from_iter(values))?)
    }

    /// Runs the statement.
    pub fn query(&mut self, values: &[ValueRef<'_>]) -> DatabaseResult<RawRows<'_>> {
        Ok(RawRows(self.statement().query(params_from_iter(values))?))
    }
}

impl RawRows<'_> {
    /// Reads the next row.
    pub fn next(&mut self) -> DatabaseResult<Option<RawRow<'_>>> {
        Ok(self.0.next()?.map(RawRow))
    }
}

impl<'r> RawRow<'r> {
    /// Returns the value of a column.
    pub fn value(self, column: usize) -> DatabaseResult<ValueRef<'r>> {
        Ok(match self.0.get_ref(column)? {
            types::ValueRef::Null => ValueRef::Null,
            types::ValueRef::Integer(number) => ValueRef::Integer(number),
            types::ValueRef::Real(number) => ValueRef::Real(number),
            types::ValueRef::Text(text) => ValueRef::Text(text),
            types::ValueRef::Blob(blob) => ValueRef::Blob(blob),
        })
    }

    /// Returns the position of a column.
    pub fn position(self, name: &str) -> DatabaseResult<usize> {
        Ok(self.0.as_ref().column_index(name)?)
    }

    /// Returns the number of columns.
    pub fn column_count(self) -> usize {
        self.0.as_ref().column_count()
    }

    /// Returns the name of a column.
    pub fn name(self, column: usize) -> &'r str {
        self.0.as_ref().column_name(column).unwrap_or_default()
    }
}

impl<'d> RawTransaction<'d> {
    /// Begins a transaction.
    pub fn begin(connection: &'d Connection, behavior: TransactionBehavior) -> DatabaseResult<Self> {
        Ok(Self(rusqlite::Transaction::new_unchecked(connection, behavior)?))
    }

    /// Commits the transaction.
    pub fn commit(self) -> DatabaseResult<()> {
        Ok(self.0.commit()?)
    }
}

impl ToSql for ValueRef<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match *self {
            Self::Null => types::ValueRef::Null,
            Self::Integer(number) => types::ValueRef::Integer(number),
            Self::Real(number) => types::ValueRef::Real(number),
            Self::Text(text) => types::ValueRef::Text(text),
            Self::Blob(blob) => types::ValueRef::Blob(blob),
        }))
    }
}

impl From<rusqlite::Error> for DatabaseError {
    fn from(error: rusqlite::Error) -> Self {
        let failure = match error.sqlite_error() {
            Some(failure) => failure_of(*failure),
            None if matches!(error, rusqlite::Error::QueryReturnedNoRows) => return Self::NoRow,
            // The value does not have the type of its column.
            None => DatabaseFailure::Damaged,
        };
        Self::Failed { failure, reason: error.to_string() }
    }
}

fn failure_of(error: ffi::Error) -> DatabaseFailure {
    match error.code {
        ErrorCode::NotADatabase => DatabaseFailure::NotADatabase,
        ErrorCode::DatabaseCorrupt => DatabaseFailure::Damaged,
        ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => DatabaseFailure::Busy,
        ErrorCode::DiskFull => DatabaseFailure::Full,
        // The memory that processes share is a file, whose blocks are allocated when it grows.
        _ if error.extended_code == ffi::SQLITE_IOERR_SHMSIZE => DatabaseFailure::Full,
        ErrorCode::ReadOnly | ErrorCode::PermissionDenied => DatabaseFailure::ReadOnly,
        ErrorCode::CannotOpen => DatabaseFailure::CannotOpen,
        ErrorCode::SystemIoFailure => DatabaseFailure::Disk,
        ErrorCode::ConstraintViolation => DatabaseFailure::Constraint,
        _ => DatabaseFailure::Other,
    }
}
