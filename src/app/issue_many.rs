//! Issues many certificates in batches: the keys of a batch are generated in several threads and its orders are planned; then the batch
//! is signed, recorded and delivered under one lock. Each CA key is opened once. One batch is in memory, with its keys and those of
//! the next one.

use std::collections::HashSet;
use std::num::NonZeroUsize;
use std::path::PathBuf;

use crate::app::context::Context;
use crate::app::opened_keys::OpenedKeys;
use crate::authority::leaf::carry_out::{ReadyPlan, carry_out_all};
use crate::authority::leaf::error::IssueError;
use crate::authority::leaf::order::{IssueOrder, IssueOutcome};
use crate::authority::leaf::plan::{Plan, Planned, SharedInputs, plan_one_of_many};
use crate::keys::PrivateKey;
use crate::report::failure::Failure;
use crate::store::passphrase_prompt::PassphrasePrompt;
use crate::store::{Store, StoreError};
use crate::system::open_file_limit;
use crate::system::threads::{beside, in_threads};
use crate::x509::KeyAlgorithm;

/// The most orders under one lock, for which another process waits: less than a second.
const MOST_ORDERS: usize = 480;
/// The open files of this process beside those of a batch.
const OTHER_FILES: usize = 64;
/// The open files of an order: the folder under construction, and the one in which it is.
const FILES_OF_AN_ORDER: usize = 2;

/// Why an order of a batch was not carried out.
pub enum NotIssued {
    Order(IssueError),
    /// The key of the authority could not be opened.
    Key(Failure),
    /// The CA could not be locked, or the order could not be made.
    Batch(Failure),
}

impl NotIssued {
    /// Returns whether another process replaced the certificate that the order was made from.
    pub fn is_overtaken(&self) -> bool {
        matches!(self, Self::Order(IssueError::Overtaken(_)))
    }
}

impl From<NotIssued> for Failure {
    fn from(reason: NotIssued) -> Self {
        match reason {
            NotIssued::Order(error) => error.into(),
            NotIssued::Key(failure) | NotIssued::Batch(failure) => failure,
        }
    }
}

/// An order, and the algorithm of its key.
pub struct KeyedOrder {
    pub order: IssueOrder,
    /// `None` when no key is generated for it.
    pub key: Option<KeyAlgorithm>,
}

/// Returns the most orders in one batch: as many as the limit of open files allows.
pub fn batch_size() -> usize {
    let room = open_file_limit().map_or(MOST_ORDERS, |limit| limit.saturating_sub(OTHER_FILES) / FILES_OF_AN_ORDER);
    room.clamp(1, MOST_ORDERS)
}

/// Generates the keys of a batch. One that cannot be generated is generated once more when its order is planned, which reports the
/// error.
fn generate_keys(algorithms: Vec<Option<KeyAlgorithm>>, jobs: NonZeroUsize) -> Vec<Option<PrivateKey>> {
    in_threads(algorithms, jobs, |algorithm| PrivateKey::generate(algorithm?).ok())
}

/// Issues batches, and generates the keys of the next one while one is written: at most two batches of keys are in memory. `issue` gets
/// the orders of each batch with their keys.
pub fn issue_batches(
    mut orders: impl Iterator<Item = KeyedOrder>,
    jobs: NonZeroUsize,
    mut issue: impl FnMut(Vec<IssueOrder>),
) {
    let size = batch_size();
    let mut take = || orders.by_ref().take(size).map(|keyed| (keyed.order, keyed.key)).unzip();
    let (mut batch, algorithms): (Vec<IssueOrder>, Vec<Option<KeyAlgorithm>>) = take();
    let mut keys = generate_keys(algorithms, jobs);
    while !batch.is_empty() {
        let with_key = |(order, new_key)| IssueOrder { new_key, ..order };
        let with_keys = std::mem::take(&mut batch).into_iter().zip(keys).map(with_key).collect();
        let (next, algorithms): (Vec<IssueOrder>, Vec<Option<KeyAlgorithm>>) = take();
        (keys, ()) = beside(jobs, || generate_keys(algorithms, jobs), || issue(with_keys));
        batch = next;
    }
}

/// Issues one batch. The results have the order of the orders; one that fails does not stop the others. But when the key of its
/// authority cannot be opened and `stops` says so of that failure, it is the last one that is tried.
pub fn issue_batch(
    store: &Store,
    batch: Vec<IssueOrder>,
    jobs: NonZeroUsize,
    (keys, prompt): (&mut OpenedKeys, &mut PassphrasePrompt<'_>),
    stops: &dyn Fn(&Failure) -> bool,
    context: &Context<'_>,
) -> Vec<Result<IssueOutcome, NotIssued>> {
    let effects = context.effects();
    let mut shared = SharedInputs::default();
    let mut ready = Vec::with_capacity(batch.len());
    let mut decided: Vec<Option<Result<IssueOutcome, NotIssued>>> = Vec::with_capacity(batch.len());
    for order in batch {
        let plan = match plan_one_of_many(store, order, &mut shared, &effects) {
            Ok(Planned::Issue(plan)) => plan,
            Ok(Planned::Answered(outcome)) => {
                decided.push(Some(Ok(*outcome)));
                continue;
            }
            Err(error) => {
                decided.push(Some(Err(NotIssued::Order(error))));
                continue;
            }
        };
        // The slow key derivation comes before the lock.
        let issuer = match keys.open(&plan, prompt) {
            Ok(issuer) => issuer,
            Err(failure) => {
                let is_last = stops(&failure);
                decided.push(Some(Err(NotIssued::Key(failure))));
                if is_last {
                    break;
                }
                continue;
            }
        };
        decided.push(match plan.key_text(&keys.issuers[issuer], &effects) {
            Ok(key_text) => {
                ready.push(ReadyPlan { plan: *plan, key_text, issuer });
                None
            }
            Err(error) => Some(Err(NotIssued::Order(error))),
        });
    }
    let mut carried_out = carry_out_apart(store, ready, jobs, keys, context).into_iter();
    decided.into_iter().filter_map(|decided| decided.or_else(|| carried_out.next())).collect()
}

/// Carries the plans out under one lock. Those with a name or a folder of an earlier one come after it.
fn carry_out_apart<'s>(
    store: &'s Store,
    plans: Vec<ReadyPlan<'s>>,
    jobs: NonZeroUsize,
    keys: &mut OpenedKeys,
    context: &Context<'_>,
) -> Vec<Result<IssueOutcome, NotIssued>> {
    if plans.is_empty() {
        return Vec::new();
    }
    let effects = context.effects();
    let count = plans.len();
    let mut locked = match store.lock(effects.lock_timeout) {
        Ok(locked) => locked,
        Err(error) => {
            let failure = Failure::from(StoreError::from(error));
            return (0..count).map(|_| Err(NotIssued::Batch(failure.clone()))).collect();
        }
    };
    let mut results = Vec::with_capacity(count);
    let mut rest = plans.into_iter().peekable();
    while rest.peek().is_some() {
        let mut taken = HashSet::new();
        let mut apart = Vec::new();
        while let Some(next) = rest.next_if(|next| is_apart(&next.plan, &mut taken)) {
            apart.push(next);
        }
        let outcomes = carry_out_all(apart, &mut locked, &mut keys.issuers, jobs, &effects);
        results.extend(outcomes.into_iter().map(|outcome| outcome.map_err(NotIssued::Order)));
    }
    results
}

/// Returns whether neither the name nor the folder of a plan was taken, and takes them.
fn is_apart(plan: &Plan<'_>, taken: &mut HashSet<PathBuf>) -> bool {
    let keys = plan.places();
    if keys.iter().any(|key| taken.contains(key)) {
        return false;
    }
    taken.extend(keys);
    true
}
