//! A key that a certificate is asked for again, or for the first time, and that is not made here and now: one that others are
//! known to have gets no certificate any more, and one that somebody brings in a request must not be of this CA's own.

use time::OffsetDateTime;

use crate::authority::error::AuthorityError;
use crate::store::ca_certificates;
use crate::store::ca_certificates::Authorities;
use crate::store::home::Home;
use crate::store::index::{Entry, Filter, Index};
use crate::x509::PublicKey;
use crate::x509::crl::RevocationReason;

/// Looks the key of a request up among the authorities, and in the index by its fingerprint.
///
/// # Errors
/// When no certificate may be made for it.
pub(crate) fn check(home: &Home, index: &Index, key: &PublicKey, now: OffsetDateTime) -> Result<(), AuthorityError> {
    for name in Authorities::of(home).names()? {
        // One whose certificate is still being signed elsewhere has none.
        let path = home.authority(&name).join("cert.pem");
        if ca_certificates::read_certificates(&path)?.iter().any(|certificate| certificate.public_key == *key) {
            return Err(AuthorityError::KeyOfAuthority(name));
        }
    }
    check_not_compromised(index, key, now)
}

/// Looks a key up in the index: whether a certificate of it, of whichever name, was revoked because others have the key.
///
/// # Errors
/// When that is so.
pub(crate) fn check_not_compromised(index: &Index, key: &PublicKey, now: OffsetDateTime) -> Result<(), AuthorityError> {
    let filter = Filter { key_fingerprint: Some(key.fingerprint()), ..Filter::default() };
    let (entries, _) = index.query(&filter, now)?;
    match entries.into_iter().find(is_compromised) {
        Some(Entry { name, serial, .. }) => Err(AuthorityError::KeyCompromised { name, serial: serial.to_string() }),
        None => Ok(()),
    }
}

fn is_compromised(entry: &Entry) -> bool {
    use RevocationReason::{AaCompromise, CaCompromise, KeyCompromise};
    let reason = entry.revocation.as_ref().map(|revocation| revocation.reason);
    reason.is_some_and(|reason| matches!(reason, KeyCompromise | CaCompromise | AaCompromise))
}
