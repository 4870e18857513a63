//! TOML files: values are taken one by one, each with its position, and all problems of a file are reported at once. The
//! only module that uses toml and annotate-snippets.
//!
//! A caller takes the keys that it knows out of a [`Section`]; a key that is left is unknown, which is an error that names
//! the nearest known key. A value of the wrong type is noted as a problem, and reading continues.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};
use serde::de::DeserializeOwned;
use toml::Spanned;
use toml::de::{DeTable, DeValue, ValueDeserializer};

use super::escape::escape;
use super::similar::nearest;

/// A TOML file from which values are taken.
pub struct Document<'t> {
    /// The name of the file in messages.
    name: String,
    text: &'t str,
    problems: RefCell<Vec<DocumentProblem>>,
}

/// One problem of a file, and its position.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DocumentProblem {
    /// The range in the text, in bytes.
    pub place: Range<usize>,
    pub message: String,
    pub hint: Option<String>,
}

/// The problems of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DocumentError {
    pub name: String,
    pub text: String,
    /// The first [`MOST_SHOWN`], in the order of the text.
    pub problems: Vec<DocumentProblem>,
    /// The number of problems after those.
    pub more: usize,
}

/// The most problems of a file that are shown. Each costs a search for its line and a picture of it, and a file of 1 MiB can
/// have a hundred thousand.
pub const MOST_SHOWN: usize = 10;

/// Why the bytes of a file are not the text of a TOML file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EncodingError {
    #[error("is text in UTF-16, but TOML is UTF-8")]
    Utf16,
    #[error("is not text in UTF-8 (line {line})")]
    NotUtf8 { line: usize },
}

impl EncodingError {
    /// Returns what to do about it.
    pub fn hint(self) -> &'static str {
        "save the file as UTF-8 in the editor, or convert it: iconv -t UTF-8"
    }
}

/// Decodes the bytes of a TOML file, which is UTF-8 (TOML 1.0, "Preliminaries"). A byte order mark at its beginning, which
/// some editors of Windows write, is left out.
///
/// # Errors
/// When they are another encoding.
pub fn decode(bytes: Vec<u8>) -> Result<String, EncodingError> {
    // Without a byte order mark, every second byte of text in a European language is 0 in UTF-16.
    let is_utf16 = match bytes[..] {
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => true,
        [first, second, ..] => (first == 0) != (second == 0),
        _ => false,
    };
    if is_utf16 {
        return Err(EncodingError::Utf16);
    }
    match String::from_utf8(bytes) {
        Ok(text) => Ok(text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text)),
        Err(error) => {
            let valid = &error.as_bytes()[..error.utf8_error().valid_up_to()];
            Err(EncodingError::NotUtf8 { line: valid.iter().filter(|byte| **byte == b'\n').count() + 1 })
        }
    }
}

/// Returns true if the first line that is neither blank nor a comment is not TOML, as in a file of another format.
pub fn begins_otherwise(text: &str) -> bool {
    let (_, errors) = DeTable::parse_recoverable(text);
    let Some(first) = errors.iter().filter_map(|error| Some(error.span()?.start)).min() else { return false };
    let before = &text[..text.floor_char_boundary(first)];
    let lines_before = &before[..before.rfind('\n').map_or(0, |end| end + 1)];
    lines_before.lines().all(|line| matches!(line.trim_start().chars().next(), None | Some('#')))
}

/// A table of the document, from which keys are taken one by one.
pub struct Section<'d, 't> {
    document: &'d Document<'t>,
    /// The dotted name; empty for the top of the file.
    name: String,
    place: Range<usize>,
    table: DeTable<'t>,
    known: Vec<&'static str>,
}

/// A value and its position.
#[derive(Debug, Clone)]
pub struct Located<T> {
    pub value: T,
    pub place: Range<usize>,
}

impl<'t> Document<'t> {
    pub fn new(name: impl Into<String>, text: &'t str) -> Self {
        Self { name: name.into(), text, problems: RefCell::default() }
    }

    /// Returns the top table of the file. When the file is not TOML, all syntax errors are noted, and what can be read is
    /// returned.
    pub fn top(&self) -> Section<'_, 't> {
        let (table, errors) = DeTable::parse_recoverable(self.text);
        for error in errors {
            self.note(error.span().unwrap_or_default(), error.message(), None);
        }
        Section { document: self, name: String::new(), place: 0..0, table: table.into_inner(), known: Vec::new() }
    }

    /// Notes a problem that the caller found.
    pub fn note(&self, place: Range<usize>, message: impl fmt::Display, hint: Option<String>) {
        self.problems.borrow_mut().push(DocumentProblem { place, message: message.to_string(), hint });
    }

    /// Ends reading.
    ///
    /// # Errors
    /// When a problem was noted.
    pub fn finish(self) -> Result<(), DocumentError> {
        let mut problems = self.problems.into_inner();
        if problems.is_empty() {
            return Ok(());
        }
        problems.sort_by_key(|problem| (problem.place.start, problem.place.end));
        // What many tables inherit is wrong in one place.
        problems.dedup();
        let more = problems.len().saturating_sub(MOST_SHOWN);
        problems.truncate(MOST_SHOWN);
        Err(DocumentError { name: self.name, text: self.text.to_owned(), problems, more })
    }
}

impl<'d, 't> Section<'d, 't> {
    /// Returns the document of the table.
    pub fn document(&self) -> &'d Document<'t> {
        self.document
    }

    /// Returns where the table begins.
    pub fn place(&self) -> Range<usize> {
        self.place.clone()
    }

    /// Returns whether `key` is in the table and was not taken yet.
    pub fn contains(&self, key: &str) -> bool {
        self.table.contains_key(key)
    }

    /// Takes the value of `key`. `None` when it is missing, or is not a `T`, which is noted.
    pub fn take<T: DeserializeOwned>(&mut self, key: &'static str) -> Option<Located<T>> {
        let value = self.remove(key)?;
        self.read(value)
    }

    /// Takes the list `key`, each value with its own position; an invalid value does not hide the others.
    pub fn take_list<T: DeserializeOwned>(&mut self, key: &'static str) -> Option<Located<Vec<Located<T>>>> {
        let value = self.remove(key)?;
        let place = value.span();
        match value.into_inner() {
            DeValue::Array(values) => {
                let length = values.len();
                let read: Vec<_> = values.into_iter().filter_map(|value| self.read(value)).collect();
                // A list of invalid values only is not an empty list.
                (length == 0 || !read.is_empty()).then_some(Located { value: read, place })
            }
            other => {
                let hint = format!("a list is in brackets: {key} = [\"…\"]");
                self.document.note(place, format!("expected a list, found {}", other.type_str()), Some(hint));
                None
            }
        }
    }

    /// Takes the table `key`.
    pub fn section(&mut self, key: &'static str) -> Option<Section<'d, 't>> {
        let value = self.remove(key)?;
        let place = value.span();
        let name = if self.name.is_empty() { key.to_owned() } else { format!("{}.{key}", self.name) };
        match value.into_inner() {
            DeValue::Table(table) => Some(Section { document: self.document, name, place, table, known: Vec::new() }),
            other => {
                self.document.note(place, format!("expected a table [{name}], found {}", other.type_str()), None);
                None
            }
        }
    }

    /// Takes the list of tables `key`: `[[key]]`.
    pub fn sections(&mut self, key: &'static str) -> Option<Vec<Section<'d, 't>>> {
        let value = self.remove(key)?;
        let place = value.span();
        let name = if self.name.is_empty() { key.to_owned() } else { format!("{}.{key}", self.name) };
        let note = |place: Range<usize>, found: &DeValue<'t>| {
            let message = format!("expected tables [[{name}]], found {}", found.type_str());
            self.document.note(place, message, None);
        };
        match value.into_inner() {
            DeValue::Array(values) => {
                let section = |value: Spanned<DeValue<'t>>| {
                    let place = value.span();
                    match value.into_inner() {
                        DeValue::Table(table) => Some(Section {
                            document: self.document,
                            name: name.clone(),
                            place,
                            table,
                            known: Vec::new(),
                        }),
                        other => {
                            note(place, &other);
                            None
                        }
                    }
                };
                Some(values.into_iter().filter_map(section).collect())
            }
            other => {
                note(place, &other);
                None
            }
        }
    }

    /// Takes every key that is left, whatever its name, each as a `T`.
    pub fn take_rest<T: DeserializeOwned>(&mut self) -> Vec<(Located<String>, Located<T>)> {
        let table = std::mem::take(&mut self.table);
        let values = table.into_iter().filter_map(|(key, value)| {
            let key = Located { place: key.span(), value: key.into_inner().into_owned() };
            Some((key, self.read(value)?))
        });
        let mut values: Vec<_> = values.collect();
        values.sort_by_key(|(key, _)| key.place.start);
        values
    }

    /// Ends reading: notes every key that was not taken.
    pub fn finish(self) {
        let mut unknown: Vec<_> = self.table.keys().collect();
        unknown.sort_by_key(|key| key.span().start);
        for (count, key) in unknown.into_iter().enumerate() {
            if count >= MOST_SHOWN {
                // It is counted, and not shown.
                self.document.note(key.span(), "unknown key", None);
                continue;
            }
            let found: &str = key.get_ref();
            let hint = match nearest(found, self.known.iter().copied()) {
                Some(near) => format!("did you mean '{near}'?"),
                None => format!("known here: {}", self.known.join(", ")),
            };
            let place =
                if self.name.is_empty() { "at the top of the file".to_owned() } else { format!("in [{}]", self.name) };
            self.document.note(key.span(), format!("unknown key '{}' {place}", escape(found)), Some(hint));
        }
    }

    fn remove(&mut self, key: &'static str) -> Option<Spanned<DeValue<'t>>> {
        self.known.push(key);
        self.table.remove(key)
    }

    fn read<T: DeserializeOwned>(&self, value: Spanned<DeValue<'t>>) -> Option<Located<T>> {
        let place = value.span();
        match T::deserialize(ValueDeserializer::from(value)) {
            Ok(value) => Some(Located { value, place }),
            Err(error) => {
                self.document.note(error.span().unwrap_or(place), plain(error.message()), None);
                None
            }
        }
    }
}

/// Returns the error of serde without Rust's names of number types.
fn plain(message: &str) -> String {
    const NUMBERS: [(&str, &str); 4] = [
        ("expected u8", "expected a whole number from 0 to 255"),
        ("expected u32", "expected a whole number, 0 or more"),
        ("expected u64", "expected a whole number, 0 or more"),
        ("expected usize", "expected a whole number, 0 or more"),
    ];
    let message = message.replace(" as i128", "").replace("invalid type: sequence", "invalid type: list");
    match NUMBERS.iter().find_map(|(type_name, words)| Some((message.strip_suffix(type_name)?, words))) {
        Some((found, words)) => format!("{found}{words}"),
        None => message,
    }
}

/// Returns the line of each key of a file, from 1, by its dotted name: `root.lifetime`. Of a file that is not TOML, those that
/// can be read.
pub fn lines_of_keys(text: &str) -> BTreeMap<String, usize> {
    let mut lines = BTreeMap::new();
    let (table, _) = DeTable::parse_recoverable(text);
    add_lines(&table.into_inner(), "", text, &mut lines);
    lines
}

fn add_lines(table: &DeTable<'_>, above: &str, text: &str, lines: &mut BTreeMap<String, usize>) {
    for (key, value) in table {
        let name = format!("{above}{}", key.get_ref());
        match value.get_ref() {
            DeValue::Table(inner) => add_lines(inner, &format!("{name}."), text, lines),
            _ => {
                let before = &text[..text.floor_char_boundary(key.span().start)];
                lines.insert(name, before.matches('\n').count() + 1);
            }
        }
    }
}

/// Returns a string in the form of TOML.
pub fn quoted(value: &str) -> String {
    toml::Value::String(value.to_owned()).to_string()
}

impl DocumentError {
    /// Returns line and column of a position, both counted from 1; columns are characters.
    pub fn line_and_column(&self, place: &Range<usize>) -> (usize, usize) {
        let before = &self.text[..self.text.floor_char_boundary(place.start)];
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
    }

    /// Returns the range extended to whole characters within the text: a parser of bytes may stop inside a character.
    fn whole_characters(&self, place: &Range<usize>) -> Range<usize> {
        let start = self.text.floor_char_boundary(place.start);
        start..self.text.ceil_char_boundary(place.end.max(start))
    }

    /// Returns how many problems are not shown; `None` when all are.
    pub fn others(&self) -> Option<String> {
        (self.more > 0).then(|| format!("and {} more", self.more))
    }

    /// Returns each problem that is shown with its place, `FILE:LINE:COLUMN`, and with a picture of its line.
    pub fn pictures(&self) -> impl Iterator<Item = (&DocumentProblem, String, Vec<String>)> {
        self.problems.iter().map(|problem| {
            let (line, column) = self.line_and_column(&problem.place);
            (problem, format!("{}:{line}:{column}", self.name), self.picture(problem))
        })
    }

    /// Returns the line of the file with the position marked below it, as lines of text.
    fn picture(&self, problem: &DocumentProblem) -> Vec<String> {
        let annotation = AnnotationKind::Primary.span(self.whole_characters(&problem.place));
        let snippet = Snippet::source(self.text.as_str()).annotation(annotation);
        let rendered = Renderer::plain().render(&[Level::ERROR.primary_title("").element(snippet)]);
        // The first line is the title, which the caller writes.
        rendered.lines().skip(1).map(str::to_owned).collect()
    }
}

/// One line per problem: `templates/web.toml:3:1: unknown key …; did you mean …?`; at the end, the number of the others.
impl fmt::Display for DocumentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.problems.iter().enumerate() {
            let (line, column) = self.line_and_column(&problem.place);
            let hint = problem.hint.as_ref().map(|hint| format!("; {hint}")).unwrap_or_default();
            let newline = if index == 0 { "" } else { "\n" };
            write!(f, "{newline}{}:{line}:{column}: {}{hint}", self.name, problem.message.trim_end())?;
        }
        self.others().map_or(Ok(()), |others| write!(f, "\n{others}"))
    }
}

impl std::error::Error for DocumentError {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::Lifetime;

    fn problems(text: &str) -> String {
        let document = Document::new("a.toml", text);
        let mut top = document.top();
        top.take::<Lifetime>("lifetime");
        if let Some(mut names) = top.section("names") {
            names.take::<u32>("at-least");
            names.take_list::<Lifetime>("lives");
            names.finish();
        }
        top.finish();
        document.finish().map_or_else(|error| error.to_string(), |()| String::new())
    }

    #[test]
    fn all_problems_of_a_file_are_reported_at_once_each_with_its_position() {
        let message = problems(
            "lifetme = \"90d\"\nlifetime = \"90 dais\"\n[names]\nat-least = \"one\"\nat_least = 1\ncolour = 2\n",
        );
        let lines: Vec<_> = message.lines().collect();
        assert_eq!(lines[0], "a.toml:1:1: unknown key 'lifetme' at the top of the file; did you mean 'lifetime'?");
        assert!(lines[1].starts_with("a.toml:2:12: '90 dais' is not a duration"), "{message}");
        assert_eq!(lines[2], "a.toml:4:12: invalid type: string \"one\", expected a whole number, 0 or more");
        assert_eq!(lines[3], "a.toml:5:1: unknown key 'at_least' in [names]; did you mean 'at-least'?");
        assert_eq!(lines[4], "a.toml:6:1: unknown key 'colour' in [names]; known here: at-least, lives");
        assert_eq!(lines.len(), 5);
    }

    #[test]
    fn each_wrong_value_of_a_list_is_reported_with_its_own_position() {
        let message = problems("[names]\nlives = [\"90d\", 5, \"x\"]\nat-least = -1\n");
        let lines: Vec<_> = message.lines().collect();
        assert_eq!(lines[0], "a.toml:2:17: invalid type: integer `5`, expected a string");
        assert!(lines[1].starts_with("a.toml:2:20: 'x' is not a duration"), "{message}");
        assert_eq!(lines[2], "a.toml:3:12: invalid value: integer `-1`, expected a whole number, 0 or more");
        assert_eq!(
            problems("[names]\nlives = \"90d\"\n"),
            "a.toml:2:9: expected a list, found string; a list is in brackets: lives = [\"…\"]"
        );
        assert_eq!(problems("[names]\nlives = []\n"), "");
    }

    #[test]
    fn text_that_is_not_toml_is_refused_with_its_position() {
        assert!(problems("lifetime = \n[names").starts_with("a.toml:1:"));
        assert!(problems("names = 3").contains("expected a table [names], found integer"));
        assert_eq!(problems("lifetime = \"90d\""), "");
    }

    /// The position of a problem is a search in the text, so a file with very many would cost the square of their number.
    #[test]
    fn ten_problems_are_shown_and_the_others_are_counted() {
        let text: String = (0..100_000).map(|number| format!("k{number} = 1\n")).collect();
        let document = Document::new("a.toml", &text);
        let mut top = document.top();
        top.take::<Lifetime>("lifetime");
        top.finish();
        let error = document.finish().unwrap_err();
        assert_eq!((error.problems.len(), error.more), (10, 99_990));
        let shown = error.to_string();
        let lines: Vec<&str> = shown.lines().collect();
        assert_eq!(lines[9], "a.toml:10:1: unknown key 'k9' at the top of the file; known here: lifetime");
        assert_eq!((lines[10], lines.len()), ("and 99990 more", 11));
        assert!(error.problems.iter().all(|problem| problem.hint.is_some()), "those that are shown are whole");
    }

    #[test]
    fn each_key_has_its_line() {
        let lines = lines_of_keys("name = 1\n\n[root]\nkey = [\n  1\n]\nlifetime = 2 # x\n[a.b]\nc.d = 3\n");
        let lines: Vec<_> = lines.iter().map(|(key, line)| (key.as_str(), *line)).collect();
        assert_eq!(lines, [("a.b.c.d", 9), ("name", 1), ("root.key", 4), ("root.lifetime", 7)]);
    }

    #[test]
    fn the_text_of_a_file_is_utf_8_with_or_without_its_mark() {
        assert_eq!(decode(b"a = 1".to_vec()), Ok("a = 1".to_owned()));
        assert_eq!(decode(b"\xef\xbb\xbfa = 1".to_vec()), Ok("a = 1".to_owned()));
        assert_eq!(decode(Vec::new()), Ok(String::new()));
        for utf16 in [&b"\xff\xfea\0"[..], b"\xfe\xff\0a", b"a\0=\0", b"\0a\0="] {
            assert_eq!(decode(utf16.to_vec()), Err(EncodingError::Utf16));
        }
        assert_eq!(decode(b"a = 1\nb = \"\xfc\"\n".to_vec()), Err(EncodingError::NotUtf8 { line: 2 }));
    }

    #[test]
    fn the_picture_shows_the_line() {
        let document = Document::new("a.toml", "lifetime = 5\n");
        let mut top = document.top();
        top.take::<Lifetime>("lifetime");
        top.finish();
        let error = document.finish().unwrap_err();
        let (_, place, picture) = error.pictures().next().unwrap();
        assert_eq!(place, "a.toml:1:12");
        assert_eq!(picture, ["  |", "1 | lifetime = 5", "  |            ^"]);
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_the_reader_panic(text in "\\PC{0,200}|[a-z\\[\\]=\" \n{}.#']{0,200}") {
            let document = Document::new("a.toml", &text);
            let mut top = document.top();
            top.take::<Lifetime>("lifetime");
            top.take_rest::<String>();
            top.finish();
            if let Err(error) = document.finish() {
                assert_eq!(error.pictures().count(), error.problems.len());
                drop(error.to_string());
            }
        }
    }
}
