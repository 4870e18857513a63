//! Renews everything that is due, or every deployed certificate: certificates together, and the rest one after the other. A failure is
//! part of the result and does not stop the rest, except that of the passphrase of a CA key, which the other entries would meet as well.

use std::cell::Cell;
use std::collections::{BTreeMap, VecDeque};
use std::num::NonZeroUsize;

use time::OffsetDateTime;

use super::after_issue::{After, AfterChange};
use super::context::Context;
use super::crl_bundle::{self, AuthorityCrl, RefreshOptions};
use super::crl_exports;
use super::crl_files::{self, RefreshedFiles};
use super::issue_many::{NotIssued, batch_size, issue_batch};
use super::key_input::{CaKeyPrompt, WRONG_PASSPHRASE};
use super::opened_keys::OpenedKeys;
use super::remembered_exports::{self, ExportRun};
use super::run_hook::{HookOptions, HookRun};
use crate::authority::hierarchy::renewal::{self, NextAuthorityOrder};
use crate::authority::leaf::due::{self, AuthorityFix, DueEntry, DueItem};
use crate::authority::leaf::order::{CertificateFacts, DueRule, IssueOutcome, IssueStatus};
use crate::authority::leaf::renew::{self, NextKey, RenewOrder};
use crate::authority::revocation::bundle;
use crate::authority::revocation::publish_crl::{self, CrlOrder};
use crate::issuance::FileRulesChange;
use crate::keys::Passphrase;
use crate::report::failure::Failure;
use crate::store::Store;
use crate::store::approval::{Approval, Declined, PlannedChange};
use crate::store::index::{Entry, Reference};
use crate::store::passphrase_prompt::{EncryptedKey, PassphraseCache, PassphraseUnavailable};
use crate::store::progress::{Progress, Step};

/// What is renewed.
pub enum Selection {
    /// Certificates and CRLs that are due.
    Due(DueRule),
    /// Of the certificates with these names, those that are due.
    DueOf(DueRule, Vec<String>),
    /// Every deployed certificate.
    All,
}

impl Selection {
    const fn rule(&self) -> Option<DueRule> {
        match self {
            Self::Due(rule) | Self::DueOf(rule, _) => Some(*rule),
            Self::All => None,
        }
    }

    /// Returns whether exports of this name are written again.
    fn includes(&self, name: &str) -> bool {
        match self {
            Self::DueOf(_, names) => names.iter().any(|of| of.eq_ignore_ascii_case(name)),
            Self::Due(_) | Self::All => true,
        }
    }

    fn entries(&self, store: &Store, context: &Context<'_>) -> Result<Vec<DueEntry>, Failure> {
        Ok(match self {
            Self::Due(rule) => due::due(store, *rule, &context.effects())?,
            Self::DueOf(rule, names) => {
                let is_wanted = |due: &DueEntry| names.iter().any(|name| name.eq_ignore_ascii_case(&due.name));
                let now = context.now();
                let mut found = due::authorities(store, &|certificate| rule.is_due(certificate.validity, now))?;
                found.extend(due::certificates_due(store, *rule, now)?);
                found.retain(is_wanted);
                found
            }
            Self::All => due::deployed(store, context.now())?,
        })
    }
}

/// What is renewed, and how.
pub struct RenewDueRequest<'a> {
    pub what: &'a Selection,
    /// Shortens certificates that would outlive their issuer.
    pub clip: bool,
    /// The number of threads that generate keys, sign and write files, where several certificates are renewed together.
    pub jobs: NonZeroUsize,
    pub hook: HookOptions,
    /// The environment variable with a passphrase, which hooks do not get.
    pub secret: Option<&'a str>,
    pub ca_key_prompt: &'a CaKeyPrompt<'a>,
    /// Gives the passphrase of the key that a certificate keeps.
    pub key_prompt: &'a CaKeyPrompt<'a>,
    /// Called with the result of each entry, when it is there.
    pub on_done: &'a dyn Fn(&RenewedEntry, &mut Context<'_>),
}

/// What was done about one entry that is due.
pub struct RenewedEntry {
    pub due: DueEntry,
    pub outcome: Result<Done, Failure>,
    /// The exports of the name that were written again.
    pub exports: Vec<ExportRun>,
    /// `None` when no hook was run.
    pub hook: Option<HookRun>,
}

/// What was done about everything that is due.
pub struct RenewedEntries {
    pub entries: Vec<RenewedEntry>,
    /// The number of entries that come after the failure of a passphrase.
    pub not_tried: usize,
    /// The CRL bundles that are remembered, and the exports that did not have the present CRLs.
    pub files: RefreshedFiles,
    /// Why the CRLs of the bundles could not be completed.
    pub crl_failure: Option<Failure>,
}

/// What was done about one entry.
pub enum Done {
    Renewed {
        serial: String,
        until: OffsetDateTime,
    },
    Signed {
        number: u64,
        until: OffsetDateTime,
    },
    /// A dry run: it would be renewed or signed, until then.
    Planned(Option<OffsetDateTime>),
    /// Exports of a certificate that is not due were written again: the last time they failed or were interrupted.
    Exported,
    /// A dry run: they would be written again.
    ExportsPlanned,
    /// Another process did it first.
    Unchanged,
    /// A root, an authority whose issuer or its key is not here, or a certificate whose key is not here: a person renews it.
    Left,
}

impl RenewedEntry {
    /// Whether the entry, one of its exports or its hook failed.
    pub fn failed(&self) -> bool {
        self.outcome.is_err()
            || self.exports.iter().any(ExportRun::failed)
            || self.hook.as_ref().is_some_and(HookRun::failed)
    }
}

/// Renews what is selected.
///
/// # Errors
/// When it cannot be found out what that is, or a user at a terminal does not confirm it.
pub fn renew_due(
    store: &Store,
    request: &RenewDueRequest<'_>,
    context: &mut Context<'_>,
) -> Result<RenewedEntries, Failure> {
    let mut passphrases = CaPassphrases::default();
    let mut entries = Vec::new();
    let mut due = request.what.entries(store, context)?;
    // An authority comes before what it issues, which gets its new certificate and the whole lifetime then.
    due.sort_by_key(|due| match &due.what {
        DueItem::Authority { depth, .. } => *depth,
        DueItem::Certificate { .. } | DueItem::List { .. } => usize::MAX,
    });
    let count = due.len();
    if matches!(request.what, Selection::All) && count > 0 && !context.changes.dry_run {
        context.approve(all_at_once(&due))?;
    }
    let (mut due, mut renewed, mut keys) = (VecDeque::from(due), VecDeque::new(), OpenedKeys::default());
    while let Some(due) = next(&mut due, &mut renewed, request.hook.skip, |several| {
        let what = format!("renewing {} certificates", several.len());
        context.report(Step::items(&what, entries.len() as u64, Some(count as u64)));
        renew_several(store, several, request, (&mut keys, &mut passphrases), context)
    }) {
        let what = format!("renewing {}", due.name);
        context.report(Step::items(&what, entries.len() as u64, Some(count as u64)));
        passphrases.was_asked = false;
        let mut stopped = false;
        let (outcome, after) = match &due.what {
            DueItem::Certificate { entry, has_key: true, .. } => {
                let outcome = match renewed.pop_front() {
                    Some(Renewed { outcome, stops }) => {
                        stopped = stops;
                        outcome
                    }
                    None => renew_one(store, entry, request, &mut passphrases, context),
                };
                match outcome.and_then(|outcome| finish(store, &outcome, request, context)) {
                    Ok((done, after)) => (Ok(done), after),
                    Err(failure) => (Err(failure), AfterChange::default()),
                }
            }
            DueItem::List { .. } => {
                (sign_crl(store, &due.name, request, &mut passphrases, context), AfterChange::default())
            }
            DueItem::Authority { .. } => {
                (renew_authority(store, &due.name, request, &mut passphrases, context), AfterChange::default())
            }
            DueItem::Certificate { .. } => (Ok(Done::Left), AfterChange::default()),
        };
        let stops = stopped || outcome.as_ref().is_err_and(|failure| passphrases.is_cause_of(failure));
        let AfterChange { exports, hook } = after;
        let done = RenewedEntry { due, outcome, exports, hook };
        context.erase_progress();
        (request.on_done)(&done, context);
        entries.push(done);
        if stops {
            break;
        }
    }
    let not_tried = count - entries.len();
    write_pending_exports(store, request, &mut entries, context)?;
    let (files, crl_failure) = refresh_files(store, request, &mut passphrases, context)?;
    Ok(RenewedEntries { entries, not_tried, files, crl_failure })
}

/// Refreshes the CRL bundles and the exports with CRLs. An authority that has no CRL yet gets one, because a bundle without it is
/// incomplete.
fn refresh_files(
    store: &Store,
    request: &RenewDueRequest<'_>,
    passphrases: &mut CaPassphrases,
    context: &mut Context<'_>,
) -> Result<(RefreshedFiles, Option<Failure>), Failure> {
    if !matches!(request.what, Selection::Due(_)) {
        return Ok((RefreshedFiles::default(), None));
    }
    let options = RefreshOptions { skip_hooks: request.hook.skip, secret: request.secret };
    let bundles = bundle::remembered(store)?;
    if bundles.is_empty() {
        let exports = match context.changes.dry_run {
            true => Vec::new(),
            false => crl_exports::refresh(store, options, context)?,
        };
        return Ok((RefreshedFiles { bundles: Vec::new(), exports }, None));
    }
    let signed = {
        let context = &*context;
        let mut ask = |key: &EncryptedKey| passphrases.get(key, store, request, context);
        let also: Vec<_> = bundles.into_iter().flat_map(|bundle| bundle.also).collect();
        crl_bundle::sign_all(store, None, &also, &mut ask, &context.effects())
    };
    let crls = match signed {
        Ok(crls) => crls,
        Err(failure) => return Ok((RefreshedFiles::default(), Some(failure))),
    };
    crls.iter().filter_map(AuthorityCrl::warning).for_each(|warning| context.warn_at_end(warning));
    if context.changes.dry_run {
        return Ok((RefreshedFiles::default(), None));
    }
    Ok((crl_files::refresh(store, options, context)?, None))
}

/// Writes the exports again that failed or were interrupted the last time, and runs the hooks of their names.
fn write_pending_exports(
    store: &Store,
    request: &RenewDueRequest<'_>,
    entries: &mut Vec<RenewedEntry>,
    context: &mut Context<'_>,
) -> Result<(), Failure> {
    for name in remembered_exports::pending(store)?.into_iter().map(|pending| pending.entry.name) {
        let is_done = entries.iter().any(|done| done.due.name.eq_ignore_ascii_case(&name));
        if is_done || !request.what.includes(&name) {
            continue;
        }
        let Some(due) = due::certificate(store, &name, &|_| true)? else { continue };
        let (outcome, after) = if context.changes.dry_run {
            (Done::ExportsPlanned, AfterChange::default())
        } else {
            let after = After { action: "renew", hook: request.hook.clone(), secret: request.secret };
            (Done::Exported, after.write_exports(store, &due, context)?)
        };
        let AfterChange { exports, hook } = after;
        let done = RenewedEntry { due, outcome: Ok(outcome), exports, hook };
        (request.on_done)(&done, context);
        entries.push(done);
    }
    Ok(())
}

/// The most names that a question lists.
const MOST_NAMED: usize = 10;

/// The change that a user at a terminal confirms.
fn all_at_once(deployed: &[DueEntry]) -> PlannedChange {
    let can_be = |due: &&DueEntry| matches!(due.what, DueItem::Certificate { has_key: true, .. });
    let names: Vec<&str> = deployed.iter().filter(can_be).map(|due| due.name.as_str()).collect();
    let (shown, count) = (names[..names.len().min(MOST_NAMED)].join(", "), names.len());
    let more = if count > MOST_NAMED { format!(" and {} more", count - MOST_NAMED) } else { String::new() };
    let certificates = if count == 1 { "1 certificate".to_owned() } else { format!("all {count} certificates") };
    PlannedChange { asks: true, ..PlannedChange::new(format!("renew {certificates}")) }
        .fact("names", format!("{shown}{more}"))
}

/// The passphrases of the CA keys, each of which is asked for once.
#[derive(Default)]
struct CaPassphrases {
    cache: PassphraseCache,
    /// True when the entry that is renewed came as far as the key of its authority.
    was_asked: bool,
}

impl CaPassphrases {
    fn get(
        &mut self,
        key: &EncryptedKey,
        store: &Store,
        request: &RenewDueRequest<'_>,
        context: &Context<'_>,
    ) -> Result<Passphrase, PassphraseUnavailable> {
        self.was_asked = true;
        self.cache.get(key, &mut |key: &EncryptedKey| (request.ca_key_prompt)(store, key, context))
    }

    /// Whether there is no passphrase of a CA key, or a wrong one. The key of a leaf is opened before that of its authority.
    fn is_cause_of(&self, failure: &Failure) -> bool {
        self.was_asked && is_about_passphrase(failure)
    }
}

fn is_about_passphrase(failure: &Failure) -> bool {
    const CODES: [&str; 5] =
        [WRONG_PASSPHRASE, "no-passphrase", "bad-passphrase", "passphrase-command", "unreadable-input"];
    CODES.contains(&failure.code)
}

/// The result of a certificate that was renewed together with others.
struct Renewed {
    outcome: Result<IssueOutcome, Failure>,
    /// True when the passphrase of a CA key failed: no other certificate is tried.
    stops: bool,
}

/// Takes the next entry. When it and those after it are certificates without a hook, they are renewed together first. A hook runs
/// right after its certificate, so that a killed run leaves at most one that did not run.
fn next(
    due: &mut VecDeque<DueEntry>,
    renewed: &mut VecDeque<Renewed>,
    skips_hooks: bool,
    renew: impl FnOnce(&[&Entry]) -> Vec<Renewed>,
) -> Option<DueEntry> {
    if renewed.is_empty() {
        let certificates = due.iter().map_while(|due| match &due.what {
            DueItem::Certificate { entry, has_key: true, hook, .. } if skips_hooks || hook.is_none() => Some(&**entry),
            _ => None,
        });
        let several: Vec<&Entry> = certificates.take(batch_size()).collect();
        if several.len() > 1 {
            renewed.extend(renew(&several));
        }
    }
    due.pop_front()
}

fn renewal_of(entry: &Entry, request: &RenewDueRequest<'_>, context: &Context<'_>) -> RenewOrder {
    RenewOrder {
        reference: Reference::Serial(entry.serial.clone()),
        key: NextKey::Same,
        expiry: None,
        clip: request.clip,
        set: BTreeMap::new(),
        files: FileRulesChange::default(),
        encrypted: false,
        only_if: request.what.rule(),
        dry_run: context.changes.dry_run,
    }
}

/// Renews several certificates together. The results have their order; there are fewer of them when the passphrase of a CA key
/// failed.
fn renew_several(
    store: &Store,
    several: &[&Entry],
    request: &RenewDueRequest<'_>,
    (keys, passphrases): (&mut OpenedKeys, &mut CaPassphrases),
    context: &Context<'_>,
) -> Vec<Renewed> {
    let goes_on = |outcome| Renewed { outcome, stops: false };
    if context.changes.dry_run {
        return several.iter().map(|entry| goes_on(renew_one(store, entry, request, passphrases, context))).collect();
    }
    let renewals: Vec<RenewOrder> = several.iter().map(|entry| renewal_of(entry, request, context)).collect();
    let mut key_prompt = |key: &EncryptedKey| (request.key_prompt)(store, key, context);
    let orders = match renew::orders(store, &renewals, request.jobs, &mut key_prompt, &context.effects()) {
        Ok(orders) => orders,
        Err(error) => {
            let failure = Failure::from(error);
            return several.iter().map(|_| goes_on(Err(failure.clone()))).collect();
        }
    };
    let (mut batch, mut not_ordered) = (Vec::with_capacity(orders.len()), Vec::with_capacity(orders.len()));
    for order in orders {
        match order {
            Ok(order) => {
                batch.push(order);
                not_ordered.push(None);
            }
            Err(error) => not_ordered.push(Some(Failure::from(error))),
        }
    }
    let was_asked = Cell::new(false);
    let is_of_passphrase = |failure: &Failure| was_asked.get() && is_about_passphrase(failure);
    let results = {
        let mut ask = |key: &EncryptedKey| {
            was_asked.set(true);
            passphrases.get(key, store, request, context)
        };
        issue_batch(store, batch, request.jobs, (keys, &mut ask), &is_of_passphrase, context)
    };
    let mut results = results.into_iter();
    let mut renewed = Vec::with_capacity(several.len());
    for (entry, failure) in several.iter().zip(not_ordered) {
        let result = match failure {
            Some(failure) => Err(NotIssued::Batch(failure)),
            None => match results.next() {
                Some(Err(NotIssued::Key(failure))) if is_of_passphrase(&failure) => {
                    renewed.push(Renewed { outcome: Err(failure), stops: true });
                    break;
                }
                Some(result) => result,
                None => break,
            },
        };
        renewed.push(goes_on(match result {
            Err(reason) if reason.is_overtaken() => renew_one(store, entry, request, passphrases, context),
            result => result.map_err(Failure::from),
        }));
    }
    renewed
}

fn renew_one(
    store: &Store,
    entry: &Entry,
    request: &RenewDueRequest<'_>,
    passphrases: &mut CaPassphrases,
    context: &Context<'_>,
) -> Result<IssueOutcome, Failure> {
    let renewal = renewal_of(entry, request, context);
    let mut ask = |key: &EncryptedKey| passphrases.get(key, store, request, context);
    let mut key_prompt = |key: &EncryptedKey| (request.key_prompt)(store, key, context);
    Ok(renew::renew(store, &renewal, &mut ask, &mut key_prompt, &context.effects())?)
}

/// Writes the exports of a renewed certificate again, and runs its hook.
fn finish(
    store: &Store,
    outcome: &IssueOutcome,
    request: &RenewDueRequest<'_>,
    context: &mut Context<'_>,
) -> Result<(Done, AfterChange), Failure> {
    for warning in &outcome.warnings {
        context.warn(&format!("{}: {} ({})", outcome.name, warning.message, warning.citation));
    }
    let after = After { action: "renew", hook: request.hook.clone(), secret: request.secret };
    context.erase_progress();
    let after = after.run(store, outcome, context)?;
    Ok(match (&outcome.status, &outcome.facts) {
        (IssueStatus::Issued, CertificateFacts::Certificate(certificate)) => {
            let (serial, until) = (certificate.serial.to_string(), certificate.validity.not_after);
            (Done::Renewed { serial, until }, after)
        }
        (IssueStatus::Planned, CertificateFacts::Draft(draft)) => {
            (Done::Planned(Some(draft.validity.not_after)), AfterChange::default())
        }
        _ => (Done::Unchanged, AfterChange::default()),
    })
}

/// Renews an authority when the key of its issuer is here and opens. Otherwise it is left to a person, and does not stop the rest.
fn renew_authority(
    store: &Store,
    name: &str,
    request: &RenewDueRequest<'_>,
    passphrases: &mut CaPassphrases,
    context: &Context<'_>,
) -> Result<Done, Failure> {
    let authorities = store.ca_certificates();
    // Its issuer may have been renewed just now.
    let AuthorityFix::Renew { issuer } = due::fix(authorities, &authorities.certificate(name)?)? else {
        return Ok(Done::Left);
    };
    if !store.home().key(&issuer).exists() {
        return Ok(Done::Left);
    }
    let order = NextAuthorityOrder { name: name.to_owned(), only_if: request.what.rule(), ..Default::default() };
    if context.changes.dry_run {
        return Ok(Done::Planned(Some(renewal::planned(store, &order, &context.effects())?)));
    }
    let mut ask = |key: &EncryptedKey| passphrases.get(key, store, request, context);
    match renewal::renew(store, &order, &mut ask, &context.effects()).map_err(Failure::from) {
        Err(failure) if passphrases.is_cause_of(&failure) => Ok(Done::Left),
        Err(failure) => Err(failure),
        Ok(None) => Ok(Done::Unchanged),
        Ok(Some(renewed)) => Ok(Done::Renewed {
            serial: renewed.certificate.serial.to_string(),
            until: renewed.certificate.validity.not_after,
        }),
    }
}

fn sign_crl(
    store: &Store,
    authority: &str,
    request: &RenewDueRequest<'_>,
    passphrases: &mut CaPassphrases,
    context: &Context<'_>,
) -> Result<Done, Failure> {
    // Two runs at once sign one CRL; `--within` may ask for a CRL that is not in its last third.
    let ensure = request.what.rule() == Some(DueRule::LastThird);
    let order = CrlOrder { authority: Some(authority.to_owned()), ensure, ..CrlOrder::default() };
    let mut ask = |key: &EncryptedKey| passphrases.get(key, store, request, context);
    let outcome = match publish_crl::publish(store, &order, &mut ask, &context.effects()).map_err(Failure::from) {
        Err(failure) if failure.code == Declined::DRY_RUN => return Ok(Done::Planned(None)),
        outcome => outcome?,
    };
    Ok(match outcome.status {
        publish_crl::CrlStatus::Signed(_) => Done::Signed { number: outcome.number, until: outcome.next_update },
        publish_crl::CrlStatus::Unchanged => Done::Unchanged,
    })
}
