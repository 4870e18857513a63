//! Section 5: the pages of ca.toml and of templates, from docs/reference.

use super::markdown;
use super::page::{ManualPage, begin, literal};
use crate::cli::help::topics;

/// docs/reference/files.md, whose last section has every setting.
const FILES: &str = include_str!("../../../docs/reference/files.md");
/// docs/reference/templates.md.
const TEMPLATES: &str = include_str!("../../../docs/reference/templates.md");
/// The settings with their defaults and comments.
const EXAMPLE: &str = include_str!("../../../ca.example.toml");

pub fn pages() -> Vec<ManualPage> {
    vec![settings(), templates()]
}

/// Returns the section of docs/reference/files.md that has every setting.
fn settings_table() -> &'static str {
    FILES.split_once("\n## ca.toml\n").map_or("", |(_, section)| section)
}

fn settings() -> ManualPage {
    let mut page = begin("ca.toml", "5", "File Formats", "the settings of a CA");
    page.control("SH", ["DESCRIPTION"]);
    literal(&mut page, topics::text("settings").lines());
    page.control("SH", ["SETTINGS"]);
    markdown::add(&mut page, settings_table());
    page.control("SH", ["EXAMPLE"]);
    literal(&mut page, EXAMPLE.lines());
    page.control("SH", ["SEE ALSO"]);
    page.text([roff::roman("ca(1), ca-init(1), ca-template(5)")]);
    ManualPage { file: "ca.toml.5".to_owned(), text: page.to_roff().into_bytes() }
}

fn templates() -> ManualPage {
    let mut page = begin("ca-template", "5", "File Formats", "the templates of certificates");
    page.control("SH", ["DESCRIPTION"]);
    markdown::add(&mut page, TEMPLATES);
    page.control("SH", ["SEE ALSO"]);
    page.text([roff::roman("ca(1), ca-issue(1), ca-sign(1), ca.toml(5)")]);
    ManualPage { file: "ca-template.5".to_owned(), text: page.to_roff().into_bytes() }
}

/// Returns what is read as Markdown.
#[cfg(test)]
pub fn documents() -> [&'static str; 2] {
    [settings_table(), TEMPLATES]
}
