//! `ca completions SHELL`: the script that makes a shell ask this program for completions.

use std::path::Path;

use clap::Args;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use crate::app::context::Context;
use crate::cli::completion::install::{self, Installed};
use crate::cli::completion::{self, Shell};
use crate::report::failure::Failure;
use crate::report::json::{self, FilePath};
use crate::report::output::Report;
use crate::report::page::{Page, Tone};
use crate::store::approval::{Approval, PlannedChange};
use crate::text::PathText;

#[derive(Debug, Args)]
pub struct Arguments {
    /// The shell to complete for
    #[arg(required_unless_present = "install")]
    shell: Option<Shell>,
    /// Write the file that the shell reads at its start [default shell: that of the variable SHELL]
    #[arg(long)]
    install: bool,
    /// Show which file --install would write, and change nothing
    #[arg(long, requires = "install")]
    dry_run: bool,
}

/// The script, as it is.
struct Script {
    shell: Shell,
    script: String,
}

pub fn run(arguments: &Arguments, context: &mut Context<'_>) -> Result<Box<dyn Report>, Failure> {
    context.changes.dry_run = arguments.dry_run;
    let shell = arguments.shell.or_else(|| install::usual_shell(context.world)).ok_or_else(|| {
        Failure::usage("unknown-shell", "the environment variable SHELL does not name a shell that has completions")
            .hint("name the shell: ca completions --install bash")
    })?;
    if arguments.install {
        let approve = |file: &Path| {
            let what = format!("write completions for {shell} to {}", file.escaped());
            Ok(context.approve(PlannedChange::new(what))?)
        };
        return Ok(Box::new(Installation { shell, installed: install::install(shell, context.world, approve)? }));
    }
    Ok(Box::new(Script { shell, script: completion::script(shell) }))
}

impl Report for Script {
    fn text(&self, page: &mut Page) {
        page.verbatim(&self.script);
    }

    fn json(&self) -> Value {
        json::document("ca.completions/1", &CompletionsJson { shell: self.shell.to_string(), script: &self.script })
    }
}

/// What `--install` wrote.
struct Installation {
    shell: Shell,
    installed: Installed,
}

impl Report for Installation {
    fn text(&self, page: &mut Page) {
        let Installed { file, is_new, note } = &self.installed;
        let (mark, done) = if *is_new { ("✓ ", "Wrote ") } else { ("= ", "Unchanged: ") };
        page.pieces(&[(Tone::Good, mark), (Tone::Plain, done), (Tone::Strong, &page.path(file))]);
        if let Some(note) = note {
            page.field("next", note);
        }
    }

    fn json(&self) -> Value {
        let Installed { file, is_new, note } = &self.installed;
        let status = if *is_new { "written" } else { "unchanged" };
        let content = InstallJson {
            shell: self.shell.to_string(),
            file: FilePath(file),
            status,
            outcome: status,
            note: note.as_deref(),
        };
        json::document("ca.completions-install/1", &content)
    }
}

/// `ca.completions/1`.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Completions")]
pub struct CompletionsJson<'a> {
    shell: String,
    script: &'a str,
}

/// `ca.completions-install/1`.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "CompletionsInstall")]
pub struct InstallJson<'a> {
    shell: String,
    file: FilePath<&'a std::path::PathBuf>,
    /// As `outcome`.
    #[schemars(extend("deprecated" = true))]
    status: &'static str,
    #[schemars(extend("enum" = ["written", "unchanged"]))]
    outcome: &'static str,
    note: Option<&'a str>,
}
