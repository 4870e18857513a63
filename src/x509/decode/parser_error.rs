//! The parser's errors as text for users.

use std::fmt::Display;

/// Returns what an error of the parser means: its own text is about parser combinators and tags.
pub(super) fn describe(error: &impl Display) -> &'static str {
    // The parser's error types are nested; their texts tell them apart.
    let message = error.to_string();
    let is = |words: &[&str]| words.iter().any(|word| message.contains(word));
    if is(&["Eof", "Incomplete", "incomplete"]) {
        "it ends too early, or a length in it is wrong"
    } else if is(&["InvalidLength", "Invalid Length", "length"]) {
        "a length in it is wrong"
    } else if is(&["InvalidTag", "Tag", "InvalidClass"]) {
        "an element of it is of another type than belongs there"
    } else if is(&["DerConstraint", "DER", "Indefinite"]) {
        "it is not written in the one form that DER allows"
    } else if is(&["date", "Date", "Time"]) {
        "a date in it cannot be read"
    } else {
        "an element of it contains something that does not belong there"
    }
}
