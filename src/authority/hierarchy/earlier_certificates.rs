//! The certificates that an imported CA issued with another tool: recorded, and with files where they are in use.

use std::path::Path;

use time::OffsetDateTime;

use crate::authority::error::CertifyError;
use crate::authority::hierarchy::new_authority::NewAuthority;
use crate::keys::PrivateKey;
use crate::store::StoreError;
use crate::store::delivery::{Files, KeyText};
use crate::store::entry_name::EntryName;
use crate::store::index::{EventKind, NewEntry, Origin, Transaction};
use crate::system::Entropy;
use crate::system::files::{self, StagedFolder};
use crate::x509::Certificate;
use crate::x509::certificate_file::CertificateFileError;

/// A certificate that another tool issued with the key of an authority.
pub struct EarlierCertificate {
    pub der: Vec<u8>,
    pub name: EntryName,
    pub template: &'static str,
    /// The name of the authority that signed it.
    pub authority: &'static str,
    /// True when it is the certificate of its NAME that is in use: it gets files.
    pub is_current: bool,
    /// Its private key; `None` when it is not there.
    pub key: Option<PrivateKey>,
}

impl EarlierCertificate {
    fn certificate(&self) -> Result<Certificate, CertifyError> {
        let failed = |cause| StoreError::Certificate {
            path: Path::new("a certificate of another tool").to_owned(),
            cause: CertificateFileError::from(cause),
        };
        Ok(Certificate::from_der(&self.der).map_err(failed)?)
    }
}

/// Writes the files of the certificates that are in use into a folder under construction.
///
/// # Errors
/// When the system refuses.
pub(super) fn stage(
    certificates: &[EarlierCertificate],
    authorities: &[NewAuthority],
    staged: &mut StagedFolder,
    entropy: &dyn Entropy,
) -> Result<(), CertifyError> {
    for earlier in certificates.iter().filter(|earlier| earlier.is_current) {
        let folder = Path::new("issued").join(earlier.name.folder());
        staged.add_folder(&folder)?;
        if let Some(key) = &earlier.key {
            KeyText::new(key, None, files::SECRET, entropy)?.stage(staged, &folder)?;
        }
        let issuer = authorities.iter().find(|authority| authority.name == earlier.authority);
        Files::new(&earlier.certificate()?, &chain_below(issuer)).stage(staged, &folder, true)?;
    }
    Ok(())
}

/// Returns the certificates between a leaf of an authority and the root.
fn chain_below(issuer: Option<&NewAuthority>) -> Vec<Certificate> {
    let Some(issuer) = issuer.filter(|issuer| !issuer.certificate.is_self_issued()) else { return Vec::new() };
    std::iter::once(&issuer.certificate).chain(&issuer.chain).cloned().collect()
}

/// Records the certificates, in their order. A revocation that is recorded later for a serial number is also that of its
/// certificate.
///
/// # Errors
/// When the index cannot be written, or has a certificate with this issuer and serial number.
pub(super) fn record(
    certificates: &[EarlierCertificate],
    transaction: &mut Transaction<'_>,
    now: OffsetDateTime,
) -> Result<(), CertifyError> {
    for earlier in certificates {
        let certificate = earlier.certificate()?;
        transaction.insert(&NewEntry {
            certificate: &certificate,
            name: earlier.name.as_str(),
            template: earlier.template,
            authority: earlier.authority,
            issued_at: now,
            origin: Origin::Imported,
            place: None,
            delivered_at: Some(now),
            event: EventKind::Import,
            detail: Some(format!("signed with {}", certificate.signature_algorithm)),
        })?;
    }
    Ok(())
}
