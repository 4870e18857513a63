//! An index in a PostgreSQL server.

use std::path::PathBuf;
use std::time::Duration;

use crate::store::index::database::postgres::{Credentials, PostgresDatabase};
use crate::store::index::database::{Database, DatabaseFailure};
use crate::store::index::error::{IndexError, IndexPath};
use crate::store::index::postgres_location::PostgresLocation;
use crate::store::index::{Index, postgres_schema};

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

    /// Opens the index in a server.
    ///
    /// # Errors
    /// When the server cannot be reached or would lose records, or has no index of this program and version.
    pub fn open_in(location: &PostgresLocation, credentials: &Credentials) -> Result<Self, IndexError> {
        let place = place_of(location);
        let session = PostgresDatabase::connect(location, credentials).map_err(place.error())?;
        Self::of_session(session, location, place)
    }

    /// As [`open_in`](Self::open_in), after the lock of the writers was taken, which ends with the connection.
    ///
    /// # Errors
    /// As [`open_in`](Self::open_in); when another process has the lock for longer than `timeout`.
    pub fn open_in_to_write(
        location: &PostgresLocation,
        credentials: &Credentials,
        timeout: Duration,
    ) -> Result<Self, IndexError> {
        let place = place_of(location);
        let session = PostgresDatabase::connect(location, credentials).map_err(place.error())?;
        session.lock(timeout).map_err(|error| match error.failure() {
            Some(DatabaseFailure::Busy) => IndexError::Locked { path: place.0.clone(), waited: timeout },
            _ => place.error()(error),
        })?;
        Self::of_session(session, location, place)
    }

    /// Releases the lock of the writers of a server; that of a file is not one of the index.
    ///
    /// # Errors
    /// When the server cannot be reached any longer.
    pub fn release_writers(&self) -> Result<(), IndexError> {
        self.connection.unlock().map_err(self.place.error())
    }

    fn of_session(
        session: PostgresDatabase,
        location: &PostgresLocation,
        place: IndexPath,
    ) -> Result<Self, IndexError> {
        let connection = Database::Postgres(Box::new(session));
        postgres_schema::check_version(&connection, &location.schema, &place)?;
        Ok(Self { connection, place })
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::store::index::sample::{NOW, Sample, add, context, entry};
    use crate::store::index::{Filter, StoredHook};

    /// A schema of its own in the server that `CA_TEST_POSTGRESQL` names: `postgresql:///pki?host=/run/postgresql`.
    fn server(schema: &str) -> (PostgresLocation, Credentials) {
        let url = std::env::var("CA_TEST_POSTGRESQL").unwrap();
        let url = format!("{url}&schema={schema}");
        let location = PostgresLocation::parse(&url, Path::new("/")).unwrap();
        let user = location.user.clone().unwrap_or_else(|| "postgres".to_owned());
        let credentials = Credentials { user, password: None, tls: None };
        let earlier = PostgresDatabase::connect(&location, &credentials).unwrap();
        earlier.execute_batch(&format!("DROP SCHEMA IF EXISTS {schema} CASCADE")).unwrap();
        (location, credentials)
    }

    /// An empty index in a server.
    fn create_in(location: &PostgresLocation, credentials: &Credentials) -> Index {
        let session = PostgresDatabase::connect(location, credentials).unwrap();
        let connection = Database::Postgres(Box::new(session));
        postgres_schema::create(&connection, &location.schema).unwrap();
        Index { connection, place: place_of(location) }
    }

    #[test]
    #[ignore = "it needs the server that CA_TEST_POSTGRESQL names"]
    fn an_index_in_a_server_has_what_one_in_a_file_has() {
        let (location, credentials) = server("same_as_file");
        let (_folder, _, mut file) = crate::store::index::sample::new_index();
        let mut server = create_in(&location, &credentials);
        for index in [&mut file, &mut server] {
            for (serial, name) in [(1, "web.test"), (2, "WEB.test"), (3, "db.test")] {
                let sample = Sample { serial, sans: &["web.corp.test", "10.0.0.1"], ..Sample::default() };
                add(index, &sample, name);
            }
            let mut change = index.transaction(context()).unwrap();
            let hook = StoredHook { command: "true".to_owned(), timeout: 9, on_failure: "keep".to_owned() };
            change.set_hook("web.test", Some(&hook)).unwrap();
            change.set_hook("Web.test", Some(&hook)).unwrap();
            change.commit().unwrap();
        }
        assert_eq!(file.log_head().unwrap(), server.log_head().unwrap(), "the log is the same, byte for byte");
        assert_eq!(file.history("web.TEST").unwrap(), server.history("web.TEST").unwrap());
        assert_eq!(file.query(&Filter::default(), NOW).unwrap(), server.query(&Filter::default(), NOW).unwrap());
        assert_eq!(file.names_from("w", 9).unwrap(), server.names_from("w", 9).unwrap());
        assert_eq!(file.hook("WEB.TEST").unwrap(), server.hook("WEB.TEST").unwrap());
        assert_eq!(server.schema_differences().unwrap(), [""; 0]);
        assert!(server.uncovered_rows().unwrap().is_empty() && server.damaged_marks().unwrap().is_empty());
        let certificate = Sample { key: 2, ..Sample::default() }.certificate();
        let mut change = server.transaction(context()).unwrap();
        assert!(matches!(change.insert(&entry(&certificate, "again")), Err(IndexError::SerialUsed { .. })));
        assert!(change.commit().is_err(), "a transaction with a failed statement is not committed");
    }

    #[test]
    #[ignore = "it needs the server that CA_TEST_POSTGRESQL names"]
    fn one_writer_has_the_lock_and_readers_do_not_wait() {
        let (location, credentials) = server("one_writer");
        drop(create_in(&location, &credentials));
        let wait = Duration::from_millis(50);
        let writer = Index::open_in_to_write(&location, &credentials, wait).unwrap();
        assert!(matches!(Index::open_in_to_write(&location, &credentials, wait), Err(IndexError::Locked { .. })));
        Index::open_in(&location, &credentials).unwrap().log_head().unwrap();
        drop(writer);
        Index::open_in_to_write(&location, &credentials, Duration::from_secs(10)).unwrap();
    }
}
