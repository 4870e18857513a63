//! The types of the driver behind those of the database, and its errors.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::error::Error as _;
use std::vec;

use postgres::error::SqlState;
use postgres::types::private::BytesMut;
use postgres::types::{FromSql, IsNull, ToSql, Type, to_sql_checked};
use postgres::{Client, Row, SimpleQueryMessage};

use crate::store::index::database::error::{DatabaseError, DatabaseFailure, DatabaseResult, strange};
use crate::store::index::database::value::ValueRef;

/// The rows that one FETCH reads.
const ROWS_OF_A_FETCH: usize = 1000;

/// What distinguishes a statement: its text and the types of its values.
type StatementKey = (String, Vec<Type>);

/// A session of the server: its connection, and the statements that it has prepared.
pub struct Session {
    client: RefCell<Client>,
    /// The statements that were used.
    used: RefCell<HashMap<StatementKey, UsedStatement>>,
    /// The number of the next cursor.
    next_cursor: Cell<u64>,
    /// How many cursors are open.
    open_cursors: Cell<usize>,
    block: Cell<Block>,
    /// True when a statement of the block failed: nothing of it can be committed.
    has_failed: Cell<bool>,
    commits: Commits,
}

/// A statement that was used.
#[derive(Clone)]
enum UsedStatement {
    /// So often, without being prepared.
    Times(u8),
    Prepared(postgres::Statement),
}

/// How many times a statement is sent before it is prepared, which takes a message of its own.
const UNPREPARED_USES: u8 = 3;

/// Whether the commits of a session wait for the disk.
struct Commits {
    /// The value of `synchronous_commit` with which they do.
    waiting: RefCell<String>,
    /// Whether the session has this value now, and not `off`.
    wait: Cell<bool>,
    /// True within [`Session::lightly`].
    may_be_lost: Cell<bool>,
}

/// The transaction block of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Block {
    None,
    /// A block that was begun for a cursor, and ends with the last one.
    ForCursors,
    /// A block that a caller began.
    Explicit,
}

/// A statement.
pub struct PostgresStatement<'d> {
    session: &'d Session,
    sql: String,
}

/// The rows of a statement.
pub enum PostgresRows<'s> {
    All { rows: vec::IntoIter<Row>, current: Option<Row> },
    Cursor(Cursor<'s>),
}

/// A cursor, which reads rows in parts.
pub struct Cursor<'s> {
    session: &'s Session,
    number: u64,
    rows: vec::IntoIter<Row>,
    current: Option<Row>,
    is_at_end: bool,
}

/// A row.
#[derive(Clone, Copy)]
pub struct PostgresRow<'r>(&'r Row);

impl Session {
    pub fn new(client: Client) -> Self {
        Self {
            client: RefCell::new(client),
            used: RefCell::default(),
            next_cursor: Cell::new(0),
            open_cursors: Cell::new(0),
            block: Cell::new(Block::None),
            has_failed: Cell::new(false),
            commits: Commits {
                waiting: RefCell::new("on".to_owned()),
                wait: Cell::new(true),
                may_be_lost: Cell::new(false),
            },
        }
    }

    /// Notes the value of `synchronous_commit` that the session has.
    pub fn commits_wait_as(&self, value: &str) {
        *self.commits.waiting.borrow_mut() = value.to_owned();
    }

    /// Runs statements, after which commits do not wait for the disk, until the next change that is not one of
    /// [`lightly`](Self::lightly).
    pub fn commit_lightly(&self, sql: &str) -> DatabaseResult<()> {
        self.batch(&format!("SET synchronous_commit = off; {sql}"))?;
        self.commits.wait.set(false);
        Ok(())
    }

    /// Runs changes whose commits do not wait for the disk.
    pub fn lightly(&self, write: impl FnOnce() -> DatabaseResult<()>) -> DatabaseResult<()> {
        if self.commits.wait.get() {
            self.commit_lightly("")?;
        }
        self.commits.may_be_lost.set(true);
        let written = write();
        self.commits.may_be_lost.set(false);
        written
    }

    /// Returns the value of `synchronous_commit` that the next change needs, when the session has another one.
    fn other_commit(&self) -> Option<String> {
        let is_other = !self.commits.wait.get() && !self.commits.may_be_lost.get();
        is_other.then(|| self.commits.waiting.borrow().clone())
    }

    pub fn block(&self) -> Block {
        self.block.get()
    }

    /// Returns true when a statement of the block failed.
    pub fn has_failed(&self) -> bool {
        self.has_failed.get()
    }

    /// Runs statements without values.
    pub fn batch(&self, sql: &str) -> DatabaseResult<()> {
        let done = self.client.borrow_mut().batch_execute(sql);
        self.noted(done)
    }

    /// Runs statements without values in one message, and returns the last row as texts; NULL is an empty one.
    pub fn last_row(&self, sql: &str) -> DatabaseResult<Vec<String>> {
        let done = self.client.borrow_mut().simple_query(sql);
        let row = self.noted(done)?.into_iter().rev().find_map(|message| match message {
            SimpleQueryMessage::Row(row) => Some(row),
            _ => None,
        });
        let row = row.ok_or(DatabaseError::NoRow)?;
        (0..row.len()).map(|column| Ok(row.try_get(column)?.unwrap_or_default().to_owned())).collect()
    }

    /// Begins a block that a caller ends.
    pub fn begin(&self, sql: &str) -> DatabaseResult<()> {
        self.batch(sql)?;
        self.has_begun();
        Ok(())
    }

    /// Begins a block that a caller ends. Returns the number of its transaction.
    pub fn begin_numbered(&self, sql: &str) -> DatabaseResult<String> {
        // One message: the number must be known before a COMMIT whose answer can be lost.
        // A setting of the session would be undone with the transaction.
        let commit =
            self.other_commit().map_or(String::new(), |value| format!("SET LOCAL synchronous_commit = {value}; "));
        let row = self.last_row(&format!("{sql}; {commit}SELECT pg_current_xact_id()::text"));
        // The first statement may have begun a block.
        let row = row.inspect_err(|_| drop(self.batch("ROLLBACK")))?;
        self.has_begun();
        row.into_iter().next().ok_or(DatabaseError::NoRow)
    }

    fn has_begun(&self) {
        self.has_failed.set(false);
        self.block.set(Block::Explicit);
    }

    /// Ends a block.
    pub fn end(&self, sql: &str) -> DatabaseResult<()> {
        self.block.set(Block::None);
        self.batch(sql)
    }

    /// A statement that fails ends what its block can do.
    fn noted<T>(&self, result: Result<T, postgres::Error>) -> DatabaseResult<T> {
        if result.is_err() {
            self.has_failed.set(true);
        }
        Ok(result?)
    }

    /// Returns the prepared statement; `None` at its first uses, for which one message to the server and back is enough. What is
    /// used more often is prepared.
    fn prepared(&self, sql: &str, types: &[Type]) -> DatabaseResult<Option<postgres::Statement>> {
        let key = (sql.to_owned(), types.to_owned());
        let known = self.used.borrow().get(&key).cloned();
        let used = match known {
            Some(UsedStatement::Prepared(statement)) => return Ok(Some(statement)),
            Some(UsedStatement::Times(UNPREPARED_USES..)) => {
                let prepared = self.client.borrow_mut().prepare_typed(sql, types);
                UsedStatement::Prepared(self.noted(prepared)?)
            }
            Some(UsedStatement::Times(times)) => UsedStatement::Times(times + 1),
            None => UsedStatement::Times(1),
        };
        self.used.borrow_mut().insert(key, used.clone());
        Ok(match used {
            UsedStatement::Prepared(statement) => Some(statement),
            UsedStatement::Times(_) => None,
        })
    }

    /// Runs a statement and returns all its rows.
    pub fn all(&self, sql: &str, values: &[ValueRef<'_>]) -> DatabaseResult<Vec<Row>> {
        let typed = typed(values);
        let rows = match self.prepared(sql, &types_of(values))? {
            Some(statement) => self.client.borrow_mut().query(&statement, &untyped(&typed)),
            None => self.client.borrow_mut().query_typed(sql, &typed),
        };
        self.noted(rows)
    }

    fn execute(&self, sql: &str, values: &[ValueRef<'_>]) -> DatabaseResult<usize> {
        // A block has its value from its beginning on.
        if self.block.get() == Block::None
            && let Some(value) = self.other_commit()
        {
            self.batch(&format!("SET synchronous_commit = {value}"))?;
            self.commits.wait.set(true);
        }
        let typed = typed(values);
        let changed = match self.prepared(sql, &types_of(values))? {
            Some(statement) => self.client.borrow_mut().execute(&statement, &untyped(&typed)),
            None => self.client.borrow_mut().execute_typed(sql, &typed),
        };
        self.noted(changed).map(|changed| usize::try_from(changed).unwrap_or(usize::MAX))
    }

    /// Opens a cursor, within a block of its own when there is none.
    fn cursor(&self, sql: &str, values: &[ValueRef<'_>]) -> DatabaseResult<Cursor<'_>> {
        if self.block.get() == Block::None {
            self.batch("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")?;
            self.block.set(Block::ForCursors);
        }
        let number = self.next_cursor.get();
        self.next_cursor.set(number + 1);
        self.open_cursors.set(self.open_cursors.get() + 1);
        // From here on, dropping the cursor ends it.
        let cursor = Cursor { session: self, number, rows: Vec::new().into_iter(), current: None, is_at_end: false };
        let declare = format!("DECLARE c{number} NO SCROLL CURSOR FOR {sql}");
        let declared = self.client.borrow_mut().query_typed(&declare, &typed(values));
        self.noted(declared)?;
        Ok(cursor)
    }
}

impl Drop for Cursor<'_> {
    fn drop(&mut self) {
        let session = self.session;
        session.open_cursors.set(session.open_cursors.get() - 1);
        match session.block.get() {
            // The end of the block closes its cursors; it has only read, so that it has nothing to lose.
            Block::ForCursors if session.open_cursors.get() == 0 => drop(session.end("ROLLBACK")),
            Block::Explicit if !session.has_failed.get() => drop(session.batch(&format!("CLOSE c{}", self.number))),
            _ => {}
        }
    }
}

impl<'d> PostgresStatement<'d> {
    /// Makes a statement of the portable SQL, whose values are `?1`, `?2` and so on.
    pub fn new(session: &'d Session, sql: &str) -> Self {
        Self { session, sql: with_dollars(sql) }
    }

    /// Runs the statement and returns the number of rows that it changed.
    pub fn execute(&mut self, values: &[ValueRef<'_>]) -> DatabaseResult<usize> {
        self.session.execute(&self.sql, values)
    }

    /// Runs the statement. Its rows are read in parts.
    pub fn query(&mut self, values: &[ValueRef<'_>]) -> DatabaseResult<PostgresRows<'_>> {
        self.session.cursor(&self.sql, values).map(PostgresRows::Cursor)
    }

    /// Runs the statement and reads all its rows at once.
    pub fn query_few(&mut self, values: &[ValueRef<'_>]) -> DatabaseResult<PostgresRows<'_>> {
        let rows = self.session.all(&self.sql, values)?.into_iter();
        Ok(PostgresRows::All { rows, current: None })
    }
}

impl PostgresRows<'_> {
    /// Reads the next row.
    pub fn next(&mut self) -> DatabaseResult<Option<PostgresRow<'_>>> {
        match self {
            Self::All { rows, current } => {
                *current = rows.next();
                Ok(current.as_ref().map(PostgresRow))
            }
            Self::Cursor(cursor) => cursor.next(),
        }
    }
}

impl Cursor<'_> {
    fn next(&mut self) -> DatabaseResult<Option<PostgresRow<'_>>> {
        self.current = self.rows.next();
        if self.current.is_none() && !self.is_at_end {
            let fetch = format!("FETCH FORWARD {ROWS_OF_A_FETCH} FROM c{}", self.number);
            let fetched = self.session.client.borrow_mut().query_typed(&fetch, &[]);
            let rows = self.session.noted(fetched)?;
            self.is_at_end = rows.len() < ROWS_OF_A_FETCH;
            self.rows = rows.into_iter();
            self.current = self.rows.next();
        }
        Ok(self.current.as_ref().map(PostgresRow))
    }
}

impl<'r> PostgresRow<'r> {
    /// Returns the value of a column.
    pub fn value(self, column: usize) -> DatabaseResult<ValueRef<'r>> {
        match self.0.try_get::<usize, Option<Borrowed<'r>>>(column) {
            Ok(value) => Ok(value.map_or(ValueRef::Null, |value| value.0)),
            Err(_) => Err(strange(self.name(column))),
        }
    }

    /// Returns the position of a column.
    pub fn position(self, name: &str) -> DatabaseResult<usize> {
        self.0.columns().iter().position(|column| column.name() == name).ok_or_else(|| strange(name))
    }

    /// Returns the number of columns.
    pub fn column_count(self) -> usize {
        self.0.len()
    }

    /// Returns the name of a column.
    pub fn name(self, column: usize) -> &'r str {
        self.0.columns().get(column).map_or("", |column| column.name())
    }
}

/// Returns the SQL with `$1` for `?1`. No statement of this program has a question mark in a text.
fn with_dollars(sql: &str) -> String {
    sql.replace('?', "$")
}

fn types_of(values: &[ValueRef<'_>]) -> Vec<Type> {
    values.iter().map(type_of).collect()
}

/// Returns the values as the driver takes them, each with its type.
fn typed<'v>(values: &'v [ValueRef<'v>]) -> Vec<(&'v (dyn ToSql + Sync), Type)> {
    values.iter().map(|value| (value as &(dyn ToSql + Sync), type_of(value))).collect()
}

fn untyped<'v>(typed: &[(&'v (dyn ToSql + Sync), Type)]) -> Vec<&'v (dyn ToSql + Sync)> {
    typed.iter().map(|(value, _)| *value).collect()
}

/// Returns the type that the server is to read a value as; NULL has the type of its place.
fn type_of(value: &ValueRef<'_>) -> Type {
    match value {
        ValueRef::Null => Type::UNKNOWN,
        ValueRef::Integer(_) => Type::INT8,
        ValueRef::Real(_) => Type::FLOAT8,
        ValueRef::Text(_) => Type::TEXT,
        ValueRef::Blob(_) => Type::BYTEA,
    }
}

/// The binary formats of the server are those of the wire: numbers in network order, texts and bytes as they are.
impl ToSql for ValueRef<'_> {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        match self {
            Self::Null => return Ok(IsNull::Yes),
            Self::Integer(number) => out.extend_from_slice(&number.to_be_bytes()),
            Self::Real(number) => out.extend_from_slice(&number.to_be_bytes()),
            Self::Text(bytes) | Self::Blob(bytes) => out.extend_from_slice(bytes),
        }
        Ok(IsNull::No)
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

/// A value that is borrowed from a row.
struct Borrowed<'r>(ValueRef<'r>);

impl<'r> FromSql<'r> for Borrowed<'r> {
    fn from_sql(kind: &Type, raw: &'r [u8]) -> Result<Self, Box<dyn std::error::Error + Sync + Send>> {
        Ok(Self(match *kind {
            Type::INT8 => ValueRef::Integer(i64::from_be_bytes(raw.try_into()?)),
            Type::INT4 => ValueRef::Integer(i32::from_be_bytes(raw.try_into()?).into()),
            Type::INT2 => ValueRef::Integer(i16::from_be_bytes(raw.try_into()?).into()),
            Type::BOOL => ValueRef::Integer(i64::from(raw != [0])),
            Type::FLOAT8 => ValueRef::Real(f64::from_be_bytes(raw.try_into()?)),
            Type::BYTEA => ValueRef::Blob(raw),
            _ => ValueRef::Text(raw),
        }))
    }

    fn accepts(kind: &Type) -> bool {
        [
            Type::INT8,
            Type::INT4,
            Type::INT2,
            Type::BOOL,
            Type::FLOAT8,
            Type::BYTEA,
            Type::TEXT,
            Type::VARCHAR,
            Type::NAME,
        ]
        .contains(kind)
    }
}

impl From<postgres::Error> for DatabaseError {
    fn from(error: postgres::Error) -> Self {
        let failure = match error.code() {
            Some(code) => failure_of(code),
            None => DatabaseFailure::Unreachable,
        };
        Self::Failed { failure, reason: reason_of(&error) }
    }
}

/// Returns what the server says, or what the system says of the connection.
fn reason_of(error: &postgres::Error) -> String {
    if let Some(said) = error.as_db_error() {
        return match said.detail() {
            Some(detail) => format!("{} ({detail})", said.message()),
            None => said.message().to_owned(),
        };
    }
    let mut reason = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !reason.contains(&cause_text) {
            reason = format!("{reason}: {cause_text}");
        }
        source = cause.source();
    }
    reason
}

/// The classes of docs "PostgreSQL Error Codes", appendix A.
fn failure_of(code: &SqlState) -> DatabaseFailure {
    match code.code() {
        "53100" => DatabaseFailure::Full,
        // The table, or its schema.
        "42P01" | "3F000" => DatabaseFailure::NoTable,
        "25006" | "42501" => DatabaseFailure::ReadOnly,
        "55P03" | "40P01" => DatabaseFailure::Busy,
        "57P01" | "57P02" | "57P03" | "57P05" => DatabaseFailure::Unreachable,
        "58030" => DatabaseFailure::Disk,
        "XX001" | "XX002" => DatabaseFailure::Damaged,
        code if code.starts_with("08") || code.starts_with("28") || code.starts_with("3D") || code == "53300" => {
            DatabaseFailure::Unreachable
        }
        code if code.starts_with("23") => DatabaseFailure::Constraint,
        _ => DatabaseFailure::Other,
    }
}
