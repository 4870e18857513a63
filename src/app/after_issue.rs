//! What happens after a certificate was issued: its hook is remembered and run.

use crate::app::closed_folder::to_enter;
use crate::app::context::Context;
use crate::app::remembered_exports::{self, ExportRun};
use crate::app::run_hook::{HookOptions, HookRun};
use crate::authority::leaf::due::{DueEntry, DueItem};
use crate::authority::leaf::hook::HookEvent;
use crate::authority::leaf::order::ClosedWay;
use crate::authority::leaf::order::{CertificateFacts, IssueOutcome, IssueStatus};
use crate::report::failure::Failure;
use crate::store::Store;
use crate::store::delivery::Destination;
use crate::text::{PathText, escape};

/// What happened after files changed.
#[derive(Debug, Default)]
pub struct AfterChange {
    /// The exports of the name that were written again.
    pub exports: Vec<ExportRun>,
    /// `None` when no hook was run.
    pub hook: Option<HookRun>,
}

/// What is to happen after an act that issued.
pub struct After<'a> {
    pub action: &'static str,
    pub hook: HookOptions,
    /// The variable with the passphrase.
    pub secret: Option<&'a str>,
}

impl After<'_> {
    /// Writes the exports of the name again and runs its hook, if files changed.
    ///
    /// # Errors
    /// When the index cannot be read or written.
    pub fn run(
        &self,
        store: &Store,
        outcome: &IssueOutcome,
        context: &mut Context<'_>,
    ) -> Result<AfterChange, Failure> {
        let name = outcome.name.as_str();
        if let Some(closed) = &outcome.closed_way {
            context.warn_at_end(closed_way_sentence(name, closed, store));
        }
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
                // A name that had no certificate has no exports.
                let exports = match outcome.replaced {
                    Some(_) => remembered_exports::refresh(store, name, context)?,
                    None => Vec::new(),
                };
                let hook = self.hook.run(store, &change, outcome.hook.clone(), &secrets, context)?;
                Ok(AfterChange { exports, hook })
            }
            (_, _, IssueStatus::Planned) => Ok(AfterChange::default()),
            _ => self.hook.remember(store, name, context).map(|()| AfterChange::default()),
        }
    }
}

impl After<'_> {
    /// Writes the exports of a name again whose certificate is deployed already, and runs its hook if one was written.
    ///
    /// # Errors
    /// When the index cannot be read or written.
    pub fn write_exports(
        &self,
        store: &Store,
        due: &DueEntry,
        context: &mut Context<'_>,
    ) -> Result<AfterChange, Failure> {
        let DueItem::Certificate { entry, folder, has_key, hook } = &due.what else {
            return Ok(AfterChange::default());
        };
        let exports = remembered_exports::refresh(store, &due.name, context)?;
        let paths = Destination::Folder(folder.clone()).paths(store.home(), &due.name.parse()?, *has_key);
        let (Some(paths), false) = (paths, exports.iter().all(ExportRun::failed)) else {
            return Ok(AfterChange { exports, hook: None });
        };
        let change = HookEvent::of_deployed(self.action, entry, &paths);
        let secrets: Vec<&str> = self.secret.into_iter().collect();
        let hook = self.hook.run(store, &change, hook.clone(), &secrets, context)?;
        Ok(AfterChange { exports, hook })
    }
}

/// Returns what is to be known of a folder that keeps the owner or the group away from the files.
pub fn closed_way_sentence(name: &str, closed: &ClosedWay, store: &Store) -> String {
    let (folder, who) = (&closed.folder, escape(&closed.who));
    let fix = to_enter(folder, closed.who.strip_prefix("group "), store.home().folder());
    format!(
        "the {who} cannot read the files of '{}': it cannot enter {} (mode {:04o}); {fix}",
        escape(name),
        folder.path.escaped(),
        folder.mode
    )
}
