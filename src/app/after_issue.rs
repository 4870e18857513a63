//! What happens after a certificate was issued: its hook is remembered and run.

use crate::app::context::Context;
use crate::app::run_hook::{HookOptions, HookRun};
use crate::authority::leaf::hook::HookEvent;
use crate::authority::leaf::order::ClosedWay;
use crate::authority::leaf::order::{CertificateFacts, IssueOutcome, IssueStatus};
use crate::report::failure::Failure;
use crate::store::Store;
use crate::text::{PathText, escape};

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
        if let Some(closed) = &outcome.closed_way {
            context.warn_at_end(sentence(name, closed, store));
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
                self.hook.run(store, &change, outcome.hook.clone(), &secrets, context)
            }
            (_, _, IssueStatus::Planned) => Ok(None),
            _ => self.hook.remember(store, name, context).map(|()| None),
        }
    }
}

/// Returns what is to be known of a folder that keeps the owner or the group away from the files.
fn sentence(name: &str, closed: &ClosedWay, store: &Store) -> String {
    let (folder, who) = (&closed.folder, escape(&closed.who));
    let is_of_ca = store.home().folder().canonicalize().is_ok_and(|home| folder.path.starts_with(home));
    let fix = match (is_of_ca, closed.who.strip_prefix("group ")) {
        (true, _) => "write the files to another folder with --out DIR".to_owned(),
        (false, Some(group)) => {
            let path = folder.path.in_shell();
            format!("chgrp {} {path} && chmod g+x {path}", crate::text::shell_word(group))
        }
        (false, None) => format!("chmod o+x {}", folder.path.in_shell()),
    };
    format!(
        "the {who} cannot read the files of '{}': it cannot enter {} (mode {:04o}); {fix}",
        escape(name),
        folder.path.escaped(),
        folder.mode
    )
}
