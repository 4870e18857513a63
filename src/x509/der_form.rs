//! The strict check of one DER value from outside (X.690): its tag, its shortest lengths, and the content of the universal types.

use super::{der, der_rules};

/// The deepest nesting that is accepted. Real extensions have less than ten levels.
const MOST_LEVELS: usize = 32;

const CONSTRUCTED: u8 = 0x20;

/// Checks that bytes are exactly one DER value, down to the primitive values.
///
/// # Errors
/// With the reason why they are not.
pub fn check_one_value(bytes: &[u8]) -> Result<(), &'static str> {
    if bytes.is_empty() {
        return Err("it is empty");
    }
    match check_value(bytes, MOST_LEVELS)? {
        [] => Ok(()),
        _ => Err("bytes follow the end of the value"),
    }
}

/// Checks the first value, and returns what follows it.
fn check_value(bytes: &[u8], levels: usize) -> Result<&[u8], &'static str> {
    const CUT_OFF: &str = "it is cut off";
    if levels == 0 {
        return Err("it is nested too deeply");
    }
    let (&tag, mut rest) = bytes.split_first().ok_or(CUT_OFF)?;
    if tag & 0x1f == 0x1f {
        rest = after_long_tag(rest)?;
    }
    let (&first, after) = rest.split_first().ok_or(CUT_OFF)?;
    let (length, rest) = match first {
        0..=0x7f => (usize::from(first), after),
        0x81..=0x84 => {
            let (bytes, after) = after.split_at_checked(usize::from(first & 0x7f)).ok_or(CUT_OFF)?;
            let length = bytes.iter().fold(0, |length, byte| length << 8 | usize::from(*byte));
            // X.690 §10.1.
            if length < 0x80 || bytes.first() == Some(&0) {
                return Err("a length takes more bytes than it has to, as in BER");
            }
            (length, after)
        }
        0x80 => return Err("a length is indefinite, as in BER"),
        _ => return Err("a length is not one of DER"),
    };
    let (content, rest) = rest.split_at_checked(length).ok_or(CUT_OFF)?;
    if tag & CONSTRUCTED != 0 {
        // X.690 §10.2: strings are primitive in DER.
        if tag & 0xc0 == 0 && !matches!(tag, der::SEQUENCE | der::SET | 0x28 | 0x2b) {
            return Err("a value that must be primitive is constructed");
        }
        let mut left = content;
        while !left.is_empty() {
            left = check_value(left, levels - 1)?;
        }
    } else {
        check_primitive(tag, content)?;
    }
    Ok(rest)
}

/// Returns what follows a tag of several bytes (X.690 §8.1.2.4).
fn after_long_tag(rest: &[u8]) -> Result<&[u8], &'static str> {
    let length = rest.iter().position(|byte| byte & 0x80 == 0).ok_or("it is cut off")? + 1;
    let (number, after) = rest.split_at(length);
    let is_shortest = number.first() != Some(&0x80) && (length > 1 || number.first().is_some_and(|byte| *byte >= 31));
    if is_shortest { Ok(after) } else { Err("a tag takes more bytes than it has to") }
}

fn check_primitive(tag: u8, content: &[u8]) -> Result<(), &'static str> {
    match (tag, content) {
        (0, _) => Err("it has the tag 0, which is not that of a value"),
        (0x10 | 0x11, _) => Err("a SEQUENCE or SET is primitive"),
        (der::BOOLEAN, [0 | 0xff]) | (der::NULL, []) => Ok(()),
        (der::BOOLEAN, _) => Err("a BOOLEAN is neither 00 nor ff"),
        (der::NULL, _) => Err("a NULL has content"),
        (der::INTEGER | der::ENUMERATED, [] | [0, 0..0x80, ..] | [0xff, 0x80..=0xff, ..]) => {
            Err("a number does not have the shortest form")
        }
        (der::OBJECT_IDENTIFIER, content) if !is_object_identifier(content) => Err("an object identifier is not one"),
        (der::BIT_STRING, [0] | [0..8, _, ..]) => match content {
            // X.690 §11.2.1: the unused bits are zero.
            [unused, .., last] if content.len() > 1 && last.trailing_zeros() < u32::from(*unused) => {
                Err("the unused bits of a BIT STRING are not zero")
            }
            _ => Ok(()),
        },
        (der::BIT_STRING, _) => Err("a BIT STRING has no number of unused bits"),
        (tag, content) if tag < 0x40 && !der_rules::is_encoded_as(tag, content) => {
            Err("a string has bytes that its type does not allow")
        }
        _ => Ok(()),
    }
}

fn is_object_identifier(content: &[u8]) -> bool {
    let ends = content.last().is_some_and(|last| last & 0x80 == 0);
    // X.690 §8.19.2: a subidentifier does not begin with 80.
    let begins = |at: usize| at == 0 || content[at - 1] & 0x80 == 0;
    ends && (0..content.len()).all(|at| content[at] != 0x80 || !begins(at))
}

/// Encodes an object identifier from its dotted form; `None` when that is not the one form of an object identifier: two arcs or
/// more, without leading zeros, the first 0, 1 or 2, the second below 40 except after 2 (X.660), each below 2^63.
pub fn object_identifier(dotted: &str) -> Option<Vec<u8>> {
    let arc = |text: &str| {
        let is_plain = text == "0" || !text.starts_with('0');
        let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        (is_plain && is_number).then(|| text.parse::<u64>().ok()).flatten().filter(|arc| *arc < 1 << 63)
    };
    let arcs: Vec<u64> = dotted.split('.').map(arc).collect::<Option<_>>()?;
    let [first @ 0..=2, second, rest @ ..] = arcs.as_slice() else { return None };
    if *first < 2 && *second >= 40 {
        return None;
    }
    let mut content = Vec::new();
    for number in std::iter::once(first.checked_mul(40)?.checked_add(*second)?).chain(rest.iter().copied()) {
        let groups = (64 - number.leading_zeros()).div_ceil(7).max(1);
        content.extend((0..groups).rev().map(|group| {
            let more = if group == 0 { 0 } else { 0x80 };
            (number >> (7 * group) & 0x7f) as u8 | more
        }));
    }
    Some(der::value(der::OBJECT_IDENTIFIER, &content))
}

/// Encodes an INTEGER in the shortest form (X.690 §8.3.2).
pub fn integer(number: i64) -> Vec<u8> {
    let bytes = number.to_be_bytes();
    let is_superfluous = |at: &usize| matches!(bytes[*at..], [0, 0..0x80, ..] | [0xff, 0x80..=0xff, ..]);
    let first = (0..bytes.len() - 1).find(|at| !is_superfluous(at)).unwrap_or(bytes.len() - 1);
    der::value(der::INTEGER, &bytes[first..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_value_in_der_is_right() {
        for hex in [
            "0500",
            "0c027b7d",
            "020100",
            "0201ff",
            "02020080",
            "0101ff",
            "3000",
            "300602010102010a",
            "04020102",
            "0603550403",
            "030100",
            "03020780",
            "a003020101",
            "8001ff",
            "bf1f020500",
            "1f1f00",
            "800163",
        ] {
            let bytes = crate::text::from_hex(hex).unwrap_or_default();
            assert_eq!(check_one_value(&bytes), Ok(()), "{hex}");
        }
        let long = der::value(der::OCTET_STRING, &[7; 300]);
        assert_eq!(check_one_value(&der::sequence(&[&long, &long])), Ok(()));
    }

    #[test]
    fn what_is_not_exactly_one_value_is_refused() {
        for hex in [
            "",
            "05",
            "0500ff",
            "05000500",
            "0501ff",
            "0c037b7d",
            "0c01ff",
            "0c810201",
            "048101ff",
            "04820001ff",
            "0480050000",
            "3080050000",
            "3003050001",
            "30020c01",
            "1000",
            "2400",
            "2c00",
            "010101",
            "0100",
            "0200",
            "02020001",
            "0202ffff",
            "0600",
            "0601ff",
            "06028001",
            "0300",
            "030108",
            "03020701",
            "0000",
            "1f1e00",
            "1f801f00",
            "1f",
            "04ffffffff",
        ] {
            let bytes = crate::text::from_hex(hex).unwrap_or_default();
            assert!(check_one_value(&bytes).is_err(), "{hex}");
        }
        let mut deep = der::value(der::NULL, &[]);
        for _ in 0..40 {
            deep = der::sequence(&[&deep]);
        }
        assert!(check_one_value(&deep).is_err());
    }

    #[test]
    fn object_identifiers_and_integers_have_one_form() {
        for (dotted, hex) in [
            ("2.5.4.3", "0603550403"),
            ("1.2.840.113549.1.9.1", "06092a864886f70d010901"),
            ("2.999.1", "0603883701"),
            ("0.0", "060100"),
        ] {
            assert_eq!(crate::text::hex(&object_identifier(dotted).unwrap()), hex, "{dotted}");
        }
        for dotted in
            ["", "1", "3.1", "1.40", "1.02", "1.2.", ".1.2", "1..2", "1.-2", "1.+2", "1.2.9999999999999999999"]
        {
            assert_eq!(object_identifier(dotted), None, "{dotted}");
        }
        for (number, hex) in [(0, "020100"), (127, "02017f"), (128, "02020080"), (-1, "0201ff"), (-129, "0202ff7f")] {
            assert_eq!(crate::text::hex(&integer(number)), hex);
        }
        assert_eq!(integer(i64::MIN).len(), 10);
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_make_it_panic_and_what_is_accepted_is_split_into_itself(
            bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..40),
            small in proptest::collection::vec(proptest::sample::select(vec![0_u8, 1, 2, 3, 5, 0x30, 0x31, 0x80, 0x81, 0xff]), 0..12),
        ) {
            for bytes in [bytes, small] {
                if check_one_value(&bytes).is_ok() && bytes[0] & 0x1f != 0x1f {
                    let (_, _, rest) = der::split_first(&bytes).unwrap();
                    proptest::prop_assert!(rest.is_empty());
                    let mut longer = bytes.clone();
                    longer.push(0);
                    proptest::prop_assert!(check_one_value(&longer).is_err());
                    proptest::prop_assert!(check_one_value(&bytes[..bytes.len() - 1]).is_err());
                }
            }
        }

        #[test]
        fn integers_and_object_identifiers_are_der(
            number in proptest::num::i64::ANY, arcs in proptest::collection::vec(0_u64..1 << 62, 0..6),
        ) {
            proptest::prop_assert_eq!(check_one_value(&integer(number)), Ok(()));
            let rest: String = arcs.iter().map(|arc| format!(".{arc}")).collect();
            proptest::prop_assert_eq!(check_one_value(&object_identifier(&format!("2.100{rest}")).unwrap()), Ok(()));
        }
    }
}
