//! CRL bundles: files with the CRLs of all authorities, for servers that check the whole chain of a client.
//!
//! Most servers refuse every client when one CRL is missing, so a bundle is complete or it is not written. The index remembers
//! its path and its hook, so that every later CRL gets into it.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use time::OffsetDateTime;

use crate::authority::leaf::hook::{Hook, OnFailure};
use crate::authority::revocation::carry_over::small_number;
use crate::authority::signed_by::has_signed_crl;
use crate::store::approval::PlannedChange;
use crate::store::ca_certificates::read_certificate;
use crate::store::certificate_files::CERTIFICATE;
use crate::store::effects::Effects;
use crate::store::index::crl_bundle::StoredBundle;
use crate::store::index::{EventKind, Index};
use crate::store::{Store, StoreError};
use crate::system::files::{self, ExistingFile, FileError};
use crate::text::{Diagnosis, Diagnostic, Lifetime, PathText, rfc3339};
use crate::x509::file_kind::{self, Expected, OtherKind};
use crate::x509::{CanonicalName, Certificate, Crl, digest, pem};

/// A CRL bundle that is remembered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bundle {
    /// The absolute path of the file.
    pub path: PathBuf,
    pub hook: Option<Hook>,
    /// Files with CRLs of CAs above that are not authorities of this CA.
    pub also: Vec<PathBuf>,
    /// SHA-256 of the file that the hook has seen; `None` when it has seen none.
    pub seen: Option<[u8; 32]>,
}

impl Bundle {
    fn stored(&self) -> StoredBundle {
        let hook = self.hook.as_ref().map(|hook| (hook.command.clone(), hook.timeout.as_seconds()));
        StoredBundle { path: self.path.clone(), hook, also: self.also.clone(), content: self.seen }
    }

    fn restored(stored: StoredBundle, index: &Index) -> Result<Self, StoreError> {
        let StoredBundle { path, hook, also, content: seen } = stored;
        let Some((command, timeout)) = hook else { return Ok(Self { path, hook: None, also, seen }) };
        let timeout = Lifetime::from_seconds(timeout)
            .ok_or_else(|| index.damaged(format!("the hook of {} cannot be read", path.escaped())))?;
        Ok(Self { path, hook: Some(Hook { command, timeout, on_failure: OnFailure::Keep }), also, seen })
    }
}

/// What a bundle has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BundleContent {
    /// The authorities, in the order of their CRLs.
    pub authorities: Vec<String>,
    pub pem: String,
    /// The earliest time at which one of the CRLs expires.
    pub next_update: OffsetDateTime,
    /// The names of CAs above that are not authorities of this CA, and whose CRLs were not added.
    pub missing: Vec<String>,
}

impl BundleContent {
    /// Returns SHA-256 of the file.
    pub fn digest(&self) -> [u8; 32] {
        digest::sha256(self.pem.as_bytes())
    }
}

/// The reason why a bundle cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    #[error(transparent)]
    Store(StoreError),
    #[error("the authority '{0}' has not published a CRL")]
    Missing(String),
    #[error("the CRL of '{authority}' expired at {}", rfc3339(*at))]
    Expired { authority: String, at: OffsetDateTime },
    #[error("{} is not the latest CRL of '{authority}', which the index has recorded", path.escaped())]
    NotLatest { authority: String, path: PathBuf },
    #[error("{} cannot be added to a CRL bundle: {reason}", path.escaped())]
    NotAdded { path: PathBuf, reason: String },
    #[error("{} is {other}", path.escaped())]
    AnotherKind { path: PathBuf, other: OtherKind },
    #[error("{} exists already, and is not a file with CRLs alone", .0.escaped())]
    Taken(PathBuf),
}

impl<E> From<E> for BundleError
where
    StoreError: From<E>,
{
    fn from(error: E) -> Self {
        Self::Store(error.into())
    }
}

impl Diagnostic for BundleError {
    fn diagnosis(&self) -> Diagnosis {
        match self {
            Self::Store(error) => error.diagnosis(),
            Self::Missing(authority) | Self::Expired { authority, .. } | Self::NotLatest { authority, .. } => {
                Diagnosis::refused("missing-crl")
                    .hint(format!("ca crl --authority {authority}"))
                    .hint("with one CRL missing, servers that check whole chains refuse every client")
            }
            Self::NotAdded { .. } => Diagnosis::refused("missing-crl")
                .hint("--also takes the CRLs of a CA above, in PEM or DER; its operator has the present one"),
            Self::AnotherKind { path, other } => Diagnosis::usage("bad-crl").hints(other.fix(path)),
            Self::Taken(_) => Diagnosis::refused("exists")
                .hint("only CRLs are overwritten: move the file away, or choose another place"),
        }
    }
}

/// Returns the bundles that are remembered, by path.
///
/// # Errors
/// When the index cannot be read.
pub fn remembered(store: &Store) -> Result<Vec<Bundle>, StoreError> {
    all(store.index()?)
}

fn all(index: &Index) -> Result<Vec<Bundle>, StoreError> {
    index.crl_bundles()?.into_iter().map(|stored| Bundle::restored(stored, index)).collect()
}

/// Returns the bundle with this path: as it is remembered, else a new one.
///
/// # Errors
/// When the index cannot be read.
pub fn of(store: &Store, path: &Path) -> Result<Bundle, StoreError> {
    let known = remembered(store)?.into_iter().find(|bundle| bundle.path == path);
    Ok(known.unwrap_or(Bundle { path: path.to_owned(), hook: None, also: Vec::new(), seen: None }))
}

/// Remembers a bundle with its hook and the files that are added.
///
/// # Errors
/// When the index cannot be written.
pub fn remember(store: &Store, wanted: &Bundle, effects: &Effects<'_>) -> Result<(), StoreError> {
    let mut locked = store.lock(effects.lock_timeout)?;
    let index = locked.index()?;
    let known = all(index)?.into_iter().find(|bundle| bundle.path == wanted.path);
    let next = Bundle { seen: known.as_ref().and_then(|known| known.seen), ..wanted.clone() };
    if known.as_ref() != Some(&next) {
        let mut transaction = index.transaction(effects.event_context())?;
        transaction.set_crl_bundle(EventKind::BundleSet, &next.stored())?;
        transaction.commit()?;
    }
    Ok(())
}

/// Forgets a bundle; its file stays. Returns whether it was remembered.
///
/// # Errors
/// When the index cannot be written.
pub fn forget(store: &Store, path: &Path, effects: &Effects<'_>) -> Result<bool, StoreError> {
    if !remembered(store)?.iter().any(|bundle| bundle.path == path) {
        return Ok(false);
    }
    effects.approval.approve(PlannedChange::new(format!("forget the CRL bundle {}", path.escaped())))?;
    let mut locked = store.lock(effects.lock_timeout)?;
    let mut transaction = locked.index()?.transaction(effects.event_context())?;
    transaction.remove_crl_bundle(path)?;
    transaction.commit()?;
    Ok(true)
}

/// Records that the hook of a bundle has seen its file.
///
/// # Errors
/// When the index cannot be written.
pub fn record_seen(store: &Store, path: &Path, seen: [u8; 32], effects: &Effects<'_>) -> Result<(), StoreError> {
    let mut locked = store.lock(effects.lock_timeout)?;
    let index = locked.index()?;
    // Another process may have forgotten it.
    let Some(bundle) = all(index)?.into_iter().find(|bundle| bundle.path == path) else { return Ok(()) };
    let mut transaction = index.transaction(effects.event_context())?;
    transaction.set_crl_bundle(EventKind::BundleWrite, &Bundle { seen: Some(seen), ..bundle }.stored())?;
    transaction.commit()?;
    Ok(())
}

/// Returns the authorities in the order of their CRLs: the one that issues, because some servers read the first CRL only;
/// then those farthest from a root; the roots last.
///
/// # Errors
/// When a certificate cannot be read.
pub fn authorities_in_order(store: &Store) -> Result<Vec<String>, StoreError> {
    let authorities = store.ca_certificates();
    let issuing = authorities.choose(None, store.config()).ok();
    let mut names = Vec::new();
    for name in authorities.names()? {
        let depth = authorities.ca_certificate(&name)?.above().len();
        names.push((issuing.as_ref() != Some(&name), std::cmp::Reverse(depth), name));
    }
    names.sort();
    Ok(names.into_iter().map(|(.., name)| name).collect())
}

/// Puts the published CRLs and those of `also` together. An authority whose certificate has expired, or that a rotation retired, is left out
/// when its CRL has expired: clients refuse its certificates anyway.
///
/// # Errors
/// When the CRL of another authority is missing, has expired, or is not its latest one, or a file of `also` cannot be used.
pub fn content(store: &Store, also: &[PathBuf], now: OffsetDateTime) -> Result<BundleContent, BundleError> {
    let (home, index) = (store.home(), store.index()?);
    let mut found: Vec<(String, Vec<u8>, OffsetDateTime)> = Vec::new();
    let (mut own, mut needed): (Vec<CanonicalName>, Vec<Certificate>) = (Vec::new(), Vec::new());
    let also = added(also, &known_cas(store)?, now)?;
    for name in authorities_in_order(store)? {
        let facts = store.ca_certificates().ca_certificate(&name)?;
        let certificate = facts.certificate();
        own.push(CanonicalName::of(&certificate.subject));
        let is_expired = certificate.validity.not_after < now;
        let is_added = also.iter().any(|(crl, _)| has_signed_crl(certificate, crl));
        match published(index, &name, certificate, &home.crl_der(&name), now) {
            Ok((der, next_update)) => found.push((name, der, next_update)),
            Err(BundleError::Store(error)) => return Err(error.into()),
            Err(_) if is_expired || is_added => {}
            Err(error) => return Err(error),
        }
        needed.push(certificate.clone());
        needed.extend(facts.above().iter().cloned());
    }
    for name in files::names_in(&home.retired())? {
        let folder = home.retired().join(&name);
        let certificate = read_certificate(&CERTIFICATE.path_in(&folder));
        if let Ok(certificate) = certificate
            && let Ok((der, next_update)) = published(index, &name, &certificate, &folder.join("crl.der"), now)
        {
            found.push((name, der, next_update));
        }
    }
    for (crl, next_update) in also {
        own.push(CanonicalName::of(&crl.issuer));
        found.push((crl.issuer.to_string(), crl.as_der().to_vec(), next_update));
    }
    let is_above = |certificate: &&Certificate| {
        !certificate.is_self_issued() && !own.contains(&CanonicalName::of(&certificate.issuer))
    };
    let mut missing: Vec<String> =
        needed.iter().filter(is_above).map(|certificate| certificate.issuer.to_string()).collect();
    missing.sort();
    missing.dedup();
    let next_update = found.iter().map(|(.., next_update)| *next_update).min().unwrap_or(now);
    let pem = found.iter().map(|(_, der, _)| pem::encode(pem::CRL_LABEL, der)).collect();
    let authorities = found.into_iter().map(|(name, ..)| name).collect();
    Ok(BundleContent { authorities, pem, next_update, missing })
}

/// Returns the certificates of all authorities and of the CAs above them.
fn known_cas(store: &Store) -> Result<Vec<Certificate>, StoreError> {
    let mut all = Vec::new();
    for name in store.ca_certificates().names()? {
        let facts = store.ca_certificates().ca_certificate(&name)?;
        all.push(facts.certificate().clone());
        all.extend(facts.above().iter().cloned());
    }
    Ok(all)
}

/// Reads the CRLs of CAs above, and when each expires. The key of a CA whose certificate is known must have signed its CRL.
fn added(
    paths: &[PathBuf],
    known: &[Certificate],
    now: OffsetDateTime,
) -> Result<Vec<(Crl, OffsetDateTime)>, BundleError> {
    let mut crls = Vec::new();
    for path in paths {
        let refused = |reason: String| BundleError::NotAdded { path: path.clone(), reason };
        let content = files::read(path, files::MAX_FILE_BYTES)?;
        let content = file_kind::expect(content, Expected::Crl)
            .map_err(|other| BundleError::AnotherKind { path: path.clone(), other })?;
        let ders = pem::crls(content).map_err(|error| refused(error.to_string()))?.ders;
        if ders.is_empty() {
            return Err(refused("it has no CRL".to_owned()));
        }
        for der in ders {
            let crl = Crl::from_der(&der).map_err(|error| refused(error.to_string()))?;
            let name = CanonicalName::of(&crl.issuer);
            let is_of_issuer = |certificate: &&Certificate| CanonicalName::of(&certificate.subject) == name;
            let signers: Vec<_> = known.iter().filter(is_of_issuer).collect();
            if !signers.is_empty() && !signers.iter().any(|signer| has_signed_crl(signer, &crl)) {
                return Err(refused(format!("the key of '{}' did not sign its CRL", crl.issuer)));
            }
            match crl.next_update {
                Some(until) if until >= now => crls.push((crl, until)),
                Some(until) => {
                    return Err(refused(format!("the CRL of '{}' expired at {}", crl.issuer, rfc3339(until))));
                }
                None => return Err(refused(format!("the CRL of '{}' does not say when it expires", crl.issuer))),
            }
        }
    }
    Ok(crls)
}

/// Checks the files of `also`, before anything is signed.
///
/// # Errors
/// When one cannot be added to a bundle.
pub fn check_added(store: &Store, also: &[PathBuf], now: OffsetDateTime) -> Result<(), BundleError> {
    added(also, &known_cas(store)?, now).map(drop)
}

/// Returns when the CRL of an authority expires, if one of these files has it.
///
/// # Errors
/// When a file cannot be used.
pub fn added_crl(
    store: &Store,
    authority: &str,
    also: &[PathBuf],
    now: OffsetDateTime,
) -> Result<Option<OffsetDateTime>, BundleError> {
    let certificate = store.ca_certificates().certificate(authority)?;
    let crls = added(also, &known_cas(store)?, now)?.into_iter();
    Ok(crls.filter(|(crl, _)| has_signed_crl(&certificate, crl)).map(|(_, until)| until).min())
}

/// Returns the CRL of an authority and when it expires, if clients accept it now.
///
/// # Errors
/// When there is none, it has expired, or the index has a later one.
pub fn usable_crl(store: &Store, authority: &str, now: OffsetDateTime) -> Result<OffsetDateTime, BundleError> {
    let certificate = store.ca_certificates().certificate(authority)?;
    let path = store.home().crl_der(authority);
    published(store.index()?, authority, &certificate, &path, now).map(|(_, next_update)| next_update)
}

fn published(
    index: &Index,
    authority: &str,
    certificate: &Certificate,
    path: &Path,
    now: OffsetDateTime,
) -> Result<(Vec<u8>, OffsetDateTime), BundleError> {
    let name = || authority.to_owned();
    let Some(der) = files::read_if_exists(path, files::MAX_FILE_BYTES)? else {
        return Err(BundleError::Missing(name()));
    };
    let latest = index.latest_crl(authority)?;
    let next_update = match &latest {
        Some(latest) if latest.fingerprint == digest::sha256(&der) => latest.next_update,
        _ => {
            // A CRL that another copy of this CA signed, where its key is.
            let not_latest = || BundleError::NotLatest { authority: name(), path: path.to_owned() };
            let crl = Crl::from_der(&der).map_err(|_| not_latest())?;
            let number = crl.number.as_deref().and_then(small_number);
            let is_later = number > latest.map(|latest| latest.number);
            let is_full = crl.scope.is_none() && crl.delta_base.is_none();
            let until = crl.next_update.filter(|_| is_later && is_full && has_signed_crl(certificate, &crl));
            until.ok_or_else(not_latest)?
        }
    };
    if next_update < now {
        return Err(BundleError::Expired { authority: name(), at: next_update });
    }
    Ok((der, next_update))
}

/// Checks that a bundle can be written to a path: nothing is there, or CRLs alone.
///
/// # Errors
/// When something else is there, or the system refuses.
pub fn check_place(path: &Path) -> Result<(), BundleError> {
    if let Some(folder) = path.parent().filter(|folder| !folder.is_dir()) {
        return Err(FileError::of("write", folder)(ErrorKind::NotFound.into()).into());
    }
    files::check_place(path, ExistingFile::Replace)?;
    match files::read_regular(path, files::MAX_FILE_BYTES)? {
        Some(stored) if !has_only_crls(&stored.content) => Err(BundleError::Taken(path.to_owned())),
        _ => Ok(()),
    }
}

fn has_only_crls(content: &[u8]) -> bool {
    let is_crl = |label: &[u8]| std::str::from_utf8(label).is_ok_and(pem::is_crl);
    content.is_empty() || (pem::is_pem(content) && pem::labels(content).all(is_crl))
}

/// Returns whether the file has this content.
///
/// # Errors
/// When it cannot be read.
pub fn is_current(path: &Path, content: &BundleContent) -> Result<bool, BundleError> {
    let there = files::read_regular(path, files::MAX_FILE_BYTES)?;
    Ok(there.is_some_and(|there| there.content == content.pem.as_bytes()))
}

/// Describes the change for a confirmation or a dry run.
pub fn planned(path: &Path, authorities: &[String]) -> PlannedChange {
    PlannedChange::new(format!("write the CRL bundle {}", path.escaped())).fact("CRLs of", authorities.join(", "))
}

/// Writes a bundle in one step, unless it is current. The lock keeps another process from writing an older one later.
/// Returns its content, and whether it was written.
///
/// # Errors
/// When a CRL is missing, the change is not approved, or the file cannot be written; then the old file is unchanged.
pub fn write(store: &Store, bundle: &Bundle, effects: &Effects<'_>) -> Result<(BundleContent, bool), BundleError> {
    let Bundle { path, also, .. } = bundle;
    let found = content(store, also, effects.now())?;
    if is_current(path, &found)? {
        return Ok((found, false));
    }
    check_place(path)?;
    effects.approval.approve(planned(path, &found.authorities))?;
    let _locked = store.lock(effects.lock_timeout)?;
    if let Some(folder) = path.parent() {
        files::remove_stale(folder)?;
    }
    let found = content(store, also, effects.now())?;
    let is_written = !is_current(path, &found)?;
    if is_written {
        files::publish_file(path, found.pem.as_bytes(), files::PUBLIC, ExistingFile::Replace, effects.entropy)?;
    }
    Ok((found, is_written))
}
