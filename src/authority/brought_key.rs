//! A key that somebody brings in a request: not one of this CA's own, nor one that others are known to have.

use time::OffsetDateTime;

use super::index::{Entry, Filter, Index};
use super::{Authorities, AuthorityError, Home, authorities};
use crate::x509::PublicKey;
use crate::x509::revocation_list::RevocationReason;

/// Looks the key up among the authorities, and in the index by its fingerprint.
///
/// # Errors
/// When no certificate may be made for it.
pub(super) fn check(home: &Home, index: &Index, key: &PublicKey, now: OffsetDateTime) -> Result<(), AuthorityError> {
    for name in Authorities::of(home).names()? {
        // One whose certificate is still being signed elsewhere has none.
        let path = home.authority(&name).join("cert.pem");
        if authorities::read_certificates(&path)?.iter().any(|certificate| certificate.public_key == *key) {
            return Err(AuthorityError::KeyOfAuthority(name));
        }
    }
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
