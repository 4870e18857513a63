//! `ca roots`: what clients must trust, in the form that a program reads.

use crate::app::collected_crls;
use crate::app::context::Context;
use crate::authority::hierarchy::rotation::start::BUNDLE;
use crate::authority::revocation::collected_crls::CollectedCrls;
use crate::report::failure::Failure;
use crate::store::CaCertificates;
use crate::store::ca_certificates::{Root, read_certificates};

/// Returns the roots of the CA.
///
/// # Errors
/// When this CA has none.
pub fn roots_of(authorities: &CaCertificates) -> Result<Vec<Root>, Failure> {
    let mut roots = Vec::new();
    for root in authorities.roots()? {
        let previous = previous(authorities, &root)?;
        roots.push(root);
        roots.extend(previous);
    }
    if roots.is_empty() {
        return Err(Failure::usage("no-roots", "no authority of this CA is a root")
            .hint("restore its certificate: authorities/root/cert.pem"));
    }
    Ok(roots)
}

/// Returns the certificates before that of a root which `ca root renew --keep-previous` kept for clients: what another tool issued
/// may name one of them by its serial number.
fn previous(authorities: &CaCertificates, root: &Root) -> Result<Vec<Root>, Failure> {
    let path = authorities.home().authority(&root.name).join(BUNDLE);
    if !path.is_file() {
        return Ok(Vec::new());
    }
    let mut kept = read_certificates(&path)?;
    // The file of a root that replaces another one has certificates of both keys.
    kept.retain(|certificate| {
        let is_same =
            certificate.public_key == root.certificate.public_key && certificate.subject == root.certificate.subject;
        is_same && certificate.is_self_issued() && *certificate != root.certificate
    });
    let named =
        |(at, certificate)| Root { name: format!("{}-previous-{at}", root.name), path: path.clone(), certificate };
    Ok((1..).zip(kept).map(named).collect())
}

/// Returns the CRLs that go beside the roots: those of a CRL bundle.
///
/// # Errors
/// When an authority has none: servers that check whole chains would refuse every client.
pub fn crls(context: &Context<'_>) -> Result<CollectedCrls, Failure> {
    let store = context.store()?;
    collected_crls::collect(&store, None, context)
}
