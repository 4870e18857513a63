//! `ca restore`: the CA directory of a backup.

use std::path::PathBuf;

use clap::Args;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use crate::app::backup::restore::{self, RestoreOutcome};
use crate::app::context::Context;
use crate::cli::options::backup::UnlockArguments;
use crate::cli::options::change::DryRunArgument;
use crate::cli::reports::backup::{ContentCountsJson, RestoredAuthorityJson};
use crate::report::failure::Failure;
use crate::report::json::{self, FilePath, Time};
use crate::report::output::Report;
use crate::report::page::{Page, Tone};
use crate::text::{PathText, escape, rfc3339};

#[derive(Debug, Args)]
pub struct Arguments {
    /// The backup; - for standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Make the CA directory here; the folder does not exist yet, or is empty
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    #[command(flatten)]
    dry_run: DryRunArgument,
    #[command(flatten)]
    unlock: UnlockArguments,
}

/// A CA that was restored.
struct RestoredCa {
    shown_as: PathBuf,
    outcome: RestoreOutcome,
}

pub fn run(arguments: &Arguments, context: &mut Context<'_>) -> Result<Box<dyn Report>, Failure> {
    let Arguments { file, folder, dry_run, unlock } = arguments;
    dry_run.apply(context);
    let outcome = restore::restore(file, folder, &|lock, context| unlock.read(lock, context), context)?;
    Ok(Box::new(RestoredCa { shown_as: folder.clone(), outcome }))
}

impl RestoredCa {
    /// What the user has to do before the CA is in use again.
    fn next(&self) -> [String; 3] {
        let folder = self.shown_as.in_shell();
        [
            format!("ca --dir {folder} audit --scan FOLDER-WITH-CERTIFICATES"),
            format!("ca --dir {folder} revoke CERTIFICATE-FILE"),
            format!("ca --dir {folder} crl --compare PUBLISHED-CRL"),
        ]
    }
}

/// `ca.restore/1`.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Restore")]
pub struct RestoreJson<'a> {
    folder: FilePath<&'a PathBuf>,
    ca: &'a str,
    created_at: Time,
    complete_until: Time,
    restored_at: Time,
    #[serde(flatten)]
    counts: ContentCountsJson,
    authorities: Vec<RestoredAuthorityJson<'a>>,
    /// What ca.toml had, when it was changed.
    index_location: Option<&'a str>,
    /// What ca.toml had, when it was changed.
    template_dir: Option<&'a str>,
    /// The commands that are left to run.
    next: Vec<String>,
}

impl Report for RestoredCa {
    fn text(&self, page: &mut Page) {
        let RestoreOutcome { manifest, files, authorities, .. } = &self.outcome;
        page.pieces(&[(Tone::Good, "✓ "), (Tone::Plain, "Restored "), (Tone::Strong, &manifest.ca)]);
        page.field("folder", &page.path(&self.shown_as));
        page.field("backup of", &rfc3339(manifest.created_at));
        page.field("contents", &format!("{} certificates, {files} files", manifest.certificates));
        let keys = authorities.iter().map(|authority| format!("{}: {}", authority.name, authority.key));
        page.rows("keys", &keys.collect::<Vec<_>>());
        for (setting, place) in [("index", &manifest.index_location), ("templates", &manifest.template_dir)] {
            if let Some(place) = place {
                let was = escape(place);
                page.field(setting, &format!("in the CA directory now; ca.toml of the backed up CA had {was}"));
            }
        }
        page.gap();
        let since = rfc3339(manifest.complete_until);
        page.toned(Tone::Warning, &format!("What was issued or revoked after {since} is not in its index."));
        page.line("Find such certificates, revoke those that must not be trusted, and compare a published CRL:");
        for command in self.next() {
            page.line(&format!("  {command}"));
        }
    }

    fn json(&self) -> Value {
        let RestoreOutcome { folder, manifest, restored_at, files, authorities } = &self.outcome;
        let content = RestoreJson {
            folder: FilePath(folder),
            ca: &manifest.ca,
            created_at: Time(manifest.created_at),
            complete_until: Time(manifest.complete_until),
            restored_at: Time(*restored_at),
            counts: ContentCountsJson::new(manifest.certificates, *files),
            authorities: authorities.iter().map(RestoredAuthorityJson::new).collect(),
            index_location: manifest.index_location.as_deref(),
            template_dir: manifest.template_dir.as_deref(),
            next: self.next().to_vec(),
        };
        json::document("ca.restore/1", &content)
    }
}
