//! The exports that are remembered with a name. They are written again when another certificate of the name is deployed, before
//! its hook runs.
//!
//! The content is made without the lock, because it can take long to open a key. It is written under the lock, and only if the
//! same certificate is still deployed: two processes that renew at once do not undo each other's work. The index has for each
//! export the certificate that it was written for, so that what failed or was interrupted is tried again by `ca renew --due`.

use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::app::context::Context;
use crate::app::export::{self, Exported, StoreEncryption};
use crate::app::export_files::{self, ProgramExport, ProgramOptions};
use crate::app::recipes::RecipeSite;
use crate::app::store_passphrase::{self, StorePassphrase};
use crate::keys::Passphrase;
use crate::report::failure::Failure;
use crate::store::export::ExportFormat;
use crate::store::index::{Entry, Index, NewExport, RECIPE, StoredExport};
use crate::store::locate::locate;
use crate::store::previous_certificates::NameHistory;
use crate::store::recipe::FileState;
use crate::store::{Store, StoreError};
use crate::system::files::{self, ExistingFile, Folder, NewFile, Ownership};
use crate::text::{PathText, escape, shell_word};

/// Each attempt but the last one failed because another process deployed another certificate first.
const MOST_ATTEMPTS: usize = 20;

/// What came of one export.
#[derive(Debug)]
pub struct ExportRun {
    pub kind: String,
    pub destination: PathBuf,
    /// Whether only the files with roots and CRLs were written, because the certificate is revoked.
    pub omits_certificate: bool,
    pub result: Result<(), Failure>,
}

/// Remembers an export that was written for a certificate; `crls` is the mark of the CRLs in it.
///
/// # Errors
/// When the index cannot be written.
pub fn remember(
    store: &Store,
    export: &NewExport,
    entry: &Entry,
    crls: Option<i64>,
    context: &Context<'_>,
) -> Result<(), StoreError> {
    let is_it =
        |stored: &StoredExport| stored.export == *export && stored.certificate == Some(entry.id) && stored.crls == crls;
    if store.index()?.exports_to(&export.destination)?.iter().any(is_it) {
        return Ok(());
    }
    let effects = context.effects();
    let mut locked = store.lock(effects.lock_timeout)?;
    let index = locked.index()?;
    match index.exports_to(&export.destination)?.iter().find(|stored| stored.export == *export) {
        Some(stored) => index.mark_exported(stored.id, entry.id)?,
        None => {
            let mut transaction = index.transaction(effects.event_context())?;
            transaction.add_export(export, entry.id)?;
            transaction.commit()?;
        }
    }
    let stored = index.exports_to(&export.destination)?.into_iter().find(|stored| stored.export == *export);
    if let (Some(stored), Some(crls)) = (stored, crls) {
        index.mark_exported_crls(stored.id, crls)?;
    }
    Ok(())
}

/// Forgets the export of a name to a file or folder; returns false when there is none. The file stays.
///
/// # Errors
/// When the index cannot be written, or a dry run ends here.
pub fn forget(store: &Store, name: &str, destination: &Path, context: &Context<'_>) -> Result<bool, StoreError> {
    use crate::store::approval::{Approval, PlannedChange};
    let of_name = |index: &Index| -> Result<Vec<StoredExport>, StoreError> {
        let mut found = index.exports(name)?;
        found.retain(|stored| stored.export.destination == destination);
        Ok(found)
    };
    if of_name(store.index()?)?.is_empty() {
        return Ok(false);
    }
    let what = format!("forget the export of '{}' to {}", escape(name), destination.escaped());
    context.approve(PlannedChange::new(what))?;
    let effects = context.effects();
    let mut locked = store.lock(effects.lock_timeout)?;
    let index = locked.index()?;
    let found = of_name(index)?;
    let mut transaction = index.transaction(effects.event_context())?;
    found.iter().try_for_each(|stored| transaction.remove_export(stored))?;
    transaction.commit()?;
    Ok(true)
}

/// Forgets whatever is remembered of a file or folder, because it was written with another content; returns false when nothing
/// is. A CA that only reads has nothing to forget.
///
/// # Errors
/// When the index cannot be written.
pub fn end(store: &Store, destination: &Path, context: &Context<'_>) -> Result<bool, StoreError> {
    if store.index()?.exports_to(destination)?.is_empty() {
        return Ok(false);
    }
    let effects = context.effects();
    let mut locked = store.lock(effects.lock_timeout)?;
    let index = locked.index()?;
    let found = index.exports_to(destination)?;
    let mut transaction = index.transaction(effects.event_context())?;
    found.iter().try_for_each(|stored| transaction.remove_export(stored))?;
    transaction.commit()?;
    Ok(true)
}

/// Writes the exports of a name again, for the certificate that is deployed now. A failure of one does not stop the others. When
/// the certificate is revoked, only files with roots and CRLs are written.
///
/// # Errors
/// When the index cannot be read or written.
pub fn refresh(store: &Store, name: &str, context: &mut Context<'_>) -> Result<Vec<ExportRun>, Failure> {
    let written = write_again(store, name, &|_| true, context)?;
    mark_crls(store, &written, context)?;
    Ok(written.into_iter().map(|written| written.run).collect())
}

/// An export after it was written again.
pub struct Written {
    id: i64,
    pub run: ExportRun,
    /// Whether a file of it had other content before.
    pub is_changed: bool,
    /// The mark of the CRLs in it; `None` without CRLs.
    crls: Option<i64>,
}

impl Written {
    pub fn is_ok(&self) -> bool {
        self.run.result.is_ok()
    }
}

/// Records of exports that were written with which CRLs.
///
/// # Errors
/// When the index cannot be written.
pub fn mark_crls(store: &Store, written: &[Written], context: &Context<'_>) -> Result<(), StoreError> {
    let marks: Vec<(i64, i64)> = written
        .iter()
        .filter(|written| written.is_ok())
        .filter_map(|written| Some((written.id, written.crls?)))
        .collect();
    if marks.is_empty() {
        return Ok(());
    }
    let mut locked = store.lock(context.effects().lock_timeout)?;
    let index = locked.index()?;
    Ok(marks.into_iter().try_for_each(|(id, crls)| index.mark_exported_crls(id, crls))?)
}

/// Writes those exports of a name again that are wanted, as [`refresh`] does, without the mark of their CRLs.
///
/// # Errors
/// When the index cannot be read or written.
pub fn write_again(
    store: &Store,
    name: &str,
    is_wanted: &dyn Fn(&StoredExport) -> bool,
    context: &mut Context<'_>,
) -> Result<Vec<Written>, Failure> {
    let mut exports = store.index()?.exports(name)?;
    exports.retain(is_wanted);
    if exports.is_empty() {
        return Ok(Vec::new());
    }
    for attempt in 1..=MOST_ATTEMPTS {
        let Some(entry) = deployed(store, store.index()?, name)? else { return Ok(Vec::new()) };
        let omits_certificate = entry.revocation.is_some();
        let prepared: Vec<_> = exports
            .iter()
            .filter(|stored| !omits_certificate || can_omit_certificate(&stored.export))
            .map(|stored| (stored, Prepared::new(&stored.export, &entry, store, context)))
            .collect();
        let mut locked = store.lock(context.effects().lock_timeout)?;
        let index = locked.index()?;
        let is_same =
            |current: Entry| current.id == entry.id && current.revocation.is_some() == entry.revocation.is_some();
        if attempt < MOST_ATTEMPTS && !deployed(store, index, name)?.is_some_and(is_same) {
            continue;
        }
        // What was remembered may be replaced: a user at a terminal is not asked again.
        let is_confirmed = std::mem::replace(&mut context.changes.is_confirmed, true);
        let mut runs = Vec::with_capacity(prepared.len());
        for (stored, prepared) in prepared {
            let crls = prepared.as_ref().ok().and_then(Prepared::crls);
            let result = prepared.and_then(|prepared| prepared.write(&stored.export.destination, context));
            if result.is_ok() && !omits_certificate {
                index.mark_exported(stored.id, entry.id)?;
            }
            let is_changed = matches!(result, Ok(true));
            let run = ExportRun {
                kind: stored.export.kind.clone(),
                destination: stored.export.destination.clone(),
                omits_certificate,
                result: result.map(drop),
            };
            runs.push(Written { id: stored.id, run, is_changed, crls });
        }
        context.changes.is_confirmed = is_confirmed;
        return Ok(runs);
    }
    Ok(Vec::new())
}

/// A name with exports that were not written for the certificate that is deployed.
pub struct PendingExports {
    /// The certificate that is deployed.
    pub entry: Entry,
    pub exports: Vec<StoredExport>,
}

/// Returns the names with exports that have to be written again: the last time it failed or was interrupted. A certificate that
/// is revoked is left out.
///
/// # Errors
/// When the index cannot be read.
pub fn pending(store: &Store) -> Result<Vec<PendingExports>, StoreError> {
    let index = store.index()?;
    let mut found = Vec::new();
    for name in index.names_with_exports()? {
        let Some(entry) = deployed(store, index, &name)?.filter(|entry| entry.revocation.is_none()) else { continue };
        let mut exports = index.exports(&name)?;
        exports.retain(|stored| stored.certificate != Some(entry.id));
        if !exports.is_empty() {
            found.push(PendingExports { entry, exports });
        }
    }
    Ok(found)
}

/// Returns the certificate of a name that is deployed. A revoked one is not exported again; but the program that uses it checks
/// the certificates of others by the CRLs in its export.
///
/// # Errors
/// When the index cannot be read.
pub fn deployed(store: &Store, index: &Index, name: &str) -> Result<Option<Entry>, StoreError> {
    let Ok(entry_name) = name.parse() else { return Ok(None) };
    let name_history = NameHistory::of(index, name)?;
    Ok(name_history.in_place(store.home(), &entry_name).cloned())
}

/// Returns whether an export gets new CRLs while its certificate is revoked: it is that of a program, and its folder is there. A
/// folder that was removed, as that of a server that no longer runs, is not made again.
pub fn can_omit_certificate(export: &NewExport) -> bool {
    export.kind.starts_with(RECIPE) && export.destination.is_dir()
}

/// The options of an export for a program, one in each line of what is stored.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RecipeOptions {
    pub owner: Option<String>,
    pub group: Option<String>,
    pub without_crls: bool,
}

impl RecipeOptions {
    pub fn parse(stored: &str) -> Self {
        let value = |name: &str| stored.lines().find_map(|line| line.strip_prefix(name)).map(str::to_owned);
        let without_crls = stored.lines().any(|line| line == "without-crls");
        Self { owner: value("owner="), group: value("group="), without_crls }
    }
}

impl std::fmt::Display for RecipeOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let owner = self.owner.as_ref().map(|owner| format!("owner={owner}"));
        let group = self.group.as_ref().map(|group| format!("group={group}"));
        let without_crls = self.without_crls.then(|| "without-crls".to_owned());
        f.write_str(&[owner, group, without_crls].into_iter().flatten().collect::<Vec<_>>().join("\n"))
    }
}

/// An export before it is written.
enum Prepared {
    File(PreparedFile),
    Program(Box<ProgramExport>),
}

/// The content of an exported file, before it is written.
struct PreparedFile {
    content: Zeroizing<Vec<u8>>,
    mode: u32,
    passphrase: Option<StorePassphrase>,
}

impl Prepared {
    fn new(export: &NewExport, entry: &Entry, store: &Store, context: &mut Context<'_>) -> Result<Self, Failure> {
        let Some(recipe) = export.kind.strip_prefix(RECIPE) else {
            return PreparedFile::new(export, entry, store, context).map(Self::File);
        };
        let recipe = RecipeSite::of(context)?.find(recipe)?.recipe()?;
        let stored = RecipeOptions::parse(&export.options);
        let options = ProgramOptions {
            out: &export.destination,
            user: stored.owner.as_deref(),
            group: stored.group.as_deref(),
            without_crls: stored.without_crls,
            omits_certificate: entry.revocation.is_some(),
        };
        let prompt = |path: &Path, context: &Context<'_>| key_passphrase(export, path, context);
        let program = export_files::plan(&format!("name:{}", export.name), recipe, &options, &prompt, context)?;
        Ok(Self::Program(Box::new(program)))
    }

    /// Returns the mark of the CRLs; `None` without CRLs.
    fn crls(&self) -> Option<i64> {
        match self {
            Self::File(_) => None,
            Self::Program(program) => program.crl_mark(),
        }
    }

    /// Writes the files that differ; returns whether one did.
    fn write(&self, destination: &Path, context: &Context<'_>) -> Result<bool, Failure> {
        match self {
            Self::File(file) => file.write(destination, context),
            Self::Program(program) => {
                let states = program.write(true, context)?;
                Ok(states.iter().any(|state| *state != FileState::Same))
            }
        }
    }
}

impl PreparedFile {
    fn new(export: &NewExport, entry: &Entry, store: &Store, context: &mut Context<'_>) -> Result<Self, Failure> {
        let unknown = |expected| Failure::refused("export-failed", format!("the export cannot be made: {expected}"));
        let format: ExportFormat = export.kind.parse().map_err(unknown)?;
        let target = export.target.as_deref().map(str::parse).transpose().map_err(unknown)?;
        let passphrase = match format {
            ExportFormat::P12 => Some(passphrase_of(export, context)?),
            _ => None,
        };
        let encryption = passphrase.as_ref().map(|chosen| StoreEncryption { passphrase: &chosen.passphrase, target });
        let prompt = |path: &Path, context: &Context<'_>| key_passphrase(export, path, context);
        let certificate = store.index()?.certificate(entry)?;
        let paths = locate(store.home(), entry, &certificate).ok_or_else(|| export::missing(entry))?;
        let of_entry = (&certificate, &paths);
        let Exported { content, .. } =
            export::content_of(entry.clone(), of_entry, format, encryption.as_ref(), &prompt, context)?;
        Ok(Self { content, mode: format.mode(), passphrase })
    }

    /// Writes the file in one step, unless it is the same. It keeps the owner, the group and the mode that it has, unless other
    /// users could read a private key in it. Returns whether it was written.
    fn write(&self, destination: &Path, context: &Context<'_>) -> Result<bool, Failure> {
        if let Some(passphrase) = &self.passphrase {
            passphrase.write(context)?;
        }
        let (parent, name) = (destination.parent().unwrap_or(Path::new("/")), destination.file_name());
        let Some(name) = name.and_then(|name| name.to_str()) else {
            return Err(Failure::refused("export-failed", format!("{} is not a file", destination.escaped())));
        };
        let folder = Folder::open(parent)?;
        // What a killed run left. If that fails, the next run tries.
        drop(folder.remove_stale());
        let there = folder.read(name, files::MAX_FILE_BYTES)?;
        let (mut mode, mut ownership, mut is_same) = (self.mode, Ownership::default(), false);
        if let Some(there) = there {
            let content = Zeroizing::new(there.content);
            let limit = if self.mode == files::SECRET { 0o640 } else { self.mode };
            if there.mode & !0o600 & !limit & 0o777 == 0 && there.mode & 0o400 != 0 {
                mode = there.mode;
            }
            is_same = *content == *self.content && mode == there.mode;
            ownership = there.ownership;
        }
        if !is_same {
            let file = NewFile { name, content: &self.content, mode, ownership };
            folder.publish(file, ExistingFile::Replace, context.effects().entropy)?;
        }
        Ok(!is_same)
    }
}

/// Returns the passphrase of a PKCS#12 file: of the file that the user named, else of the file of a generated one.
fn passphrase_of(export: &NewExport, context: &Context<'_>) -> Result<StorePassphrase, Failure> {
    let out = &export.destination;
    if let Some(file) = &export.passphrase_file {
        return Ok(StorePassphrase::given(store_passphrase::of_file(file, context)?));
    }
    let chosen = StorePassphrase::choose(None, Some(out), context)?;
    if chosen.is_new() && out.symlink_metadata().is_ok() {
        let file = chosen.file.as_deref().unwrap_or(out);
        let sentence = format!("the passphrase of {} is missing: {}", out.escaped(), file.escaped());
        let name = shell_word(&export.name);
        return Err(Failure::refused("missing-file", sentence)
            .hint(format!("with a new passphrase: ca export {name} --as p12 --out {} --force", out.in_shell())));
    }
    Ok(chosen)
}

fn key_passphrase(export: &NewExport, key: &Path, context: &Context<'_>) -> Result<Passphrase, Failure> {
    match &export.key_passphrase_file {
        Some(file) => store_passphrase::of_file(file, context),
        None => Err(no_key_passphrase(export, key)),
    }
}

fn no_key_passphrase(export: &NewExport, key: &Path) -> Failure {
    let (name, out) = (shell_word(&export.name), export.destination.in_shell());
    let kind = match export.kind.strip_prefix(RECIPE) {
        Some(recipe) => format!("--target {recipe}"),
        None => format!("--as {}", export.kind),
    };
    Failure::usage("no-passphrase", format!("the private key {} is encrypted", key.escaped())).hint(format!(
        "remember the file of its passphrase: ca export {name} {kind} --out {out} --force --key-passphrase-file FILE"
    ))
}

impl ExportRun {
    /// Returns whether the file was not written.
    pub fn failed(&self) -> bool {
        self.result.is_err()
    }
}

/// Returns the failure of the exports of a name that were not written; `None` when all were.
pub fn failure(name: &str, runs: &[ExportRun]) -> Option<Failure> {
    let mut failed = runs.iter().filter_map(|run| Some((&run.destination, run.result.as_ref().err()?)));
    let (destination, first) = failed.next()?;
    let more = match failed.count() {
        0 => String::new(),
        1 => "; 1 more export failed".to_owned(),
        more => format!("; {more} more exports failed"),
    };
    let (out, name) = (destination.escaped(), shell_word(name));
    let sentence =
        format!("the certificate is deployed, but its export {out} was not written: {}{more}", first.message);
    let failure = first.hints.iter().cloned().fold(Failure::refused("export-failed", sentence), Failure::hint);
    Some(
        failure
            .hint("to try again: ca renew --due")
            .hint(format!("if the file is no longer used: ca export {name} --forget --out {}", destination.in_shell())),
    )
}
