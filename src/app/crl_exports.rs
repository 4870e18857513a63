//! The remembered exports that have CRLs: after a new CRL they are written again, and the hooks of their names run.
//!
//! The index has for each export a mark of the CRLs that it was last written with. It is set after the hook succeeded, so that what
//! failed or was interrupted is done again by the next command that signs a CRL, and by `ca renew --due`.

use std::collections::HashMap;

use time::OffsetDateTime;

use crate::app::collected_crls::also;
use crate::app::context::Context;
use crate::app::crl_bundle::RefreshOptions;
use crate::app::remembered_exports::{self, ExportRun, RecipeOptions, can_omit_certificate};
use crate::app::run_hook::HookRun;
use crate::authority::leaf::hook::{self, Hook, HookEvent};
use crate::authority::revocation::collected_crls;
use crate::report::failure::Failure;
use crate::store::approval::{Approval, Declined, PlannedChange};
use crate::store::certificate_files::KEY;
use crate::store::delivery::Destination;
use crate::store::index::{Entry, NewExport, RECIPE, StoredExport};
use crate::store::previous_certificates::NameHistory;
use crate::store::recipe::{self, Purposes};
use crate::store::{Store, StoreError};
use crate::text::{PathText, escape, shell_word};

/// A name with exports that do not have the present CRLs, or whose hook did not run after the last change.
pub struct OutdatedExports {
    /// The certificate that is deployed.
    pub entry: Entry,
    pub exports: Vec<StoredExport>,
    /// Why, as a phrase.
    pub why: String,
}

/// Returns the names with exports that do not have the present CRLs.
///
/// # Errors
/// When the index cannot be read.
pub fn outdated(store: &Store, now: OffsetDateTime) -> Result<Vec<OutdatedExports>, StoreError> {
    let (mut found, mut present, also) = (Vec::new(), HashMap::new(), also(store)?);
    for (entry, mut exports) in with_crls(store)? {
        let crls = present.entry(entry.authority.clone()).or_insert_with_key(|issuer| {
            let crls = collected_crls::collect(store, Some(issuer), &also, now);
            crls.map(|crls| crls.mark()).map_err(|error| error.to_string())
        });
        let why = match crls {
            Ok(mark) => {
                exports.retain(|stored| stored.crls != Some(*mark));
                "does not use the present CRLs yet".to_owned()
            }
            Err(why) => why.clone(),
        };
        if !exports.is_empty() {
            found.push(OutdatedExports { entry, exports, why });
        }
    }
    Ok(found)
}

/// Returns the exports that have CRLs, by the certificate that is deployed.
fn with_crls(store: &Store) -> Result<Vec<(Entry, Vec<StoredExport>)>, StoreError> {
    let index = store.index()?;
    let mut found = Vec::new();
    for name in index.names_with_exports()? {
        let mut exports = index.exports(&name)?;
        exports.retain(|stored| stored.export.kind.starts_with(RECIPE));
        if exports.is_empty() {
            continue;
        }
        let Some(entry) = remembered_exports::deployed(store, index, &name)? else { continue };
        let purposes = Purposes::of(&index.certificate(&entry)?);
        let is_revoked = entry.revocation.is_some();
        exports.retain(|stored| {
            (!is_revoked || can_omit_certificate(&stored.export))
                && has_crls(store, &stored.export, purposes, is_revoked)
        });
        if !exports.is_empty() {
            found.push((entry, exports));
        }
    }
    Ok(found)
}

/// Returns whether an export has CRLs; of a revoked certificate, whether it has files with CRLs that can be written without it.
/// An export whose recipe cannot be read may have some: its failure is reported when it is written.
fn has_crls(store: &Store, export: &NewExport, purposes: Purposes, is_revoked: bool) -> bool {
    let Some(name) = export.kind.strip_prefix(RECIPE) else { return false };
    let recipe = recipe::find(Some(&store.home().recipes()), name).ok().and_then(|found| found.recipe().ok());
    let recipe = recipe.map(|recipe| if is_revoked { recipe.without_certificate_files() } else { recipe });
    !RecipeOptions::parse(&export.options).without_crls && recipe.is_none_or(|recipe| recipe.uses_crls(purposes))
}

/// Adds to the changes of a dry run the exports that would be written: when CRLs would be signed, all that have CRLs.
///
/// # Errors
/// When the index cannot be read.
pub fn plan(store: &Store, crls_are_planned: bool, context: &Context<'_>) -> Result<(), Failure> {
    let planned = match crls_are_planned {
        true => with_crls(store)?,
        false => outdated(store, context.now())?.into_iter().map(|found| (found.entry, found.exports)).collect(),
    };
    for (entry, exports) in planned {
        let change = PlannedChange::new(format!("write the exports of {} with the present CRLs", escape(&entry.name)));
        match context.approve(change.fact("exports", destinations(&exports))) {
            Ok(()) | Err(Declined::DryRun) => {}
            Err(declined) => return Err(StoreError::from(declined).into()),
        }
    }
    Ok(())
}

/// Returns where exports are, as a list.
pub fn destinations(exports: &[StoredExport]) -> String {
    exports.iter().map(|stored| stored.export.destination.escaped().to_string()).collect::<Vec<_>>().join(", ")
}

/// The exports of a name, after they were written with new CRLs.
pub struct RefreshedExports {
    pub name: String,
    pub exports: Vec<ExportRun>,
    /// `None` when no hook was run.
    pub hook: Option<HookRun>,
    /// Another name, whose hook is the same command and was run once for both.
    pub hook_ran_for: Option<String>,
}

impl RefreshedExports {
    /// Whether an export or the hook failed.
    pub fn failed(&self) -> bool {
        self.exports.iter().any(ExportRun::failed) || self.hook.as_ref().is_some_and(HookRun::failed)
    }
}

/// Writes the exports again that do not have the present CRLs, then runs the hooks of their names: a command that several names
/// have is run once, unless it names a variable such as `$CA_NAME`. A failure is part of the result.
///
/// # Errors
/// When the index cannot be read or written.
pub fn refresh(
    store: &Store,
    options: RefreshOptions<'_>,
    context: &mut Context<'_>,
) -> Result<Vec<RefreshedExports>, Failure> {
    let mut written = Vec::new();
    for OutdatedExports { entry, exports, .. } in outdated(store, context.now())? {
        let is_wanted = |stored: &StoredExport| exports.iter().any(|outdated| outdated.id == stored.id);
        // Exports of an older index have no mark: their hook runs only if a file changed.
        let is_hook_pending = exports.iter().any(|stored| stored.crls.is_some());
        let runs = remembered_exports::write_again(store, &entry.name, &is_wanted, context)?;
        let needs_hook = runs.iter().any(|run| run.is_ok() && (run.is_changed || is_hook_pending));
        written.push((entry, runs, needs_hook));
    }
    let mut done: Vec<RefreshedExports> = Vec::new();
    for (entry, runs, needs_hook) in written {
        let (mut hook, mut hook_ran_for, mut has_failed) = (None, None, false);
        if needs_hook
            && !options.skip_hooks
            && let Some(command) = hook::of(store.index()?, &entry.name)?
        {
            let same = done.iter().find_map(|other| other.hook.as_ref().filter(|run| is_same(&run.hook, &command)));
            match same {
                Some(run) => (hook_ran_for, has_failed) = (Some(run.name.clone()), run.failed()),
                None => hook = run_hook(store, &entry, command, options, context)?,
            }
        }
        has_failed = has_failed || hook.as_ref().is_some_and(HookRun::failed);
        if !has_failed {
            remembered_exports::mark_crls(store, &runs, context)?;
        }
        let exports = runs.into_iter().map(|written| written.run).collect();
        done.push(RefreshedExports { name: entry.name, exports, hook, hook_ran_for });
    }
    Ok(done)
}

/// Returns whether a command that was run for one name does the same for another one.
fn is_same(ran: &Hook, hook: &Hook) -> bool {
    ran.command == hook.command && !hook.command.contains("CA_")
}

/// Runs the hook of a name. The folder that it gets is that of the certificate, also when a user removed it.
fn run_hook(
    store: &Store,
    entry: &Entry,
    hook: Hook,
    options: RefreshOptions<'_>,
    context: &Context<'_>,
) -> Result<Option<HookRun>, StoreError> {
    let Ok(name) = entry.name.parse() else { return Ok(None) };
    let folder = NameHistory::of(store.index()?, &entry.name)?.folder(store.home(), &name);
    let has_key = KEY.path_in(&folder).exists();
    let Some(paths) = Destination::Folder(folder).paths(store.home(), &name, has_key) else { return Ok(None) };
    let event = HookEvent::of_deployed("crl", entry, &paths);
    Ok(Some(HookRun::of_exports(store, &event, hook, options.secret, context)))
}

/// Returns the failure of a command after which not all exports have the present CRLs; `None` when they have.
pub fn failure(refreshed: &[RefreshedExports]) -> Option<Failure> {
    const AGAIN: &str = "to try again: ca crl --all";
    let failed = refreshed.iter().find(|exports| exports.failed())?;
    if let Some((run, cause)) = failed.exports.iter().find_map(|run| Some((run, run.result.as_ref().err()?))) {
        let (out, name) = (&run.destination, shell_word(&failed.name));
        let sentence = format!("the export {} was not written with the present CRLs: {}", out.escaped(), cause.message);
        let failure = Failure::refused("export-failed", sentence);
        let failure = cause.hints.iter().cloned().fold(failure, Failure::hint).hint(AGAIN);
        let forget = format!("ca export {name} --forget --out {}", out.in_shell());
        return Some(failure.hint(format!("if the files are no longer used: {forget}")));
    }
    let hook = failed.hook.as_ref()?;
    let sentence = format!("the hook of '{}' {}; its exports have the present CRLs", hook.name, hook.how());
    let failure = Failure::refused("hook-failed", sentence);
    let last = hook.output.iter().flat_map(|output| output.lines().rev().take(1));
    Some(last.fold(failure, |failure, line| failure.hint(format!("its last line: {line}"))).hint(AGAIN))
}
