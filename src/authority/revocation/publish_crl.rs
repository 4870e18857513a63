//! `crl`: signs the CRL of an authority from the index, and writes its files.
//!
//! The steps have the order of [`crate::authority::leaf::issue`]: every check and the derivation of the passphrase come
//! before the lock is taken. The number is recorded with the CRL before its files appear, so that a number is never
//! used twice. A process that is killed in between leaves the old files and a gap in the numbers, which RFC 5280 §5.2.3
//! allows.

use std::path::{Path, PathBuf};

use time::{Duration, OffsetDateTime};

use crate::authority::certify::commit_signed;
use crate::authority::revocation::carry_over::{
    self, CarriedOver, Published, PublishedFiles, single_der, small_number,
};
pub use crate::authority::revocation::crl_error::CrlError;
use crate::issuance::{CaCertificate, CrlDraft, Issuer, approve_crl};
use crate::store::Store;
use crate::store::approval::PlannedChange;
use crate::store::effects::Effects;
use crate::store::home::Home;
use crate::store::index::{Index, NewCrl, RecordedCrl};
use crate::store::passphrase_prompt::PassphrasePrompt;
use crate::store::restored::Restored;
use crate::system::files::{self, ExistingFile, FileError};
use crate::text::{Lifetime, Warning, rfc3339};
use crate::x509::{DistinguishedName, SerialNumber, digest, pem};

/// The clocks of clients are inexact, and a client rejects every certificate of the CA while its CRL is not valid yet.
const BACKDATE: Duration = Duration::minutes(10);

/// The options of `crl`.
#[derive(Debug, Default)]
pub struct CrlOrder {
    /// The authority whose CRL is signed; `None` for the default issuer.
    pub authority: Option<String>,
    /// The time until the next update; `None` for the setting in `ca.toml`.
    pub lifetime: Option<Lifetime>,
    /// True when a CRL is signed only if the current one is due.
    pub ensure: bool,
    /// The CRL number; `None` for the next one.
    pub number: Option<u64>,
    /// The path of a copy, DER when the name ends in `.der`, otherwise PEM; `None` for no copy.
    pub copy: Option<PathBuf>,
    /// Published CRLs of the authority that are compared with the index first. What only they name is carried over, and the
    /// next number is greater than theirs.
    pub compare: Vec<PathBuf>,
    /// The serial numbers to leave out, although a published CRL named them.
    pub forget: Vec<SerialNumber>,
}

/// The result of `crl`.
#[derive(Debug)]
pub struct CrlOutcome {
    pub status: CrlStatus,
    /// The time of the decision; the remaining lifetime of the CRL is counted from this time.
    pub at: OffsetDateTime,
    pub authority: String,
    pub issuer: DistinguishedName,
    pub number: u64,
    pub this_update: OffsetDateTime,
    pub next_update: OffsetDateTime,
    /// The number of revoked certificates in the CRL.
    pub revoked: u64,
    /// SHA-256 of the CRL.
    pub fingerprint: [u8; 32],
    pub pem: PathBuf,
    pub der: PathBuf,
    pub copy: Option<PathBuf>,
    /// What earlier CRLs named and the index did not have.
    pub carried_over: CarriedOver,
    /// What the user should know about the files that were replaced, as sentences.
    pub warnings: Vec<Warning>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CrlStatus {
    Signed(CrlReason),
    /// The current CRL is not due.
    Unchanged,
}

/// The reason why a CRL was signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CrlReason {
    Ordered,
    /// The authority had no CRL.
    First,
    /// A certificate was revoked, put on hold or released since the last CRL.
    Changed,
    /// Less than a third of the lifetime of the last CRL was left.
    Due,
    /// The files of the last CRL were missing or changed.
    Files,
    /// The latest CRL was signed while a clock was ahead.
    NotYetValid,
}

/// Signs the next CRL of an authority and writes its files.
///
/// # Errors
/// When the state of the CA does not allow it, or a step fails. Then nothing was written, or the error says what was.
pub fn publish(
    store: &Store,
    order: &CrlOrder,
    ask: &mut PassphrasePrompt<'_>,
    effects: &Effects<'_>,
) -> Result<CrlOutcome, CrlError> {
    let now = effects.now();
    let (home, config, authorities) = (store.home(), store.config(), store.ca_certificates());
    let facts = authorities.ca_certificate(&authorities.choose(order.authority.as_deref(), config)?)?;
    let compared = carry_over::greatest_number(&order.compare, &facts)?;
    let restored = Restored::read(home)?;
    let work = CrlPublication { home, now, order, authority: facts.name().to_owned(), compared, restored, effects };

    // 1. Every check, and the runs of --ensure that have nothing to do, so that the caller is not asked for a
    // passphrase in vain.
    let lifetime = order.lifetime.unwrap_or(config.crl.lifetime).as_duration();
    let next_update = now.checked_add(lifetime).filter(|end| end.year() <= 9999).ok_or(CrlError::BeyondAllDates)?;
    let index = store.index()?;
    if let Some(latest) = work.still_current(index)? {
        return work.unchanged(&facts, &latest);
    }
    work.check_copy()?;
    let number = work.next_number(index)?;
    if order.ensure || !order.forget.is_empty() || effects.approval.is_dry_run() {
        let trial = work.draft(&facts, index, number, next_update)?;
        let published = work.published(&facts, index, &trial)?;
        work.check(index, number, &published)?;
        if let (Some(latest), None) = work.reason(index, &trial, &published)?
            && order.compare.is_empty()
        {
            return work.unchanged(&facts, &latest);
        }
    } else {
        // Whether the authority may sign CRLs does not depend on the content of the CRL.
        CrlDraft::new(&facts, number, now, next_update, Vec::new())?;
        // Long CRLs are read here only when a passphrase would be typed in vain. The same check under the lock decides.
        if !authorities.key_file(facts.name()).is_ok_and(|key_file| !key_file.is_encrypted()) {
            work.check(index, number, &work.published_numbers(&facts, index)?)?;
        }
    }

    let change = PlannedChange::new(format!("sign the CRL of '{}'", work.authority)).fact("number", number);
    effects.approval.approve(change.fact("next update", rfc3339(next_update)))?;

    // 2. The passphrase is derived before the lock is taken, because this is slow.
    let (issuer, _) = authorities.unlock(facts, ask)?;

    // 3. From here to the end no other process changes this CA.
    let mut locked = store.lock(effects.lock_timeout)?;
    work.sweep()?;
    let index = locked.index()?;
    let number = work.next_number(index)?;
    let draft = work.draft(issuer.ca_certificate(), index, number, next_update)?;
    let published = work.published(issuer.ca_certificate(), index, &draft)?;
    work.check(index, number, &published)?;
    let outcome = match work.reason(index, &draft, &published)? {
        (Some(latest), None) => work.unchanged(issuer.ca_certificate(), &latest)?,
        (_, because) => {
            work.sign_and_publish(&issuer, index, draft, because.unwrap_or(CrlReason::Ordered), published)?
        }
    };
    work.note_compared(index)?;
    Ok(outcome)
}

struct CrlPublication<'a> {
    home: &'a Home,
    now: OffsetDateTime,
    order: &'a CrlOrder,
    authority: String,
    /// The greatest number of the CRLs that the user names; `None` when there is none.
    compared: Option<u64>,
    /// The record of a restore; `None` when the CA was never restored.
    restored: Option<Restored>,
    effects: &'a Effects<'a>,
}

impl CrlPublication<'_> {
    /// Returns the number of the next CRL. After a restore, the numbers of CRLs that may be published and are not in the
    /// index are left out.
    fn next_number(&self, index: &Index) -> Result<u64, CrlError> {
        let latest = index.latest_crl(&self.authority)?;
        let recorded = latest.as_ref().map_or(0, |crl| crl.number);
        let is_first_since =
            |restored: &&Restored| latest.as_ref().is_none_or(|crl| crl.signed_at < restored.restored_at);
        let usual = match (self.compared, self.restored.as_ref().filter(is_first_since)) {
            (Some(compared), _) => compared.max(recorded).saturating_add(1),
            (None, Some(restored)) => recorded.saturating_add(1).saturating_add(restored.numbers_to_skip()),
            (None, None) => recorded.saturating_add(1),
        };
        let next = self.order.number.unwrap_or(usual);
        if next > RecordedCrl::GREATEST_NUMBER {
            return Err(CrlError::NumberTooGreat(next));
        }
        if next <= recorded {
            let (authority, latest) = (self.authority.clone(), recorded);
            return Err(CrlError::NumberUsed { authority, number: next, latest });
        }
        Ok(next)
    }

    fn published_files<'b>(&'b self, facts: &'b CaCertificate, known: Option<[u8; 32]>) -> PublishedFiles<'b> {
        let own = [self.home.crl_der(&self.authority), self.home.crl_pem(&self.authority)];
        PublishedFiles { authority: facts, own, copy: self.order.copy.as_deref(), compare: &self.order.compare, known }
    }

    /// Records that the published CRLs were compared with the index of a restored CA.
    fn note_compared(&self, index: &Index) -> Result<(), CrlError> {
        if self.order.compare.is_empty() || self.restored.is_none() {
            return Ok(());
        }
        let with_crl: Vec<String> = index.latest_crls()?.into_iter().map(|crl| crl.authority).collect();
        Ok(Restored::note_compared(self.home, &self.authority, &with_crl, self.now, self.effects.entropy)?)
    }

    /// Returns what the published CRLs name and the index does not have: the index may be restored from an older copy, or
    /// damaged. A CRL that is the latest one of the index is read only when the next one has other entries.
    fn published(&self, facts: &CaCertificate, index: &Index, next: &CrlDraft) -> Result<Published, CrlError> {
        let latest = index.latest_crl(&self.authority)?;
        let known = latest.filter(|crl| crl.content == next.content_digest()).map(|crl| crl.fingerprint);
        self.published_files(facts, known).read(index, Some(&next.revoked))
    }

    /// Returns the numbers of the published CRLs that the index has not recorded as the latest one.
    fn published_numbers(&self, facts: &CaCertificate, index: &Index) -> Result<Published, CrlError> {
        let known = index.latest_crl(&self.authority)?.map(|crl| crl.fingerprint);
        self.published_files(facts, known).read(index, None)
    }

    /// Checks the number and what is to be forgotten against the published CRLs.
    fn check(&self, index: &Index, number: u64, published: &Published) -> Result<(), CrlError> {
        for crl in &published.crls {
            // With --ensure the copy may be of the current CRL, whose number is one less than the next number.
            if let Some(found) = crl.number.as_deref().filter(|found| numeric(found) >= numeric(&number.to_be_bytes()))
            {
                let (authority, path) = (self.authority.clone(), crl.path.clone());
                return Err(CrlError::NumberGoesBack { authority, next: number, found: shown(found), path });
            }
        }
        carry_over::check_forget(index, &self.authority, &published.missing, &self.order.forget)
    }

    fn draft(
        &self,
        facts: &CaCertificate,
        index: &Index,
        number: u64,
        next_update: OffsetDateTime,
    ) -> Result<CrlDraft, CrlError> {
        let this_update = (self.now - BACKDATE).max(facts.certificate().validity.not_before);
        let revoked = index.to_be_listed(&self.authority, self.now)?;
        Ok(CrlDraft::new(facts, number, this_update, next_update, revoked)?)
    }

    /// Returns the latest CRL when `--ensure` has nothing to do, without reading the entries of the CRL or of the index: both
    /// files have exactly the recorded CRL, it is not due, and the next one would have the same entries. `None` says that all of
    /// it has to be compared.
    fn still_current(&self, index: &Index) -> Result<Option<RecordedCrl>, CrlError> {
        let CrlOrder { ensure, copy, compare, .. } = self.order;
        if !ensure || copy.is_some() || !compare.is_empty() {
            return Ok(None);
        }
        let Some(latest) = index.latest_crl(&self.authority)?.filter(|latest| !latest.is_due(self.now)) else {
            return Ok(None);
        };
        let is_current = index.has_same_entries(&latest)? && self.is_in_place(&latest)?;
        Ok(Some(latest).filter(|_| is_current))
    }

    /// Returns the latest CRL, and the reason to sign another one. The reason is `None` only with `--ensure`.
    fn reason(
        &self,
        index: &Index,
        draft: &CrlDraft,
        published: &Published,
    ) -> Result<(Option<RecordedCrl>, Option<CrlReason>), CrlError> {
        let latest = index.latest_crl(&self.authority)?;
        let because = match &latest {
            _ if !self.order.ensure => Some(CrlReason::Ordered),
            None => Some(CrlReason::First),
            Some(list) if list.content != draft.content_digest() => Some(CrlReason::Changed),
            Some(_) if !published.missing.is_empty() => Some(CrlReason::Changed),
            Some(list) if list.is_from_the_future(self.now) => Some(CrlReason::NotYetValid),
            Some(list) if list.is_due(self.now) => Some(CrlReason::Due),
            Some(list) if !self.is_in_place(list)? => Some(CrlReason::Files),
            Some(_) => None,
        };
        Ok((latest, because))
    }

    /// Returns true when both files hold exactly this CRL.
    fn is_in_place(&self, list: &RecordedCrl) -> Result<bool, FileError> {
        let der = files::read_if_exists(&self.home.crl_der(&self.authority), files::MAX_FILE_BYTES)?;
        let Some(der) = der.filter(|der| digest::sha256(der) == list.fingerprint) else { return Ok(false) };
        let text = files::read_if_exists(&self.home.crl_pem(&self.authority), files::MAX_FILE_BYTES)?;
        Ok(text.is_some_and(|text| pem::is_encoded(&text, pem::CRL_LABEL, &der)))
    }

    /// Removes the temporary files that a killed process left.
    fn sweep(&self) -> Result<(), FileError> {
        files::remove_stale(self.home.folder())?;
        files::remove_stale(&self.home.authority(&self.authority))?;
        match self.order.copy.as_deref().and_then(Path::parent) {
            Some(folder) if !folder.as_os_str().is_empty() => files::remove_stale(folder),
            _ => Ok(()),
        }
    }

    /// Checks that a copy can be written. What is in its place is read with the other published CRLs.
    fn check_copy(&self) -> Result<(), CrlError> {
        let Some(path) = &self.order.copy else { return Ok(()) };
        Ok(files::check_place(path, ExistingFile::Replace)?)
    }

    fn sign_and_publish(
        &self,
        issuer: &Issuer<'_>,
        index: &mut Index,
        mut draft: CrlDraft,
        because: CrlReason,
        published: Published,
    ) -> Result<CrlOutcome, CrlError> {
        let mut transaction = index.transaction(self.effects.event_context())?;
        let Published { missing, warnings, .. } = published;
        let has_more = !missing.is_empty() || !self.order.forget.is_empty();
        let carried_over =
            carry_over::record(&mut transaction, issuer.ca_certificate(), missing, &self.order.forget, self.now)?;
        if has_more {
            draft = self.draft(issuer.ca_certificate(), &transaction, draft.number, draft.next_update)?;
        }
        let (number, this_update, next_update) = (draft.number, draft.this_update, draft.next_update);
        let (entries, content) = (draft.revoked.len(), draft.content_digest());
        let der = issuer.sign_crl(approve_crl(draft)?)?.der;
        let fingerprint = digest::sha256(&der);
        let last_revocation = transaction.last_revocation()?;
        let authority = self.authority.as_str();
        transaction.record_crl(&NewCrl {
            authority,
            number,
            signed_at: self.now,
            this_update,
            next_update,
            entries,
            last_revocation,
            content,
            fingerprint,
        })?;
        commit_signed(transaction, issuer)?;

        // The CRL may leave the process only after the record is durable.
        let published = self.write_files(&der).and_then(|()| self.write_copy(&der));
        published.map_err(|cause| CrlError::NotPublished { authority: authority.to_owned(), number, cause })?;
        index.mark_published(authority, number, self.now)?;
        let outcome = self.outcome(
            issuer.ca_certificate(),
            CrlStatus::Signed(because),
            (number, this_update, next_update),
            entries as u64,
            fingerprint,
        );
        Ok(CrlOutcome { carried_over, warnings, ..outcome })
    }

    fn write_files(&self, der: &[u8]) -> Result<(), FileError> {
        let text = pem::encode(pem::CRL_LABEL, der);
        let (text_path, der_path) = (self.home.crl_pem(&self.authority), self.home.crl_der(&self.authority));
        let both = [(text_path.as_path(), text.as_bytes()), (der_path.as_path(), der)];
        files::replace_files(&both, files::PUBLIC, self.effects.entropy)
    }

    fn write_copy(&self, der: &[u8]) -> Result<(), FileError> {
        let Some(path) = &self.order.copy else { return Ok(()) };
        let is_der = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("der"));
        let text = if is_der { String::new() } else { pem::encode(pem::CRL_LABEL, der) };
        let content = if is_der { der } else { text.as_bytes() };
        files::publish_file(path, content, files::PUBLIC, ExistingFile::Replace, self.effects.entropy)
    }

    /// Returns the outcome when the current CRL is kept; a copy of it is still updated.
    fn unchanged(&self, facts: &CaCertificate, list: &RecordedCrl) -> Result<CrlOutcome, CrlError> {
        if let Some(path) = &self.order.copy {
            let der = files::read(&self.home.crl_der(&self.authority), files::MAX_FILE_BYTES)?;
            let there = files::read_regular(path, files::MAX_FILE_BYTES)?.and_then(|stored| single_der(stored.content));
            if there.is_none_or(|there| there != der) {
                self.write_copy(&der)?;
            }
        }
        let times = (list.number, list.this_update, list.next_update);
        Ok(self.outcome(facts, CrlStatus::Unchanged, times, list.entries, list.fingerprint))
    }

    fn outcome(
        &self,
        facts: &CaCertificate,
        status: CrlStatus,
        (number, this_update, next_update): (u64, OffsetDateTime, OffsetDateTime),
        revoked: u64,
        fingerprint: [u8; 32],
    ) -> CrlOutcome {
        CrlOutcome {
            status,
            at: self.now,
            authority: self.authority.clone(),
            issuer: facts.subject().clone(),
            number,
            this_update,
            next_update,
            revoked,
            fingerprint,
            pem: self.home.crl_pem(&self.authority),
            der: self.home.crl_der(&self.authority),
            copy: self.order.copy.clone(),
            carried_over: CarriedOver::default(),
            warnings: Vec::new(),
        }
    }
}

/// Returns the sort key of a big-endian number of any length: a longer number is greater.
fn numeric(bytes: &[u8]) -> (usize, &[u8]) {
    let bytes = &bytes[bytes.iter().position(|byte| *byte != 0).unwrap_or(bytes.len())..];
    (bytes.len(), bytes)
}

/// Formats a CRL number in decimal, or in hexadecimal when it is longer than the numbers that this program assigns.
fn shown(number: &[u8]) -> String {
    match small_number(number) {
        Some(number) => number.to_string(),
        None => format!("0x{}", crate::text::hex(numeric(number).1)),
    }
}
