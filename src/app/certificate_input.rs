//! Certificates in files that a user names.

use std::path::Path;

use crate::app::context::Context;
use crate::report::failure::{Failure, KindCodes};
use crate::store::StoreError;
use crate::text::PathText;
use crate::x509::file_kind::Expected;
use crate::x509::{Certificate, certificate_file};

/// The most certificates of one file that are checked one by one: each may break many rules, and all of it is reported.
pub const MAX_CERTIFICATES: usize = 10_000;

/// Reads every certificate of a PEM or DER file; an empty list when it holds none.
///
/// # Errors
/// When the file or a certificate in it cannot be read.
pub fn read_certificates(path: &Path, context: &mut Context<'_>) -> Result<Vec<Certificate>, Failure> {
    let content = context.read_expected(path, Expected::Certificate, KindCodes::both("bad-certificate"))?;
    let failed = |cause| Failure::from(StoreError::Certificate { path: path.to_owned(), cause });
    certificate_file::parse(&content).map_err(failed)
}

/// Reads every certificate of a PEM or DER file; there must be one.
///
/// # Errors
/// When the file or a certificate in it cannot be read, or there is none.
pub fn require_certificates(path: &Path, context: &mut Context<'_>) -> Result<Vec<Certificate>, Failure> {
    let unreadable = |reason: String| {
        Failure::usage("unreadable-input", format!("{}: {reason}", path.escaped()))
            .hint("certificates are read as PEM, any number of them, or as the DER of one")
    };
    let content = context.read_expected(path, Expected::Certificate, KindCodes::both("unreadable-input"))?;
    let ders = certificate_file::ders(content).map_err(|error| unreadable(error.to_string()))?.ders;
    let decoded: Result<Vec<_>, _> = ders.iter().map(|der| Certificate::from_der(der)).collect();
    let found = decoded.map_err(|error| unreadable(error.to_string()))?;
    if found.is_empty() { Err(unreadable("it contains no certificate".to_owned())) } else { Ok(found) }
}
