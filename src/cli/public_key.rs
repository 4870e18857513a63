//! The public key of whatever file a user has at hand.

use std::path::Path;

use super::{Context, Failure};
use crate::x509::{Certificate, PublicKey, SigningRequest, pem};

/// Reads the public key of a certificate, a signing request, a public or a private key file; of several PEM blocks the
/// first that has one counts.
///
/// # Errors
/// Exit status 2: an input that cannot be read.
pub fn read(path: &Path, context: &mut Context<'_>) -> Result<PublicKey, Failure> {
    let content = context.read_input(path)?;
    of(&content).ok_or_else(|| {
        Failure::usage("unreadable-input", format!("{} holds no key, certificate or signing request", path.display()))
    })
}

fn of(content: &[u8]) -> Option<PublicKey> {
    if pem::is_pem(content) {
        return pem::parse_all(content).ok()?.iter().find_map(|block| of_der(&block.content));
    }
    of_der(content)
}

/// The structures differ in their second element, so that no octets can be read as two of them.
fn of_der(der: &[u8]) -> Option<PublicKey> {
    let of_certificate = || Certificate::from_der(der).ok().map(|certificate| certificate.public_key);
    let of_request = || SigningRequest::from_der(der).ok().map(|request| request.public_key);
    of_certificate().or_else(of_request).or_else(|| PublicKey::from_spki(der).ok())
}
