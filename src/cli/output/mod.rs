//! Report → text or JSON. The only place that formats for people.

use serde_json::Value;

use crate::report::failure::Failure;
use crate::report::page::Page;
use crate::report::style::Style;

/// What a command found or did.
pub trait Report {
    /// Everything it has to say, from top to bottom, for a person.
    fn text(&self, page: &mut Page);

    /// The same facts for a program, with `"schema": "ca.<command>/1"`.
    fn json(&self) -> Value;

    /// Yes unless it is a judgement that says no.
    fn answer(&self) -> Answer {
        Answer::Yes
    }

    /// True when the text only confirms what was done and does not answer a question: `--quiet` leaves it out.
    fn only_confirms(&self) -> bool {
        false
    }

    /// What failed although the rest was done and is reported: told behind the report, and its exit status is the command's.
    fn failure(&self) -> Option<Failure> {
        None
    }
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
