//! Makes what was decided: certificates, owners and modes, exports, what is remembered, removals, and at last the hooks. An entry
//! that fails does not stop the others. A run that was interrupted is simply run again.

use std::collections::HashSet;

use time::OffsetDateTime;

use crate::app::after_issue::closed_way_sentence;
use crate::app::apply::exports;
use crate::app::apply::hooks::{ChangedName, DeployedNow, run_each_once};
use crate::app::apply::issue::issue_all;
use crate::app::apply::read::PlannedApply;
use crate::app::apply::request::ApplyRequest;
use crate::app::context::Context;
use crate::app::issue_many::KeyedOrder;
use crate::app::remembered_exports::ExportRun;
use crate::app::run_hook::HookRun;
use crate::authority::apply::plan::{ApplyPlan, ExtraName, PlannedEntry};
use crate::authority::apply::prune::{Pruned, prune};
use crate::authority::apply::{access, profile_of};
use crate::authority::leaf::order::{CertificateFacts, IssueOutcome, IssueStatus};
use crate::authority::leaf::state::{Difference, Fix};
use crate::report::failure::Failure;
use crate::store::approval::{Approval, PlannedChange};
use crate::store::index::Declaration;
use crate::store::{Store, StoreError};
use crate::x509::SerialNumber;

/// What was done.
pub struct Applied {
    pub entries: Vec<AppliedEntry>,
    pub pruned: Vec<PrunedName>,
    /// The names that are no longer declared and stay, because their removal was not asked for.
    pub left: Vec<ExtraName>,
    pub hooks: Vec<HookRun>,
}

/// What came of a declared certificate.
pub struct AppliedEntry {
    pub planned: PlannedEntry,
    pub outcome: Result<Done, Failure>,
    pub exports: Vec<ExportRun>,
}

/// What was done for a certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Done {
    Unchanged,
    Issued {
        authority: String,
        serial: SerialNumber,
        not_after: OffsetDateTime,
        previous: Option<SerialNumber>,
    },
    /// Files, exports or what is remembered changed.
    Changed,
}

/// What came of a name that is no longer declared.
pub struct PrunedName {
    pub name: String,
    pub outcome: Result<Pruned, Failure>,
}

impl Applied {
    /// Returns whether something was changed.
    pub fn has_changed(&self) -> bool {
        self.entries.iter().any(|entry| !matches!(entry.outcome, Ok(Done::Unchanged) | Err(_)))
            || self.pruned.iter().any(|pruned| pruned.outcome.is_ok())
    }
}

/// Makes what was decided.
///
/// # Errors
/// When removals are not confirmed, or the index cannot be read or written. What fails for one certificate is in its entry.
pub fn execute(
    planned: PlannedApply,
    request: &ApplyRequest<'_>,
    context: &mut Context<'_>,
) -> Result<Applied, Failure> {
    let store = context.store()?;
    let ApplyPlan { entries, extra } = planned.plan;
    let (extra, left) = if request.prune { (extra, Vec::new()) } else { (Vec::new(), extra) };
    if !extra.is_empty() {
        context.approve(removal(&extra)).map_err(StoreError::from)?;
    }
    // The manifests say what is to be done: a user at a terminal is not asked for each certificate.
    context.changes.is_confirmed = true;
    let mut applied: Vec<AppliedEntry> = issue_entries(&store, entries, request, context);
    let mut changed = Vec::new();
    for entry in &mut applied {
        let result = finish(&store, entry, context);
        if let Err(failure) = result {
            entry.outcome = Err(failure);
        }
        changed.extend(changed_name(&store, entry));
    }
    let runs_hooks = !request.skip_hooks;
    let pending: HashSet<&str> = changed.iter().map(|change| change.name.as_str()).collect();
    record(&store, &applied, &|name| runs_hooks && pending.contains(name), context)?;
    let hooks = if runs_hooks { run_each_once(&store, &changed, request, context)? } else { Vec::new() };
    if runs_hooks && !changed.is_empty() {
        record(&store, &applied, &|_| false, context)?;
    }
    let pruned = extra.into_iter().map(|extra| prune_name(&store, extra, context)).collect();
    Ok(Applied { entries: applied, pruned, left, hooks })
}

/// Issues the certificates of the entries that need one.
fn issue_entries(
    store: &Store,
    entries: Vec<PlannedEntry>,
    request: &ApplyRequest<'_>,
    context: &Context<'_>,
) -> Vec<AppliedEntry> {
    let wanted = || entries.iter().filter(|entry| entry.fix() == Some(Fix::Issue));
    let orders = wanted().map(|entry| KeyedOrder { order: entry.order(!request.skip_hooks), key: Some(entry.key) });
    let mut results = Vec::with_capacity(wanted().count());
    issue_all(store, orders, wanted().count(), request, context, |result| {
        results.push(result.map(|outcome| issued(store, outcome, context)));
    });
    let mut results = results.into_iter().peekable();
    let applied = entries.into_iter().map(|mut planned| {
        let fix = planned.fix();
        let outcome = match std::mem::replace(&mut planned.differences, Ok(Vec::new())) {
            Err(error) => Err(Failure::from(error)),
            Ok(differences) => {
                planned.differences = Ok(differences);
                results.next_if(|_| fix == Some(Fix::Issue)).unwrap_or(Ok(Done::Unchanged))
            }
        };
        AppliedEntry { planned, outcome, exports: Vec::new() }
    });
    applied.collect()
}

fn issued(store: &Store, outcome: IssueOutcome, context: &Context<'_>) -> Done {
    for warning in &outcome.warnings {
        context.warn_at_end(format!("{}: {} ({})", outcome.name, warning.message, warning.citation));
    }
    if let Some(closed) = &outcome.closed_way {
        context.warn_at_end(closed_way_sentence(outcome.name.as_str(), closed, store));
    }
    match (outcome.status, outcome.facts) {
        (IssueStatus::Issued, CertificateFacts::Certificate(certificate)) => Done::Issued {
            authority: outcome.authority,
            serial: certificate.serial.clone(),
            not_after: certificate.validity.not_after,
            previous: outcome.replaced,
        },
        // Another process was quicker.
        _ => Done::Unchanged,
    }
}

/// Makes what is left to do for an entry after its certificate: owner and mode, and exports.
fn finish(store: &Store, entry: &mut AppliedEntry, context: &mut Context<'_>) -> Result<(), Failure> {
    let Ok(done) = &entry.outcome else { return Ok(()) };
    let is_issued = matches!(done, Done::Issued { .. });
    let planned = &entry.planned;
    let differences = planned.differences.as_deref().unwrap_or_default();
    let has = |fix: Fix| differences.iter().any(|difference| difference.fix() == fix);
    if differences.is_empty() {
        return Ok(());
    }
    if !is_issued && planned.fix() != Some(Fix::Issue) && has(Fix::Access) {
        access::fix_access(store, planned, &profile_of(store, &planned.declared.template)?, &context.effects())?;
    }
    if is_issued || has(Fix::Export) {
        let declared = &planned.declared;
        entry.exports = exports::write(store, declared.name.as_str(), &declared.exports, is_issued, context)?;
    }
    if !is_issued && planned.fix() != Some(Fix::Issue) {
        entry.outcome = Ok(Done::Changed);
    }
    Ok(())
}

/// Returns the change of an entry whose files changed, or whose hook did not run the last time.
fn changed_name(store: &Store, entry: &AppliedEntry) -> Option<ChangedName> {
    let planned = &entry.planned;
    let differences = planned.differences.as_deref().unwrap_or_default();
    let has_files = differences.iter().any(|difference| {
        *difference == Difference::HookPending || matches!(difference.fix(), Fix::Access | Fix::Export)
    });
    match &entry.outcome {
        Ok(Done::Issued { authority, serial, not_after, previous }) => {
            let now = DeployedNow { authority, serial, previous: previous.as_ref(), not_after: *not_after };
            ChangedName::new(store, planned, &now)
        }
        Ok(Done::Changed) if has_files => {
            let deployed = planned.deployed.as_ref()?;
            let now = DeployedNow {
                authority: &deployed.authority,
                serial: &deployed.serial,
                previous: None,
                not_after: deployed.validity.not_after,
            };
            ChangedName::new(store, planned, &now)
        }
        _ => None,
    }
}

/// Records what the manifests declare of the entries that were done.
fn record(
    store: &Store,
    applied: &[AppliedEntry],
    is_pending: &dyn Fn(&str) -> bool,
    context: &Context<'_>,
) -> Result<(), Failure> {
    // What another process did, that process records.
    let is_done = |entry: &&AppliedEntry| matches!(entry.outcome, Ok(Done::Issued { .. } | Done::Changed));
    let declarations = applied.iter().filter(is_done).map(|entry| {
        let pending_hook = is_pending(entry.planned.declared.name.as_str());
        (&entry.planned, Declaration { pending_hook, ..entry.planned.declaration.clone() })
    });
    Ok(access::record_declarations(store, declarations, &context.effects())?)
}

fn prune_name(store: &Store, extra: ExtraName, context: &Context<'_>) -> PrunedName {
    let outcome = prune(store, &extra.name, &context.effects()).map_err(Failure::from);
    PrunedName { name: extra.name, outcome }
}

/// The most names that a question lists.
const MOST_NAMED: usize = 10;

/// The removals that a user at a terminal confirms.
fn removal(extra: &[ExtraName]) -> PlannedChange {
    let (count, certificates) = (extra.len(), extra.iter().map(|extra| extra.live.len()).sum::<usize>());
    let names: Vec<&str> = extra.iter().take(MOST_NAMED).map(|extra| extra.name.as_str()).collect();
    let more = if count > MOST_NAMED { format!(" and {} more", count - MOST_NAMED) } else { String::new() };
    let what = if count == 1 { "1 name that is".to_owned() } else { format!("{count} names that are") };
    PlannedChange::new(format!("remove {what} no longer declared"))
        .fact("names", format!("{}{more}", names.join(", ")))
        .fact("revokes", format!("{certificates} certificates"))
        .asks("their private keys and files are removed, and a revocation is final")
}
