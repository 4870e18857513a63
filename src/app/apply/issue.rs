//! Issues the certificates of the entries that need one, batch by batch.

use crate::app::apply::request::ApplyRequest;
use crate::app::context::Context;
use crate::app::issue_many::{KeyedOrder, issue_batch, issue_batches};
use crate::app::opened_keys::OpenedKeys;
use crate::authority::leaf::order::IssueOutcome;
use crate::report::failure::Failure;
use crate::store::Store;
use crate::store::passphrase_prompt::{EncryptedKey, PassphraseCache};
use crate::store::progress::{Progress, Step};

/// Carries out `count` orders and calls `on_done` with the result of each, in their order. The orders are made when their batch begins.
pub fn issue_all(
    store: &Store,
    orders: impl Iterator<Item = KeyedOrder>,
    count: usize,
    request: &ApplyRequest<'_>,
    context: &Context<'_>,
    mut on_done: impl FnMut(Result<IssueOutcome, Failure>),
) {
    let (mut keys, mut passphrases) = (OpenedKeys::default(), PassphraseCache::default());
    let mut prompt = |key: &EncryptedKey| {
        passphrases.get(key, &mut |key: &EncryptedKey| (request.ca_key_prompt)(store, key, context))
    };
    let mut done = 0;
    issue_batches(orders, request.jobs, |batch| {
        context.report(Step::items("issuing certificates", done, Some(count as u64)));
        done += batch.len() as u64;
        let results = issue_batch(store, batch, request.jobs, (&mut keys, &mut prompt), &|_| false, context);
        results.into_iter().for_each(|result| on_done(result.map_err(Failure::from)));
    });
}
