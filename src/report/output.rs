//! What a command returns, and how it becomes text or JSON.

use serde_json::Value;

use crate::report::failure::Failure;
use crate::report::page::Page;
use crate::report::style::Style;

/// What a command found or did.
pub trait Report {
    /// Writes everything on a page, for a person.
    fn text(&self, page: &mut Page);

    /// Returns the same facts for a program, with `"schema": "ca.<command>/1"`.
    fn json(&self) -> Value;

    /// Returns no when the command answers a question, and the answer is no.
    fn answer(&self) -> Answer {
        Answer::Yes
    }

    /// True when the text only confirms what was done and does not answer a question: `--quiet` leaves it out.
    fn only_confirms(&self) -> bool {
        false
    }

    /// Returns what failed although the rest was done: it is shown after the report, and its exit status is the command's.
    fn failure(&self) -> Option<Failure> {
        None
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
pub fn text(report: &dyn Report, style: Style) -> String {
    let mut page = Page::new(style);
    report.text(&mut page);
    page.into_string()
}

/// A JSON document, indented, with a newline at its end.
pub fn json_document(value: &Value) -> String {
    format!("{value:#}\n")
}
