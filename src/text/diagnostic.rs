//! What an error has for programs, beside its sentence: a stable code, whether the request or its execution failed, and how
//! to fix it.

use std::error::Error;

use super::toml_document::DocumentError;

/// The class of an error, which decides the exit status (docs/reference/exit-codes.md).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// The request or one of its inputs is invalid.
    Usage,
    /// The request is valid, and was refused or failed.
    Refused,
}

/// The machine-readable part of an error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnosis {
    pub class: Class,
    /// A stable word for scripts, in kebab case.
    pub code: &'static str,
    /// Each is a sentence or a command that fixes the cause.
    pub hints: Vec<String>,
    /// The file that is wrong, with the place of each problem.
    pub document: Option<Box<DocumentError>>,
}

impl Diagnosis {
    /// Returns the diagnosis of an invalid request.
    pub fn usage(code: &'static str) -> Self {
        Self { class: Class::Usage, code, hints: Vec::new(), document: None }
    }

    /// Returns the diagnosis of a request that was refused or failed.
    pub fn refused(code: &'static str) -> Self {
        Self { class: Class::Refused, code, hints: Vec::new(), document: None }
    }

    /// Adds a hint.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// Adds several hints.
    #[must_use]
    pub fn hints(mut self, hints: impl IntoIterator<Item = String>) -> Self {
        self.hints.extend(hints);
        self
    }
}

/// An error that knows its own code and hints.
pub trait Diagnostic: Error {
    /// Returns code, class and hints; the sentence is the error's `Display`.
    fn diagnosis(&self) -> Diagnosis;
}

impl Diagnostic for DocumentError {
    fn diagnosis(&self) -> Diagnosis {
        Diagnosis { document: Some(Box::new(self.clone())), ..Diagnosis::usage("bad-toml") }
    }
}
