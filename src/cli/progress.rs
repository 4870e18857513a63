//! The progress of a long command: one line on standard error that is overwritten, and erased at the end.

use std::io::Write;

use crate::app::context::Context;
use crate::report::output::OutputFormat;
use crate::text::escape;

/// The line. Only a person who looks at a terminal sees it; `--quiet` and `--json` keep it back.
pub struct ProgressLine<'a> {
    stderr: Option<&'a mut dyn Write>,
    shown: String,
}

/// Cells of the bar.
const CELLS: usize = 30;

impl<'a> ProgressLine<'a> {
    pub fn new(context: &'a mut Context<'_>) -> Self {
        let is_wanted = context.world.terminal.shows_stderr() && !context.quiet && context.format == OutputFormat::Text;
        Self { stderr: is_wanted.then_some(&mut *context.world.stderr), shown: String::new() }
    }

    /// `[=========>          ]  31 %  what`; written only when it says something new.
    pub fn show(&mut self, done: usize, of: usize, what: &str) {
        let Some(stderr) = &mut self.stderr else { return };
        let percent = (done * 100).checked_div(of).unwrap_or(0).min(100);
        let filled = CELLS * percent / 100;
        let line = format!("[{}{}] {percent:3} %  {}", "#".repeat(filled), " ".repeat(CELLS - filled), escape(what));
        if line != self.shown {
            // A line that cannot be shown must not stop the work. The rest of the line before is wiped (ECMA-48 EL).
            drop(write!(stderr, "\r{line}\x1b[K").and_then(|()| stderr.flush()));
            self.shown = line;
        }
    }
}

impl Drop for ProgressLine<'_> {
    fn drop(&mut self) {
        if let Some(stderr) = self.stderr.as_mut().filter(|_| !self.shown.is_empty()) {
            drop(write!(stderr, "\r\x1b[K").and_then(|()| stderr.flush()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_says_how_far_it_is_only_when_that_is_new_and_wipes_itself_out() {
        let mut screen = Vec::new();
        let mut line = ProgressLine { stderr: Some(&mut screen), shown: String::new() };
        line.show(0, 3, "keys");
        line.show(0, 3, "keys");
        line.show(3, 3, "keys\u{1b}[2J");
        line.show(1, 0, "nothing");
        drop(line);
        let said = String::from_utf8(screen).unwrap();
        let lines: Vec<_> = said.split('\r').collect();
        assert_eq!(lines.len(), 5, "{said:?}");
        assert!(lines[1].contains("]   0 %  keys") && lines[2].contains(&"#".repeat(CELLS)) && lines[4] == "\x1b[K");
        assert!(!said.contains("\x1b[2J"), "{said:?}");
    }
}
