//! Hexadecimal numbers, for serial numbers, fingerprints and key identifiers.

/// Returns lower-case hexadecimal without separators: the form of serials, fingerprints and key identifiers.
pub fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |half: u8| char::from(DIGITS[usize::from(half)]);
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        text.push(digit(byte >> 4));
        text.push(digit(byte & 15));
    }
    text
}

/// Reads hexadecimal in the forms that other tools show: with `0x`, colons, spaces and upper case.
pub fn from_hex(text: &str) -> Option<Vec<u8>> {
    let text = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")).unwrap_or(text);
    let digits: Vec<u8> = text
        .chars()
        .filter(|c| !matches!(c, ':' | ' '))
        .map(|c| c.to_digit(16).map(|digit| digit as u8))
        .collect::<Option<_>>()?;
    if digits.is_empty() {
        return None;
    }
    // With an odd number of digits, the leading zero is missing.
    let (head, pairs) = digits.split_at(digits.len() % 2);
    Some(head.iter().copied().chain(pairs.chunks(2).map(|pair| pair[0] << 4 | pair[1])).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hexadecimal_is_read_in_every_usual_form() {
        for text in ["0a1bff", "0A:1B:FF", "0xa1bff", "a1bff"] {
            assert_eq!(from_hex(text).unwrap(), [0x0a, 0x1b, 0xff], "{text}");
        }
        assert_eq!(from_hex(""), None);
        assert_eq!(from_hex("0x"), None);
        assert_eq!(from_hex("zz"), None);
    }

    proptest::proptest! {
        #[test]
        fn what_is_written_in_hexadecimal_is_read_again(bytes in proptest::collection::vec(proptest::num::u8::ANY, 1..40)) {
            proptest::prop_assert_eq!(from_hex(&hex(&bytes)), Some(bytes));
        }
    }
}
