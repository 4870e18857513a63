//! The old root leaves the bundle of trusted roots. Its folder, with its key, stays in `retired/` until the user removes it.

use std::path::PathBuf;

use time::OffsetDateTime;

use crate::authority::hierarchy::rotation::error::RotationError;
use crate::authority::hierarchy::rotation::status::{RotationStatus, of};
use crate::store::Store;
use crate::store::approval::PlannedChange;
use crate::store::certificate_files::KEY;
use crate::store::effects::Effects;
use crate::store::index::EventKind;
use crate::system::files;
use crate::text::rfc3339;
use crate::x509::Certificate;

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
    // Before the user is asked, and once more under the lock.
    let (state, _) = checked(store, force, now)?;
    effects.approval.approve(planned(&state))?;
    let mut locked = store.lock(effects.lock_timeout)?;
    files::remove_stale(home.folder())?;
    let (state, retired) = checked(store, force, now)?;
    let from = home.authority(&state.old);
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

/// Returns the rotation that can be finished, and where its old root goes.
fn checked(store: &Store, force: bool, now: OffsetDateTime) -> Result<(RotationStatus, PathBuf), RotationError> {
    let state = of(store, now)?.ok_or(RotationError::None)?;
    if state.old_issues && !force {
        return Err(RotationError::Issues(state.old));
    }
    if !state.is_ready() && !force {
        let (certificates, authorities) = (state.certificates.len(), state.authorities.len());
        return Err(RotationError::Left { old: state.old, certificates, authorities });
    }
    let retired = store.home().retired().join(&state.old);
    if retired.symlink_metadata().is_ok() {
        return Err(RotationError::InTheWay(retired));
    }
    Ok((state, retired))
}

fn planned(state: &RotationStatus) -> PlannedChange {
    let root = |name: &str, certificate: &Certificate| {
        format!("{name}, {}, expires {}", certificate.subject, rfc3339(certificate.validity.not_after))
    };
    let change = PlannedChange::new(format!("finish the rotation from '{}' to '{}'", state.old, state.new))
        .fact("old root", root(&state.old, &state.old_certificate))
        .fact("new root", root(&state.new, &state.new_certificate));
    let left = match state.certificates.len() {
        0 => String::new(),
        1 => ", and refuse 1 certificate that depends on it".to_owned(),
        count => format!(", and refuse {count} certificates that depend on it"),
    };
    change.asks(format!("clients that get the next bundle no longer trust the old root{left}"))
}
