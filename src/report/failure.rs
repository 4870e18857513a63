//! What went wrong, in a sentence with cause, place and cure, and the exit status that goes with it.

mod input;
mod text;

pub use input::KindCodes;
use std::io;
pub use text::{ErrorStyle, without_repetitions};

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::exit_status::ExitStatus;
use super::json;
use crate::system::files::FileError;
use crate::text::toml_document::DocumentError;
use crate::text::{Diagnosis, Diagnostic, io_reason};

/// A command that could not do what it was asked to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    pub status: ExitStatus,
    /// A stable word for scripts, listed in docs/reference/exit-codes.md.
    pub code: &'static str,
    pub message: String,
    /// What to do about it.
    pub hints: Vec<String>,
    /// A file that is wrong: shown to a person with the lines in question instead of the message.
    pub picture: Option<Box<DocumentError>>,
}

/// `ca.error/1`.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Failure")]
pub struct FailureJson<'a> {
    error: ErrorJson<'a>,
    /// In a document about several arguments: the argument that the error is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
}

/// What went wrong.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Error")]
pub struct ErrorJson<'a> {
    /// A code that `ca explain` knows.
    code: &'a str,
    message: &'a str,
    /// What to do about it.
    hints: &'a Vec<String>,
}

impl Failure {
    /// Badly asked: exit status 2.
    pub fn usage(code: &'static str, message: impl Into<String>) -> Self {
        Self { status: ExitStatus::Usage, code, message: message.into(), hints: Vec::new(), picture: None }
    }

    /// Understood, but refused or failed: exit status 3.
    pub fn refused(code: &'static str, message: impl Into<String>) -> Self {
        Self { status: ExitStatus::Refused, code, message: message.into(), hints: Vec::new(), picture: None }
    }

    /// Adds what to do about it.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// Returns the message, then the hints.
    pub fn lines(&self) -> impl Iterator<Item = &String> {
        std::iter::once(&self.message).chain(&self.hints)
    }

    /// An input that cannot be read: exit status 2.
    pub fn unreadable(error: &FileError) -> Self {
        Self::usage("unreadable-input", error.to_string())
    }

    /// The result could not be shown.
    pub fn stdout(error: &io::Error) -> Self {
        Self::refused("output-failed", format!("cannot write to standard output: {}", io_reason(error)))
    }

    /// The document of `--json`.
    pub fn json(&self) -> Value {
        json::document("ca.error/1", &FailureJson { error: self.error_json(), name: None })
    }

    /// The document for one of several arguments.
    pub fn json_of(&self, argument: &str) -> Value {
        json::document("ca.error/1", &FailureJson { error: self.error_json(), name: Some(argument) })
    }

    /// The same within another document.
    pub fn error_json(&self) -> ErrorJson<'_> {
        ErrorJson { code: self.code, message: &self.message, hints: &self.hints }
    }
}

impl Failure {
    /// A sentence with what an error says beside it.
    pub fn new(message: String, diagnosis: Diagnosis) -> Self {
        let Diagnosis { class, code, hints, document } = diagnosis;
        Self { status: class.into(), code, message, hints, picture: document }
    }
}

impl<E: Diagnostic> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::new(error.to_string(), error.diagnosis())
    }
}
