//! Object identifiers as text, `2.5.29.17`. It is fast: every certificate has twenty of them, and one run verifies
//! thousands of certificates.

use x509_parser::oid_registry::asn1_rs::Oid;

use crate::text;

/// Returns the arcs with dots between them. An object identifier that is not DER (X.690 §8.19.2) is shown as its octets, so
/// that it is never taken for one that is.
pub fn oid_text(oid: &Oid<'_>) -> String {
    let bytes = oid.as_bytes();
    // A byte needs at most three digits and a dot.
    let mut text = String::with_capacity(4 * bytes.len());
    let mut rest = bytes;
    while !rest.is_empty() {
        let Some(length) = rest.iter().position(|byte| byte & 0x80 == 0).map(|last| last + 1) else {
            return as_hex(bytes);
        };
        let (arc, after) = rest.split_at(length);
        if arc.first() == Some(&0x80) {
            return as_hex(bytes);
        }
        // The first subidentifier is 40 times the first arc, at most 2, plus the second (X.690 §8.19.4).
        let of_first_arc = match (text.is_empty(), arc) {
            (false, _) => 0,
            (true, [only]) => u64::from(only / 40).min(2),
            (true, _) => 2,
        };
        if text.is_empty() {
            push_decimal(&mut text, of_first_arc);
        }
        text.push('.');
        push_arc(&mut text, arc, 40 * of_first_arc);
        rest = after;
    }
    text
}

fn as_hex(bytes: &[u8]) -> String {
    format!("#{}", text::hex(bytes))
}

/// Writes a subidentifier, less what belongs to the arc before it.
fn push_arc(text: &mut String, groups: &[u8], less: u64) {
    if groups.len() <= 9 {
        let number = groups.iter().fold(0_u64, |number, group| number << 7 | u64::from(group & 0x7f));
        push_decimal(text, number - less);
        return;
    }
    // Longer than 63 bits, as of identifiers that are made from UUIDs: decimal digits, the lowest first.
    let mut digits = vec![0_u32];
    for group in groups {
        let mut carry = u32::from(group & 0x7f);
        for digit in &mut digits {
            carry += *digit << 7;
            *digit = carry % 10;
            carry /= 10;
        }
        while carry > 0 {
            digits.push(carry % 10);
            carry /= 10;
        }
    }
    let mut borrow = less as u32;
    for digit in &mut digits {
        let needed = borrow % 10;
        borrow /= 10;
        if *digit < needed {
            *digit += 10;
            borrow += 1;
        }
        *digit -= needed;
    }
    let highest = digits.iter().rposition(|digit| *digit != 0).unwrap_or(0);
    text.extend(digits[..=highest].iter().rev().map(|digit| char::from(b'0' + *digit as u8)));
}

/// Most arcs have one or two digits, for which `write!` is slow.
fn push_decimal(text: &mut String, number: u64) {
    if number > 9 {
        push_decimal(text, number / 10);
    }
    text.push(char::from(b'0' + (number % 10) as u8));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(bytes: &[u8]) -> String {
        oid_text(&Oid::new(bytes.into()))
    }

    #[test]
    fn the_arcs_stand_between_dots() {
        assert_eq!(of(&[0x55, 0x1d, 0x11]), "2.5.29.17");
        assert_eq!(of(&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 11]), "1.2.840.113549.1.1.11");
        assert_eq!(of(&[0x88, 0x37, 1]), "2.999.1");
        assert_eq!(of(&[0]), "0.0");
        assert_eq!(of(&[0x7f]), "2.47");
        assert_eq!(of(&[0x81, 0]), "2.48");
    }

    /// Some parsers read each of them as 2.5.29.19.
    #[test]
    fn what_is_no_object_identifier_is_never_taken_for_one() {
        assert_eq!(of(&[0x55, 0x1d, 0x80, 0x13]), "#551d8013");
        assert_eq!(of(&[0x55, 0x1d, 0x13, 0x80]), "#551d1380");
        assert_eq!(of(&[0x80, 0x55, 0x1d, 0x13]), "#80551d13");
    }

    fn subidentifier(mut number: u128) -> Vec<u8> {
        let mut groups = vec![(number & 0x7f) as u8];
        while number > 0x7f {
            number >>= 7;
            groups.insert(0, 0x80 | (number & 0x7f) as u8);
        }
        groups
    }

    fn arc() -> impl proptest::strategy::Strategy<Value = u128> {
        use proptest::prelude::*;
        prop_oneof![0_u128..300, any::<u64>().prop_map(u128::from), 0..=u128::MAX - 80]
    }

    proptest::proptest! {
        #[test]
        fn every_arc_that_is_written_is_read(
            first in 0_u128..=2,
            second in arc(),
            others in proptest::collection::vec(arc(), 0..4),
        ) {
            let second = if first < 2 { second % 40 } else { second };
            let bytes: Vec<u8> = std::iter::once(40 * first + second)
                .chain(others.iter().copied())
                .flat_map(subidentifier)
                .collect();
            let arcs: Vec<_> = [first, second].iter().chain(&others).map(u128::to_string).collect();
            proptest::prop_assert_eq!(of(&bytes), arcs.join("."));
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..40)) {
            of(&bytes);
        }
    }
}
