//! Report → text or JSON. The only place that formats for people.

pub mod handshake;
pub mod ladder;
mod page;
pub mod refusals;

use serde_json::Value;

pub use page::{Page, Tone};

use super::Failure;
use super::arguments::Color;
use crate::system::World;
use crate::text as x509_text;

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

    /// Whether its text only gives an account of what was done, and is no answer to a question: `--quiet` keeps it back.
    fn is_account(&self) -> bool {
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

/// Which of the two streams is coloured, and how wide a line may be.
#[derive(Debug, Clone, Copy)]
pub struct Style {
    pub stdout: bool,
    pub stderr: bool,
    /// Of standard output, in characters.
    pub columns: usize,
    /// Whether somebody looks at it, in a window that ends there: what is longer is broken within words.
    pub is_window: bool,
}

impl Style {
    /// Without colour, in the width that every terminal has: for files, pipes and mail.
    pub const PLAIN: Self = Self { stdout: false, stderr: false, columns: 80, is_window: false };

    /// From the flag, `NO_COLOR` (any value that is not empty) and the terminal, in this order.
    pub fn choose(color: Color, world: &World) -> Self {
        let auto = color == Color::Auto
            && world.variable("NO_COLOR").is_none()
            && world.variable("TERM").is_none_or(|term| term != "dumb");
        let always = color == Color::Always;
        Self {
            stdout: always || auto && world.terminal.shows_stdout(),
            stderr: always || auto && world.terminal.shows_stderr(),
            columns: world.terminal.columns().unwrap_or(Self::PLAIN.columns),
            is_window: world.terminal.shows_stdout() && world.terminal.columns().is_some(),
        }
    }
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

/// One line for a person: nothing in it can break out of the line or steer the terminal.
pub fn line(sentence: &str) -> String {
    x509_text::escape(sentence)
}
