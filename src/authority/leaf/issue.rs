//! `issue`: turns an order into a certificate that is recorded, durable and delivered.
//!
//! The order of the steps matters. The plan makes every check, and the passphrase is derived, before the lock is taken.
//! The record is durable before the certificate leaves the process. The files appear whole.

use crate::authority::certify::{Certified, RecordAs, certify, commit_signed, record, verify_draft};
use crate::authority::issuer_chain::{chain_below_root, check_not_revoked};
use crate::authority::leaf::error::IssueError;
use crate::authority::leaf::file_access;
use crate::authority::leaf::hook;
use crate::authority::leaf::order::{
    CertificateFacts, IfNameExists, InMemory, IssueOrder, IssueOutcome, IssueStatus, SubjectKey,
};
use crate::authority::leaf::plan::{Plan, Planned, check_subject_key, plan};
use crate::authority::leaf::target::{Details, IssueTarget, Settled};
use crate::authority::serial::unused_serial;
use crate::issuance::{Draft, Issuer, IssuerError, SignedBy};
use crate::keys::Passphrase;
use crate::store::approval::PlannedChange;
use crate::store::delivery::{Destination, Files, KeyText, Replaced};
use crate::store::index::{Declaration, Index};
use crate::store::passphrase_prompt::PassphrasePrompt;
use crate::store::{Effects, Locked, Store, templates};
use crate::system::files;
use crate::x509::SerialNumber;

/// A CA with its opened key.
pub struct OpenedIssuer {
    issuer: Issuer<'static>,
    /// The passphrase of the key file, with which the key of a CA below it is encrypted as well; `None` when the file
    /// is not encrypted.
    passphrase: Option<Passphrase>,
}

/// Carries out an order. `prompt` returns the passphrase of the issuer's key.
///
/// # Errors
/// When the template, the issuer or the state of the CA does not allow the order, or a step fails. Then nothing was
/// written, or the error says what was.
pub fn issue(
    store: &Store,
    order: IssueOrder,
    prompt: &mut PassphrasePrompt<'_>,
    effects: &Effects<'_>,
) -> Result<IssueOutcome, IssueError> {
    // 1. Every check that is possible without the CA key.
    let plan = match plan(store, order, effects)? {
        Planned::Answered(outcome) => return Ok(*outcome),
        Planned::Issue(plan) => plan,
    };
    if let Some(change) = replacement(&plan)? {
        effects.approval.approve(change)?;
    }
    // 2. The passphrase is derived before the lock is taken: this is slow, and other processes wait for the lock.
    let mut issuer = open_issuer(&plan, prompt)?;
    let key_text = plan.key_text(&issuer, effects)?;
    // 3. From here to the end no other process changes this CA.
    let mut locked = store.lock(effects.lock_timeout)?;
    carry_out(*plan, &mut locked, &mut issuer, key_text, effects)
}

/// Returns the change as a user confirms it when `--force` replaces a certificate.
fn replacement(plan: &Plan<'_>) -> Result<Option<PlannedChange>, IssueError> {
    let order = &plan.target.order;
    if !matches!(order.existing, IfNameExists::Replace) || order.follows.is_some() {
        return Ok(None);
    }
    let replaced = plan.target.store.index()?.history(order.name.as_str())?.pop();
    Ok(replaced.map(|entry| {
        let change = PlannedChange::new(format!("replace the certificate of '{}'", order.name)).certificate(&entry);
        change.asks("its files are kept as the previous generation; programs that read them get the new certificate")
    }))
}

/// Opens the key of the CA that a plan names.
///
/// # Errors
/// When the CA is revoked, or its key is missing or cannot be opened.
pub fn open_issuer(plan: &Plan<'_>, prompt: &mut PassphrasePrompt<'_>) -> Result<OpenedIssuer, IssueError> {
    let store = plan.target.store;
    let key_file = store.ca_certificates().key_file(plan.issuer.name())?;
    if key_file.is_encrypted() {
        // The caller is not asked for a passphrase in vain. The same checks under the lock decide.
        check_not_revoked(&plan.issuer, store.index()?)?;
        verify_draft(plan.draft.clone(), &plan.issuer, plan.target.now)?;
    }
    let (key, passphrase) = key_file.open(prompt)?;
    Ok(OpenedIssuer { issuer: Issuer::new(plan.issuer.clone(), key)?, passphrase })
}

impl Plan<'_> {
    /// Returns the name of the authority that signs.
    pub fn issuer_name(&self) -> &str {
        self.issuer.name()
    }

    /// Returns the text of the key file that is delivered with the certificate; `None` when the private key is
    /// elsewhere. Encryption is slow on purpose.
    ///
    /// # Errors
    /// When the system gives no random bytes.
    pub fn key_text(&self, issuer: &OpenedIssuer, effects: &Effects<'_>) -> Result<Option<KeyText>, IssueError> {
        let key = match &self.target.order.key {
            SubjectKey::Kept(key) => Some(&**key),
            SubjectKey::Generate(_) | SubjectKey::Requested(_) => self.new_key.as_ref(),
        };
        let of_issuer = if self.target.profile.is_authority() { issuer.passphrase.as_ref() } else { None };
        let protection = self.target.order.protection.as_ref().or(of_issuer);
        let mode = self.target.profile.files.mode.unwrap_or(files::SECRET);
        Ok(key.map(|key| KeyText::new(key, protection, mode, effects.entropy)).transpose()?)
    }
}

/// Signs, records and delivers what a plan describes. A caller can carry out any number of plans under one lock and
/// with one issuer.
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
    let Plan { target, issuer: planned_issuer, request, draft: _, new_key, ownership, clipped } = plan;
    let store = locked.store();
    // The plan, the lock and the key are three arguments: all have to be of the same CA.
    if !std::ptr::eq(store, target.store) {
        return Err(IssueError::OtherStore);
    }
    if opened.issuer.ca_certificate().certificate().public_key != planned_issuer.certificate().public_key {
        return Err(IssuerError::KeyMismatch(planned_issuer.name().to_owned()).into());
    }
    let (home, now, name) = (store.home(), target.now, &target.order.name);

    // 1. The temporary files of a killed process are removed. While this process waited, the issuer may have got
    // another certificate or chain, or may have been revoked; the name may have been taken, renewed or rolled back.
    target.place.sweep(home, name)?;
    let issuer = &mut opened.issuer;
    store.ca_certificates().refresh(issuer)?;
    let index = locked.index()?;
    check_not_revoked(issuer.ca_certificate(), index)?;
    // The hook is read here, so that the caller, who runs it after the lock, need not open the index for it.
    let hook = hook::of(index, name.as_str())?;
    let current = match target.settle(index, &hook, effects)? {
        Settled::Answer(outcome) => return Ok(*outcome),
        Settled::Free => None,
        Settled::Replaces(serial) => Some(serial),
    };
    let has_own_files = target.check_folder(index)?;
    check_subject_key(&target, index)?;
    let file_rules = target.access.to_record(index, &target.order)?;
    let declaration = declaration_to_record(&target, index)?;
    let begun = target.place.begin(home, name, key_text.as_ref(), ownership, effects.entropy);
    let delivery = begun.map_err(|error| file_access::not_begun(error, &target.profile))?;

    // 2. The certificate is signed, verified and recorded in one durable transaction.
    let mut transaction = index.transaction(effects.event_context())?;
    let serial = unused_serial(target.profile.serial_bytes, &transaction, effects.entropy)?;
    let draft = Draft::new(&target.profile, &request, SignedBy::Issuer(issuer.ca_certificate()), now, serial)?;
    let Certified { certificate, warnings, client_facts } = certify(draft, issuer, now)?;
    let place = match &target.place {
        Destination::Folder(folder) => Some(folder.as_path()),
        _ => None,
    };
    let record_as = RecordAs {
        place,
        event: target.order.event(),
        ..RecordAs::issued(name.as_str(), &target.profile.name, issuer.ca_certificate().name())
    };
    if let Some(rules) = &file_rules {
        // The event of the certificate is the last one, whose head is signed.
        transaction.set_file_rules(name.as_str(), rules)?;
    }
    if let Some(declaration) = &declaration {
        transaction.set_declaration(name.as_str(), Some(declaration))?;
    }
    let id = record(&mut transaction, record_as, &certificate, now)?;
    commit_signed(transaction, issuer)?;

    // 3. The certificate may leave the process only now.
    let chain = chain_below_root(issuer);
    let current_text = current.as_ref().map(SerialNumber::to_string);
    let replaced = match current_text.as_deref() {
        Some(serial) => Replaced::Generation(serial),
        None if has_own_files || matches!(target.order.existing, IfNameExists::Replace) => Replaced::Whatever,
        None => Replaced::Nothing,
    };
    let delivered = delivery.finish(key_text.as_ref(), &Files::new(&certificate, &chain), replaced, effects.entropy);
    delivered.map_err(|cause| IssueError::NotDelivered { serial: certificate.serial.to_string(), cause })?;
    index.mark_delivered(id, now)?;

    let folder = target.folder();
    let closed_way = folder.and_then(|folder| file_access::closed_way(&target.profile, ownership, &folder));
    let comparison = target.comparison_with(&certificate);
    let authority = issuer.ca_certificate().name().to_owned();
    let (key, target) = target.into_key(new_key);
    let in_memory = key.filter(|_| target.place == Destination::Memory).map(|key| InMemory { chain, key });
    let details =
        Details { warnings, client_facts, in_memory, clipped, replaced: current, comparison, hook, closed_way };
    Ok(target.outcome(IssueStatus::Issued, &authority, CertificateFacts::Certificate(Box::new(certificate)), details))
}

/// Returns what has to be recorded of the manifest that declares the name: that of the order, or the one that is known, with the
/// text of the template that this certificate is made from. `None` when it is recorded already, or no manifest declares the name.
fn declaration_to_record(target: &IssueTarget<'_>, index: &Index) -> Result<Option<Declaration>, IssueError> {
    let recorded = index.declaration(target.order.name.as_str())?;
    let wanted = match (&target.order.declaration, &recorded) {
        (Some(declaration), _) => declaration.clone(),
        (None, Some(recorded)) => {
            let template = templates::find(&target.store.template_folder(), &target.profile.name)?;
            Declaration { template_digest: template.digest()?, ..recorded.clone() }
        }
        (None, None) => return Ok(None),
    };
    Ok((recorded.as_ref() != Some(&wanted)).then_some(wanted))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::authority::error::CertifyError;
    use crate::authority::hierarchy::rotation::RootRotationOrder;
    use crate::authority::leaf::subject_key_checks::SubjectKeyError;
    use crate::authority::testing::{Ca, order};
    use crate::keys::key_file::KeyFile;
    use crate::store::{StoreError, certificate_folder};
    use crate::x509::crl::RevocationReason;
    use crate::x509::pem;

    #[test]
    fn a_thousand_orders_are_carried_out_under_one_lock_with_one_open_index_and_one_opened_key() {
        const ORDERS: usize = 1000;
        let ca = Ca::new();
        let store = ca.store();
        ca.with_effects(|effects| {
            let planned = |number: usize| match plan(&store, order("server", &format!("{number}.test")), effects) {
                Ok(Planned::Issue(plan)) => plan,
                _ => panic!("order {number} is not to be issued"),
            };
            let mut issuer = open_issuer(&planned(0), &mut |_| unreachable!("no key is encrypted")).unwrap();
            let mut locked = store.lock(effects.lock_timeout).unwrap();
            for number in 0..ORDERS {
                let plan = planned(number);
                let key_text = plan.key_text(&issuer, effects).unwrap();
                let outcome = carry_out(*plan, &mut locked, &mut issuer, key_text, effects).unwrap();
                assert_eq!(outcome.status, IssueStatus::Issued);
            }
        });
        let entries = ca.index().query(&crate::store::index::Filter::default(), ca.now).unwrap().0;
        assert_eq!(entries.iter().filter(|entry| entry.template == "server").count(), ORDERS);
        assert!(entries.iter().all(|entry| entry.delivered_at.is_some()));
        assert_eq!(std::fs::read_dir(ca.path("issued")).unwrap().count(), ORDERS);
    }

    #[test]
    fn a_plan_is_carried_out_with_the_key_and_the_lock_of_its_own_ca_and_with_no_other() {
        let (ca, other_ca) = (Ca::new(), Ca::new());
        let (store, other_store) = (ca.store(), other_ca.store());
        ca.with_effects(|effects| {
            let planned = |store, issuer: &str| {
                let order = IssueOrder { issuer: Some(issuer.to_owned()), ..order("server", "web.test") };
                match plan(store, order, effects) {
                    Ok(Planned::Issue(plan)) => plan,
                    _ => panic!("the order is not to be issued"),
                }
            };
            let opened = |plan: &Plan<'_>| open_issuer(plan, &mut |_| unreachable!("no key is encrypted")).unwrap();
            let plan = planned(&store, "issuing");
            let (mut own, mut of_root) = (opened(&plan), opened(&planned(&store, "root")));
            let key_text = || plan.key_text(&own, effects).unwrap();
            let (text, other_text) = (key_text(), key_text());

            let mut locked = store.lock(effects.lock_timeout).unwrap();
            let refused = carry_out(*plan, &mut locked, &mut of_root, text, effects);
            assert!(matches!(
                refused,
                Err(IssueError::Certify(CertifyError::Store(StoreError::Issuer(IssuerError::KeyMismatch(name)))))
                    if name == "issuing"
            ));
            let plan = planned(&store, "issuing");
            let mut other_locked = other_store.lock(effects.lock_timeout).unwrap();
            let refused = carry_out(*plan, &mut other_locked, &mut own, other_text, effects);
            assert!(matches!(refused, Err(IssueError::OtherStore)));
        });
        assert!(ca.history("web.test").is_empty() && other_ca.history("web.test").is_empty());
    }

    /// Carries out an order when something else was done between its plan and the lock.
    fn overtaken(ca: &Ca, order: IssueOrder, meanwhile: impl FnOnce()) -> Result<IssueOutcome, IssueError> {
        let store = ca.store();
        ca.with_effects(|effects| {
            let Ok(Planned::Issue(plan)) = plan(&store, order, effects) else { panic!("it is not to be issued") };
            let mut issuer = open_issuer(&plan, &mut |_| unreachable!("no key is encrypted")).unwrap();
            let key_text = plan.key_text(&issuer, effects).unwrap();
            meanwhile();
            carry_out(*plan, &mut store.lock(effects.lock_timeout).unwrap(), &mut issuer, key_text, effects)
        })
    }

    #[test]
    fn what_was_planned_is_checked_once_more_under_the_lock() {
        let ca = Ca::new();
        let taken =
            overtaken(&ca, order("server", "web.test"), || drop(ca.issue(order("server", "web.test")).unwrap()));
        assert!(matches!(taken, Err(IssueError::NameTaken { name, .. }) if name == "web.test"));
        assert_eq!(ca.history("web.test").len(), 1);

        for (name, reason) in [
            ("key.test", RevocationReason::KeyCompromise),
            ("ca.test", RevocationReason::CaCompromise),
            ("aa.test", RevocationReason::AaCompromise),
        ] {
            ca.issue(order("server", name)).unwrap();
            let file = KeyFile::parse(&std::fs::read(ca.path(&format!("issued/{name}/key.pem"))).unwrap());
            let key = SubjectKey::Kept(Box::new(file.unwrap().open(None).unwrap()));
            let other = format!("other.{name}");
            let order = IssueOrder { key, ..order("server", &other) };
            let refused = overtaken(&ca, order, || drop(ca.revoke(name, reason).unwrap()));
            assert!(
                matches!(&refused, Err(IssueError::SubjectKey(SubjectKeyError::KeyCompromised { name: of, .. })) if of == name),
                "{reason:?}"
            );
            assert!(ca.history(&other).is_empty());
        }

        // The chain is that of the authority by now.
        let rotate = || drop(ca.rotate(&RootRotationOrder::default()).unwrap());
        overtaken(&ca, order("server", "late.test"), rotate).unwrap();
        let first_of = |file: &str| certificate_folder::first_certificate(&ca.path(file)).unwrap();
        let chain = std::fs::read(ca.path("issued/late.test/chain.pem")).unwrap();
        let authority = pem::certificate(first_of("authorities/issuing").as_der());
        assert!(chain.starts_with(authority.as_bytes()));
    }

    #[test]
    fn a_plan_writes_nothing_and_takes_no_lock() {
        let ca = Ca::new();
        let before = crate::authority::testing::files_below(ca.home.folder());
        let store = ca.store();
        ca.with_effects_without_lock(|effects| {
            let planned = plan(&store, order("server", "web.test"), effects).unwrap();
            assert!(matches!(planned, Planned::Issue(_)));
        });
        assert_eq!(crate::authority::testing::files_below(ca.home.folder()), before);
    }
}
