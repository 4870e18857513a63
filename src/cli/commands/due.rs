//! `ca due`: what needs renewal, and the command that cures it.

use clap::Args;
use serde_json::{Value, json};
use time::OffsetDateTime;

use super::list::how_far;
use crate::authority::leaf::due;
use crate::authority::leaf::due::{Due, What};
use crate::authority::leaf::order::Due as When;
use crate::cli::hook::hook_json;
use crate::cli::output::{Answer, Report};
use crate::cli::{Context, Failure};
use crate::report::page::Page;
use crate::store::ca_certificates::Authorities;
use crate::store::config::Config;
use crate::store::home::Home;
use crate::text::Lifetime;
use crate::text::rfc3339;

#[derive(Debug, Args)]
pub struct Arguments {
    /// Choose what is due: what ends within this time [default: what is in the last third of its life]
    #[arg(long, value_name = "D")]
    within: Option<Lifetime>,
}

/// What was found.
struct Found {
    due: Vec<Due>,
    when: When,
    usual_issuer: String,
    now: OffsetDateTime,
}

pub fn run(arguments: &Arguments, context: &mut Context<'_>) -> Result<Box<dyn Report>, Failure> {
    let home = context.home()?;
    let when = arguments.within.map_or(When::LastThird, When::Within);
    let due = due::due(&home, when, &context.tools())?;
    Ok(Box::new(Found { due, when, usual_issuer: usual_issuer(&home)?, now: context.now() }))
}

/// The authority that commands mean which name none.
pub(super) fn usual_issuer(home: &Home) -> Result<String, Failure> {
    Ok(Authorities::of(home).choose(None, &Config::load(home)?).unwrap_or_default())
}

/// The word for the kind of an entry.
pub(super) fn kind(due: &Due) -> &'static str {
    match due.what {
        What::Certificate { .. } => "certificate",
        What::Authority { .. } => "authority",
        What::List { .. } => "revocation-list",
    }
}

/// An entry as commands give it to programs.
pub(super) fn due_json(due: &Due, command: &str, now: OffsetDateTime) -> Value {
    let (serial, template, number, folder, hook) = match &due.what {
        What::Certificate { entry, folder, hook, has_key: _ } => {
            (Some(entry.serial.to_string()), Some(&entry.template), None, Some(folder), hook_json(hook.as_ref()))
        }
        What::Authority { serial, .. } => (Some(serial.to_string()), None, None, None, Value::Null),
        What::List { number } => (None, None, Some(number), None, Value::Null),
    };
    json!({
        "kind": kind(due),
        "name": due.name,
        "template": template,
        "serial": serial,
        "number": number,
        "ends_at": rfc3339(due.validity.not_after),
        "has_ended": due.validity.not_after < now,
        "folder": folder,
        "hook": hook,
        "command": command,
    })
}

impl Report for Found {
    fn text(&self, page: &mut Page) {
        if self.due.is_empty() {
            page.line("nothing is due");
            return;
        }
        let row = |due: &Due| {
            let end = due.validity.not_after;
            vec![
                kind(due).to_owned(),
                due.name.clone(),
                format!("{} {}", end.date(), how_far(end - self.now)),
                due.command(&self.usual_issuer, self.when),
            ]
        };
        page.table(&["WHAT", "NAME", "ENDS", "COMMAND"], &self.due.iter().map(row).collect::<Vec<_>>());
        let with_hooks = self.due.iter().filter_map(|due| match &due.what {
            What::Certificate { hook: Some(hook), .. } => Some((due, hook)),
            _ => None,
        });
        let lines: Vec<String> =
            with_hooks.map(|(due, hook)| format!("{} has a hook: {}", due.name, hook.command)).collect();
        if !lines.is_empty() {
            page.gap();
            lines.iter().for_each(|line| page.line(line));
        }
    }

    fn json(&self) -> Value {
        let entry = |due: &Due| due_json(due, &due.command(&self.usual_issuer, self.when), self.now);
        let within = match self.when {
            When::LastThird => None,
            When::Within(within) => Some(within.as_seconds()),
        };
        json!({
            "schema": "ca.due/1",
            "within_seconds": within,
            "due": self.due.iter().map(entry).collect::<Vec<_>>(),
            "total": self.due.len(),
        })
    }

    fn answer(&self) -> Answer {
        if self.due.is_empty() { Answer::Yes } else { Answer::No }
    }
}
