//! The page on which a report is written: fields, lists and tables, with or without colour.

use std::fmt::Write;
use std::path::Path;

use crate::report::relative::RelativePaths;
use crate::report::style::Style;
use crate::text::{self, PathText};

/// Text under construction. Everything that is written is escaped, because certificates contain text of third parties.
#[derive(Debug)]
pub struct Page {
    out: String,
    style: Style,
    paths: RelativePaths,
}

/// How a piece of text is set off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    Plain,
    Strong,
    Dim,
    Good,
    Bad,
    Warning,
}

/// A cell of a table.
pub type Cell = (Tone, String);

fn plain(rows: &[Vec<String>]) -> Vec<Vec<Cell>> {
    rows.iter().map(|row| row.iter().map(|cell| (Tone::Plain, cell.clone())).collect()).collect()
}

impl Page {
    pub fn new(style: Style, paths: RelativePaths) -> Self {
        Self { out: String::new(), style, paths }
    }

    /// Returns a path as it is shown: relative to the working folder when it is below it.
    pub fn path(&self, path: &(impl AsRef<Path> + ?Sized)) -> String {
        self.sentence(&path.as_ref().escaped().to_string())
    }

    /// Returns a sentence of this program whose paths are shown as [`path`](Self::path) shows them. Text of others, such as
    /// a name in a certificate or a hook, is shown as it is.
    pub fn sentence(&self, sentence: &str) -> String {
        self.paths.shorten(sentence)
    }

    /// How many characters a line may have where its reader looks at it.
    pub fn columns(&self) -> usize {
        self.style.columns
    }

    /// Whether lines and bars of other characters than ASCII can be shown.
    pub fn is_utf8(&self) -> bool {
        self.style.is_utf8
    }

    pub fn into_string(self) -> String {
        self.out
    }

    /// One line.
    pub fn line(&mut self, text: &str) {
        self.toned(Tone::Plain, text);
    }

    /// One line in a tone.
    pub fn toned(&mut self, tone: Tone, text: &str) {
        self.pieces(&[(tone, text)]);
    }

    /// One line of several pieces, each in its tone.
    pub fn pieces(&mut self, pieces: &[(Tone, &str)]) {
        let begin = self.out.len();
        for (tone, piece) in pieces {
            paint(&mut self.out, self.style, *tone, piece);
        }
        self.out.truncate(begin + self.out[begin..].trim_end().len());
        self.out.push('\n');
    }

    /// An empty line, unless the page is empty or ends with one.
    pub fn gap(&mut self) {
        if !self.out.is_empty() && !self.out.ends_with("\n\n") {
            self.out.push('\n');
        }
    }

    /// `label        value`, the value beginning in column 18, in one row: a newline in it is escaped.
    pub fn field(&mut self, label: &str, value: &str) {
        self.toned_field(label, Tone::Plain, value);
    }

    /// A field whose value is set off.
    pub fn toned_field(&mut self, label: &str, tone: Tone, value: &str) {
        self.toned_rows(label, tone, &[value]);
    }

    /// A field of several values, each in a row of its own, indented alike.
    pub fn rows(&mut self, label: &str, values: &[impl AsRef<str>]) {
        self.toned_rows(label, Tone::Plain, values);
    }

    /// A field of several values that are set off.
    pub fn toned_rows(&mut self, label: &str, tone: Tone, values: &[impl AsRef<str>]) {
        let mut label = format!("{label:<16} ");
        for value in values {
            let label_shown = self.paint(Tone::Dim, &label);
            let value_shown = self.paint(tone, &text::with_visible_end(value.as_ref()));
            writeln!(self.out, "{}", format!("{label_shown} {value_shown}").trim_end())
                .expect("writing to a String cannot fail");
            label = " ".repeat(17);
        }
    }

    /// A digest, whole on its line, as it is compared and copied. That of SHA-256 fills a terminal of 80 columns when it
    /// begins two columns further left than other values do; those of one page begin alike.
    pub fn digest(&mut self, label: &str, digest: &[u8]) {
        let label = format!("{label:<15}");
        self.pieces(&[(Tone::Dim, &label), (Tone::Plain, " "), (Tone::Plain, &text::hex(digest))]);
    }

    /// A table whose last column can be looked up elsewhere: in a window that is too narrow it is cut, so that each row is a
    /// line. Whether it was.
    pub fn table_to_fit(&mut self, head: &[&str], rows: &[Vec<String>]) -> bool {
        self.toned_table_to_fit(head, &plain(rows))
    }

    /// As [`table_to_fit`](Self::table_to_fit), each cell in its tone.
    pub fn toned_table_to_fit(&mut self, head: &[&str], rows: &[Vec<Cell>]) -> bool {
        const FEWEST: usize = 8;
        let [front @ .., last] = head else { return false };
        let widest =
            |column: usize| rows.iter().filter_map(|row| row.get(column)).map(|(_, cell)| cell.chars().count()).max();
        let front: usize =
            front.iter().enumerate().map(|(at, head)| widest(at).unwrap_or(0).max(head.chars().count()) + 2).sum();
        let room = self.style.columns.saturating_sub(front).max(FEWEST);
        if !self.style.is_window || widest(head.len() - 1).is_none_or(|widest| widest.max(last.len()) <= room) {
            self.toned_table(head, rows);
            return false;
        }
        let cut = |row: &Vec<Cell>| {
            let mut row = row.clone();
            if let Some((_, last)) = row.last_mut().filter(|(_, last)| last.chars().count() > room) {
                *last = last.chars().take(room - 1).chain(['…']).collect();
            }
            row
        };
        self.toned_table(head, &rows.iter().map(cut).collect::<Vec<_>>());
        true
    }

    /// Rows below a head, each column as wide as its widest cell.
    pub fn table(&mut self, head: &[&str], rows: &[Vec<String>]) {
        self.toned_table(head, &plain(rows));
    }

    /// As [`table`](Self::table), each cell in its tone.
    pub fn toned_table(&mut self, head: &[&str], rows: &[Vec<Cell>]) {
        let escaped = |row: &Vec<Cell>| row.iter().map(|(tone, cell)| (*tone, text::escape(cell))).collect();
        let rows: Vec<Vec<Cell>> = rows.iter().map(escaped).collect();
        let width = |column: usize| {
            let cells = rows.iter().filter_map(|row| row.get(column)).map(|(_, cell)| cell.chars().count());
            cells.chain([head[column].chars().count()]).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..head.len()).map(width).collect();
        let head: Vec<Cell> = head.iter().map(|head| (Tone::Dim, (*head).to_owned())).collect();
        for row in std::iter::once(&head).chain(&rows) {
            // The spaces behind the last cell that has text are left out.
            let filled = row.iter().rposition(|(_, cell)| !cell.trim().is_empty()).map_or(0, |last| last + 1);
            let mut pieces: Vec<Cell> = Vec::with_capacity(2 * filled);
            for (at, ((tone, cell), width)) in row.iter().zip(&widths).take(filled).enumerate() {
                let gap = if at + 1 == filled { 0 } else { width.saturating_sub(cell.chars().count()) + 2 };
                pieces.push((*tone, cell.clone()));
                pieces.push((Tone::Plain, " ".repeat(gap)));
            }
            self.pieces(&pieces.iter().map(|(tone, piece)| (*tone, piece.as_str())).collect::<Vec<_>>());
        }
    }

    /// Text that this program made and that must not be escaped: scripts, diagrams, PEM.
    pub fn verbatim(&mut self, text: &str) {
        self.out.push_str(text);
    }

    fn paint(&self, tone: Tone, piece: &str) -> String {
        let mut painted = String::with_capacity(piece.len());
        paint(&mut painted, self.style, tone, piece);
        painted
    }
}

/// Writes a piece in its tone.
fn paint(out: &mut String, style: Style, tone: Tone, piece: &str) {
    let code = match tone {
        Tone::Plain => None,
        _ if !style.stdout || piece.trim().is_empty() => None,
        Tone::Strong => Some("1"),
        Tone::Dim => Some("2"),
        Tone::Good => Some("32"),
        Tone::Bad => Some("31"),
        Tone::Warning => Some("33"),
    };
    if let Some(code) = code {
        out.extend(["\u{1b}[", code, "m"]);
    }
    text::push_escaped(out, piece);
    if code.is_some() {
        out.push_str("\u{1b}[0m");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_of_this_program_is_relative_and_text_of_others_is_not() {
        let mut page = Page::new(Style::PLAIN, RelativePaths::below("/srv/pki".as_ref()));
        page.field("path", &page.path("/srv/pki/ca/key.pem"));
        page.field("elsewhere", &page.path("/srv/other/key.pem"));
        page.field("fix", &page.sentence("remove /srv/pki/ca/key.pem"));
        page.field("subject", "CN=/srv/pki/ca/key.pem");
        let out = page.into_string();
        let values: Vec<_> = out.lines().map(|line| line[18..].to_owned()).collect();
        assert_eq!(values, ["ca/key.pem", "/srv/other/key.pem", "remove ca/key.pem", "CN=/srv/pki/ca/key.pem"]);
    }

    proptest::proptest! {
        #[test]
        fn a_value_is_one_row_whatever_it_holds(values in proptest::collection::vec("(?s)(.|[\n\r\u{85}\u{9b}\u{202e}\u{2028} ]){0,30}", 1..4)) {
            let mut page = Page::new(Style::PLAIN, RelativePaths::NONE);
            page.field("one", &values[0]);
            page.rows("all", &values);
            page.table(&["HEAD"], &[vec![values[0].clone()]]);
            page.line(&values[0]);
            page.digest("digest", values[0].as_bytes());
            let out = page.into_string();
            proptest::prop_assert_eq!(out.lines().count(), 1 + values.len() + 2 + 1 + 1, "{}", out);
            proptest::prop_assert!(out.chars().all(|c| c == '\n' || text::is_plainly_visible(c)));
            // A space at the end of a value can be seen.
            let first = out.lines().next().unwrap_or_default();
            proptest::prop_assert_eq!(first.ends_with("\\u{20}"), values[0].ends_with(' ') || values[0].ends_with("\\u{20}"));
        }
    }
}
