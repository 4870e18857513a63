//! `ca due`: what needs renewal, and the command that renews it.

use clap::Args;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;
use time::OffsetDateTime;

use crate::app::context::Context;
use crate::app::directory::usual_issuer;
use crate::app::status::{self, Item};
use crate::authority::leaf::due::{self, DueEntry, DueItem};
use crate::authority::leaf::order::DueRule as When;
use crate::cli::reports::due::{DueJson, hook_of, kind};
use crate::cli::reports::entry::how_far;
use crate::cli::reports::hook::HookJson;
use crate::cli::reports::status_item::ItemJson;
use crate::report::failure::Failure;
use crate::report::json;
use crate::report::output::{Answer, Report};
use crate::report::page::Page;
use crate::text::Lifetime;

#[derive(Debug, Args)]
pub struct Arguments {
    /// Choose what is due: what expires within this time [default: what is in the last third of its lifetime]
    #[arg(long, value_name = "D")]
    within: Option<Lifetime>,
}

/// What was found.
struct Found {
    due: Vec<DueEntry>,
    /// The CRL bundles and exports that are not current.
    outdated: Vec<Item>,
    when: When,
    usual_issuer: String,
    now: OffsetDateTime,
}

pub fn run(arguments: &Arguments, context: &mut Context<'_>) -> Result<Box<dyn Report>, Failure> {
    let store = context.store()?;
    let when = arguments.within.map_or(When::LastThird, When::Within);
    let due = due::due(&store, when, &context.effects())?;
    let outdated = status::outdated(&store, context.now())?;
    Ok(Box::new(Found { due, outdated, when, usual_issuer: usual_issuer(&store)?, now: context.now() }))
}

/// `ca.due/1`.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Dues")]
pub struct DuesJson<'a> {
    /// `null`: what is in the last third of its life.
    within_seconds: Option<u64>,
    due: Vec<DueJson<'a, HookJson<'a>>>,
    /// The number of entries of `due`.
    total: usize,
    /// The CRL bundles and exports that are not current, with the codes of `ca status`.
    outdated_files: Vec<ItemJson>,
}

impl Report for Found {
    fn text(&self, page: &mut Page) {
        if self.due.is_empty() && self.outdated.is_empty() {
            page.line("nothing is due");
        }
        if !self.due.is_empty() {
            self.due_table(page);
        }
        if !self.outdated.is_empty() {
            if !self.due.is_empty() {
                page.gap();
            }
            let row = |item: &Item| [&item.object, &item.message, &item.fix].map(|text| page.sentence(text)).into();
            let rows: Vec<Vec<String>> = self.outdated.iter().map(row).collect();
            page.table(&["OUTDATED", "WHY", "COMMAND"], &rows);
        }
    }

    fn json(&self) -> Value {
        let entry = |due| {
            let hook = hook_of(due).map(HookJson::new);
            DueJson::new(due, due.command(&self.usual_issuer, self.when), hook, self.now)
        };
        let within = match self.when {
            When::LastThird => None,
            When::Within(within) => Some(within.as_seconds()),
        };
        let content = DuesJson {
            within_seconds: within,
            due: self.due.iter().map(entry).collect(),
            total: self.due.len(),
            outdated_files: self.outdated.iter().map(ItemJson::of).collect(),
        };
        json::document("ca.due/1", &content)
    }

    fn answer(&self) -> Answer {
        if self.due.is_empty() && self.outdated.is_empty() { Answer::Yes } else { Answer::No }
    }
}

impl Found {
    fn due_table(&self, page: &mut Page) {
        let row = |due: &DueEntry| {
            let end = due.validity.not_after;
            vec![
                kind(due).to_owned(),
                due.name.clone(),
                format!("{} {}", end.date(), how_far(end - self.now)),
                due.command(&self.usual_issuer, self.when),
            ]
        };
        page.table(&["WHAT", "NAME", "EXPIRES", "COMMAND"], &self.due.iter().map(row).collect::<Vec<_>>());
        let with_hooks = self.due.iter().filter_map(|due| match &due.what {
            DueItem::Certificate { hook: Some(hook), .. } => Some((due, hook)),
            _ => None,
        });
        let hooks = with_hooks.map(|(due, hook)| format!("{} has a hook: {}", due.name, hook.command));
        let clock_notes = self.due.iter().filter_map(|due| due.clock_note(self.now));
        let serial_notes = self.due.iter().filter_map(DueEntry::serial_note);
        let lines: Vec<String> = hooks.chain(clock_notes).chain(serial_notes).collect();
        if !lines.is_empty() {
            page.gap();
            lines.iter().for_each(|line| page.line(line));
        }
    }
}
