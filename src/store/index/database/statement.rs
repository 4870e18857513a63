//! Statements, and the rows that they return one by one.

use super::error::{DatabaseError, DatabaseResult, strange};
use super::postgres::raw::{PostgresRow, PostgresRows, PostgresStatement};
use super::sqlite::raw::{RawRow, RawRows, RawStatement};
use super::value::{FromValue, ValueRef};

/// A prepared statement.
pub enum Statement<'d> {
    Sqlite(RawStatement<'d>),
    Postgres(PostgresStatement<'d>),
}

/// The rows of a statement that runs.
pub enum Rows<'s> {
    Sqlite(RawRows<'s>),
    Postgres(PostgresRows<'s>),
}

/// A row, until the next one is read.
#[derive(Clone, Copy)]
pub enum Row<'r> {
    Sqlite(RawRow<'r>),
    Postgres(PostgresRow<'r>),
}

/// The rows of a statement, each converted.
pub struct MappedRows<'s, F> {
    rows: Rows<'s>,
    read: F,
}

impl Statement<'_> {
    /// Runs a statement that returns no rows. Returns the number of rows that it changed.
    ///
    /// # Errors
    /// When the database reports one.
    pub fn execute(&mut self, values: &[ValueRef<'_>]) -> DatabaseResult<usize> {
        match self {
            Self::Sqlite(statement) => statement.execute(values),
            Self::Postgres(statement) => statement.execute(values),
        }
    }

    /// Runs a statement and returns its rows, which are read as they are needed, however many there are.
    ///
    /// # Errors
    /// When the database reports one.
    pub fn query(&mut self, values: &[ValueRef<'_>]) -> DatabaseResult<Rows<'_>> {
        match self {
            Self::Sqlite(statement) => statement.query(values).map(Rows::Sqlite),
            Self::Postgres(statement) => statement.query(values).map(Rows::Postgres),
        }
    }

    /// Runs a statement and converts its rows. Of a server they are read at once: it is for the rows of one name or authority.
    ///
    /// # Errors
    /// When the database reports one.
    pub fn query_map<T, F: FnMut(&Row<'_>) -> DatabaseResult<T>>(
        &mut self,
        values: &[ValueRef<'_>],
        read: F,
    ) -> DatabaseResult<MappedRows<'_, F>> {
        let rows = match self {
            Self::Sqlite(statement) => statement.query(values).map(Rows::Sqlite)?,
            Self::Postgres(statement) => statement.query_few(values).map(Rows::Postgres)?,
        };
        Ok(MappedRows { rows, read })
    }

    /// Runs a statement and converts its first row.
    ///
    /// # Errors
    /// When there is no row, or the database reports an error.
    pub fn query_row<T>(
        &mut self,
        values: &[ValueRef<'_>],
        read: impl FnOnce(&Row<'_>) -> DatabaseResult<T>,
    ) -> DatabaseResult<T> {
        let mut rows = match self {
            Self::Sqlite(statement) => statement.query(values).map(Rows::Sqlite)?,
            Self::Postgres(statement) => statement.query_few(values).map(Rows::Postgres)?,
        };
        match rows.next()? {
            Some(row) => read(&row),
            None => Err(DatabaseError::NoRow),
        }
    }
}

impl Rows<'_> {
    /// Reads the next row; `None` after the last one.
    ///
    /// # Errors
    /// When the database reports one.
    pub fn next(&mut self) -> DatabaseResult<Option<Row<'_>>> {
        Ok(match self {
            Self::Sqlite(rows) => rows.next()?.map(Row::Sqlite),
            Self::Postgres(rows) => rows.next()?.map(Row::Postgres),
        })
    }
}

impl<T, F: FnMut(&Row<'_>) -> DatabaseResult<T>> Iterator for MappedRows<'_, F> {
    type Item = DatabaseResult<T>;

    fn next(&mut self) -> Option<Self::Item> {
        let Self { rows, read } = self;
        rows.next().and_then(|row| row.map(|row| read(&row)).transpose()).transpose()
    }
}

impl<'r> Row<'r> {
    /// Returns the value of a column in a type of this program.
    ///
    /// # Errors
    /// When there is no such column, or it has a value of another type.
    pub fn get<C: ColumnIndex, T: FromValue>(&self, column: C) -> DatabaseResult<T> {
        let position = column.position(self)?;
        T::from_value(self.get_ref(position)?).ok_or_else(|| strange(self.name(position)))
    }

    /// Returns the value of a column as it is stored.
    ///
    /// # Errors
    /// When there is no such column.
    pub fn get_ref(&self, column: usize) -> DatabaseResult<ValueRef<'r>> {
        match self {
            Self::Sqlite(row) => row.value(column),
            Self::Postgres(row) => row.value(column),
        }
    }

    /// Returns a text without a copy.
    ///
    /// # Errors
    /// When there is no such column, or it has a value of another type.
    pub fn text(&self, column: usize) -> DatabaseResult<&'r str> {
        self.get_ref(column)?.as_str().ok_or_else(|| strange(self.name(column)))
    }

    /// Returns bytes without a copy.
    ///
    /// # Errors
    /// When there is no such column, or it has a value of another type.
    pub fn blob(&self, column: usize) -> DatabaseResult<&'r [u8]> {
        self.get_ref(column)?.as_blob().ok_or_else(|| strange(self.name(column)))
    }
}

impl<'r> Row<'r> {
    /// Returns the position of a column.
    ///
    /// # Errors
    /// When there is no such column.
    pub fn position(&self, name: &str) -> DatabaseResult<usize> {
        name.position(self)
    }

    /// Returns the number of columns.
    pub fn column_count(&self) -> usize {
        match self {
            Self::Sqlite(row) => row.column_count(),
            Self::Postgres(row) => row.column_count(),
        }
    }

    /// Returns the name of a column; empty when there is no such column.
    pub fn name(&self, column: usize) -> &'r str {
        match self {
            Self::Sqlite(row) => row.name(column),
            Self::Postgres(row) => row.name(column),
        }
    }
}

/// What names a column: its position, or its name.
pub trait ColumnIndex: Copy {
    /// Returns the position of the column.
    ///
    /// # Errors
    /// When the row does not have it.
    fn position(self, row: &Row<'_>) -> DatabaseResult<usize>;
}

impl ColumnIndex for usize {
    fn position(self, _: &Row<'_>) -> DatabaseResult<usize> {
        Ok(self)
    }
}

impl ColumnIndex for &str {
    fn position(self, row: &Row<'_>) -> DatabaseResult<usize> {
        match row {
            Row::Sqlite(row) => row.position(self),
            Row::Postgres(row) => row.position(self),
        }
    }
}
