//! Plans an order: makes every decision and check that is possible before the CA key is opened and the lock is taken.
//!
//! A [`Plan`] is also the result of a dry run. [`super::issue`] carries it out.

use std::collections::HashMap;
use std::sync::Arc;

use crate::authority::certify::verify_draft;
use crate::authority::error::CertifyError;
use crate::authority::issuer_chain::check_not_revoked;
use crate::authority::leaf::error::IssueError;
use crate::authority::leaf::file_access::{self, FileAccess};
use crate::authority::leaf::order::{
    CertificateFacts, IfNameExists, IssueOrder, IssueOutcome, IssueStatus, SubjectKey,
};
use crate::authority::leaf::target::{Details, IssueTarget};
use crate::authority::leaf::{request_inputs, subject_key_checks};
use crate::authority::serial::draw_serial;
use crate::issuance::{self, ApprovedDraft, CaCertificate, CertificateRequest, Comparison, Draft, Profile, SignedBy};
use crate::keys::{PrivateKey, Signer};
use crate::store::delivery::Destination;
use crate::store::entry_name::check_authority_name;
use crate::store::index::Index;
use crate::store::{Effects, Store, certificate_folder};
use crate::system::files::Ownership;
use crate::x509::KeyAlgorithm;

/// An order that is decided as far as this is possible without the CA key.
pub struct Plan<'s> {
    pub(crate) target: IssueTarget<'s>,
    /// The CA that signs, from its current files.
    pub(crate) issuer: Arc<CaCertificate>,
    pub(crate) request: CertificateRequest,
    /// What would be signed now; another serial number is drawn under the lock.
    pub(crate) draft: Draft,
    pub(crate) new_key: Option<PrivateKey>,
    /// The owner and group of the files.
    pub(crate) ownership: Ownership,
    /// True when `--clip` shortened the lifetime to that of the issuer.
    pub(crate) clipped: bool,
}

/// The decision about an order.
pub enum Planned<'s> {
    /// Nothing has to be done: the current certificate is not due, or the order was a dry run.
    Answered(Box<IssueOutcome>),
    /// A certificate has to be issued. A dry run never gets here, so that it cannot be carried out.
    Issue(Box<Plan<'s>>),
}

/// What the orders of one moment share: templates and issuers, each read once.
#[derive(Default)]
pub struct SharedInputs {
    profiles: HashMap<String, Arc<Profile>>,
    /// By the name that an order has for its issuer.
    issuers: HashMap<Option<String>, Arc<CaCertificate>>,
}

impl SharedInputs {
    fn profile(&mut self, store: &Store, template: &str) -> Result<Arc<Profile>, IssueError> {
        if let Some(read) = self.profiles.get(template) {
            return Ok(read.clone());
        }
        let read = Arc::new(request_inputs::profile(Some(store), template)?);
        self.profiles.insert(template.to_owned(), read.clone());
        Ok(read)
    }

    fn issuer(&mut self, store: &Store, named: Option<&str>) -> Result<Arc<CaCertificate>, IssueError> {
        let key = named.map(str::to_owned);
        if let Some(read) = self.issuers.get(&key) {
            return Ok(read.clone());
        }
        let cas = store.ca_certificates();
        let read = Arc::new(cas.ca_certificate(&cas.choose_issuer(named, store.config())?)?);
        self.issuers.insert(key, read.clone());
        Ok(read)
    }
}

/// Decides an order. Nothing is signed or written; the index is only read.
///
/// # Errors
/// When the template, the issuer or the state of the CA does not allow it.
pub fn plan<'s>(store: &'s Store, order: IssueOrder, effects: &Effects<'_>) -> Result<Planned<'s>, IssueError> {
    plan_one_of_many(store, order, &mut SharedInputs::default(), effects)
}

/// As [`plan`], for one of many orders that are planned at the same moment.
///
/// # Errors
/// As [`plan`].
pub fn plan_one_of_many<'s>(
    store: &'s Store,
    mut order: IssueOrder,
    shared: &mut SharedInputs,
    effects: &Effects<'_>,
) -> Result<Planned<'s>, IssueError> {
    let (now, made_before) = (effects.now(), order.new_key.take());
    let mut profile = shared.profile(store, &order.template)?;
    order.name = request_inputs::plain_name(order.name, &profile)?;
    let issuer = shared.issuer(store, order.issuer.as_deref())?;
    // A CA certificate for a CSR belongs to another CA, which keeps its key elsewhere.
    let is_own_ca = profile.is_authority() && !matches!(order.key, SubjectKey::Requested(_));
    let place = order.place.clone().unwrap_or(if is_own_ca { Destination::Authority } else { Destination::Issued });
    if let Destination::Folder(folder) = &place
        && folder.to_str().is_none()
    {
        return Err(IssueError::PlaceNotUtf8(folder.clone()));
    }
    if is_own_ca {
        check_authority_name(order.name.as_str())?;
    }
    let access = FileAccess::decide(store, &order, &place, &mut profile)?;
    let target = IssueTarget::new(store, now, order, profile, place, access)?;

    // This check without the lock ends most runs of `--if-due`, so that the caller is not asked for a passphrase in
    // vain.
    match target.order.existing {
        IfNameExists::KeepUnlessDue(due) => {
            if let Some(unchanged) = target.unchanged(due)? {
                return Ok(Planned::Answered(Box::new(unchanged)));
            }
        }
        IfNameExists::Refuse => target.refuse_taken()?,
        IfNameExists::Replace => {}
    }

    let (new_key, public_key) = match &target.order.key {
        SubjectKey::Generate(kind) => {
            let kind = kind.or(target.profile.keys.first().copied()).unwrap_or(KeyAlgorithm::EcdsaP256);
            let key = match made_before.filter(|key| key.public_key().kind().to_string() == kind.name()) {
                Some(key) => key,
                None => PrivateKey::generate(kind).map_err(CertifyError::from)?,
            };
            let public_key = key.public_key().clone();
            (Some(key), public_key)
        }
        SubjectKey::Kept(key) => (None, key.public_key().clone()),
        SubjectKey::Requested(requested) => (None, requested.request.public_key().clone()),
    };
    let order = &target.order;
    let request = CertificateRequest {
        name: order.name.to_string(),
        names: target.names.clone(),
        public_key,
        expiry: order.expiry,
        clip: order.clip,
        whole_subject: order.whole_subject.clone(),
        extensions: order.extensions.clone(),
        subject: order.subject.clone(),
        values: request_inputs::values(&target.profile, &order.name, &order.set, store.config(), Some(issuer.name()))?,
    };
    let serial = draw_serial(target.profile.serial_bytes, effects.entropy)?;
    let draft = Draft::new(&target.profile, &request, SignedBy::Issuer(&issuer), now, serial)?;
    let clipped = order.clip && draft.validity.not_after == issuer.end().1;
    if !matches!(order.key, SubjectKey::Generate(_)) {
        check_subject_key(&target, store.index()?)?;
    }
    // The comparison with a CSR needs the encoded certificate. The decisive draft is made under the lock.
    let preview = if target.is_requested() { Some(issuance::approve(draft.clone(), Some(&issuer))?) } else { None };
    let comparison = compare_request(&target, preview.as_ref())?;
    check_place(&target)?;
    let ownership = file_access::ownership(&target.profile)?;
    if !order.dry_run {
        return Ok(Planned::Issue(Box::new(Plan { target, issuer, request, draft, new_key, ownership, clipped })));
    }
    check_not_revoked(&issuer, store.index()?)?;
    let mut verified = verify_draft(draft, &issuer, now)?;
    let (warnings, client_facts) = (verified.take_warnings(), verified.take_client_facts());
    let facts = CertificateFacts::Draft(Box::new(verified.draft().clone()));
    let details = Details { warnings, client_facts, clipped, comparison, ..Details::default() };
    Ok(Planned::Answered(Box::new(target.outcome(IssueStatus::Planned, issuer.name(), facts, details))))
}

/// Rejects a compromised key, and a CSR for one of this CA's own keys.
pub(crate) fn check_subject_key(target: &IssueTarget<'_>, index: &Index) -> Result<(), IssueError> {
    match &target.order.key {
        SubjectKey::Generate(_) => {}
        SubjectKey::Kept(key) => subject_key_checks::check_not_compromised(index, key.public_key(), target.now)?,
        SubjectKey::Requested(requested) => {
            let (key, for_ca) = (requested.request.public_key(), target.profile.is_authority());
            subject_key_checks::check(target.store, index, key, for_ca, target.now)?;
        }
    }
    Ok(())
}

/// Returns what the certificate would have of everything that the CSR asks for. It is an error here when the
/// certificate has to match the CSR exactly and does not.
fn compare_request(
    target: &IssueTarget<'_>,
    preview: Option<&ApprovedDraft<'_>>,
) -> Result<Option<Comparison>, IssueError> {
    let (SubjectKey::Requested(requested), Some(approved)) = (&target.order.key, preview) else { return Ok(None) };
    let comparison = Comparison::of(&requested.request, approved.unsigned());
    if requested.exact && !comparison.is_exact() {
        return Err(IssueError::NotExact(comparison));
    }
    Ok(Some(comparison))
}

/// Rejects early what would stop the delivery, because an error after the record leaves a recorded certificate without
/// files.
fn check_place(target: &IssueTarget<'_>) -> Result<(), IssueError> {
    if let Some(folder) = target.folder()
        && certificate_folder::is_no_folder(&folder)
    {
        return Err(IssueError::PlaceTaken(folder));
    }
    if let Destination::Folder(folder) = &target.place {
        certificate_folder::is_replaceable(folder)?;
        if let SubjectKey::Requested(requested) = &target.order.key
            && let Some(path) = certificate_folder::key_of_another(folder, requested.request.public_key())?
        {
            return Err(IssueError::KeyOfAnother(path));
        }
    }
    if let (Destination::Folder(folder), IfNameExists::Refuse) = (&target.place, target.order.existing)
        && let Some(path) = certificate_folder::in_the_way(folder, !target.is_requested())
        && !target.was_interrupted()?
    {
        return Err(IssueError::PlaceTaken(path));
    }
    Ok(())
}
