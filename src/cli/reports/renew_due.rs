//! The report of `ca renew --due`.

use serde_json::{Value, json};
use time::OffsetDateTime;

use super::due::{due_json, kind};
use super::hook::{hook_failure, hook_fields, hook_run_json};
use crate::app::renew_due::{Done, RenewedEntries, RenewedEntry};
use crate::authority::leaf::due::DueItem;
use crate::authority::leaf::order::DueRule;
use crate::report::failure::Failure;
use crate::report::output::Report;
use crate::report::page::{Page, Tone};
use crate::text::{PathText, rfc3339};

/// The most names in one sentence.
const MOST_NAMES: usize = 10;

/// What was done about each entry.
pub struct RenewDueReport {
    pub renewed: RenewedEntries,
    pub usual_issuer: String,
    pub when: DueRule,
    pub now: OffsetDateTime,
}

fn status(entry: &RenewedEntry) -> &'static str {
    match &entry.outcome {
        Ok(Done::Renewed { .. }) => "renewed",
        Ok(Done::Signed { .. }) => "signed",
        Ok(Done::Planned(_)) => "planned",
        Ok(Done::Unchanged) => "unchanged",
        Ok(Done::Left) => "left",
        Err(_) => "failed",
    }
}

impl Report for RenewDueReport {
    fn text(&self, page: &mut Page) {
        if self.renewed.entries.is_empty() {
            page.line("nothing is due");
        }
        for entry in &self.renewed.entries {
            let (tone, mark, done) = match &entry.outcome {
                Ok(Done::Renewed { serial, until }) => {
                    (Tone::Good, "✓ ", format!("renewed until {}, serial {serial}", rfc3339(*until)))
                }
                Ok(Done::Signed { number, until }) => {
                    (Tone::Good, "✓ ", format!("signed number {number}, good until {}", rfc3339(*until)))
                }
                Ok(Done::Planned(Some(until))) => {
                    (Tone::Good, "+ ", format!("would be renewed until {}", rfc3339(*until)))
                }
                Ok(Done::Planned(None)) => (Tone::Good, "+ ", "would be signed".to_owned()),
                Ok(Done::Unchanged) => (Tone::Plain, "= ", "done by another process".to_owned()),
                Ok(Done::Left) => {
                    let command = entry.due.command(&self.usual_issuer, self.when);
                    let end = rfc3339(entry.due.validity.not_after);
                    (Tone::Warning, "! ", format!("left: it ends at {end}; when you decide to: {command}"))
                }
                Err(failure) => (Tone::Bad, "✗ ", failure.message.clone()),
            };
            let what = format!("{} ", kind(&entry.due));
            let name = entry.due.name.as_str();
            page.pieces(&[
                (tone, mark),
                (Tone::Plain, &what),
                (Tone::Strong, name),
                (Tone::Plain, &format!(": {done}")),
            ]);
            if let Some(note) = entry.due.clock_note(self.now) {
                page.field("clock", &note);
            }
            match (&entry.hook, &entry.due.what, &entry.outcome) {
                (Some(hook), _, _) => hook_fields(hook, page),
                (None, DueItem::Certificate { folder, hook, .. }, Ok(Done::Renewed { .. })) => {
                    let why = if hook.is_some() { "its hook was left out" } else { "no hook does it" };
                    page.field("to reload", &format!("whatever reads {}; {why}", folder.escaped()));
                }
                _ => {}
            }
        }
    }

    fn json(&self) -> Value {
        let entry = |entry: &RenewedEntry| {
            let mut document = due_json(&entry.due, &entry.due.command(&self.usual_issuer, self.when), self.now);
            let (serial, number, until) = match &entry.outcome {
                Ok(Done::Renewed { serial, until }) => (Some(serial), None, Some(*until)),
                Ok(Done::Signed { number, until }) => (None, Some(number), Some(*until)),
                _ => (None, None, None),
            };
            document["status"] = json!(status(entry));
            document["new"] = json!({ "serial": serial, "number": number, "ends_at": until.map(rfc3339) });
            document["error"] =
                entry.outcome.as_ref().err().map_or(Value::Null, |failure| failure.json()["error"].clone());
            document["hook"] = entry.hook.as_ref().map_or(Value::Null, hook_run_json);
            document
        };
        json!({
            "schema": "ca.renew-due/1",
            "entries": self.renewed.entries.iter().map(entry).collect::<Vec<_>>(),
            "failed": self.renewed.entries.iter().filter(|entry| entry.failed()).count(),
            "not_tried": self.renewed.not_tried,
        })
    }

    fn failure(&self) -> Option<Failure> {
        let failed: Vec<&RenewedEntry> = self.renewed.entries.iter().filter(|entry| entry.failed()).collect();
        if failed.is_empty() {
            return None;
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
        let shown = if names.len() > MOST_NAMES {
            format!("{} and {} more", names[..MOST_NAMES].join(", "), names.len() - MOST_NAMES)
        } else {
            names.join(", ")
        };
        let sentence = format!("{} of {} failed: {shown}", failed.len(), self.renewed.entries.len());
        let hints = failed.iter().flat_map(|entry| match &entry.outcome {
            Err(failure) => failure.hints.iter().map(|hint| format!("{}: {hint}", entry.due.name)).collect(),
            Ok(_) => entry.hook.as_ref().and_then(hook_failure).map_or_else(Vec::new, |failure| vec![failure.message]),
        });
        Some(hints.fold(Failure::refused("not-all-renewed", sentence), Failure::hint))
    }

    fn has_changed(&self) -> bool {
        let changes = |entry: &RenewedEntry| matches!(entry.outcome, Ok(Done::Renewed { .. } | Done::Signed { .. }));
        self.renewed.entries.iter().any(changes)
    }

    fn only_confirms(&self) -> bool {
        // What is left to a person has to be read by one.
        self.renewed.entries.iter().all(|entry| !matches!(entry.outcome, Ok(Done::Left | Done::Planned(_))))
    }
}
