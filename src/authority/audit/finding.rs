//! What an audit finds, and what can be done about it without a decision of the user.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::path::PathBuf;

use crate::system::Entropy;
use crate::system::files::{self, ExistingFile, FileError};

/// One thing that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Finding {
    /// A stable word for scripts, listed in docs/reference/audit.md.
    pub code: &'static str,
    pub severity: Severity,
    /// What it is about: an event, a record, a file.
    pub object: String,
    /// What is known.
    pub message: String,
    /// What to do.
    pub fix: String,
    /// What `--fix` does; `None` when only the user can decide.
    pub repair: Option<Repair>,
}

/// A change that is safe without a decision of the user.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Repair {
    /// Takes permissions away.
    Mode { path: PathBuf, mode: u32 },
    /// Writes a file that is missing, from what the index has.
    Write { path: PathBuf, content: Vec<u8>, mode: u32 },
    /// Removes what killed processes left in a folder.
    RemoveStale { folder: PathBuf },
}

impl Repair {
    /// Carries it out. The caller has the lock of the CA.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn carry_out(&self, entropy: &dyn Entropy) -> Result<(), FileError> {
        match self {
            Self::Mode { path, mode } => files::restrict_mode(path, *mode),
            Self::Write { path, content, mode } => {
                files::publish_file(path, content, *mode, ExistingFile::Keep, entropy)
            }
            Self::RemoveStale { folder } => files::remove_stale(folder),
        }
    }
}

/// How much a finding matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Severity {
    /// Left by a process that was killed: the next command for the same name completes it.
    Note,
    /// Something is missing, or could become a problem.
    Warning,
    /// Something was changed, or cannot be trusted.
    Error,
}

impl Severity {
    /// Returns the name in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// The findings of an audit, in the order in which they were made.
#[derive(Debug, Default)]
pub struct Findings {
    found: Vec<Finding>,
    /// The positions of findings by their hash, so that an equal one is found without a comparison with all of them.
    by_hash: HashMap<u64, Vec<usize>>,
    hasher: RandomState,
}

impl Findings {
    /// Returns them in their order.
    pub fn into_vec(self) -> Vec<Finding> {
        self.found
    }

    /// Adds an error.
    pub fn error(
        &mut self,
        code: &'static str,
        object: impl Into<String>,
        message: impl Into<String>,
        fix: impl Into<String>,
    ) {
        self.add(Severity::Error, code, object, message, fix);
    }

    /// Adds a finding.
    pub fn add(
        &mut self,
        severity: Severity,
        code: &'static str,
        object: impl Into<String>,
        message: impl Into<String>,
        fix: impl Into<String>,
    ) {
        self.repairable(severity, code, object, message, fix, None);
    }

    /// Adds a finding that `--fix` may repair.
    pub fn repairable(
        &mut self,
        severity: Severity,
        code: &'static str,
        object: impl Into<String>,
        message: impl Into<String>,
        fix: impl Into<String>,
        repair: Option<Repair>,
    ) {
        let (object, message, fix) = (object.into(), message.into(), fix.into());
        self.insert(Finding { code, severity, object, message, fix, repair });
    }

    /// Adds the findings of a part, in their order.
    pub fn append(&mut self, part: Self) {
        part.found.into_iter().for_each(|finding| self.insert(finding));
    }

    pub fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// Returns a copy of those so far, in their order.
    pub fn to_vec(&self) -> Vec<Finding> {
        self.found.clone()
    }

    /// Adds a finding, unless it is there.
    pub fn insert(&mut self, finding: Finding) {
        let places = self.by_hash.entry(self.hasher.hash_one(&finding)).or_default();
        if !places.iter().any(|place| self.found.get(*place) == Some(&finding)) {
            places.push(self.found.len());
            self.found.push(finding);
        }
    }
}

/// The fix for a record that was changed.
pub const RESTORE: &str = "find out who changed it; restore index.db and index.db-wal from a backup";
