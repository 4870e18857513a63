//! What still depends on the old root, from the index.

use std::collections::BTreeMap;

use time::OffsetDateTime;

use crate::authority::hierarchy::rotation::error::RotationError;
use crate::authority::hierarchy::rotation::recertify::to_be_moved;
use crate::authority::hierarchy::rotation::start::CROSS;
use crate::authority::leaf::order::IN_MEMORY;
use crate::store::Store;
use crate::store::ca_certificates::Rotation;
use crate::store::effects::Effects;
use crate::store::home::Home;
use crate::store::index::{CertificateStatus, Entry, EntryId, Filter, Index};
use crate::store::previous_certificates;
use crate::x509::Certificate;

/// How far a rotation is.
#[derive(Debug)]
pub struct RotationStatus {
    pub old: String,
    pub new: String,
    pub old_certificate: Certificate,
    pub new_certificate: Certificate,
    /// Certificates that have not expired and whose delivered chain leads to the old root, the oldest first.
    pub certificates: Vec<Entry>,
    /// Authorities whose certificate the old root signed; `start` moves them.
    pub authorities: Vec<String>,
    /// True when `[issue] issuer` names the old root.
    pub old_issues: bool,
}

impl RotationStatus {
    /// True when nothing depends on the old root any more.
    pub fn is_ready(&self) -> bool {
        self.certificates.is_empty() && self.authorities.is_empty() && !self.old_issues
    }
}

/// Returns how far the rotation is; `None` when there is none.
///
/// # Errors
/// When the index or a certificate cannot be read.
pub fn status(store: &Store, effects: &Effects<'_>) -> Result<Option<RotationStatus>, RotationError> {
    of(store, effects.now())
}

pub(crate) fn of(store: &Store, now: OffsetDateTime) -> Result<Option<RotationStatus>, RotationError> {
    let (index, authorities) = (store.index()?, store.ca_certificates());
    let Some(Rotation { old, new, .. }) = authorities.rotation()? else { return Ok(None) };
    let old_certificate = authorities.certificate(&old)?;
    let below = to_be_moved(authorities, index, &old_certificate, now)?.into_iter().map(|(name, _)| name).collect();
    Ok(Some(RotationStatus {
        certificates: depending_on(store.home(), &old, index, now)?,
        authorities: below,
        old_issues: store.config().issue.issuer == old,
        new_certificate: authorities.certificate(&new)?,
        old_certificate,
        new,
        old,
    }))
}

/// The certificates of authorities by name: the number of each row, and who signed it; the oldest first.
type Signers = BTreeMap<String, Vec<(EntryId, String)>>;

/// Returns for each name its current certificate, if it has not expired and led to this root when it was delivered.
///
/// A chain is delivered with its certificate and does not change after. So what counts is which certificate each authority
/// above had at that time: the latest one recorded before, of those that came into place.
fn depending_on(home: &Home, root: &str, index: &Index, now: OffsetDateTime) -> Result<Vec<Entry>, RotationError> {
    let mut signers = Signers::new();
    let mut by_name: BTreeMap<String, Vec<Entry>> = BTreeMap::new();
    index.for_each(&Filter::default(), now, |entry| {
        if entry.delivered_at.is_none() {
            return;
        }
        signers.entry(entry.name.to_lowercase()).or_default().push((entry.id, entry.authority.clone()));
        by_name.entry(entry.name.to_lowercase()).or_default().push(entry);
    })?;
    let is_alive = |entry: &Entry| {
        matches!(entry.status(now), CertificateStatus::Valid | CertificateStatus::Held | CertificateStatus::NotYetValid)
    };
    let mut depending = Vec::new();
    for entry in by_name.into_values().filter_map(|entries| in_use(home, entries)) {
        let is_leaf = entry.template != CROSS && entry.template != IN_MEMORY;
        if is_leaf
            && is_alive(&entry)
            && root_at(&signers, &entry.authority, entry.id) == root
            && !index.certificate(&entry)?.is_ca()
        {
            depending.push(entry);
        }
    }
    depending.sort_by_key(|entry| entry.id);
    Ok(depending)
}

/// Of the certificates of a name, the oldest first, the one whose files stand where they are looked for: the latest, unless
/// an older generation was put back.
fn in_use(home: &Home, mut entries: Vec<Entry>) -> Option<Entry> {
    let stands = |entry: &Entry| {
        let folder = entry.place.clone().or_else(|| Some(home.entry(&entry.name.parse().ok()?)));
        folder.is_some_and(|folder| previous_certificates::is_of(&folder, entry))
    };
    if entries.len() > 1
        && let Some(place) = entries.iter().rposition(stands)
    {
        entries.truncate(place + 1);
    }
    entries.pop()
}

/// The root above an authority when a row was written.
fn root_at<'s>(signers: &'s Signers, authority: &'s str, at: EntryId) -> &'s str {
    let mut name = authority;
    // No chain is longer than the number of authorities; a foreign index could go in a circle.
    for _ in 0..=signers.len() {
        let rows = signers.get(&name.to_lowercase()).map(Vec::as_slice).unwrap_or_default();
        match rows.iter().rev().find(|(id, _)| *id < at).or(rows.first()) {
            Some((_, signer)) if signer != name => name = signer,
            _ => return name,
        }
    }
    name
}
