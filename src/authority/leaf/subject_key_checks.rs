//! Checks of an existing key, which a certificate is requested for again or by a CSR: a key that is known to be
//! compromised gets no certificate, and the key of a CSR must not be a key of this CA's own.

use std::path::Path;

use time::OffsetDateTime;

use crate::store::certificate_files::CERTIFICATE;
use crate::store::index::{Entry, Filter, Index, IndexError, Origin};
use crate::store::{Store, StoreError, ca_certificates};
use crate::system::files;
use crate::text::{Diagnosis, Diagnostic};
use crate::x509::crl::RevocationReason;
use crate::x509::{PublicKey, SigningRequest, pem};

/// The reason why no certificate is issued for a key.
#[derive(Debug, thiserror::Error)]
pub enum SubjectKeyError {
    #[error(transparent)]
    Store(StoreError),
    #[error("the request has the key of the authority '{0}' of this CA, which gets no other certificate")]
    KeyOfAuthority(String),
    #[error("the request has the key of the CA certificate '{0}' in the index, which gets no other certificate")]
    KeyOfCa(String),
    #[error("the key is that of '{name}' (serial number {serial}), which was revoked because its key leaked")]
    KeyCompromised { name: String, serial: String },
}

impl<E> From<E> for SubjectKeyError
where
    StoreError: From<E>,
{
    fn from(error: E) -> Self {
        Self::Store(error.into())
    }
}

impl Diagnostic for SubjectKeyError {
    fn diagnosis(&self) -> Diagnosis {
        match self {
            Self::Store(error) => error.diagnosis(),
            Self::KeyOfAuthority(_) | Self::KeyOfCa(_) => {
                Diagnosis::refused("key-of-authority").hint("make a new key for this request")
            }
            Self::KeyCompromised { .. } => Diagnosis::refused("key-compromised")
                .hint("make a new key: 'ca rekey' instead of 'ca renew', or a new request instead of this one"),
        }
    }
}

/// Searches for the key of a CSR among the authorities, also retired ones and those that wait for their certificate, and in
/// the index. With `for_ca`, the certificate is one of a CA: the key of a CA of another directory may get the next
/// certificate, and one that waits here its first.
///
/// # Errors
/// When no certificate may be issued for the key.
pub(crate) fn check(
    store: &Store,
    index: &Index,
    key: &PublicKey,
    for_ca: bool,
    now: OffsetDateTime,
) -> Result<(), SubjectKeyError> {
    let home = store.home();
    for folder in [home.authorities(), home.retired()] {
        for name in files::names_in(&folder)? {
            let folder = folder.join(&name);
            let certificates = ca_certificates::read_certificates(&CERTIFICATE.path_in(&folder))?;
            let is_waiting = certificates.is_empty() && !for_ca;
            let requested = if is_waiting { requested_key(&home.request(&name))? } else { None };
            if requested.is_some_and(|requested| requested == *key)
                || certificates.iter().any(|certificate| certificate.public_key == *key)
            {
                return Err(SubjectKeyError::KeyOfAuthority(name));
            }
        }
    }
    let entries = entries_with(index, key, now)?;
    for entry in &entries {
        let certificate = index.certificate(entry)?;
        let is_own = certificate.is_self_issued() || entry.origin == Origin::Adopted;
        if certificate.is_ca() && (is_own || !for_ca) {
            return Err(SubjectKeyError::KeyOfCa(entry.name.clone()));
        }
    }
    refuse_compromised(entries)
}

/// Returns the key of the request of an authority that waits for its certificate; `None` when there is none.
fn requested_key(path: &Path) -> Result<Option<PublicKey>, StoreError> {
    let content = files::read_if_exists(path, files::MAX_SMALL_FILE_BYTES)?;
    let key = |content: Vec<u8>| {
        let block = pem::parse_all(&content).ok()?.into_iter().next()?;
        Some(SigningRequest::from_der(&block.content).ok()?.public_key)
    };
    Ok(content.and_then(key))
}

fn entries_with(index: &Index, key: &PublicKey, now: OffsetDateTime) -> Result<Vec<Entry>, IndexError> {
    let filter = Filter { key_fingerprint: Some(key.fingerprint()), ..Filter::default() };
    Ok(index.query(&filter, now)?.0)
}

/// Returns true if the index has a certificate for this key, of any name, that was revoked because the key was compromised.
///
/// # Errors
/// When the index cannot be read.
pub(crate) fn is_compromised_key(index: &Index, key: &PublicKey, now: OffsetDateTime) -> Result<bool, IndexError> {
    Ok(entries_with(index, key, now)?.iter().any(is_compromised))
}

/// Searches the index for a certificate for this key, of any name, that was revoked because the key was compromised.
///
/// # Errors
/// When the index has one, or cannot be read.
pub(crate) fn check_not_compromised(
    index: &Index,
    key: &PublicKey,
    now: OffsetDateTime,
) -> Result<(), SubjectKeyError> {
    refuse_compromised(entries_with(index, key, now)?)
}

fn refuse_compromised(entries: Vec<Entry>) -> Result<(), SubjectKeyError> {
    match entries.into_iter().find(is_compromised) {
        Some(Entry { name, serial, .. }) => Err(SubjectKeyError::KeyCompromised { name, serial: serial.to_string() }),
        None => Ok(()),
    }
}

fn is_compromised(entry: &Entry) -> bool {
    use RevocationReason::{AaCompromise, CaCompromise, KeyCompromise};
    let reason = entry.revocation.as_ref().map(|revocation| revocation.reason);
    reason.is_some_and(|reason| matches!(reason, KeyCompromise | CaCompromise | AaCompromise))
}
