//! A certification request (PKCS #10, RFC 2986), read.

use std::ops::Range;

use super::{DistinguishedName, Extension, GeneralName, PublicKey, SignatureAlgorithm};

/// A CSR as it was read: what somebody asks for, and nothing that anybody must grant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SigningRequest {
    pub(super) der: Vec<u8>,
    pub(super) tbs: Range<usize>,
    pub subject: DistinguishedName,
    pub public_key: PublicKey,
    /// The requested subject alternative names.
    pub subject_alt_names: Option<Vec<GeneralName>>,
    /// Every requested extension, unread.
    pub requested_extensions: Vec<Extension>,
    /// Object identifiers of attributes other than the extension request.
    pub other_attributes: Vec<String>,
    pub signature_algorithm: SignatureAlgorithm,
    /// The content of the signature BIT STRING.
    pub signature: Vec<u8>,
}

impl SigningRequest {
    /// The octets of the whole request.
    pub fn as_der(&self) -> &[u8] {
        &self.der
    }

    /// The octets that are signed (`certificationRequestInfo`).
    pub fn tbs(&self) -> &[u8] {
        &self.der[self.tbs.clone()]
    }
}
