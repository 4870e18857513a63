//! `ca roots`: what clients must trust.

use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::{Value, json};

use crate::app::context::Context;
use crate::cli::options::change::ConfirmForceArguments;
use crate::report::failure::Failure;
use crate::report::output::Report;
use crate::report::page::Page;
use crate::store::StoreError;
use crate::store::approval::{Approval, PlannedChange};
use crate::store::ca_certificates::Root;
use crate::system::files::{self, ExistingFile, FileError};
use crate::text::{self, PathText, rfc3339};
use crate::x509::pem;

#[derive(Debug, Args)]
pub struct Arguments {
    /// Write the bundle to a file instead of standard output
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Replace an existing file with other content
    #[arg(long, requires = "out")]
    force: bool,
    #[command(flatten)]
    confirm: ConfirmForceArguments,
    /// Exit with status 10 instead of 0 when the file was written
    #[arg(long, requires = "out", conflicts_with = "dry_run")]
    exit_changed: bool,
}

/// The bundle.
struct Bundle {
    roots: Vec<Root>,
    /// The names of the old and the new root, while both are trusted.
    rotation: Option<(String, String)>,
    written: Option<(PathBuf, bool)>,
}

pub fn run(arguments: &Arguments, context: &mut Context<'_>) -> Result<Box<dyn Report>, Failure> {
    let dry_run = arguments.confirm.apply(context);
    if dry_run && arguments.out.is_none() {
        return Err(Failure::usage("bad-arguments", "--dry-run has no effect without --out FILE: nothing is written"));
    }
    context.changes.exit_changed = arguments.exit_changed;
    let authorities = context.ca_certificates()?;
    let roots = authorities.roots()?;
    if roots.is_empty() {
        return Err(Failure::usage("no-roots", "no authority of this CA is a root")
            .hint("restore its certificate: authorities/root/cert.pem"));
    }
    let rotation = authorities.rotation()?.map(|rotation| (rotation.old, rotation.new));
    let written = match &arguments.out {
        Some(out) => Some((out.clone(), write(&bundle(&roots), out, arguments.force, context)?)),
        None => None,
    };
    Ok(Box::new(Bundle { roots, rotation, written }))
}

/// Writes the bundle unless it is there already; whether it was written.
fn write(bundle: &str, out: &Path, force: bool, context: &Context<'_>) -> Result<bool, Failure> {
    let path = context.world.resolve(out);
    let there = files::read_regular(&path, files::MAX_FILE_BYTES)?;
    if there.is_some_and(|there| there.content == bundle.as_bytes()) {
        return Ok(false);
    }
    let change = PlannedChange::new(format!("write the roots to {}", path.escaped()));
    let replaces = force && path.symlink_metadata().is_ok();
    let existing = if force { ExistingFile::Replace } else { ExistingFile::Keep };
    files::check_place(&path, existing).map_err(|error| in_the_way(error, &path, force))?;
    let change = if replaces { change.asks("what the file has now") } else { change };
    context.approve(change).map_err(StoreError::from)?;
    let published = files::publish_file(&path, bundle.as_bytes(), files::PUBLIC, existing, context.effects().entropy);
    published.map_err(|error| in_the_way(error, &path, force))?;
    Ok(true)
}

fn in_the_way(error: FileError, path: &Path, force: bool) -> Failure {
    let is_there = error.is_already_there() && path.is_file() && !force;
    let failure = Failure::from(error);
    if is_there { failure.hint("to replace it: --force") } else { failure }
}

fn bundle(roots: &[Root]) -> String {
    roots.iter().map(|root| pem::certificate(root.certificate.as_der())).collect()
}

impl Report for Bundle {
    fn text(&self, page: &mut Page) {
        let Some((path, is_new)) = &self.written else { return page.verbatim(&bundle(&self.roots)) };
        for root in &self.roots {
            let until = rfc3339(root.certificate.validity.not_after);
            page.field(&root.name, &format!("{}, expires {until}", root.certificate.subject));
            page.digest("  SHA-256", &root.certificate.fingerprint());
        }
        page.field(if *is_new { "written to" } else { "unchanged" }, &path.escaped().to_string());
    }

    fn json(&self) -> Value {
        let root = |root: &Root| {
            let certificate = &root.certificate;
            json!({
                "authority": root.name,
                "subject": certificate.subject.to_string(),
                "serial": certificate.serial.to_string(),
                "not_before": rfc3339(certificate.validity.not_before),
                "not_after": rfc3339(certificate.validity.not_after),
                "fingerprint_sha256": text::hex(&certificate.fingerprint()),
                "file": root.path,
            })
        };
        json!({
            "schema": "ca.roots/1",
            "roots": self.roots.iter().map(root).collect::<Vec<_>>(),
            "rotation": self.rotation.as_ref().map(|(old, new)| json!({ "old": old, "new": new })),
            "pem": bundle(&self.roots),
            "out": self.written.as_ref().map(|(path, _)| path),
            "status": self.written.as_ref().map(|(_, is_new)| if *is_new { "written" } else { "unchanged" }),
        })
    }

    fn has_changed(&self) -> bool {
        self.written.as_ref().is_some_and(|(_, is_new)| *is_new)
    }

    fn only_confirms(&self) -> bool {
        self.written.is_some()
    }
}
