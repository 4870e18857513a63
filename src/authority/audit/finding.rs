//! What an audit finds.

/// One thing that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
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
}

/// How much a finding matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
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
pub struct Findings(pub Vec<Finding>);

impl Findings {
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
        let finding = Finding { code, severity, object: object.into(), message: message.into(), fix: fix.into() };
        if !self.0.contains(&finding) {
            self.0.push(finding);
        }
    }
}

/// The fix for a record that was changed.
pub const RESTORE: &str = "find out who changed it; restore index.db and index.db-wal from a backup";
