//! The name and folder that an order is for, and their current state: the name is taken, there is nothing to do, an
//! interrupted delivery is completed, or files are replaced.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use time::OffsetDateTime;

use crate::authority::error::CertifyError;
use crate::authority::issuer_chain::check_not_revoked;
use crate::authority::leaf::error::IssueError;
use crate::authority::leaf::file_access::FileAccess;
use crate::authority::leaf::follow::check_may_be_followed;
use crate::authority::leaf::hook::Hook;
use crate::authority::leaf::order::{
    CertificateFacts, ClosedWay, DueRule, IMPORTED, IfNameExists, InMemory, IssueOrder, IssueOutcome, IssueStatus,
    SubjectKey,
};
use crate::authority::leaf::request_inputs;
use crate::authority::leaf::state::{End, Fix, FoundState, WantedKey, WantedState, differences};
use crate::clients::Fact;
use crate::issuance::{Comparison, Profile, extension_rules};
use crate::keys::{PrivateKey, Signer};
use crate::lint::Finding;
use crate::store::certificate_folder::FolderState;
use crate::store::delivery::Destination;
use crate::store::index::{Entry, Index};
use crate::store::previous_certificates::{self, NameHistory};
use crate::store::{Effects, Store, certificate_folder};
use crate::text::shell_word;
use crate::x509::{Certificate, GeneralName, KeyAlgorithm, SerialNumber};

/// An order with its template, name and destination.
pub(crate) struct IssueTarget<'s> {
    pub store: &'s Store,
    pub now: OffsetDateTime,
    pub order: IssueOrder,
    pub profile: Arc<Profile>,
    pub place: Destination,
    pub access: FileAccess,
    /// The subject alternative names of the order. A CSR has its own; NAME is then only the name of its certificate in
    /// the index.
    pub names: Vec<GeneralName>,
}

/// The parts of an outcome beside the certificate.
#[derive(Default)]
pub(crate) struct Details {
    pub warnings: Vec<Finding>,
    pub client_facts: Vec<Fact>,
    pub in_memory: Option<InMemory>,
    pub clipped: bool,
    pub replaced: Option<SerialNumber>,
    pub comparison: Option<Comparison>,
    pub hook: Option<Hook>,
    pub closed_way: Option<ClosedWay>,
}

/// What the earlier certificates of the name mean for the order.
pub(crate) enum Settled {
    /// The order is already done, with this outcome.
    Answer(Box<IssueOutcome>),
    Free,
    /// The files of the certificate with this serial number are replaced.
    Replaces(SerialNumber),
}

/// What an interrupted run means for the order.
enum Interrupted {
    /// It made what is ordered.
    Answer(Box<IssueOutcome>),
    /// There was none, or it made something else. What the index knows of the name.
    Not(NameHistory),
}

impl<'s> IssueTarget<'s> {
    /// Combines an order with its template and destination.
    ///
    /// # Errors
    /// When the template uses NAME as a subject alternative name and it cannot be one.
    pub fn new(
        store: &'s Store,
        now: OffsetDateTime,
        order: IssueOrder,
        profile: Arc<Profile>,
        place: Destination,
        access: FileAccess,
    ) -> Result<Self, IssueError> {
        let names = match order.key {
            SubjectKey::Requested(_) => order.names.clone(),
            _ => request_inputs::names(&profile, &order.name, &order.names)?,
        };
        Ok(Self { store, now, order, profile, place, access, names })
    }

    /// Returns the folder of the files; `None` when they stay in memory.
    pub fn folder(&self) -> Option<PathBuf> {
        self.place.folder(self.store.home(), &self.order.name)
    }

    /// Returns true when the key is that of a CSR, so that no key file is written.
    pub fn is_requested(&self) -> bool {
        matches!(self.order.key, SubjectKey::Requested(_))
    }

    /// Splits the order from the key that was supplied or generated for the certificate.
    pub fn into_key(mut self, new_key: Option<PrivateKey>) -> (Option<PrivateKey>, Self) {
        let kept = match std::mem::replace(&mut self.order.key, SubjectKey::Generate(None)) {
            SubjectKey::Kept(key) => Some(*key),
            other => {
                self.order.key = other;
                None
            }
        };
        (new_key.or(kept), self)
    }

    /// Returns what the certificate has of everything that the CSR asked for; `None` without a CSR.
    pub fn comparison_with(&self, certificate: &Certificate) -> Option<Comparison> {
        match &self.order.key {
            SubjectKey::Requested(requested) => Some(Comparison::of(&requested.request, certificate)),
            _ => None,
        }
    }

    /// Returns the outcome of the order.
    pub fn outcome(
        &self,
        status: IssueStatus,
        authority: &str,
        facts: CertificateFacts,
        details: Details,
    ) -> IssueOutcome {
        let Details { warnings, client_facts, in_memory, clipped, replaced, comparison, hook, closed_way } = details;
        let extensions = match &facts {
            CertificateFacts::Certificate(certificate) => &certificate.extensions,
            CertificateFacts::Draft(draft) => &draft.extensions,
        };
        let left_out = extension_rules::left_out(&self.order.extensions, extensions);
        IssueOutcome {
            status,
            name: self.order.name.clone(),
            template: self.profile.name.clone(),
            authority: authority.to_owned(),
            facts,
            paths: self.place.paths(self.store.home(), &self.order.name, !self.is_requested()),
            warnings,
            client_facts,
            in_memory,
            left_out,
            clipped,
            replaced,
            comparison,
            hook,
            file_rules: self.access.wanted.clone(),
            closed_way,
        }
    }

    /// Returns the outcome when the existing certificate already satisfies the order.
    fn answer(
        &self,
        status: IssueStatus,
        entry: &Entry,
        certificate: Certificate,
        replaced: Option<SerialNumber>,
        hook: Option<Hook>,
    ) -> IssueOutcome {
        let comparison = self.comparison_with(&certificate);
        let details = Details { replaced, comparison, hook, ..Details::default() };
        self.outcome(status, &entry.authority, CertificateFacts::Certificate(Box::new(certificate)), details)
    }

    /// Returns the command for a certificate that shows the name of this order, under another NAME in the index.
    fn under_another_name(&self) -> String {
        let (name, template) = (self.order.name.as_str(), self.profile.name.as_str());
        let other = shell_word(&format!("{name}-{template}"));
        let (shown, template) = (shell_word(name), shell_word(template));
        if self.is_requested() {
            return format!("ca sign REQUEST --template {template} --name {other}");
        }
        // Where NAME is a subject alternative name, another one of the names is NAME.
        match self.names.iter().any(|known| known.value() == name) {
            true => format!("ca issue {template} NAME --san {shown}, where NAME is another name of the same host"),
            false => format!("ca issue {template} {other} --subject common-name={shown}"),
        }
    }

    /// Rejects a name that is clearly taken; the check under the lock decides. The index is opened only when the folder
    /// has files, so that a new name does not pay for it.
    pub fn refuse_taken(&self) -> Result<(), IssueError> {
        if self.folder().is_some_and(|folder| folder.exists())
            && let Some(entry) = self.recorded_in(self.store.index()?)?
        {
            return Err(self.taken(entry));
        }
        Ok(())
    }

    /// Returns the outcome when the index and the files show a certificate that is not due; `None` when there is none.
    pub fn unchanged(&self, due: DueRule) -> Result<Option<IssueOutcome>, IssueError> {
        let index = self.store.index()?;
        let Some(entry) = self.recorded_in(index)? else { return Ok(None) };
        let good = self.good_for_longer(&entry, due, index)?;
        Ok(good.map(|certificate| self.answer(IssueStatus::Unchanged, &entry, certificate, None, None)))
    }

    /// Decides under the lock what the name's earlier certificates and an interrupted delivery mean for this order.
    pub fn settle(&self, index: &mut Index, hook: &Option<Hook>, effects: &Effects<'_>) -> Result<Settled, IssueError> {
        let name_history = match self.finish_interrupted(index, hook, effects)? {
            Interrupted::Answer(outcome) => return Ok(Settled::Answer(outcome)),
            Interrupted::Not(name_history) => name_history,
        };
        let Some(entry) = self.delivered(&name_history, index)? else {
            return match self.folder() {
                Some(folder) if !matches!(self.place, Destination::Folder(_)) && folder.exists() => {
                    Err(IssueError::PlaceTaken(folder))
                }
                _ => Ok(Settled::Free),
            };
        };
        match self.order.existing {
            _ if self.place == Destination::Memory => return Ok(Settled::Free),
            IfNameExists::Refuse => return Err(self.taken(entry)),
            // Another process may have renewed it while this one waited for the lock.
            IfNameExists::KeepUnlessDue(due) => {
                if let Some(certificate) = self.good_for_longer(&entry, due, index)? {
                    let outcome = self.answer(IssueStatus::Unchanged, &entry, certificate, None, hook.clone());
                    return Ok(Settled::Answer(Box::new(outcome)));
                }
            }
            IfNameExists::Replace => {}
        }
        if self.place == Destination::Authority {
            return Err(IssueError::AuthorityKept(entry.name));
        }
        let in_place = name_history.in_place(self.store.home(), &self.order.name).unwrap_or(&entry);
        if let Some(followed) = &self.order.follows {
            self.check_is_like(in_place, followed)?;
        }
        Ok(Settled::Replaces(in_place.serial.clone()))
    }

    /// Completes the run of a process that was killed between its record and its report. If its files were deployed,
    /// only the mark was missing, and this run sets it. If not, the certificate stays in the index, its key is lost,
    /// and this run issues another one.
    fn finish_interrupted(
        &self,
        index: &mut Index,
        hook: &Option<Hook>,
        effects: &Effects<'_>,
    ) -> Result<Interrupted, IssueError> {
        let name = &self.order.name;
        let mut name_history = previous_certificates::recover(self.store.home(), index, name, effects)?;
        let undelivered = |name_history: &NameHistory| {
            name_history.certificates.last().filter(|newest| newest.delivered_at.is_none()).cloned()
        };
        // Another machine may be about to deliver it.
        let mut entry = undelivered(&name_history);
        if entry.is_some() && index.wait_for_deliveries(effects.lock_timeout)? {
            name_history = NameHistory::of(index, name.as_str())?;
            entry = undelivered(&name_history);
        }
        let Some(entry) = entry else { return Ok(Interrupted::Not(name_history)) };
        let certificate = index.certificate(&entry)?;
        let Some(folder) = self.folder() else { return Ok(Interrupted::Not(name_history)) };
        // A certificate that was signed for a CSR has no key file, and this order may be a different one.
        if !certificate_folder::holds_public(&folder, &certificate)? {
            return Ok(Interrupted::Not(name_history));
        }
        index.mark_delivered(entry.id, self.now)?;
        let name_history = NameHistory::of(index, name.as_str())?;
        let replaced = name_history.before(&entry).map(|before| before.serial.clone());
        let is_wanted = match self.order.existing {
            IfNameExists::Refuse => self.is_as_ordered(&certificate)? && self.are_all_in(&folder, &certificate)?,
            // The mark may have been missing for long, so a certificate that is due by now is replaced.
            IfNameExists::KeepUnlessDue(due) => self.good_for_longer(&entry, due, index)?.is_some(),
            // The existing certificate is replaced in any case, because it may be for a key that this run has to stop
            // using.
            IfNameExists::Replace => false,
        };
        if entry.template != self.profile.name || !is_wanted {
            return Ok(Interrupted::Not(name_history));
        }
        let outcome = self.answer(IssueStatus::Issued, &entry, certificate, replaced, hook.clone());
        Ok(Interrupted::Answer(Box::new(outcome)))
    }

    /// As [`delivered`](Self::delivered), of what the index knows now.
    fn recorded_in(&self, index: &Index) -> Result<Option<Entry>, IssueError> {
        self.delivered(&NameHistory::of(index, self.order.name.as_str())?, index)
    }

    /// Returns the record of the certificate of this name that is deployed; `None` when there is none.
    fn delivered(&self, name_history: &NameHistory, index: &Index) -> Result<Option<Entry>, IssueError> {
        let is_of_another = |entry: &&Entry| ![self.profile.name.as_str(), IMPORTED].contains(&entry.template.as_str());
        if let Some(other) = name_history.certificates.iter().find(is_of_another)
            // A manifest may give a name another template.
            && self.order.declaration.is_none()
            && index.declaration(self.order.name.as_str())?.is_none()
        {
            return Err(IssueError::OtherTemplate {
                name: other.name.clone(),
                template: other.template.clone(),
                command: self.under_another_name(),
            });
        }
        Ok(name_history.recorded().cloned())
    }

    /// Returns true when a process recorded a certificate for this name and did not mark its files as delivered.
    pub fn was_interrupted(&self) -> Result<bool, IssueError> {
        let history = self.store.index()?.history(self.order.name.as_str())?;
        Ok(history.last().is_some_and(|entry| entry.delivered_at.is_none()))
    }

    /// Checks, under the lock, that the files in a folder of the user's may be replaced: with `--force`; when they belong
    /// to this name, including the files that a killed process left; by a renewal when the folder has no certificate of a
    /// third party. Returns true when files of this name are replaced without `--force` and without a renewal.
    pub fn check_folder(&self, index: &Index) -> Result<bool, IssueError> {
        let Destination::Folder(folder) = &self.place else { return Ok(false) };
        let with_key = !self.is_requested();
        let is_forced = matches!(self.order.existing, IfNameExists::Replace) && self.order.follows.is_none();
        if certificate_folder::in_the_way(folder, with_key).is_none() || is_forced {
            return Ok(false);
        }
        let history = index.history(self.order.name.as_str())?;
        let own: Vec<_> = history.iter().map(|entry| index.certificate(entry)).collect::<Result<_, _>>()?;
        if matches!(self.order.existing, IfNameExists::Replace) {
            // A new key fixes a key file that does not match, but a file with another certificate belongs to a third
            // party.
            return match certificate_folder::other_certificate(folder, &own) {
                Some(path) => Err(IssueError::OtherCertificate(path)),
                None => Ok(false),
            };
        }
        match certificate_folder::file_of_another(folder, &own, with_key)? {
            Some(path) => Err(IssueError::PlaceTaken(path)),
            None => Ok(true),
        }
    }

    /// Checks, under the lock, that the order would be the same if it were made from the certificate that is deployed
    /// now. Another process may have replaced or revoked the certificate in the meantime.
    fn check_is_like(&self, in_place: &Entry, followed: &Entry) -> Result<(), IssueError> {
        let keeps_key = matches!(self.order.key, SubjectKey::Kept(_));
        check_may_be_followed(in_place, keeps_key)?;
        let order_of = |entry: &Entry| {
            let Entry { subject, sans, authority, place, validity, key_fingerprint, .. } = entry.clone();
            (subject, sans, authority, place, validity.length(), keeps_key.then_some(key_fingerprint))
        };
        if order_of(in_place) == order_of(followed) {
            Ok(())
        } else {
            Err(IssueError::Overtaken(in_place.name.clone()))
        }
    }

    fn taken(&self, entry: Entry) -> IssueError {
        if self.place == Destination::Authority {
            return IssueError::AuthorityKept(entry.name);
        }
        let until = entry.validity.not_after;
        IssueError::NameTaken { name: entry.name, template: entry.template, until, by_request: self.is_requested() }
    }

    /// Returns the existing certificate when no new one is needed: nothing distinguishes it from the order ([`differences`]) but
    /// what is only recorded, and no authority above it is revoked. `None` when a new one is needed.
    fn good_for_longer(&self, entry: &Entry, due: DueRule, index: &Index) -> Result<Option<Certificate>, IssueError> {
        // This difference alone is enough: the files of one that is due need not be read.
        if due.is_due(entry.validity, self.now) {
            return Ok(None);
        }
        let certificate = index.certificate(entry)?;
        let (key, chosen) = match &self.order.key {
            SubjectKey::Generate(wanted) => {
                let wanted = wanted.or(self.profile.keys.first().copied());
                (WantedKey::Kind(wanted.map(KeyAlgorithm::name)), self.chosen_issuer()?)
            }
            SubjectKey::Kept(key) => (WantedKey::Fingerprint(key.public_key().fingerprint()), None),
            SubjectKey::Requested(requested) => {
                (WantedKey::Fingerprint(requested.request.public_key().fingerprint()), self.chosen_issuer()?)
            }
        };
        let recorded = match &self.order.declaration {
            Some(_) => index.declaration(self.order.name.as_str())?,
            None => None,
        };
        let wanted = WantedState {
            template: &self.profile.name,
            names: &self.names,
            key,
            issuer: chosen.as_deref(),
            due,
            file_rules: &self.access.wanted,
            declaration: self.order.declaration.as_ref(),
        };
        let found = FoundState {
            template: &entry.template,
            names: certificate.names().iter().map(GeneralName::to_string).collect(),
            key_kind: Some(certificate.public_key.kind().to_string()),
            key_fingerprint: entry.key_fingerprint,
            authority: &entry.authority,
            end: entry.revocation.is_some().then_some(End::Revoked),
            validity: certificate.validity,
            folder: self.folder().map(|folder| self.folder_state(&folder, &certificate)),
            file_rules: &self.access.remembered,
            declaration: recorded.as_ref(),
        };
        let differences = differences(&wanted, &found, self.now);
        let is_good = differences.iter().all(|difference| difference.fix() == Fix::Record);
        let is_good = is_good && self.is_issuer_good(entry, &certificate, index)?;
        Ok(is_good.then_some(certificate))
    }

    /// Returns the authority that an order for a new certificate names, or the one that replaced it; `None` when any will do.
    fn chosen_issuer(&self) -> Result<Option<String>, IssueError> {
        let order = &self.order;
        if order.follows.is_some() || (order.issuer.is_none() && order.declaration.is_none()) {
            return Ok(None);
        }
        Ok(Some(self.store.ca_certificates().choose_issuer(order.issuer.as_deref(), self.store.config())?))
    }

    /// Returns true when the signing authority is not revoked, or is no longer in this CA directory.
    fn is_issuer_good(&self, entry: &Entry, certificate: &Certificate, index: &Index) -> Result<bool, IssueError> {
        let Ok(issuer) = self.store.ca_certificates().ca_certificate(&entry.authority) else { return Ok(true) };
        if *issuer.subject() != certificate.issuer {
            return Ok(true);
        }
        match check_not_revoked(&issuer, index) {
            Ok(()) => Ok(true),
            Err(CertifyError::RevokedIssuer { .. }) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Returns true when the certificate has the same names and kind of key as the order.
    fn is_as_ordered(&self, certificate: &Certificate) -> Result<bool, IssueError> {
        let wanted = &self.names;
        let same_names =
            wanted.len() == certificate.names().len() && wanted.iter().all(|name| certificate.names().contains(name));
        let kind = certificate.public_key.kind().to_string();
        let same_key = match &self.order.key {
            SubjectKey::Generate(wanted) => {
                wanted.or(self.profile.keys.first().copied()).is_none_or(|wanted| wanted.name() == kind)
            }
            SubjectKey::Kept(key) => *key.public_key() == certificate.public_key,
            SubjectKey::Requested(requested) => *requested.request.public_key() == certificate.public_key,
        };
        Ok(same_names && same_key)
    }

    /// Returns true when the folder has all files that this order writes.
    fn are_all_in(&self, folder: &Path, certificate: &Certificate) -> Result<bool, IssueError> {
        if self.is_requested() {
            Ok(certificate_folder::holds_public(folder, certificate)?)
        } else {
            Ok(certificate_folder::holds(folder, certificate)?)
        }
    }

    /// Returns what is missing of the files that this order writes. A folder that cannot be read has none.
    fn folder_state(&self, folder: &Path, certificate: &Certificate) -> FolderState {
        if certificate.is_ca() {
            return match self.are_all_in(folder, certificate) {
                Ok(true) => FolderState::default(),
                _ => FolderState::empty(true),
            };
        }
        let (fingerprint, key) = (certificate.fingerprint(), certificate.public_key.fingerprint());
        let with_key = !self.is_requested();
        FolderState::read(folder, &fingerprint, &key, with_key).unwrap_or_else(|_| FolderState::empty(with_key))
    }
}
