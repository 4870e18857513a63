//! Revocations that the CA's own index knows. Without CRLs the result does not cover revocation, so they are warnings.

use time::OffsetDateTime;

use crate::app::context::Context;
use crate::app::verify::verified_file::VerifiedFile;
use crate::store::index::CertificateStatus;
use crate::text::rfc3339;
use crate::x509::{CanonicalName, DistinguishedName};

/// A warning for every certificate of a chain that the index knows as revoked or held.
pub fn known_as_revoked(results: &[VerifiedFile], at: OffsetDateTime, context: &Context<'_>) -> Vec<String> {
    let store = context.store();
    let index = match store.as_ref().map_err(Clone::clone).and_then(|store| Ok(store.index()?)) {
        Ok(index) => index,
        Err(failure) => return vec![format!("the index was not asked about revocations: {}", failure.message)],
    };
    let mut warnings = Vec::new();
    for link in results.iter().flat_map(VerifiedFile::chain) {
        let entries = index.by_serial(&link.serial).unwrap_or_default();
        let found = entries.into_iter().find(|entry| is_same_name(&entry.issuer, &link.issuer));
        let Some(mut entry) = found else { continue };
        if at < context.now() {
            entry.revocation = index.revocation_at(entry.id, at).unwrap_or(entry.revocation);
        }
        if let (CertificateStatus::Revoked | CertificateStatus::Held, Some(revocation)) =
            (entry.status(at), &entry.revocation)
        {
            let (since, reason) = (rfc3339(revocation.at), revocation.reason.name());
            warnings.push(format!(
                "{}: '{}' was revoked at {since} ({reason}), says the index of this CA; with --crl FILE the answer is no",
                link.source, entry.name
            ));
        }
    }
    warnings
}

fn is_same_name(one: &DistinguishedName, other: &DistinguishedName) -> bool {
    CanonicalName::of(one) == CanonicalName::of(other)
}
