//! Reading an index where this process may not write: on a read-only medium, of another user, or a copy without write
//! permission.
//!
//! SQLite reads an index in WAL mode through `index.db-shm`, which it creates when it is missing. Where it cannot:
//! - without a log, or with an empty one, the main file is the whole index. It is opened as immutable;
//! - with a log, the shared memory is replaced by memory of this process (exclusive locking mode). That mode takes a lock
//!   for writing, which a process that may only read cannot have, so it is opened with the VFS that takes no locks.
//!
//! In neither case is another process locked out of writing. No process that writes has the index open at that moment,
//! because then `index.db-shm` exists. One that begins within the milliseconds of this command can make it read a mixture,
//! which SQLite reports as damage or not at all; on a read-only medium there is none.

use std::fs::{self, File};
use std::path::Path;

use super::database::sqlite::{Access, log_of};
use super::database::{Database, DatabaseError, DatabaseFailure};
use super::error::{IndexError, IndexPath};
use super::schema;
use crate::system::files::FileError;

/// Opens an index for reading, whatever the medium and the permissions are, as long as its files can be read.
///
/// # Errors
/// When it cannot be read.
pub(super) fn connect_to_read(path: &Path, place: &IndexPath) -> Result<Database, IndexError> {
    let usual = Database::open_file(path, Access::Read).and_then(|opened| opened.probe().map(|()| opened));
    match usual {
        Err(error) if needs_to_write(&error) => {}
        usual => return usual.map_err(place.error()),
    }
    connect_unlocked(path, place)
}

/// Opens an index for reading without creating a file, and without locks.
///
/// # Errors
/// When a file of it cannot be read.
pub(super) fn connect_unlocked(path: &Path, place: &IndexPath) -> Result<Database, IndexError> {
    // When the files cannot be read at all, this says so better than SQLite.
    let log = log_of(path);
    File::open(path).map_err(FileError::of("open", path))?;
    let length = fs::metadata(&log).map_or(0, |log| log.len());
    let access = if length == 0 {
        Access::Immutable
    } else {
        File::open(&log).map_err(FileError::of("open", &log))?;
        Access::Unlocked
    };
    let connection = Database::open_file(path, access).map_err(place.error())?;
    connection.probe().map_err(place.error())?;
    Ok(connection)
}

/// Returns a copy in memory of an older index, in the current version.
///
/// # Errors
/// When it cannot be read.
pub(super) fn migrated_copy(source: &Database, place: &IndexPath) -> Result<Database, IndexError> {
    let copy = || {
        let Some(copy) = source.copy_in_memory()? else { return Err(DatabaseError::NoRow) };
        schema::migrate(&copy)?;
        Ok(copy)
    };
    copy().map_err(place.error())
}

/// Returns true for the errors of SQLite when it cannot create a file, or may not write one.
fn needs_to_write(error: &DatabaseError) -> bool {
    matches!(error.failure(), Some(DatabaseFailure::CannotOpen | DatabaseFailure::ReadOnly))
}
