//! What became of everything that a request asked for.

use serde_json::{Map, Value, json};

use crate::issuance::{AskedKind, Compared, Comparison, Fate};
use crate::report::describe::fields::extension_name;
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
            page.pieces(&[(tone, &word), (Tone::Plain, " "), (Tone::Plain, &content(compared))]);
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
        "what": what(compared),
        "oid": oid,
        "requested": compared.asked,
        "issued": compared.issued,
    })
}

/// `dropped: extension extended key usage: client-auth`.
pub fn comparison_sentence(compared: &Compared) -> String {
    format!("{}: {}", compared.fate().word(), content(compared))
}

fn content(compared: &Compared) -> String {
    let kind = match compared.kind {
        AskedKind::Key => return format!("the public key ({})", compared.what),
        AskedKind::Name => "name",
        AskedKind::Attribute => "subject",
        AskedKind::Extension => "extension",
        AskedKind::RequestAttribute => return format!("attribute of the request: {}", what(compared)),
    };
    let what = what(compared);
    match (&compared.asked, &compared.issued) {
        (Some(asked), Some(issued)) if asked == issued => format!("{kind} {what}: {asked}"),
        (Some(asked), Some(issued)) => format!("{kind} {what}: {asked} → {issued}"),
        (Some(only), None) | (None, Some(only)) => format!("{kind} {what}: {only}"),
        (None, None) => format!("{kind} {what}"),
    }
}

fn what(compared: &Compared) -> &str {
    /// Attributes of requests that people meet (RFC 2985 §5.4; Microsoft's certreq).
    const ATTRIBUTES: [(&str, &str); 5] = [
        ("1.2.840.113549.1.9.2", "unstructured name"),
        ("1.2.840.113549.1.9.7", "challenge password"),
        ("1.2.840.113549.1.9.8", "unstructured address"),
        ("1.3.6.1.4.1.311.13.2.3", "operating system version"),
        ("1.3.6.1.4.1.311.21.20", "client information"),
    ];
    match compared.kind {
        AskedKind::Extension => extension_name(&compared.what),
        AskedKind::RequestAttribute => ATTRIBUTES
            .into_iter()
            .find(|(oid, _)| *oid == compared.what)
            .map_or(compared.what.as_str(), |(_, name)| name),
        _ => &compared.what,
    }
}
