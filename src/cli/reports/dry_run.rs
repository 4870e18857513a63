//! The report of a dry run: what the command would change.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::report::json;
use crate::report::output::Report;
use crate::report::page::{Page, Tone};
use crate::store::approval::PlannedChange;

/// The changes of a command that was not carried out.
pub struct DryRunReport {
    pub changes: Vec<PlannedChange>,
}

/// `ca.dry-run/1`.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "DryRun")]
pub struct DryRunJson<'a> {
    changes: Vec<ChangeJson<'a>>,
}

/// A change that the command would make.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Change")]
struct ChangeJson<'a> {
    /// What would be done.
    change: &'a str,
    /// As `details`.
    #[schemars(with = "std::collections::BTreeMap<String, String>")]
    #[schemars(extend("deprecated" = true))]
    facts: Map<String, Value>,
    /// Labels and values.
    #[schemars(with = "std::collections::BTreeMap<String, String>")]
    details: Map<String, Value>,
    /// What could not be undone.
    lost: Option<&'a str>,
    /// What the user should know before the change.
    notes: &'a [String],
}

impl<'a> ChangeJson<'a> {
    fn new(change: &'a PlannedChange) -> Self {
        let facts = change.facts.iter().map(|(label, value)| ((*label).replace(' ', "_"), value.as_str().into()));
        let facts: Map<String, Value> = facts.collect();
        Self { change: &change.what, details: facts.clone(), facts, lost: change.lost.as_deref(), notes: &change.notes }
    }
}

impl Report for DryRunReport {
    fn text(&self, page: &mut Page) {
        for change in &self.changes {
            let what = page.sentence(&change.what);
            page.pieces(&[(Tone::Good, "+ "), (Tone::Plain, "Would "), (Tone::Strong, &what)]);
            for (label, value) in &change.facts {
                // A path. Other values can have text of others, such as a subject.
                let shown = if value.starts_with('/') { page.sentence(value) } else { value.clone() };
                page.field(label, &shown);
            }
            if let Some(lost) = &change.lost {
                page.field("lost", lost);
            }
            for note in &change.notes {
                page.field("note", note);
            }
        }
    }

    fn json(&self) -> Value {
        let changes = self.changes.iter().map(ChangeJson::new).collect();
        json::document("ca.dry-run/1", &DryRunJson { changes })
    }
}
