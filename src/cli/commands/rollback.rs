//! `ca rollback NAME`: the files that were in place before.

use clap::Args;
use serde_json::{Value, json};
use time::OffsetDateTime;

use crate::app::context::Context;
use crate::app::run_hook::HookRun;
use crate::authority::leaf::hook::{HookEvent, remembered};
use crate::authority::leaf::rollback::{self, RollbackOrder, RollbackOutcome, RollbackStatus};
use crate::cli::options::change::DryRunArgument;
use crate::cli::options::hook::HookArguments;
use crate::cli::reports::entry::{entry_json, file_fields, files_json};
use crate::cli::reports::hook::{hook_failure, hook_fields, hook_run_json};
use crate::report::failure::Failure;
use crate::report::output::Report;
use crate::report::page::{Page, Tone};
use crate::store::index::Reference;
use crate::text::{self, PathText, humanize, rfc3339};
use crate::x509::SerialNumber;

#[derive(Debug, Args)]
pub struct Arguments {
    /// Which name: itself, or the serial number of one of its certificates
    #[arg(value_name = "NAME|SERIAL")]
    reference: Reference,
    /// Put the files of this certificate in place, an older or a newer one [default: those that were in place before]
    #[arg(long, value_name = "SERIAL")]
    to: Option<SerialNumber>,
    #[command(flatten)]
    dry_run: DryRunArgument,
    #[command(flatten)]
    hook: HookArguments,
}

/// What came of it.
struct RolledBack {
    outcome: RollbackOutcome,
    hook: Option<HookRun>,
    now: OffsetDateTime,
}

pub fn run(arguments: Arguments, context: &mut Context<'_>) -> Result<Box<dyn Report>, Failure> {
    let Arguments { reference, to, dry_run, hook } = arguments;
    dry_run.apply(context);
    let hook = hook.options();
    let store = context.store()?;
    let outcome = rollback::rollback(&store, &RollbackOrder { reference, to }, &context.effects())?;
    let entry = &outcome.entry;
    let hook = if outcome.status == RollbackStatus::Unchanged {
        hook.remember(&store, &entry.name, context)?;
        None
    } else {
        let change = HookEvent {
            action: "rollback",
            name: &entry.name,
            template: &entry.template,
            authority: &entry.authority,
            serial: &entry.serial,
            previous: outcome.replaced.as_ref().map(|replaced| &replaced.serial),
            not_after: entry.validity.not_after,
            paths: &outcome.paths,
        };
        hook.run(&store, &change, remembered(&store, change.name)?, &[], context)?
    };
    if let Some(replaced) = outcome.replaced.as_ref().filter(|replaced| replaced.revocation.is_none()) {
        let serial = &replaced.serial;
        context.note(&format!(
            "Serial {serial} is out of its place and not revoked; if its key may be known to others: ca revoke serial:{serial}"
        ));
    }
    Ok(Box::new(RolledBack { outcome, hook, now: context.now() }))
}

impl Report for RolledBack {
    fn text(&self, page: &mut Page) {
        let RollbackOutcome { status, entry, replaced, paths, kept } = &self.outcome;
        let (mark, done) = match status {
            RollbackStatus::RolledBack => ("✓ ", "Rolled back "),
            RollbackStatus::Unchanged => ("= ", "Unchanged, in place already: "),
        };
        page.pieces(&[
            (Tone::Good, mark),
            (Tone::Plain, done),
            (Tone::Strong, &entry.name),
            (Tone::Dim, &format!("  {}", entry.template)),
        ]);
        let left = humanize(entry.validity.not_after - self.now);
        page.field("in place", &format!("{}, until {} ({left})", entry.serial, rfc3339(entry.validity.not_after)));
        if let Some(replaced) = replaced {
            page.field("replaced", &format!("{}, until {}", replaced.serial, rfc3339(replaced.validity.not_after)));
        }
        if let Some(kept) = kept {
            page.field("kept in", &kept.escaped().to_string());
        }
        file_fields(page, paths);
        if let Some(hook) = &self.hook {
            hook_fields(hook, page);
        }
    }

    fn json(&self) -> Value {
        let RollbackOutcome { status, entry, replaced, paths, kept } = &self.outcome;
        json!({
            "schema": "ca.rollback/1",
            "name": entry.name,
            "status": match status {
                RollbackStatus::RolledBack => "rolled-back",
                RollbackStatus::Unchanged => "unchanged",
            },
            "in_place": entry_json(entry, self.now),
            "replaced": replaced.as_ref().map(|replaced| entry_json(replaced, self.now)),
            "same_key": replaced.as_ref().map(|replaced| replaced.key_fingerprint == entry.key_fingerprint),
            "key_fingerprint_sha256": text::hex(&entry.key_fingerprint),
            "kept": kept,
            "files": files_json(paths),
            "hook": self.hook.as_ref().map(hook_run_json),
        })
    }

    fn failure(&self) -> Option<Failure> {
        self.hook.as_ref().and_then(hook_failure)
    }

    fn only_confirms(&self) -> bool {
        true
    }
}
