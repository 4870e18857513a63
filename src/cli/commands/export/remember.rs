//! `ca export NAME --out FILE` remembers the export with the name; `--forget` ends that.

use std::path::{Path, PathBuf};

use clap::Args;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use crate::app::context::Context;
use crate::app::export::Exported;
use crate::app::remembered_exports::{self, RecipeOptions};
use crate::app::resolve::resolve;
use crate::cli::options::passphrase::PassphraseArguments;
use crate::report::failure::Failure;
use crate::report::json::{self, FilePath};
use crate::report::output::Report;
use crate::report::page::{Page, Tone};
use crate::store::export::{ExportFormat, Target};
use crate::store::index::{Entry, NewExport, RECIPE};

/// The flags about later certificates of the name.
#[derive(Debug, Args)]
pub struct RememberArguments {
    /// Do not write the file again with later certificates of this name [default: with --out, ca renew, ca rekey and ca rollback
    /// write it again, before the hook runs]
    #[arg(long, requires = "out", conflicts_with = "forget")]
    no_remember: bool,
    /// Do not write the file of --out again from now on; it stays as it is
    #[arg(long, requires = "out", conflicts_with_all = ["format", "target", "force", "exit_changed", "key_passphrase_file"])]
    forget: bool,
}

impl RememberArguments {
    /// Returns whether an export is to be forgotten.
    pub fn forgets(&self) -> bool {
        self.forget
    }
}

/// What is known of a file that was written.
pub struct ExportFacts<'a> {
    pub exported: &'a Exported,
    pub out: &'a Path,
    pub target: Option<Target>,
    /// The flags about the passphrase of a PKCS#12 file.
    pub passphrases: &'a PassphraseArguments,
    pub key_passphrase_file: Option<&'a Path>,
    /// Whether the private key of the certificate had to be decrypted.
    pub is_key_encrypted: bool,
}

/// Remembers the export, if it is one of the deployed certificate of a name. Otherwise the file is not written again, also when an
/// earlier export to it was remembered. Returns whether it is remembered; a failure is only reported, because the file is written.
pub fn remember(arguments: &RememberArguments, facts: &ExportFacts<'_>, context: &mut Context<'_>) -> bool {
    let export = if arguments.no_remember { Ok(None) } else { rememberable(facts, context) };
    record(export, facts.out, (&facts.exported.entry, None), context)
}

/// Remembers an export of a certificate with CRLs, or ends what was remembered of its file or folder. Returns whether it is remembered.
fn record(
    export: Result<Option<NewExport>, &'static str>,
    out: &Path,
    (entry, crls): (&Entry, Option<i64>),
    context: &mut Context<'_>,
) -> bool {
    let export = export.unwrap_or_else(|why| {
        context.note(&format!("Later certificates are not written there: {why}"));
        None
    });
    let destination = context.world.resolve(out);
    let done = context.store().and_then(|store| {
        match &export {
            Some(export) => remembered_exports::remember(&store, export, entry, crls, context)?,
            None => drop(remembered_exports::end(&store, &destination, context)?),
        }
        Ok(())
    });
    match done {
        Ok(()) => export.is_some(),
        Err(failure) => {
            context.warn_at_end(format!("the export is not remembered: {}", failure.message));
            false
        }
    }
}

/// Returns what is to be remembered; `None` for what is not the deployed certificate of a name.
fn rememberable(facts: &ExportFacts<'_>, context: &Context<'_>) -> Result<Option<NewExport>, &'static str> {
    let ExportFacts { exported, out, target, passphrases, key_passphrase_file, is_key_encrypted } = facts;
    if !exported.is_of_name {
        return Ok(None);
    }
    if exported.format == ExportFormat::P12 && passphrases.is_given() && passphrases.passphrase_file.is_none() {
        return Err("the passphrase is in no file; use --passphrase-file FILE, or a generated one");
    }
    let passphrase_file = passphrases.passphrase_file.as_deref().map(|file| lasting(file, context)).transpose()?;
    let key_passphrase_file = key_file(*key_passphrase_file, *is_key_encrypted, context)?;
    Ok(Some(NewExport {
        name: exported.entry.name.clone(),
        kind: exported.format.name().to_owned(),
        target: target.map(|target| target.name().to_owned()),
        destination: context.world.resolve(out),
        passphrase_file,
        key_passphrase_file,
        options: String::new(),
    }))
}

/// What is known of the files of a program that were written.
pub struct ProgramFacts<'a> {
    pub entry: &'a Entry,
    /// Whether it is the deployed certificate of a name.
    pub is_of_name: bool,
    pub recipe: &'a str,
    /// The mark of the CRLs in the files; `None` without CRLs.
    pub crls: Option<i64>,
    pub out: &'a Path,
    pub options: RecipeOptions,
    pub key_passphrase_file: Option<&'a Path>,
    pub is_key_encrypted: bool,
}

/// As [`remember`], of the files of a program.
pub fn remember_program(arguments: &RememberArguments, facts: &ProgramFacts<'_>, context: &mut Context<'_>) -> bool {
    let key_passphrase_file = key_file(facts.key_passphrase_file, facts.is_key_encrypted, context);
    let export = match key_passphrase_file {
        _ if arguments.no_remember || !facts.is_of_name => Ok(None),
        Err(why) => Err(why),
        Ok(key_passphrase_file) => Ok(Some(NewExport {
            name: facts.entry.name.clone(),
            kind: format!("{RECIPE}{}", facts.recipe),
            target: None,
            destination: context.world.resolve(facts.out),
            passphrase_file: None,
            key_passphrase_file,
            options: facts.options.to_string(),
        })),
    };
    record(export, facts.out, (facts.entry, facts.crls), context)
}

/// Returns the file with the passphrase of the private key, when one was needed.
fn key_file(given: Option<&Path>, is_encrypted: bool, context: &Context<'_>) -> Result<Option<PathBuf>, &'static str> {
    match given {
        Some(file) if is_encrypted => lasting(file, context).map(Some),
        None if is_encrypted => Err("the private key is encrypted; use --key-passphrase-file FILE"),
        _ => Ok(None),
    }
}

/// Returns the path of a file that a later command can read.
fn lasting(file: &Path, context: &Context<'_>) -> Result<PathBuf, &'static str> {
    let path = context.world.resolve(file);
    if file.as_os_str() == "-" || path.starts_with("/dev") || path.starts_with("/proc") {
        return Err("the passphrase is in no file that a later command can read");
    }
    Ok(path)
}

/// Carries out `--forget`.
pub fn forget(certificate: &str, out: Option<&Path>, context: &mut Context<'_>) -> Result<Box<dyn Report>, Failure> {
    let Some(out) = out else { return Err(Failure::usage("bad-arguments", "--forget needs --out FILE")) };
    let name = resolve(certificate, context)?.entry.name;
    let store = context.store()?;
    let is_forgotten = remembered_exports::forget(&store, &name, &context.world.resolve(out), context)?;
    Ok(Box::new(Forgotten { name, out: out.to_owned(), is_forgotten }))
}

/// What came of it.
struct Forgotten {
    name: String,
    out: PathBuf,
    is_forgotten: bool,
}

/// `ca.export-forget/1`.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "ExportForget")]
pub struct ForgetJson<'a> {
    name: &'a str,
    /// The file, which stays as it is.
    out: FilePath<&'a PathBuf>,
    /// `unchanged`: it was not remembered.
    #[schemars(extend("enum" = ["forgotten", "unchanged"]))]
    outcome: &'static str,
}

impl Report for Forgotten {
    fn text(&self, page: &mut Page) {
        let (mark, done) = if self.is_forgotten {
            ("✓ ", "Forgotten, and not changed: ")
        } else {
            ("= ", "Unchanged, not remembered: ")
        };
        let out = page.path(&self.out);
        page.pieces(&[(Tone::Good, mark), (Tone::Plain, done), (Tone::Strong, &out)]);
    }

    fn json(&self) -> Value {
        let outcome = if self.is_forgotten { "forgotten" } else { "unchanged" };
        let content = ForgetJson { name: &self.name, out: FilePath(&self.out), outcome };
        json::document("ca.export-forget/1", &content)
    }

    fn has_changed(&self) -> bool {
        self.is_forgotten
    }

    fn only_confirms(&self) -> bool {
        true
    }
}
