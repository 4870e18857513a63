//! What DER and the string types require beyond a value that can be read.

use super::der;

pub const NUMERIC_STRING: u8 = 0x12;
pub const TELETEX_STRING: u8 = 0x14;
pub const VISIBLE_STRING: u8 = 0x1a;
pub const UNIVERSAL_STRING: u8 = 0x1c;
pub const BMP_STRING: u8 = 0x1e;

/// Returns whether every byte is a character of PrintableString (X.680 §41.4).
pub fn is_printable_string(content: &[u8]) -> bool {
    content.iter().all(|byte| byte.is_ascii_alphanumeric() || b" '()+,-./:=?".contains(byte))
}

/// Returns whether the bytes are text in the encoding of this string type. The alphabet of PrintableString is not checked,
/// and of a type that is not known here nothing is.
pub fn is_encoded_as(tag: u8, content: &[u8]) -> bool {
    match tag {
        der::UTF8_STRING => std::str::from_utf8(content).is_ok(),
        der::IA5_STRING | der::PRINTABLE_STRING | VISIBLE_STRING => content.is_ascii(),
        NUMERIC_STRING => content.iter().all(|byte| byte.is_ascii_digit() || *byte == b' '),
        // UCS-2: characters above U+FFFF, which take two units in UTF-16, are not in it.
        BMP_STRING => {
            content.len().is_multiple_of(2) && content.chunks_exact(2).all(|unit| !(0xd8..0xe0).contains(&unit[0]))
        }
        UNIVERSAL_STRING => {
            let number = |four: &[u8]| four.iter().fold(0, |number, byte| number << 8 | u32::from(*byte));
            content.len().is_multiple_of(4)
                && content.chunks_exact(4).all(|four| char::from_u32(number(four)).is_some())
        }
        _ => true,
    }
}

/// Returns the name of a string type in X.680; `None` for another tag.
pub fn string_type(tag: u8) -> Option<&'static str> {
    Some(match tag {
        der::UTF8_STRING => "UTF8String",
        der::PRINTABLE_STRING => "PrintableString",
        der::IA5_STRING => "IA5String",
        NUMERIC_STRING => "NumericString",
        TELETEX_STRING => "TeletexString",
        VISIBLE_STRING => "VisibleString",
        UNIVERSAL_STRING => "UniversalString",
        BMP_STRING => "BMPString",
        _ => return None,
    })
}

/// Returns whether the content of a BIT STRING of named bits has no zero bits at its end (X.690 §11.2.2).
pub fn is_shortest_bit_list(content: &[u8]) -> bool {
    match content {
        [0] => true,
        [unused @ 0..8, .., last] => last.trailing_zeros() == u32::from(*unused),
        _ => false,
    }
}

/// An extension of a certificate or CRL, as it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WrittenExtension<'a> {
    /// The content of the object identifier.
    pub oid: &'a [u8],
    /// The content of the BOOLEAN; `None` when it is left out.
    pub critical: Option<&'a [u8]>,
    pub value: &'a [u8],
}

/// Returns the elements of a signed part (`tbsCertificate` or `tbsCertList`).
pub fn fields(tbs: &[u8]) -> Vec<&[u8]> {
    der::split_first(tbs).and_then(|(_, content, _)| der::children(content)).unwrap_or_default()
}

/// Splits the extensions in their explicit tag; `None` when they are something else.
pub fn written_extensions(tagged: &[u8]) -> Option<Vec<WrittenExtension<'_>>> {
    let (_, list, []) = der::split_first(tagged)? else { return None };
    let (der::SEQUENCE, extensions, []) = der::split_first(list)? else { return None };
    der::children(extensions)?.into_iter().map(written_extension).collect()
}

/// Splits one extension; `None` when it is something else.
pub fn written_extension(extension: &[u8]) -> Option<WrittenExtension<'_>> {
    let (_, parts, _) = der::split_first(extension)?;
    let (der::OBJECT_IDENTIFIER, oid, rest) = der::split_first(parts)? else { return None };
    let (critical, rest) = match der::split_first(rest)? {
        (der::BOOLEAN, content, rest) => (Some(content), rest),
        _ => (None, rest),
    };
    let (der::OCTET_STRING, value, _) = der::split_first(rest)? else { return None };
    Some(WrittenExtension { oid, critical, value })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_string_has_the_characters_of_its_type() {
        assert!(is_printable_string(b"Acme (Berlin), dev-1: a=b?") && is_printable_string(b""));
        for wrong in [&b"a_b"[..], b"a@b", b"a!", b"a*", b"a&b", "ä".as_bytes()] {
            assert!(!is_printable_string(wrong), "{wrong:?}");
        }
        for (tag, content) in [
            (der::UTF8_STRING, "ä".as_bytes()),
            (der::IA5_STRING, b"a@b"),
            (NUMERIC_STRING, b"12 3"),
            (BMP_STRING, &[0, b'a']),
            (UNIVERSAL_STRING, &[0, 1, 0xf6, 0]),
            (TELETEX_STRING, &[0xe4]),
        ] {
            assert!(is_encoded_as(tag, content), "{tag:02x}");
        }
        for (tag, content) in [
            (der::UTF8_STRING, &[0xe4][..]),
            (der::IA5_STRING, &[0xe4]),
            (NUMERIC_STRING, b"1a"),
            (BMP_STRING, &[0xd8, 0x3d, 0xde, 0]),
            (BMP_STRING, &[0]),
            (UNIVERSAL_STRING, &[0, 0x11, 0, 0]),
            (UNIVERSAL_STRING, &[0, 0, 0]),
        ] {
            assert!(!is_encoded_as(tag, content), "{tag:02x}");
        }
    }

    #[test]
    fn a_list_of_bits_ends_with_its_last_bit_that_is_set() {
        for right in [&[0][..], &[7, 0x80], &[1, 0x06], &[7, 0, 0x80], &[0, 0x01]] {
            assert!(is_shortest_bit_list(right), "{right:?}");
        }
        for wrong in [&[][..], &[0, 0], &[6, 0x80], &[0, 0x06], &[0, 0x06, 0], &[8, 0x80], &[1, 0x80]] {
            assert!(!is_shortest_bit_list(wrong), "{wrong:?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_make_it_panic(tag in 0_u8.., bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..40)) {
            is_encoded_as(tag, &bytes);
            is_shortest_bit_list(&bytes);
            fields(&bytes);
            written_extensions(&bytes);
        }
    }
}
