//! The algorithm of a signature (RFC 5280 §4.1.1.2).

use super::item::Item;
use crate::clients::fact::{Found, Word, words};
use crate::clients::raw::RawAlgorithm;
use crate::x509::der;

words! {
    DIFFERENT = "signature-algorithms-differ", ANY, "names one signature algorithm inside the signed part and another outside",
        "RFC 5280 §4.1.1.2";
    RSA_WITHOUT_NULL = "rsa-signature-without-null", ANY, "names its RSA signature algorithm without the NULL parameters", "RFC 4055 §5";
    ECDSA_WITH_NULL = "ecdsa-signature-with-null", ANY, "names its ECDSA signature algorithm with NULL parameters", "RFC 5758 §3.2";
    RSA_MD2 = "signed:rsa-md2", ANY, "is signed with RSA and MD2", "RFC 6149";
    RSA_MD5 = "signed:rsa-md5", ANY, "is signed with RSA and MD5", "RFC 6151";
    RSA_SHA1 = "signed:rsa-sha1", ANY, "is signed with RSA and SHA-1", "BR §7.1.3.2.1";
    RSA_SHA224 = "signed:rsa-sha224", ANY, "is signed with RSA and SHA-224", "BR §7.1.3.2.1";
    RSA_PSS = "signed:rsa-pss", ANY, "is signed with RSASSA-PSS", "RFC 4055 §3";
    RSA_SHA3 = "signed:rsa-sha3", ANY, "is signed with RSA and SHA-3", "RFC 9688";
    ECDSA_SHA1 = "signed:ecdsa-sha1", ANY, "is signed with ECDSA and SHA-1", "BR §7.1.3.2.2";
    ECDSA_SHA224 = "signed:ecdsa-sha224", ANY, "is signed with ECDSA and SHA-224", "BR §7.1.3.2.2";
    ECDSA_SHA3 = "signed:ecdsa-sha3", ANY, "is signed with ECDSA and SHA-3", "RFC 9688";
    ED25519 = "signed:ed25519", ANY, "is signed with Ed25519", "RFC 8410 §3";
    ED448 = "signed:ed448", ANY, "is signed with Ed448", "RFC 8410 §3";
    DSA_SHA1 = "signed:dsa-sha1", ANY, "is signed with DSA and SHA-1", "RFC 3279 §2.2.2";
    DSA_SHA256 = "signed:dsa-sha256", ANY, "is signed with DSA and SHA-224 or SHA-256", "RFC 5758 §3.1";
    MLDSA44 = "signed:mldsa44", ANY, "is signed with ML-DSA-44", "RFC 9881";
    MLDSA65 = "signed:mldsa65", ANY, "is signed with ML-DSA-65", "RFC 9881";
    MLDSA87 = "signed:mldsa87", ANY, "is signed with ML-DSA-87", "RFC 9881";
    OTHER = "signed:other", ANY, "is signed with an algorithm that is not known here", "RFC 5280 §4.1.1.2";
}

/// The content of the object identifier, and the word; `None` for what every client accepts.
const ALGORITHMS: [(&[u8], Option<&Word>); 28] = [
    (&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 2], Some(&RSA_MD2)),
    (&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 4], Some(&RSA_MD5)),
    (&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 5], Some(&RSA_SHA1)),
    (&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 14], Some(&RSA_SHA224)),
    (&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 10], Some(&RSA_PSS)),
    (&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 11], None),
    (&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 12], None),
    (&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 13], None),
    (&[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 3, 13], Some(&RSA_SHA3)),
    (&[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 3, 14], Some(&RSA_SHA3)),
    (&[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 3, 15], Some(&RSA_SHA3)),
    (&[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 3, 16], Some(&RSA_SHA3)),
    (&[0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 1], Some(&ECDSA_SHA1)),
    (&[0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 1], Some(&ECDSA_SHA224)),
    (&[0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2], None),
    (&[0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 3], None),
    (&[0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 4], None),
    (&[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 3, 9], Some(&ECDSA_SHA3)),
    (&[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 3, 10], Some(&ECDSA_SHA3)),
    (&[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 3, 11], Some(&ECDSA_SHA3)),
    (&[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 3, 12], Some(&ECDSA_SHA3)),
    (&[0x2b, 0x65, 0x70], Some(&ED25519)),
    (&[0x2b, 0x65, 0x71], Some(&ED448)),
    (&[0x2a, 0x86, 0x48, 0xce, 0x38, 4, 3], Some(&DSA_SHA1)),
    (&[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 3, 2], Some(&DSA_SHA256)),
    (&[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 3, 17], Some(&MLDSA44)),
    (&[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 3, 18], Some(&MLDSA65)),
    (&[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 3, 19], Some(&MLDSA87)),
];

/// The beginning of the object identifiers of RSA with PKCS #1, and of ECDSA.
const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1];
const ECDSA: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 4];

pub fn find(item: &Item<'_, '_>, found: &mut Found) {
    let (subject, certificate) = (item.subject, item.certificate);
    found.add_if(certificate.inner_algorithm != certificate.outer_algorithm, subject, &DIFFERENT);
    let RawAlgorithm { oid, parameters } = certificate.signature_algorithm();
    match ALGORITHMS.iter().find(|(known, _)| *known == oid) {
        Some((_, Some(word))) => found.add(subject, word),
        Some((_, None)) => {}
        None => found.add(subject, &OTHER),
    }
    let is_pss = ALGORITHMS.iter().any(|(known, word)| *known == oid && *word == Some(&RSA_PSS));
    found.add_if(oid.starts_with(RSA) && !is_pss && parameters.is_empty(), subject, &RSA_WITHOUT_NULL);
    found.add_if(oid.starts_with(ECDSA) && parameters.first() == Some(&der::NULL), subject, &ECDSA_WITH_NULL);
}
