//! `ca history NAME`: the certificates of a name, and which of them is in place.

use std::path::PathBuf;

use clap::Args;
use serde_json::{Value, json};
use time::OffsetDateTime;

use crate::app::context::Context;
use crate::authority::leaf::hook::{self, Hook};
use crate::cli::reports::entry::{entry_json, files_json, how_far};
use crate::cli::reports::hook::hook_json;
use crate::report::failure::Failure;
use crate::report::output::Report;
use crate::report::page::Page;
use crate::store::delivery::Paths;
use crate::store::index::{Entry, Reference, Rollback};
use crate::store::locate::locate;
use crate::store::previous_certificates::NameHistory;
use crate::text::{self, PathText, rfc3339};

#[derive(Debug, Args)]
pub struct Arguments {
    /// Which name: itself, or the serial number of one of its certificates
    #[arg(value_name = "NAME|SERIAL")]
    reference: Reference,
}

/// Everything about one name.
struct History {
    name: String,
    generations: Vec<Generation>,
    rollbacks: Vec<Rollback>,
    hook: Option<Hook>,
    now: OffsetDateTime,
}

/// One certificate.
struct Generation {
    entry: Entry,
    /// Where its files are now.
    paths: Option<Paths>,
    in_place: bool,
    key: Key,
}

/// Beside the certificate that was in place before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Key {
    First,
    Same,
    New,
}

impl Key {
    fn word(self) -> &'static str {
        match self {
            Self::First => "first",
            Self::Same => "same",
            Self::New => "new",
        }
    }
}

pub fn run(arguments: &Arguments, context: &mut Context<'_>) -> Result<Box<dyn Report>, Failure> {
    let now = context.now();
    let store = context.store()?;
    let index = store.index()?;
    let name = index.find(&arguments.reference)?.name;
    let name_history = NameHistory::of(index, &name)?;
    let in_place = name_history.in_place(store.home(), &name.parse()?).map(|entry| entry.id);
    let mut generations: Vec<Generation> = Vec::new();
    for entry in &name_history.certificates {
        let entry = entry.clone();
        let paths = locate(store.home(), &entry, &index.certificate(&entry)?);
        let key = match name_history.before(&entry) {
            None => Key::First,
            Some(before) if before.key_fingerprint == entry.key_fingerprint => Key::Same,
            Some(_) => Key::New,
        };
        generations.push(Generation { paths, in_place: in_place == Some(entry.id), key, entry });
    }
    let hook = hook::remembered(&store, &name)?;
    Ok(Box::new(History { name, generations, rollbacks: name_history.rollbacks, hook, now }))
}

impl Generation {
    fn folder(&self) -> Option<PathBuf> {
        self.paths.as_ref().and_then(|paths| paths.certificate.parent()).map(PathBuf::from)
    }

    fn row(&self, now: OffsetDateTime) -> Vec<String> {
        let Self { entry, in_place, key, .. } = self;
        let end = entry.validity.not_after;
        let gone = if entry.delivered_at.is_some() { "not there any more" } else { "never written" };
        vec![
            if *in_place { "*".to_owned() } else { String::new() },
            entry.serial.to_string(),
            rfc3339(entry.validity.not_before),
            format!("{} {}", rfc3339(end), how_far(end - now)),
            entry.status(now).to_string(),
            key.word().to_owned(),
            self.folder().map_or_else(|| gone.to_owned(), |folder| folder.escaped().to_string()),
        ]
    }

    fn json(&self, now: OffsetDateTime) -> Value {
        let mut document = entry_json(&self.entry, now);
        document["issued_at"] = json!(rfc3339(self.entry.issued_at));
        document["delivered_at"] = json!(self.entry.delivered_at.map(rfc3339));
        document["key"] = json!(self.key.word());
        document["key_fingerprint_sha256"] = json!(text::hex(&self.entry.key_fingerprint));
        document["in_place"] = json!(self.in_place);
        document["files"] = self.paths.as_ref().map(files_json).into();
        document
    }
}

impl History {
    fn serial_of(&self, rollback: &Rollback) -> Option<String> {
        let found = self.generations.iter().find(|generation| generation.entry.id == rollback.certificate);
        found.map(|generation| generation.entry.serial.to_string())
    }
}

impl Report for History {
    fn text(&self, page: &mut Page) {
        let rows: Vec<_> = self.generations.iter().map(|generation| generation.row(self.now)).collect();
        page.table(&["", "SERIAL", "FROM", "UNTIL", "STATUS", "KEY", "FILES"], &rows);
        page.gap();
        let count = self.generations.len();
        let is_there = self.generations.iter().any(|generation| generation.in_place);
        let star = if is_there { "; * is in place" } else { "" };
        page.line(&format!("{count} certificate{} of '{}'{star}", if count == 1 { "" } else { "s" }, self.name));
        for rollback in &self.rollbacks {
            let ended = if rollback.done_at.is_some() { "" } else { " (not ended)" };
            let serial = self.serial_of(rollback).unwrap_or_default();
            page.line(&format!("rolled back to {serial} at {}{ended}", rfc3339(rollback.at)));
        }
        if let Some(hook) = &self.hook {
            page.line(&format!("hook: {}", text::escape(&hook.command)));
        }
    }

    fn json(&self) -> Value {
        let in_place = self.generations.iter().find(|generation| generation.in_place);
        let rollbacks: Vec<Value> = self.rollbacks.iter().map(|rollback| {
            json!({ "to": self.serial_of(rollback), "at": rfc3339(rollback.at), "done_at": rollback.done_at.map(rfc3339) })
        }).collect();
        json!({
            "schema": "ca.history/1",
            "name": self.name,
            "in_place": in_place.map(|generation| generation.entry.serial.to_string()),
            "certificates": self.generations.iter().map(|generation| generation.json(self.now)).collect::<Vec<_>>(),
            "rollbacks": rollbacks,
            "hook": hook_json(self.hook.as_ref()),
        })
    }
}
