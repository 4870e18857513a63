//! The report of `ca renew --due`.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;
use time::OffsetDateTime;

use super::bundle::{BundleJson, bundle_fields};
use super::crl_files::{RefreshedExportsJson, refreshed_exports_fields};
use super::due::{DueJson, kind};
use super::exports::{ExportRunJson, after_failure, export_run_fields};
use super::hook::{HookRunJson, hook_fields};
use super::summary::{advice, listed, summary_line};
use crate::app::crl_bundle;
use crate::app::remembered_exports::ExportRun;
use crate::app::renew_due::{Done, RenewedEntries, RenewedEntry};
use crate::authority::leaf::due::DueItem;
use crate::authority::leaf::order::DueRule;
use crate::report::failure::{ErrorJson, Failure};
use crate::report::json::{self, Time};
use crate::report::output::Report;
use crate::report::page::{Page, Tone};
use crate::text::rfc3339;

/// What was done about each entry.
pub struct RenewDueReport {
    pub renewed: RenewedEntries,
    pub usual_issuer: String,
    pub when: DueRule,
    /// True for every deployed certificate, due or not.
    pub all: bool,
    pub now: OffsetDateTime,
    /// True when the text of the entries was printed when each was done.
    pub is_printed: bool,
}

fn status(entry: &RenewedEntry) -> &'static str {
    match &entry.outcome {
        Ok(Done::Renewed { .. }) => "renewed",
        Ok(Done::Signed { .. }) => "signed",
        Ok(Done::Planned(_)) => "planned",
        Ok(Done::Unchanged) => "unchanged",
        Ok(Done::Left) => "left",
        Ok(Done::Exported) => "exported",
        Ok(Done::ExportsPlanned) => "planned",
        Err(_) => "failed",
    }
}

/// `ca.renew-due/1`.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "RenewDue")]
pub struct RenewDueJson<'a> {
    entries: Vec<RenewedJson<'a>>,
    /// The number of entries that failed.
    failed: usize,
    /// The number of due items that were not tried, because the passphrase was wrong or missing.
    not_tried: usize,
    /// The CRL bundles that are remembered.
    bundles: Vec<BundleJson<'a>>,
    /// The names whose exports did not have the present CRLs.
    refreshed_exports: Vec<RefreshedExportsJson<'a>>,
}

/// What was due, and what was done about it.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Renewed")]
struct RenewedJson<'a> {
    #[serde(flatten)]
    due: DueJson<'a, HookRunJson<'a>>,
    /// As `outcome`.
    #[schemars(extend("deprecated" = true))]
    status: &'static str,
    /// `unchanged`: another process was quicker; `left`: an authority, or a certificate whose key is not here.
    #[schemars(extend("enum" = ["renewed", "signed", "unchanged", "left", "exported", "planned", "failed"]))]
    outcome: &'static str,
    new: NewJson<'a>,
    /// The exports that were written again; left out when there are none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    exports: Vec<ExportRunJson<'a>>,
    error: Option<ErrorJson<'a>>,
}

/// What came in its place.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "New")]
struct NewJson<'a> {
    /// Of a certificate.
    serial: Option<&'a str>,
    number: Option<u64>,
    /// Of a CRL.
    crl_number: Option<u64>,
    /// As `not_after` or `next_update`.
    #[schemars(extend("deprecated" = true))]
    ends_at: Option<Time>,
    /// Of a certificate.
    not_after: Option<Time>,
    /// Of a CRL.
    next_update: Option<Time>,
}

impl<'a> RenewedJson<'a> {
    fn new(report: &RenewDueReport, entry: &'a RenewedEntry) -> Self {
        let command = entry.due.command(&report.usual_issuer, report.when);
        let (serial, number, until) = match &entry.outcome {
            Ok(Done::Renewed { serial, until }) => (Some(serial.as_str()), None, Some(Time(*until))),
            Ok(Done::Signed { number, until }) => (None, Some(*number), Some(Time(*until))),
            _ => (None, None, None),
        };
        let new = NewJson {
            serial,
            number,
            crl_number: number,
            ends_at: until,
            not_after: until.filter(|_| serial.is_some()),
            next_update: until.filter(|_| number.is_some()),
        };
        Self {
            due: DueJson::new(&entry.due, command, entry.hook.as_ref().map(HookRunJson::new), report.now),
            status: status(entry),
            outcome: status(entry),
            new,
            exports: ExportRunJson::all(&entry.exports),
            error: entry.outcome.as_ref().err().map(Failure::error_json),
        }
    }
}

/// Writes what was done about one entry.
pub struct EntryText<'a> {
    pub usual_issuer: &'a str,
    pub when: DueRule,
    pub now: OffsetDateTime,
}

impl EntryText<'_> {
    pub fn write(&self, entry: &RenewedEntry, page: &mut Page) {
        let (tone, mark, done) = match &entry.outcome {
            Ok(Done::Renewed { serial, until }) => {
                (Tone::Good, "✓ ", format!("renewed, expires {}, serial {serial}", rfc3339(*until)))
            }
            Ok(Done::Signed { number, until }) => {
                (Tone::Good, "✓ ", format!("signed number {number}, expires {}", rfc3339(*until)))
            }
            Ok(Done::Planned(Some(until))) => (Tone::Good, "+ ", format!("would be renewed until {}", rfc3339(*until))),
            Ok(Done::Planned(None)) => (Tone::Good, "+ ", "would be signed".to_owned()),
            Ok(Done::Exported) if entry.exports.iter().all(ExportRun::failed) => {
                (Tone::Bad, "✗ ", "its exports were not written".to_owned())
            }
            Ok(Done::Exported) => (Tone::Good, "✓ ", "its exports were written again".to_owned()),
            Ok(Done::ExportsPlanned) => (Tone::Good, "+ ", "its exports would be written again".to_owned()),
            Ok(Done::Unchanged) => (Tone::Plain, "= ", "done by another process".to_owned()),
            Ok(Done::Left) => {
                let command = entry.due.command(self.usual_issuer, self.when);
                let end = rfc3339(entry.due.validity.not_after);
                (Tone::Warning, "! ", format!("left: it expires at {end}; to renew it: {command}"))
            }
            Err(failure) => (Tone::Bad, "✗ ", page.sentence(&failure.message)),
        };
        let what = format!("{} ", kind(&entry.due));
        let name = entry.due.name.as_str();
        page.pieces(&[(tone, mark), (Tone::Plain, &what), (Tone::Strong, name), (Tone::Plain, &format!(": {done}"))]);
        if let Some(note) = entry.due.clock_note(self.now) {
            page.field("clock", &note);
        }
        export_run_fields(&entry.exports, page);
        match (&entry.hook, &entry.due.what, &entry.outcome) {
            (Some(hook), _, _) => hook_fields(hook, page),
            (None, DueItem::Certificate { folder, hook, .. }, Ok(Done::Renewed { .. })) => {
                let why = match hook {
                    Some(_) => "its hook was left out".to_owned(),
                    None => format!("no hook is set: ca renew {name} --hook 'systemctl reload nginx'"),
                };
                page.field("to reload", &format!("the service that uses {} ({why})", page.path(folder)));
            }
            _ => {}
        }
    }
}

impl Report for RenewDueReport {
    fn text(&self, page: &mut Page) {
        let bundles: Vec<_> =
            self.renewed.files.bundles.iter().filter(|bundle| bundle.failed() || bundle.has_changed()).collect();
        let exports = &self.renewed.files.exports;
        if self.renewed.entries.is_empty() && bundles.is_empty() && exports.is_empty() {
            page.line(if self.all { "no certificate is deployed" } else { "nothing is due" });
        }
        for entry in self.renewed.entries.iter().filter(|_| !self.is_printed) {
            EntryText { usual_issuer: &self.usual_issuer, when: self.when, now: self.now }.write(entry, page);
        }
        let outcome = |entry| if RenewedEntry::failed(entry) { "failed" } else { status(entry) };
        summary_line(self.renewed.entries.iter().map(outcome), page);
        bundles.iter().for_each(|bundle| bundle_fields(bundle, page));
        exports.iter().for_each(|exports| refreshed_exports_fields(exports, page));
    }

    fn json(&self) -> Value {
        let entry = |entry| RenewedJson::new(self, entry);
        let content = RenewDueJson {
            entries: self.renewed.entries.iter().map(entry).collect(),
            failed: self.renewed.entries.iter().filter(|entry| entry.failed()).count(),
            not_tried: self.renewed.not_tried,
            bundles: self.renewed.files.bundles.iter().map(BundleJson::new).collect(),
            refreshed_exports: RefreshedExportsJson::all(&self.renewed.files.exports),
        };
        json::document("ca.renew-due/1", &content)
    }

    fn failure(&self) -> Option<Failure> {
        let failed: Vec<&RenewedEntry> = self.renewed.entries.iter().filter(|entry| entry.failed()).collect();
        if failed.is_empty() {
            let crl_failure = self.renewed.crl_failure.as_ref().map(crl_bundle::not_written);
            return crl_failure.or_else(|| self.renewed.files.failure());
        }
        let names: Vec<String> =
            failed.iter().map(|entry| format!("{} {}", kind(&entry.due), entry.due.name)).collect();
        if let ([.., last], 1..) = (&failed[..], self.renewed.not_tried)
            && let Err(failure) = &last.outcome
        {
            let more = self.renewed.not_tried;
            let entries = if more == 1 { "1 more entry was" } else { &format!("{more} more entries were") };
            let sentence = format!(
                "stopped at {}: {}; {entries} not tried",
                names.last().cloned().unwrap_or_default(),
                failure.message
            );
            return Some(
                failure.hints.iter().cloned().fold(Failure::refused("not-all-renewed", sentence), Failure::hint),
            );
        }
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let sentence = format!("{} of {} failed: {}", failed.len(), self.renewed.entries.len(), listed(&names));
        let errors = failed.iter().filter_map(|entry| Some((&entry.due.name, entry.outcome.as_ref().err()?)));
        let lines = errors.flat_map(|(name, failure)| failure.hints.iter().map(|hint| (name.clone(), hint.clone())));
        // They name the certificate.
        let renewed = failed.iter().filter(|entry| entry.outcome.is_ok());
        let after = renewed.filter_map(|entry| after_failure(&entry.due.name, &entry.exports, entry.hook.as_ref()));
        let hints = advice(lines, failed.len()).into_iter().chain(after.map(|failure| failure.message));
        Some(hints.fold(Failure::refused("not-all-renewed", sentence), Failure::hint))
    }

    fn has_changed(&self) -> bool {
        let changes = |entry: &RenewedEntry| {
            matches!(entry.outcome, Ok(Done::Renewed { .. } | Done::Signed { .. } | Done::Exported))
        };
        self.renewed.entries.iter().any(changes) || self.renewed.files.has_changed()
    }

    fn only_confirms(&self) -> bool {
        // What is left to a person has to be read by one.
        self.renewed
            .entries
            .iter()
            .all(|entry| !matches!(entry.outcome, Ok(Done::Left | Done::Planned(_) | Done::ExportsPlanned)))
    }
}
