//! The location of an index, and the lock that serializes its writers.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::credentials::{Credentials, ServerVariables, credentials};
use super::database::postgres::{Connecting, PostgresDatabase};
use super::postgres_location::{PostgresLocation, PostgresLocationError, USUAL_SCHEMA};
use super::{Index, IndexError, IndexVersion};
use crate::store::home::Home;
use crate::system::files::{FolderLock, LockError};
use crate::text::{Diagnosis, Diagnostic, PathText};

/// The location of an index: `[index] location` of `ca.toml`, read once.
#[derive(Debug, Clone)]
pub enum IndexLocation {
    /// An SQLite file. Its writers take the lock of the CA directory, which also serializes them with processes that
    /// change other files.
    Sqlite { file: PathBuf, ca_folder: PathBuf },
    /// A schema of a PostgreSQL server, which several machines share.
    Postgres(Box<ServerIndex>),
}

/// An index in a server, and what a connection to it needs.
#[derive(Debug, Clone)]
pub struct ServerIndex {
    pub location: PostgresLocation,
    variables: ServerVariables,
    home: Home,
    /// The connection that was begun before it was needed: see [`IndexLocation::will_be_used`].
    begun: Arc<Mutex<Option<Connecting>>>,
}

/// The right to write, until the value is dropped or the process exits.
#[derive(Debug)]
pub struct WriterLock {
    _folder: FolderLock,
    /// The connection that has the lock of the server, until the index is used; `None` for a file.
    session: Option<Index>,
}

/// Why the right to write was not given.
#[derive(Debug, thiserror::Error)]
pub enum WriterLockError {
    #[error(transparent)]
    Folder(#[from] LockError),
    #[error(transparent)]
    Index(#[from] IndexError),
}

impl Diagnostic for WriterLockError {
    fn diagnosis(&self) -> Diagnosis {
        match self {
            Self::Folder(error) => error.diagnosis(),
            Self::Index(error) => error.diagnosis(),
        }
    }
}

impl IndexLocation {
    /// Parses a setting; a relative path starts at the CA directory.
    ///
    /// # Errors
    /// When a URL of a server is not complete, has a password, or says something that has no effect.
    pub fn parse(setting: &str, home: &Home, variables: &ServerVariables) -> Result<Self, PostgresLocationError> {
        if !PostgresLocation::is_url(setting) {
            PostgresLocation::check_path(setting)?;
            return Ok(Self::Sqlite { file: home.resolve(setting), ca_folder: home.folder().to_owned() });
        }
        let location = PostgresLocation::parse(setting, home.folder())?;
        let (variables, home, begun) = (variables.clone(), home.clone(), Arc::default());
        Ok(Self::Postgres(Box::new(ServerIndex { location, variables, home, begun })))
    }

    /// Returns the path of the index file; `None` for a server.
    pub fn path(&self) -> Option<&Path> {
        match self {
            Self::Sqlite { file, .. } => Some(file),
            Self::Postgres(_) => None,
        }
    }

    /// Returns true when several machines can use the index, so that files which it names may be on another machine.
    pub fn is_shared(&self) -> bool {
        matches!(self, Self::Postgres(_))
    }

    /// Returns the schema of the tables in a server; for a file, that of a server whose URL names none.
    pub fn schema(&self) -> &str {
        match self {
            Self::Sqlite { .. } => USUAL_SCHEMA,
            Self::Postgres(server) => &server.location.schema,
        }
    }

    /// Returns the location for messages: the path of a file, or the server with its database and schema.
    pub fn shown(&self) -> String {
        match self {
            Self::Sqlite { file, .. } => file.escaped().to_string(),
            Self::Postgres(server) => server.location.to_string(),
        }
    }

    /// Begins to connect to a server, so that the connection is there when the command has made everything else ready for its
    /// records. What is wrong with the server is reported by the first use.
    pub fn will_be_used(&self) {
        if let Self::Postgres(server) = self
            && let Ok(credentials) = server.credentials()
        {
            server.begun().replace(PostgresDatabase::begin(&server.location, &credentials));
        }
    }

    /// Opens the index for reading.
    ///
    /// # Errors
    /// As [`Index::open_to_read`] and [`Index::open_in`].
    pub fn open_to_read(&self) -> Result<Index, IndexError> {
        match self {
            Self::Sqlite { file, .. } => Index::open_to_read(file),
            Self::Postgres(server) => Index::open_in(&server.location, server.connecting()?),
        }
    }

    /// Returns the version of its tables, which are not migrated by this.
    ///
    /// # Errors
    /// As [`open_to_read`](Self::open_to_read), but not because of an older version.
    pub fn version(&self) -> Result<IndexVersion, IndexError> {
        match self {
            Self::Sqlite { file, .. } => Index::version_of_file(file),
            Self::Postgres(server) => Index::version_in(&server.location, &server.credentials()?),
        }
    }

    /// Brings its tables to the version of this program, with the right to write. Returns the version that they had.
    ///
    /// # Errors
    /// As [`lock`](Self::lock); when the tables have a later version, or may not be changed.
    pub fn migrate(&self, timeout: Duration) -> Result<IndexVersion, WriterLockError> {
        let begin = Instant::now();
        let _folder = FolderLock::acquire_as_owner(self.ca_folder(), timeout)?;
        Ok(match self {
            Self::Sqlite { file, .. } => {
                let version = Index::version_of_file(file)?;
                Index::open(file)?;
                version
            }
            Self::Postgres(server) => {
                let left = timeout.saturating_sub(begin.elapsed());
                Index::migrate_in(&server.location, &server.credentials()?, left)?
            }
        })
    }

    /// Returns the CA directory.
    fn ca_folder(&self) -> &Path {
        match self {
            Self::Sqlite { ca_folder, .. } => ca_folder,
            Self::Postgres(server) => server.home.folder(),
        }
    }

    /// Opens the index for writing. That of a server is opened with its [`lock`](Self::lock).
    fn open(&self) -> Result<Index, IndexError> {
        match self {
            Self::Sqlite { file, .. } => Index::open(file),
            Self::Postgres(_) => self.open_to_read(),
        }
    }

    /// Waits for the right to make the CA, at most `timeout`. It leaves no file in a folder in which no CA is made then.
    ///
    /// # Errors
    /// When another process has it for longer, or the system reports an error.
    pub fn lock_to_make(home: &Home, timeout: Duration) -> Result<WriterLock, LockError> {
        Ok(WriterLock { _folder: FolderLock::acquire(home.folder(), timeout)?, session: None })
    }

    /// Waits for the right to write, at most `timeout`: for the lock of the CA directory, and then for that of the server.
    ///
    /// # Errors
    /// When another process or machine has it for longer, the server cannot be reached, or the system reports an error.
    pub fn lock(&self, timeout: Duration) -> Result<WriterLock, WriterLockError> {
        let begin = Instant::now();
        let folder = FolderLock::acquire_as_owner(self.ca_folder(), timeout)?;
        let session = match self {
            Self::Sqlite { .. } => None,
            Self::Postgres(server) => {
                let left = timeout.saturating_sub(begin.elapsed());
                Some(Index::open_in_to_write(&server.location, server.connecting()?, left)?)
            }
        };
        Ok(WriterLock { _folder: folder, session })
    }
}

impl ServerIndex {
    /// Reads the files that a connection needs.
    ///
    /// # Errors
    /// When a file cannot be read, or other users can read the password or the key.
    pub fn credentials(&self) -> Result<Credentials, IndexError> {
        credentials(&self.location, &self.variables, &self.home)
    }

    /// Returns the connection that was begun before, or begins one.
    fn connecting(&self) -> Result<Connecting, IndexError> {
        // Meanwhile, a person may have typed a passphrase for an hour.
        match self.begun().take().filter(|begun| !begun.is_old()) {
            Some(begun) => Ok(begun),
            None => Ok(PostgresDatabase::begin(&self.location, &self.credentials()?)),
        }
    }

    fn begun(&self) -> MutexGuard<'_, Option<Connecting>> {
        self.begun.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl WriterLock {
    /// Returns the index for writing. For a server it is the connection that has the lock.
    ///
    /// # Errors
    /// As [`Index::open`].
    pub fn open(&mut self, location: &IndexLocation) -> Result<Index, IndexError> {
        match self.session.take() {
            Some(session) => Ok(session),
            None => location.open(),
        }
    }
}
