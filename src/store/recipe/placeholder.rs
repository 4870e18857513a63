//! The placeholders in the lines and names of a recipe: `{{ key.pem }}`.

use std::ops::Range;

/// The placeholder for the name of an authority, in the name of a file that is written for each.
pub const AUTHORITY: &str = "authority";
/// The placeholders of lines that are not files: the folder, the name of the certificate, and that name as Kubernetes allows it.
pub const FOLDER: &str = "folder";
pub const NAME: &str = "name";
pub const OBJECT: &str = "object";

/// A placeholder and its place in the text, in bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placeholder {
    pub name: String,
    pub place: Range<usize>,
}

/// Returns the placeholders of a text, in their order. Braces that are not closed are text.
pub fn placeholders(text: &str) -> Vec<Placeholder> {
    let mut found = Vec::new();
    let mut from = 0;
    while let Some(start) = text[from..].find("{{").map(|at| from + at) {
        let Some(end) = text[start..].find("}}").map(|at| start + at) else { break };
        found.push(Placeholder { name: text[start + 2..end].trim().to_owned(), place: start..end + 2 });
        from = end + 2;
    }
    found
}

/// Returns the text with each placeholder replaced by its value; `None` when one has no value.
pub fn filled(text: &str, value: impl Fn(&str) -> Option<String>) -> Option<String> {
    let mut whole = String::with_capacity(text.len());
    let mut from = 0;
    for Placeholder { name, place } in placeholders(text) {
        whole.push_str(&text[from..place.start]);
        whole.push_str(&value(&name)?);
        from = place.end;
    }
    whole.push_str(&text[from..]);
    Some(whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_replaced_and_other_braces_are_text() {
        let value = |name: &str| (name == "key.pem").then(|| "/tls/key.pem".to_owned());
        assert_eq!(filled("a {{ key.pem }};{{key.pem}} }} { b", value).unwrap(), "a /tls/key.pem;/tls/key.pem }} { b");
        assert_eq!(filled("a {{ other }} b", value), None);
        assert_eq!(filled("{{ open", value).unwrap(), "{{ open");
        assert_eq!(placeholders("é{{ x }}"), [Placeholder { name: "x".to_owned(), place: 2..9 }]);
    }
}
