//! What became of everything that a request asked for.

use serde_json::{Map, Value, json};

use crate::issuance::{AskedKind, Compared, Comparison, Fate};
use crate::report::page::{Page, Tone};

/// One line each, in the order taken, changed, dropped, added.
pub fn comparison_fields(page: &mut Page, comparison: &Comparison) {
    page.gap();
    page.toned(Tone::Strong, "What the request asked for");
    for fate in Fate::ALL {
        let tone = match fate {
            Fate::Taken => Tone::Good,
            Fate::Changed | Fate::Added => Tone::Warning,
            Fate::Dropped => Tone::Bad,
        };
        for compared in comparison.with(fate) {
            let word = format!("  {:<15}", fate.word());
            page.pieces(&[(tone, &word), (Tone::Plain, " "), (Tone::Plain, &compared.content())]);
        }
    }
}

/// A list for each fate.
pub fn comparison_json(comparison: &Comparison) -> Map<String, Value> {
    let list = |fate: Fate| -> Value { comparison.with(fate).map(compared_json).collect() };
    Fate::ALL.into_iter().map(|fate| (fate.word().to_owned(), list(fate))).collect()
}

fn compared_json(compared: &Compared) -> Value {
    let oid = matches!(compared.kind, AskedKind::Extension | AskedKind::RequestAttribute).then_some(&compared.what);
    json!({
        "kind": compared.kind.word(),
        "what": compared.shown(),
        "oid": oid,
        "requested": compared.asked,
        "issued": compared.issued,
    })
}
