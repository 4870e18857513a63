//! The public key of whatever file a user has at hand.

use std::path::Path;

use crate::app::context::Context;
use crate::keys::Signer;
use crate::keys::key_file::KeyFile;
use crate::report::failure::{Failure, KindCodes};
use crate::text::PathText;
use crate::x509::file_kind::Expected;
use crate::x509::{Certificate, PublicKey, SigningRequest, certificate_file, pem};

/// Reads the public key of a certificate, a signing request, a public or a private key file; of several PEM blocks the
/// first that has one counts.
///
/// # Errors
/// Exit status 2: an input that cannot be read.
pub fn read(path: &Path, context: &mut Context<'_>) -> Result<PublicKey, Failure> {
    let content = context.read_expected(path, Expected::AnyKey, KindCodes::both("unreadable-input"))?;
    of(&content).ok_or_else(|| {
        let failure = |reason| Failure::usage("unreadable-input", format!("{} {reason}", path.escaped()));
        match KeyFile::parse(&content) {
            Ok(file) if file.is_encrypted() => failure(
                "contains an encrypted private key, which is not \
                 decrypted for this",
            )
            .hint("give the certificate or the public key that belongs to it"),
            _ => failure("contains no key, certificate or signing request that can be read"),
        }
    })
}

fn of(content: &[u8]) -> Option<PublicKey> {
    if pem::is_pem(content) {
        let blocks = pem::parse_all(content).ok()?;
        return blocks
            .iter()
            .find_map(|block| of_der(certificate_file::der_of(block).unwrap_or(&block.content)))
            .or_else(|| of_private_key(content));
    }
    of_der(content).or_else(|| of_private_key(content))
}

fn of_private_key(content: &[u8]) -> Option<PublicKey> {
    let key = KeyFile::parse(content).ok()?.open(None).ok()?;
    Some(key.public_key().clone())
}

/// The structures differ in their second element, so that no bytes can be read as two of them.
fn of_der(der: &[u8]) -> Option<PublicKey> {
    let of_certificate = || Certificate::from_der(der).ok().map(|certificate| certificate.public_key);
    let of_request = || SigningRequest::from_der(der).ok().map(|request| request.public_key);
    of_certificate().or_else(of_request).or_else(|| PublicKey::from_spki(der).ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::{PrivateKey, key_file};
    use crate::store::index::sample::Sample;
    use crate::x509::KeyAlgorithm;

    #[test]
    fn the_key_is_found_in_every_kind_of_file() {
        let key = PrivateKey::generate(KeyAlgorithm::EcdsaP256).unwrap();
        let private = key_file::write(&key, None).unwrap();
        let spki = key.public_key().spki();
        for content in [private.as_bytes(), key.as_pkcs8(), spki, pem::encode("PUBLIC KEY", spki).as_bytes()] {
            assert_eq!(of(content).as_ref(), Some(key.public_key()));
        }
        let certificate = Sample::default().certificate();
        let text = pem::certificate(certificate.as_der());
        for content in [certificate.as_der(), text.as_bytes()] {
            assert_eq!(of(content).as_ref(), Some(&certificate.public_key));
        }
        assert_eq!(of(b"nothing of the kind"), None);
        assert_eq!(of(pem::encode("CERTIFICATE", b"nothing").as_bytes()), None);
    }
}
