//! Certification requests (PKCS #10, RFC 2986).

use std::ops::Range;

use super::certificate::oid;
use super::pem::{self, PemError};
use super::{
    BasicConstraints, DistinguishedName, ExtendedKeyUsage, Extension, GeneralName, KeyUsage, PublicKey,
    SignatureAlgorithm, der,
};

/// A CSR that was decoded: what its sender asks for, and the issuer may refuse.
///
/// Decoding is not verification: extensions and attributes that cannot be decoded are listed in `malformed`, and the issuer
/// refuses them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SigningRequest {
    pub(super) der: Vec<u8>,
    pub(super) tbs: Range<usize>,
    /// 1 for v1, which is the only version.
    pub version: u32,
    pub subject: DistinguishedName,
    pub public_key: PublicKey,
    /// The requested subject alternative names.
    pub subject_alt_names: Option<Vec<GeneralName>>,
    pub basic_constraints: Option<BasicConstraints>,
    pub key_usage: Option<KeyUsage>,
    pub extended_key_usage: Option<Vec<ExtendedKeyUsage>>,
    /// Every requested extension, not decoded.
    pub requested_extensions: Vec<Extension>,
    /// Object identifiers of attributes other than the extension request.
    pub other_attributes: Vec<String>,
    /// Object identifiers of extensions and attributes that could not be decoded, or that occur twice, and why.
    pub malformed: Vec<(String, String)>,
    pub signature_algorithm: SignatureAlgorithm,
    /// The content of the signature BIT STRING.
    pub signature: Vec<u8>,
}

impl SigningRequest {
    /// Returns the bytes of the whole request.
    pub fn as_der(&self) -> &[u8] {
        &self.der
    }

    /// Returns the bytes that are signed (`certificationRequestInfo`).
    pub fn tbs(&self) -> &[u8] {
        &self.der[self.tbs.clone()]
    }

    /// Returns the requested extension with this object identifier.
    pub fn extension(&self, oid: &str) -> Option<&Extension> {
        self.requested_extensions.iter().find(|extension| extension.oid == oid)
    }

    /// Returns what is wrong with the attributes (RFC 2986 §4.1), where programs could read different things.
    pub(super) fn attribute_problems(&self) -> Vec<(String, String)> {
        let fields = der::split_first(self.tbs()).and_then(|(_, content, _)| der::children(content));
        let attributes = match fields.as_deref() {
            Some([_version, _subject, _key, attributes]) => der::split_first(attributes),
            _ => None,
        };
        let Some(attributes) = attributes.and_then(|(_, content, _)| der::children(content)) else {
            return vec![(oid::EXTENSION_REQUEST.to_owned(), "the attributes cannot be taken apart".to_owned())];
        };
        let mut extension_requests = 0;
        let mut problems = Vec::new();
        for attribute in attributes {
            let Some((kind, values)) = parts_of_attribute(attribute) else {
                let reason = "an attribute is not a type and a set of values".to_owned();
                problems.push((oid::EXTENSION_REQUEST.to_owned(), reason));
                continue;
            };
            // The content bytes of 1.2.840.113549.1.9.14.
            if kind == [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 14] {
                extension_requests += 1;
                if values.len() != 1 {
                    let reason = format!("{} lists of extensions, where one is expected", values.len());
                    problems.push((oid::EXTENSION_REQUEST.to_owned(), reason));
                }
            }
        }
        if extension_requests > 1 {
            problems.push((oid::EXTENSION_REQUEST.to_owned(), "it stands twice".to_owned()));
        }
        problems
    }
}

/// Why a file is not one request.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RequestFileError {
    #[error("it is empty")]
    Empty,
    #[error(transparent)]
    Pem(#[from] PemError),
    #[error("it contains {found} PEM blocks, where one certificate request is expected")]
    NotOne { found: usize },
    #[error("it contains a block '{}', where a certificate request is expected", crate::text::escape(.0))]
    Another(String),
    #[error("text follows the end of the request: '{}'", crate::text::escape(.0))]
    TextBehind(String),
}

/// Returns the DER of the only request in a file, which is PEM or DER. Text may precede PEM, as `openssl req -text` writes
/// it.
///
/// # Errors
/// When it is empty, or PEM that is not exactly one request.
pub fn der_of_file(content: &[u8]) -> Result<Vec<u8>, RequestFileError> {
    const END: &[u8] = b"-----END ";
    /// The most characters of a text behind the request that a message shows.
    const SHOWN: usize = 40;
    if content.is_empty() {
        return Err(RequestFileError::Empty);
    }
    if !pem::is_pem(content) {
        return Ok(content.to_vec());
    }
    let blocks = pem::parse_all(content)?;
    let [block] = &blocks[..] else { return Err(RequestFileError::NotOne { found: blocks.len() }) };
    if !is_request(&block.label) {
        return Err(RequestFileError::Another(block.label.clone()));
    }
    let last = content.windows(END.len()).rposition(|window| window == END).unwrap_or(0);
    let behind = content[last..].splitn(2, |byte| *byte == b'\n').nth(1).unwrap_or_default();
    // Some devices write a NUL or ^Z (the end of a file of DOS) behind the text.
    if behind.iter().all(|byte| byte.is_ascii_whitespace() || matches!(byte, 0 | 0x1a)) {
        Ok(block.content.to_vec())
    } else {
        let text = String::from_utf8_lossy(behind.trim_ascii());
        Err(RequestFileError::TextBehind(text.chars().take(SHOWN).collect()))
    }
}

/// Returns whether a label is that of a request: the labels of RFC 7468 §7, and one that other libraries write.
pub fn is_request(label: &str) -> bool {
    matches!(label, "CERTIFICATE REQUEST" | "NEW CERTIFICATE REQUEST" | "CERTIFICATE SIGNING REQUEST")
}

/// Returns the content of the type, and the values.
fn parts_of_attribute(attribute: &[u8]) -> Option<(&[u8], Vec<&[u8]>)> {
    let (der::SEQUENCE, content, []) = der::split_first(attribute)? else { return None };
    let (der::OBJECT_IDENTIFIER, kind, content) = der::split_first(content)? else { return None };
    let (der::SET, values, []) = der::split_first(content)? else { return None };
    Some((kind, der::children(values)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_holds_one_request_and_nothing_behind_it() {
        let request = pem::encode("CERTIFICATE REQUEST", &[0x30, 0]);
        let older = pem::encode("NEW CERTIFICATE REQUEST", &[0x30, 0]);
        for file in [
            request.as_bytes(),
            older.as_bytes(),
            format!("text\n{request}\n \n").as_bytes(),
            format!("{request}\0\r\n\x1a").as_bytes(),
            &[0x30, 0],
        ] {
            assert_eq!(der_of_file(file).unwrap(), [0x30, 0]);
        }
        assert!(matches!(der_of_file(b""), Err(RequestFileError::Empty)));
        let refused = der_of_file(pem::encode("CERTIFICATE", &[0x30, 0]).as_bytes());
        assert!(matches!(refused, Err(RequestFileError::Another(label)) if label == "CERTIFICATE"));
        let refused = der_of_file(format!("{request}{request}").as_bytes());
        assert!(matches!(refused, Err(RequestFileError::NotOne { found: 2 })));
        assert!(
            matches!(der_of_file(format!("{request}text").as_bytes()), Err(RequestFileError::TextBehind(text)) if text == "text")
        );
    }
}
