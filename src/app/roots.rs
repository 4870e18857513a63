//! `ca roots`: what clients must trust, in the form that a program reads.

use crate::authority::hierarchy::rotation::start::BUNDLE;
use crate::report::failure::Failure;
use crate::store::CaCertificates;
use crate::store::ca_certificates::{Root, read_certificates};
use crate::system::files;
use crate::text::PathText;
use crate::x509::pem;

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

/// The published CRLs of all authorities.
#[derive(Default)]
pub struct Crls {
    /// The names of the authorities, in the order of their CRLs.
    pub authorities: Vec<String>,
    /// The CRLs in PEM.
    pub pem: String,
}

/// Reads the CRL of every authority: the farthest from its root first, because some servers read the first CRL only, and leaf
/// certificates are checked with that of their issuer.
///
/// # Errors
/// When an authority has none: servers that check whole chains would refuse every client.
pub fn crls(authorities: &CaCertificates) -> Result<Crls, Failure> {
    let mut names = Vec::new();
    for name in authorities.names()? {
        names.push((authorities.ca_certificate(&name)?.above().len(), name));
    }
    names.sort_by(|(depth, name), (other_depth, other)| other_depth.cmp(depth).then(name.cmp(other)));
    let mut found = Crls::default();
    for (_, name) in names {
        let path = authorities.home().crl_pem(&name);
        let unreadable = |reason: String| {
            Failure::refused("missing-crl", format!("the CRL of '{name}' cannot be used: {}: {reason}", path.escaped()))
                .hint(format!("ca crl --authority {name}"))
        };
        let Some(stored) = files::read_regular(&path, files::MAX_FILE_BYTES)? else {
            return Err(Failure::refused("missing-crl", format!("the authority '{name}' has not published a CRL"))
                .hint(format!("ca crl --authority {name}"))
                .hint("with one CRL missing, servers that check whole chains refuse every client"));
        };
        let ders = pem::crls(stored.content).map_err(|error| unreadable(error.to_string()))?.ders;
        if ders.is_empty() {
            return Err(unreadable("it has no CRL".to_owned()));
        }
        ders.iter().for_each(|der| found.pem.push_str(&pem::encode(pem::CRL_LABEL, der)));
        found.authorities.push(name);
    }
    Ok(found)
}
