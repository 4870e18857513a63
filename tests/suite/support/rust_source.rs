//! A Rust file as the checks of form read it: without comments, text and tests, and with its imports written out.
//!
//! Not a parser: just enough to say which path is named on which line. What it cannot see is what `rustc` would have to
//! expand (macros of our own that name another room); there are none.

use std::path::{Path, PathBuf};

/// The code of one file that is shipped.
pub struct Source {
    pub path: PathBuf,
    /// The text with comments, literals and `#[cfg(test)]` items blanked out; lines stay where they were.
    pub code: String,
    /// Modules that are declared `#[cfg(test)] mod name;`: their files are tests.
    pub test_modules: Vec<String>,
}

/// A path that is named somewhere: `["crate", "keys", "PrivateKey"]`, with the line and whether a `use` brought it in.
pub struct Named {
    pub path: Vec<String>,
    pub line: usize,
    pub imported: bool,
}

impl Source {
    pub fn read(path: &Path) -> Self {
        let text = std::fs::read_to_string(path).unwrap();
        let (code, test_modules) = without_tests(&without_comments_and_literals(&text));
        Self { path: path.to_owned(), code, test_modules }
    }

    /// Every path that the file names, those of `use` written out one by one.
    pub fn paths(&self) -> Vec<Named> {
        let mut named = Vec::new();
        let mut plain = self.code.clone();
        for (start, end) in use_statements(&self.code) {
            let line = line_of(&self.code, start);
            let tree = self.code[start + "use".len()..end].trim();
            let mut leaves = Vec::new();
            expand(tree, &[], &mut leaves);
            named.extend(leaves.into_iter().map(|path| Named { path, line, imported: true }));
            plain.replace_range(start..end, &blank(&self.code[start..end]));
        }
        for (at, path) in paths_in(&plain) {
            named.push(Named { path, line: line_of(&plain, at), imported: false });
        }
        named
    }

    /// Where a piece of code stands, as line numbers.
    pub fn lines_with(&self, piece: &str) -> Vec<usize> {
        let word = |character: Option<char>| character.is_some_and(|c| c.is_alphanumeric() || c == '_');
        let first_is_word = word(piece.chars().next());
        self.code
            .match_indices(piece)
            .filter(|(at, _)| !(first_is_word && word(self.code[..*at].chars().next_back())))
            .map(|(at, _)| line_of(&self.code, at))
            .collect()
    }
}

fn line_of(text: &str, at: usize) -> usize {
    text[..at].matches('\n').count() + 1
}

fn blank(text: &str) -> String {
    text.chars().map(|c| if c == '\n' { "\n".to_owned() } else { " ".repeat(c.len_utf8()) }).collect()
}

/// Blanks comments, string literals and character literals.
fn without_comments_and_literals(text: &str) -> String {
    let mut code = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let length = comment(rest).or_else(|| literal(rest, code.chars().next_back())).unwrap_or(0);
        if length > 0 {
            code.push_str(&blank(&rest[..length]));
            rest = &rest[length..];
        } else {
            code.push(first);
            rest = &rest[first.len_utf8()..];
        }
    }
    code
}

fn comment(rest: &str) -> Option<usize> {
    if rest.starts_with("//") {
        return Some(rest.find('\n').unwrap_or(rest.len()));
    }
    if !rest.starts_with("/*") {
        return None;
    }
    let (mut depth, mut at) = (0, 0);
    while at < rest.len() {
        if rest[at..].starts_with("/*") {
            depth += 1;
            at += 2;
        } else if rest[at..].starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return Some(at);
            }
        } else {
            at += rest[at..].chars().next()?.len_utf8();
        }
    }
    Some(rest.len())
}

fn literal(rest: &str, before: Option<char>) -> Option<usize> {
    let in_word = before.is_some_and(|c| c.is_alphanumeric() || c == '_');
    let prefix = ["br", "cr", "b", "c", "r", ""].into_iter().find(|prefix| {
        let after = rest.strip_prefix(prefix).unwrap_or_default();
        after.starts_with('"') || prefix.ends_with('r') && after.trim_start_matches('#').starts_with('"')
    });
    if let Some(prefix) = prefix.filter(|prefix| prefix.is_empty() || !in_word) {
        let after = &rest[prefix.len()..];
        let hashes = if prefix.ends_with('r') { after.len() - after.trim_start_matches('#').len() } else { 0 };
        let body = prefix.len() + hashes + 1;
        let end = format!("\"{}", "#".repeat(hashes));
        if prefix.ends_with('r') {
            return Some(rest[body..].find(&end).map_or(rest.len(), |at| body + at + end.len()));
        }
        return Some(closing(&rest[body..], '"').map_or(rest.len(), |at| body + at));
    }
    let quote = rest.strip_prefix("b'").map(|_| 1).or_else(|| rest.starts_with('\'').then_some(0))?;
    let body = &rest[quote + 1..];
    // A lifetime has no closing quote right after its first character.
    let one = body.chars().next()?;
    (one == '\\' || body[one.len_utf8()..].starts_with('\''))
        .then(|| closing(body, '\'').map(|at| quote + 1 + at))
        .flatten()
}

/// The end of a literal whose body begins here, past the closing quote.
fn closing(body: &str, quote: char) -> Option<usize> {
    let mut escaped = false;
    for (at, character) in body.char_indices() {
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if character == quote => return Some(at + 1),
            _ => {}
        }
    }
    None
}

/// Blanks every item that is compiled for tests only, and says which modules are such.
fn without_tests(code: &str) -> (String, Vec<String>) {
    const ATTRIBUTE: &str = "#[cfg(test)]";
    let mut code = code.to_owned();
    let mut modules = Vec::new();
    while let Some(start) = code.find(ATTRIBUTE) {
        let end = item_end(&code, start + ATTRIBUTE.len());
        let item = code[start + ATTRIBUTE.len()..end].trim();
        if let Some(name) = item.strip_suffix(';').and_then(|item| item.rsplit_once("mod ")).map(|(_, name)| name) {
            modules.push(name.trim().to_owned());
        }
        let blanked = blank(&code[start..end]);
        code.replace_range(start..end, &blanked);
    }
    (code, modules)
}

fn item_end(code: &str, from: usize) -> usize {
    let mut depth = 0_i32;
    for (at, character) in code[from..].char_indices() {
        match character {
            '{' | '(' | '[' => depth += 1,
            '}' | ')' | ']' => {
                depth -= 1;
                if depth == 0 && character == '}' {
                    return from + at + 1;
                }
            }
            ';' if depth == 0 => return from + at + 1,
            _ => {}
        }
    }
    code.len()
}

/// The `use` statements, from the word to before the semicolon.
fn use_statements(code: &str) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    for (at, _) in code.match_indices("use ") {
        let line = code[..at].rsplit('\n').next().unwrap_or_default().trim();
        let begins = line.is_empty() || line.starts_with("pub") || line.ends_with(['{', ';', '}']);
        if let Some(length) = code[at..].find(';').filter(|_| begins) {
            found.push((at, at + length));
        }
    }
    found
}

/// Writes `a::{b, c::{d, e as f}}` out as one path per leaf; `self` is the path before it, an alias is left out.
fn expand(tree: &str, before: &[String], leaves: &mut Vec<Vec<String>>) {
    let tree = tree.trim();
    if tree.is_empty() {
        return;
    }
    if let Some(brace) = tree.find('{') {
        let head = [before, &segments(&tree[..brace])].concat();
        let inner = tree[brace + 1..].trim_end().strip_suffix('}').unwrap_or_default();
        for part in split_outside_braces(inner) {
            expand(part, &head, leaves);
        }
        return;
    }
    let path = tree.split(" as ").next().unwrap_or_default();
    let own: Vec<String> =
        segments(path).into_iter().filter(|segment| before.is_empty() || segment != "self").collect();
    leaves.push([before, &own].concat());
}

fn segments(path: &str) -> Vec<String> {
    path.split("::").map(|segment| segment.trim().to_owned()).filter(|segment| !segment.is_empty()).collect()
}

fn split_outside_braces(inner: &str) -> Vec<&str> {
    let (mut depth, mut from, mut parts) = (0, 0, Vec::new());
    for (at, character) in inner.char_indices() {
        match character {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(&inner[from..at]);
                from = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&inner[from..]);
    parts
}

/// Paths of at least two segments in the midst of code.
fn paths_in(code: &str) -> Vec<(usize, Vec<String>)> {
    let is_word = |c: char| c.is_alphanumeric() || c == '_' || c == ':';
    let mut found = Vec::new();
    let mut at = 0;
    while at < code.len() {
        let Some(first) = code[at..].find(is_word) else { break };
        let start = at + first;
        let length = code[start..].find(|c| !is_word(c)).unwrap_or(code.len() - start);
        let word = &code[start..start + length];
        if word.contains("::") && !word.starts_with(':') {
            found.push((start, segments(word)));
        }
        at = start + length;
    }
    found
}
