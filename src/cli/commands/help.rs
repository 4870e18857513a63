//! `ca help [COMMAND|TOPIC]`: the first screen, the help of a command, or a page about a topic.

use clap::{Args, Command};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use crate::cli::help::{self, topics};
use crate::report::failure::Failure;
use crate::report::json;
use crate::report::output::Report;
use crate::report::page::Page;
use crate::text::nearest;

#[derive(Debug, Args)]
pub struct Arguments {
    /// A command, such as issue or root renew, or a topic: templates, names, times, passphrases, files, exit-codes, settings,
    /// json, formats, options
    #[arg(value_name = "COMMAND|TOPIC")]
    about: Vec<String>,
    /// Show every command and topic with a sentence
    #[arg(long, conflicts_with = "about")]
    all: bool,
}

/// A page of help.
struct HelpPage {
    about: Vec<String>,
    text: String,
}

/// The topic that is not a page of its own: the options that every command takes.
const OPTIONS: &str = "options";

/// `whole` is the whole command line of the program, as its help shows it.
///
/// # Errors
/// Exit status 2 when there is neither a command nor a topic of this name.
pub fn run(arguments: Arguments, mut whole: Command) -> Result<Box<dyn Report>, Failure> {
    let words: Vec<&str> = arguments.about.iter().map(String::as_str).collect();
    let text = match words.as_slice() {
        _ if arguments.all => help::everything(&whole),
        [] => help::first_screen(),
        [OPTIONS] => help::options(&whole),
        [word] if topics::of(word).is_some() => topics::of(word).map(|topic| topic.text.to_owned()).unwrap_or_default(),
        path => {
            exists(&whole, path)?;
            let asked = ["ca"].into_iter().chain(path.iter().copied()).chain(["--help"]);
            whole.try_get_matches_from_mut(asked).err().map(|help| help.render().to_string()).unwrap_or_default()
        }
    };
    Ok(Box::new(HelpPage { about: arguments.about, text }))
}

/// # Errors
/// When there is no command of this path.
fn exists(whole: &Command, path: &[&str]) -> Result<(), Failure> {
    let mut at = whole;
    for (depth, word) in path.iter().enumerate() {
        let names: Vec<&str> = at.get_subcommands().map(Command::get_name).collect();
        at = at.find_subcommand(word).ok_or_else(|| unknown(&path[..depth], word, &names))?;
    }
    Ok(())
}

fn unknown(above: &[&str], word: &str, names: &[&str]) -> Failure {
    if !above.is_empty() {
        let above = above.join(" ");
        let failure = Failure::usage("bad-arguments", format!("'ca {above}' has no command '{word}'"));
        return failure.hint(format!("its options and commands: ca help {above}"));
    }
    let topics = topics::ALL.map(|topic| topic.name);
    let known = names.iter().copied().chain(topics).chain([OPTIONS]);
    let failure = Failure::usage("bad-arguments", format!("there is no command and no topic '{word}'"));
    match nearest(word, known) {
        Some(near) => failure.hint(format!("did you mean: ca help {near}")),
        None => failure.hint("every command and topic: ca help --all"),
    }
}

/// `ca.help/1`.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Help")]
pub struct HelpJson<'a> {
    /// The words after `help`.
    about: &'a Vec<String>,
    text: &'a str,
}

impl Report for HelpPage {
    fn text(&self, page: &mut Page) {
        page.verbatim(&self.text);
    }

    fn json(&self) -> Value {
        json::document("ca.help/1", &HelpJson { about: &self.about, text: &self.text })
    }

    fn is_read(&self) -> bool {
        true
    }
}
