//! The database below the index: the only module that knows the libraries of the engines, SQLite and PostgreSQL. Everything above it speaks these types: a
//! [`Database`] prepares a statement, whose rows are read one [`Row`] at a time, and a row has a [`ValueRef`] in each column.
//!
//! Nothing is copied on the way: a value that is bound is borrowed, and so is a value that is read. A statement that
//! [`Database::prepare_cached`] returns is prepared once for each connection.

mod error;
mod handle;
pub(super) mod postgres;
pub(super) mod sqlite;
mod statement;
mod value;

/// A query that finds a row when a transaction was committed, and in no other case: a server is asked it when the connection breaks
/// during COMMIT.
pub struct Proof<'p> {
    pub sql: &'p str,
    pub values: &'p [ValueRef<'p>],
}

pub(super) use error::{DatabaseError, DatabaseFailure, DatabaseResult, OptionalRow, strange};
pub(super) use handle::{Database, DatabaseTransaction};
pub(super) use statement::Row;
pub(super) use value::{ToValue, Value, ValueRef, values};
