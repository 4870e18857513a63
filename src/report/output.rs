//! What a command returns, and how it becomes text or JSON.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::ser::{Formatter, PrettyFormatter};
use serde_json::{Serializer, Value};

use crate::report::failure::Failure;
use crate::report::page::Page;
use crate::report::relative::RelativePaths;
use crate::report::style::Style;
use crate::text;

/// What a command found or did.
pub trait Report {
    /// Writes everything on a page, for a person.
    fn text(&self, page: &mut Page);

    /// Returns the same facts for a program, with `"schema": "ca.<command>/1"`.
    fn json(&self) -> Value;

    /// Writes a result of any length as it is read, in a format of its own; `None` when [`text`](Self::text) and
    /// [`json`](Self::json) have the result.
    fn stream(&self, _out: &mut dyn Write) -> Option<Result<(), StreamError>> {
        None
    }

    /// Returns no when the command answers a question, and the answer is no.
    fn answer(&self) -> Answer {
        Answer::Yes
    }

    /// True when the command changed something: `--exit-changed` asks for it.
    fn has_changed(&self) -> bool {
        false
    }

    /// True when the text only confirms what was done and does not answer a question: `--quiet` leaves it out.
    fn only_confirms(&self) -> bool {
        false
    }

    /// True when the text is read from top to bottom: at a terminal it is shown by a pager.
    fn is_read(&self) -> bool {
        false
    }

    /// Returns what failed although the rest was done: it is shown after the report, and its exit status is the command's.
    fn failure(&self) -> Option<Failure> {
        None
    }
}

/// The reason why a result was not written to its end.
#[derive(Debug)]
pub enum StreamError {
    /// Standard output did not take it.
    Output(io::Error),
    /// The rest of it could not be read.
    Failure(Failure),
}

impl From<io::Error> for StreamError {
    fn from(error: io::Error) -> Self {
        Self::Output(error)
    }
}

impl From<Failure> for StreamError {
    fn from(failure: Failure) -> Self {
        Self::Failure(failure)
    }
}

/// The format of results and failures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OutputFormat {
    /// For a person.
    Text,
    /// One JSON document for a program.
    Json,
}

/// The answer behind exit statuses 0 and 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    Yes,
    No,
}

/// A report as text.
pub fn text(report: &dyn Report, style: Style, paths: RelativePaths) -> String {
    let mut page = Page::new(style, paths);
    report.text(&mut page);
    page.into_string()
}

/// A JSON document in one line, without a newline at its end; characters are escaped as in [`json_document`].
pub fn json_line(value: &Value) -> String {
    escaped(value.to_string())
}

/// A JSON document, indented, with a newline at its end. Characters that could control a terminal or change the order of
/// what it shows are escaped: the same value, and harmless on a screen.
pub fn json_document(value: &Value) -> String {
    escaped(format!("{value:#}\n"))
}

/// A part of a document that is written piece by piece: as [`json_document`] writes it at this depth, without the indentation
/// of its first line.
pub fn json_part(content: &impl Serialize, depth: usize) -> String {
    let mut formatter = PrettyFormatter::new();
    // What is indented is within so many lists.
    (0..depth).for_each(|_| drop(formatter.begin_array(&mut io::sink())));
    let mut text = Vec::with_capacity(1024);
    let written = content.serialize(&mut Serializer::with_formatter(&mut text, formatter));
    // As with `json::value`, `null` is never the result of a failure.
    escaped(written.ok().and_then(|()| String::from_utf8(text).ok()).unwrap_or_else(|| "null".to_owned()))
}

fn escaped(document: String) -> String {
    if document.bytes().all(|byte| matches!(byte, b'\n' | b' '..=b'~')) {
        return document;
    }
    let mut out = String::with_capacity(document.len() + 64);
    for c in document.chars() {
        // Outside of strings there is nothing but plain characters and newlines.
        if c == '\n' || text::is_plainly_visible(c) {
            out.push(c);
        } else {
            for unit in c.encode_utf16(&mut [0; 2]) {
                out.push_str(&format!("\\u{unit:04x}"));
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_holds_no_character_that_controls_a_terminal_and_keeps_every_value() {
        let hostile = "a\u{9b}31m\u{7f}\u{202e}b\u{200b}\u{e0041}\nü😀\"\\";
        let value = serde_json::json!({ hostile: [hostile] });
        let document = json_document(&value);
        assert!(document.chars().all(|c| c == '\n' || text::is_plainly_visible(c)), "{document}");
        assert!(document.contains("ü😀") && document.contains("\\u009b31m"), "{document}");
        assert_eq!(serde_json::from_str::<Value>(&document).unwrap(), value);
    }
}
