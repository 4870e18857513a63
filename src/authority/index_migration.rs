//! `ca index migrate`: brings the tables of the index to the version of this program. A file is migrated by its first change too;
//! the tables in a server are not, because the roles of the machines may not change tables.

use crate::store::approval::PlannedChange;
use crate::store::index::IndexVersion;
use crate::store::index::location::IndexLocation;
use crate::store::{Effects, Store, StoreError};

/// An index whose tables have the version of this program.
#[derive(Debug)]
pub struct MigratedIndex {
    pub location: IndexLocation,
    /// The version that they had before.
    pub version: IndexVersion,
}

/// Migrates the index of a CA, when it is older than this program.
///
/// # Errors
/// When the index has a later version, or cannot be read or changed.
pub fn migrate(store: &Store, effects: &Effects<'_>) -> Result<MigratedIndex, StoreError> {
    let location = store.index_location().clone();
    let mut version = location.version()?;
    if version.is_older() {
        let what = format!("migrate the index from version {} to {}", version.found, version.current);
        effects.approval.approve(PlannedChange::new(what).fact("location", location.shown()))?;
        version = location.migrate(effects.lock_timeout)?;
    }
    Ok(MigratedIndex { location, version })
}
