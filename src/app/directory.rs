//! Answers about a CA directory that several commands need.

use std::path::PathBuf;

use crate::report::failure::Failure;
use crate::store::Store;
use crate::store::ca_certificates::CaCertificates;
use crate::store::certificate_files::CERTIFICATE;

/// Returns the authority that issues when a command names none; empty when there is none.
///
/// # Errors
/// When the settings or the authorities cannot be read.
pub fn usual_issuer(store: &Store) -> Result<String, Failure> {
    Ok(store.ca_certificates().choose(None, store.config()).unwrap_or_default())
}

/// The file with the certificate of an authority.
pub struct CaCertificateFile {
    /// The name of the authority.
    pub name: String,
    /// The file may be missing: an authority that waits for its certificate has none.
    pub path: PathBuf,
}

/// Returns the certificate files of the CA directory's authorities, in the order of their names.
///
/// # Errors
/// When the folder of the authorities cannot be read.
pub fn ca_certificate_files(cas: &CaCertificates) -> Result<Vec<CaCertificateFile>, Failure> {
    let names = cas.names()?;
    Ok(names
        .into_iter()
        .map(|name| CaCertificateFile { path: CERTIFICATE.path_in(&cas.home().authority(&name)), name })
        .collect())
}
