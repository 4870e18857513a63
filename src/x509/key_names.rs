//! The kinds of keys that this program does not use, by name: one table for public keys, private keys and messages.

/// A kind of key that is not used here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OtherKey {
    /// The object identifier of its algorithm; of an elliptic curve, that of the curve.
    pub oid: &'static str,
    /// The short name in reports and JSON.
    pub name: &'static str,
    /// The same in a sentence, with its article.
    pub words: &'static str,
}

/// id-ecPublicKey, without the name of a curve: its parameters are written out.
pub const EC_PUBLIC_KEY: &str = "1.2.840.10045.2.1";

/// Returns what is known about an object identifier.
pub fn find(oid: &str) -> Option<&'static OtherKey> {
    OTHER_KEYS.iter().find(|known| known.oid == oid)
}

const fn key(oid: &'static str, name: &'static str, words: &'static str) -> OtherKey {
    OtherKey { oid, name, words }
}

const OTHER_KEYS: &[OtherKey] = &[
    key("1.2.840.113549.1.1.10", "rsa-pss", "an RSA key restricted to RSASSA-PSS"),
    key("1.2.840.113549.1.1.7", "rsa-oaep", "an RSA key restricted to RSAES-OAEP, which cannot sign"),
    key("1.2.840.10040.4.1", "dsa", "a DSA key"),
    key("1.3.14.3.2.12", "dsa", "a DSA key"),
    key("1.2.840.113549.1.3.1", "dh", "a Diffie-Hellman key, which cannot sign"),
    key("1.2.840.10046.2.1", "dh-x9.42", "a Diffie-Hellman key, which cannot sign"),
    key("1.3.101.110", "x25519", "an X25519 key, which cannot sign"),
    key("1.3.101.111", "x448", "an X448 key, which cannot sign"),
    key("1.3.101.113", "ed448", "an Ed448 key"),
    key(
        EC_PUBLIC_KEY,
        "ec-without-named-curve",
        "an ECDSA key with explicit curve parameters instead of a named curve",
    ),
    key("1.3.132.1.12", "ecdh", "an ECDH key, which cannot sign"),
    // SEC 2.
    key("1.2.840.10045.3.1.1", "ecdsa-p192", "an ECDSA key on P-192"),
    key("1.3.132.0.33", "ecdsa-p224", "an ECDSA key on P-224"),
    key("1.3.132.0.10", "secp256k1", "an ECDSA key on secp256k1"),
    key("1.3.132.0.31", "secp192k1", "an ECDSA key on secp192k1"),
    key("1.3.132.0.32", "secp224k1", "an ECDSA key on secp224k1"),
    key("1.3.132.0.8", "secp160r1", "an ECDSA key on secp160r1"),
    key("1.3.132.0.6", "secp112r1", "an ECDSA key on secp112r1"),
    key("1.3.132.0.28", "secp128r1", "an ECDSA key on secp128r1"),
    key("1.3.132.0.1", "sect163k1", "an ECDSA key on sect163k1"),
    key("1.3.132.0.26", "sect233k1", "an ECDSA key on sect233k1"),
    key("1.3.132.0.16", "sect283k1", "an ECDSA key on sect283k1"),
    key("1.3.132.0.36", "sect409k1", "an ECDSA key on sect409k1"),
    key("1.3.132.0.38", "sect571k1", "an ECDSA key on sect571k1"),
    // RFC 5639 §4.1.
    key("1.3.36.3.3.2.8.1.1.1", "brainpoolP160r1", "an ECDSA key on brainpoolP160r1"),
    key("1.3.36.3.3.2.8.1.1.3", "brainpoolP192r1", "an ECDSA key on brainpoolP192r1"),
    key("1.3.36.3.3.2.8.1.1.5", "brainpoolP224r1", "an ECDSA key on brainpoolP224r1"),
    key("1.3.36.3.3.2.8.1.1.7", "brainpoolP256r1", "an ECDSA key on brainpoolP256r1"),
    key("1.3.36.3.3.2.8.1.1.8", "brainpoolP256t1", "an ECDSA key on brainpoolP256t1"),
    key("1.3.36.3.3.2.8.1.1.9", "brainpoolP320r1", "an ECDSA key on brainpoolP320r1"),
    key("1.3.36.3.3.2.8.1.1.11", "brainpoolP384r1", "an ECDSA key on brainpoolP384r1"),
    key("1.3.36.3.3.2.8.1.1.12", "brainpoolP384t1", "an ECDSA key on brainpoolP384t1"),
    key("1.3.36.3.3.2.8.1.1.13", "brainpoolP512r1", "an ECDSA key on brainpoolP512r1"),
    key("1.3.36.3.3.2.8.1.1.14", "brainpoolP512t1", "an ECDSA key on brainpoolP512t1"),
    // Of states.
    key("1.2.156.10197.1.301", "sm2", "an SM2 key"),
    key("1.2.643.2.2.19", "gost-2001", "a GOST R 34.10-2001 key"),
    key("1.2.643.7.1.1.1.1", "gost-2012-256", "a GOST R 34.10-2012 key"),
    key("1.2.643.7.1.1.1.2", "gost-2012-512", "a GOST R 34.10-2012 key"),
    // RFC 9881, RFC 9909, RFC 9935.
    key("2.16.840.1.101.3.4.3.17", "ml-dsa-44", "an ML-DSA-44 key"),
    key("2.16.840.1.101.3.4.3.18", "ml-dsa-65", "an ML-DSA-65 key"),
    key("2.16.840.1.101.3.4.3.19", "ml-dsa-87", "an ML-DSA-87 key"),
    key("2.16.840.1.101.3.4.3.32", "hash-ml-dsa-44", "a HashML-DSA-44 key"),
    key("2.16.840.1.101.3.4.3.33", "hash-ml-dsa-65", "a HashML-DSA-65 key"),
    key("2.16.840.1.101.3.4.3.34", "hash-ml-dsa-87", "a HashML-DSA-87 key"),
    key("2.16.840.1.101.3.4.3.20", "slh-dsa-sha2-128s", "an SLH-DSA-SHA2-128s key"),
    key("2.16.840.1.101.3.4.3.21", "slh-dsa-sha2-128f", "an SLH-DSA-SHA2-128f key"),
    key("2.16.840.1.101.3.4.3.22", "slh-dsa-sha2-192s", "an SLH-DSA-SHA2-192s key"),
    key("2.16.840.1.101.3.4.3.23", "slh-dsa-sha2-192f", "an SLH-DSA-SHA2-192f key"),
    key("2.16.840.1.101.3.4.3.24", "slh-dsa-sha2-256s", "an SLH-DSA-SHA2-256s key"),
    key("2.16.840.1.101.3.4.3.25", "slh-dsa-sha2-256f", "an SLH-DSA-SHA2-256f key"),
    key("2.16.840.1.101.3.4.3.26", "slh-dsa-shake-128s", "an SLH-DSA-SHAKE-128s key"),
    key("2.16.840.1.101.3.4.3.27", "slh-dsa-shake-128f", "an SLH-DSA-SHAKE-128f key"),
    key("2.16.840.1.101.3.4.3.28", "slh-dsa-shake-192s", "an SLH-DSA-SHAKE-192s key"),
    key("2.16.840.1.101.3.4.3.29", "slh-dsa-shake-192f", "an SLH-DSA-SHAKE-192f key"),
    key("2.16.840.1.101.3.4.3.30", "slh-dsa-shake-256s", "an SLH-DSA-SHAKE-256s key"),
    key("2.16.840.1.101.3.4.3.31", "slh-dsa-shake-256f", "an SLH-DSA-SHAKE-256f key"),
    key("2.16.840.1.101.3.4.4.1", "ml-kem-512", "an ML-KEM-512 key, which cannot sign"),
    key("2.16.840.1.101.3.4.4.2", "ml-kem-768", "an ML-KEM-768 key, which cannot sign"),
    key("2.16.840.1.101.3.4.4.3", "ml-kem-1024", "an ML-KEM-1024 key, which cannot sign"),
    key("1.2.840.113549.1.9.16.3.17", "hss-lms", "an HSS/LMS key"),
    key("1.3.6.1.5.5.7.6.34", "xmss", "an XMSS key"),
    key("1.3.6.1.5.5.7.6.35", "xmss-mt", "an XMSS^MT key"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_stands_in_the_table_once() {
        let mut oids: Vec<&str> = OTHER_KEYS.iter().map(|known| known.oid).collect();
        oids.sort_unstable();
        assert!(oids.windows(2).all(|pair| pair[0] != pair[1]), "{oids:?}");
        assert!(OTHER_KEYS.iter().all(|known| known.words.starts_with("a ") || known.words.starts_with("an ")));
        assert_eq!(find("1.3.101.110").map(|known| known.name), Some("x25519"));
        assert_eq!(find("1.2.3"), None);
    }
}
