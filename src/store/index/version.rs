//! The version of the tables of an index, which may be another one than that of this program.

use super::error::{IndexError, IndexPath};

/// The version of the tables of an index. Files and servers are counted apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IndexVersion {
    /// What the tables have.
    pub found: i64,
    /// What this program reads and writes.
    pub current: i64,
}

impl IndexVersion {
    /// Returns true when the tables have to be migrated.
    pub fn is_older(self) -> bool {
        self.found < self.current
    }

    /// Checks that a later version of this program did not make the tables.
    pub(super) fn check_not_newer(self, place: &IndexPath) -> Result<(), IndexError> {
        let Self { found, current } = self;
        if found <= current {
            return Ok(());
        }
        Err(IndexError::Newer { path: place.0.clone(), found, known: current })
    }

    /// Checks that the tables do not have to be migrated first.
    pub(super) fn check_not_older(self, place: &IndexPath) -> Result<(), IndexError> {
        let Self { found, current } = self;
        if self.is_older() {
            return Err(IndexError::Older { path: place.0.clone(), found, needed: current });
        }
        Ok(())
    }
}
