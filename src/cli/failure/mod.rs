//! What went wrong, in a sentence with cause, place and cure, and the exit status that goes with it.

mod authority;
mod files;
mod handshake;
mod hierarchy;
mod index;
mod keys;
mod request;
mod verify;

use std::io;

use serde_json::{Value, json};

use super::ExitStatus;
use crate::system::files::FileError;
use crate::text::toml_document::DocumentError;

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

    /// An input that cannot be read: exit status 2.
    pub fn unreadable(error: &FileError) -> Self {
        Self::usage("unreadable-input", error.to_string())
    }

    /// The result could not be shown.
    pub(super) fn stdout(error: &io::Error) -> Self {
        Self::refused("output-failed", format!("cannot write to standard output: {error}"))
    }

    /// The words of the command line could not be understood.
    pub fn words(error: &clap::Error) -> Self {
        let rendered = error.render().to_string();
        // What the first paragraph lists belongs to the sentence: the arguments that are missing.
        let (sentence, rest) = rendered.split_once("\n\n").unwrap_or((&rendered, ""));
        let mut listed = sentence.lines().map(str::trim).filter(|line| !line.is_empty());
        let mut message = listed.next().unwrap_or_default().trim_start_matches("error: ").to_owned();
        let mut apart: Vec<&str> = listed.collect();
        if message.ends_with(':') {
            message = format!("{message} {}", apart.join(", "));
            apart.clear();
        }
        let lines = apart.into_iter().chain(rest.lines().map(str::trim).filter(|line| !line.is_empty()));
        let hints = lines
            .filter(|line| !line.starts_with("Usage:"))
            .map(|line| line.trim_start_matches("tip: ").to_owned())
            .collect();
        Self { status: ExitStatus::Usage, code: "bad-arguments", message, hints, picture: None }
    }

    /// `error: …` and `hint: …` lines.
    pub fn text(&self, colored: bool) -> String {
        let (red, cyan, reset) = if colored { ("\u{1b}[1;31m", "\u{1b}[36m", "\u{1b}[0m") } else { ("", "", "") };
        let hints: String = self.hints.iter().map(|hint| format!("{cyan}hint{reset}: {hint}\n")).collect();
        match &self.picture {
            Some(error) => format!("{}{hints}", error.picture(colored)),
            None => format!("{red}error{reset}: {}\n{hints}", self.message),
        }
    }

    /// The document of `--json`.
    pub fn json(&self) -> Value {
        json!({ "schema": "ca.error/1", "error": { "code": self.code, "message": self.message, "hints": self.hints } })
    }
}
