//! Signature algorithms (RFC 5280 §4.1.1.2) by object identifier.

use std::fmt;

/// An `AlgorithmIdentifier` of a certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignatureAlgorithm {
    /// The dotted object identifier.
    pub oid: String,
    /// The DER of the whole `AlgorithmIdentifier`.
    pub der: Vec<u8>,
}

/// Object identifier, name, and whether its signatures can be forged.
const KNOWN: [(&str, &str, bool); 12] = [
    ("1.2.840.10045.4.3.2", "ecdsa-with-SHA256", true),
    ("1.2.840.10045.4.3.3", "ecdsa-with-SHA384", true),
    ("1.2.840.10045.4.3.4", "ecdsa-with-SHA512", true),
    ("1.2.840.113549.1.1.11", "sha256WithRSAEncryption", true),
    ("1.2.840.113549.1.1.12", "sha384WithRSAEncryption", true),
    ("1.2.840.113549.1.1.13", "sha512WithRSAEncryption", true),
    ("1.2.840.113549.1.1.10", "RSASSA-PSS", true),
    ("1.3.101.112", "Ed25519", true),
    ("1.2.840.10045.4.1", "ecdsa-with-SHA1", false),
    ("1.2.840.113549.1.1.5", "sha1WithRSAEncryption", false),
    ("1.2.840.113549.1.1.4", "md5WithRSAEncryption", false),
    ("1.2.840.10040.4.3", "dsa-with-SHA1", false),
];

impl SignatureAlgorithm {
    /// Returns whether its digest can be forged today: MD5 and SHA-1.
    pub fn is_weak(&self) -> bool {
        KNOWN.iter().any(|(oid, _, sound)| *oid == self.oid && !sound)
    }
}

/// The name that openssl uses; an unknown algorithm is shown as its object identifier.
impl fmt::Display for SignatureAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(KNOWN.iter().find(|(oid, ..)| *oid == self.oid).map_or(self.oid.as_str(), |(_, name, _)| name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_uses_a_digest_that_can_be_forged_is_weak_and_what_is_unknown_is_not_said_to_be() {
        let is_weak = |oid: &str| SignatureAlgorithm { oid: oid.to_owned(), der: Vec::new() }.is_weak();
        assert!(is_weak("1.2.840.113549.1.1.5") && is_weak("1.2.840.10045.4.1"));
        assert!(!is_weak("1.2.840.113549.1.1.11") && !is_weak("1.3.101.112") && !is_weak("1.2.3.4"));
    }
}
