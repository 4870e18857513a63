//! The exports of a declared certificate: those that are remembered are written again, and new ones are written and remembered.

use std::path::Path;

use crate::app::context::Context;
use crate::app::export::{self, Exported, StoreEncryption};
use crate::app::export_files::{self, ProgramOptions};
use crate::app::output_file::{self, OutputFile};
use crate::app::recipes::RecipeSite;
use crate::app::remembered_exports::{self, ExportRun, RecipeOptions};
use crate::app::store_passphrase::StorePassphrase;
use crate::authority::apply::plan::wanted_export;
use crate::keys::Passphrase;
use crate::report::failure::Failure;
use crate::store::export::{ExportFormat, Target};
use crate::store::index::{Entry, NewExport, RECIPE};
use crate::store::manifest::{DeclaredExport, ExportKind};
use crate::store::{Store, StoreError};
use crate::system::files::Folder;
use crate::text::{PathText, shell_word};

/// Writes the exports of a name. `has_new_files` says that another certificate was deployed.
///
/// # Errors
/// When the index cannot be read or written. An export that fails is in its run.
pub fn write(
    store: &Store,
    name: &str,
    declared: &[DeclaredExport],
    has_new_files: bool,
    context: &mut Context<'_>,
) -> Result<Vec<ExportRun>, Failure> {
    let remembered = store.index()?.exports(name).map_err(StoreError::from)?;
    let is_remembered =
        |export: &DeclaredExport| wanted_export(export, |wanted| remembered.iter().any(|stored| wanted.is(stored)));
    let mut runs = Vec::new();
    if !remembered.is_empty() && (has_new_files || declared.iter().any(is_remembered)) {
        runs.extend(remembered_exports::refresh(store, name, context)?);
    }
    for export in declared.iter().filter(|export| !is_remembered(export)) {
        let kind = wanted_export(export, |wanted| wanted.kind.to_owned());
        // A file that an earlier export of this name wrote is replaced.
        let force = remembered.iter().any(|stored| stored.export.destination == export.out);
        let result = write_new(store, name, export, force, context);
        let result = result.map_err(|failure| with_command_that_replaces(failure, name, export));
        runs.push(ExportRun { kind, destination: export.out.clone(), omits_certificate: false, result });
    }
    Ok(runs)
}

/// Names the command that replaces a file: `ca apply` has no flag for it. The command remembers the export, so that the next run
/// leaves it alone.
fn with_command_that_replaces(mut failure: Failure, name: &str, export: &DeclaredExport) -> Failure {
    let format = match &export.kind {
        ExportKind::File(format, target) => {
            let target = target.map(|target| format!(" --target {}", target.name())).unwrap_or_default();
            format!("--as {format}{target}")
        }
        ExportKind::Program(recipe) => format!("--target {}", shell_word(recipe)),
    };
    for hint in &mut failure.hints {
        if *hint == output_file::TO_REPLACE || *hint == export_files::TO_REPLACE {
            let (name, out) = (shell_word(name), export.out.in_shell());
            *hint = format!("to replace it: ca export {name} {format} --out {out} --force");
        }
    }
    failure
}

fn write_new(
    store: &Store,
    name: &str,
    export: &DeclaredExport,
    force: bool,
    context: &mut Context<'_>,
) -> Result<(), Failure> {
    let given = format!("name:{name}");
    let (entry, kind, target, crls) = match &export.kind {
        ExportKind::File(format, target) => {
            let entry = write_file(&given, (*format, *target), &export.out, force, context)?;
            (entry, format.name().to_owned(), target.map(|target| target.name().to_owned()), None)
        }
        ExportKind::Program(recipe) => {
            let found = RecipeSite::of(context)?.find(recipe)?.recipe()?;
            let options = ProgramOptions {
                out: &export.out,
                user: None,
                group: None,
                without_crls: false,
                omits_certificate: false,
            };
            let program = export_files::plan(&given, found, &options, &no_passphrase, context)?;
            program.write(force, context)?;
            let crls = program.crl_mark();
            (program.entry, format!("{RECIPE}{recipe}"), None, crls)
        }
    };
    let new = NewExport {
        name: name.to_owned(),
        kind,
        target,
        destination: export.out.clone(),
        passphrase_file: None,
        key_passphrase_file: None,
        options: RecipeOptions::default().to_string(),
    };
    Ok(remembered_exports::remember(store, &new, &entry, crls, context)?)
}

fn write_file(
    given: &str,
    (format, target): (ExportFormat, Option<Target>),
    out: &Path,
    force: bool,
    context: &mut Context<'_>,
) -> Result<Entry, Failure> {
    let chosen = match format {
        ExportFormat::P12 => Some(StorePassphrase::choose(None, Some(out), context)?),
        _ => None,
    };
    let encryption = chosen.as_ref().map(|chosen| StoreEncryption { passphrase: &chosen.passphrase, target });
    let Exported { entry, content, .. } = export::export(given, format, encryption.as_ref(), &no_passphrase, context)?;
    // What a killed run left. If that fails, the next run tries.
    if let Some(Ok(folder)) = out.parent().map(Folder::open) {
        drop(folder.remove_stale());
    }
    let what = format!("{} as {format}", entry.name);
    let file = OutputFile { what: &what, content: &content, mode: format.mode(), force };
    if let Some(chosen) = &chosen {
        file.check(out, context)?;
        chosen.write(context)?;
    }
    file.write(out, context)?;
    Ok(entry)
}

/// The private key of a declared certificate is not encrypted, unless `ca issue --encrypt-key` made it.
fn no_passphrase(path: &Path, _: &Context<'_>) -> Result<Passphrase, Failure> {
    let sentence = format!("the private key {} is encrypted, so that it is not exported", path.escaped());
    Err(Failure::usage("no-passphrase", sentence).hint("export it by hand: ca export NAME --key-passphrase-file FILE"))
}
