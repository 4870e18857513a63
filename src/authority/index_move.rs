//! `ca index copy --to`: the index is copied, compared row by row, and from then on used in its new place.
//!
//! The order decides what an interruption leaves. The copy is complete and durable before `ca.toml` names it, so that the CA has
//! one index at any time. An index in a server that was copied to a file is marked as moved before, so that no other machine
//! writes to it any longer.

use std::path::Path;

use crate::store::approval::PlannedChange;
use crate::store::index::credentials::ServerVariables;
use crate::store::index::location::IndexLocation;
use crate::store::index::postgres_location::PostgresLocationError;
use crate::store::index::{CopiedRows, Index, IndexError};
use crate::store::{Effects, Store, StoreError, index_setting, toml_file};
use crate::system::files::{self, FileError, StagedFolder};
use crate::text::{Diagnosis, Diagnostic, PathText};

/// The name of the copy in the folder in which it is made.
const COPY: &str = "index.db";

/// What was moved.
#[derive(Debug)]
pub struct MovedIndex {
    pub from: IndexLocation,
    pub to: IndexLocation,
    pub rows: CopiedRows,
}

/// The reason why the index was not moved.
#[derive(Debug, thiserror::Error)]
pub enum IndexMoveError {
    #[error(transparent)]
    Store(StoreError),
    /// The location is not shown, since it may have a password.
    #[error("--to does not name the place of an index: {0}")]
    Location(PostgresLocationError),
    #[error("the index is there already: {0}")]
    Same(String),
}

impl<E> From<E> for IndexMoveError
where
    StoreError: From<E>,
{
    fn from(error: E) -> Self {
        Self::Store(error.into())
    }
}

impl Diagnostic for IndexMoveError {
    fn diagnosis(&self) -> Diagnosis {
        match self {
            Self::Store(error) => error.diagnosis(),
            Self::Location(reason) => reason.diagnosis(),
            Self::Same(_) => Diagnosis::usage("bad-arguments"),
        }
    }
}

/// Moves the index of a CA to another location, which is written as in `ca.toml`.
///
/// # Errors
/// When the location is not one, has another index, or cannot be written; when the copy is not the same. The index is then
/// where it was.
pub fn move_index(
    store: &Store,
    given: &str,
    variables: &ServerVariables,
    effects: &Effects<'_>,
) -> Result<MovedIndex, IndexMoveError> {
    let target = IndexLocation::parse(given, store.home(), variables).map_err(IndexMoveError::Location)?;
    let source = store.index_location();
    let (from, to) = (source.shown(), target.shown());
    if from == to {
        return Err(IndexMoveError::Same(to));
    }
    let settings = Settings::read(store, given)?;
    match &target {
        IndexLocation::Sqlite { file, .. } => check_file_place(file)?,
        IndexLocation::Postgres(server) => Index::check_server(&server.location, &server.credentials()?)?,
    }
    let change = PlannedChange::new(format!("move the index to {to}")).fact("from", &from);
    effects.approval.approve(change)?;
    let mut locked = store.lock(effects.lock_timeout)?;
    let index = locked.index()?;
    let rows = match &target {
        IndexLocation::Sqlite { file, .. } => copy_to_file(index, file, effects)?,
        IndexLocation::Postgres(server) => index.copy_to_server(&server.location, &server.credentials()?)?,
    };
    if source.is_shared() {
        index.mark_moved()?;
    }
    settings.write(effects)?;
    Ok(MovedIndex { from: source.clone(), to: target, rows })
}

/// Checks that this place has no index yet, and that its folder exists.
fn check_file_place(file: &Path) -> Result<(), StoreError> {
    let folder = folder_of(file)?;
    if !folder.is_dir() {
        return Err(FileError::of("open", folder)(std::io::ErrorKind::NotFound.into()).into());
    }
    for existing in Index::files(file) {
        if existing.symlink_metadata().is_ok() {
            return Err(IndexError::OtherIndexThere { path: existing }.into());
        }
    }
    Ok(())
}

fn folder_of(file: &Path) -> Result<&Path, FileError> {
    file.parent().ok_or_else(|| FileError::of("write", file)(std::io::ErrorKind::IsADirectory.into()))
}

/// Copies an index to a file, which is durable under its name afterwards.
fn copy_to_file(index: &Index, file: &Path, effects: &Effects<'_>) -> Result<CopiedRows, StoreError> {
    let folder = folder_of(file)?;
    // Once more under the lock.
    check_file_place(file)?;
    let mut staged = StagedFolder::create(folder, effects.entropy)?;
    let rows = index.copy_to_file(&staged.path().join(COPY))?;
    staged.adopt(COPY);
    staged.sync()?;
    files::put_also(&staged.path().join(COPY), file, effects.entropy)?;
    files::sync_folder(folder)?;
    Ok(rows)
}

/// `ca.toml` with the new location, which was read before anything is changed.
struct Settings {
    path: std::path::PathBuf,
    text: String,
    mode: u32,
}

impl Settings {
    fn read(store: &Store, location: &str) -> Result<Self, StoreError> {
        let path = store.home().config();
        let content = files::read(&path, files::MAX_SMALL_FILE_BYTES)?;
        let text = toml_file::text(&path, content, toml_file::SETTINGS)?;
        let text = index_setting::with_location(&path.escaped().to_string(), &text, location)?;
        let mode = files::mode(&path)?;
        Ok(Self { path, text, mode })
    }

    fn write(self, effects: &Effects<'_>) -> Result<(), FileError> {
        files::replace_files(&[(&self.path, self.text.as_bytes())], self.mode, effects.entropy)
    }
}
