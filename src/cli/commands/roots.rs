//! `ca roots`: what clients must trust.

use std::path::{Path, PathBuf};

use clap::Args;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use crate::app::context::Context;
use crate::app::output_file::OutputFile;
use crate::cli::options::change::ConfirmForceArguments;
use crate::cli::reports::authority::AuthorityJson;
use crate::report::failure::Failure;
use crate::report::json::{self, FilePath};
use crate::report::output::Report;
use crate::report::page::Page;
use crate::store::ca_certificates::Root;
use crate::system::files;
use crate::text::rfc3339;
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
    OutputFile { what: "the roots", content: bundle.as_bytes(), mode: files::PUBLIC, force }.write(out, context)
}

fn bundle(roots: &[Root]) -> String {
    roots.iter().map(|root| pem::certificate(root.certificate.as_der())).collect()
}

/// `ca.roots/1`.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Roots")]
pub struct RootsJson<'a> {
    roots: Vec<RootJson<'a>>,
    /// The old and the new root, while both are trusted.
    rotation: Option<RotationJson<'a>>,
    /// The bundle: every certificate.
    pem: String,
    /// The file of `--out`.
    out: Option<FilePath<&'a PathBuf>>,
    /// As `outcome`.
    #[schemars(extend("deprecated" = true))]
    status: Option<&'static str>,
    /// `null` without `--out`; else `written` or `unchanged`.
    outcome: Option<&'static str>,
}

/// A root.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Root")]
struct RootJson<'a> {
    #[serde(flatten)]
    certificate: AuthorityJson<'a>,
    file: FilePath<&'a PathBuf>,
}

impl<'a> RootJson<'a> {
    fn new(root: &'a Root) -> Self {
        Self { certificate: AuthorityJson::new(&root.name, &root.certificate), file: FilePath(&root.path) }
    }
}

/// Two roots that are both trusted.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Rotation")]
struct RotationJson<'a> {
    /// As `old_root`.
    #[schemars(extend("deprecated" = true))]
    old: &'a str,
    old_root: &'a str,
    /// As `new_root`.
    #[schemars(extend("deprecated" = true))]
    new: &'a str,
    new_root: &'a str,
}

impl Report for Bundle {
    fn text(&self, page: &mut Page) {
        let Some((path, is_new)) = &self.written else { return page.verbatim(&bundle(&self.roots)) };
        for root in &self.roots {
            let until = rfc3339(root.certificate.validity.not_after);
            page.field(&root.name, &format!("{}, expires {until}", root.certificate.subject));
            page.digest("  SHA-256", &root.certificate.fingerprint());
        }
        page.field(if *is_new { "written to" } else { "unchanged" }, &page.path(path));
        if *is_new {
            page.field("next", "install this bundle on every client, as the CAs that it trusts");
        }
    }

    fn json(&self) -> Value {
        let done = self.written.as_ref().map(|(_, is_new)| if *is_new { "written" } else { "unchanged" });
        let content = RootsJson {
            roots: self.roots.iter().map(RootJson::new).collect(),
            rotation: self.rotation.as_ref().map(|(old, new)| RotationJson { old, old_root: old, new, new_root: new }),
            pem: bundle(&self.roots),
            out: self.written.as_ref().map(|(path, _)| FilePath(path)),
            status: done,
            outcome: done,
        };
        json::document("ca.roots/1", &content)
    }

    fn has_changed(&self) -> bool {
        self.written.as_ref().is_some_and(|(_, is_new)| *is_new)
    }

    fn only_confirms(&self) -> bool {
        self.written.is_some()
    }
}
