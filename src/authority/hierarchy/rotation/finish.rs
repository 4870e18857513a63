//! The old root leaves the bundle of trusted roots. Its folder, with its key, stays in `retired/` until the user removes it.

use std::path::PathBuf;

use crate::authority::hierarchy::rotation::error::RotationError;
use crate::authority::hierarchy::rotation::status::{RotationStatus, of};
use crate::store::Store;
use crate::store::certificate_files::KEY;
use crate::store::effects::Effects;
use crate::store::index::EventKind;
use crate::system::files;

/// What came of it.
#[derive(Debug)]
pub struct FinishedRotation {
    /// The rotation before it was finished: with force, what still depends on the old root.
    pub state: RotationStatus,
    /// Where the folder of the old root is now.
    pub retired: PathBuf,
    /// Its private key, if it is there.
    pub key: Option<PathBuf>,
}

/// Ends a rotation: one rename, which is there or is not.
///
/// # Errors
/// When none is under way, or something still depends on the old root and that is not forced.
pub fn finish(store: &Store, force: bool, effects: &Effects<'_>) -> Result<FinishedRotation, RotationError> {
    let now = effects.now();
    let home = store.home();
    let mut locked = store.lock(effects.lock_timeout)?;
    files::remove_stale(home.folder())?;
    let state = of(store, now)?.ok_or(RotationError::None)?;
    if state.old_issues && !force {
        return Err(RotationError::Issues(state.old));
    }
    if !state.is_ready() && !force {
        let (certificates, authorities) = (state.certificates.len(), state.authorities.len());
        return Err(RotationError::Left { old: state.old, certificates, authorities });
    }
    let (from, retired) = (home.authority(&state.old), home.retired().join(&state.old));
    if retired.symlink_metadata().is_ok() {
        return Err(RotationError::InTheWay(retired));
    }
    files::create_folders(&home.retired(), files::FOLDER)?;
    let mut transaction = locked.index()?.transaction(effects.event_context())?;
    transaction.record_event(EventKind::RootRotateFinish, &state.old, Some(format!("replaced by {}", state.new)));
    transaction.commit()?;
    files::move_new(&from, &retired)?;
    let not_synced = |cause| RotationError::NotSynced { retired: retired.clone(), cause };
    files::sync_folder(&home.retired()).map_err(not_synced)?;
    files::sync_folder(&home.authorities()).map_err(not_synced)?;
    let key = Some(KEY.path_in(&retired)).filter(|key| key.is_file());
    Ok(FinishedRotation { state, retired, key })
}
