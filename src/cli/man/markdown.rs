//! Markdown of docs/reference in the language of `man(7)`.

use pulldown_cmark::{Event, HeadingLevel, Options, Parser, Tag, TagEnd};
use roff::{Inline, Roff};

use super::page::literal;

/// Adds a document. Its title, the heading of level 1, is left out, because the page has a name.
pub fn add(page: &mut Roff, document: &str) {
    let mut writer = Writer { page, text: Vec::new(), style: Style::Roman, table: Table::default(), in_code: None };
    for event in Parser::new_ext(document, Options::ENABLE_TABLES) {
        writer.event(event);
    }
}

/// How text is printed.
#[derive(Clone, Copy)]
enum Style {
    Roman,
    Bold,
    Italic,
}

/// The table that is being read.
#[derive(Default)]
struct Table {
    headings: Vec<String>,
    cells: Vec<Vec<Inline>>,
    in_head: bool,
}

struct Writer<'a> {
    page: &'a mut Roff,
    /// The text of the paragraph, heading or cell that is being read.
    text: Vec<Inline>,
    style: Style,
    table: Table,
    /// The code block that is being read.
    in_code: Option<String>,
}

impl Writer<'_> {
    fn event(&mut self, event: Event<'_>) {
        match event {
            Event::Start(tag) => self.start(&tag),
            Event::End(tag) => self.end(tag),
            Event::Text(text) => match &mut self.in_code {
                Some(code) => code.push_str(&text),
                None => self.add(self.style, &text),
            },
            Event::Code(text) => self.add(Style::Bold, &text),
            Event::SoftBreak | Event::HardBreak => self.add(self.style, " "),
            // docs/reference has no HTML, footnotes, formulas, rules or tasks.
            _ => {}
        }
    }

    fn start(&mut self, tag: &Tag<'_>) {
        match tag {
            Tag::Emphasis => self.style = Style::Italic,
            Tag::Strong => self.style = Style::Bold,
            Tag::CodeBlock(_) => self.in_code = Some(String::new()),
            Tag::Table(_) => self.table = Table::default(),
            Tag::TableHead => self.table.in_head = true,
            _ => {}
        }
    }

    fn end(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::Emphasis | TagEnd::Strong => self.style = Style::Roman,
            TagEnd::Heading(HeadingLevel::H1) => self.text.clear(),
            TagEnd::Heading(level) => self.heading(level),
            TagEnd::Paragraph => self.paragraph(),
            TagEnd::Item => self.item(),
            TagEnd::CodeBlock => {
                let code = self.in_code.take().unwrap_or_default();
                // A line such as "? 3" is the exit status in the notation of the tests.
                literal(self.page, code.lines().filter(|line| !line.starts_with("? ")));
            }
            TagEnd::TableCell => self.table.cells.push(std::mem::take(&mut self.text)),
            TagEnd::TableHead => {
                self.table.headings = self.table.cells.drain(..).map(|cell| plain(&cell)).collect();
                self.table.in_head = false;
            }
            TagEnd::TableRow => self.row(),
            _ => {}
        }
    }

    fn add(&mut self, style: Style, text: &str) {
        self.text.push(match style {
            Style::Roman => roff::roman(text),
            Style::Bold => roff::bold(text),
            Style::Italic => roff::italic(text),
        });
    }

    fn heading(&mut self, level: HeadingLevel) {
        let text = plain(&std::mem::take(&mut self.text));
        match level {
            HeadingLevel::H2 => self.page.control("SH", [text.to_uppercase().as_str()]),
            _ => self.page.control("SS", [text.as_str()]),
        };
    }

    fn paragraph(&mut self) {
        self.page.control("PP", []);
        self.page.text(std::mem::take(&mut self.text));
    }

    /// An item of a list. A paragraph in it has been written already.
    fn item(&mut self) {
        if !self.text.is_empty() {
            self.page.control("IP", ["\\(bu", "2"]);
            self.page.text(std::mem::take(&mut self.text));
        }
    }

    /// A row of a table: the first cell is the term, the second its explanation, and each further one has its heading.
    fn row(&mut self) {
        let mut cells = std::mem::take(&mut self.table.cells).into_iter();
        self.page.control("TP", []);
        self.page.text(cells.next().unwrap_or_default());
        self.page.text(cells.next().unwrap_or_default());
        for (cell, heading) in cells.zip(self.table.headings.iter().skip(2)) {
            let mut line = vec![roff::italic(heading.as_str()), roff::roman(": ")];
            line.extend(cell);
            self.page.control("br", []);
            self.page.text(line);
        }
    }
}

/// Returns the text without styles.
fn plain(text: &[Inline]) -> String {
    let text = text.iter().map(|inline| match inline {
        Inline::Roman(text) | Inline::Italic(text) | Inline::Bold(text) => text.as_str(),
        Inline::LineBreak => " ",
    });
    text.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headings_lists_tables_and_code_become_requests_of_man() {
        let document = "# T\n\nA `b` c.\n\n## D e\n\n- f\n- g\n\n| k | v | if |\n| --- | --- | --- |\n| `a` | b | c |\n\n```text\n.x -y\n? 3\n```\n";
        let mut page = Roff::new();
        add(&mut page, document);
        let text = page.to_roff();
        for part in [
            ".PP\nA \\fBb\\fR c.\n",
            ".SH \"D E\"\n.IP \\(bu 2\nf\n.IP \\(bu 2\ng\n",
            ".TP\n\\fBa\\fR\nb\n.br\n\\fIif\\fR: c\n",
            ".nf\n\\&.x \\-y\n.fi\n",
        ] {
            assert!(text.contains(part), "{part}\n{text}");
        }
        assert!(!text.contains("T\n.PP"), "{text}");
    }
}
