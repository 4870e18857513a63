//! Answers about a CA directory that several commands need.

use std::path::PathBuf;

use crate::report::failure::Failure;
use crate::store::ca_certificates::CaCertificates;
use crate::store::config::Config;
use crate::store::home::Home;
use crate::store::index::Index;

/// Opens the index of a CA for reading.
///
/// # Errors
/// When the settings or the index cannot be read.
pub fn open_index(home: &Home) -> Result<Index, Failure> {
    let config = Config::load(home)?;
    Ok(Index::open_to_read(&home.resolve(&config.index.location))?)
}

/// Returns the authority that issues when a command names none; empty when there is none.
///
/// # Errors
/// When the settings or the authorities cannot be read.
pub fn usual_issuer(home: &Home) -> Result<String, Failure> {
    Ok(CaCertificates::of(home).choose(None, &Config::load(home)?).unwrap_or_default())
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
pub fn ca_certificate_files(home: &Home) -> Result<Vec<CaCertificateFile>, Failure> {
    let names = CaCertificates::of(home).names()?;
    Ok(names.into_iter().map(|name| CaCertificateFile { path: home.authority(&name).join("cert.pem"), name }).collect())
}
