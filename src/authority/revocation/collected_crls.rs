//! The CRLs that a server needs to check whole chains: those of all authorities, those of retired ones while they are used, and
//! those of CAs above that are not authorities of this CA.

use std::path::{Path, PathBuf};

use time::OffsetDateTime;

use crate::authority::revocation::carry_over::small_number;
use crate::authority::signed_by::has_signed_crl;
use crate::store::ca_certificates::read_certificate;
use crate::store::certificate_files::CERTIFICATE;
use crate::store::index::Index;
use crate::store::{Store, StoreError};
use crate::system::files;
use crate::text::{Diagnosis, Diagnostic, PathText, escape, rfc3339};
use crate::x509::file_kind::{self, Expected, OtherKind};
use crate::x509::{CanonicalName, Certificate, Crl, digest, pem};

/// The CRLs, in the order in which a file has them.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct CollectedCrls {
    pub crls: Vec<CollectedCrl>,
    /// The names of CAs above that are not authorities of this CA, and whose CRLs were not added.
    pub missing: Vec<String>,
}

/// The current CRL of a CA.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CollectedCrl {
    /// The name of the authority; of a CA above, its subject.
    pub ca: String,
    /// The file that the CRL was added from; `None` for an authority of this CA.
    pub added_from: Option<PathBuf>,
    pub der: Vec<u8>,
    pub expires: OffsetDateTime,
}

impl CollectedCrls {
    /// Returns the CRLs in PEM.
    pub fn pem(&self) -> String {
        self.crls.iter().map(CollectedCrl::pem).collect()
    }

    /// Returns SHA-256 of the CRLs in PEM.
    pub fn digest(&self) -> [u8; 32] {
        digest::sha256(self.pem().as_bytes())
    }

    /// Returns the first eight bytes of the digest, by which the index knows with which CRLs an export was written.
    pub fn mark(&self) -> i64 {
        let mut first = [0; 8];
        first.copy_from_slice(&self.digest()[..8]);
        i64::from_be_bytes(first)
    }

    /// Returns the names of the CAs, in the order of their CRLs.
    pub fn names(&self) -> Vec<String> {
        self.crls.iter().map(|crl| crl.ca.clone()).collect()
    }

    /// Returns the earliest time at which one of the CRLs expires; `None` without a CRL.
    pub fn next_update(&self) -> Option<OffsetDateTime> {
        self.crls.iter().map(|crl| crl.expires).min()
    }

    /// Checks that no CRL has expired.
    ///
    /// # Errors
    /// The first CRL that has.
    pub fn check_expiry(&self, now: OffsetDateTime) -> Result<(), CollectError> {
        let Some(expired) = self.crls.iter().find(|crl| crl.expires < now) else { return Ok(()) };
        let CollectedCrl { ca, added_from, expires, .. } = expired.clone();
        Err(match added_from {
            None => CollectError::Expired { authority: ca, at: expires },
            Some(path) => {
                CollectError::NotAdded { path, reason: format!("the CRL of '{ca}' expired at {}", rfc3339(expires)) }
            }
        })
    }
}

impl CollectedCrl {
    /// Returns the CRL in PEM.
    pub fn pem(&self) -> String {
        pem::encode(pem::CRL_LABEL, &self.der)
    }
}

/// The reason why the CRLs are not complete.
#[derive(Debug, thiserror::Error)]
pub enum CollectError {
    #[error(transparent)]
    Store(StoreError),
    #[error("the {} not published a CRL", listed(.0))]
    Missing(Vec<String>),
    #[error("the CRL of '{authority}' expired at {}", rfc3339(*at))]
    Expired { authority: String, at: OffsetDateTime },
    #[error("{} is not the latest CRL of '{authority}', which the index has recorded", path.escaped())]
    NotLatest { authority: String, path: PathBuf },
    #[error("{} cannot be added to a CRL bundle: {reason}", path.escaped())]
    NotAdded { path: PathBuf, reason: String },
    #[error("{} is {other}", path.escaped())]
    AnotherKind { path: PathBuf, other: OtherKind },
}

/// Returns the authorities with their verb.
fn listed(authorities: &[String]) -> String {
    let names: Vec<String> = authorities.iter().map(|name| format!("'{}'", escape(name))).collect();
    match names.as_slice() {
        [only] => format!("authority {only} has"),
        several => format!("authorities {} have", several.join(" and ")),
    }
}

impl<E> From<E> for CollectError
where
    StoreError: From<E>,
{
    fn from(error: E) -> Self {
        Self::Store(error.into())
    }
}

const SHUT_OUT: &str = "with one CRL missing, servers that check whole chains refuse every client";

impl Diagnostic for CollectError {
    fn diagnosis(&self) -> Diagnosis {
        match self {
            Self::Store(error) => error.diagnosis(),
            Self::Missing(authorities) => {
                let command = match authorities.as_slice() {
                    [only] => format!("ca crl --authority {only}"),
                    _ => "ca crl --all".to_owned(),
                };
                Diagnosis::refused("missing-crl").hint(command).hint(SHUT_OUT)
            }
            Self::Expired { authority, .. } | Self::NotLatest { authority, .. } => {
                Diagnosis::refused("missing-crl").hint(format!("ca crl --authority {authority}")).hint(SHUT_OUT)
            }
            Self::NotAdded { .. } => Diagnosis::refused("missing-crl")
                .hint("--also takes the CRLs of a CA above, in PEM or DER; its operator has the present one"),
            Self::AnotherKind { path, other } => Diagnosis::usage("bad-crl").hints(other.fix(path)),
        }
    }
}

/// Returns the authorities in the order of their CRLs: `first`, else the one that issues, because some servers read the first CRL
/// only; then those farthest from a root; the roots last.
///
/// # Errors
/// When a certificate cannot be read.
pub fn authorities_in_order(store: &Store, first: Option<&str>) -> Result<Vec<String>, StoreError> {
    let authorities = store.ca_certificates();
    let first = first.map(str::to_owned).or_else(|| authorities.choose(None, store.config()).ok());
    let mut names = Vec::new();
    for name in authorities.names()? {
        let depth = authorities.ca_certificate(&name)?.above().len();
        names.push((first.as_ref() != Some(&name), std::cmp::Reverse(depth), name));
    }
    names.sort();
    Ok(names.into_iter().map(|(.., name)| name).collect())
}

/// Puts the published CRLs and those of the files `also` together. A CRL that expired is among them; but that of an authority whose
/// certificate has expired, or that a rotation retired, is left out then, because clients refuse its certificates anyway.
///
/// # Errors
/// When the CRL of another authority is missing, or is not its latest one, or a file of `also` cannot be used.
pub fn collect(
    store: &Store,
    first: Option<&str>,
    also: &[PathBuf],
    now: OffsetDateTime,
) -> Result<CollectedCrls, CollectError> {
    let (home, index) = (store.home(), store.index()?);
    let (mut crls, mut unpublished) = (Vec::new(), Vec::new());
    let (mut own, mut needed): (Vec<CanonicalName>, Vec<Certificate>) = (Vec::new(), Vec::new());
    let also = added(also, &known_cas(store)?)?;
    let of_authority = |ca: String, der, expires| CollectedCrl { ca, added_from: None, der, expires };
    for name in authorities_in_order(store, first)? {
        let facts = store.ca_certificates().ca_certificate(&name)?;
        let certificate = facts.certificate();
        own.push(CanonicalName::of(&certificate.subject));
        let is_added = also.iter().any(|added| added.expires >= now && has_signed_crl(certificate, &added.crl));
        let may_be_missing = certificate.validity.not_after < now || is_added;
        match published(index, &name, certificate, &home.crl_der(&name)) {
            Ok((_, expires)) if expires < now && may_be_missing => {}
            Ok((der, expires)) => crls.push(of_authority(name, der, expires)),
            Err(CollectError::Store(error)) => return Err(error.into()),
            Err(_) if may_be_missing => {}
            Err(CollectError::Missing(names)) => unpublished.extend(names),
            Err(error) => return Err(error),
        }
        needed.push(certificate.clone());
        needed.extend(facts.above().iter().cloned());
    }
    if !unpublished.is_empty() {
        return Err(CollectError::Missing(unpublished));
    }
    for name in files::names_in(&home.retired())? {
        let folder = home.retired().join(&name);
        let certificate = read_certificate(&CERTIFICATE.path_in(&folder));
        if let Ok(certificate) = certificate
            && let Ok((der, expires)) = published(index, &name, &certificate, &folder.join("crl.der"))
            && expires >= now
        {
            crls.push(of_authority(name, der, expires));
        }
    }
    for added in also {
        own.push(CanonicalName::of(&added.crl.issuer));
        if crls.iter().all(|known| known.der != added.crl.as_der()) {
            crls.push(added.collected());
        }
    }
    let is_above = |certificate: &&Certificate| {
        !certificate.is_self_issued() && !own.contains(&CanonicalName::of(&certificate.issuer))
    };
    let mut missing: Vec<String> =
        needed.iter().filter(is_above).map(|certificate| certificate.issuer.to_string()).collect();
    missing.sort();
    missing.dedup();
    Ok(CollectedCrls { crls, missing })
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

/// The CRL of a CA above, from a file.
struct AddedCrl {
    path: PathBuf,
    crl: Crl,
    expires: OffsetDateTime,
}

impl AddedCrl {
    fn collected(self) -> CollectedCrl {
        let (ca, der) = (self.crl.issuer.to_string(), self.crl.as_der().to_vec());
        CollectedCrl { ca, added_from: Some(self.path), der, expires: self.expires }
    }
}

/// Reads the CRLs of CAs above. The key of a CA whose certificate is known must have signed its CRL.
fn added(paths: &[PathBuf], known: &[Certificate]) -> Result<Vec<AddedCrl>, CollectError> {
    let mut crls = Vec::new();
    for path in paths {
        let refused = |reason: String| CollectError::NotAdded { path: path.clone(), reason };
        let content = files::read(path, files::MAX_FILE_BYTES)?;
        let content = file_kind::expect(content, Expected::Crl)
            .map_err(|other| CollectError::AnotherKind { path: path.clone(), other })?;
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
            let Some(expires) = crl.next_update else {
                return Err(refused(format!("the CRL of '{}' does not say when it expires", crl.issuer)));
            };
            crls.push(AddedCrl { path: path.clone(), crl, expires });
        }
    }
    Ok(crls)
}

/// Checks the files of `also`, before anything is signed.
///
/// # Errors
/// When one cannot be added to a bundle.
pub fn check_added(store: &Store, also: &[PathBuf], now: OffsetDateTime) -> Result<(), CollectError> {
    let crls = added(also, &known_cas(store)?)?.into_iter().map(AddedCrl::collected).collect();
    CollectedCrls { crls, missing: Vec::new() }.check_expiry(now)
}

/// Returns when the CRL of an authority expires, if one of these files has it and it has not expired.
///
/// # Errors
/// When a file cannot be used.
pub fn added_crl(
    store: &Store,
    authority: &str,
    also: &[PathBuf],
    now: OffsetDateTime,
) -> Result<Option<OffsetDateTime>, CollectError> {
    let certificate = store.ca_certificates().certificate(authority)?;
    let crls = added(also, &known_cas(store)?)?.into_iter();
    let of_authority = crls.filter(|added| has_signed_crl(&certificate, &added.crl)).map(|added| added.expires);
    Ok(of_authority.filter(|expires| *expires >= now).min())
}

/// Returns the CRL of an authority and when it expires, if clients accept it now.
///
/// # Errors
/// When there is none, it has expired, or the index has a later one.
pub fn usable_crl(store: &Store, authority: &str, now: OffsetDateTime) -> Result<OffsetDateTime, CollectError> {
    let certificate = store.ca_certificates().certificate(authority)?;
    let (_, expires) = published(store.index()?, authority, &certificate, &store.home().crl_der(authority))?;
    if expires < now {
        return Err(CollectError::Expired { authority: authority.to_owned(), at: expires });
    }
    Ok(expires)
}

/// Returns the published CRL of an authority, and when it expires.
fn published(
    index: &Index,
    authority: &str,
    certificate: &Certificate,
    path: &Path,
) -> Result<(Vec<u8>, OffsetDateTime), CollectError> {
    let Some(der) = files::read_if_exists(path, files::MAX_FILE_BYTES)? else {
        return Err(CollectError::Missing(vec![authority.to_owned()]));
    };
    let latest = index.latest_crl(authority)?;
    let expires = match &latest {
        Some(latest) if latest.fingerprint == digest::sha256(&der) => latest.next_update,
        _ => {
            // A CRL that another copy of this CA signed, where its key is.
            let not_latest = || CollectError::NotLatest { authority: authority.to_owned(), path: path.to_owned() };
            let crl = Crl::from_der(&der).map_err(|_| not_latest())?;
            let number = crl.number.as_deref().and_then(small_number);
            let is_later = number > latest.map(|latest| latest.number);
            let is_full = crl.scope.is_none() && crl.delta_base.is_none();
            let until = crl.next_update.filter(|_| is_later && is_full && has_signed_crl(certificate, &crl));
            until.ok_or_else(not_latest)?
        }
    };
    Ok((der, expires))
}
