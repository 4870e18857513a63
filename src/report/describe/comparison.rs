//! What became of everything that a request asked for.

use schemars::JsonSchema;
use serde::Serialize;

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

/// What became of everything that a request asked for.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Comparison")]
pub struct ComparisonJson<'a> {
    /// The certificate says exactly what the request asked for.
    exact: bool,
    taken: Vec<ComparedJson<'a>>,
    changed: Vec<ComparedJson<'a>>,
    dropped: Vec<ComparedJson<'a>>,
    /// Names that `--san` gave beside it.
    added: Vec<ComparedJson<'a>>,
}

/// One thing that the request asked for.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Compared")]
struct ComparedJson<'a> {
    #[schemars(extend("enum" = ["key", "name", "attribute", "extension", "request-attribute"]))]
    kind: &'static str,
    /// Which of its kind.
    what: &'a str,
    /// Of an extension and of an attribute of the request.
    oid: Option<&'a str>,
    requested: Option<&'a str>,
    issued: Option<&'a str>,
}

impl<'a> ComparisonJson<'a> {
    pub fn new(comparison: &'a Comparison) -> Self {
        let list = |fate: Fate| comparison.with(fate).map(ComparedJson::new).collect();
        Self {
            exact: comparison.is_exact(),
            taken: list(Fate::Taken),
            changed: list(Fate::Changed),
            dropped: list(Fate::Dropped),
            added: list(Fate::Added),
        }
    }
}

impl<'a> ComparedJson<'a> {
    fn new(compared: &'a Compared) -> Self {
        let has_oid = matches!(compared.kind, AskedKind::Extension | AskedKind::RequestAttribute);
        Self {
            kind: compared.kind.word(),
            what: compared.shown(),
            oid: has_oid.then_some(compared.what.as_str()),
            requested: compared.asked.as_deref(),
            issued: compared.issued.as_deref(),
        }
    }
}
