//! VOICE: words in, words out.
//!
//! A command is one file under [`commands`]: it asks, acts, and returns a [`output::Report`]. It never prints. What went
//! wrong comes back as a [`Failure`]; here, at the border, both become text or JSON and an exit status.

mod address;
mod after_issue;
mod certificate_input;
pub mod command_line;
pub mod commands;
pub mod context;
mod crl_expiry;
mod directory;
mod key_input;
mod next_certificate;
pub mod options;
pub mod output;
mod parse_failure;
pub mod parties;
mod progress;
mod public_key;
mod recordings;
pub mod reports;
mod run_hook;
mod specimens;
#[cfg(test)]
mod testing;

use std::ffi::OsString;
use std::io::{self, Write};

pub use crate::report::exit_status::ExitStatus;
pub use crate::report::failure::Failure;
pub use context::Context;

use crate::report::style::Style;
use crate::system::World;
use crate::text::escape;
use command_line::CommandLine;
use output::Answer;
use parse_failure::parse_failure;

/// Runs one command line from its words to its exit status.
pub fn run(words: impl IntoIterator<Item = OsString>, world: &mut World) -> ExitStatus {
    let words: Vec<OsString> = words.into_iter().collect();
    if let [_, word] = words.as_slice()
        && (word == "--version" || word == "-V")
    {
        // Scripts ask this often; knowing every flag of every command is not needed to answer it.
        let version = format!("ca {}\n", env!("CARGO_PKG_VERSION"));
        return tell(&version, Shape { json: false, colored: false }, world);
    }
    let line = match CommandLine::read(&words) {
        Ok(line) => line,
        Err(error) => {
            // In the whole command line, the groups of flags stand in the order in which people shall read them.
            let mut error = CommandLine::whole().try_get_matches_from(&words).err().unwrap_or(error);
            keep_the_passphrase(&mut error);
            return refuse_words(&error, &words, world);
        }
    };
    let style = Style::choose(line.globals.color.into(), world);
    let shape = Shape { json: line.globals.json, colored: style.stderr };
    let mut context = match Context::new(&line.globals, world) {
        Ok(context) => context,
        Err(failure) => return fail(&failure, shape, world),
    };
    let result = commands::run(line.command, &mut context);
    let warnings = crl_expiry::warnings(&context);
    let failed_in_part = result.as_ref().ok().and_then(|report| report.failure());
    // The document of a failure is alone on standard error.
    let is_document = shape.json && (result.is_err() || failed_in_part.is_some());
    let status = match result {
        Ok(report) => {
            let is_kept_back = line.globals.quiet
                && report.only_confirms()
                && report.answer() == Answer::Yes
                && failed_in_part.is_none();
            let text = match shape.json {
                true => output::json_document(&report.json()),
                false if is_kept_back => String::new(),
                false => output::text(report.as_ref(), style),
            };
            let answer = match report.answer() {
                Answer::Yes => ExitStatus::Done,
                Answer::No => ExitStatus::No,
            };
            let status = match show(&text, world) {
                Ok(()) => answer,
                Err(failure) if report.only_confirms() => fail(&failure.hint(ONLY_THE_REPORT), shape, world),
                Err(failure) => fail(&failure, shape, world),
            };
            match failed_in_part {
                Some(failure) if status != ExitStatus::Refused => fail(&failure, shape, world),
                _ => status,
            }
        }
        Err(failure) => fail(&failure, shape, world),
    };
    for warning in warnings.iter().filter(|_| !is_document) {
        drop(writeln!(world.stderr, "warning: {}", escape(warning)));
    }
    status
}

/// How a failure is told.
#[derive(Clone, Copy)]
struct Shape {
    json: bool,
    colored: bool,
}

/// Of a command that changed something.
const ONLY_THE_REPORT: &str = "what was asked for was done all the same; only the account of it is lost";

/// Shows a result. What could not be shown was not done as far as the caller can know: a full disk behind a redirection.
/// Only a reader that closed its end, as `head` does, has seen all it wanted.
fn show(text: &str, world: &mut World) -> Result<(), Failure> {
    match world.stdout.write_all(text.as_bytes()).and_then(|()| world.stdout.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Failure::stdout(&error)),
        _ => Ok(()),
    }
}

/// The same for a text that stands for nothing else.
fn tell(text: &str, shape: Shape, world: &mut World) -> ExitStatus {
    match show(text, world) {
        Ok(()) => ExitStatus::Done,
        Err(failure) => fail(&failure, shape, world),
    }
}

fn fail(failure: &Failure, shape: Shape, world: &mut World) -> ExitStatus {
    let text = if shape.json { output::json_document(&failure.json()) } else { failure.text(shape.colored) };
    // Standard error is the last resort: if it is closed too, the exit status still tells.
    drop(world.stderr.write_all(text.as_bytes()));
    failure.status
}

/// Whoever wants to give a passphrase is not told how to do without one.
fn keep_the_passphrase(error: &mut clap::Error) {
    use clap::error::{ContextKind, ContextValue};
    let is = |kind, fits: fn(&str) -> bool| matches!(error.get(kind), Some(ContextValue::String(word)) if fits(word));
    if is(ContextKind::InvalidArg, |word| word.starts_with("--pass"))
        && is(ContextKind::SuggestedArg, |word| word == "--no-passphrase")
    {
        error.insert(ContextKind::SuggestedArg, ContextValue::String("--passphrase-file".to_owned()));
        error.remove(ContextKind::Usage);
    }
}

/// Help and version are answers; everything else that clap says is a refusal in its own words.
fn refuse_words(error: &clap::Error, words: &[OsString], world: &mut World) -> ExitStatus {
    use clap::error::ErrorKind;
    let json = words.iter().take_while(|word| *word != "--").any(|word| word == "--json");
    let shape = Shape { json, colored: false };
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => tell(&error.render().to_string(), shape, world),
        _ if json => fail(&parse_failure(error), shape, world),
        _ => {
            drop(world.stderr.write_all(error.render().to_string().as_bytes()));
            ExitStatus::Usage
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::ErrorKind;

    use super::testing::Played;
    use super::*;

    fn ask(words: &[&str], refuses: Option<ErrorKind>) -> (ExitStatus, String, String) {
        let mut played = Played { refuses, working_folder: "/nowhere".into(), ..Played::default() };
        let status = played.with_world(|world| run(words.iter().map(OsString::from), world));
        (status, played.stdout(), played.stderr())
    }

    #[test]
    fn the_quick_answer_to_version_is_the_one_of_the_whole_command_line() {
        let whole = CommandLine::whole().render_version();
        for word in ["--version", "-V"] {
            assert_eq!(ask(&["ca", word], None), (ExitStatus::Done, whole.clone(), String::new()));
        }
    }

    #[test]
    fn a_result_that_cannot_be_shown_is_a_failure_but_not_for_a_reader_that_has_seen_enough() {
        let words = ["ca", "completions", "bash"];
        let (status, _, told) = ask(&words, Some(ErrorKind::StorageFull));
        assert_eq!(status, ExitStatus::Refused);
        assert!(told.contains("cannot write to standard output"), "{told}");
        assert_eq!(ask(&words, Some(ErrorKind::BrokenPipe)), (ExitStatus::Done, String::new(), String::new()));
    }

    #[test]
    fn a_failure_is_told_on_standard_error_as_text_or_as_json() {
        let (status, out, told) = ask(&["ca", "issue", "server", "web.test"], None);
        assert_eq!((status, out.as_str()), (ExitStatus::Usage, ""));
        assert!(told.starts_with("error: no CA directory was found in /nowhere"), "{told}");
        let (status, out, told) = ask(&["ca", "--json", "issue", "server", "web.test"], None);
        assert_eq!((status, out.as_str()), (ExitStatus::Usage, ""));
        let document: serde_json::Value = serde_json::from_str(&told).unwrap();
        assert_eq!((&document["schema"], &document["error"]["code"]), (&"ca.error/1".into(), &"no-ca".into()));
    }

    #[test]
    fn the_command_line_holds_together() {
        CommandLine::whole().debug_assert();
    }
}
