//! Checks of an existing key, which a certificate is requested for again or by a CSR: a key that is known to be
//! compromised gets no certificate, and the key of a CSR must not be a key of this CA's own.

use time::OffsetDateTime;

use crate::store::certificate_files::CERTIFICATE;
use crate::store::index::{Entry, Filter, Index};
use crate::store::{Store, StoreError, ca_certificates};
use crate::text::{Diagnosis, Diagnostic};
use crate::x509::PublicKey;
use crate::x509::crl::RevocationReason;

/// The reason why no certificate is issued for a key.
#[derive(Debug, thiserror::Error)]
pub enum SubjectKeyError {
    #[error(transparent)]
    Store(StoreError),
    #[error("the request holds the key of the authority '{0}' of this CA, and no other certificate is made for that")]
    KeyOfAuthority(String),
    #[error("the key is that of '{name}' (serial number {serial}), which was revoked because others have that key")]
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
            Self::KeyOfAuthority(_) => Diagnosis::refused("key-of-authority").hint("make a new key for this request"),
            Self::KeyCompromised { .. } => Diagnosis::refused("key-compromised")
                .hint("make a new key: 'ca rekey' in place of 'ca renew', a new request in place of this one"),
        }
    }
}

/// Searches for the key of a CSR among the authorities, and in the index by its fingerprint.
///
/// # Errors
/// When no certificate may be issued for the key.
pub(crate) fn check(store: &Store, index: &Index, key: &PublicKey, now: OffsetDateTime) -> Result<(), SubjectKeyError> {
    for name in store.ca_certificates().names()? {
        // An authority whose certificate is still being signed by another CA has no certificate file.
        let path = CERTIFICATE.path_in(&store.home().authority(&name));
        if ca_certificates::read_certificates(&path)?.iter().any(|certificate| certificate.public_key == *key) {
            return Err(SubjectKeyError::KeyOfAuthority(name));
        }
    }
    check_not_compromised(index, key, now)
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
    let filter = Filter { key_fingerprint: Some(key.fingerprint()), ..Filter::default() };
    let (entries, _) = index.query(&filter, now)?;
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
