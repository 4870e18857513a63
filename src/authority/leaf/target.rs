//! The name and the place that an order is for, and what there is of them already: the name is taken, there is nothing to do, a
//! run that died is ended, or files are replaced.

use std::path::{Path, PathBuf};

use time::OffsetDateTime;

use crate::authority::error::CertifyError;
use crate::authority::issuer_chain::check_not_revoked;
use crate::authority::leaf::error::IssueError;
use crate::authority::leaf::follow::check_may_be_followed;
use crate::authority::leaf::hook::Hook;
use crate::authority::leaf::order::{
    CertificateFacts, DueRule, IfNameExists, InMemory, IssueOrder, IssueOutcome, IssueStatus, SubjectKey,
};
use crate::authority::leaf::request_inputs;
use crate::issuance::{Comparison, Profile};
use crate::keys::{PrivateKey, Signer};
use crate::lint::Finding;
use crate::store::certificate_folder;
use crate::store::delivery::Destination;
use crate::store::index::{Entry, Index};
use crate::store::previous_certificates::{self, Standing};
use crate::store::{Effects, Store};
use crate::x509::{Certificate, GeneralName, SerialNumber};

/// An order with its template, and the name and place that it is for.
pub(crate) struct IssueTarget<'s> {
    pub store: &'s Store,
    pub now: OffsetDateTime,
    pub order: IssueOrder,
    pub profile: Profile,
    pub place: Destination,
    /// The subject alternative names. A CSR says itself which it asks for; NAME is only how its certificate is called.
    pub names: Vec<GeneralName>,
}

/// What an outcome says beside the certificate.
#[derive(Default)]
pub(crate) struct Details {
    pub warnings: Vec<Finding>,
    pub in_memory: Option<InMemory>,
    pub clipped: bool,
    pub replaced: Option<SerialNumber>,
    pub comparison: Option<Comparison>,
    pub hook: Option<Hook>,
}

/// What the certificates of this name allow.
pub(crate) enum Settled {
    /// The question is answered already.
    Answer(Box<IssueOutcome>),
    Free,
    /// The files of the certificate with this serial number are replaced.
    Replaces(SerialNumber),
}

impl<'s> IssueTarget<'s> {
    /// Joins an order with its template and place.
    ///
    /// # Errors
    /// When NAME is to be a subject alternative name and cannot be one.
    pub fn new(
        store: &'s Store,
        now: OffsetDateTime,
        order: IssueOrder,
        profile: Profile,
        place: Destination,
    ) -> Result<Self, IssueError> {
        let names = match order.key {
            SubjectKey::Requested(_) => order.names.clone(),
            _ => request_inputs::names(&profile, &order.name, &order.names)?,
        };
        Ok(Self { store, now, order, profile, place, names })
    }

    /// The folder of the files; `None` when they stay in memory.
    pub fn folder(&self) -> Option<PathBuf> {
        self.place.folder(self.store.home(), &self.order.name)
    }

    /// Whether the key is that of a CSR, so that no key file is written.
    pub fn is_requested(&self) -> bool {
        matches!(self.order.key, SubjectKey::Requested(_))
    }

    /// Parts with the key that was given or made for the certificate.
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

    /// What became of everything that the CSR asked for; `None` without a CSR.
    pub fn comparison_with(&self, certificate: &Certificate) -> Option<Comparison> {
        match &self.order.key {
            SubjectKey::Requested(requested) => Some(Comparison::of(&requested.request, certificate)),
            _ => None,
        }
    }

    /// The outcome of the order.
    pub fn outcome(
        &self,
        status: IssueStatus,
        authority: &str,
        facts: CertificateFacts,
        details: Details,
    ) -> IssueOutcome {
        let Details { warnings, in_memory, clipped, replaced, comparison, hook } = details;
        IssueOutcome {
            status,
            name: self.order.name.clone(),
            template: self.profile.name.clone(),
            authority: authority.to_owned(),
            facts,
            paths: self.place.paths(self.store.home(), &self.order.name, !self.is_requested()),
            warnings,
            in_memory,
            clipped,
            replaced,
            comparison,
            hook,
        }
    }

    /// The outcome when the certificate that is there already is the answer.
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

    /// Refuses a name that is plainly taken; the answer that counts comes under the lock. The index is opened only when
    /// there is something in the place of the files, so that a new name pays nothing for it.
    pub fn refuse_taken(&self) -> Result<(), IssueError> {
        if self.folder().is_some_and(|folder| folder.exists())
            && let Some((entry, certificate)) = self.delivered(self.store.index()?)?
        {
            return Err(self.taken(entry, &certificate));
        }
        Ok(())
    }

    /// Whether there is one that is not due, by a look at the index and the files.
    pub fn unchanged(&self, due: DueRule) -> Result<Option<IssueOutcome>, IssueError> {
        let index = self.store.index()?;
        match self.delivered(index)? {
            Some((entry, certificate)) if self.is_good_for_longer(&entry, &certificate, due, index)? => {
                Ok(Some(self.answer(IssueStatus::Unchanged, &entry, certificate, None, None)))
            }
            _ => Ok(None),
        }
    }

    /// Under the lock: what the name's earlier certificates mean for this order, and what an interrupted run left.
    pub fn settle(&self, index: &mut Index, hook: &Option<Hook>, effects: &Effects<'_>) -> Result<Settled, IssueError> {
        if let Some(outcome) = self.finish_interrupted(index, hook, effects)? {
            return Ok(Settled::Answer(Box::new(outcome)));
        }
        let Some((entry, certificate)) = self.delivered(index)? else {
            return match self.folder() {
                Some(folder) if !matches!(self.place, Destination::Folder(_)) && folder.exists() => {
                    Err(IssueError::PlaceTaken(folder))
                }
                _ => Ok(Settled::Free),
            };
        };
        match self.order.existing {
            _ if self.place == Destination::Memory => Ok(Settled::Free),
            IfNameExists::Refuse => Err(self.taken(entry, &certificate)),
            // Another process may have renewed it while we waited for the lock.
            IfNameExists::KeepUnlessDue(due) if self.is_good_for_longer(&entry, &certificate, due, index)? => {
                let outcome = self.answer(IssueStatus::Unchanged, &entry, certificate, None, hook.clone());
                Ok(Settled::Answer(Box::new(outcome)))
            }
            _ if self.place == Destination::Authority => Err(IssueError::AuthorityKept(entry.name)),
            _ => {
                let standing = Standing::of(index, self.order.name.as_str(), self.now)?;
                let in_place = standing.in_place(self.store.home(), &self.order.name).unwrap_or(&entry);
                if let Some(followed) = &self.order.follows {
                    self.check_is_like(in_place, followed)?;
                }
                Ok(Settled::Replaces(in_place.serial.clone()))
            }
        }
    }

    /// A run that died between its record and its report: if its files came into place it only lacked the mark, and this
    /// run ends it; if not, its certificate stays in the book, its key is gone, and this run begins anew.
    fn finish_interrupted(
        &self,
        index: &mut Index,
        hook: &Option<Hook>,
        effects: &Effects<'_>,
    ) -> Result<Option<IssueOutcome>, IssueError> {
        previous_certificates::recover(self.store.home(), index, &self.order.name, self.now, effects.entropy)?;
        let history = index.history(self.order.name.as_str(), self.now)?;
        let Some(entry) = history.into_iter().next_back().filter(|entry| entry.delivered_at.is_none()) else {
            return Ok(None);
        };
        let certificate = index.certificate(&entry)?;
        let Some(folder) = self.folder() else { return Ok(None) };
        // A certificate that was signed for a request has no key file, and this order may be another one.
        if !certificate_folder::holds_public(&folder, &certificate)? {
            return Ok(None);
        }
        index.mark_delivered(entry.id, self.now)?;
        let standing = Standing::of(index, self.order.name.as_str(), self.now)?;
        let replaced = standing.before(&entry).map(|before| before.serial.clone());
        let is_wanted = match self.order.existing {
            IfNameExists::Refuse => self.is_as_ordered(&certificate)? && self.are_all_in(&folder, &certificate)?,
            // The mark may have been missing for long: what is due by now is replaced.
            IfNameExists::KeepUnlessDue(due) => self.is_good_for_longer(&entry, &certificate, due, index)?,
            // Whatever is there: it may be for a key that this run was told to leave behind.
            IfNameExists::Replace => false,
        };
        if entry.template != self.profile.name || !is_wanted {
            return Ok(None);
        }
        Ok(Some(self.answer(IssueStatus::Issued, &entry, certificate, replaced, hook.clone())))
    }

    /// The certificate of this name that is in place.
    fn delivered(&self, index: &Index) -> Result<Option<(Entry, Certificate)>, IssueError> {
        let standing = Standing::of(index, self.order.name.as_str(), self.now)?;
        if let Some(other) = standing.history.iter().find(|entry| entry.template != self.profile.name) {
            return Err(IssueError::OtherTemplate { name: other.name.clone(), template: other.template.clone() });
        }
        let Some(entry) = standing.recorded().cloned() else { return Ok(None) };
        let certificate = index.certificate(&entry)?;
        Ok(Some((entry, certificate)))
    }

    /// Whether a run for this name has recorded its certificate, and not said that the files are in place.
    pub fn was_interrupted(&self) -> Result<bool, IssueError> {
        let history = self.store.index()?.history(self.order.name.as_str(), self.now)?;
        Ok(history.last().is_some_and(|entry| entry.delivered_at.is_none()))
    }

    /// Under the lock: files in a folder of the user's give way by `--force`, or when they are this name's own, among them
    /// what a run left that died; to a renewal when no certificate of somebody else stands there. Whether there are such.
    pub fn check_folder(&self, index: &Index) -> Result<bool, IssueError> {
        let Destination::Folder(folder) = &self.place else { return Ok(false) };
        let with_key = !self.is_requested();
        let is_forced = matches!(self.order.existing, IfNameExists::Replace) && self.order.follows.is_none();
        if certificate_folder::in_the_way(folder, with_key).is_none() || is_forced {
            return Ok(false);
        }
        let history = index.history(self.order.name.as_str(), self.now)?;
        let own: Vec<_> = history.iter().map(|entry| index.certificate(entry)).collect::<Result<_, _>>()?;
        if matches!(self.order.existing, IfNameExists::Replace) {
            // A new key is the cure for one that does not fit; but what has a certificate of its own is somebody else's.
            return match certificate_folder::other_certificate(folder, &own) {
                Some(path) => Err(IssueError::Foreign(path)),
                None => Ok(false),
            };
        }
        match certificate_folder::file_of_another(folder, &own, with_key)? {
            Some(path) => Err(IssueError::PlaceTaken(path)),
            None => Ok(true),
        }
    }

    /// Under the lock: whether an order that was made from one certificate would be made the same from the one that is in
    /// place by now, which another process may have brought, or somebody revoked.
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

    fn taken(&self, entry: Entry, certificate: &Certificate) -> IssueError {
        if self.place == Destination::Authority {
            return IssueError::AuthorityKept(entry.name);
        }
        let until = certificate.validity.not_after;
        IssueError::NameTaken { name: entry.name, template: entry.template, until, by_request: self.is_requested() }
    }

    /// Whether there is no need for another one: it has enough of its life left, is in place and as ordered, and neither it
    /// nor an authority above it is revoked.
    fn is_good_for_longer(
        &self,
        entry: &Entry,
        certificate: &Certificate,
        due: DueRule,
        index: &Index,
    ) -> Result<bool, IssueError> {
        let left = certificate.validity.not_after - self.now;
        let wanted = match due {
            DueRule::LastThird => certificate.validity.length() / 3,
            DueRule::Within(within) => within.as_duration(),
        };
        let folder = self.folder();
        let is_in_place = folder.is_none_or(|folder| self.are_all_in(&folder, certificate).unwrap_or(false));
        let is_good = left > wanted && entry.revocation.is_none() && is_in_place && self.is_as_ordered(certificate)?;
        Ok(is_good && self.is_issuer_good(entry, certificate, index)?)
    }

    /// Whether the authority that signed it still stands. One that is not here any more says nothing against it.
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

    /// The same names and the same kind of key.
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

    /// Whether all files that this order asks for are in a folder.
    fn are_all_in(&self, folder: &Path, certificate: &Certificate) -> Result<bool, IssueError> {
        if self.is_requested() {
            Ok(certificate_folder::holds_public(folder, certificate)?)
        } else {
            Ok(certificate_folder::holds(folder, certificate)?)
        }
    }
}
