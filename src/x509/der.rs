//! DER (ITU-T X.690): the encoding of values that the encoder library cannot encode, and the splitting of values that were
//! already parsed.
//!
//! Lengths are definite and in their shortest form. The caller is responsible for the order of a SET OF.

pub const BOOLEAN: u8 = 0x01;
pub const INTEGER: u8 = 0x02;
pub const BIT_STRING: u8 = 0x03;
pub const OCTET_STRING: u8 = 0x04;
pub const NULL: u8 = 0x05;
pub const OBJECT_IDENTIFIER: u8 = 0x06;
pub const ENUMERATED: u8 = 0x0a;
pub const UTF8_STRING: u8 = 0x0c;
pub const PRINTABLE_STRING: u8 = 0x13;
pub const IA5_STRING: u8 = 0x16;
pub const UTC_TIME: u8 = 0x17;
pub const GENERALIZED_TIME: u8 = 0x18;
pub const SEQUENCE: u8 = 0x30;
pub const SET: u8 = 0x31;

/// Returns the tag `[number]` of a context-specific primitive value.
pub const fn context(number: u8) -> u8 {
    0x80 | number
}

/// Returns the tag `[number]` of a context-specific constructed value.
pub const fn context_constructed(number: u8) -> u8 {
    0xa0 | number
}

/// Encodes one value: tag, length, content (X.690 §8.1).
pub fn value(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(content.len() + 6);
    push(&mut out, tag, content);
    out
}

/// Appends a value to `out`, as [`value`]: for many values.
pub fn push(out: &mut Vec<u8>, tag: u8, content: &[u8]) {
    out.push(tag);
    push_length(out, content.len());
    out.extend_from_slice(content);
}

/// Returns what precedes the content of a value: its tag and its length.
pub fn head(tag: u8, length: usize) -> Vec<u8> {
    let mut out = vec![tag];
    push_length(&mut out, length);
    out
}

/// Encodes a constructed value from parts that are DER.
pub fn constructed(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let length = parts.iter().map(|part| part.len()).sum();
    let mut out = Vec::with_capacity(length + 6);
    out.push(tag);
    push_length(&mut out, length);
    for part in parts {
        out.extend_from_slice(part);
    }
    out
}

/// Encodes `SEQUENCE { parts }`.
pub fn sequence(parts: &[&[u8]]) -> Vec<u8> {
    constructed(SEQUENCE, parts)
}

/// Encodes a BIT STRING of whole bytes, without unused bits.
pub fn bit_string(bytes: &[u8]) -> Vec<u8> {
    constructed(BIT_STRING, &[&[0], bytes])
}

/// Encodes a non-negative INTEGER from its big-endian magnitude, in as few bytes as possible (X.690 §8.3.2).
pub fn unsigned_integer(magnitude: &[u8]) -> Vec<u8> {
    let first = magnitude.iter().position(|byte| *byte != 0).unwrap_or(magnitude.len());
    let magnitude = &magnitude[first..];
    match magnitude.first() {
        None => value(INTEGER, &[0]),
        Some(byte) if byte & 0x80 != 0 => constructed(INTEGER, &[&[0], magnitude]),
        Some(_) => value(INTEGER, magnitude),
    }
}

fn push_length(out: &mut Vec<u8>, length: usize) {
    if length < 0x80 {
        out.push(length as u8);
        return;
    }
    let bytes = length.to_be_bytes();
    let first = bytes.iter().position(|byte| *byte != 0).unwrap_or(bytes.len() - 1);
    out.push(0x80 | (bytes.len() - first) as u8);
    out.extend_from_slice(&bytes[first..]);
}

/// Splits `input` into its first value (tag, content) and the rest; `None` when it does not start with a value of definite
/// length.
///
/// This is for DER that a strict parser has accepted, not for checking untrusted bytes.
pub fn split_first(input: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, rest) = input.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = match first {
        0..=0x7f => (usize::from(first), rest),
        0x81..=0x84 => {
            let count = usize::from(first & 0x7f);
            let (bytes, rest) = rest.split_at_checked(count)?;
            (bytes.iter().fold(0, |length, byte| length << 8 | usize::from(*byte)), rest)
        }
        _ => return None,
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((tag, content, rest))
}

/// Returns the number of bytes that the head of a value announces for it, head included; `None` when there is no head of
/// definite length.
pub fn announced(input: &[u8]) -> Option<usize> {
    let (first, rest) = input.get(1..)?.split_first()?;
    match first {
        0..=0x7f => Some(2 + usize::from(*first)),
        0x81..=0x84 => {
            let bytes = rest.get(..usize::from(first & 0x7f))?;
            Some(2 + bytes.len() + bytes.iter().fold(0, |length, byte| length << 8 | usize::from(*byte)))
        }
        _ => None,
    }
}

/// Returns the name of a tag for a message, with its article: `a SEQUENCE`, `the tag [0]`.
pub fn tag_name(tag: u8) -> String {
    let name = match tag {
        BOOLEAN => "a BOOLEAN",
        INTEGER => "an INTEGER",
        BIT_STRING => "a BIT STRING",
        0x04 => "an OCTET STRING",
        NULL => "a NULL",
        OBJECT_IDENTIFIER => "an OBJECT IDENTIFIER",
        ENUMERATED => "an ENUMERATED",
        UTF8_STRING => "a UTF8String",
        PRINTABLE_STRING => "a PrintableString",
        IA5_STRING => "an IA5String",
        UTC_TIME | GENERALIZED_TIME => "a date",
        SEQUENCE => "a SEQUENCE",
        SET => "a SET",
        0x80..=0xbf => return format!("the tag [{}]", tag & 0x1f),
        _ => return format!("the tag {tag:02x}"),
    };
    name.to_owned()
}

/// Splits `content` into values, each with its tag and length; `None` when they do not fill it.
pub fn children(mut content: &[u8]) -> Option<Vec<&[u8]>> {
    // Most lists of a certificate have fewer.
    let mut found = Vec::with_capacity(if content.is_empty() { 0 } else { 8 });
    while !content.is_empty() {
        let (.., rest) = split_first(content)?;
        let (child, _) = content.split_at(content.len() - rest.len());
        found.push(child);
        content = rest;
    }
    Some(found)
}

/// Splits `content` into values as [`children`] does, one after another, and ends at the first that cannot be split.
pub fn each(mut content: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        let (.., rest) = split_first(content)?;
        let (child, _) = content.split_at(content.len() - rest.len());
        content = rest;
        Some(child)
    })
}

/// Returns whether every length, down to the primitive values, is in its shortest form (X.690 §10.1). BER allows longer
/// ones, and so several encodings of one certificate.
pub fn has_shortest_lengths(input: &[u8]) -> bool {
    const CONSTRUCTED: u8 = 0x20;
    let mut open = Vec::with_capacity(16);
    open.push(input);
    while let Some(mut content) = open.pop() {
        // The parser refuses what cannot be split.
        while let Some((tag, inner, rest)) = split_first(content) {
            let found = content.len() - inner.len() - rest.len();
            let shortest = match inner.len() {
                0..0x80 => 2,
                length => 2 + (usize::BITS - length.leading_zeros()).div_ceil(8) as usize,
            };
            if found != shortest {
                return false;
            }
            content = rest;
            if tag & CONSTRUCTED != 0 {
                // The stack grows with the depth of the value, not with its length.
                open.extend(Some(rest).filter(|rest| !rest.is_empty()));
                content = inner;
            }
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_take_the_shortest_form() {
        assert_eq!(value(NULL, &[]), [0x05, 0x00]);
        assert_eq!(value(OCTET_STRING, &[7; 127])[..2], [0x04, 0x7f]);
        assert_eq!(value(OCTET_STRING, &[7; 128])[..3], [0x04, 0x81, 0x80]);
        assert_eq!(value(OCTET_STRING, &[7; 256])[..4], [0x04, 0x82, 0x01, 0x00]);
    }

    #[test]
    fn an_integer_is_never_negative_and_never_padded() {
        assert_eq!(unsigned_integer(&[]), [0x02, 0x01, 0x00]);
        assert_eq!(unsigned_integer(&[0, 0, 5]), [0x02, 0x01, 0x05]);
        assert_eq!(unsigned_integer(&[0x80]), [0x02, 0x02, 0x00, 0x80]);
    }

    #[test]
    fn a_length_that_is_longer_than_it_has_to_be_is_found_at_any_depth() {
        let long = value(OCTET_STRING, &[7; 300]);
        assert!(has_shortest_lengths(&sequence(&[&long, &value(NULL, &[]), &value(OCTET_STRING, &[7; 128])])));
        for wrong in [&[NULL, 0x81, 0][..], &[OCTET_STRING, 0x82, 0, 1, 7]] {
            assert!(!has_shortest_lengths(wrong));
            assert!(!has_shortest_lengths(&sequence(&[&long, &sequence(&[wrong])])));
        }
    }

    #[test]
    fn what_is_written_can_be_split_again() {
        let long = value(OCTET_STRING, &[7; 300]);
        let both = [long.clone(), value(NULL, &[])].concat();
        let (tag, content, rest) = split_first(&both).unwrap();
        assert_eq!((tag, content.len(), rest), (OCTET_STRING, 300, &[0x05, 0x00][..]));
        assert_eq!(split_first(&long[..200]), None);
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_make_it_panic_and_what_is_split_is_all_there(
            bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..60),
        ) {
            has_shortest_lengths(&bytes);
            if let Some(values) = children(&bytes) {
                proptest::prop_assert_eq!(values.concat(), bytes.clone());
                proptest::prop_assert_eq!(each(&bytes).collect::<Vec<_>>(), values);
            }
            if let Some((_, content, rest)) = split_first(&bytes) {
                proptest::prop_assert!(bytes.ends_with(rest) && content.len() + rest.len() + 2 <= bytes.len());
            }
        }

        #[test]
        fn a_value_that_is_written_is_split_into_the_same(
            tag in 0_u8..0x1f,
            content in proptest::collection::vec(proptest::num::u8::ANY, 0..300),
            rest in proptest::collection::vec(proptest::num::u8::ANY, 0..5),
        ) {
            let both = [value(tag, &content), rest.clone()].concat();
            proptest::prop_assert_eq!(split_first(&both), Some((tag, &content[..], &rest[..])));
        }
    }
}
