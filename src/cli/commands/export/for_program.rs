//! `ca export NAME --target PROGRAM --out DIR`: the files that a program needs, and the lines of its configuration.

use std::cell::Cell;
use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;
use time::OffsetDateTime;

use crate::app::context::Context;
use crate::app::export_files::{self, FileAccess, ProgramExport, ProgramOptions};
use crate::app::recipes::RecipeSite;
use crate::app::remembered_exports::RecipeOptions;
use crate::app::resolve::resolve;
use crate::cli::commands::export::remember::{ProgramFacts, RememberArguments, remember_program};
use crate::cli::options::passphrase::{KEY_FLAG, of_existing_key_file, question};
use crate::report::failure::Failure;
use crate::report::json::{self, FilePath, Hex, Serial, Time};
use crate::report::output::Report;
use crate::report::page::{Page, Tone};
use crate::store::export::Target;
use crate::store::passphrase_prompt::EncryptedKey;
use crate::store::recipe::{FileState, PlannedFile};
use crate::text::{how_far, rfc3339};

/// What the command line asks for.
pub struct ProgramRequest<'a> {
    pub certificate: &'a str,
    /// The name of the recipe.
    pub target: &'a str,
    pub out: Option<&'a Path>,
    pub owner: Option<&'a str>,
    pub group: Option<&'a str>,
    pub without_crls: bool,
    pub force: bool,
    pub key_passphrase_file: Option<&'a Path>,
    pub remember: &'a RememberArguments,
}

pub fn run(request: &ProgramRequest<'_>, context: &mut Context<'_>) -> Result<Box<dyn Report>, Failure> {
    let named = request.target;
    if let Ok(target) = named.parse::<Target>() {
        return Err(Failure::usage("bad-arguments", format!("--target {target} is for --as p12"))
            .hint(format!("ca export NAME --as p12 --target {target} --out NAME.p12")));
    }
    let recipe = RecipeSite::of(context)?.find(named)?.recipe()?;
    let Some(out) = request.out else {
        let sentence = format!("{} needs a folder for its files", recipe.name);
        return Err(Failure::usage("needs-out", sentence)
            .hint(format!("ca export {} --target {} --out DIR", request.certificate, recipe.name)));
    };
    let is_key_encrypted = Cell::new(false);
    let prompt = |path: &Path, context: &Context<'_>| {
        is_key_encrypted.set(true);
        let question = question(&EncryptedKey::File(path.to_owned()));
        of_existing_key_file(request.key_passphrase_file, &question, KEY_FLAG, context)
    };
    let options = ProgramOptions {
        out,
        user: request.owner,
        group: request.group,
        without_crls: request.without_crls,
        omits_certificate: false,
    };
    let export = export_files::plan(request.certificate, recipe, &options, &prompt, context)?;
    let states = export.write(request.force, context)?;
    let is_remembered = !context.changes.dry_run && {
        let is_of_name = !resolve(request.certificate, context)?.is_this_one;
        let facts = ProgramFacts {
            entry: &export.entry,
            is_of_name,
            recipe: &export.recipe.name,
            crls: export.crl_mark(),
            out,
            options: RecipeOptions {
                owner: request.owner.map(str::to_owned),
                group: request.group.map(str::to_owned),
                without_crls: request.without_crls,
            },
            key_passphrase_file: request.key_passphrase_file,
            is_key_encrypted: is_key_encrypted.get(),
        };
        remember_program(request.remember, &facts, context)
    };
    if let FileAccess::Needs { owner, command, is_required: true } = &export.access {
        let program = &export.recipe.name;
        context.warn_at_end(format!("{program} needs the files as {owner}; run as root: {command}"));
    }
    if !is_plain(&export.folder) {
        let program = &export.recipe.name;
        context
            .warn_at_end(format!("the path has a blank or another special character: quote it as {program} expects"));
    }
    Ok(Box::new(ProgramReport { export, states, is_remembered, out: out.to_owned(), now: context.now() }))
}

/// Returns whether a path needs no quotes in the configuration of a program.
fn is_plain(path: &Path) -> bool {
    path.to_str().is_some_and(|path| path.chars().all(|c| c.is_alphanumeric() || "/._-+@%=~".contains(c)))
}

struct ProgramReport {
    export: ProgramExport,
    /// How each file compared with what was there.
    states: Vec<FileState>,
    /// Whether renewals write the files again.
    is_remembered: bool,
    out: PathBuf,
    now: OffsetDateTime,
}

/// `ca.export-target/1`.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "ExportTarget")]
pub struct ExportTargetJson<'a> {
    name: &'a str,
    serial: Serial<'a>,
    fingerprint_sha256: Hex<&'a [u8]>,
    not_after: Time,
    /// The name of the recipe.
    target: &'a str,
    /// The folder.
    out: FilePath<&'a PathBuf>,
    /// `written`, or `unchanged` when no file differed.
    outcome: &'static str,
    exported_files: Vec<ExportedFileJson<'a>>,
    /// The authorities whose CRLs are in the files, in their order.
    crls: Vec<ExportedCrlJson<'a>>,
    /// The owner that the files were given to.
    owner: Option<&'a str>,
    /// The command that gives the files to the user of the program; root runs it.
    chown: Option<&'a str>,
    configuration: Vec<ConfigurationJson<'a>>,
    /// The command after which the program uses the files.
    reload_command: Option<&'a str>,
    /// Renewals and rollbacks of the name write the files again.
    remembered: bool,
}

/// A file of a program.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "ExportedFile")]
struct ExportedFileJson<'a> {
    path: FilePath<PathBuf>,
    /// What it has, in its order; nothing for a passphrase.
    contains: Vec<&'static str>,
    /// The authority that the file is about.
    authority: Option<&'a str>,
    mode: String,
    /// `written` or `unchanged`.
    outcome: &'static str,
}

/// A CRL in the files.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "ExportedCrl")]
struct ExportedCrlJson<'a> {
    authority: &'a str,
    next_update: Option<Time>,
}

/// Lines for a file of the program's configuration.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Configuration")]
struct ConfigurationJson<'a> {
    /// The file, and the place in it.
    place: &'a str,
    lines: &'a str,
}

impl ProgramReport {
    fn is_new(&self) -> bool {
        self.states.iter().any(|state| *state != FileState::Same)
    }

    fn rows(&self) -> impl Iterator<Item = (&PlannedFile, bool)> {
        self.export.planned.files.iter().zip(self.states.iter().map(|state| *state != FileState::Same))
    }
}

impl Report for ProgramReport {
    fn text(&self, page: &mut Page) {
        let ProgramExport { entry, recipe, planned, crls, access, .. } = &self.export;
        let (mark, done) = if self.is_new() { ("✓ ", "Exported ") } else { ("= ", "Unchanged ") };
        page.pieces(&[
            (Tone::Good, mark),
            (Tone::Plain, done),
            (Tone::Strong, &entry.name),
            (Tone::Dim, &format!("  for {}", recipe.name)),
        ]);
        page.field("serial", &entry.serial.to_string());
        let at = entry.validity.not_after;
        page.field("expires", &format!("{} ({})", rfc3339(at), how_far(at, self.now)));
        let first = crls.crls.iter().map(|crl| (crl.expires, &crl.ca)).min();
        if let Some((at, authority)) = first {
            let names = crls.names();
            let which = if names.len() > 1 { format!("that of {authority} expires") } else { "expires".to_owned() };
            page.field(
                "CRLs of",
                &format!("{}; {which} {} ({})", names.join(", "), rfc3339(at), how_far(at, self.now)),
            );
        }
        if let FileAccess::Given(owner) = access {
            page.field("owner", owner);
        }
        page.field(if self.is_new() { "written to" } else { "unchanged" }, &page.path(&self.out));
        let width = planned.files.iter().map(|file| file.name.chars().count()).max().unwrap_or_default();
        for (file, _) in self.rows() {
            let secret = if file.is_secret() { "; keep it secret" } else { "" };
            let contains = self.export.contains(file);
            page.line(&format!("  {:<width$}  {contains} (mode {:04o}{secret})", file.name, file.mode));
        }
        if let FileAccess::Needs { owner, command, is_required: false } = access {
            page.gap();
            page.line(&format!("If {} runs as {owner}, run as root: {command}", recipe.name));
        }
        for part in &planned.configuration {
            page.gap();
            page.line(&format!("{}:", capitalized(&part.place)));
            part.lines.lines().for_each(|line| page.line(&format!("    {line}")));
        }
        if let Some(hook) = &planned.hook {
            page.gap();
            page.line("After every change of the files:");
            page.line(&format!("    {hook}"));
        }
    }

    fn json(&self) -> Value {
        let ProgramExport { entry, recipe, folder, planned, crls, access, .. } = &self.export;
        let outcome = |is_new: bool| if is_new { "written" } else { "unchanged" };
        let file = |(file, is_new): (&'_ PlannedFile, bool)| ExportedFileJson {
            path: FilePath(folder.join(&file.name)),
            contains: file.parts.iter().map(|part| part.word()).collect(),
            authority: self.authority_of(&file.name),
            mode: format!("{:04o}", file.mode),
            outcome: outcome(is_new),
        };
        let content = ExportTargetJson {
            name: &entry.name,
            serial: Serial(&entry.serial),
            fingerprint_sha256: Hex(&entry.fingerprint),
            not_after: Time(entry.validity.not_after),
            target: &recipe.name,
            out: FilePath(&self.out),
            outcome: outcome(self.is_new()),
            exported_files: self.rows().map(file).collect(),
            crls: crls
                .crls
                .iter()
                .map(|crl| ExportedCrlJson { authority: &crl.ca, next_update: Some(Time(crl.expires)) })
                .collect(),
            owner: match access {
                FileAccess::Given(owner) => Some(owner),
                _ => None,
            },
            chown: match access {
                FileAccess::Needs { command, .. } => Some(command),
                _ => None,
            },
            configuration: planned
                .configuration
                .iter()
                .map(|part| ConfigurationJson { place: &part.place, lines: &part.lines })
                .collect(),
            reload_command: planned.hook.as_deref(),
            remembered: self.is_remembered,
        };
        json::document("ca.export-target/1", &content)
    }

    fn has_changed(&self) -> bool {
        self.is_new()
    }

    fn only_confirms(&self) -> bool {
        true
    }
}

impl ProgramReport {
    fn authority_of(&self, name: &str) -> Option<&str> {
        let file = self.export.planned.files.iter().find(|file| file.name == name)?;
        file.authority.as_deref()
    }
}

/// Returns a text with its first letter in upper case; a path stays as it is.
fn capitalized(text: &str) -> String {
    let mut characters = text.chars();
    match characters.next() {
        Some(first) if first.is_alphabetic() && !text.split(' ').next().unwrap_or_default().contains('.') => {
            first.to_uppercase().chain(characters).collect()
        }
        _ => text.to_owned(),
    }
}
