//! A command line that clap refuses, as a failure of this program.

use clap::error::ErrorKind;

use crate::report::failure::Failure;

/// Returns the failure for a command line that cannot be understood. `command` is the line of the command that was typed, such
/// as `ca root renew`.
pub fn parse_failure(error: &clap::Error, command: &str) -> Failure {
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
    let lines = rest.lines().map(str::trim).filter(|line| !line.is_empty());
    let is_incomplete = matches!(error.kind(), ErrorKind::MissingRequiredArgument | ErrorKind::WrongNumberOfValues);
    let fixes = lines.chain(apart).filter_map(|line| fix(line, is_incomplete));
    let failure = fixes.fold(Failure::usage("bad-arguments", message), Failure::hint);
    failure.hint(format!("every option: {command} --help"))
}

/// Returns a line of clap's advice in the words of this program; `None` for a line that another one replaces.
fn fix(line: &str, is_incomplete: bool) -> Option<String> {
    if line.starts_with("For more information") {
        return None;
    }
    if let Some(usage) = line.strip_prefix("Usage: ") {
        return is_incomplete.then(|| format!("usage: {usage}"));
    }
    let line = line.trim_start_matches("tip: ");
    if let Some(values) = line.strip_prefix("[possible values: ").and_then(|values| values.strip_suffix(']')) {
        return Some(format!("possible values: {values}"));
    }
    for similar in ["a similar argument exists: ", "a similar subcommand exists: ", "a similar value exists: "] {
        if let Some(word) = line.strip_prefix(similar) {
            return Some(format!("did you mean {word}?"));
        }
    }
    Some(line.to_owned())
}
