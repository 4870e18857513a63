//! PostgreSQL: a session of a server, with the promises of the index. Only this module uses the driver.

pub(super) mod raw;
pub(in crate::store::index) mod tls;

use std::ops::Deref;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

use postgres::config::{ChannelBinding, SslMode};
use postgres::{Config, NoTls};
use rustls::ClientConfig;

use super::Proof;
use super::error::{DatabaseError, DatabaseFailure, DatabaseResult, strange};
use super::value::ValueRef;
use crate::store::index::postgres_location::{PostgresLocation, Server};
use raw::{Block, PostgresStatement, Session};
use tls::MakeTls;

/// How long a connection may take, usually.
pub const MOST_CONNECTING: Duration = Duration::from_secs(10);
/// The oldest server that is used: `pg_current_xact_id` is of version 13.
const OLDEST_VERSION: i64 = 130_000;
/// "caIX": the first number of the advisory lock of the writers; the second one is made of the schema.
const LOCK_CLASS: i32 = 0x6361_4958;
/// "caID": the first number of the lock that a session shares while it delivers what it has recorded.
const DELIVERY_CLASS: i32 = 0x6361_4944;
/// How long the outcome of a commit is asked for, and the pause between.
const OUTCOME_PATIENCE: Duration = Duration::from_secs(30);
const OUTCOME_PAUSE: Duration = Duration::from_millis(500);

/// Looks into each table that an issue reads or changes: the first look of a session takes up to a millisecond for each.
const OPEN_TABLES: &str =
    "SELECT 1 FROM version; SELECT max(at) FROM event; SELECT 1 FROM event ORDER BY number DESC LIMIT 1;
    SELECT EXISTS (SELECT 1 FROM certificate WHERE name = ''); SELECT max(id) FROM certificate;
    SELECT 1 FROM certificate WHERE serial = '' UNION ALL SELECT 1 FROM imported_revocation WHERE serial = ''
        UNION ALL SELECT 1 FROM imported_serial WHERE serial = '';
    SELECT 1 FROM san WHERE value = ''; SELECT 1 FROM hook WHERE name = ''; SELECT 1 FROM file_rules WHERE name = '';
    SELECT 1 FROM declaration WHERE name = ''";

/// What is needed to connect beside the location.
#[derive(Clone)]
pub struct Credentials {
    pub user: String,
    /// `None` when the server is to ask for none.
    pub password: Option<String>,
    /// `None` without TLS.
    pub tls: Option<Arc<ClientConfig>>,
    /// How long it may take until the server has accepted the user.
    pub patience: Duration,
}

/// A session of a server.
pub struct PostgresDatabase {
    session: Session,
    location: PostgresLocation,
    credentials: Credentials,
}

/// A session that is being made in a thread of its own: neither the name service, nor a server that accepts a connection and does not
/// answer, has a time limit.
#[derive(Debug)]
pub struct Connecting {
    made: Receiver<DatabaseResult<PostgresDatabase>>,
    begin: Instant,
    patience: Duration,
}

/// A transaction. When it is dropped, nothing is changed.
pub struct PostgresTransaction<'d> {
    database: &'d PostgresDatabase,
    is_open: bool,
    /// The number of a transaction that writes, with which the server is asked for its outcome.
    number: Option<String>,
}

impl PostgresDatabase {
    /// Begins to connect.
    pub fn begin(location: &PostgresLocation, credentials: &Credentials) -> Connecting {
        let (location, credentials) = (location.clone(), credentials.clone());
        Connecting::run(credentials.patience, move || Self::connect_without_limit(location, credentials))
    }

    /// Connects, and checks that the server keeps what it confirms.
    ///
    /// # Errors
    /// When the server cannot be reached, does not accept the user, is too old, or would lose confirmed records.
    pub fn connect(location: &PostgresLocation, credentials: &Credentials) -> DatabaseResult<Self> {
        Self::begin(location, credentials).finish()
    }

    fn connect_without_limit(location: PostgresLocation, credentials: Credentials) -> DatabaseResult<Self> {
        let session = Session::new(client(&location, &credentials)?);
        let database = Self { session, location, credentials };
        database.set_up()?;
        Ok(database)
    }

    /// Makes the settings of the session, and checks those of the server, in one message.
    fn set_up(&self) -> DatabaseResult<()> {
        // The schema is an identifier without characters that would end the quotes. Compiling the query of a list to machine code takes
        // the server more than a second, and does not make it faster.
        let row = self.session.last_row(&format!(
            "SET search_path = \"{}\"; SET tcp_keepalives_idle = 30; SET tcp_keepalives_interval = 10;
             SET tcp_keepalives_count = 3; SET standard_conforming_strings = on; SET client_encoding = 'UTF8';
             SET bytea_output = 'hex'; SET jit = off;
             SELECT current_setting('server_version_num'), current_setting('fsync'), current_setting('full_page_writes'),
                    current_setting('synchronous_commit'), current_setting('server_encoding')",
            self.location.schema
        ))?;
        let [version, fsync, full_page_writes, synchronous_commit, encoding] = &row[..] else {
            return Err(DatabaseError::NoRow);
        };
        let refuse = |reason: String| Err(DatabaseError::Failed { failure: DatabaseFailure::Unsafe, reason });
        let version: i64 = version.parse().map_err(|_| strange("server_version_num"))?;
        if version < OLDEST_VERSION {
            return refuse(format!("the server has version {}, but 13 or later is needed", version / 10_000));
        }
        for (value, setting) in [(fsync, "fsync"), (full_page_writes, "full_page_writes")] {
            if value != "on" {
                return refuse(format!(
                    "the server has {setting} = off: a power cut would lose certificates that were delivered"
                ));
            }
        }
        // Other values than off also wait for standbys.
        match synchronous_commit.as_str() {
            "off" => self.session.batch("SET synchronous_commit = on")?,
            durable => self.session.commits_wait_as(durable),
        }
        if encoding != "UTF8" {
            return refuse("the database has another encoding than UTF8".to_owned());
        }
        Ok(())
    }

    /// Takes the lock of the writers of this schema, which ends with the connection.
    ///
    /// # Errors
    /// When another session has it for longer than `timeout`.
    pub fn lock(&self, timeout: Duration) -> DatabaseResult<()> {
        // A session that waits for this lock has no other one, so that none waits for each other.
        let key = self.lock_key();
        let tried = format!("SELECT pg_advisory_unlock_all(); SELECT pg_try_advisory_lock({LOCK_CLASS}, {key})");
        if self.session.last_row(&tried)? == ["t"] {
            return Ok(());
        }
        // Another one writes. Meanwhile the tables are opened, for which the next one would wait. Those that are missing, or that may not
        // be read, are reported when they are used.
        drop(self.session.batch(OPEN_TABLES));
        self.within(timeout, &format!("SELECT pg_advisory_lock({LOCK_CLASS}, {key})"))
    }

    /// Runs a statement that waits for a lock, in one message. It is one transaction: its settings are undone when the lock is not
    /// given.
    fn within(&self, timeout: Duration, sql: &str) -> DatabaseResult<()> {
        // 0 would be no limit.
        let limit = timeout.as_millis().clamp(1, i32::MAX as u128);
        self.session.batch(&format!("SET lock_timeout = '{limit}ms'; {sql}; SET lock_timeout = 0"))
    }

    /// Releases all locks of this session.
    ///
    /// # Errors
    /// When the server reports one.
    pub fn unlock(&self) -> DatabaseResult<()> {
        self.session.batch("SELECT pg_advisory_unlock_all()")
    }

    /// Releases the lock of the writers, but not before this session has its share of the lock of deliveries.
    ///
    /// # Errors
    /// When the server reports one.
    pub fn begin_delivery(&self) -> DatabaseResult<()> {
        let key = self.lock_key();
        // What is recorded next is the mark.
        self.session.commit_lightly(&format!(
            "SELECT pg_advisory_lock_shared({DELIVERY_CLASS}, {key}); SELECT pg_advisory_unlock({LOCK_CLASS}, {key})"
        ))
    }

    /// Waits until no session delivers any longer. This one has the lock of the writers, so that none begins meanwhile.
    ///
    /// # Errors
    /// When a session delivers for longer than `timeout`.
    pub fn wait_for_deliveries(&self, timeout: Duration) -> DatabaseResult<()> {
        let key = self.lock_key();
        self.within(
            timeout,
            &format!(
                "SELECT pg_advisory_lock({DELIVERY_CLASS}, {key}); SELECT pg_advisory_unlock({DELIVERY_CLASS}, {key})"
            ),
        )
    }

    /// Returns the second number of a lock, as SQL; `current_schema()` is NULL before the schema exists.
    fn lock_key(&self) -> String {
        format!("hashtext('{}')", self.location.schema)
    }

    /// Returns the tables with their columns, and the indexes, triggers and views of the schema.
    ///
    /// # Errors
    /// When the server reports one.
    pub fn objects(&self) -> DatabaseResult<Vec<String>> {
        let sql = "SELECT object FROM (
                   SELECT 'table ' || c.relname || ' (' || string_agg(a.attname || ' ' || format_type(a.atttypid, NULL)
                       || CASE WHEN a.attnotnull THEN ' 1' ELSE ' 0' END, ', ' ORDER BY a.attnum) || ')'
                   FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
                   WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
                   GROUP BY c.relname
                   UNION ALL SELECT 'index ' || indexname || ' on ' || tablename FROM pg_indexes WHERE schemaname = current_schema()
                   UNION ALL SELECT 'trigger ' || t.tgname || ' on ' || c.relname FROM pg_trigger AS t
                       JOIN pg_class AS c ON c.oid = t.tgrelid
                       WHERE c.relnamespace = current_schema()::regnamespace AND NOT t.tgisinternal
                   ) AS found (object) ORDER BY object COLLATE \"C\"";
        self.session.all(sql, &[])?.iter().map(|row| Ok(row.try_get(0)?)).collect()
    }

    /// Prepares a statement.
    pub fn statement(&self, sql: &str) -> PostgresStatement<'_> {
        PostgresStatement::new(&self.session, sql)
    }

    /// Runs statements without values, which return no rows.
    ///
    /// # Errors
    /// When the server reports one.
    pub fn execute_batch(&self, sql: &str) -> DatabaseResult<()> {
        self.session.batch(sql)
    }

    /// Returns the id of the row that this session inserted last.
    ///
    /// # Errors
    /// When it inserted none.
    pub fn last_insert_id(&self) -> DatabaseResult<i64> {
        let rows = self.session.all("SELECT lastval()", &[])?;
        rows.first().map_or(Err(DatabaseError::NoRow), |row| Ok(row.try_get(0)?))
    }

    /// Returns that id, and the greatest one of the table.
    ///
    /// # Errors
    /// When this session inserted no row.
    pub fn newest_ids(&self, table: &str) -> DatabaseResult<(i64, i64)> {
        let rows = self.session.all(&format!("SELECT lastval(), max(id) FROM {table}"), &[])?;
        rows.first().map_or(Err(DatabaseError::NoRow), |row| Ok((row.try_get(0)?, row.try_get(1)?)))
    }

    /// As that of SQLite.
    ///
    /// # Errors
    /// When the server reports one.
    pub fn begin_reading_once(&self) -> DatabaseResult<Option<PostgresTransaction<'_>>> {
        match self.session.block() {
            Block::None => {
                self.session.begin("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")?;
                Ok(Some(PostgresTransaction { database: self, is_open: true, number: None }))
            }
            _ => Ok(None),
        }
    }

    /// As that of SQLite. The lock of the writers is that of [`lock`](Self::lock).
    ///
    /// # Errors
    /// When the server reports one.
    pub fn begin_writing(&self) -> DatabaseResult<PostgresTransaction<'_>> {
        let number = self.session.begin_numbered("BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE")?;
        Ok(PostgresTransaction { database: self, is_open: true, number: Some(number) })
    }

    /// Runs changes whose commits do not wait for the disk.
    ///
    /// # Errors
    /// When the server reports one, or that of `write`.
    pub fn lightly(&self, write: impl FnOnce() -> DatabaseResult<()>) -> DatabaseResult<()> {
        self.session.lightly(write)
    }

    /// Returns whether the transaction with this number was committed.
    fn outcome(&self, transaction: &str, proof: Option<&Proof<'_>>, reason: String) -> DatabaseResult<()> {
        let failed = |failure: DatabaseFailure, reason: String| Err(DatabaseError::Failed { failure, reason });
        let begin = Instant::now();
        while begin.elapsed() < OUTCOME_PATIENCE {
            match self.is_committed(transaction, proof) {
                Ok(Outcome::Committed) => return Ok(()),
                Ok(Outcome::Undone) => return failed(DatabaseFailure::Unreachable, reason),
                Ok(Outcome::Forgotten) => break,
                // It is in progress; or the server, which starts again, accepts no connection or breaks it.
                Ok(Outcome::Open) | Err(_) => thread::sleep(OUTCOME_PAUSE),
            }
        }
        failed(DatabaseFailure::UnknownOutcome, reason)
    }

    /// Asks the server for the outcome of a transaction, on a new connection.
    fn is_committed(&self, transaction: &str, proof: Option<&Proof<'_>>) -> DatabaseResult<Outcome> {
        let other = Self::connect(&self.location, &self.credentials)?;
        let number = [ValueRef::Text(transaction.as_bytes())];
        let rows = other.session.all("SELECT pg_xact_status($1::text::xid8)", &number)?;
        let status: Option<String> = rows.first().ok_or(DatabaseError::NoRow)?.try_get(0)?;
        Ok(match (status.as_deref(), proof) {
            (Some("aborted"), _) => Outcome::Undone,
            // A server that crashed can give the number again, to a transaction of another session: its WAL had not reached the disk.
            (Some("committed") | None, Some(proof)) => {
                let mut found = other.statement(proof.sql);
                let mut found = found.query_few(proof.values)?;
                if found.next()?.is_some() { Outcome::Committed } else { Outcome::Undone }
            }
            (Some("committed"), None) => Outcome::Committed,
            (None, None) => Outcome::Forgotten,
            (Some(_), _) => Outcome::Open,
        })
    }
}

impl Connecting {
    fn run(patience: Duration, connect: impl FnOnce() -> DatabaseResult<PostgresDatabase> + Send + 'static) -> Self {
        let (sender, made) = mpsc::channel();
        thread::spawn(move || {
            // The receiver may have given up.
            drop(sender.send(connect()));
        });
        Self { made, begin: Instant::now(), patience }
    }

    /// Returns true when it was begun so long ago that the connection can have ended since.
    pub fn is_old(&self) -> bool {
        self.begin.elapsed() > self.patience
    }

    /// Waits for the session.
    ///
    /// # Errors
    /// As [`PostgresDatabase::connect`].
    pub fn finish(self) -> DatabaseResult<PostgresDatabase> {
        let left = self.patience.saturating_sub(self.begin.elapsed());
        self.made.recv_timeout(left).unwrap_or_else(|_| {
            let reason = format!("it did not answer within {} seconds", self.patience.as_secs());
            Err(DatabaseError::Failed { failure: DatabaseFailure::Unreachable, reason })
        })
    }
}

/// What became of a transaction.
enum Outcome {
    Committed,
    Undone,
    /// It has not ended.
    Open,
    /// The server no longer knows.
    Forgotten,
}

impl PostgresTransaction<'_> {
    /// Commits. When the connection breaks meanwhile, the server is asked for the outcome on another one.
    ///
    /// # Errors
    /// When nothing was changed, or the outcome cannot be known.
    pub fn commit(mut self, proof: Option<&Proof<'_>>) -> DatabaseResult<()> {
        let session = &self.database.session;
        if session.has_failed() {
            let reason = "a statement of the transaction failed".to_owned();
            return Err(DatabaseError::Failed { failure: DatabaseFailure::Other, reason });
        }
        self.is_open = false;
        match (session.end("COMMIT"), &self.number) {
            (Err(DatabaseError::Failed { failure: DatabaseFailure::Unreachable, reason }), Some(number)) => {
                self.database.outcome(number, proof, reason)
            }
            (ended, _) => ended,
        }
    }
}

impl Drop for PostgresTransaction<'_> {
    fn drop(&mut self) {
        if self.is_open {
            // A connection that broke has undone it already.
            drop(self.database.session.end("ROLLBACK"));
        }
    }
}

impl Deref for PostgresTransaction<'_> {
    type Target = PostgresDatabase;

    fn deref(&self) -> &PostgresDatabase {
        self.database
    }
}

fn client(location: &PostgresLocation, credentials: &Credentials) -> Result<postgres::Client, postgres::Error> {
    let mut config = Config::new();
    config.port(location.port).dbname(&location.database).user(&credentials.user);
    config.connect_timeout(credentials.patience);
    config.application_name(location.application_name.as_deref().unwrap_or("ca"));
    // A machine that vanished is noticed within a minute, here and, by the settings of the session, at the server.
    config.keepalives_idle(Duration::from_secs(30)).keepalives_interval(Duration::from_secs(10)).keepalives_retries(3);
    config.tcp_user_timeout(Duration::from_secs(60));
    match &location.server {
        Server::Host(host) => config.host(host),
        Server::Socket(folder) => config.host_path(folder),
    };
    if let Some(password) = &credentials.password {
        config.password(password);
    }
    match &credentials.tls {
        Some(tls) => {
            config.ssl_mode(SslMode::Require).channel_binding(ChannelBinding::Disable);
            config.connect(MakeTls(Arc::clone(tls)))
        }
        None => {
            config.ssl_mode(SslMode::Disable);
            config.connect(NoTls)
        }
    }
}

impl std::fmt::Debug for PostgresDatabase {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PostgresDatabase({})", self.location)
    }
}
