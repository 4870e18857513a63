//! `ca quickstart`: a CA, two certificates, their verification and a handshake test in one command.
//!
//! It runs the command lines of other commands, and prints them with their results.

use std::path::PathBuf;

use clap::Args;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use crate::app::context::Context;
use crate::cli::options::change::DryRunArgument;
use crate::report::failure::Failure;
use crate::report::json;
use crate::report::output::{Answer, Report};
use crate::report::page::{Page, Tone};
use crate::store::approval::{Declined, PlannedChange};
use crate::text::{PathText, shell_word};

#[derive(Debug, Args)]
pub struct Arguments {
    /// The folder to make; one that exists is refused
    #[arg(value_name = "FOLDER", default_value = "ca-quickstart")]
    folder: PathBuf,
    #[command(flatten)]
    dry_run: DryRunArgument,
}

/// Every command with its report.
struct QuickstartReport {
    folder: PathBuf,
    steps: Vec<Step>,
}

struct Step {
    /// What the step does, for a first-time user.
    about: &'static str,
    words: Vec<String>,
    report: Box<dyn Report>,
}

/// Runs a command line that starts with the name of the program; the flag is `--quiet`.
type RunWords = dyn Fn(&[String], bool, &mut Context<'_>) -> Result<Box<dyn Report>, Failure>;

pub fn run(arguments: Arguments, run_words: &RunWords, context: &mut Context<'_>) -> Result<Box<dyn Report>, Failure> {
    let dry_run = arguments.dry_run.apply(context);
    let folder = arguments.folder;
    if context.world.resolve(&folder).symlink_metadata().is_ok() {
        let failure = Failure::refused("exists", format!("{} is there already", folder.escaped()));
        return Err(failure.hint("name another folder: ca quickstart FOLDER"));
    }
    let Some(in_words) = folder.to_str().map(str::to_owned) else {
        return Err(Failure::usage("bad-arguments", format!("{} is not text in UTF-8", folder.escaped())));
    };
    let file = |below: &str| format!("{in_words}/{below}");
    let (server, client) = (file("issued/localhost/fullchain.pem"), file("issued/alice/fullchain.pem"));
    let plan: [(&'static str, &[&str]); 6] = [
        (
            "A root that clients will trust, and an issuing CA below it that does the daily work.",
            &["init", "--name", "Quickstart CA", "--intermediate", "--no-passphrase"],
        ),
        (
            "A certificate for a server, and its private key.",
            &["issue", "server", "localhost", "--san", "127.0.0.1", "--san", "::1"],
        ),
        ("A certificate for a client, which identifies it to servers.", &["issue", "client", "alice"]),
        (
            "Would a client that trusts the root accept the server under this name?",
            &["verify", &server, "--hostname", "localhost"],
        ),
        ("Would a server accept the client?", &["verify", &client, "--purpose", "client"]),
        (
            "A real mutual TLS handshake between the two, and every wrong certificate that must be refused.",
            &["handshake-test", "--server", "localhost", "--client", "alice"],
        ),
    ];
    if dry_run {
        let line = |words: &[&str]| typed(&command_line(&in_words, words));
        let changes = plan.iter().map(|(_, words)| PlannedChange::new(format!("run: {}", line(words))));
        context.changes.planned.borrow_mut().extend(changes);
        return Err(Declined::DryRun.into());
    }
    let mut steps = Vec::new();
    for (about, words) in plan {
        let step = step(about, &in_words, words, run_words, context)?;
        let is_yes = step.report.answer() == Answer::Yes;
        steps.push(step);
        if !is_yes {
            break;
        }
    }
    Ok(Box::new(QuickstartReport { folder, steps }))
}

fn step(
    about: &'static str,
    folder: &str,
    words: &[&str],
    run_words: &RunWords,
    context: &mut Context<'_>,
) -> Result<Step, Failure> {
    // The notes of init about unencrypted keys are left out: this report says it itself.
    let is_init = words.first() == Some(&"init");
    let words = command_line(folder, words);
    let report = run_words(&words, is_init, context)?;
    Ok(Step { about, words, report })
}

/// The words of a command for the CA in a folder.
fn command_line(folder: &str, words: &[&str]) -> Vec<String> {
    ["ca", "--dir", folder].iter().chain(words).map(|word| (*word).to_owned()).collect()
}

impl QuickstartReport {
    fn is_passed(&self) -> bool {
        self.steps.iter().all(|step| step.report.answer() == Answer::Yes)
    }
}

/// A command line as it can be typed.
fn typed(words: &[String]) -> String {
    let quoted = words.iter().map(|word| shell_word(word));
    quoted.collect::<Vec<_>>().join(" ")
}

/// `ca.quickstart/1`.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Quickstart")]
pub struct QuickstartJson {
    passed: bool,
    dir: String,
    steps: Vec<StepJson>,
}

/// A command that it stands for.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Step")]
struct StepJson {
    /// As `title`.
    #[schemars(extend("deprecated" = true))]
    about: &'static str,
    /// What it does.
    title: &'static str,
    /// As it can be typed.
    command: String,
    /// The document of that command.
    result: Value,
}

impl Report for QuickstartReport {
    fn text(&self, page: &mut Page) {
        for Step { about, words, report } in &self.steps {
            page.gap();
            page.toned(Tone::Dim, &format!("# {about}"));
            page.toned(Tone::Strong, &format!("$ {}", typed(words)));
            report.text(page);
        }
        page.gap();
        for line in [
            "The keys of this CA are not encrypted, so that nothing has to be typed here.",
            "Every user who can read them can issue certificates: for a CA in production,",
            "leave out --no-passphrase.",
        ] {
            page.line(line);
        }
    }

    fn json(&self) -> Value {
        let step = |step: &Step| StepJson {
            about: step.about,
            title: step.about,
            command: typed(&step.words),
            result: step.report.json(),
        };
        let content = QuickstartJson {
            passed: self.is_passed(),
            dir: self.folder.escaped().to_string(),
            steps: self.steps.iter().map(step).collect(),
        };
        json::document("ca.quickstart/1", &content)
    }

    fn answer(&self) -> Answer {
        if self.is_passed() { Answer::Yes } else { Answer::No }
    }

    fn only_confirms(&self) -> bool {
        true
    }
}
