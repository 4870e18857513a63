//! A certificate that an authority of this CA signed and the index does not have: the index was restored from an older
//! copy, or another tool issued the certificate. Its signature proves where it is from.

use time::OffsetDateTime;

use crate::keys;
use crate::store::certificate_files::CERTIFICATE;
use crate::store::index::{EventKind, Index, IndexError, NewEntry, Origin, Transaction};
use crate::store::{Store, StoreError, ca_certificates};
use crate::system::files;
use crate::x509::{CanonicalName, Certificate};

/// The template of an imported certificate: no template of this CA made it.
const TEMPLATE: &str = "imported";

/// An unrecorded certificate, and how it is recorded.
#[derive(Debug)]
pub(super) struct Unrecorded<'a> {
    certificate: &'a Certificate,
    /// The name of the authority that signed it.
    pub authority: String,
    name: String,
}

impl<'a> Unrecorded<'a> {
    /// Returns the certificate with the authority that signed it; `None` when no authority did.
    ///
    /// # Errors
    /// When the certificates of the authorities cannot be read.
    pub fn find(certificate: &'a Certificate, store: &Store, index: &Index) -> Result<Option<Self>, StoreError> {
        let Some(authority) = signer(certificate, store)? else { return Ok(None) };
        let name = name_of(certificate, store, index)?;
        Ok(Some(Self { certificate, authority, name }))
    }

    /// Records the certificate as an imported one.
    ///
    /// # Errors
    /// When the index has another certificate with this issuer and serial number, or cannot be written.
    pub fn record(&self, transaction: &mut Transaction<'_>, now: OffsetDateTime) -> Result<(), IndexError> {
        transaction.insert(&NewEntry {
            certificate: self.certificate,
            name: &self.name,
            template: TEMPLATE,
            authority: &self.authority,
            issued_at: now,
            origin: Origin::Imported,
            place: None,
            delivered_at: Some(now),
            event: EventKind::Import,
        })?;
        Ok(())
    }
}

/// Returns true when the certificate signed itself.
pub(super) fn is_self_signed(certificate: &Certificate) -> bool {
    certificate.is_self_issued() && is_signed_by(certificate, certificate)
}

/// Returns the name of the authority whose key signed the certificate: one that is in use, else one that is retired.
fn signer(certificate: &Certificate, store: &Store) -> Result<Option<String>, StoreError> {
    let authorities = store.ca_certificates();
    for name in authorities.names()? {
        if is_signed_by(certificate, &authorities.certificate(&name)?) {
            return Ok(Some(name));
        }
    }
    let retired = store.home().retired();
    for name in files::names_in(&retired)? {
        let path = CERTIFICATE.path_in(&retired.join(&name));
        // Only what an old root signed depends on its folder, which may be taken away.
        if path.is_file() && is_signed_by(certificate, &ca_certificates::read_certificate(&path)?) {
            return Ok(Some(name));
        }
    }
    Ok(None)
}

fn is_signed_by(certificate: &Certificate, issuer: &Certificate) -> bool {
    CanonicalName::of(&certificate.issuer) == CanonicalName::of(&issuer.subject)
        && keys::verify(&issuer.public_key, &certificate.signature_algorithm, certificate.tbs(), &certificate.signature)
            .is_ok()
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
