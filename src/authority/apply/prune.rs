//! Removes what a manifest declared earlier and no longer names: its certificates are revoked, its files are removed, and nothing
//! is remembered with the name any longer.

use std::path::PathBuf;

use crate::authority::leaf::error::IssueError;
use crate::authority::revocation::revoke::{RevokeError, RevokeOrder, RevokeTarget, revoke};
use crate::store::certificate_files;
use crate::store::certificate_folder::FolderState;
use crate::store::entry_name::EntryName;
use crate::store::index::{Reference, StoredExport};
use crate::store::previous_certificates::NameHistory;
use crate::store::{Effects, Store, StoreError};
use crate::system::files::{self, FileError, Folder};
use crate::x509::SerialNumber;
use crate::x509::crl::RevocationReason;

/// What was removed of a name.
#[derive(Debug)]
pub struct Pruned {
    pub revoked: Vec<SerialNumber>,
    /// The authorities whose CRLs have to be signed again.
    pub authorities: Vec<String>,
    /// The exported files, which stay.
    pub exports: Vec<PathBuf>,
}

/// The reason why a name was not removed, or not wholly. The same command completes it.
#[derive(Debug, thiserror::Error)]
pub enum PruneError {
    #[error(transparent)]
    Revoke(#[from] RevokeError),
    #[error(transparent)]
    Issue(IssueError),
}

impl<E> From<E> for PruneError
where
    IssueError: From<E>,
{
    fn from(error: E) -> Self {
        Self::Issue(error.into())
    }
}

impl crate::text::Diagnostic for PruneError {
    fn diagnosis(&self) -> crate::text::Diagnosis {
        match self {
            Self::Revoke(error) => error.diagnosis(),
            Self::Issue(error) => error.diagnosis(),
        }
    }
}

/// Revokes every certificate of a name that has not expired, removes its files, and forgets its hook, its file rules, its exports
/// and its manifest. The manifest is forgotten last, so that an interrupted run is completed by the next one.
///
/// # Errors
/// When a step fails; what was done before it stays done.
pub fn prune(store: &Store, name: &str, effects: &Effects<'_>) -> Result<Pruned, PruneError> {
    let order = RevokeOrder {
        target: RevokeTarget::Reference(Reference::Name(name.to_owned())),
        all: true,
        reason: RevocationReason::CessationOfOperation,
        invalid_since: None,
    };
    let (revoked, authorities) = match revoke(store, &order, effects) {
        Ok(outcome) => (outcome.certificates.into_iter().map(|entry| entry.serial).collect(), outcome.authorities),
        Err(error) if error.says_nothing_to_do() => (Vec::new(), Vec::new()),
        Err(error) => return Err(error.into()),
    };
    let entry_name: EntryName = name.parse().map_err(StoreError::from)?;
    let mut locked = store.lock(effects.lock_timeout)?;
    let index = locked.index()?;
    let history = NameHistory::of(index, name)?;
    remove_files(store, &history, &entry_name, effects)?;
    let exports = index.exports(name)?;
    let mut transaction = index.transaction(effects.event_context())?;
    if transaction.hook(name)?.is_some() {
        transaction.set_hook(name, None)?;
    }
    if transaction.file_rules(name)?.is_some() {
        transaction.set_file_rules(name, &crate::issuance::FileRules::default())?;
    }
    for stored in &exports {
        transaction.remove_export(stored)?;
    }
    transaction.set_declaration(name, None)?;
    transaction.commit()?;
    let exports = exports.into_iter().map(|StoredExport { export, .. }| export.destination).collect();
    Ok(Pruned { revoked, authorities, exports })
}

/// Removes the folder of a name with what is kept of earlier certificates; of a folder of the user, the files of the certificate.
fn remove_files(
    store: &Store,
    history: &NameHistory,
    name: &EntryName,
    effects: &Effects<'_>,
) -> Result<(), FileError> {
    let home = store.home();
    let usual = [home.entry(name), home.generations(name)];
    for folder in usual.iter().filter(|folder| folder.symlink_metadata().is_ok()) {
        files::discard(folder, home.folder(), effects.entropy)?;
    }
    let Some(entry) = history.recorded() else { return Ok(()) };
    let Some(place) = &entry.place else { return Ok(()) };
    let state = FolderState::read(place, &entry.fingerprint, &entry.key_fingerprint, true)?;
    let Some(folder) = Folder::open_if_exists(place)? else { return Ok(()) };
    for file in certificate_files::ALL {
        // A file with another content is not one of this name.
        if !state.missing.contains(&file.name) && !state.altered.contains(&file.name) {
            folder.remove_file(file.name)?;
        }
    }
    folder.sync()?;
    files::remove_if_empty(place);
    Ok(())
}
