//! Signature algorithms (RFC 5280 §4.1.1.2) by object identifier.

use std::fmt;

use super::der;

/// An `AlgorithmIdentifier` of a certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignatureAlgorithm {
    /// The dotted object identifier.
    pub oid: String,
    /// The DER of the whole `AlgorithmIdentifier`.
    pub der: Vec<u8>,
}

/// What is known of the digest below a signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Strength {
    /// Nothing is known against it.
    Sound,
    /// It can be forged today, or falls short of SHA-256 in a way that is known: MD2, MD4, MD5, SHA-1.
    Weak,
    Unknown,
}

use Strength::{Sound, Unknown, Weak};

const PSS: &str = "1.2.840.113549.1.1.10";

/// Object identifier, name, and what is known of the digest. RSASSA-PSS names its digest in its parameters.
const KNOWN: [(&str, &str, Strength); 24] = [
    ("1.2.840.10045.4.3.2", "ecdsa-with-SHA256", Sound),
    ("1.2.840.10045.4.3.3", "ecdsa-with-SHA384", Sound),
    ("1.2.840.10045.4.3.4", "ecdsa-with-SHA512", Sound),
    ("1.2.840.113549.1.1.11", "sha256WithRSAEncryption", Sound),
    ("1.2.840.113549.1.1.12", "sha384WithRSAEncryption", Sound),
    ("1.2.840.113549.1.1.13", "sha512WithRSAEncryption", Sound),
    (PSS, "RSASSA-PSS", Unknown),
    ("1.3.101.112", "Ed25519", Sound),
    ("1.3.101.113", "Ed448", Sound),
    ("2.16.840.1.101.3.4.3.17", "ML-DSA-44", Sound),
    ("2.16.840.1.101.3.4.3.18", "ML-DSA-65", Sound),
    ("2.16.840.1.101.3.4.3.19", "ML-DSA-87", Sound),
    ("1.2.840.10045.4.3.1", "ecdsa-with-SHA224", Unknown),
    ("1.2.840.113549.1.1.14", "sha224WithRSAEncryption", Unknown),
    ("1.2.840.10045.4.1", "ecdsa-with-SHA1", Weak),
    ("1.2.840.113549.1.1.5", "sha1WithRSAEncryption", Weak),
    ("1.3.14.3.2.29", "sha1WithRSA", Weak),
    ("1.2.840.113549.1.1.4", "md5WithRSAEncryption", Weak),
    ("1.3.14.3.2.3", "md5WithRSA", Weak),
    ("1.2.840.113549.1.1.3", "md4WithRSAEncryption", Weak),
    ("1.2.840.113549.1.1.2", "md2WithRSAEncryption", Weak),
    ("1.2.840.10040.4.3", "dsa-with-SHA1", Weak),
    ("1.3.14.3.2.27", "dsaWithSHA1", Weak),
    ("1.3.14.3.2.13", "dsaWithSHA", Weak),
];

impl SignatureAlgorithm {
    /// Returns whether its digest can be forged today. What is not [`Sound`] is not relied on either.
    pub fn is_weak(&self) -> bool {
        self.strength() == Weak
    }

    pub fn strength(&self) -> Strength {
        if self.oid == PSS {
            return pss_digest(&self.der).map_or(Unknown, |digest| match digest {
                // SHA-256, SHA-384, SHA-512 and the three of SHA-3, below 2.16.840.1.101.3.4.2.
                [0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 1..=3 | 8..=10] => Sound,
                // SHA-1, and MD2 and MD5 below 1.2.840.113549.2.
                [0x2b, 14, 3, 2, 26] | [0x2a, 0x86, 0x48, 0x86, 0xf7, 13, 2, 2..=5] => Weak,
                _ => Unknown,
            });
        }
        KNOWN.iter().find(|(oid, ..)| *oid == self.oid).map_or(Unknown, |(.., strength)| *strength)
    }
}

/// The parameters of RSASSA-PSS (RFC 4055 §3.1).
struct PssParameters<'a> {
    /// The object identifier of the digest.
    digest: &'a [u8],
    /// That of the digest in the mask generation function; `None` when that is not MGF1.
    mask_digest: Option<&'a [u8]>,
    salt_bytes: u64,
    trailer: u64,
}

const SHA1: &[u8] = &[0x2b, 14, 3, 2, 26];

/// The digests that RSASSA-PSS is relied on with, by object identifier, with the bytes of their values (RFC 8446 §4.2.3).
const PSS_DIGESTS: [(&[u8], &str, u64); 3] = [
    (&[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 1], "SHA-256", 32),
    (&[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 2], "SHA-384", 48),
    (&[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 3], "SHA-512", 64),
];

/// The names of other digests.
const OTHER_DIGESTS: [(&[u8], &str); 6] = [
    (SHA1, "SHA-1"),
    (&[0x2a, 0x86, 0x48, 0x86, 0xf7, 13, 2, 5], "MD5"),
    (&[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 4], "SHA-224"),
    (&[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 8], "SHA3-256"),
    (&[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 9], "SHA3-384"),
    (&[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 10], "SHA3-512"),
];

/// Returns the name of a digest for a sentence.
fn digest_name(oid: &[u8]) -> &'static str {
    let relied_on = PSS_DIGESTS.iter().map(|(known, name, _)| (*known, *name));
    let mut all = relied_on.chain(OTHER_DIGESTS);
    all.find(|(known, _)| *known == oid).map_or("an unknown digest", |(_, name)| name)
}

impl SignatureAlgorithm {
    /// Returns whether it is RSASSA-PSS.
    pub fn is_pss(&self) -> bool {
        self.oid == PSS
    }

    /// Returns the parameter of RSASSA-PSS that TLS libraries do not rely on, and what is expected of it (RFC 8446 §4.2.3), as
    /// `a salt of 222 bytes, 32 expected`; `None` for the usual parameters and for other algorithms.
    pub fn pss_fault(&self) -> Option<String> {
        if !self.is_pss() {
            return None;
        }
        let Some(parameters) = pss_parameters(&self.der) else {
            return Some("parameters that cannot be read".to_owned());
        };
        let Some((_, name, bytes)) = PSS_DIGESTS.iter().find(|(known, ..)| *known == parameters.digest) else {
            let digest = digest_name(parameters.digest);
            return Some(format!("{digest} as its digest, SHA-256, SHA-384 or SHA-512 expected"));
        };
        match parameters.mask_digest {
            None => return Some("an unknown mask generation function, MGF1 expected".to_owned()),
            Some(mask) if mask != parameters.digest => {
                return Some(format!("MGF1 over {}, over {name} expected", digest_name(mask)));
            }
            Some(_) => {}
        }
        if parameters.salt_bytes != *bytes {
            return Some(format!("a salt of {} bytes, {bytes} expected", parameters.salt_bytes));
        }
        (parameters.trailer != 1).then(|| format!("the trailer field {}, 1 expected", parameters.trailer))
    }
}

/// Reads the parameters of RSASSA-PSS; what is left out has its default value (RFC 4055 §3.1).
fn pss_parameters(identifier: &[u8]) -> Option<PssParameters<'_>> {
    let (der::SEQUENCE, content, []) = der::split_first(identifier)? else { return None };
    let [_oid, parameters] = der::children(content)?[..] else { return None };
    let (der::SEQUENCE, fields, []) = der::split_first(parameters)? else { return None };
    let mut found = PssParameters { digest: SHA1, mask_digest: Some(SHA1), salt_bytes: 20, trailer: 1 };
    let oid_of = |algorithm| {
        let (der::SEQUENCE, content, []) = der::split_first(algorithm)? else { return None };
        let (der::OBJECT_IDENTIFIER, oid, rest) = der::split_first(content)? else { return None };
        Some((oid, rest))
    };
    let number = |value| match der::split_first(value)? {
        (der::INTEGER, digits, []) if digits.len() <= 8 && digits.first().is_none_or(|first| *first < 0x80) => {
            Some(digits.iter().fold(0, |number, digit| number << 8 | u64::from(*digit)))
        }
        _ => None,
    };
    for field in der::children(fields)? {
        let (tag, value, _) = der::split_first(field)?;
        match tag {
            0xa0 => found.digest = oid_of(value)?.0,
            0xa1 => {
                const MGF1: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 13, 1, 1, 8];
                let (function, digest) = oid_of(value)?;
                found.mask_digest = if function == MGF1 { Some(oid_of(digest)?.0) } else { None };
            }
            0xa2 => found.salt_bytes = number(value)?,
            0xa3 => found.trailer = number(value)?,
            _ => return None,
        }
    }
    Some(found)
}

/// Returns the object identifier of the digest in the parameters of RSASSA-PSS: SHA-1 when they leave it out (RFC 4055
/// §3.1). `None` when they are absent or cannot be read.
fn pss_digest(identifier: &[u8]) -> Option<&[u8]> {
    let (der::SEQUENCE, content, []) = der::split_first(identifier)? else { return None };
    let [_oid, parameters] = der::children(content)?[..] else { return None };
    let (der::SEQUENCE, fields, []) = der::split_first(parameters)? else { return None };
    match der::split_first(fields) {
        Some((0xa0, digest, _)) => {
            let (der::SEQUENCE, digest, []) = der::split_first(digest)? else { return None };
            let (der::OBJECT_IDENTIFIER, oid, _) = der::split_first(digest)? else { return None };
            Some(oid)
        }
        _ => Some(SHA1),
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

    fn strength(oid: &str) -> Strength {
        SignatureAlgorithm { oid: oid.to_owned(), der: Vec::new() }.strength()
    }

    #[test]
    fn what_uses_a_digest_that_can_be_forged_is_weak_under_each_of_its_names() {
        for weak in ["1.2.840.113549.1.1.5", "1.2.840.10045.4.1", "1.3.14.3.2.29", "1.2.840.113549.1.1.2"] {
            assert_eq!(strength(weak), Weak, "{weak}");
        }
        assert_eq!(strength("1.2.840.113549.1.1.11"), Sound);
        assert_eq!(strength("1.3.101.112"), Sound);
    }

    #[test]
    fn what_is_unknown_is_neither_weak_nor_sound() {
        assert_eq!(strength("1.2.3.4"), Unknown);
        assert_eq!(strength(PSS), Unknown);
    }

    #[test]
    fn the_digest_of_pss_stands_in_its_parameters_and_is_sha1_without_them() {
        let with = |parameters: &[&[u8]]| {
            let oid = [der::OBJECT_IDENTIFIER, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 10];
            let der = der::sequence(&[&oid, &der::sequence(parameters)]);
            SignatureAlgorithm { oid: PSS.to_owned(), der }.strength()
        };
        let digest = |oid: &[u8]| der::value(0xa0, &der::sequence(&[&der::value(der::OBJECT_IDENTIFIER, oid)]));
        assert_eq!(with(&[]), Weak);
        // A salt alone: the digest is the default still.
        assert_eq!(with(&[&[0xa2, 3, 2, 1, 32]]), Weak);
        assert_eq!(with(&[&digest(&[0x2b, 14, 3, 2, 26])]), Weak);
        assert_eq!(with(&[&digest(&[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 1]), &[0xa2, 3, 2, 1, 32]]), Sound);
        assert_eq!(with(&[&digest(&[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 4])]), Unknown);
    }

    #[test]
    fn the_parameter_of_pss_that_is_not_relied_on_is_named() {
        const SHA256: &[u8] = &[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 1];
        const MGF1: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 13, 1, 1, 8];
        let algorithm = |oid: &[u8]| der::sequence(&[&der::value(der::OBJECT_IDENTIFIER, oid)]);
        let mask = |function: &[u8], digest: &[u8]| {
            der::sequence(&[&der::value(der::OBJECT_IDENTIFIER, function), &algorithm(digest)])
        };
        let fault = |digest: &[u8], mask: Vec<u8>, rest: &[&[u8]]| {
            let oid = [der::OBJECT_IDENTIFIER, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 10];
            let fields = [der::value(0xa0, &algorithm(digest)), der::value(0xa1, &mask), rest.concat()].concat();
            let der = der::sequence(&[&oid, &der::value(der::SEQUENCE, &fields)]);
            SignatureAlgorithm { oid: PSS.to_owned(), der }.pss_fault()
        };
        let usual = || mask(MGF1, SHA256);
        let salt = |bytes: u8| [0xa2, 4, 2, 2, 0, bytes];
        assert_eq!(fault(SHA256, usual(), &[&salt(32)]), None);
        for (found, expected) in [
            (fault(SHA256, usual(), &[&salt(222)]), "a salt of 222 bytes, 32 expected"),
            (fault(SHA256, usual(), &[]), "a salt of 20 bytes, 32 expected"),
            (fault(SHA1, mask(MGF1, SHA1), &[]), "SHA-1 as its digest, SHA-256, SHA-384 or SHA-512 expected"),
            (fault(SHA256, mask(MGF1, SHA1), &[&salt(32)]), "MGF1 over SHA-1, over SHA-256 expected"),
            (fault(SHA256, mask(SHA1, SHA256), &[&salt(32)]), "an unknown mask generation function, MGF1 expected"),
            (fault(SHA256, usual(), &[&salt(32), &[0xa3, 3, 2, 1, 2]]), "the trailer field 2, 1 expected"),
            (fault(SHA256, usual(), &[&[0xa2, 3, 2, 1, 0xff]]), "parameters that cannot be read"),
        ] {
            assert_eq!(found.as_deref(), Some(expected));
        }
        let other = SignatureAlgorithm { oid: "1.2.840.113549.1.1.11".to_owned(), der: Vec::new() };
        assert_eq!(other.pss_fault(), None);
    }
}
