//! The report of a dry run: what the command would change.

use serde_json::{Value, json};

use crate::report::output::Report;
use crate::report::page::{Page, Tone};
use crate::store::approval::PlannedChange;

/// The changes of a command that was not carried out.
pub struct DryRunReport {
    pub changes: Vec<PlannedChange>,
}

impl Report for DryRunReport {
    fn text(&self, page: &mut Page) {
        for change in &self.changes {
            page.pieces(&[(Tone::Good, "+ "), (Tone::Plain, "Would "), (Tone::Strong, &change.what)]);
            for (label, value) in &change.facts {
                page.field(label, value);
            }
            if let Some(lost) = &change.lost {
                page.field("lost", lost);
            }
        }
    }

    fn json(&self) -> Value {
        let change = |change: &PlannedChange| {
            let facts = change.facts.iter().map(|(label, value)| ((*label).replace(' ', "_"), value.as_str().into()));
            json!({
                "change": change.what,
                "facts": facts.collect::<serde_json::Map<String, Value>>(),
                "lost": change.lost,
            })
        };
        json!({ "schema": "ca.dry-run/1", "changes": self.changes.iter().map(change).collect::<Vec<_>>() })
    }
}
