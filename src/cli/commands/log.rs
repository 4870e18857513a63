//! `ca log`: the events of the CA: when, what, and which user and host.

use clap::Args;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;
use time::OffsetDateTime;

use crate::app::context::Context;
use crate::report::failure::Failure;
use crate::report::json::{self, Hex, Serial, Time};
use crate::report::output::Report;
use crate::report::page::Page;
use crate::store::index::{Event, IndexError};
use crate::system::Actor;
use crate::text::{Lifetime, parse_time, rfc3339};

#[derive(Debug, Args)]
pub struct Arguments {
    /// Only events from this time on: a time, or a length such as 7d before now
    #[arg(long, value_name = "TIME", value_parser = parse_since)]
    since: Option<Since>,
    /// Only events of this NAME or authority
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
}

/// The earliest time.
#[derive(Debug, Clone, Copy)]
enum Since {
    Time(OffsetDateTime),
    Before(Lifetime),
}

fn parse_since(given: &str) -> Result<Since, String> {
    match given.parse() {
        Ok(length) => Ok(Since::Before(length)),
        Err(_) => parse_time(given)
            .map(Since::Time)
            .map_err(|error| format!("{error}, or a length before now, for example 7d")),
    }
}

struct Log(Vec<Event>);

pub fn run(arguments: &Arguments, context: &mut Context<'_>) -> Result<Box<dyn Report>, Failure> {
    let store = context.store()?;
    let now = context.now();
    let earliest = arguments.since.map(|since| match since {
        Since::Time(time) => time,
        Since::Before(length) => now.checked_sub(length.as_duration()).unwrap_or(OffsetDateTime::UNIX_EPOCH),
    });
    let mut events = Vec::new();
    store.index()?.each_event::<IndexError>(|event, _| {
        let is_of_name = arguments.name.as_ref().is_none_or(|name| event.name.eq_ignore_ascii_case(name));
        if is_of_name && earliest.is_none_or(|earliest| event.at >= earliest) {
            events.push(event);
        }
        Ok(())
    })?;
    Ok(Box::new(Log(events)))
}

fn user(actor: &Actor) -> String {
    let user = actor.user.clone().unwrap_or_else(|| actor.user_id.to_string());
    match &actor.sudo_user {
        Some(caller) => format!("{user} (sudo: {caller})"),
        None => user,
    }
}

/// Returns what the event is about, beside its name.
fn details(event: &Event) -> String {
    let serial = event.serial.as_ref().map(ToString::to_string);
    let number = event.row.filter(|_| event.object.as_deref() == Some("crl")).map(|number| format!("number {number}"));
    // An event of the kind `migrate` says what it covers.
    let object = event.object.clone().filter(|_| event.kind == "migrate");
    [object, serial, number, event.detail.clone()].into_iter().flatten().collect::<Vec<_>>().join(" ")
}

/// `ca.log/1`.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Log")]
pub struct LogJson<'a> {
    events: Vec<EventJson<'a>>,
    total: usize,
}

/// An event of the log.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Event")]
struct EventJson<'a> {
    number: u64,
    at: Time,
    kind: &'a str,
    name: &'a str,
    serial: Option<Serial<'a>>,
    /// What it is about.
    object: Option<&'a str>,
    /// The number of its row.
    row: Option<i64>,
    /// The digest of the row.
    content_sha256: Option<Hex<&'a [u8]>>,
    detail: Option<&'a str>,
    user_id: Option<u32>,
    user: Option<&'a str>,
    /// Who called sudo.
    sudo_user: Option<&'a str>,
    host: Option<&'a str>,
    /// The digest of this event and, through it, of all before.
    head: Hex<&'a [u8]>,
    /// The authority that signed the head.
    signed_by: Option<&'a str>,
    signature: Option<Hex<&'a [u8]>>,
}

impl<'a> EventJson<'a> {
    fn new(event: &'a Event) -> Self {
        let (actor, signature) = (event.actor.as_ref(), event.signature.as_ref());
        Self {
            number: event.number,
            at: Time(event.at),
            kind: &event.kind,
            name: &event.name,
            serial: event.serial.as_ref().map(Serial),
            object: event.object.as_deref(),
            row: event.row,
            content_sha256: event.content.as_deref().map(Hex),
            detail: event.detail.as_deref(),
            user_id: actor.map(|actor| actor.user_id),
            user: actor.and_then(|actor| actor.user.as_deref()),
            sudo_user: actor.and_then(|actor| actor.sudo_user.as_deref()),
            host: actor.map(|actor| actor.host.as_str()),
            head: Hex(&event.head),
            signed_by: signature.map(|signature| signature.authority.as_str()),
            signature: signature.map(|signature| Hex(&signature.signature[..])),
        }
    }
}

impl Report for Log {
    fn text(&self, page: &mut Page) {
        if self.0.is_empty() {
            page.line("no events");
            return;
        }
        let row = |event: &Event| {
            let (user, host) = event.actor.as_ref().map(|actor| (user(actor), actor.host.clone())).unwrap_or_default();
            vec![
                event.number.to_string(),
                rfc3339(event.at),
                event.kind.clone(),
                event.name.clone(),
                user,
                host,
                details(event),
            ]
        };
        let rows: Vec<_> = self.0.iter().map(row).collect();
        page.table_to_fit(&["EVENT", "TIME", "WHAT", "NAME", "USER", "HOST", "DETAILS"], &rows);
    }

    fn json(&self) -> Value {
        let events = self.0.iter().map(EventJson::new).collect();
        json::document("ca.log/1", &LogJson { events, total: self.0.len() })
    }
}
