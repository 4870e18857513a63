//! `ca roots`: what clients must trust, in the form that a program reads.

use std::path::PathBuf;

use crate::app::collected_crls;
use crate::app::context::Context;
use crate::authority::hierarchy::rotation::start::BUNDLE;
use crate::authority::revocation::collected_crls::CollectedCrls;
use crate::report::failure::Failure;
use crate::store::ca_certificates::{Root, read_certificates};
use crate::store::{CaCertificates, StoreError};
use crate::x509::Certificate;

/// Returns the roots of the CA, each before the certificates that were kept for its clients.
///
/// # Errors
/// When this CA has none.
pub fn roots_of(authorities: &CaCertificates) -> Result<Vec<Root>, Failure> {
    let roots = with_previous(authorities)?;
    if roots.is_empty() {
        return Err(Failure::usage("no-roots", "no authority of this CA is a root")
            .hint("restore its certificate: authorities/root/cert.pem"));
    }
    Ok(roots)
}

/// As [`roots_of`], also when this CA has none.
///
/// # Errors
/// When a certificate cannot be read.
pub fn with_previous(authorities: &CaCertificates) -> Result<Vec<Root>, StoreError> {
    let mut roots = Vec::new();
    for root in authorities.roots()? {
        let kept = match previous_file(authorities, &root.name) {
            Some(path) => read_certificates(&path)?.into_iter().map(|kept| (path.clone(), kept)).collect(),
            None => Vec::new(),
        };
        let name = root.name.clone();
        let is_kept = |(_, kept): &(_, Certificate)| is_previous(&root.certificate, kept);
        let kept: Vec<_> = kept.into_iter().filter(is_kept).collect();
        roots.push(root);
        let named = |(at, (path, certificate))| Root { name: format!("{name}-previous-{at}"), path, certificate };
        roots.extend((1..).zip(kept).map(named));
    }
    Ok(roots)
}

/// Returns the file with the certificates before that of a root which `ca root renew --keep-previous` kept for clients: what
/// another tool issued may name one of them by its serial number. `None` when there is none.
pub fn previous_file(authorities: &CaCertificates, root: &str) -> Option<PathBuf> {
    Some(authorities.home().authority(root).join(BUNDLE)).filter(|path| path.is_file())
}

/// Returns whether a certificate of this file is an earlier one of a root. The file of a root that replaces another one has
/// certificates of both keys.
pub fn is_previous(root: &Certificate, kept: &Certificate) -> bool {
    let is_same = kept.public_key == root.public_key && kept.subject == root.subject;
    is_same && kept.is_self_issued() && kept != root
}

/// Returns the CRLs that go beside the roots: those of a CRL bundle.
///
/// # Errors
/// When an authority has none: servers that check whole chains would refuse every client.
pub fn crls(context: &Context<'_>) -> Result<CollectedCrls, Failure> {
    let store = context.store()?;
    collected_crls::collect(&store, None, context)
}
