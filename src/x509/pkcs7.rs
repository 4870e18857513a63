//! PKCS #7 without a signature: a set of certificates (RFC 2315 §9.1, RFC 5652 §5.1), as `.p7b` files have it.
//!
//! The certificates keep their bytes: a structure that decodes and encodes them again could change the bytes that are signed.

use super::der;
use crate::x509::pem;

/// 1.2.840.113549.1.7.2.
const SIGNED_DATA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 2];
/// 1.2.840.113549.1.7.1.
const DATA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 1];

/// The label of RFC 7468 §8.
const LABEL: &str = "PKCS7";

/// Returns the certificates as PEM. They stay in their order, as openssl writes them: programs take the first for the leaf.
pub fn certificates<'a>(ders: impl IntoIterator<Item = &'a [u8]>) -> String {
    let ders: Vec<&[u8]> = ders.into_iter().collect();
    let empty_set = der::value(der::SET, &[]);
    let signed_data = der::sequence(&[
        &der::value(der::INTEGER, &[1]),
        &empty_set,
        &der::sequence(&[&der::value(der::OBJECT_IDENTIFIER, DATA)]),
        &der::constructed(der::context_constructed(0), &ders),
        &empty_set,
    ]);
    let content = der::constructed(der::context_constructed(0), &[&signed_data]);
    pem::encode(LABEL, &der::sequence(&[&der::value(der::OBJECT_IDENTIFIER, SIGNED_DATA), &content]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_certificate_is_there_in_its_order_and_with_its_bytes() {
        let (one, other) = (der::sequence(&[&[2, 1, 7]]), der::sequence(&[&[2, 1, 5]]));
        let text = certificates([one.as_slice(), other.as_slice()]);
        assert!(text.starts_with("-----BEGIN PKCS7-----\n"), "{text}");
        let whole = pem::parse_all(text.as_bytes()).unwrap().remove(0).content;
        let at = |part: &[u8]| whole.windows(part.len()).position(|window| window == part).unwrap();
        assert!(at(&one) < at(&other));
        assert!(der::has_shortest_lengths(&whole));
    }
}
