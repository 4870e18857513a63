//! What the user needs to know although the command did what was requested.

/// A code for programs, and a sentence. `src/report/warning_codes.rs` lists the codes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    pub code: &'static str,
    pub message: String,
}

impl Warning {
    pub fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }
}
