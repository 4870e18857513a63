//! Public keys (RFC 5280 §4.1.2.7).

use super::item::Item;
use crate::clients::fact::{Found, Subject, Word, words};
use crate::clients::raw::RawKey;
use crate::clients::raw_der::expect;
use crate::x509::der;

words! {
    RSA_BELOW_1024 = "key:rsa-below-1024", ANY, "has an RSA key of less than 1024 bits", "BR §6.1.5";
    RSA_1024 = "key:rsa-1024", ANY, "has an RSA key of 1024 bits", "BR §6.1.5";
    RSA_BELOW_2040 = "key:rsa-below-2040", ANY, "has an RSA key of more than 1024 and less than 2040 bits", "BR §6.1.5";
    RSA_BELOW_2048 = "key:rsa-below-2048", ANY, "has an RSA key of less than 2048 bits", "BR §6.1.5";
    RSA_ODD_SIZE = "key:rsa-odd-size", ANY, "has an RSA key whose length is not a multiple of 8 bits", "BR §6.1.5";
    RSA_OVER_4096 = "key:rsa-over-4096", ANY, "has an RSA key of more than 4096 bits", "BR §6.1.5";
    RSA_OVER_8192 = "key:rsa-over-8192", ANY, "has an RSA key of more than 8192 bits", "BR §6.1.5";
    RSA_SMALL_EXPONENT = "key:rsa-exponent-small", ANY, "has an RSA key with an exponent below 65537", "BR §6.1.6";
    RSA_PSS_ONLY = "key:rsa-pss-only", ANY, "has an RSA key that is for RSASSA-PSS only", "RFC 4055 §1.2";
    P192 = "key:p192", ANY, "has a key on the curve P-192", "RFC 5480 §2.1.1.1";
    P224 = "key:p224", ANY, "has a key on the curve P-224", "RFC 5480 §2.1.1.1";
    P521 = "key:p521", ANY, "has a key on the curve P-521", "BR §6.1.5";
    SECP256K1 = "key:secp256k1", ANY, "has a key on the curve secp256k1", "SEC 2 §2.4.1";
    BRAINPOOL_256 = "key:brainpool256", ANY, "has a key on the curve brainpoolP256r1", "RFC 5639 §3.4";
    OTHER_CURVE = "key:other-curve", ANY, "has a key on a curve that is not known here", "RFC 5480 §2.1.1.1";
    EXPLICIT = "key:ec-explicit", ANY, "writes out the parameters of its curve", "RFC 5480 §2.1.1";
    COMPRESSED = "key:ec-compressed", ANY, "has a key that is a compressed point", "RFC 5480 §2.2";
    ED25519 = "key:ed25519", ANY, "has an Ed25519 key", "RFC 8410 §3";
    ED448 = "key:ed448", ANY, "has an Ed448 key", "RFC 8410 §3";
    DSA = "key:dsa", ANY, "has a DSA key", "RFC 3279 §2.3.2";
    MLDSA44 = "key:mldsa44", ANY, "has an ML-DSA-44 key", "RFC 9881";
    MLDSA65 = "key:mldsa65", ANY, "has an ML-DSA-65 key", "RFC 9881";
    MLDSA87 = "key:mldsa87", ANY, "has an ML-DSA-87 key", "RFC 9881";
    OTHER = "key:other", ANY, "has a key of a kind that is not known here", "RFC 5280 §4.1.2.7";
}

pub const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1];
pub const RSA_PSS: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 10];
const EC: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1];

const OTHERS: [(&[u8], &Word); 6] = [
    (&[0x2b, 0x65, 0x70], &ED25519),
    (&[0x2b, 0x65, 0x71], &ED448),
    (&[0x2a, 0x86, 0x48, 0xce, 0x38, 4, 1], &DSA),
    (&[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 3, 17], &MLDSA44),
    (&[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 3, 18], &MLDSA65),
    (&[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 3, 19], &MLDSA87),
];

/// The content of the object identifier, and the word; `None` for the curves that every client accepts.
const CURVES: [(&[u8], Option<&Word>); 7] = [
    (&[0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7], None),
    (&[0x2b, 0x81, 4, 0, 34], None),
    (&[0x2b, 0x81, 4, 0, 35], Some(&P521)),
    (&[0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 1], Some(&P192)),
    (&[0x2b, 0x81, 4, 0, 33], Some(&P224)),
    (&[0x2b, 0x81, 4, 0, 10], Some(&SECP256K1)),
    (&[0x2b, 0x24, 3, 3, 2, 8, 1, 1, 7], Some(&BRAINPOOL_256)),
];

pub fn find(item: &Item<'_, '_>, found: &mut Found) {
    let (subject, key) = (item.subject, &item.certificate.key);
    match key.algorithm {
        RSA => rsa(subject, key, found),
        RSA_PSS => {
            found.add(subject, &RSA_PSS_ONLY);
            rsa(subject, key, found);
        }
        EC => elliptic(subject, key, found),
        other => found.add(subject, OTHERS.iter().find(|(known, _)| *known == other).map_or(&OTHER, |(_, word)| word)),
    }
}

fn rsa(subject: Subject, key: &RawKey<'_>, found: &mut Found) {
    let fields = expect(der::SEQUENCE, key.bits).map(|(fields, _)| fields).unwrap_or_default();
    let Some((modulus, rest)) = expect(der::INTEGER, fields) else { return found.add(subject, &OTHER) };
    let exponent = expect(der::INTEGER, rest).map(|(exponent, _)| exponent).unwrap_or_default();
    let bits = bits(modulus);
    match bits {
        0..1024 => found.add(subject, &RSA_BELOW_1024),
        1024 => found.add(subject, &RSA_1024),
        1025..2048 => {
            found.add_if(bits < 2040, subject, &RSA_BELOW_2040);
            found.add(subject, &RSA_BELOW_2048);
        }
        _ => {
            found.add_if(bits > 4096, subject, &RSA_OVER_4096);
            found.add_if(bits > 8192, subject, &RSA_OVER_8192);
        }
    }
    found.add_if(!bits.is_multiple_of(8), subject, &RSA_ODD_SIZE);
    found.add_if(self::bits(exponent) < 17, subject, &RSA_SMALL_EXPONENT);
}

/// Returns the length of a number in bits.
fn bits(number: &[u8]) -> usize {
    let first = number.iter().position(|byte| *byte != 0).unwrap_or(number.len());
    let number = &number[first..];
    number.first().map_or(0, |byte| number.len() * 8 - byte.leading_zeros() as usize)
}

fn elliptic(subject: Subject, key: &RawKey<'_>, found: &mut Found) {
    match expect(der::OBJECT_IDENTIFIER, key.parameters) {
        None => found.add(subject, &EXPLICIT),
        Some((curve, _)) => match CURVES.iter().find(|(known, _)| *known == curve) {
            Some((_, Some(word))) => found.add(subject, word),
            Some((_, None)) => {}
            None => found.add(subject, &OTHER_CURVE),
        },
    }
    found.add_if(matches!(key.bits.first(), Some(2 | 3)), subject, &COMPRESSED);
}
