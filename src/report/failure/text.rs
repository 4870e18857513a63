//! The text of errors and warnings on standard error: one form for those of this program, of clap and of TOML files.

use super::Failure;
use crate::report::relative::RelativePaths;
use crate::report::style::Style;
use crate::system::World;
use crate::text::toml_document::DocumentError;
use crate::text::{escape, wrap};

/// The most lines of a message, and the most fixes, that are shown. The others are counted.
const MOST_LINES: usize = 10;

/// How standard error is written.
#[derive(Debug, Clone)]
pub struct ErrorStyle {
    is_colored: bool,
    /// The width of the terminal; `None`: standard error is not a terminal, and lines are not wrapped.
    columns: Option<usize>,
    paths: RelativePaths,
}

/// The word at the beginning of a line.
#[derive(Clone, Copy)]
struct Label {
    word: &'static str,
    /// The color as a code of ECMA-48, "select graphic rendition".
    color: &'static str,
}

const ERROR: Label = Label { word: "error", color: "1;31" };
const WARNING: Label = Label { word: "warning", color: "33" };
const AT: Label = Label { word: "at", color: "2" };
const FIX: Label = Label { word: "fix", color: "36" };

impl ErrorStyle {
    /// Takes color from `style`, width and working folder from `world`.
    pub fn new(style: Style, world: &World) -> Self {
        let columns = world.terminal.error_columns();
        Self { is_colored: style.stderr, columns, paths: RelativePaths::below(&world.working_folder) }
    }

    /// Returns `warning: …`, with the newline.
    pub fn warning(&self, sentence: &str) -> String {
        self.block(WARNING, sentence)
    }

    /// Returns a sentence without a label, with the newline.
    pub fn note(&self, sentence: &str) -> String {
        let shown = escape(&self.paths.shorten(sentence)).to_string();
        let lines = self.columns.map_or_else(|| vec![shown.clone()], |columns| wrap(&shown, columns));
        format!("{}\n", lines.join("\n"))
    }

    /// Returns a question with its facts: the label of each in a column, its text to the right of that.
    pub fn question(&self, what: &str, facts: &[(&str, &str)], ask: &str) -> String {
        const INDENT: usize = 12;
        let mut text = self.note(what);
        for (label, value) in facts {
            let value = escape(&self.paths.shorten(value)).to_string();
            let lines =
                self.columns.map_or_else(|| vec![value.clone()], |columns| wrap(&value, columns - INDENT.min(columns)));
            text.push_str(&format!("  {label:<9} {}\n", lines.join(&format!("\n{:INDENT$}", ""))));
        }
        format!("{text}{ask} ")
    }

    /// Returns the lines of a failure: `error:`, `at:` and `fix:`.
    pub fn failure(&self, failure: &Failure) -> String {
        let mut out = match &failure.picture {
            Some(error) => self.document(error),
            None => self.block(ERROR, &failure.message),
        };
        for fix in failure.hints.iter().take(MOST_LINES) {
            out.push_str(&self.block(FIX, fix));
        }
        if let Some(others) = failure.hints.len().checked_sub(MOST_LINES).filter(|others| *others > 0) {
            out.push_str(&self.block(FIX, &format!("and {others} more")));
        }
        out
    }

    /// Each problem of a file with its place, the line of the file, and its fix.
    fn document(&self, error: &DocumentError) -> String {
        let mut problems = Vec::new();
        for (problem, place, picture) in error.pictures() {
            let mut shown = self.block(ERROR, problem.message.trim_end());
            shown.push_str(&self.block(AT, &place));
            for line in picture {
                shown.push_str(&format!("       {}\n", escape(&line)));
            }
            if let Some(fix) = &problem.hint {
                shown.push_str(&self.block(FIX, fix));
            }
            problems.push(shown);
        }
        let others = error.others().map(|others| format!("{others}\n"));
        problems.into_iter().chain(others).collect::<Vec<_>>().join("\n")
    }

    /// A label, and text in a column of its own to the right of it.
    fn block(&self, label: Label, text: &str) -> String {
        // `at:` and `fix:` end below the colon of `error:`.
        let word = format!("{:>1$}", label.word, ERROR.word.len());
        let indent = word.len() + 2;
        let lines: Vec<&str> = text.split('\n').collect();
        let mut shown: Vec<String> =
            lines.iter().take(MOST_LINES + 1).map(|line| self.paths.shorten(&escape(line))).collect();
        if let Some(others) = lines.len().checked_sub(MOST_LINES + 1).filter(|others| *others > 0) {
            shown.push(format!("and {others} more"));
        }
        let wrapped: Vec<String> = match self.columns {
            Some(columns) => shown.iter().flat_map(|line| wrap(line, columns.saturating_sub(indent))).collect(),
            None => shown,
        };
        let text = wrapped.join(&format!("\n{}", " ".repeat(indent)));
        match self.is_colored {
            true => format!("\u{1b}[{}m{word}\u{1b}[0m: {text}\n", label.color),
            false => format!("{word}: {text}\n"),
        }
    }
}

/// Returns the warnings of one run, at most ten that differ only in a name, a number or a time; the others are counted.
pub fn without_repetitions(warnings: Vec<String>) -> Vec<String> {
    let mut kept: Vec<(String, String, usize)> = Vec::new();
    for warning in warnings {
        let shape = shape(&warning);
        match kept.iter().filter(|(known, ..)| *known == shape).count() {
            count if count > MOST_LINES => {
                if let Some((_, _, others)) = kept.iter_mut().rfind(|(known, ..)| *known == shape) {
                    *others += 1;
                }
            }
            count => kept.push((shape, warning, usize::from(count == MOST_LINES))),
        }
    }
    let counted = |(_, warning, others): (String, String, usize)| match others {
        0 | 1 => warning,
        others => format!("and {others} more like those before"),
    };
    kept.into_iter().map(counted).collect()
}

/// The words of a sentence without what differs between similar ones: what has a digit, a quote, a dot or a slash.
fn shape(sentence: &str) -> String {
    let is_fixed = |word: &&str| word.chars().all(|character| character.is_alphabetic() || ",;:()".contains(character));
    sentence.split_whitespace().filter(is_fixed).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn style(columns: Option<usize>) -> ErrorStyle {
        ErrorStyle { is_colored: false, columns, paths: RelativePaths::below("/home/anna".as_ref()) }
    }

    #[test]
    fn an_error_is_wrapped_at_a_terminal_and_paths_are_relative() {
        let failure = Failure::refused("missing-file", "cannot read /home/anna/ca/root.pem: no such file or folder")
            .hint("restore it from a backup: ca restore backup.age");
        assert_eq!(
            style(None).failure(&failure),
            "error: cannot read ca/root.pem: no such file or folder\n  fix: restore it from a backup: ca restore backup.age\n"
        );
        assert_eq!(
            style(Some(40)).failure(&failure),
            "error: cannot read ca/root.pem: no such\n       file or folder\n  fix: restore it from a backup:\n       ca restore backup.age\n"
        );
    }

    #[test]
    fn at_most_ten_similar_lines_are_shown() {
        let lines: Vec<String> = (0..30).map(|number| format!("line {number}")).collect();
        let shown = style(None).failure(&Failure::refused("x", format!("of many:\n{}", lines.join("\n"))));
        assert_eq!((shown.lines().count(), shown.lines().last()), (12, Some("       and 20 more")));

        let many = (0..500).map(|number| format!("'host{number}.test' expires on 2026-01-{number}"));
        let kept = without_repetitions(many.chain(["another".to_owned()]).collect());
        assert_eq!(
            (kept.len(), kept[10].as_str(), kept[11].as_str()),
            (12, "and 490 more like those before", "another")
        );
        let few: Vec<String> = (0..11).map(|number| format!("'{number}' expires")).collect();
        assert_eq!(without_repetitions(few.clone()), few);
    }
}
