//! A manual page, and the parts that every page has.

use roff::Roff;

use crate::cli::commands::version::{self, Version};

/// A manual page.
pub struct ManualPage {
    /// The name of its file: `ca-issue.1`.
    pub file: String,
    /// The page in the language of `man(7)`.
    pub text: Vec<u8>,
}

/// Begins a page with its title line and its NAME section.
pub fn begin(name: &str, section: &str, manual: &str, about: &str) -> Roff {
    let mut page = Roff::new();
    let date = Version::of_this_build().date().unwrap_or_default();
    page.control("TH", [name.to_uppercase().as_str(), section, date.as_str(), version::FIRST_LINE, manual]);
    page.control("SH", ["NAME"]);
    page.text([roff::roman(format!("{name} - {about}"))]);
    page
}

/// Adds a section with one entry for each pair of a term and its explanation.
pub fn entries<'a>(page: &mut Roff, heading: &str, entries: impl IntoIterator<Item = (&'a str, &'a str)>) {
    page.control("SH", [heading]);
    for (term, explanation) in entries {
        page.control("TP", []);
        page.text([roff::bold(term)]);
        page.text([roff::roman(explanation)]);
    }
}

/// Adds lines that are printed as they are, such as a command or a file.
pub fn literal<'a>(page: &mut Roff, lines: impl IntoIterator<Item = &'a str>) {
    page.control("PP", []).control("RS", ["4"]).control("nf", []);
    for line in lines {
        page.text([roff::roman(line)]);
    }
    page.control("fi", []).control("RE", []);
}
