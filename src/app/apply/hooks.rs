//! The hooks of the names whose files changed, after all files are in place: each command once.

use time::OffsetDateTime;

use crate::app::apply::request::ApplyRequest;
use crate::app::context::Context;
use crate::app::run_hook::{HookOptions, HookRun};
use crate::authority::apply::plan::PlannedEntry;
use crate::authority::leaf::hook::{Hook, HookEvent, OnFailure};
use crate::report::failure::Failure;
use crate::store::Store;
use crate::store::delivery::{Destination, Paths};
use crate::x509::SerialNumber;

/// The files of a name changed.
pub struct ChangedName {
    pub name: String,
    template: String,
    authority: String,
    serial: SerialNumber,
    previous: Option<SerialNumber>,
    not_after: OffsetDateTime,
    paths: Paths,
    hook: Hook,
}

/// What is deployed now.
pub struct DeployedNow<'a> {
    pub authority: &'a str,
    pub serial: &'a SerialNumber,
    pub previous: Option<&'a SerialNumber>,
    pub not_after: OffsetDateTime,
}

impl ChangedName {
    /// Returns the change of an entry; `None` when it has no hook.
    pub fn new(store: &Store, entry: &PlannedEntry, now: &DeployedNow<'_>) -> Option<Self> {
        let command = entry.hook_command()?;
        let remembered = entry.hook.clone().and_then(Hook::restored).filter(|hook| hook.command == command);
        let hook = remembered.or_else(|| Hook::of_command(command))?;
        let declared = &entry.declared;
        let paths = Destination::Folder(entry.folder.clone()).paths(store.home(), &declared.name, true)?;
        Some(Self {
            name: declared.name.to_string(),
            template: declared.template.clone(),
            authority: now.authority.to_owned(),
            serial: now.serial.clone(),
            previous: now.previous.cloned(),
            not_after: now.not_after,
            paths,
            hook,
        })
    }

    fn event(&self) -> HookEvent<'_> {
        HookEvent {
            action: "apply",
            name: &self.name,
            template: &self.template,
            authority: &self.authority,
            serial: &self.serial,
            previous: self.previous.as_ref(),
            not_after: self.not_after,
            paths: &self.paths,
        }
    }
}

/// Runs each command once, in the order of the names. A hook that rolls the files of its name back runs for each name.
///
/// # Errors
/// When the index cannot be read or written. A hook that fails is in its run.
pub fn run_each_once(
    store: &Store,
    changed: &[ChangedName],
    request: &ApplyRequest<'_>,
    context: &mut Context<'_>,
) -> Result<Vec<HookRun>, Failure> {
    let mut runs = Vec::new();
    let mut commands: Vec<(&Hook, Vec<&ChangedName>)> = Vec::new();
    for change in changed {
        if change.hook.on_failure == OnFailure::Rollback {
            let options = HookOptions { hook: None, skip: false };
            let secrets: Vec<&str> = request.secret.into_iter().collect();
            runs.extend(options.run(store, &change.event(), Some(change.hook.clone()), &secrets, context)?);
            continue;
        }
        match commands.iter_mut().find(|(hook, _)| **hook == change.hook) {
            Some((_, names)) => names.push(change),
            None => commands.push((&change.hook, vec![change])),
        }
    }
    for (hook, names) in commands {
        let events: Vec<HookEvent<'_>> = names.into_iter().map(ChangedName::event).collect();
        runs.push(HookRun::of_names(store, &events, hook.clone(), request.secret, context));
    }
    Ok(runs)
}
