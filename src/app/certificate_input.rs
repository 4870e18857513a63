//! Certificates in files that a user names.

use std::path::Path;

use crate::app::context::Context;
use crate::report::failure::Failure;
use crate::store::StoreError;
use crate::store::ca_certificates::certificates;
use crate::x509::Certificate;

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
