//! `ca history NAME`: the certificates of a name, and which of them is in place.

use std::path::PathBuf;

use clap::Args;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;
use time::OffsetDateTime;

use crate::app::context::Context;
use crate::app::resolve::{Patterns, resolve_all};
use crate::authority::leaf::hook::{self, Hook};
use crate::cli::reports::entry::{EntryJson, FilesJson, how_far};
use crate::cli::reports::hook::HookJson;
use crate::cli::reports::many;
use crate::report::failure::Failure;
use crate::report::json::{self, Hex, Serial, Time};
use crate::report::output::Report;
use crate::report::page::Page;
use crate::store::delivery::Paths;
use crate::store::index::{Entry, Rollback};
use crate::store::locate::locate;
use crate::store::previous_certificates::NameHistory;
use crate::text::{self, rfc3339};
use crate::x509::SerialNumber;

#[derive(Debug, Args)]
pub struct Arguments {
    /// Which names: the name itself, a pattern such as 'web-*', or the serial number or file of one of its certificates; see ca
    /// help names
    #[arg(value_name = "NAME|SERIAL|FILE", required = true)]
    certificates: Vec<String>,
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
    let resolved = resolve_all(&arguments.certificates, Patterns::Every, context)?;
    let each = resolved.into_iter().map(|resolved| (resolved.given, resolved.entry.name)).collect();
    many::for_each("ca.history-many/1", each, |name| history(name, context))
}

fn history(name: String, context: &Context<'_>) -> Result<Box<dyn Report>, Failure> {
    let now = context.now();
    let store = context.store()?;
    let index = store.index()?;
    let name_history = NameHistory::of(index, &name)?;
    let in_place = name_history.in_place(store.home(), &name.parse()?).map(|entry| entry.id);
    let mut generations: Vec<Generation> = Vec::new();
    let _reading = index.reading()?;
    for (entry, before) in name_history.certificates.iter().zip(name_history.each_before()) {
        let entry = entry.clone();
        let paths = locate(store.home(), &entry, &index.certificate(&entry)?);
        let key = match before {
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

    fn row(&self, now: OffsetDateTime, page: &Page) -> Vec<String> {
        let Self { entry, in_place, key, .. } = self;
        let end = entry.validity.not_after;
        let gone = if entry.delivered_at.is_some() { "no longer there" } else { "never written" };
        vec![
            if *in_place { "*".to_owned() } else { String::new() },
            entry.serial.to_string(),
            rfc3339(entry.validity.not_before),
            format!("{} {}", rfc3339(end), how_far(end - now)),
            entry.status(now).to_string(),
            key.word().to_owned(),
            self.folder().map_or_else(|| gone.to_owned(), |folder| page.path(&folder)),
        ]
    }

    fn json(&self, now: OffsetDateTime) -> GenerationJson<'_> {
        GenerationJson {
            entry: EntryJson::new(&self.entry, now),
            issued_at: Time(self.entry.issued_at),
            delivered_at: self.entry.delivered_at.map(Time),
            key: self.key.word(),
            key_change: self.key.word(),
            key_fingerprint_sha256: Hex(&self.entry.key_fingerprint),
            in_place: self.in_place,
            deployed: self.in_place,
            files: self.paths.as_ref().map(FilesJson::new),
        }
    }
}

/// `ca.history/1`.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "History")]
pub struct HistoryJson<'a> {
    name: &'a str,
    /// As `deployed_serial`.
    #[schemars(extend("deprecated" = true))]
    in_place: Option<Serial<'a>>,
    /// The serial number of the certificate whose files are in place.
    deployed_serial: Option<Serial<'a>>,
    /// The latest last.
    certificates: Vec<GenerationJson<'a>>,
    rollbacks: Vec<RollbackJson<'a>>,
    hook: Option<HookJson<'a>>,
}

/// A certificate of the name.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Generation")]
struct GenerationJson<'a> {
    #[serde(flatten)]
    entry: EntryJson<'a>,
    issued_at: Time,
    /// When its files were written.
    delivered_at: Option<Time>,
    /// As `key_change`.
    #[schemars(extend("deprecated" = true))]
    key: &'static str,
    /// Its key beside that of the certificate before.
    #[schemars(extend("enum" = ["first", "same", "new"]))]
    key_change: &'static str,
    key_fingerprint_sha256: Hex<&'a [u8]>,
    /// As `deployed`.
    #[schemars(extend("deprecated" = true))]
    in_place: bool,
    /// Its files are in place.
    deployed: bool,
    /// Where they are.
    files: Option<FilesJson<'a>>,
}

/// A `ca rollback`.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Rollback")]
struct RollbackJson<'a> {
    /// The serial number of the certificate whose files came back into place.
    to: Option<Serial<'a>>,
    at: Time,
    /// `null` when it did not end.
    done_at: Option<Time>,
}

impl History {
    fn serial_of(&self, rollback: &Rollback) -> Option<&SerialNumber> {
        let found = self.generations.iter().find(|generation| generation.entry.id == rollback.certificate);
        found.map(|generation| &generation.entry.serial)
    }
}

impl Report for History {
    fn text(&self, page: &mut Page) {
        let rows: Vec<_> = self.generations.iter().map(|generation| generation.row(self.now, page)).collect();
        page.table(&["", "SERIAL", "FROM", "EXPIRES", "STATUS", "KEY", "FILES"], &rows);
        page.gap();
        let count = self.generations.len();
        let is_there = self.generations.iter().any(|generation| generation.in_place);
        let star = if is_there { "; * is deployed" } else { "" };
        page.line(&format!("{count} certificate{} of '{}'{star}", if count == 1 { "" } else { "s" }, self.name));
        for rollback in &self.rollbacks {
            let ended = if rollback.done_at.is_some() { "" } else { " (not finished)" };
            let serial = self.serial_of(rollback).map(SerialNumber::to_string).unwrap_or_default();
            page.line(&format!("rolled back to {serial} at {}{ended}", rfc3339(rollback.at)));
        }
        if let Some(hook) = &self.hook {
            page.line(&format!("hook: {}", text::escape(&hook.command)));
        }
    }

    fn json(&self) -> Value {
        let deployed = self.generations.iter().find(|generation| generation.in_place);
        let deployed = deployed.map(|generation| Serial(&generation.entry.serial));
        let rollback = |rollback: &Rollback| RollbackJson {
            to: self.serial_of(rollback).map(Serial),
            at: Time(rollback.at),
            done_at: rollback.done_at.map(Time),
        };
        let content = HistoryJson {
            name: &self.name,
            in_place: deployed,
            deployed_serial: deployed,
            certificates: self.generations.iter().map(|generation| generation.json(self.now)).collect(),
            rollbacks: self.rollbacks.iter().map(rollback).collect(),
            hook: self.hook.as_ref().map(HookJson::new),
        };
        json::document("ca.history/1", &content)
    }
}
