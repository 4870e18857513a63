//! An index in a PostgreSQL server.

use std::path::PathBuf;
use std::time::Duration;

use crate::store::index::database::postgres::{Connecting, Credentials, PostgresDatabase};
use crate::store::index::database::{Database, DatabaseError, DatabaseFailure};
use crate::store::index::error::{IndexError, IndexPath};
use crate::store::index::postgres_location::PostgresLocation;
use crate::store::index::{Index, IndexVersion, postgres_schema};

/// Returns the place of an index in a server, for messages.
fn place_of(location: &PostgresLocation) -> IndexPath {
    IndexPath(PathBuf::from(location.to_string()))
}

impl Index {
    /// Checks that a server can have an index: it can be reached, and keeps what it confirms.
    ///
    /// # Errors
    /// When it cannot be reached, does not accept the user, is too old, or would lose confirmed records.
    pub fn check_server(location: &PostgresLocation, credentials: &Credentials) -> Result<(), IndexError> {
        PostgresDatabase::connect(location, credentials).map(drop).map_err(place_of(location).error())
    }

    /// Opens the index in a server, to which a connection was begun.
    ///
    /// # Errors
    /// When the server cannot be reached or would lose records, or has no index of this program and version.
    pub fn open_in(location: &PostgresLocation, connecting: Connecting) -> Result<Self, IndexError> {
        let place = place_of(location);
        Self::of_session(connecting.finish().map_err(place.error())?, place)
    }

    /// As [`open_in`](Self::open_in), after the lock of the writers was taken, which ends with the connection.
    ///
    /// # Errors
    /// As [`open_in`](Self::open_in); when another process has the lock for longer than `timeout`.
    pub fn open_in_to_write(
        location: &PostgresLocation,
        connecting: Connecting,
        timeout: Duration,
    ) -> Result<Self, IndexError> {
        let place = place_of(location);
        Self::of_session(locked_session(connecting, timeout, &place)?, place)
    }

    /// Returns the version of the tables in a server.
    ///
    /// # Errors
    /// When the server cannot be reached or would lose records, or has no index of this program, or one of a later version.
    pub fn version_in(location: &PostgresLocation, credentials: &Credentials) -> Result<IndexVersion, IndexError> {
        let place = place_of(location);
        let session = PostgresDatabase::connect(location, credentials).map_err(place.error())?;
        postgres_schema::version(&Database::Postgres(Box::new(session)), &place)
    }

    /// Brings the tables in a server to the version of this program, under the lock of the writers. Returns the version that
    /// they had.
    ///
    /// # Errors
    /// As [`open_in_to_write`](Self::open_in_to_write); when the tables have a later version, or the user does not own them.
    pub fn migrate_in(
        location: &PostgresLocation,
        credentials: &Credentials,
        timeout: Duration,
    ) -> Result<IndexVersion, IndexError> {
        let place = place_of(location);
        let session = locked_session(PostgresDatabase::begin(location, credentials), timeout, &place)?;
        let connection = Database::Postgres(Box::new(session));
        let version = postgres_schema::version(&connection, &place)?;
        postgres_schema::migrate(&connection, version.found).map_err(place.error())?;
        Ok(version)
    }

    /// Lets other machines write while this process delivers what it has recorded. The writers of a file wait until it has.
    ///
    /// # Errors
    /// When the server cannot be reached any longer.
    pub fn begin_delivery(&self) -> Result<(), IndexError> {
        self.connection.begin_delivery().map_err(self.place.error())
    }

    /// Waits until no other machine delivers any longer; the caller has the lock of the writers. Returns false for a file: its
    /// writers deliver under their lock.
    ///
    /// # Errors
    /// When another machine delivers for longer than `timeout`.
    pub fn wait_for_deliveries(&self, timeout: Duration) -> Result<bool, IndexError> {
        self.connection.wait_for_deliveries(timeout).map_err(locked(&self.place, timeout))
    }

    /// Takes the lock of the writers again after [`begin_delivery`](Self::begin_delivery).
    ///
    /// # Errors
    /// When another machine has it for longer than `timeout`.
    pub fn lock_again(&self, timeout: Duration) -> Result<(), IndexError> {
        self.connection.lock_again(timeout).map_err(locked(&self.place, timeout))
    }

    /// Releases the locks of a server; that of a file is not one of the index.
    ///
    /// # Errors
    /// When the server cannot be reached any longer.
    pub fn release_writers(&self) -> Result<(), IndexError> {
        self.connection.unlock().map_err(self.place.error())
    }

    fn of_session(session: PostgresDatabase, place: IndexPath) -> Result<Self, IndexError> {
        let connection = Database::Postgres(Box::new(session));
        postgres_schema::check_version(&connection, &place)?;
        Ok(Self { connection, place })
    }
}

/// Connects, and takes the lock of the writers.
fn locked_session(
    connecting: Connecting,
    timeout: Duration,
    place: &IndexPath,
) -> Result<PostgresDatabase, IndexError> {
    let session = connecting.finish().map_err(place.error())?;
    session.lock(timeout).map_err(locked(place, timeout))?;
    Ok(session)
}

/// Converts the error of a lock for which this process waited.
fn locked(place: &IndexPath, waited: Duration) -> impl Fn(DatabaseError) -> IndexError {
    move |error| match error.failure() {
        Some(DatabaseFailure::Busy) => IndexError::Locked { path: place.0.clone(), waited },
        _ => place.error()(error),
    }
}
