//! The decision about a change before it is made: a dry run lists it and declines, and a user at a terminal can confirm it.
//!
//! An act describes its change once, after every check that needs no lock, and before it takes the lock or writes anything.

use crate::store::index::Entry;
use crate::text::{Diagnosis, Diagnostic, rfc3339};

/// A change that an act is about to make.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedChange {
    /// What is done, as a sentence without its subject: `revoke web.test`.
    pub what: String,
    /// Labels and values.
    pub facts: Vec<(&'static str, String)>,
    /// What cannot be undone, as a sentence; `None`: nothing.
    pub lost: Option<String>,
    /// What the user should know before the change, as sentences.
    pub notes: Vec<String>,
    /// True when a user at a terminal has to confirm it.
    pub asks: bool,
    /// True when Enter alone confirms it.
    pub enter_confirms: bool,
}

impl PlannedChange {
    pub fn new(what: impl Into<String>) -> Self {
        Self { what: what.into(), facts: Vec::new(), lost: None, notes: Vec::new(), asks: false, enter_confirms: false }
    }

    /// Adds a label and its value.
    #[must_use]
    pub fn fact(mut self, label: &'static str, value: impl ToString) -> Self {
        self.facts.push((label, value.to_string()));
        self
    }

    /// Adds what identifies a certificate.
    #[must_use]
    pub fn certificate(self, entry: &Entry) -> Self {
        let issuer = format!("{} ({})", entry.issuer, entry.authority);
        let expires = rfc3339(entry.validity.not_after);
        self.fact("serial", &entry.serial)
            .fact("subject", &entry.subject)
            .fact("issuer", issuer)
            .fact("expires", expires)
    }

    /// Adds what the user should know before the change.
    #[must_use]
    pub fn note(mut self, sentence: impl Into<String>) -> Self {
        self.notes.push(sentence.into());
        self
    }

    /// Requires a confirmation at a terminal, although nothing is lost: Enter is enough.
    #[must_use]
    pub fn confirmed(self) -> Self {
        Self { asks: true, enter_confirms: true, ..self }
    }

    /// Requires a confirmation at a terminal, because this is lost.
    #[must_use]
    pub fn asks(self, lost: impl Into<String>) -> Self {
        Self { lost: Some(lost.into()), asks: true, ..self }
    }
}

/// The reason why a change was not made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Declined {
    #[error("a dry run changes nothing")]
    DryRun,
    #[error("not confirmed: nothing was changed")]
    NotConfirmed,
}

impl Declined {
    /// The code of a dry run, which the command line turns into a report.
    pub const DRY_RUN: &str = "dry-run";
}

impl Diagnostic for Declined {
    fn diagnosis(&self) -> Diagnosis {
        match self {
            Self::DryRun => Diagnosis::refused("dry-run"),
            Self::NotConfirmed => Diagnosis::refused("not-confirmed").hint("answer 'y', or give --yes"),
        }
    }
}

/// Decides about the changes of one command.
pub trait Approval {
    /// Approves a change.
    ///
    /// # Errors
    /// When it must not be made.
    fn approve(&self, change: PlannedChange) -> Result<(), Declined>;

    /// Returns true when no change is approved, so that every check is worth its time.
    fn is_dry_run(&self) -> bool;
}

/// Approves everything.
#[cfg(test)]
pub struct Approved;

#[cfg(test)]
impl Approval for Approved {
    fn approve(&self, _: PlannedChange) -> Result<(), Declined> {
        Ok(())
    }

    fn is_dry_run(&self) -> bool {
        false
    }
}
