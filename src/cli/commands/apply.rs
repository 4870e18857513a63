//! `ca apply`: makes the certificates that manifests declare.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use serde_json::Value;

use crate::app::apply::{ApplyRequest, execute, read_and_decide};
use crate::app::context::Context;
use crate::app::output_file::{OutputFile, without_force};
use crate::cli::options::number::jobs;
use crate::cli::options::passphrase::PassphraseArguments;
use crate::cli::reports::apply::{ApplyReport, Lines, PlanReport};
use crate::report::failure::Failure;
use crate::report::output::{OutputFormat, Report, json_document};
use crate::store::Store;
use crate::store::passphrase_prompt::EncryptedKey;
use crate::system::files;
use crate::system::threads::usual_jobs;
use crate::text::PathText;

#[derive(Debug, Args)]
pub struct Arguments {
    /// The manifests: TOML files that declare certificates; or one plan that --plan-out wrote
    #[arg(value_name = "MANIFEST", required = true)]
    manifests: Vec<PathBuf>,
    /// Show what would be changed, and change nothing; exit with status 1 when something would be
    #[arg(long)]
    plan: bool,
    /// As --plan, and write the plan to a file; ca apply FILE makes exactly that, or fails when the CA has changed
    #[arg(long, value_name = "FILE", conflicts_with = "plan")]
    plan_out: Option<PathBuf>,
    /// Revoke and remove what one of the manifests declared earlier, and none declares now
    #[arg(long)]
    prune: bool,
    /// With --prune: do not ask for a confirmation at a terminal
    #[arg(long, requires = "prune")]
    yes: bool,
    /// Generate keys and read files in this many threads [default: one for each processor]
    #[arg(long, value_name = "N", value_parser = jobs)]
    jobs: Option<NonZeroUsize>,
    /// Choose how the result is written; a JSON document for all: --json
    #[arg(long, value_name = "FORMAT", value_enum)]
    format: Option<ApplyFormat>,
    /// Do not run hooks this time
    #[arg(long, conflicts_with_all = ["plan", "plan_out"])]
    no_hook: bool,
    /// Exit with status 10 instead of 0 when something was changed
    #[arg(long, conflicts_with_all = ["plan", "plan_out"])]
    exit_changed: bool,
    #[command(flatten)]
    passphrase: PassphraseArguments,
}

/// The values of `--format`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ApplyFormat {
    Text,
    /// One JSON document a line, for each certificate
    Ndjson,
}

pub fn run(arguments: &Arguments, context: &mut Context<'_>) -> Result<Box<dyn Report>, Failure> {
    context.changes.is_confirmed = arguments.yes;
    context.changes.exit_changed = arguments.exit_changed;
    let lines = match arguments.format {
        Some(_) if context.format == OutputFormat::Json => {
            return Err(Failure::usage("bad-arguments", "--json and --format ask for two formats")
                .hint("leave out one of them"));
        }
        Some(ApplyFormat::Ndjson) => Lines::Ndjson,
        Some(ApplyFormat::Text) | None => Lines::Text,
    };
    let jobs = arguments.jobs.unwrap_or_else(usual_jobs);
    let saved = saved_plan(&arguments.manifests, context)?;
    let (manifests, prune) = match &saved {
        Some(_) if arguments.prune => {
            return Err(Failure::usage("bad-arguments", "a plan says itself what is removed")
                .hint("make it with --prune: ca apply MANIFEST --prune --plan-out FILE"));
        }
        Some(saved) => (saved.manifests.clone(), saved.prune),
        None => (arguments.manifests.clone(), arguments.prune),
    };
    let now = context.now();
    let mut report = PlanReport::new(read_and_decide(&manifests, jobs, context)?, prune, lines, now);
    if let Some(saved) = &saved {
        saved.check(&report, &arguments.manifests)?;
    }
    if let Some(out) = &arguments.plan_out {
        write_plan(&report, out, context)?;
        report.written = Some(out.clone());
    }
    if arguments.plan || arguments.plan_out.is_some() {
        return Ok(Box::new(report));
    }
    if prune && saved.is_none() && !arguments.yes && !context.can_ask() {
        check_declares_something(&report)?;
    }
    let request = ApplyRequest {
        prune,
        jobs,
        skip_hooks: arguments.no_hook,
        secret: arguments.passphrase.passphrase_env.as_deref(),
        ca_key_prompt: &|store: &Store, key: &EncryptedKey, context: &Context<'_>| {
            arguments.passphrase.prompt(store, context)(key)
        },
    };
    let PlanReport { planned, .. } = report;
    let manifests = planned.manifests.clone();
    let applied = execute(planned, &request, context)?;
    Ok(Box::new(ApplyReport { applied, manifests, lines, now }))
}

/// Refuses to remove everything without a question: a manifest that a script did not write completely is empty.
fn check_declares_something(report: &PlanReport) -> Result<(), Failure> {
    let plan = &report.planned.plan;
    if plan.extra.is_empty() || !plan.entries.is_empty() {
        return Ok(());
    }
    let count = plan.extra.len();
    let all = if count == 1 { "1 name".to_owned() } else { format!("{count} names") };
    let sentence = format!("nothing is declared, so that --prune would remove everything: {all}");
    Err(Failure::refused("not-confirmed", sentence)
        .hint("if the manifest should not be empty: write it again, nothing was changed")
        .hint("to remove everything: ca apply MANIFEST --prune --yes"))
}

/// A plan that was read from its file.
struct SavedPlan {
    document: Value,
    manifests: Vec<PathBuf>,
    prune: bool,
}

/// The name of the document of a plan.
const PLAN: &str = "ca.apply-plan/1";

/// Reads the only argument as a plan; `None` when it is a manifest.
fn saved_plan(given: &[PathBuf], context: &mut Context<'_>) -> Result<Option<SavedPlan>, Failure> {
    let [only] = given else { return Ok(None) };
    if only.as_os_str() == "-" {
        return Ok(None);
    }
    let content = context.read_input(only)?;
    // A line of TOML does not begin with a brace.
    if content.iter().find(|byte| !byte.is_ascii_whitespace()) != Some(&b'{') {
        return Ok(None);
    }
    let bad = |why: &str| {
        Failure::usage("bad-plan", format!("{} is not a plan of ca apply: {why}", only.escaped()))
            .hint("make it again: ca apply MANIFEST --plan-out FILE")
    };
    let document: Value = serde_json::from_slice(&content).map_err(|_| bad("it is not JSON"))?;
    if document["schema"] != PLAN {
        return Err(bad("it is another document"));
    }
    let manifests: Option<Vec<PathBuf>> = document["manifests"].as_array().and_then(|manifests| {
        manifests.iter().map(|manifest| Some(PathBuf::from(manifest["path"].as_str()?))).collect()
    });
    let (Some(manifests), Some(prune)) = (manifests, document["prune"].as_bool()) else {
        return Err(bad("it names no manifests"));
    };
    Ok(Some(SavedPlan { document, manifests, prune }))
}

impl SavedPlan {
    /// Checks that what would be done now is what the plan says.
    fn check(&self, now: &PlanReport, given: &[PathBuf]) -> Result<(), Failure> {
        let document = now.document();
        if document == self.document {
            return Ok(());
        }
        let file = given.first().map(|file| file.escaped().to_string()).unwrap_or_default();
        let is_same = |key: &str| document[key] == self.document[key];
        let what = if is_same("manifests") { "the CA has changed" } else { "a manifest has changed" };
        let names = |plan: &Value| -> Vec<String> {
            let entries = plan["entries"].as_array().into_iter().chain(plan["extra"].as_array()).flatten();
            entries.map(|entry| entry.to_string()).collect()
        };
        let (before, after) = (names(&self.document), names(&document));
        let first = after.iter().find(|entry| !before.contains(entry)).or(before.iter().find(|e| !after.contains(e)));
        let name =
            first.and_then(|entry| serde_json::from_str::<Value>(entry).ok()?["name"].as_str().map(str::to_owned));
        let about = name.map(|name| format!(", first at '{}'", crate::text::escape(&name))).unwrap_or_default();
        Err(Failure::refused("plan-outdated", format!("{what} since {file} was made{about}; nothing was changed"))
            .hint("look at the new plan: ca apply MANIFEST --plan-out FILE"))
    }
}

/// Writes the plan. Another plan may be replaced.
fn write_plan(report: &PlanReport, out: &Path, context: &Context<'_>) -> Result<(), Failure> {
    let path = context.world.resolve(out);
    let there = files::read_if_exists(&path, files::MAX_FILE_BYTES)?;
    let is_plan =
        |content: Vec<u8>| serde_json::from_slice::<Value>(&content).is_ok_and(|document| document["schema"] == PLAN);
    let force = there.is_some_and(is_plan);
    let content = json_document(&report.document());
    let file = OutputFile { what: "the plan", content: content.as_bytes(), mode: files::PUBLIC, force };
    file.write(out, context).map(drop).map_err(without_force)
}
