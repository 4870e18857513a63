//! `issue`: from an order to a certificate that is recorded, durable and delivered.
//!
//! The order of the steps is the point. Everything that can be refused is refused, and the passphrase worked through,
//! before the lock is taken; the record is durable before the certificate leaves the process; the files appear whole.

mod existing;

use std::path::PathBuf;

use time::OffsetDateTime;

use self::existing::Settled;
use crate::authority::issuer_chain::{chain_below_root, check_not_revoked, judged};
use crate::authority::leaf::error::IssueError;
use crate::authority::leaf::order::{CertificateFacts, Existing, InMemory, Order, Outcome, Status, SubjectKey};
use crate::authority::leaf::{hook, request_inputs, subject_key_checks};
use crate::authority::serial::{draw_serial, unused_serial};
use crate::issuance::{self, CaCertificate, CertificateRequest, Comparison, Draft, Issuer, Profile, SignedBy};
use crate::keys::{Passphrase, PrivateKey, Signer};
use crate::lint::Finding;
use crate::store::ca_certificates::CaCertificates;
use crate::store::config::Config;
use crate::store::delivery;
use crate::store::delivery::{Files, KeyText, Place, Replaced};
use crate::store::effects::Effects;
use crate::store::entry_name::check_authority_name;
use crate::store::home::Home;
use crate::store::index::{Change, EntryId, Index, NewEntry, Origin};
use crate::store::passphrase_prompt::PassphrasePrompt;
use crate::system::files::{self, FolderLock, Ownership};
use crate::x509::{Certificate, GeneralName, KeyAlgorithm, PublicKey, SerialNumber};

/// Carries out an order.
///
/// # Errors
/// When it is refused by the template, the issuer or the state of the CA, or something fails. Nothing has been written
/// then, or the error says what was.
pub fn issue(
    home: &Home,
    mut order: Order,
    prompt: &mut PassphrasePrompt<'_>,
    effects: &Effects<'_>,
) -> Result<Outcome, IssueError> {
    let now = effects.now();
    let config = Config::load(home)?;
    let profile = request_inputs::profile(Some(home), &config, &order.template)?;
    order.name = request_inputs::plain_name(order.name, &profile)?;
    let authorities = CaCertificates::of(home);
    let facts = authorities.ca_certificate(&authorities.choose(order.issuer.as_deref(), &config)?)?;
    // The CA of somebody else's key is not one of ours, whoever signed it.
    let is_ours = profile.is_authority() && !matches!(order.key, SubjectKey::Requested(_));
    let place = order.place.clone().unwrap_or(if is_ours { Place::Authority } else { Place::Issued });
    if is_ours {
        check_authority_name(order.name.as_str())?;
    }
    let work = Work {
        home,
        now,
        profile: &profile,
        place: &place,
        order: &order,
        index: home.resolve(&config.index.location),
        effects,
    };

    // 1. A look without the lock: most runs of `--if-due` end here, and nobody is asked for a passphrase in vain.
    match order.existing {
        Existing::KeepUnlessDue(due) => {
            if let Some(unchanged) = work.unchanged(due)? {
                return Ok(unchanged);
            }
        }
        Existing::Refuse => work.refuse_taken()?,
        Existing::Replace => {}
    }

    // 2. The key, the wish, and everything that can be refused without signing.
    let mut generated = None;
    let (our_key, public_key) = match &order.key {
        SubjectKey::Generate(kind) => {
            let kind = kind.or(profile.keys.first().copied()).unwrap_or(KeyAlgorithm::EcdsaP256);
            let key: &PrivateKey = generated.insert(PrivateKey::generate(kind)?);
            (Some(key), key.public_key())
        }
        SubjectKey::Kept(key) => (Some(&**key), key.public_key()),
        SubjectKey::Requested(requested) => (None, requested.request.public_key()),
    };
    let request = work.request(&config, facts.name(), public_key)?;
    let trial = Draft::new(&profile, &request, SignedBy::Issuer(&facts), now, work.draw_serial()?)?;
    let clipped = order.clip && trial.validity.not_after == facts.end().1;
    if !matches!(order.key, SubjectKey::Generate(_)) {
        work.check_key(&Index::open_to_read(&work.index)?)?;
    }
    let comparison = work.compare_request(&trial, &facts)?;
    work.check_place()?;
    let ownership = Ownership::of(profile.files.owner.as_deref(), profile.files.group.as_deref())?;
    if order.dry_run {
        check_not_revoked(&facts, &Index::open_to_read(&work.index)?)?;
        let approved = issuance::approve(trial, Some(&facts))?;
        let draft = Box::new(approved.draft().clone());
        let outcome = work.outcome(Status::Planned, facts.name(), CertificateFacts::Draft(draft), approved.warnings);
        return Ok(Outcome { clipped, comparison, ..outcome });
    }

    // 3. The passphrase is worked through before the lock: it takes its time, and others wait for the lock.
    let key = authorities.key_file(facts.name())?;
    if key.is_encrypted() {
        // The caller is not asked for the passphrase of a revoked authority. The answer that counts comes under the lock.
        check_not_revoked(&facts, &Index::open_to_read(&work.index)?)?;
    }
    let (key, issuer_passphrase) = key.open(prompt)?;
    let issuer = Issuer::new(facts.clone(), key)?;
    let protection = if profile.is_authority() { issuer_passphrase } else { None };
    let protection = order.protection.as_ref().or(protection.as_ref());
    let key_text = our_key.map(|key| work.key_text(key, protection)).transpose()?;

    // 4. From here to the end nobody else changes this CA.
    let _lock = FolderLock::acquire(home.folder(), effects.lock_timeout)?;
    place.sweep(home, &order.name)?;
    // While we waited, the authority may have got another certificate or chain.
    let issuer = authorities.as_it_is_now(issuer)?;
    let mut index = Index::open(&work.index)?;
    check_not_revoked(issuer.ca_certificate(), &index)?;
    // Whoever runs it after the lock is given back need not open the index for it.
    let hook = hook::of(&index, order.name.as_str())?;
    let current = match work.settle(&mut index)? {
        Settled::Answer(outcome) => return Ok(Outcome { hook, ..*outcome }),
        Settled::Free => None,
        Settled::Replaces(serial) => Some(serial),
    };
    let has_own_files = work.check_folder(&index)?;
    // Again: it may have been revoked while we waited.
    work.check_key(&index)?;
    let delivery = place.begin(home, &order.name, key_text.as_ref(), ownership, effects.entropy)?;

    // 5. Signed, checked, recorded: one durable transaction.
    let mut change = index.change()?;
    let serial = unused_serial(profile.serial_octets, &change, effects.entropy)?;
    let (certificate, warnings) = work.sign(&issuer, &request, serial)?;
    let id = work.record(&mut change, &certificate, issuer.ca_certificate().name())?;
    change.commit()?;

    // 6. Only now may it leave the process.
    let chain = chain_below_root(&issuer);
    let current_text = current.as_ref().map(SerialNumber::to_string);
    let replaced = match current_text.as_deref() {
        Some(serial) => Replaced::Generation(serial),
        None if has_own_files || matches!(order.existing, Existing::Replace) => Replaced::Whatever,
        None => Replaced::Nothing,
    };
    let delivered = delivery.finish(key_text.as_ref(), &Files::new(&certificate, &chain), replaced, effects.entropy);
    delivered.map_err(|cause| IssueError::NotDelivered { serial: certificate.serial.to_string(), cause })?;
    index.mark_delivered(id, now)?;
    let outcome = work.outcome(
        Status::Issued,
        issuer.ca_certificate().name(),
        CertificateFacts::Certificate(Box::new(certificate)),
        warnings,
    );
    let key = generated.or(match order.key {
        SubjectKey::Kept(key) => Some(*key),
        SubjectKey::Generate(_) | SubjectKey::Requested(_) => None,
    });
    let in_memory = key.filter(|_| place == Place::Memory).map(|key| InMemory { chain, key });
    Ok(Outcome { clipped, in_memory, replaced: current, hook, ..outcome })
}

/// One order while it is carried out.
struct Work<'a> {
    home: &'a Home,
    now: OffsetDateTime,
    profile: &'a Profile,
    place: &'a Place,
    order: &'a Order,
    index: PathBuf,
    effects: &'a Effects<'a>,
}

impl Work<'_> {
    /// The wish, from flags, template and settings.
    fn request(&self, config: &Config, issuer: &str, public_key: &PublicKey) -> Result<CertificateRequest, IssueError> {
        Ok(CertificateRequest {
            name: self.order.name.to_string(),
            names: self.names()?,
            public_key: public_key.clone(),
            expiry: self.order.expiry,
            clip: self.order.clip,
            subject: self.order.subject.clone(),
            values: request_inputs::values(self.profile, &self.order.name, &self.order.set, config, Some(issuer))?,
        })
    }

    /// The subject alternative names. A request says itself which it asks for; NAME is only how its certificate is called.
    fn names(&self) -> Result<Vec<GeneralName>, IssueError> {
        if self.is_requested() {
            return Ok(self.order.names.clone());
        }
        Ok(request_inputs::names(self.profile, &self.order.name, &self.order.names)?)
    }

    fn draw_serial(&self) -> Result<SerialNumber, IssueError> {
        Ok(draw_serial(self.profile.serial_octets, self.effects.entropy)?)
    }

    fn key_text(&self, key: &PrivateKey, passphrase: Option<&Passphrase>) -> Result<KeyText, IssueError> {
        let mode = self.profile.files.mode.unwrap_or(files::SECRET);
        Ok(KeyText::new(key, passphrase, mode, self.effects.entropy)?)
    }

    fn sign(
        &self,
        issuer: &Issuer,
        request: &CertificateRequest,
        serial: SerialNumber,
    ) -> Result<(Certificate, Vec<Finding>), IssueError> {
        let draft = Draft::new(self.profile, request, SignedBy::Issuer(issuer.ca_certificate()), self.now, serial)?;
        let mut approved = issuance::approve(draft, Some(issuer.ca_certificate()))?;
        let warnings = std::mem::take(&mut approved.warnings);
        let certificate = judged(issuer.sign(approved)?, issuer.ca_certificate(), self.now)?;
        Ok((certificate, warnings))
    }

    fn record(
        &self,
        change: &mut Change<'_>,
        certificate: &Certificate,
        authority: &str,
    ) -> Result<EntryId, IssueError> {
        let place = match self.place {
            Place::Folder(folder) => Some(folder.as_path()),
            _ => None,
        };
        Ok(change.insert(&NewEntry {
            certificate,
            name: self.order.name.as_str(),
            template: &self.profile.name,
            authority,
            issued_at: self.now,
            origin: Origin::Issued,
            place,
            delivered_at: None,
        })?)
    }

    /// Refuses early what would stop the delivery: after the record, it would be too late for a clean refusal.
    fn check_place(&self) -> Result<(), IssueError> {
        if let Some(folder) = self.place.folder(self.home, &self.order.name)
            && delivery::is_no_folder(&folder)
        {
            return Err(IssueError::PlaceTaken(folder));
        }
        if let Place::Folder(folder) = self.place {
            delivery::is_replaceable(folder)?;
            if let SubjectKey::Requested(requested) = &self.order.key
                && let Some(path) = delivery::key_of_another(folder, requested.request.public_key())?
            {
                return Err(IssueError::KeyOfAnother(path));
            }
        }
        if let (Place::Folder(folder), Existing::Refuse) = (self.place, self.order.existing)
            && let Some(path) = delivery::in_the_way(folder, !self.is_requested())
            && !self.was_interrupted()?
        {
            return Err(IssueError::PlaceTaken(path));
        }
        Ok(())
    }

    /// Whether the key is somebody else's, so that no key file is written.
    fn is_requested(&self) -> bool {
        matches!(self.order.key, SubjectKey::Requested(_))
    }

    /// Nobody may have a certificate for a key that others have, nor for one of this CA's own.
    fn check_key(&self, index: &Index) -> Result<(), IssueError> {
        match &self.order.key {
            SubjectKey::Generate(_) => {}
            SubjectKey::Kept(key) => subject_key_checks::check_not_compromised(index, key.public_key(), self.now)?,
            SubjectKey::Requested(requested) => {
                subject_key_checks::check(self.home, index, requested.request.public_key(), self.now)?;
            }
        }
        Ok(())
    }

    /// What would become of everything that a request asks for, when there is one; refused here when it has to be exact.
    fn compare_request(&self, trial: &Draft, facts: &CaCertificate) -> Result<Option<Comparison>, IssueError> {
        let SubjectKey::Requested(requested) = &self.order.key else { return Ok(None) };
        let approved = issuance::approve(trial.clone(), Some(facts))?;
        let comparison = Comparison::of(&requested.request, approved.unsigned());
        if requested.exact && !comparison.is_exact() {
            return Err(IssueError::NotExact(comparison));
        }
        Ok(Some(comparison))
    }

    fn outcome(&self, status: Status, authority: &str, facts: CertificateFacts, warnings: Vec<Finding>) -> Outcome {
        let comparison = match (&self.order.key, &facts) {
            (SubjectKey::Requested(requested), CertificateFacts::Certificate(certificate)) => {
                Some(Comparison::of(&requested.request, certificate))
            }
            _ => None,
        };
        Outcome {
            comparison,
            status,
            name: self.order.name.clone(),
            template: self.profile.name.clone(),
            authority: authority.to_owned(),
            facts,
            paths: self.place.paths(self.home, &self.order.name, !self.is_requested()),
            warnings,
            in_memory: None,
            clipped: false,
            replaced: None,
            hook: None,
        }
    }
}
