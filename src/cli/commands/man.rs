//! `ca man DIR`: writes the manual pages.

use std::path::PathBuf;

use clap::{Args, Command};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use crate::app::context::Context;
use crate::cli::man;
use crate::cli::options::change::DryRunArgument;
use crate::report::failure::Failure;
use crate::report::json;
use crate::report::output::Report;
use crate::report::page::Page;
use crate::store::approval::{Approval, PlannedChange};
use crate::system::files::{self, ExistingFile};
use crate::text::PathText;

#[derive(Debug, Args)]
pub struct Arguments {
    /// The folder to write the pages into, one per subcommand; made when it is missing
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// Replace pages that are there already
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    dry_run: DryRunArgument,
}

/// The files that were written.
struct Pages {
    files: Vec<PathBuf>,
}

/// `line` is the whole command line of the program.
pub fn run(arguments: &Arguments, line: &Command, context: &mut Context<'_>) -> Result<Box<dyn Report>, Failure> {
    arguments.dry_run.apply(context);
    let folder = context.world.resolve(&arguments.folder);
    let pages =
        man::pages(line).map_err(|error| Failure::refused("man-failed", format!("cannot make a page: {error}")))?;
    let pages: Vec<(PathBuf, Vec<u8>)> = pages.into_iter().map(|page| (folder.join(page.file), page.text)).collect();

    // All are looked for before the first is written, so that a refusal changes nothing.
    if !arguments.force
        && let Some((taken, _)) = pages.iter().find(|(path, _)| path.symlink_metadata().is_ok())
    {
        return Err(Failure::refused("exists", format!("{} is there already", taken.escaped()))
            .hint("--force replaces pages that are there"));
    }
    let names = format!("{} manual pages", pages.len());
    context.approve(PlannedChange::new(format!("write {names} to {}", folder.escaped())))?;
    files::create_folders(&folder, 0o755)?;
    let existing = if arguments.force { ExistingFile::Replace } else { ExistingFile::Keep };
    for (path, page) in &pages {
        files::publish_file(path, page, files::PUBLIC, existing, context.world.entropy.as_ref())?;
    }
    Ok(Box::new(Pages { files: pages.into_iter().map(|(path, _)| path).collect() }))
}

/// `ca.man/1`.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Man")]
pub struct ManJson {
    /// As `paths`.
    #[schemars(extend("deprecated" = true))]
    files: Vec<String>,
    /// The files that were written.
    paths: Vec<String>,
}

impl Report for Pages {
    fn text(&self, page: &mut Page) {
        for file in &self.files {
            page.line(&page.path(file));
        }
    }

    fn json(&self) -> Value {
        let paths: Vec<String> = self.files.iter().map(|file| file.escaped().to_string()).collect();
        json::document("ca.man/1", &ManJson { files: paths.clone(), paths })
    }

    fn only_confirms(&self) -> bool {
        true
    }
}
