//! A command line that clap refuses, as a failure of this program.

use crate::report::failure::Failure;

/// Returns the failure for a command line that cannot be understood.
pub fn parse_failure(error: &clap::Error) -> Failure {
    let rendered = error.render().to_string();
    // What the first paragraph lists belongs to the sentence: the arguments that are missing.
    let (sentence, rest) = rendered.split_once("\n\n").unwrap_or((&rendered, ""));
    let mut listed = sentence.lines().map(str::trim).filter(|line| !line.is_empty());
    let mut message = listed.next().unwrap_or_default().trim_start_matches("error: ").to_owned();
    let mut apart: Vec<&str> = listed.collect();
    if message.ends_with(':') {
        message = format!("{message} {}", apart.join(", "));
        apart.clear();
    }
    let lines = apart.into_iter().chain(rest.lines().map(str::trim).filter(|line| !line.is_empty()));
    let hints =
        lines.filter(|line| !line.starts_with("Usage:")).map(|line| line.trim_start_matches("tip: ").to_owned());
    hints.fold(Failure::usage("bad-arguments", message), Failure::hint)
}
