//! `revoke`: revokes certificates before they expire, puts them on hold, or releases them.
//!
//! Only the index changes, and a revocation is durable when this returns. Clients see the CRL of the authority, which
//! [`crate::authority::revocation::publish_crl`] signs from the index.

use std::path::PathBuf;

use time::OffsetDateTime;

use crate::authority::revocation::unrecorded::Unrecorded;
use crate::authority::signed_by::is_root;
use crate::store::approval::PlannedChange;
use crate::store::effects::Effects;
use crate::store::index::{Entry, Filter, Index, Reference, Revocation, Transaction};
use crate::store::{Store, StoreError};
use crate::system::files;
use crate::text::{self, Diagnosis, Diagnostic, PathText, rfc3339, shell_word};
use crate::x509::crl::RevocationReason;
use crate::x509::{Certificate, SerialNumber};

/// The options of `revoke`.
#[derive(Debug)]
pub struct RevokeOrder {
    pub target: RevokeTarget,
    /// True when the order is for every live certificate of the name; for a serial number or a file, of the name of
    /// that certificate.
    pub all: bool,
    /// [`RevocationReason::CertificateHold`] puts a certificate on hold, [`RevocationReason::RemoveFromCrl`] releases
    /// it.
    pub reason: RevocationReason,
    /// The time since which the key is suspected (RFC 5280 §5.3.2); `None` when it is not known.
    pub invalid_since: Option<OffsetDateTime>,
}

/// The certificates that the order selects.
#[derive(Debug)]
pub enum RevokeTarget {
    /// A NAME or a SERIAL.
    Reference(Reference),
    /// The certificate in a file.
    Certificate { path: PathBuf, certificate: Box<Certificate> },
    /// All certificates for the key in a file.
    Key { path: PathBuf, fingerprint: [u8; 32] },
}

/// The result of `revoke`.
#[derive(Debug)]
pub struct RevokeOutcome {
    pub action: RevokeAction,
    /// The selected certificates with their new status.
    pub certificates: Vec<Entry>,
    /// The authorities whose CRLs have to be signed again, each once.
    pub authorities: Vec<String>,
    /// True when a certificate was recorded whose signature is one over SHA-1.
    pub is_over_sha1: bool,
}

/// The kind of change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RevokeAction {
    Revoked,
    Held,
    Released,
}

/// The reason why nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum RevokeError {
    #[error(transparent)]
    Store(StoreError),
    #[error("'{}' (serial {serial}) is revoked already, since {} ({})", text::escape(name), rfc3339(revocation.at), revocation.reason.name())]
    AlreadyRevoked { name: String, serial: SerialNumber, revocation: Revocation },
    #[error("'{}' (serial {serial}) is on hold already, since {}", text::escape(name), rfc3339(*since))]
    AlreadyHeld { name: String, serial: SerialNumber, since: OffsetDateTime },
    #[error("'{}' (serial {serial}) is not on hold, so there is nothing to release", text::escape(name))]
    NotHeld { name: String, serial: SerialNumber },
    #[error("'{}' (serial {serial}) is revoked permanently, since {} ({}); only a hold can be released (RFC \
         5280 §5.3.1)", text::escape(name), rfc3339(revocation.at), revocation.reason.name())]
    Final { name: String, serial: SerialNumber, revocation: Revocation },
    #[error("'{}' has {} live certificates", text::escape(name), entries.len())]
    Several { name: String, entries: Vec<Entry> },
    #[error("every certificate of '{}' has expired; the last one at {}", text::escape(name), rfc3339(*ended))]
    Ended { name: String, serial: SerialNumber, ended: OffsetDateTime },
    #[error("'{}' is self-signed, so no CRL can revoke it", text::escape(.0))]
    Root(String),
    #[error("the certificate in {} (serial {serial}) is not one of this CA: no key of its authorities signed it", path.escaped())]
    Unknown { path: PathBuf, serial: SerialNumber },
    #[error("the index has another certificate of the same issuer with the serial number {serial} of {}: '{}'", path.escaped(), text::escape(other))]
    SerialShared { path: PathBuf, serial: SerialNumber, other: String },
    #[error("no certificate of this CA is for the key in {}", .0.escaped())]
    UnknownKey(PathBuf),
    #[error("the key cannot be suspected since {}, which is still to come", rfc3339(*.0))]
    SuspectedInFuture(OffsetDateTime),
}

impl<E> From<E> for RevokeError
where
    StoreError: From<E>,
{
    fn from(error: E) -> Self {
        Self::Store(error.into())
    }
}

impl RevokeError {
    /// Returns whether the certificate is as it is to be already, or is one that is never revoked: a pattern of names leaves it
    /// out.
    pub fn says_nothing_to_do(&self) -> bool {
        use RevokeError::{AlreadyHeld, AlreadyRevoked, Ended, Final, NotHeld, Root};
        matches!(
            self,
            AlreadyRevoked { .. } | AlreadyHeld { .. } | NotHeld { .. } | Final { .. } | Ended { .. } | Root(_)
        )
    }
}

impl Diagnostic for RevokeError {
    fn diagnosis(&self) -> Diagnosis {
        match self {
            Self::Store(error) => error.diagnosis(),
            Self::AlreadyRevoked { .. } => Diagnosis::refused("already-revoked"),
            Self::AlreadyHeld { serial, .. } => Diagnosis::refused("already-held")
                .hint(format!("to release it: ca revoke serial:{serial} --reason release"))
                .hint("to revoke it for good, give another reason"),
            Self::NotHeld { .. } => Diagnosis::refused("not-held"),
            Self::Final { name, .. } => {
                Diagnosis::refused("already-revoked").hint(format!("for a new one: ca rekey {}", shell_word(name)))
            }
            Self::Several { entries, .. } => {
                let failure = Diagnosis::usage("several-live").hint("say which one by its serial number, or --all");
                let described = |entry: &Entry| {
                    let (issued, end) = (rfc3339(entry.issued_at), rfc3339(entry.validity.not_after));
                    format!("serial:{}  issued {issued}, expires {end}", entry.serial)
                };
                failure.hints(entries.iter().map(described))
            }
            Self::Ended { serial, .. } => {
                Diagnosis::refused("ended").hint(format!("to record it anyway: ca revoke serial:{serial}"))
            }
            Self::Root(_) => Diagnosis::refused("is-root").hint("remove its certificate from every trust store"),
            Self::Unknown { .. } | Self::UnknownKey(_) => {
                Diagnosis::usage("unknown-certificate").hint("'ca list' shows every certificate of this CA")
            }
            Self::SerialShared { serial, .. } => Diagnosis::refused("serial-used")
                .hint(format!("a CRL names serial numbers, so this revokes both: ca revoke serial:{serial}")),
            Self::SuspectedInFuture(_) => Diagnosis::usage("bad-time"),
        }
    }
}

/// Revokes, holds or releases all selected certificates, or none.
///
/// # Errors
/// When the selection is ambiguous, or the change is not possible; then nothing has changed.
pub fn revoke(store: &Store, order: &RevokeOrder, effects: &Effects<'_>) -> Result<RevokeOutcome, RevokeError> {
    let now = effects.now();
    if let Some(since) = order.invalid_since.filter(|since| *since > now) {
        return Err(RevokeError::SuspectedInFuture(since));
    }
    let early = check(store, order, now)?;
    effects.approval.approve(planned(order, &early))?;

    let mut locked = store.lock(effects.lock_timeout)?;
    files::remove_stale(store.home().folder())?;
    let index = locked.index()?;
    let mut transaction = index.transaction(effects.event_context())?;
    let unrecorded = unrecorded(store, &transaction, order)?;
    if let Some(unrecorded) = &unrecorded {
        unrecorded.record(&mut transaction, now)?;
    }
    let is_over_sha1 = unrecorded.is_some_and(|unrecorded| unrecorded.is_over_sha1);
    let chosen = chosen(&transaction, order, now)?;
    for entry in &chosen {
        record(&mut transaction, entry, order, now)?;
    }
    transaction.commit()?;

    let mut certificates = Vec::new();
    for entry in &chosen {
        certificates.extend(index.by_serial(&entry.serial)?.into_iter().filter(|now| now.id == entry.id));
    }
    let mut authorities: Vec<String> = chosen.into_iter().map(|entry| entry.authority).collect();
    authorities.sort();
    authorities.dedup();
    let action = match order.reason {
        RevocationReason::CertificateHold => RevokeAction::Held,
        RevocationReason::RemoveFromCrl => RevokeAction::Released,
        _ => RevokeAction::Revoked,
    };
    Ok(RevokeOutcome { action, certificates, authorities, is_over_sha1 })
}

/// Checks without the lock that the order can be carried out, which finds most errors early. Returns the selected
/// certificates; none for one that the index does not have.
///
/// # Errors
/// As [`revoke`].
pub fn check(store: &Store, order: &RevokeOrder, now: OffsetDateTime) -> Result<Vec<Entry>, RevokeError> {
    match unrecorded(store, store.index()?, order)? {
        None => chosen(store.index()?, order, now),
        Some(_) => Ok(Vec::new()),
    }
}

/// Returns the change as a user confirms it; `certificates` is empty for a certificate that the index does not have.
fn planned(order: &RevokeOrder, certificates: &[Entry]) -> PlannedChange {
    let (verb, lost) = match order.reason {
        RevocationReason::RemoveFromCrl => ("release", None),
        RevocationReason::CertificateHold => ("put on hold", None),
        _ => ("revoke", Some("a revocation is final: clients that check the CRL refuse the certificate for good")),
    };
    let what = match (certificates, &order.target) {
        ([entry], _) => format!("{verb} {}", entry.name),
        ([], RevokeTarget::Certificate { path, .. }) => format!("{verb} the certificate in {}", path.escaped()),
        (entries, _) => format!("{verb} {} certificates", entries.len()),
    };
    let mut change = PlannedChange::new(what);
    for entry in certificates {
        if certificates.len() > 1 {
            change = change.fact("name", &entry.name);
        }
        change = change.certificate(entry);
    }
    if let ([], RevokeTarget::Certificate { certificate, .. }) = (certificates, &order.target) {
        let expires = rfc3339(certificate.validity.not_after);
        change = change.fact("serial", &certificate.serial).fact("subject", &certificate.subject);
        change = change.fact("issuer", &certificate.issuer).fact("expires", expires);
    }
    let change = change.fact("reason", order.reason.name());
    lost.into_iter().fold(change, PlannedChange::asks)
}

/// Returns the certificate of the file when an authority signed it and the index does not have it.
fn unrecorded<'a>(store: &Store, index: &Index, order: &'a RevokeOrder) -> Result<Option<Unrecorded<'a>>, RevokeError> {
    let RevokeTarget::Certificate { path, certificate } = &order.target else { return Ok(None) };
    if known(index, certificate)?.is_some() {
        return Ok(None);
    }
    let Some(found) = Unrecorded::find(certificate, store, index)? else { return Ok(None) };
    if is_root(certificate) {
        return Err(RevokeError::Root(found.authority));
    }
    let same_serial = index.by_serial(&certificate.serial)?;
    match same_serial.into_iter().find(|entry| entry.authority == found.authority) {
        Some(Entry { serial, name: other, .. }) => Err(RevokeError::SerialShared { path: path.clone(), serial, other }),
        None => Ok(Some(found)),
    }
}

fn record(
    transaction: &mut Transaction<'_>,
    entry: &Entry,
    order: &RevokeOrder,
    now: OffsetDateTime,
) -> Result<(), RevokeError> {
    if order.reason == RevocationReason::RemoveFromCrl {
        transaction.release(entry.id, now)?;
        return Ok(());
    }
    // A hold that becomes a revocation keeps its date: "the revocation date shall be the date the certificate was
    // placed on hold" (ITU-T X.509, hold instruction).
    let held = transaction.current_revocation(entry.id)?;
    let at = held.map_or(now, |held| held.at);
    let (reason, invalid_since) = (order.reason, order.invalid_since);
    Ok(transaction.revoke(entry.id, &Revocation { at, reason, invalid_since, released_at: None })?)
}

/// Returns the selected certificates; each of them can be revoked, held or released as ordered.
fn chosen(index: &Index, order: &RevokeOrder, now: OffsetDateTime) -> Result<Vec<Entry>, RevokeError> {
    let (meant, is_that_one) = match &order.target {
        RevokeTarget::Certificate { path, certificate } => {
            let (path, serial) = (path.clone(), certificate.serial.clone());
            (known(index, certificate)?.ok_or(RevokeError::Unknown { path, serial })?, true)
        }
        RevokeTarget::Reference(reference) => {
            let meant = index.find(reference)?;
            let is_that_one = reference.is_serial_of(&meant);
            (meant, is_that_one)
        }
        RevokeTarget::Key { path, fingerprint } => {
            let filter = Filter { key_fingerprint: Some(*fingerprint), ..Filter::default() };
            let (entries, _) = index.query(&filter, now)?;
            let Some(last) = entries.last() else { return Err(RevokeError::UnknownKey(path.clone())) };
            let name = last.name.clone();
            return fitting(index, order, entries, &name, now);
        }
    };
    if is_that_one && !order.all {
        // The caller selected this certificate explicitly, so that an expired certificate is accepted.
        check_one(index, &meant, order)?;
        return Ok(vec![meant]);
    }
    let found = fitting(index, order, index.history(&meant.name)?, &meant.name, now)?;
    if found.len() > 1 && !order.all {
        return Err(RevokeError::Several { name: meant.name, entries: found });
    }
    Ok(found)
}

/// Returns the live certificates to which the change is possible. When there is none, the error is that of the latest.
fn fitting(
    index: &Index,
    order: &RevokeOrder,
    candidates: Vec<Entry>,
    name: &str,
    now: OffsetDateTime,
) -> Result<Vec<Entry>, RevokeError> {
    let mut fitting = Vec::new();
    let mut refused = None;
    let mut ended = None;
    for entry in candidates {
        match check_one(index, &entry, order) {
            Ok(()) if entry.validity.not_after < now => ended = Some((entry.serial, entry.validity.not_after)),
            Ok(()) => fitting.push(entry),
            Err(error @ RevokeError::Store(_)) => return Err(error),
            Err(error) => refused = Some(error),
        }
    }
    match (fitting.is_empty(), refused, ended) {
        (true, Some(refused), _) => Err(refused),
        (true, None, Some((serial, ended))) => Err(RevokeError::Ended { name: name.to_owned(), serial, ended }),
        _ => Ok(fitting),
    }
}

/// Checks that the change is possible for one certificate.
fn check_one(index: &Index, entry: &Entry, order: &RevokeOrder) -> Result<(), RevokeError> {
    let (name, serial) = (entry.name.clone(), entry.serial.clone());
    // Only the root's own CRL could revoke it, and that CRL is signed with the key that is no longer trusted.
    if is_root(&index.certificate(entry)?) {
        return Err(RevokeError::Root(name));
    }
    let current = index.current_revocation(entry.id)?;
    let is_hold = |revocation: &Revocation| revocation.reason == RevocationReason::CertificateHold;
    let refused = match (order.reason, current) {
        (RevocationReason::RemoveFromCrl, None) => RevokeError::NotHeld { name, serial },
        (RevocationReason::RemoveFromCrl, Some(revocation)) if !is_hold(&revocation) => {
            RevokeError::Final { name, serial, revocation }
        }
        (RevocationReason::RemoveFromCrl, Some(_)) | (_, None) => return Ok(()),
        (_, Some(revocation)) if !is_hold(&revocation) => RevokeError::AlreadyRevoked { name, serial, revocation },
        (RevocationReason::CertificateHold, Some(revocation)) => {
            RevokeError::AlreadyHeld { name, serial, since: revocation.at }
        }
        (_, Some(_)) => return Ok(()),
    };
    Err(refused)
}

/// Returns the record of exactly this certificate; `None` when the index does not have it.
fn known(index: &Index, certificate: &Certificate) -> Result<Option<Entry>, RevokeError> {
    let entries = index.by_serial(&certificate.serial)?;
    Ok(entries.into_iter().find(|entry| entry.fingerprint == certificate.fingerprint()))
}
