//! PEM by its labels (RFC 7468, and what other programs write).

use super::kind::{Expected, FileKind};
use super::kinds;
use crate::x509::pem;

/// Returns the kind of the first block when no block has what is expected.
pub(super) fn unexpected(content: &[u8], expected: Expected) -> Option<&'static FileKind> {
    if expected == Expected::Any {
        // What is shown block by block has a sentence for each. OpenPGP's armor has no blocks of PEM: a checksum follows its
        // base64 (RFC 9580 §6.1).
        let mut kinds = pem::labels(content).map(of_label);
        let first = kinds.next().flatten().filter(|kind| is_open_pgp(kind));
        return first.filter(|_| kinds.all(|kind| kind.is_some_and(is_open_pgp)));
    }
    let mut first = None;
    for label in pem::labels(content) {
        match of_label(label) {
            Some(kind) if expected.accepts(kind) => return None,
            // The reader of the command has its own sentence about a label that is not known.
            None => return None,
            Some(kind) => first = first.or(Some(kind)),
        }
    }
    first
}

fn is_open_pgp(kind: &FileKind) -> bool {
    [&kinds::PGP, &kinds::PGP_KEY].contains(&kind)
}

/// Returns the kind of the block at the beginning of the text.
pub(super) fn of_block(text: &[u8]) -> Option<&'static FileKind> {
    of_label(pem::labels(text).next()?)
}

pub(super) fn of_label(label: &[u8]) -> Option<&'static FileKind> {
    let label = std::str::from_utf8(label).ok()?;
    Some(match label {
        "CERTIFICATE" | "X509 CERTIFICATE" | "TRUSTED CERTIFICATE" => &kinds::CERTIFICATE,
        "CERTIFICATE REQUEST" | "NEW CERTIFICATE REQUEST" | "CERTIFICATE SIGNING REQUEST" => &kinds::REQUEST,
        "X509 CRL" | "CERTIFICATE REVOCATION LIST" => &kinds::CRL,
        "OPENSSH PRIVATE KEY" => &kinds::OPENSSH_PRIVATE,
        "TSS2 PRIVATE KEY" => &kinds::TPM_KEY,
        "PGP PRIVATE KEY BLOCK" | "PGP PUBLIC KEY BLOCK" => &kinds::PGP_KEY,
        "PGP MESSAGE" | "PGP SIGNED MESSAGE" | "PGP SIGNATURE" => &kinds::PGP,
        "AGE ENCRYPTED FILE" => &kinds::AGE,
        "DSA PRIVATE KEY" => &kinds::DSA_KEY,
        "PUBLIC KEY" | "RSA PUBLIC KEY" => &kinds::PUBLIC_KEY,
        "PKCS7" | "CMS" | "PKCS #7 SIGNED DATA" | "CERTIFICATE CHAIN" => &kinds::PKCS7_PEM,
        "SSL SESSION PARAMETERS" => &kinds::SSL_SESSION,
        "ECHCONFIG" => &kinds::ECH_CONFIG,
        "ATTRIBUTE CERTIFICATE" => &kinds::ATTRIBUTE_CERTIFICATE,
        "OpenVPN Static key V1" | "OpenVPN tls-crypt-v2 client key" | "OpenVPN tls-crypt-v2 server key" => {
            &kinds::OPENVPN_STATIC_KEY
        }
        "EC PARAMETERS" | "DH PARAMETERS" | "X9.42 DH PARAMETERS" | "DSA PARAMETERS" => &kinds::PARAMETERS,
        label if label.ends_with("PRIVATE KEY") => &kinds::PRIVATE_KEY,
        _ => return None,
    })
}
