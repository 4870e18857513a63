//! Object identifiers as text, `2.5.29.17`. It is fast: every certificate has twenty of them, and one run verifies
//! thousands of certificates.

use x509_parser::oid_registry::asn1_rs::Oid;

/// Returns the same text as `Oid::to_id_string`, without allocating a string and a big number for each arc.
pub fn oid_text(oid: &Oid<'_>) -> String {
    let Some(arcs) = oid.iter() else {
        // An arc of more than 64 bits.
        return oid.to_id_string();
    };
    // A byte needs at most three digits and a dot.
    let mut text = String::with_capacity(4 * oid.as_bytes().len());
    for arc in arcs {
        if !text.is_empty() {
            text.push('.');
        }
        push_decimal(&mut text, arc);
    }
    text
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

    #[test]
    fn the_arcs_stand_between_dots() {
        assert_eq!(oid_text(&Oid::new((&[0x55, 0x1d, 0x11]).into())), "2.5.29.17");
        assert_eq!(
            oid_text(&Oid::new((&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 11]).into())),
            "1.2.840.113549.1.1.11"
        );
    }

    proptest::proptest! {
        #[test]
        fn the_text_is_that_of_the_library(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..24)) {
            let oid = Oid::new((&bytes).into());
            proptest::prop_assert_eq!(oid_text(&oid), oid.to_id_string());
        }
    }
}
