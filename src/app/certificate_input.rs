//! Certificates in files that a user names.

use std::path::Path;

use crate::app::context::Context;
use crate::report::failure::Failure;
use crate::store::StoreError;
use crate::store::ca_certificates::certificates;
use crate::x509::{Certificate, pem};

/// The most certificates of one file that are checked one by one: each may break many rules, and all of it is reported.
pub const MAX_CERTIFICATES: usize = 10_000;

/// Reads every certificate of a PEM or DER file; an empty list when it holds none.
///
/// # Errors
/// When the file or a certificate in it cannot be read.
pub fn read_certificates(path: &Path, context: &mut Context<'_>) -> Result<Vec<Certificate>, Failure> {
    let content = context.read_input(path)?;
    let failed = |cause| Failure::from(StoreError::Certificate { path: path.to_owned(), cause });
    certificates(&content).map_err(failed)
}

/// Reads every certificate of a PEM or DER file; there must be one.
///
/// # Errors
/// When the file or a certificate in it cannot be read, or there is none.
pub fn require_certificates(path: &Path, context: &mut Context<'_>) -> Result<Vec<Certificate>, Failure> {
    let unreadable = |reason: String| {
        Failure::usage("unreadable-input", format!("{}: {reason}", path.display()))
            .hint("certificates are read as PEM, any number of them, or as the DER of one")
    };
    let content = context.read_input(path)?;
    if content.is_empty() {
        return Err(unreadable("the file is empty, and should hold a certificate".to_owned()));
    }
    if !pem::is_pem(&content) {
        return Ok(vec![Certificate::from_der(&content).map_err(|error| unreadable(error.to_string()))?]);
    }
    let mut found = Vec::new();
    for block in pem::parse_all(&content).map_err(|error| unreadable(error.to_string()))? {
        if block.label.ends_with("CERTIFICATE") {
            found.push(Certificate::from_der(&block.content).map_err(|error| unreadable(error.to_string()))?);
        }
    }
    if found.is_empty() { Err(unreadable("it holds no certificate".to_owned())) } else { Ok(found) }
}
