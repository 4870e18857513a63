//! The failures of a database, without the types of an engine.

/// The result of a call of the database.
pub type DatabaseResult<T> = Result<T, DatabaseError>;

/// Why a call of the database failed.
#[derive(Debug, thiserror::Error)]
pub enum DatabaseError {
    #[error("there is no row where one is expected")]
    NoRow,
    /// A value that this program never writes.
    #[error("unknown value in column {column}")]
    UnknownValue { column: String },
    /// The reason is the engine's own text.
    #[error("{reason}")]
    Failed { failure: DatabaseFailure, reason: String },
}

/// The kinds of failures that the index reports in different ways.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DatabaseFailure {
    /// The file is not a database.
    NotADatabase,
    /// The content of the database is damaged.
    Damaged,
    /// Another program has the database locked.
    Busy,
    /// The disk is full.
    Full,
    ReadOnly,
    /// A file of the database cannot be opened or created.
    CannotOpen,
    /// The disk cannot be read or written.
    Disk,
    /// The database does not have a table of this name.
    NoTable,
    /// A constraint of a table does not allow the change.
    Constraint,
    /// The server cannot be reached, or does not accept the user; nothing was changed.
    Unreachable,
    /// The server would lose what it confirms.
    Unsafe,
    /// The connection broke during a commit, and the outcome cannot be asked for.
    UnknownOutcome,
    Other,
}

impl DatabaseError {
    /// Returns the kind of failure that the engine reported; `None` when it reported none.
    pub fn failure(&self) -> Option<DatabaseFailure> {
        match self {
            Self::Failed { failure, .. } => Some(*failure),
            Self::NoRow | Self::UnknownValue { .. } => None,
        }
    }
}

/// Returns the error for a value that this program never writes.
pub fn strange(column: &str) -> DatabaseError {
    DatabaseError::UnknownValue { column: column.to_owned() }
}

/// Makes "there is no row" a value.
pub trait OptionalRow<T> {
    /// Returns `None` when there is no row.
    ///
    /// # Errors
    /// Every other error.
    fn optional(self) -> DatabaseResult<Option<T>>;
}

impl<T> OptionalRow<T> for DatabaseResult<T> {
    fn optional(self) -> DatabaseResult<Option<T>> {
        match self {
            Err(DatabaseError::NoRow) => Ok(None),
            found => found.map(Some),
        }
    }
}
