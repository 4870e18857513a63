//! Statements, and the rows that they return one by one.

use super::error::{DatabaseError, DatabaseResult, strange};
use super::sqlite::raw::{RawRow, RawRows, RawStatement};
use super::value::{FromValue, ValueRef};

/// A prepared statement.
pub struct Statement<'d>(pub(super) RawStatement<'d>);

/// The rows of a statement that runs.
pub struct Rows<'s>(RawRows<'s>);

/// A row, until the next one is read.
#[derive(Clone, Copy)]
pub struct Row<'r>(pub(super) RawRow<'r>);

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
        self.0.execute(values)
    }

    /// Runs a statement and returns its rows.
    ///
    /// # Errors
    /// When the database reports one.
    pub fn query(&mut self, values: &[ValueRef<'_>]) -> DatabaseResult<Rows<'_>> {
        self.0.query(values).map(Rows)
    }

    /// Runs a statement and converts its rows.
    ///
    /// # Errors
    /// When the database reports one.
    pub fn query_map<T, F: FnMut(&Row<'_>) -> DatabaseResult<T>>(
        &mut self,
        values: &[ValueRef<'_>],
        read: F,
    ) -> DatabaseResult<MappedRows<'_, F>> {
        Ok(MappedRows { rows: self.query(values)?, read })
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
        match self.query(values)?.next()? {
            Some(row) => read(&row),
            None => Err(DatabaseError::NoRow),
        }
    }

    /// Returns the number of columns of each row.
    pub fn column_count(&self) -> usize {
        self.0.column_count()
    }
}

impl Rows<'_> {
    /// Reads the next row; `None` after the last one.
    ///
    /// # Errors
    /// When the database reports one.
    pub fn next(&mut self) -> DatabaseResult<Option<Row<'_>>> {
        Ok(self.0.next()?.map(Row))
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
        T::from_value(self.0.value(position)?).ok_or_else(|| strange(self.0.name(position)))
    }

    /// Returns the value of a column as it is stored.
    ///
    /// # Errors
    /// When there is no such column.
    pub fn get_ref(&self, column: usize) -> DatabaseResult<ValueRef<'r>> {
        self.0.value(column)
    }

    /// Returns a text without a copy.
    ///
    /// # Errors
    /// When there is no such column, or it has a value of another type.
    pub fn text(&self, column: usize) -> DatabaseResult<&'r str> {
        self.get_ref(column)?.as_str().ok_or_else(|| strange(self.0.name(column)))
    }

    /// Returns bytes without a copy.
    ///
    /// # Errors
    /// When there is no such column, or it has a value of another type.
    pub fn blob(&self, column: usize) -> DatabaseResult<&'r [u8]> {
        self.get_ref(column)?.as_blob().ok_or_else(|| strange(self.0.name(column)))
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
        row.0.position(self)
    }
}
