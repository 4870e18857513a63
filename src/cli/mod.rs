//! VOICE: words in, words out.
//!
//! A command is one file under [`commands`]: it asks, acts, and returns a [`output::Report`]. It never prints. What went
//! wrong comes back as a [`Failure`]; here, at the border, both become text or JSON and an exit status.

pub mod arguments;
pub mod commands;
pub mod context;
pub mod describe;
pub mod failure;
pub mod output;
pub mod parties;
pub mod passphrase;
mod public_key;

use std::ffi::OsString;
use std::io::Write;

use clap::Parser;

pub use arguments::CommandLine;
pub use context::Context;
pub use failure::Failure;

use crate::system::World;
use output::{Answer, Style};

/// The exit statuses of the program (docs/reference/exit-codes.md); any other is a defect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExitStatus {
    /// Done; or the answer is yes.
    Done = 0,
    /// The answer is no.
    No = 1,
    /// Badly asked.
    Usage = 2,
    /// Understood, but refused or failed.
    Refused = 3,
}

/// Runs one command line from its words to its exit status.
pub fn run(words: impl IntoIterator<Item = OsString>, world: &mut World) -> ExitStatus {
    let words: Vec<OsString> = words.into_iter().collect();
    let line = match CommandLine::try_parse_from(&words) {
        Ok(line) => line,
        Err(error) => return refuse_words(&error, &words, world),
    };
    let style = Style::choose(line.globals.color, world);
    let json = line.globals.json;
    let mut context = Context::new(&line.globals, world);
    match commands::run(line.command, &mut context) {
        Ok(report) => {
            let text =
                if json { output::json_document(&report.json()) } else { output::text(report.as_ref(), style.stdout) };
            // What could not be shown was not done as far as the caller can know: a full disk behind a redirection.
            match world.stdout.write_all(text.as_bytes()).and_then(|()| world.stdout.flush()) {
                Ok(()) => match report.answer() {
                    Answer::Yes => ExitStatus::Done,
                    Answer::No => ExitStatus::No,
                },
                Err(error) => fail(&Failure::stdout(&error), json, style.stderr, world),
            }
        }
        Err(failure) => fail(&failure, json, style.stderr, world),
    }
}

fn fail(failure: &Failure, json: bool, style: bool, world: &mut World) -> ExitStatus {
    let text = if json { output::json_document(&failure.json()) } else { failure.text(style) };
    // Standard error is the last resort: if it is closed too, the exit status still tells.
    drop(world.stderr.write_all(text.as_bytes()));
    failure.status
}

/// Help and version are answers; everything else that clap says is a refusal in its own words.
fn refuse_words(error: &clap::Error, words: &[OsString], world: &mut World) -> ExitStatus {
    use clap::error::ErrorKind;
    let json = words.iter().take_while(|word| *word != "--").any(|word| word == "--json");
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
            let text = error.render().to_string();
            match world.stdout.write_all(text.as_bytes()).and_then(|()| world.stdout.flush()) {
                Ok(()) => ExitStatus::Done,
                Err(error) => fail(&Failure::stdout(&error), json, false, world),
            }
        }
        _ if json => fail(&Failure::words(error), json, false, world),
        _ => {
            drop(world.stderr.write_all(error.render().to_string().as_bytes()));
            ExitStatus::Usage
        }
    }
}
