//! The outline of DER: the types of the first elements tell the structures of X.509 and PKCS apart.

use super::kind::FileKind;
use super::kinds;
use crate::x509::der;

/// The arc of PKCS#7 (1.2.840.113549.1.7), of which PKCS#12 uses one as the type of its content.
const PKCS7_ARC: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7];

/// The most elements that are looked at.
const MOST: usize = 16;

/// Returns what a DER value is; bytes may follow it. `None` for what is not one SEQUENCE, and for other structures.
pub(super) fn recognise(content: &[u8]) -> Option<&'static FileKind> {
    let (der::SEQUENCE, content, _) = der::split_first(content)? else { return None };
    let elements = elements(content);
    let tags: Vec<u8> = elements.iter().map(|(tag, _)| *tag).collect();
    match tags[..] {
        [der::SEQUENCE, der::SEQUENCE, der::BIT_STRING] => of_signed(elements[0].1),
        [der::SEQUENCE, der::BIT_STRING] => Some(&kinds::PUBLIC_KEY),
        // EncryptedPrivateKeyInfo (RFC 5958 §3).
        [der::SEQUENCE, der::OCTET_STRING] => Some(&kinds::PRIVATE_KEY),
        // PrivateKeyInfo (RFC 5958 §2), with attributes and public key behind it. PKCS#12 begins with 3 (RFC 7292 §4).
        [der::INTEGER, der::SEQUENCE, der::OCTET_STRING, ..] => Some(&kinds::PRIVATE_KEY),
        [der::INTEGER, der::SEQUENCE, ..] if elements[0].1 == [3] && begins_with_pkcs7(elements[1].1) => {
            Some(&kinds::PKCS12)
        }
        // ECPrivateKey (RFC 5915 §3).
        [der::INTEGER, der::OCTET_STRING, ..] if elements[0].1 == [1] => Some(&kinds::PRIVATE_KEY),
        // RSAPrivateKey has nine numbers (RFC 8017 §A.1.2), openssl's DSA key six, RSAPublicKey two.
        [der::INTEGER, der::INTEGER, ..] if tags.iter().all(|tag| *tag == der::INTEGER) => match tags.len() {
            9 => Some(&kinds::PRIVATE_KEY),
            6 => Some(&kinds::DSA_KEY),
            // DHParameter has a small generator in second place, and so has an RSA key its exponent: 2 and 5 are DH's.
            2 if matches!(elements[1].1, [2] | [5]) => Some(&kinds::PARAMETERS),
            2 => Some(&kinds::RSA_PUBLIC_DER),
            3 => Some(&kinds::PARAMETERS),
            _ => None,
        },
        [der::OBJECT_IDENTIFIER, ..] if elements[0].1.starts_with(PKCS7_ARC) => Some(&kinds::PKCS7),
        [der::ENUMERATED] => Some(&kinds::OCSP_RESPONSE),
        [der::ENUMERATED, explicit] if explicit == der::context_constructed(0) => Some(&kinds::OCSP_RESPONSE),
        _ => None,
    }
}

/// What is signed (RFC 5280 §4.1, §5.1; RFC 2986 §4.1; RFC 5755 §4.1): the elements of its first part.
fn of_signed(signed: &[u8]) -> Option<&'static FileKind> {
    let elements = elements(signed);
    let tags: Vec<u8> = elements.iter().map(|(tag, _)| *tag).collect();
    const EXPLICIT_VERSION: u8 = der::context_constructed(0);
    match tags[..] {
        [EXPLICIT_VERSION, der::INTEGER, ..] => Some(&kinds::CERTIFICATE),
        [der::INTEGER, der::SEQUENCE, der::SEQUENCE, der::UTC_TIME | der::GENERALIZED_TIME, ..]
        | [der::SEQUENCE, der::SEQUENCE, der::UTC_TIME | der::GENERALIZED_TIME, ..] => Some(&kinds::CRL),
        // The holder of an attribute certificate is a SEQUENCE of tagged choices, a name has SETs only.
        [der::INTEGER, der::SEQUENCE, issuer, der::SEQUENCE, der::INTEGER, ..] if issuer == EXPLICIT_VERSION => {
            Some(&kinds::ATTRIBUTE_CERTIFICATE)
        }
        [der::INTEGER, der::SEQUENCE, der::SEQUENCE, der::SEQUENCE, der::SEQUENCE, der::SEQUENCE, ..] => {
            Some(&kinds::CERTIFICATE)
        }
        [der::INTEGER, der::SEQUENCE, der::SEQUENCE, ..] => Some(&kinds::REQUEST),
        _ => None,
    }
}

fn begins_with_pkcs7(content: &[u8]) -> bool {
    matches!(der::split_first(content), Some((der::OBJECT_IDENTIFIER, kind, _)) if kind.starts_with(PKCS7_ARC))
}

/// Returns tag and content of the first elements, as far as they can be split.
fn elements(mut content: &[u8]) -> Vec<(u8, &[u8])> {
    let mut found = Vec::new();
    while found.len() < MOST {
        let Some((tag, value, rest)) = der::split_first(content) else { break };
        found.push((tag, value));
        content = rest;
    }
    found
}
