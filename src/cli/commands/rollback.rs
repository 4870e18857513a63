//! `ca rollback NAME`: the files that were in place before.

use std::path::PathBuf;

use clap::Args;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;
use time::OffsetDateTime;

use crate::app::context::Context;
use crate::app::remembered_exports::{self, ExportRun};
use crate::app::resolve::resolve;
use crate::app::run_hook::HookRun;
use crate::authority::leaf::hook::{HookEvent, remembered};
use crate::authority::leaf::rollback::{self, RollbackOrder, RollbackOutcome, RollbackStatus};
use crate::cli::options::change::DryRunArgument;
use crate::cli::options::hook::HookArguments;
use crate::cli::reports::entry::{EntryJson, FilesJson, file_fields};
use crate::cli::reports::exports::{ExportRunJson, after_failure, export_run_fields};
use crate::cli::reports::hook::{HookRunJson, hook_fields};
use crate::report::failure::Failure;
use crate::report::json::{self, FilePath, Hex, Serial};
use crate::report::output::Report;
use crate::report::page::{Page, Tone};
use crate::store::index::Entry;
use crate::text::{self, humanize, rfc3339};
use crate::x509::{SerialDigits, SerialNumber};

#[derive(Debug, Args)]
pub struct Arguments {
    /// Which name: the name itself, or the serial number or file of one of its certificates; see ca help names
    #[arg(value_name = "NAME|SERIAL|FILE")]
    certificate: String,
    /// Deploy this certificate, an older or a newer one [default: the one that was deployed before]
    #[arg(long, value_name = "SERIAL")]
    to: Option<SerialDigits>,
    #[command(flatten)]
    dry_run: DryRunArgument,
    #[command(flatten)]
    hook: HookArguments,
}

/// What came of it.
struct RolledBack {
    outcome: RollbackOutcome,
    exports: Vec<ExportRun>,
    hook: Option<HookRun>,
    now: OffsetDateTime,
}

pub fn run(arguments: Arguments, context: &mut Context<'_>) -> Result<Box<dyn Report>, Failure> {
    let Arguments { certificate, to, dry_run, hook } = arguments;
    dry_run.apply(context);
    let hook = hook.options();
    let store = context.store()?;
    let resolved = resolve(&certificate, context)?;
    let reference = resolved.name_reference();
    let to = to.map(|digits| serial_of(&digits, &store.index()?.history(&resolved.entry.name)?, &certificate));
    let to = to.transpose()?;
    let outcome = rollback::rollback(&store, &RollbackOrder { reference, to }, &context.effects())?;
    let entry = &outcome.entry;
    let (exports, hook) = if outcome.status == RollbackStatus::Unchanged {
        hook.remember(&store, &entry.name, context)?;
        (Vec::new(), None)
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
        let exports = remembered_exports::refresh(&store, change.name, context)?;
        (exports, hook.run(&store, &change, remembered(&store, change.name)?, &[], context)?)
    };
    if let Some(replaced) = outcome.replaced.as_ref().filter(|replaced| replaced.revocation.is_none()) {
        let serial = &replaced.serial;
        context.note(&format!(
            "Certificate {serial} is no longer deployed but still valid. If its key may have leaked: ca revoke \
                 serial:{serial}"
        ));
    }
    Ok(Box::new(RolledBack { outcome, exports, hook, now: context.now() }))
}

/// Returns the serial number of the certificate that the digits select among those of the name.
fn serial_of(digits: &SerialDigits, history: &[Entry], name: &str) -> Result<SerialNumber, Failure> {
    let mut begin = history.iter().filter(|entry| digits.can_be_first_digits() && digits.begin(&entry.serial));
    match (digits.whole(), begin.next(), begin.next()) {
        (_, Some(one), None) => Ok(one.serial.clone()),
        // The act reports that the name does not have it.
        (Some(serial), _, _) => Ok(serial),
        _ => {
            let sentence = format!("'{digits}' does not begin exactly one serial number of '{}'", text::escape(name));
            Err(Failure::usage("unknown-certificate", sentence)
                .hint(format!("'ca history {}' shows them", text::shell_word(name))))
        }
    }
}

/// `ca.rollback/1`.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "RolledBack")]
pub struct RollbackJson<'a> {
    name: &'a str,
    /// As `outcome`.
    #[schemars(extend("deprecated" = true))]
    status: &'static str,
    #[schemars(extend("enum" = ["rolled-back", "unchanged"]))]
    outcome: &'static str,
    /// As `deployed_certificate`.
    #[schemars(extend("deprecated" = true))]
    in_place: EntryJson<'a>,
    deployed_serial: Serial<'a>,
    /// The certificate whose files are in place now.
    deployed_certificate: EntryJson<'a>,
    /// As `replaced_certificate`.
    #[schemars(extend("deprecated" = true))]
    replaced: Option<EntryJson<'a>>,
    replaced_serial: Option<Serial<'a>>,
    /// The certificate whose files were in place before.
    replaced_certificate: Option<EntryJson<'a>>,
    /// Both have the same key.
    same_key: Option<bool>,
    key_fingerprint_sha256: Hex<&'a [u8]>,
    /// Where the files of the replaced certificate are.
    kept: Option<FilePath<&'a PathBuf>>,
    files: FilesJson<'a>,
    /// The exports that are remembered with the name, and were written again; left out when there are none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    exports: Vec<ExportRunJson<'a>>,
    hook: Option<HookRunJson<'a>>,
}

fn status_word(status: RollbackStatus) -> &'static str {
    match status {
        RollbackStatus::RolledBack => "rolled-back",
        RollbackStatus::Unchanged => "unchanged",
    }
}

impl Report for RolledBack {
    fn text(&self, page: &mut Page) {
        let RollbackOutcome { status, entry, replaced, paths, kept } = &self.outcome;
        let (mark, done) = match status {
            RollbackStatus::RolledBack => ("✓ ", "Rolled back "),
            RollbackStatus::Unchanged => ("= ", "Unchanged, deployed already: "),
        };
        page.pieces(&[
            (Tone::Good, mark),
            (Tone::Plain, done),
            (Tone::Strong, &entry.name),
            (Tone::Dim, &format!("  {}", entry.template)),
        ]);
        let left = humanize(entry.validity.not_after - self.now);
        page.field("deployed", &format!("{}, expires {} (in {left})", entry.serial, rfc3339(entry.validity.not_after)));
        if let Some(replaced) = replaced {
            page.field("replaced", &format!("{}, expires {}", replaced.serial, rfc3339(replaced.validity.not_after)));
        }
        if let Some(kept) = kept {
            page.field("kept in", &page.path(kept));
        }
        file_fields(page, paths);
        export_run_fields(&self.exports, page);
        if let Some(hook) = &self.hook {
            hook_fields(hook, page);
        }
    }

    fn json(&self) -> Value {
        let RollbackOutcome { status, entry, replaced, paths, kept } = &self.outcome;
        let content = RollbackJson {
            name: &entry.name,
            status: status_word(*status),
            outcome: status_word(*status),
            in_place: EntryJson::new(entry, self.now),
            deployed_serial: Serial(&entry.serial),
            deployed_certificate: EntryJson::new(entry, self.now),
            replaced: replaced.as_ref().map(|replaced| EntryJson::new(replaced, self.now)),
            replaced_serial: replaced.as_ref().map(|replaced| Serial(&replaced.serial)),
            replaced_certificate: replaced.as_ref().map(|replaced| EntryJson::new(replaced, self.now)),
            same_key: replaced.as_ref().map(|replaced| replaced.key_fingerprint == entry.key_fingerprint),
            key_fingerprint_sha256: Hex(&entry.key_fingerprint),
            kept: kept.as_ref().map(FilePath),
            files: FilesJson::new(paths),
            exports: ExportRunJson::all(&self.exports),
            hook: self.hook.as_ref().map(HookRunJson::new),
        };
        json::document("ca.rollback/1", &content)
    }

    fn failure(&self) -> Option<Failure> {
        after_failure(&self.outcome.entry.name, &self.exports, self.hook.as_ref())
    }

    fn only_confirms(&self) -> bool {
        true
    }
}
