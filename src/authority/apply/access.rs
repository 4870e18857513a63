//! Steps that issue nothing: the files of a certificate get another owner, group or mode, and what a manifest declares is recorded.

use crate::authority::apply::plan::PlannedEntry;
use crate::authority::leaf::error::IssueError;
use crate::authority::leaf::file_access;
use crate::authority::leaf::hook::Hook;
use crate::issuance::Profile;
use crate::store::certificate_files::{self, CertificateFile};
use crate::store::certificate_folder::FolderAccess;
use crate::store::index::Declaration;
use crate::store::{Effects, Store};
use crate::system::files::{self, Folder};

/// Gives the files of a deployed certificate to the wanted owner and group, sets the mode of the private key, and remembers that.
///
/// # Errors
/// When the system refuses, or the index cannot be written.
pub fn fix_access(
    store: &Store,
    entry: &PlannedEntry,
    profile: &Profile,
    effects: &Effects<'_>,
) -> Result<(), IssueError> {
    let rules = &entry.effective_rules;
    let ownership = file_access::ownership(&Profile { files: rules.clone(), ..profile.clone() })?;
    let mode = rules.mode.unwrap_or(files::SECRET);
    let name = entry.declared.name.as_str();
    let mut locked = store.lock(effects.lock_timeout)?;
    let index = locked.index()?;
    if index.file_rules(name)?.unwrap_or_default() != entry.file_rules {
        // What is remembered comes first: a later run that finds other files gives them the same.
        let mut transaction = index.transaction(effects.event_context())?;
        transaction.set_file_rules(name, &entry.file_rules)?;
        transaction.commit()?;
    }
    let folder = Folder::open(&entry.folder)?;
    let access = FolderAccess { ownership, key_mode: Some(mode) };
    if entry.declared.out.is_none() {
        return Ok(access.give(&folder)?);
    }
    // The folder is that of the user.
    for CertificateFile { name, is_secret, .. } in certificate_files::ALL {
        folder.set_access(name, Some(mode).filter(|_| is_secret), ownership)?;
    }
    Ok(())
}

/// Records in one transaction what manifests declare of these entries and their hooks, where it is not recorded yet.
///
/// # Errors
/// When the index cannot be written; then nothing is recorded.
pub fn record_declarations<'e>(
    store: &Store,
    entries: impl Iterator<Item = (&'e PlannedEntry, Declaration)>,
    effects: &Effects<'_>,
) -> Result<(), IssueError> {
    let entries: Vec<(&PlannedEntry, Declaration)> = entries.collect();
    if entries.is_empty() {
        return Ok(());
    }
    let mut locked = store.lock(effects.lock_timeout)?;
    let mut transaction = locked.index()?.transaction(effects.event_context())?;
    for (entry, declaration) in entries {
        let name = entry.declared.name.as_str();
        if transaction.declaration(name)?.as_ref() != Some(&declaration) {
            transaction.set_declaration(name, Some(&declaration))?;
        }
        if entry.has_other_hook() {
            let hook = entry.hook_command().and_then(Hook::of_command).map(|hook| hook.stored());
            if transaction.hook(name)? != hook {
                transaction.set_hook(name, hook.as_ref())?;
            }
        }
    }
    Ok(transaction.commit()?)
}
