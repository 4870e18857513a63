//! The CA keys that an act on many certificates opens, each once. One that cannot be opened is not tried again.

use std::collections::HashMap;

use crate::authority::leaf::error::IssueError;
use crate::authority::leaf::opened_issuer::{OpenedIssuer, open_issuer};
use crate::authority::leaf::plan::Plan;
use crate::report::failure::Failure;
use crate::store::passphrase_prompt::PassphrasePrompt;

/// The CA keys that were opened.
#[derive(Default)]
pub struct OpenedKeys {
    pub issuers: Vec<OpenedIssuer>,
    /// By the name of the authority, the position of its key among the opened ones.
    known: HashMap<String, Result<usize, Failure>>,
}

impl OpenedKeys {
    /// Returns the position of the key of the authority that a plan names. It is opened at the first call.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub fn open(&mut self, plan: &Plan<'_>, prompt: &mut PassphrasePrompt<'_>) -> Result<usize, Failure> {
        if let Some(known) = self.known.get(plan.issuer_name()) {
            return known.clone();
        }
        let opened = open_issuer(plan, prompt).map_err(|error: IssueError| Failure::from(error));
        let position = opened.map(|opened| {
            self.issuers.push(opened);
            self.issuers.len() - 1
        });
        self.known.insert(plan.issuer_name().to_owned(), position.clone());
        position
    }
}
