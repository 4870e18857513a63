//! Issues many certificates in batches: the keys of a batch are generated in several threads and its orders are planned, then the
//! batch is signed, recorded and delivered under one lock. Each CA key is opened once.

use std::collections::HashMap;
use std::num::NonZeroUsize;

use crate::app::apply::request::ApplyRequest;
use crate::app::context::Context;
use crate::authority::apply::in_threads;
use crate::authority::leaf::issue::{OpenedIssuer, carry_out, open_issuer};
use crate::authority::leaf::order::{IssueOrder, IssueOutcome};
use crate::authority::leaf::plan::{Plan, Planned, plan};
use crate::keys::PrivateKey;
use crate::report::failure::Failure;
use crate::store::passphrase_prompt::{EncryptedKey, PassphraseCache};
use crate::store::progress::{Progress, Step};
use crate::store::{Locked, Store, StoreError};
use crate::x509::KeyAlgorithm;

/// The most orders under one lock: another process waits for them.
const MOST_ORDERS: usize = 64;

/// An order, and the algorithm of its key.
pub struct KeyedOrder {
    pub order: IssueOrder,
    pub key: KeyAlgorithm,
}

/// The CA keys that were opened, each once. One that cannot be opened is not tried again.
#[derive(Default)]
pub struct OpenedKeys {
    issuers: HashMap<String, Result<OpenedIssuer, Failure>>,
    passphrases: PassphraseCache,
}

/// Carries out orders; the results have their order.
pub fn issue_all(
    store: &Store,
    orders: Vec<KeyedOrder>,
    request: &ApplyRequest<'_>,
    keys: &mut OpenedKeys,
    context: &Context<'_>,
) -> Vec<Result<IssueOutcome, Failure>> {
    let count = orders.len() as u64;
    let mut results = Vec::with_capacity(orders.len());
    let mut orders = orders.into_iter();
    loop {
        context.report(Step::items("issuing certificates", results.len() as u64, Some(count)));
        let batch: Vec<KeyedOrder> = orders.by_ref().take(MOST_ORDERS).collect();
        if batch.is_empty() {
            return results;
        }
        results.extend(issue_batch(store, batch, request, keys, context));
    }
}

fn issue_batch(
    store: &Store,
    batch: Vec<KeyedOrder>,
    request: &ApplyRequest<'_>,
    keys: &mut OpenedKeys,
    context: &Context<'_>,
) -> Vec<Result<IssueOutcome, Failure>> {
    let algorithms: Vec<KeyAlgorithm> = batch.iter().map(|keyed| keyed.key).collect();
    let new_keys = in_threads(&algorithms, request.jobs, |algorithm| PrivateKey::generate(*algorithm).ok());
    let effects = context.effects();
    let planned: Vec<Result<Planned<'_>, Failure>> = batch
        .into_iter()
        .zip(new_keys)
        .map(|(keyed, new_key)| Ok(plan(store, IssueOrder { new_key, ..keyed.order }, &effects)?))
        .collect();
    // The slow key derivation comes before the lock.
    let opened: Vec<_> = planned
        .into_iter()
        .map(|planned| match planned? {
            Planned::Answered(outcome) => Ok(Planned::Answered(outcome)),
            Planned::Issue(plan) => keys.open(store, &plan, request, context).map(|_| Planned::Issue(plan)),
        })
        .collect();
    let mut locked: Option<Result<Locked<'_>, Failure>> = None;
    let carried_out = opened.into_iter().map(|planned| match planned? {
        Planned::Answered(outcome) => Ok(*outcome),
        Planned::Issue(plan) => {
            let lock = || store.lock(effects.lock_timeout).map_err(|error| Failure::from(StoreError::from(error)));
            let locked = locked.get_or_insert_with(lock).as_mut().map_err(|failure| failure.clone())?;
            let issuer = keys.open(store, &plan, request, context)?;
            let key_text = plan.key_text(issuer, &effects)?;
            Ok(carry_out(*plan, locked, issuer, key_text, &effects)?)
        }
    });
    carried_out.collect()
}

impl OpenedKeys {
    /// Returns the key of the authority that a plan names, which is opened at the first call.
    fn open(
        &mut self,
        store: &Store,
        plan: &Plan<'_>,
        request: &ApplyRequest<'_>,
        context: &Context<'_>,
    ) -> Result<&mut OpenedIssuer, Failure> {
        let passphrases = &mut self.passphrases;
        let opened = self.issuers.entry(plan.issuer_name().to_owned()).or_insert_with(|| {
            let mut prompt = |key: &EncryptedKey| {
                passphrases.get(key, &mut |key: &EncryptedKey| (request.ca_key_prompt)(store, key, context))
            };
            Ok(open_issuer(plan, &mut prompt)?)
        });
        opened.as_mut().map_err(|failure| failure.clone())
    }
}

/// The number of threads when none is given: one for each processor.
pub fn usual_jobs() -> NonZeroUsize {
    std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN)
}
