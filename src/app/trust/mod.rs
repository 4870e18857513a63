//! The trust stores of a machine: which of them trust the roots of this CA, and how to change that.
//!
//! A store is changed by the program that owns it (`update-ca-certificates`, `certutil`, `keytool`, …). [`plan`] decides what
//! is to be done without doing anything; [`programs`] runs it.

mod anchors;
mod java;
mod keychain;
mod locate;
mod nss;
pub mod plan;
mod presence;
mod programs;
mod roots;
pub mod store;

use crate::app::context::Context;
use crate::report::failure::Failure;
use crate::store::StoreError;
use crate::store::approval::{Approval, PlannedChange};
use crate::text::shell_word;
pub use locate::StoreSelection;
use plan::{Plan, Step};
pub use presence::Presence;
use programs::Programs;
pub use roots::TrustRoot;
pub use store::{StoreName, TrustStore};

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TrustAction {
    Install,
    Uninstall,
    Check,
}

/// The stores of a command, and what is to be done.
#[derive(Debug)]
pub struct TrustRequest {
    pub action: TrustAction,
    pub stores: StoreSelection,
    /// With [`TrustAction::Uninstall`]: only the roots that are retired or have expired.
    pub only_retired: bool,
}

/// One root in one store.
#[derive(Debug)]
pub struct RootInStore {
    /// The position in [`TrustReport::roots`].
    pub root: usize,
    pub presence: Presence,
    pub outcome: RootOutcome,
}

/// What was found or done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RootOutcome {
    Trusted,
    NotTrusted,
    Installed,
    Removed,
    /// It was trusted already, or was not there.
    Unchanged,
    Failed,
}

/// The result for one store.
#[derive(Debug)]
pub struct StoreReport {
    pub store: TrustStore,
    pub roots: Vec<RootInStore>,
    /// Why the store could not be read or changed.
    pub failure: Option<Failure>,
}

/// The result of a command.
#[derive(Debug)]
pub struct TrustReport {
    pub action: TrustAction,
    pub roots: Vec<TrustRoot>,
    pub stores: Vec<StoreReport>,
}

/// Checks the stores, or changes them after a confirmation. What fails in one store does not stop the others.
///
/// # Errors
/// When the CA has no root, there is no such store, or the change is not approved.
pub fn run(request: &TrustRequest, context: &Context<'_>) -> Result<TrustReport, Failure> {
    let roots = roots::all(context)?;
    let programs = Programs::new(context, request.stores.java_passphrase.as_ref());
    let stores = locate::stores(&request.stores, &programs, context)?;
    let mut reports: Vec<StoreReport> = stores.into_iter().map(|store| read(store, &roots, &programs)).collect();
    if request.action == TrustAction::Check {
        return Ok(TrustReport { action: request.action, roots, stores: reports });
    }
    let plans: Vec<Plan> = reports.iter().map(|report| plan_of(request, report, &roots)).collect();
    if plans.iter().any(|plan| !plan.steps.is_empty()) {
        context.approve(planned(request.action, &reports, &plans, &roots)).map_err(StoreError::from)?;
    }
    for (report, plan) in reports.iter_mut().zip(&plans) {
        carry_out(request.action, report, plan, &roots, &programs, context);
    }
    Ok(TrustReport { action: request.action, roots, stores: reports })
}

/// Finds the roots in a store.
fn read(store: TrustStore, roots: &[TrustRoot], programs: &Programs<'_>) -> StoreReport {
    match store.find(roots, programs) {
        Err(failure) => StoreReport { store, roots: Vec::new(), failure: Some(failure) },
        Ok(found) => {
            let of = |(root, presence): (usize, Presence)| {
                let outcome = if presence.is_trusted { RootOutcome::Trusted } else { RootOutcome::NotTrusted };
                RootInStore { root, presence, outcome }
            };
            StoreReport { store, roots: found.into_iter().enumerate().map(of).collect(), failure: None }
        }
    }
}

fn plan_of(request: &TrustRequest, report: &StoreReport, roots: &[TrustRoot]) -> Plan {
    if report.failure.is_some() {
        return Plan::default();
    }
    let is_wanted = |found: &&RootInStore| match request.action {
        TrustAction::Install => roots[found.root].is_in_service && !found.presence.is_trusted,
        TrustAction::Uninstall => {
            !(request.only_retired && roots[found.root].is_in_service)
                && (found.presence.is_trusted || !found.presence.entries.is_empty())
        }
        TrustAction::Check => false,
    };
    let wanted: Vec<_> =
        report.roots.iter().filter(is_wanted).map(|found| (found.root, &roots[found.root], &found.presence)).collect();
    match request.action {
        TrustAction::Install => report.store.install(&wanted),
        _ => report.store.uninstall(&wanted),
    }
}

/// Describes all changes for a confirmation or a dry run.
fn planned(action: TrustAction, reports: &[StoreReport], plans: &[Plan], roots: &[TrustRoot]) -> PlannedChange {
    let touched: Vec<usize> = roots
        .iter()
        .enumerate()
        .filter(|(at, _)| plans.iter().any(|plan| plan.roots.contains(at)))
        .map(|(at, _)| at)
        .collect();
    let names = touched.iter().map(|at| roots[*at].name.as_str()).collect::<Vec<_>>().join(", ");
    let what = match action {
        TrustAction::Install => format!("install {names} as trusted"),
        _ => format!("remove {names} from what is trusted"),
    };
    let mut change = PlannedChange { asks: true, ..PlannedChange::new(what) };
    for (report, plan) in reports.iter().zip(plans) {
        for step in &plan.steps {
            change = change.fact(report.store.name.name(), step.sentence());
        }
    }
    if action == TrustAction::Install {
        for at in touched {
            change = change.note(roots[at].warning());
        }
    }
    change
}

/// Carries out a plan, and reads the store again: a program may exit with 0 and have changed nothing.
fn carry_out(
    action: TrustAction,
    report: &mut StoreReport,
    plan: &Plan,
    roots: &[TrustRoot],
    programs: &Programs<'_>,
    context: &Context<'_>,
) {
    let (wanted, done) = match action {
        TrustAction::Install => (true, RootOutcome::Installed),
        _ => (false, RootOutcome::Removed),
    };
    for found in &mut report.roots {
        found.outcome = RootOutcome::Unchanged;
    }
    if plan.steps.is_empty() {
        if !plan.roots.is_empty() {
            // It is trusted, and the store does not say which of its entries is this certificate.
            report.failure = Some(without_effect(action, &report.store));
        }
        return;
    }
    let failed = plan.steps.iter().find_map(|step| programs.carry_out(step, context).err().map(|why| (step, why)));
    let found = report.store.find(roots, programs).unwrap_or_default();
    for (root, presence) in report.roots.iter_mut().zip(found) {
        if plan.roots.contains(&root.root) {
            let is_done = presence.is_trusted == wanted && (wanted || presence.entries.is_empty());
            root.outcome = if is_done { done } else { RootOutcome::Failed };
        }
        root.presence = presence;
    }
    let has_failed = report.roots.iter().any(|root| root.outcome == RootOutcome::Failed);
    report.failure = match failed {
        Some((step, why)) => Some(by_hand(why, step, action, &report.store)),
        None if has_failed => Some(without_effect(action, &report.store)),
        None => None,
    };
}

/// Adds the command to paste when the user may not change the store.
fn by_hand(failure: Failure, step: &Step, action: TrustAction, store: &TrustStore) -> Failure {
    let verb = if action == TrustAction::Install { "install" } else { "uninstall" };
    let failure = match step {
        Step::Run(_) => failure.hint(format!("by hand: {}", step.command())),
        _ => failure,
    };
    if store.needs_root() {
        failure.hint(format!("as root: sudo ca trust {verb} --store {}", shell_word(store.name.name())))
    } else {
        failure
    }
}

fn without_effect(action: TrustAction, store: &TrustStore) -> Failure {
    let place = store.place_text();
    match action {
        TrustAction::Install => {
            Failure::refused("trust-unchanged", format!("the root is still not trusted after the change of {place}"))
        }
        _ => Failure::refused(
            "trust-unchanged",
            format!("the root is still in {place} after the change; something else has installed it too"),
        ),
    }
}

impl TrustReport {
    /// Returns whether every store trusts every root in service.
    pub fn is_trusted(&self) -> bool {
        let is_good = |found: &RootInStore| found.presence.is_trusted || !self.roots[found.root].is_in_service;
        self.stores.iter().all(|store| store.failure.is_none() && store.roots.iter().all(is_good))
    }

    /// Returns the roots that are no longer in service and still trusted, with the store.
    pub fn left_over(&self) -> impl Iterator<Item = (&StoreReport, &TrustRoot)> {
        self.stores.iter().flat_map(move |store| {
            let left = store.roots.iter().filter(|found| found.presence.is_trusted);
            left.map(|found| &self.roots[found.root]).filter(|root| !root.is_in_service).map(move |root| (store, root))
        })
    }

    /// Returns the roots that were installed into a store.
    pub fn installed(&self) -> impl Iterator<Item = &TrustRoot> {
        let is_new = |store: &StoreReport, at: usize| {
            store.roots.iter().any(|found| found.root == at && found.outcome == RootOutcome::Installed)
        };
        let at = move |(at, root)| self.stores.iter().any(|store| is_new(store, at)).then_some(root);
        self.roots.iter().enumerate().filter_map(at)
    }

    /// Returns whether a store was changed.
    pub fn has_changed(&self) -> bool {
        let changed = |found: &RootInStore| matches!(found.outcome, RootOutcome::Installed | RootOutcome::Removed);
        self.stores.iter().any(|store| store.roots.iter().any(changed))
    }

    /// Returns the failure of the stores that were not changed; `None` when none failed.
    pub fn failure(&self) -> Option<Failure> {
        let failed: Vec<_> = self.stores.iter().filter_map(|store| Some((store, store.failure.as_ref()?))).collect();
        let (first, cause) = failed.first()?;
        let failure = match failed.len() {
            1 => Failure::refused(
                "trust-failed",
                format!("the trust store {}: {}", first.store.name.name(), cause.message),
            ),
            count => {
                let names: Vec<&str> = failed.iter().map(|(store, _)| store.store.name.name()).collect();
                Failure::refused("trust-failed", format!("{count} trust stores failed: {}", names.join(", ")))
            }
        };
        let hints = failed.iter().flat_map(|(_, failure)| failure.hints.iter().cloned());
        Some(hints.fold(failure, Failure::hint))
    }
}
