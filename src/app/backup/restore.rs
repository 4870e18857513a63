//! `ca restore`: makes the CA directory of a backup.

use std::path::{Path, PathBuf};

use time::OffsetDateTime;

use super::{RestoredAuthority, Unlock, authorities_of, failed, open};
use crate::app::context::Context;
use crate::report::failure::Failure;
use crate::store::approval::PlannedChange;
use crate::store::backup::manifest::Manifest;
use crate::store::backup::restore::{check_target, unpack};
use crate::store::{Store, StoreError};
use crate::system::files;
use crate::text::PathText;

/// A CA that was restored.
#[derive(Debug)]
pub struct RestoreOutcome {
    pub folder: PathBuf,
    pub manifest: Manifest,
    pub restored_at: OffsetDateTime,
    pub files: u64,
    pub authorities: Vec<RestoredAuthority>,
}

/// Restores the CA of a backup to a folder that does not exist or is empty.
///
/// # Errors
/// When something is in the way, or the backup cannot be opened or is damaged. Then the folder is as it was.
pub fn restore(
    file: &Path,
    folder: &Path,
    unlock: &Unlock<'_>,
    context: &mut Context<'_>,
) -> Result<RestoreOutcome, Failure> {
    let target = context.world.resolve(folder);
    check_target(&target)?;
    let content = open(file, unlock, context)?.map_err(|error| failed(file, error))?;
    let (now, effects) = (context.now(), context.effects());
    let change = PlannedChange::new(format!("restore {} to {}", file.escaped(), target.escaped()));
    effects.approval.approve(change).map_err(StoreError::from)?;
    let parent = target.parent().unwrap_or(Path::new("/"));
    files::create_folders(parent, files::FOLDER)?;
    let unpacked = unpack(content, parent, effects.event_context(), effects.entropy);
    let unpacked = unpacked.map_err(|error| failed(file, error))?;
    let authorities = authorities_of(&Store::open(unpacked.home())?)?;
    let (manifest, files) = (unpacked.manifest.clone(), unpacked.files);
    unpacked.sync()?;
    unpacked.publish(&target)?;
    Ok(RestoreOutcome { folder: target, manifest, restored_at: now, files, authorities })
}
