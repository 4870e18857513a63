//! CRL bundles: files with the CRLs of all authorities, for servers that check the whole chain of a client.
//!
//! Most servers refuse every client when one CRL is missing, so a bundle is complete or it is not written. The index remembers
//! its path and its hook, so that every later CRL gets into it.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use time::OffsetDateTime;

use crate::authority::leaf::hook::{Hook, OnFailure};
use crate::authority::revocation::collected_crls::{self, CollectError, CollectedCrls};
use crate::store::approval::PlannedChange;
use crate::store::effects::Effects;
use crate::store::index::crl_bundle::StoredBundle;
use crate::store::index::{EventKind, Index};
use crate::store::{Store, StoreError};
use crate::system::files::{self, ExistingFile, FileError};
use crate::text::{Diagnosis, Diagnostic, Lifetime, PathText};
use crate::x509::pem;

/// A CRL bundle that is remembered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bundle {
    /// The absolute path of the file.
    pub path: PathBuf,
    pub hook: Option<Hook>,
    /// Files with CRLs of CAs above that are not authorities of this CA.
    pub also: Vec<PathBuf>,
    /// SHA-256 of the file that the hook has seen; `None` when it has seen none.
    pub seen: Option<[u8; 32]>,
}

impl Bundle {
    fn stored(&self) -> StoredBundle {
        let hook = self.hook.as_ref().map(|hook| (hook.command.clone(), hook.timeout.as_seconds()));
        StoredBundle { path: self.path.clone(), hook, also: self.also.clone(), content: self.seen }
    }

    fn restored(stored: StoredBundle, index: &Index) -> Result<Self, StoreError> {
        let StoredBundle { path, hook, also, content: seen } = stored;
        let Some((command, timeout)) = hook else { return Ok(Self { path, hook: None, also, seen }) };
        let timeout = Lifetime::from_seconds(timeout)
            .ok_or_else(|| index.damaged(format!("the hook of {} cannot be read", path.escaped())))?;
        Ok(Self { path, hook: Some(Hook { command, timeout, on_failure: OnFailure::Keep }), also, seen })
    }
}

/// The reason why a bundle cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    #[error(transparent)]
    Store(StoreError),
    #[error(transparent)]
    Crls(CollectError),
    #[error("{} exists already, and is not a file with CRLs alone", .0.escaped())]
    Taken(PathBuf),
}

impl<E> From<E> for BundleError
where
    StoreError: From<E>,
{
    fn from(error: E) -> Self {
        Self::Store(error.into())
    }
}

impl From<CollectError> for BundleError {
    fn from(error: CollectError) -> Self {
        Self::Crls(error)
    }
}

impl Diagnostic for BundleError {
    fn diagnosis(&self) -> Diagnosis {
        match self {
            Self::Store(error) => error.diagnosis(),
            Self::Crls(error) => error.diagnosis(),
            Self::Taken(_) => Diagnosis::refused("exists")
                .hint("only CRLs are overwritten: move the file away, or choose another place"),
        }
    }
}

/// Returns the bundles that are remembered, by path.
///
/// # Errors
/// When the index cannot be read.
pub fn remembered(store: &Store) -> Result<Vec<Bundle>, StoreError> {
    all(store.index()?)
}

fn all(index: &Index) -> Result<Vec<Bundle>, StoreError> {
    index.crl_bundles()?.into_iter().map(|stored| Bundle::restored(stored, index)).collect()
}

/// Returns the bundle with this path: as it is remembered, else a new one.
///
/// # Errors
/// When the index cannot be read.
pub fn of(store: &Store, path: &Path) -> Result<Bundle, StoreError> {
    let known = remembered(store)?.into_iter().find(|bundle| bundle.path == path);
    Ok(known.unwrap_or(Bundle { path: path.to_owned(), hook: None, also: Vec::new(), seen: None }))
}

/// Remembers a bundle with its hook and the files that are added.
///
/// # Errors
/// When the index cannot be written.
pub fn remember(store: &Store, wanted: &Bundle, effects: &Effects<'_>) -> Result<(), StoreError> {
    let mut locked = store.lock(effects.lock_timeout)?;
    let index = locked.index()?;
    let known = all(index)?.into_iter().find(|bundle| bundle.path == wanted.path);
    let next = Bundle { seen: known.as_ref().and_then(|known| known.seen), ..wanted.clone() };
    if known.as_ref() != Some(&next) {
        let mut transaction = index.transaction(effects.event_context())?;
        transaction.set_crl_bundle(EventKind::BundleSet, &next.stored())?;
        transaction.commit()?;
    }
    Ok(())
}

/// Forgets a bundle; its file stays. Returns whether it was remembered.
///
/// # Errors
/// When the index cannot be written.
pub fn forget(store: &Store, path: &Path, effects: &Effects<'_>) -> Result<bool, StoreError> {
    if !remembered(store)?.iter().any(|bundle| bundle.path == path) {
        return Ok(false);
    }
    effects.approval.approve(PlannedChange::new(format!("forget the CRL bundle {}", path.escaped())))?;
    let mut locked = store.lock(effects.lock_timeout)?;
    let mut transaction = locked.index()?.transaction(effects.event_context())?;
    transaction.remove_crl_bundle(path)?;
    transaction.commit()?;
    Ok(true)
}

/// Records that the hook of a bundle has seen its file.
///
/// # Errors
/// When the index cannot be written.
pub fn record_seen(store: &Store, path: &Path, seen: [u8; 32], effects: &Effects<'_>) -> Result<(), StoreError> {
    let mut locked = store.lock(effects.lock_timeout)?;
    let index = locked.index()?;
    // Another process may have forgotten it.
    let Some(bundle) = all(index)?.into_iter().find(|bundle| bundle.path == path) else { return Ok(()) };
    let mut transaction = index.transaction(effects.event_context())?;
    transaction.set_crl_bundle(EventKind::BundleWrite, &Bundle { seen: Some(seen), ..bundle }.stored())?;
    transaction.commit()?;
    Ok(())
}

/// Returns what a bundle has now.
///
/// # Errors
/// When the CRL of an authority is missing, has expired, or is not its latest one, or a file of `also` cannot be used.
pub fn content(store: &Store, also: &[PathBuf], now: OffsetDateTime) -> Result<CollectedCrls, CollectError> {
    let found = collected_crls::collect(store, None, also, now)?;
    found.check_expiry(now)?;
    Ok(found)
}

/// Checks that a bundle can be written to a path: nothing is there, or CRLs alone.
///
/// # Errors
/// When something else is there, or the system refuses.
pub fn check_place(path: &Path) -> Result<(), BundleError> {
    if let Some(folder) = path.parent().filter(|folder| !folder.is_dir()) {
        return Err(FileError::of("write", folder)(ErrorKind::NotFound.into()).into());
    }
    files::check_place(path, ExistingFile::Replace)?;
    match files::read_regular(path, files::MAX_FILE_BYTES)? {
        Some(stored) if !has_only_crls(&stored.content) => Err(BundleError::Taken(path.to_owned())),
        _ => Ok(()),
    }
}

fn has_only_crls(content: &[u8]) -> bool {
    let is_crl = |label: &[u8]| std::str::from_utf8(label).is_ok_and(pem::is_crl);
    content.is_empty() || (pem::is_pem(content) && pem::labels(content).all(is_crl))
}

/// Returns whether the file has this content.
///
/// # Errors
/// When it cannot be read.
pub fn is_current(path: &Path, content: &CollectedCrls) -> Result<bool, BundleError> {
    let there = files::read_regular(path, files::MAX_FILE_BYTES)?;
    Ok(there.is_some_and(|there| there.content == content.pem().as_bytes()))
}

/// Describes the change for a confirmation or a dry run.
pub fn planned(path: &Path, authorities: &[String]) -> PlannedChange {
    PlannedChange::new(format!("write the CRL bundle {}", path.escaped())).fact("CRLs of", authorities.join(", "))
}

/// Writes a bundle in one step, unless it is current. The lock keeps another process from writing an older one later.
/// Returns its content, and whether it was written.
///
/// # Errors
/// When a CRL is missing, the change is not approved, or the file cannot be written; then the old file is unchanged.
pub fn write(store: &Store, bundle: &Bundle, effects: &Effects<'_>) -> Result<(CollectedCrls, bool), BundleError> {
    let Bundle { path, also, .. } = bundle;
    let found = content(store, also, effects.now())?;
    if is_current(path, &found)? {
        return Ok((found, false));
    }
    check_place(path)?;
    effects.approval.approve(planned(path, &found.names()))?;
    let _locked = store.lock(effects.lock_timeout)?;
    if let Some(folder) = path.parent() {
        files::remove_stale(folder)?;
    }
    let found = content(store, also, effects.now())?;
    let is_written = !is_current(path, &found)?;
    if is_written {
        files::publish_file(path, found.pem().as_bytes(), files::PUBLIC, ExistingFile::Replace, effects.entropy)?;
    }
    Ok((found, is_written))
}
