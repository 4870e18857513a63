//! What is wrong with the files of another tool.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::lint::Severity;

/// The most findings of one code that are shown; the others are counted.
pub const MOST_SHOWN: usize = 10;

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportFinding {
    pub code: &'static str,
    /// An error prevents the import.
    pub severity: Severity,
    /// The file, relative to the folder of the tool; `None` when it is about no single file.
    pub path: Option<PathBuf>,
    /// The line of the file, counted from 1.
    pub line: Option<usize>,
    pub message: String,
}

/// What was found: of each code the first ones, and the number of the others.
#[derive(Debug, Clone, Default)]
pub struct ImportFindings {
    pub shown: Vec<ImportFinding>,
    /// The number of findings that are not shown, by code.
    pub more: BTreeMap<&'static str, usize>,
    counts: BTreeMap<&'static str, usize>,
}

impl ImportFindings {
    /// Adds a finding.
    pub fn add(&mut self, finding: ImportFinding) {
        let count = self.counts.entry(finding.code).or_default();
        *count += 1;
        if *count > MOST_SHOWN {
            *self.more.entry(finding.code).or_default() += 1;
        } else {
            self.shown.push(finding);
        }
    }

    /// Adds a warning about a file.
    pub fn warn(&mut self, code: &'static str, path: impl Into<PathBuf>, message: impl Into<String>) {
        self.warn_at(code, path, None, message);
    }

    /// Adds a warning about a line of a file.
    pub fn warn_at(
        &mut self,
        code: &'static str,
        path: impl Into<PathBuf>,
        line: Option<usize>,
        message: impl Into<String>,
    ) {
        let (path, message) = (Some(path.into()), message.into());
        self.add(ImportFinding { code, severity: Severity::Warning, path, line, message });
    }

    /// Adds a warning about the CA.
    pub fn warn_of_ca(&mut self, code: &'static str, message: impl Into<String>) {
        let message = message.into();
        self.add(ImportFinding { code, severity: Severity::Warning, path: None, line: None, message });
    }

    /// Returns true when a finding prevents the import.
    pub fn has_error(&self) -> bool {
        self.shown.iter().any(|finding| finding.severity == Severity::Error)
    }

    /// Returns the number of findings of a code.
    pub fn count(&self, code: &str) -> usize {
        self.counts.get(code).copied().unwrap_or_default()
    }

    /// Returns the number of all findings.
    pub fn total(&self) -> usize {
        self.counts.values().sum()
    }
}
