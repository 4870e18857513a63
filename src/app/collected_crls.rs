//! The CRLs that go into exports and into the file of the roots: those of a CRL bundle.

use std::path::PathBuf;

use crate::app::context::Context;
use crate::authority::revocation::bundle;
use crate::authority::revocation::collected_crls::{self, CollectedCrls};
use crate::report::failure::Failure;
use crate::store::{Store, StoreError};
use crate::text::{escape, rfc3339};

/// Returns the files with CRLs of CAs above that the remembered bundles add, each once.
///
/// # Errors
/// When the index cannot be read.
pub fn also(store: &Store) -> Result<Vec<PathBuf>, StoreError> {
    let mut also: Vec<PathBuf> = Vec::new();
    for path in bundle::remembered(store)?.into_iter().flat_map(|bundle| bundle.also) {
        if !also.contains(&path) {
            also.push(path);
        }
    }
    Ok(also)
}

/// Collects the CRLs, that of the authority `first` before the others. An expired one is reported and not left out: without it,
/// the certificate beside it could not be delivered.
///
/// # Errors
/// When a CRL is missing, or is not the latest one.
pub fn collect(store: &Store, first: Option<&str>, context: &Context<'_>) -> Result<CollectedCrls, Failure> {
    let found = collected_crls::collect(store, first, &also(store)?, context.now())?;
    for crl in found.crls.iter().filter(|crl| crl.expires < context.now()) {
        let fix = match &crl.added_from {
            None => format!("ca crl --authority {}", crl.ca),
            Some(_) => "its operator has the present one".to_owned(),
        };
        let (ca, at) = (escape(&crl.ca), rfc3339(crl.expires));
        context.warn_at_end(format!("the CRL of '{ca}' expired at {at}: {fix}"));
    }
    for issuer in &found.missing {
        context.warn_at_end(format!(
            "there is no CRL of '{}', which is not an authority of this CA. Servers that check whole chains refuse every client \
             without it. Add it: ca crl --all --bundle FILE --also CRL",
            escape(issuer)
        ));
    }
    Ok(found)
}
