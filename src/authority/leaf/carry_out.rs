//! Carries plans out under the lock of the CA, one or hundreds at once: their certificates are signed, recorded in one transaction,
//! and delivered together. The record of each is durable before the first file of any of them gets its name.

use std::collections::HashMap;
use std::convert::Infallible;
use std::num::NonZeroUsize;
use std::sync::Arc;

use crate::authority::certify::{Certified, RecordAs, certify, commit_many_signed, record};
use crate::authority::issuer_chain::{chain_below_root, check_not_revoked};
use crate::authority::leaf::error::IssueError;
use crate::authority::leaf::file_access;
use crate::authority::leaf::hook::{self, Hook};
use crate::authority::leaf::opened_issuer::OpenedIssuer;
use crate::authority::leaf::order::{CertificateFacts, IfNameExists, InMemory, IssueOutcome, IssueStatus};
use crate::authority::leaf::plan::{Plan, check_subject_key};
use crate::authority::leaf::target::{Details, IssueTarget, Settled};
use crate::authority::serial::unused_serial;
use crate::issuance::{CertificateRequest, Draft, FileRules, Issuer, IssuerError, SignedBy};
use crate::keys::PrivateKey;
use crate::store::delivery::{Delivery, DeliveryPlace, Destination, KeyText, Replaced, Workshops};
use crate::store::delivery_together::{CertificateDelivery, finish_together};
use crate::store::index::{Declaration, EntryId, Index, Transaction};
use crate::store::{Effects, Locked, templates};
use crate::system::files::{FileError, Ownership};
use crate::system::threads::in_order;
use crate::x509::{Certificate, SerialNumber};

/// The places that a thread makes before the next ones.
const BEGUN_TOGETHER: usize = 8;
/// The certificates that a thread signs before they are recorded. So they are recorded while others are signed.
const SIGNED_TOGETHER: usize = 8;

/// A plan, with what was made for it before the lock.
pub struct ReadyPlan<'s> {
    pub plan: Plan<'s>,
    /// The text of the new key file; `None` when the private key is elsewhere.
    pub key_text: Option<KeyText>,
    /// The position of its issuer among the opened ones.
    pub issuer: usize,
}

/// Signs, records and delivers what a plan describes.
///
/// # Errors
/// When the state of the CA has changed and no longer allows it, or a step fails; the error says what was written.
pub fn carry_out(
    plan: Plan<'_>,
    locked: &mut Locked<'_>,
    opened: &mut OpenedIssuer,
    key_text: Option<KeyText>,
    effects: &Effects<'_>,
) -> Result<IssueOutcome, IssueError> {
    let (plans, issuers) = (vec![ReadyPlan { plan, key_text, issuer: 0 }], std::slice::from_mut(opened));
    let outcome = carry_out_all(plans, locked, issuers, NonZeroUsize::MIN, effects).pop();
    outcome.expect("a plan has an outcome")
}

/// Carries out many plans, whose names and folders differ from each other. The outcomes have their order; a plan that fails does not
/// stop the others. `jobs` threads sign and write.
///
/// All records are one transaction: when it fails, nothing was written. Each plan has at most
/// two open files at a time.
pub fn carry_out_all<'s>(
    plans: Vec<ReadyPlan<'s>>,
    locked: &mut Locked<'_>,
    issuers: &mut [OpenedIssuer],
    jobs: NonZeroUsize,
    effects: &Effects<'_>,
) -> Vec<Result<IssueOutcome, IssueError>> {
    let mut under_lock = UnderLock {
        workshops: Workshops::of(plans.len()),
        is_checked: vec![false; issuers.len()],
        template_digests: HashMap::new(),
        effects,
    };
    // 1. What is to be done for each, now that no other process changes the CA; and a place on the disk, with the key in it: a full
    // disk shows while nothing is recorded.
    let mut wanted: Vec<Wanted<'s>> = Vec::with_capacity(plans.len());
    let mut outcomes: Vec<Option<Result<IssueOutcome, IssueError>>> = Vec::with_capacity(plans.len());
    let mut begun = Vec::with_capacity(plans.len());
    let together = if jobs == NonZeroUsize::MIN { usize::MAX } else { BEGUN_TOGETHER };
    let (home, entropy) = (locked.store().home(), effects.entropy);
    let Ok(()) = in_order(
        jobs,
        together,
        |give| {
            plans.into_iter().try_for_each(|ready| {
                let outcome = match under_lock.decide(ready, locked, issuers) {
                    Ok(Decided::Wanted(mut it)) => {
                        let (name, key) = (&it.target.order.name, it.key_text.take());
                        let workshops = &mut under_lock.workshops;
                        let opened = it.target.place.open(home, name, key.as_ref(), it.ownership, workshops);
                        wanted.push(*it);
                        give((opened, key))?;
                        None
                    }
                    Ok(Decided::Answered(outcome)) => Some(Ok(*outcome)),
                    Err(error) => Some(Err(error)),
                };
                outcomes.push(outcome);
                Ok(())
            })
        },
        |(opened, key): (Result<DeliveryPlace<'_>, FileError>, Option<KeyText>)| {
            (opened.and_then(|opened| opened.begin(key.as_ref(), entropy)), key)
        },
        |with_key| {
            begun.push(with_key);
            Ok::<_, Infallible>(())
        },
    );
    let deliveries = wanted.iter_mut().zip(begun).map(|(it, (delivery, key))| {
        it.key_text = key;
        delivery
    });
    let deliveries = deliveries.collect();
    // 2. and 3.
    let mut issued = under_lock.issue(wanted, deliveries, locked, issuers, jobs).into_iter();
    outcomes.into_iter().filter_map(|outcome| outcome.or_else(|| issued.next())).collect()
}

/// The decision about a plan.
enum Decided<'s> {
    /// Nothing has to be done.
    Answered(Box<IssueOutcome>),
    Wanted(Box<Wanted<'s>>),
}

/// A certificate that is issued now.
struct Wanted<'s> {
    target: IssueTarget<'s>,
    request: CertificateRequest,
    new_key: Option<PrivateKey>,
    key_text: Option<KeyText>,
    /// The position of its issuer among the opened ones.
    issuer: usize,
    ownership: Ownership,
    clipped: bool,
    hook: Option<Hook>,
    /// The serial number of the certificate whose files are replaced; `None` when there is none.
    current: Option<SerialNumber>,
    /// The text of that number.
    current_text: Option<String>,
    has_own_files: bool,
    /// What has to be recorded with it.
    file_rules: Option<FileRules>,
    declaration: Option<Declaration>,
}

/// What several plans share.
struct UnderLock<'e, 'w> {
    workshops: Workshops,
    /// For each opened issuer, whether its files were read again under the lock, and it may still sign.
    is_checked: Vec<bool>,
    /// SHA-256 of the text of each template ([`Declaration::template_digest`]), each read once.
    template_digests: HashMap<String, [u8; 32]>,
    effects: &'e Effects<'w>,
}

impl UnderLock<'_, '_> {
    fn decide<'s>(
        &mut self,
        ready: ReadyPlan<'s>,
        locked: &mut Locked<'_>,
        issuers: &mut [OpenedIssuer],
    ) -> Result<Decided<'s>, IssueError> {
        let ReadyPlan { plan, key_text, issuer } = ready;
        let Plan { target, issuer: planned_issuer, request, draft: _, new_key, ownership, clipped } = plan;
        let store = locked.store();
        let opened = &mut issuers[issuer].issuer;
        // The plan, the lock and the key are three arguments: all have to be of the same CA.
        if !std::ptr::eq(store, target.store) {
            return Err(IssueError::OtherStore);
        }
        if opened.ca_certificate().certificate().public_key != planned_issuer.certificate().public_key {
            return Err(IssuerError::KeyMismatch(planned_issuer.name().to_owned()).into());
        }
        // The temporary files of a killed process are removed. While this process waited, the issuer may have got
        // another certificate or chain, or may have been revoked; the name may have been taken, renewed or rolled back.
        target.place.sweep(store.home(), &target.order.name, &mut self.workshops)?;
        if !self.is_checked[issuer] {
            store.ca_certificates().refresh(opened)?;
            check_not_revoked(opened.ca_certificate(), locked.index()?)?;
            self.is_checked[issuer] = true;
        }
        let index = locked.index()?;
        // The hook is read here, so that the caller, who runs it after the lock, need not open the index for it.
        let hook = hook::of(index, target.order.name.as_str())?;
        let current = match target.settle(index, &hook, self.effects)? {
            Settled::Answer(outcome) => return Ok(Decided::Answered(outcome)),
            Settled::Free => None,
            Settled::Replaces(serial) => Some(serial),
        };
        let has_own_files = target.check_folder(index)?;
        check_subject_key(&target, index)?;
        let file_rules = target.access.to_record(index, &target.order)?;
        let declaration = declaration_to_record(&target, index, &mut self.template_digests)?;
        let current_text = current.as_ref().map(SerialNumber::to_string);
        Ok(Decided::Wanted(Box::new(Wanted {
            target,
            request,
            new_key,
            key_text,
            issuer,
            ownership,
            clipped,
            hook,
            current,
            current_text,
            has_own_files,
            file_rules,
            declaration,
        })))
    }

    /// Issues the wanted certificates, whose deliveries have begun or failed. The results have their order.
    fn issue(
        &self,
        wanted: Vec<Wanted<'_>>,
        deliveries: Vec<Result<Delivery<'_>, FileError>>,
        locked: &mut Locked<'_>,
        issuers: &[OpenedIssuer],
        jobs: NonZeroUsize,
    ) -> Vec<Result<IssueOutcome, IssueError>> {
        let mut failed: Vec<Option<IssueError>> = wanted.iter().map(|_| None).collect();
        let mut begun = Vec::with_capacity(wanted.len());
        for (at, delivery) in deliveries.into_iter().enumerate() {
            match delivery {
                Ok(delivery) => begun.push((at, delivery)),
                Err(error) => failed[at] = Some(file_access::not_begun(error, &wanted[at].target.profile)),
            }
        }
        // 2. One durable transaction.
        let of_begun: Vec<&Wanted<'_>> = begun.iter().map(|(at, _)| &wanted[*at]).collect();
        let recorded = match self.sign_and_record(&of_begun, locked, issuers, jobs) {
            Ok(recorded) => recorded,
            Err(error) => shared_error(error, begun.len()).map(Err).collect(),
        };
        let mut made: Vec<Option<Made>> = wanted.iter().map(|_| None).collect();
        let mut to_deliver = Vec::with_capacity(begun.len());
        for ((at, delivery), recorded) in begun.into_iter().zip(recorded) {
            match recorded {
                Ok(recorded) => {
                    made[at] = Some(recorded);
                    to_deliver.push((at, delivery));
                }
                // Its key goes with the delivery.
                Err(error) => failed[at] = Some(error),
            }
        }
        // 3. The certificates may leave the process only now. Other machines need not wait for the files of this one. When the lock
        // of the writers cannot be released, they wait until the end; a lost connection is reported by the next statement.
        drop(locked.begin_delivery());
        let chains: Vec<Vec<Certificate>> = issuers.iter().map(|opened| chain_below_root(&opened.issuer)).collect();
        let (places, deliveries): (Vec<usize>, Vec<CertificateDelivery<'_>>) = to_deliver
            .into_iter()
            .filter_map(|(at, delivery)| {
                let (it, certificate) = (&wanted[at], &made[at].as_ref()?.certified.certificate);
                let (key, chain, replaced) = (it.key_text.as_ref(), &chains[it.issuer][..], it.replaced());
                Some((at, CertificateDelivery { delivery, key, certificate, chain, replaced }))
            })
            .unzip();
        let finished = finish_together(deliveries, jobs, self.effects.entropy);
        let mut delivered = Vec::with_capacity(places.len());
        for (at, finished) in places.into_iter().zip(finished) {
            match (&made[at], finished) {
                (Some(made), Err(cause)) => {
                    let serial = made.certified.certificate.serial.to_string();
                    failed[at] = Some(IssueError::NotDelivered { serial, cause });
                }
                (Some(made), Ok(())) => delivered.push((at, made.id)),
                (None, _) => {}
            }
        }
        let ids: Vec<EntryId> = delivered.iter().map(|(_, id)| *id).collect();
        if let Err(error) = self.mark_delivered(&ids, locked) {
            for ((at, _), error) in delivered.iter().zip(shared_error(error, delivered.len())) {
                failed[*at] = Some(error);
            }
        }
        let all = wanted.into_iter().zip(made).zip(failed);
        all.filter_map(|((wanted, made), failed)| match (failed, made) {
            (Some(error), _) => Some(Err(error)),
            (None, Some(made)) => {
                let issuer = &issuers[wanted.issuer].issuer;
                Some(Ok(wanted.outcome(made.certified, issuer)))
            }
            // Each one was made, or failed.
            (None, None) => None,
        })
        .collect()
    }

    /// Signs and verifies the certificates in several threads, and records them in one durable transaction.
    ///
    /// # Errors
    /// When the transaction fails; then nothing is recorded.
    fn sign_and_record(
        &self,
        wanted: &[&Wanted<'_>],
        locked: &mut Locked<'_>,
        issuers: &[OpenedIssuer],
        jobs: NonZeroUsize,
    ) -> Result<Vec<Result<Made, IssueError>>, IssueError> {
        let index = locked.index()?;
        let mut transaction = index.transaction(self.effects.event_context())?;
        let mut drafts = Vec::with_capacity(wanted.len());
        for it in wanted {
            let profile = &it.target.profile;
            let serial = unused_serial(profile.serial_bytes, &transaction, self.effects.entropy)?;
            drafts.push((profile, &it.request, &issuers[it.issuer].issuer, it.target.now, serial));
        }
        let together = if jobs == NonZeroUsize::MIN { usize::MAX } else { SIGNED_TOGETHER };
        let mut made: Vec<Result<Made, IssueError>> = Vec::with_capacity(wanted.len());
        let mut last_issuer = None;
        in_order(
            jobs,
            together,
            |give| drafts.into_iter().try_for_each(give),
            |(profile, request, issuer, now, serial)| {
                let by = SignedBy::Issuer(issuer.ca_certificate());
                Ok(certify(Draft::new(profile, request, by, now, serial)?, issuer, now)?)
            },
            |certified: Result<Certified, IssueError>| {
                let it = wanted[made.len()];
                made.push(match certified {
                    Ok(certified) => {
                        let issuer = &issuers[it.issuer].issuer;
                        last_issuer = Some(issuer);
                        let id = it.record(&certified.certificate, issuer, &mut transaction)?;
                        Ok(Made { certified, id })
                    }
                    Err(error) => Err(error),
                });
                Ok::<_, IssueError>(())
            },
        )?;
        if let Some(issuer) = last_issuer {
            commit_many_signed(transaction, issuer, jobs)?;
        }
        Ok(made)
    }

    fn mark_delivered(&self, ids: &[EntryId], locked: &mut Locked<'_>) -> Result<(), IssueError> {
        match ids {
            [] => Ok(()),
            [id] => Ok(locked.index_to_mark()?.mark_delivered(*id, self.effects.now())?),
            ids => Ok(locked.index_to_mark()?.mark_all_delivered(ids, self.effects.now())?),
        }
    }
}

/// A certificate that is recorded.
struct Made {
    certified: Certified,
    id: EntryId,
}

impl Wanted<'_> {
    /// Records the certificate, with what is remembered of its name.
    fn record(
        &self,
        certificate: &Certificate,
        issuer: &Issuer<'_>,
        transaction: &mut Transaction<'_>,
    ) -> Result<EntryId, IssueError> {
        let (target, name) = (&self.target, self.target.order.name.as_str());
        let place = match &target.place {
            Destination::Folder(folder) => Some(folder.as_path()),
            _ => None,
        };
        // The event of the certificate is the last one, whose head is signed.
        if let Some(rules) = &self.file_rules {
            transaction.set_file_rules(name, rules)?;
        }
        if let Some(declaration) = &self.declaration {
            transaction.set_declaration(name, Some(declaration))?;
        }
        let record_as = RecordAs {
            place,
            event: target.order.event(),
            ..RecordAs::issued(name, &target.profile.name, issuer.ca_certificate().name())
        };
        Ok(record(transaction, record_as, certificate, target.now)?)
    }

    fn replaced(&self) -> Replaced<'_> {
        match self.current_text.as_deref() {
            Some(serial) => Replaced::Generation(serial),
            None if self.has_own_files || matches!(self.target.order.existing, IfNameExists::Replace) => {
                Replaced::Whatever
            }
            None => Replaced::Nothing,
        }
    }

    fn outcome(self, certified: Certified, issuer: &Issuer<'_>) -> IssueOutcome {
        let Self { target, new_key, ownership, clipped, hook, current, .. } = self;
        let Certified { certificate, warnings, client_facts } = certified;
        let folder = target.folder();
        let closed_way = folder.and_then(|folder| file_access::closed_way(&target.profile, ownership, &folder));
        let comparison = target.comparison_with(&certificate);
        let authority = issuer.ca_certificate().name();
        let (key, target) = target.into_key(new_key);
        let in_memory = key
            .filter(|_| target.place == Destination::Memory)
            .map(|key| InMemory { chain: chain_below_root(issuer), key });
        let details =
            Details { warnings, client_facts, in_memory, clipped, replaced: current, comparison, hook, closed_way };
        target.outcome(IssueStatus::Issued, authority, CertificateFacts::Certificate(Box::new(certificate)), details)
    }
}

/// Returns the error of something that several certificates share, once for each.
fn shared_error(error: IssueError, count: usize) -> impl Iterator<Item = IssueError> {
    let (mut alone, shared) = match count {
        0 | 1 => (Some(error), None),
        _ => (None, Some(Arc::new(error))),
    };
    let next = move || alone.take().or_else(|| shared.clone().map(IssueError::Shared));
    std::iter::from_fn(next).take(count)
}

/// Returns what has to be recorded of the manifest that declares the name: that of the order, or the one that is known, with the
/// text of the template that this certificate is made from. `None` when it is recorded already, or no manifest declares the name.
fn declaration_to_record(
    target: &IssueTarget<'_>,
    index: &Index,
    digests: &mut HashMap<String, [u8; 32]>,
) -> Result<Option<Declaration>, IssueError> {
    let recorded = index.declaration(target.order.name.as_str())?;
    let wanted = match (&target.order.declaration, &recorded) {
        (Some(declaration), _) => declaration.clone(),
        (None, Some(recorded)) => {
            let template = &target.profile.name;
            let template_digest = match digests.get(template) {
                Some(digest) => *digest,
                None => {
                    let digest = templates::find(&target.store.template_folder(), template)?.digest()?;
                    digests.insert(template.clone(), digest);
                    digest
                }
            };
            Declaration { template_digest, ..recorded.clone() }
        }
        (None, None) => return Ok(None),
    };
    Ok((recorded.as_ref() != Some(&wanted)).then_some(wanted))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::authority::leaf::opened_issuer::open_issuer;
    use crate::authority::leaf::order::IssueOrder;
    use crate::authority::leaf::plan::{Planned, plan};
    use crate::authority::testing::{Ca, order};
    use crate::store::certificate_folder;
    use crate::store::index::Filter;
    use crate::text::Diagnostic;

    const MANY: usize = 20;

    fn name(number: usize) -> String {
        format!("n{number}.test")
    }

    /// Issues certificates for `MANY` names at once, after something else was done between the plans and the lock.
    fn issue(ca: &Ca, existing: IfNameExists, meanwhile: impl FnOnce()) -> Vec<Result<IssueOutcome, IssueError>> {
        let store = ca.store();
        ca.with_effects(|effects| {
            let planned =
                |number| match plan(&store, IssueOrder { existing, ..order("server", &name(number)) }, effects) {
                    Ok(Planned::Issue(plan)) => plan,
                    _ => panic!("{number} is not to be issued"),
                };
            let plans: Vec<_> = (0..MANY).map(planned).collect();
            let mut issuers = [open_issuer(&plans[0], &mut |_| unreachable!("no key is encrypted")).unwrap()];
            let mut ready = Vec::new();
            for plan in plans {
                let key_text = plan.key_text(&issuers[0], effects).unwrap();
                ready.push(ReadyPlan { plan: *plan, key_text, issuer: 0 });
            }
            meanwhile();
            let mut locked = store.lock(effects.lock_timeout).unwrap();
            carry_out_all(ready, &mut locked, &mut issuers, NonZeroUsize::new(3).unwrap(), effects)
        })
    }

    fn serial_in(ca: &Ca, number: usize) -> SerialNumber {
        let folder = ca.path("issued").join(name(number));
        let certificate = certificate_folder::first_certificate(&folder).unwrap();
        assert!(certificate_folder::holds(&folder, &certificate).unwrap(), "{number}: a mixture");
        certificate.serial
    }

    #[test]
    fn one_of_many_that_fails_does_not_stop_the_others_and_nothing_is_left_of_it() {
        let ca = Ca::new();
        let outcomes = issue(&ca, IfNameExists::Refuse, || std::fs::create_dir(ca.path("issued/n5.test")).unwrap());
        assert_eq!(outcomes.len(), MANY);
        for (number, outcome) in outcomes.into_iter().enumerate() {
            match outcome {
                Ok(outcome) => {
                    assert_eq!((outcome.name.as_str(), outcome.status), (&*name(number), IssueStatus::Issued))
                }
                Err(error) => assert!(number == 5 && matches!(error, IssueError::PlaceTaken(_)), "{number}: {error}"),
            }
        }
        let entries = ca.index().query(&Filter::default(), ca.now).unwrap().0;
        let leaves: Vec<_> = entries.into_iter().filter(|entry| entry.template == "server").collect();
        assert_eq!(leaves.len(), MANY - 1);
        assert!(leaves.iter().all(|entry| entry.delivered_at.is_some()));
        for number in (0..MANY).filter(|number| *number != 5) {
            assert_eq!(serial_in(&ca, number), ca.history(&name(number))[0].serial);
        }
        let left = crate::authority::testing::files_below(ca.home.folder());
        assert!(!left.iter().any(|path| path.contains(".staged")), "{left:?}");
    }

    #[test]
    fn what_many_replace_is_kept_as_their_generations() {
        let ca = Ca::new();
        let issued = |existing| issue(&ca, existing, || ()).into_iter().all(|outcome| outcome.is_ok());
        assert!(issued(IfNameExists::Refuse));
        let older: Vec<_> = (0..MANY).map(|number| serial_in(&ca, number)).collect();
        assert!(issued(IfNameExists::Replace));
        for (number, older) in older.iter().enumerate() {
            assert_ne!(serial_in(&ca, number), *older);
            let kept = ca.home.generation(&name(number).parse().unwrap(), &older.to_string());
            let certificate = certificate_folder::first_certificate(&kept).unwrap();
            assert!(certificate.serial == *older && certificate_folder::holds(&kept, &certificate).unwrap());
        }
    }

    #[test]
    fn an_error_that_several_share_is_that_of_each() {
        let error = || IssueError::NotGiven("owner web".to_owned());
        assert!(matches!(shared_error(error(), 1).next(), Some(IssueError::NotGiven(_))));
        let shared: Vec<_> = shared_error(error(), 3).collect();
        assert_eq!(shared.len(), 3);
        for one in shared {
            assert_eq!((one.to_string(), one.diagnosis()), (error().to_string(), error().diagnosis()));
        }
    }
}
