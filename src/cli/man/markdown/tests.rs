//! The reader, compared with pulldown-cmark.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use pulldown_cmark::{CodeBlockKind, Event, HeadingLevel, Options, Parser, Tag, TagEnd};

use super::*;
use crate::cli::man::file_page::documents;

/// What the library reads in a document, in the language of `man(7)`.
///
/// # Panics
/// When the document has what the reader does not know.
fn as_the_library_reads(document: &str) -> String {
    let mut page = Roff::new();
    let mut read = Read::default();
    for event in Parser::new_ext(document, Options::ENABLE_TABLES) {
        match event {
            Event::Text(text) => read.text.push_str(&text),
            Event::SoftBreak => read.text.push(' '),
            Event::Code(code) => {
                read.finish();
                read.inlines.push(roff::bold(&*code));
            }
            Event::Start(Tag::Emphasis) => read.begin(Style::Italic),
            Event::Start(Tag::Strong) => read.begin(Style::Bold),
            Event::End(TagEnd::Emphasis | TagEnd::Strong) => read.begin(Style::Roman),
            Event::Start(Tag::Paragraph) if !read.in_item => {
                page.control("PP", []);
            }
            Event::Start(Tag::Item) => {
                page.control("IP", ["\\(bu", "2"]);
                read.in_item = true;
            }
            Event::End(TagEnd::Paragraph) => read.write(&mut page),
            Event::End(TagEnd::Item) => {
                read.write(&mut page);
                read.in_item = false;
            }
            Event::End(TagEnd::Heading(level)) => {
                let title = read.taken_plain();
                match level {
                    HeadingLevel::H1 => {}
                    HeadingLevel::H2 => {
                        page.control("SH", [title.to_uppercase().as_str()]);
                    }
                    _ => {
                        page.control("SS", [title.as_str()]);
                    }
                }
            }
            Event::End(TagEnd::CodeBlock) => {
                let code = std::mem::take(&mut read.text);
                literal(&mut page, code.lines().filter(|line| !line.starts_with("? ")));
            }
            Event::End(TagEnd::TableCell) => {
                let cell = read.taken();
                read.row.push(cell);
            }
            Event::End(TagEnd::TableHead) => {
                read.headings = read.row.drain(..).map(|cell| as_plain(&cell)).collect();
            }
            Event::End(TagEnd::TableRow) => {
                page.control("TP", []);
                for (column, cell) in std::mem::take(&mut read.row).into_iter().enumerate() {
                    if column < 2 {
                        page.text(cell);
                        continue;
                    }
                    let mut line = vec![roff::italic(read.headings[column].as_str()), roff::roman(": ")];
                    line.extend(cell);
                    page.control("br", []);
                    page.text(line);
                }
            }
            Event::Start(
                Tag::Heading { .. }
                | Tag::List(None)
                | Tag::Paragraph
                | Tag::Link { .. }
                | Tag::Table(_)
                | Tag::TableHead
                | Tag::TableRow
                | Tag::TableCell
                | Tag::CodeBlock(CodeBlockKind::Fenced(_)),
            )
            | Event::End(TagEnd::Link | TagEnd::List(false) | TagEnd::Table) => {}
            other => panic!("the manual pages do not have {other:?}"),
        }
    }
    page.to_roff()
}

/// What was read since the last block.
#[derive(Default)]
struct Read {
    inlines: Vec<Inline>,
    /// The text since the last change of style.
    text: String,
    style: Style,
    in_item: bool,
    row: Vec<Vec<Inline>>,
    headings: Vec<String>,
}

impl Read {
    fn begin(&mut self, style: Style) {
        self.finish();
        self.style = style;
    }

    fn finish(&mut self) {
        let text = std::mem::take(&mut self.text);
        if !text.is_empty() {
            self.inlines.push(match self.style {
                Style::Roman => roff::roman(text),
                Style::Bold => roff::bold(text),
                Style::Italic => roff::italic(text),
            });
        }
    }

    fn taken(&mut self) -> Vec<Inline> {
        self.finish();
        std::mem::take(&mut self.inlines)
    }

    fn taken_plain(&mut self) -> String {
        as_plain(&self.taken())
    }

    fn write(&mut self, page: &mut Roff) {
        let inlines = self.taken();
        if !inlines.is_empty() {
            page.text(inlines);
        }
    }
}

fn as_plain(inlines: &[Inline]) -> String {
    let text = inlines.iter().map(|inline| match inline {
        Inline::Roman(text) | Inline::Italic(text) | Inline::Bold(text) => text.as_str(),
        Inline::LineBreak => " ",
    });
    text.collect()
}

fn as_read_here(document: &str) -> String {
    let mut page = Roff::new();
    add(&mut page, document);
    page.to_roff()
}

#[test]
fn the_documents_are_read_as_the_library_reads_them() {
    for document in documents() {
        assert!(document.len() > 1000);
        assert_eq!(as_read_here(document), as_the_library_reads(document));
    }
}

/// A line of what the documents have within a paragraph.
fn line() -> impl Strategy<Value = String> {
    const INLINES: [&str; 14] = [
        "a",
        "b, c",
        "`d`",
        "`e f`",
        "`` g`h ``",
        "*i*",
        "**j k**",
        "[l](m.md)",
        "[the `n` page](o.md#p)",
        "\\*",
        "q_r_s",
        "1.2",
        "& .",
        "t\\_u",
    ];
    vec(select(&INLINES[..]), 1..5).prop_map(|inlines| format!("x {}", inlines.join(" ")))
}

fn block() -> impl Strategy<Value = String> {
    prop_oneof![
        vec(line(), 1..4).prop_map(|lines| lines.join("\n")),
        (2..5_usize, line()).prop_map(|(level, title)| format!("{} {title}", "#".repeat(level))),
        vec(vec(line(), 1..3), 1..4).prop_map(|items| {
            let items = items.into_iter().map(|lines| format!("- {}", lines.join("\n  ")));
            items.collect::<Vec<_>>().join("\n")
        }),
        (2..5_usize, vec(vec(line(), 4), 0..3)).prop_map(|(columns, rows)| {
            let row = |cells: &[String]| format!("| {} |", cells[..columns].join(" | "));
            let heads: Vec<_> = (1..5).map(|column| format!("h{column} `i`")).collect();
            let rows = rows.iter().map(|cells| row(cells).replace("a", "\\|"));
            let above = [row(&heads), format!("|{}", " --- |".repeat(columns))];
            above.into_iter().chain(rows).collect::<Vec<_>>().join("\n")
        }),
        vec(select(&["a *b*", "? 3", "", ".x", "| y |", "# z"][..]), 1..4)
            .prop_map(|lines| format!("```text\n{}\n```", lines.join("\n"))),
    ]
}

proptest! {
    #[test]
    fn generated_documents_are_read_as_the_library_reads_them(blocks in vec(block(), 1..6)) {
        let document = format!("# T\n\n{}\n", blocks.join("\n\n"));
        prop_assert_eq!(as_read_here(&document), as_the_library_reads(&document), "{}", document);
    }
}

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

#[test]
fn code_emphasis_links_and_escapes_are_read_and_what_is_not_one_of_them_is_text() {
    let roff = |text: &str| {
        let mut page = Roff::new();
        add(&mut page, text);
        page.to_roff().split_once(".PP\n").unwrap().1.trim_end().to_owned()
    };
    for (markdown, expected) in [
        ("a *b* **c** d", "a \\fIb\\fR \\fBc\\fR d"),
        ("see [the `x` page](x.md#y), and [z]", "see the \\fBx\\fR page, and [z]"),
        ("`` a`b `` and `*` and `", "\\fBa`b\\fR and \\fB*\\fR and `"),
        ("\\*a\\* \\z", "*a* \\\\z"),
        ("one\ntwo", "one two"),
    ] {
        assert_eq!(roff(markdown), expected, "{markdown}");
    }
    let mut page = Roff::new();
    add(&mut page, "| k | v |\n| --- | --- |\n| `a` | `b\\|c` \\| d |\n");
    assert!(page.to_roff().contains("\\fBb|c\\fR | d"), "{}", page.to_roff());
}
