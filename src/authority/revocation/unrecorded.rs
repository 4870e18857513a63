//! A certificate that an authority of this CA signed and the index does not have: the index was restored from an older
//! copy, or another tool issued the certificate. Its signature proves where it is from.

use time::OffsetDateTime;

use crate::authority::leaf::order::IMPORTED;
use crate::authority::signed_by::{has_signed, has_signed_over_sha1};
use crate::store::certificate_files::CERTIFICATE;
use crate::store::index::{EventKind, Index, IndexError, NewEntry, Origin, Transaction};
use crate::store::{Store, StoreError, ca_certificates};
use crate::system::files;
use crate::x509::Certificate;

/// An unrecorded certificate, and how it is recorded.
#[derive(Debug)]
pub(super) struct Unrecorded<'a> {
    certificate: &'a Certificate,
    /// The name of the authority that signed it.
    pub authority: String,
    /// True when the signature is one over SHA-1.
    pub is_over_sha1: bool,
    name: String,
}

impl<'a> Unrecorded<'a> {
    /// Returns the certificate with the authority that signed it; `None` when no authority did.
    ///
    /// # Errors
    /// When the certificates of the authorities cannot be read.
    pub fn find(certificate: &'a Certificate, store: &Store, index: &Index) -> Result<Option<Self>, StoreError> {
        let Some((authority, is_over_sha1)) = signer(certificate, store)? else { return Ok(None) };
        let name = name_of(certificate, store, index)?;
        Ok(Some(Self { certificate, authority, is_over_sha1, name }))
    }

    /// Records the certificate as an imported one, and in the log with which algorithm it is signed.
    ///
    /// # Errors
    /// When the index has another certificate with this issuer and serial number, or cannot be written.
    pub fn record(&self, transaction: &mut Transaction<'_>, now: OffsetDateTime) -> Result<(), IndexError> {
        transaction.insert(&NewEntry {
            certificate: self.certificate,
            name: &self.name,
            template: IMPORTED,
            authority: &self.authority,
            issued_at: now,
            origin: Origin::Imported,
            place: None,
            delivered_at: Some(now),
            event: EventKind::Import,
            detail: Some(format!("signed with {}", self.certificate.signature_algorithm)),
        })?;
        Ok(())
    }
}

/// Returns the name of the authority whose key signed the certificate: one that is in use, else one that is retired; and
/// whether the signature is one over SHA-1.
///
/// A forged certificate with the SHA-1 of a genuine one has no effect here that 'ca revoke SERIAL' could not have: a CRL names
/// a serial number of this CA, and [`super::revoke`] refuses one that the index has for another certificate.
fn signer(certificate: &Certificate, store: &Store) -> Result<Option<(String, bool)>, StoreError> {
    let authorities = store.ca_certificates();
    let mut cas = Vec::new();
    for name in authorities.names()? {
        let ca = authorities.certificate(&name)?;
        cas.push((name, ca));
    }
    let retired = store.home().retired();
    for name in files::names_in(&retired)? {
        let path = CERTIFICATE.path_in(&retired.join(&name));
        // Only what an old root signed depends on its folder, which may be taken away.
        if path.is_file() {
            cas.push((name, ca_certificates::read_certificate(&path)?));
        }
    }
    let by = |has_signed: fn(&Certificate, &Certificate) -> bool| {
        cas.iter().find(|(_, ca)| has_signed(ca, certificate)).map(|(name, _)| name.clone())
    };
    let over_sha1 = || by(has_signed_over_sha1).map(|name| (name, true));
    Ok(by(has_signed).map(|name| (name, false)).or_else(over_sha1))
}

/// Returns the NAME of the entry: that of the authority whose certificate it is, else one of its own. The name of a host
/// would make it the latest certificate of that name, which renewals follow.
fn name_of(certificate: &Certificate, store: &Store, index: &Index) -> Result<String, StoreError> {
    let authorities = store.ca_certificates();
    for name in authorities.names()? {
        let is_that_of = authorities.certificate(&name)? == *certificate;
        if is_that_of && index.latest_by_name(&name)?.is_none() {
            return Ok(name);
        }
    }
    Ok(format!("imported-{}", certificate.serial))
}
