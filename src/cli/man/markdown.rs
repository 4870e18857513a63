//! Markdown of docs/reference in the language of `man(7)`.
//!
//! It reads what those documents use: headings, paragraphs, lists, tables, blocks of code, and in text code, emphasis, links and
//! escaped characters (CommonMark 0.31; tables as in GitHub's extension). A library for the whole of CommonMark has a table of
//! 2,000 HTML entities, whose addresses every start of the program would relocate. So the tests have the library: they compare
//! what it and this module read in the two documents and in generated ones.

use std::iter::Peekable;
use std::str::Lines;

use roff::{Inline, Roff};

use super::page::literal;

/// Adds a document. Its title, the heading of level 1, is left out, because the page has a name.
pub fn add(page: &mut Roff, document: &str) {
    let mut lines = document.lines().peekable();
    while let Some(line) = lines.next() {
        match Block::of(line) {
            Block::Blank => {}
            Block::Heading(1, _) => {}
            Block::Heading(2, title) => {
                page.control("SH", [plain(title).to_uppercase().as_str()]);
            }
            Block::Heading(_, title) => {
                page.control("SS", [plain(title).as_str()]);
            }
            Block::Fence => {
                let code = lines.by_ref().take_while(|line| *line != FENCE);
                // A line such as "? 3" is the exit status in the notation of the tests.
                literal(page, code.filter(|line| !line.starts_with("? ")));
            }
            Block::Row(headings) => table(page, headings, &mut lines),
            Block::Item(text) => {
                page.control("IP", ["\\(bu", "2"]);
                page.text(inlines(&with_rest(text, &mut lines)));
            }
            Block::Text(text) => {
                page.control("PP", []);
                page.text(inlines(&with_rest(text, &mut lines)));
            }
        }
    }
}

/// The line before and after a block of code.
const FENCE: &str = "```";

/// What a line begins or continues.
enum Block<'a> {
    Blank,
    /// A heading with its level and its text.
    Heading(usize, &'a str),
    Fence,
    /// A row of a table.
    Row(&'a str),
    /// An item of a list.
    Item(&'a str),
    Text(&'a str),
}

impl<'a> Block<'a> {
    fn of(line: &'a str) -> Self {
        let text = line.trim();
        let level = text.bytes().take_while(|byte| *byte == b'#').count();
        match text.get(level..).and_then(|rest| rest.strip_prefix(' ')) {
            Some(title) if level > 0 => Self::Heading(level, title),
            _ if text.is_empty() => Self::Blank,
            _ if text.starts_with(FENCE) => Self::Fence,
            _ if text.starts_with('|') => Self::Row(text),
            _ => text.strip_prefix("- ").map_or(Self::Text(text), Self::Item),
        }
    }
}

/// Returns the first line of a paragraph or an item with the lines that continue it.
fn with_rest(first: &str, lines: &mut Peekable<Lines<'_>>) -> String {
    let mut text = first.to_owned();
    while let Some(Block::Text(more)) = lines.peek().map(|line| Block::of(line)) {
        text.push(' ');
        text.push_str(more);
        lines.next();
    }
    text
}

/// Adds the rows of a table: the first cell is the term, the second its explanation, and each further one has its heading.
fn table(page: &mut Roff, headings: &str, lines: &mut Peekable<Lines<'_>>) {
    let headings: Vec<_> = cells(headings).iter().map(|cell| plain(cell)).collect();
    // The line of dashes.
    lines.next();
    while let Some(Block::Row(row)) = lines.peek().map(|line| Block::of(line)) {
        let row = cells(row);
        let mut row = row.iter().map(|cell| inlines(cell));
        page.control("TP", []);
        page.text(row.next().unwrap_or_default());
        page.text(row.next().unwrap_or_default());
        for (cell, heading) in row.zip(headings.iter().skip(2)) {
            let mut line = vec![roff::italic(heading.as_str()), roff::roman(": ")];
            line.extend(cell);
            page.control("br", []);
            page.text(line);
        }
        lines.next();
    }
}

/// Returns the cells of a row. A `|` within a cell is escaped, also in code.
fn cells(row: &str) -> Vec<String> {
    let row = row.strip_prefix('|').unwrap_or(row);
    let mut cells = vec![String::new()];
    let mut characters = row.chars().peekable();
    while let Some(character) = characters.next() {
        match (character, cells.last_mut()) {
            ('\\', Some(cell)) => cell.push(characters.next_if_eq(&'|').unwrap_or('\\')),
            ('|', _) => cells.push(String::new()),
            (_, Some(cell)) => cell.push(character),
            (_, None) => {}
        }
    }
    // After the last `|`.
    cells.pop();
    cells.iter().map(|cell| cell.trim().to_owned()).collect()
}

/// Returns the text without styles.
fn plain(text: &str) -> String {
    let text = inlines(text);
    let text = text.iter().map(|inline| match inline {
        Inline::Roman(text) | Inline::Italic(text) | Inline::Bold(text) => text.as_str(),
        Inline::LineBreak => " ",
    });
    text.collect()
}

/// Returns the text in its styles: code is bold.
fn inlines(text: &str) -> Vec<Inline> {
    let mut writer = Writer { inlines: Vec::new(), plain: String::new(), style: Style::Roman };
    writer.read(text);
    writer.finish();
    writer.inlines
}

/// How text is printed.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
enum Style {
    #[default]
    Roman,
    Bold,
    Italic,
}

struct Writer {
    inlines: Vec<Inline>,
    /// The text since the last change of style.
    plain: String,
    style: Style,
}

impl Writer {
    fn read(&mut self, mut text: &str) {
        while let Some(character) = text.chars().next() {
            let rest = &text[character.len_utf8()..];
            text = match character {
                '`' => self.code(text).unwrap_or_else(|| self.character('`', rest)),
                '[' => self.link(rest).unwrap_or_else(|| self.character('[', rest)),
                '*' => match rest.strip_prefix('*') {
                    Some(rest) => self.toggle(Style::Bold, rest),
                    None => self.toggle(Style::Italic, rest),
                },
                '\\' => match rest.chars().next().filter(char::is_ascii_punctuation) {
                    Some(escaped) => self.character(escaped, &rest[1..]),
                    None => self.character('\\', rest),
                },
                character => self.character(character, rest),
            };
        }
    }

    fn character<'a>(&mut self, character: char, rest: &'a str) -> &'a str {
        self.plain.push(character);
        rest
    }

    /// Begins a style, or ends it.
    fn toggle<'a>(&mut self, style: Style, rest: &'a str) -> &'a str {
        self.finish();
        self.style = if self.style == style { Style::Roman } else { style };
        rest
    }

    /// Adds the code that `text` begins with, and returns what follows; `None` when it has no end. Its end has as many backticks
    /// as its beginning.
    fn code<'a>(&mut self, text: &'a str) -> Option<&'a str> {
        let marks = &text[..text.len() - text.trim_start_matches('`').len()];
        let (code, rest) = text[marks.len()..].split_once(marks)?;
        self.finish();
        // Spaces separate code that begins or ends with a backtick from the marks.
        let inner = code.strip_prefix(' ').and_then(|code| code.strip_suffix(' '));
        self.inlines.push(roff::bold(inner.unwrap_or(code)));
        Some(rest)
    }

    /// Adds the text of a link, and returns what follows; `None` when this is not a link.
    fn link<'a>(&mut self, text: &'a str) -> Option<&'a str> {
        let (shown, rest) = text.split_once("](")?;
        let (_, rest) = rest.split_once(')')?;
        if shown.contains(']') {
            return None;
        }
        self.read(shown);
        Some(rest)
    }

    fn finish(&mut self) {
        let text = std::mem::take(&mut self.plain);
        if !text.is_empty() {
            self.inlines.push(match self.style {
                Style::Roman => roff::roman(text),
                Style::Bold => roff::bold(text),
                Style::Italic => roff::italic(text),
            });
        }
    }
}

#[cfg(test)]
mod tests;
