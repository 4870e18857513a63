//! The exit statuses of the program.

use crate::text::Class;

/// The exit statuses of the program (docs/reference/exit-codes.md); any other is a defect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExitStatus {
    /// Done; or the answer is yes.
    Done = 0,
    /// The answer is no.
    No = 1,
    /// The request cannot be understood.
    Usage = 2,
    /// Understood, but refused or failed.
    Refused = 3,
    /// Done, and something was changed: only with `--exit-changed`.
    Changed = 10,
}

impl From<Class> for ExitStatus {
    fn from(class: Class) -> Self {
        match class {
            Class::Usage => Self::Usage,
            Class::Refused => Self::Refused,
        }
    }
}
