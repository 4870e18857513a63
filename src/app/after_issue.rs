//! What happens after a certificate was issued: its hook is remembered and run.

use crate::app::context::Context;
use crate::app::run_hook::{HookOptions, HookRun};
use crate::authority::leaf::hook::HookEvent;
use crate::authority::leaf::order::{CertificateFacts, IssueOutcome, IssueStatus};
use crate::report::failure::Failure;
use crate::store::Store;

/// What is to happen after an act that issued.
pub struct After<'a> {
    pub action: &'static str,
    pub hook: HookOptions,
    /// The variable with the passphrase.
    pub secret: Option<&'a str>,
}

impl After<'_> {
    /// Runs the hook of the name if files changed.
    ///
    /// # Errors
    /// When the index cannot be read or written.
    pub fn run(
        &self,
        store: &Store,
        outcome: &IssueOutcome,
        context: &mut Context<'_>,
    ) -> Result<Option<HookRun>, Failure> {
        let name = outcome.name.as_str();
        match (&outcome.facts, &outcome.paths, outcome.status) {
            (CertificateFacts::Certificate(certificate), Some(paths), IssueStatus::Issued) => {
                let change = HookEvent {
                    action: self.action,
                    name,
                    template: &outcome.template,
                    authority: &outcome.authority,
                    serial: &certificate.serial,
                    previous: outcome.replaced.as_ref(),
                    not_after: certificate.validity.not_after,
                    paths,
                };
                let secrets: Vec<&str> = self.secret.into_iter().collect();
                self.hook.run(store, &change, outcome.hook.clone(), &secrets, context)
            }
            (_, _, IssueStatus::Planned) => Ok(None),
            _ => self.hook.remember(store, name, context).map(|()| None),
        }
    }
}
