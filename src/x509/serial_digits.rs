//! A serial number as a caller types it: whole, or its first digits.

use std::fmt;
use std::str::FromStr;

use crate::x509::SerialNumber;
use crate::x509::serial::SerialNumberError;

/// The hexadecimal digits of a serial number, or the first ones of it: `3f8a01c2`, `3F:8A:01`, `0x3f8a`, `3f8a01…`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SerialDigits {
    /// Lower case, without separators.
    digits: String,
    /// True when the text says itself that it is shortened, as `ca list` prints it.
    is_shortened: bool,
}

impl SerialDigits {
    /// The fewest digits that can stand for a longer serial number.
    pub const FEWEST: usize = 4;

    /// Returns the serial number with exactly these digits; `None` when the text says that there are more.
    pub fn whole(&self) -> Option<SerialNumber> {
        if self.is_shortened { None } else { self.digits.parse().ok() }
    }

    /// Returns whether these are digits enough to stand for a longer serial number.
    pub fn can_be_first_digits(&self) -> bool {
        self.first_digits().len() >= Self::FEWEST
    }

    /// Returns whether the serial number, as it is displayed, begins with these digits.
    pub fn begin(&self, serial: &SerialNumber) -> bool {
        serial.to_string().starts_with(self.first_digits())
    }

    /// Returns the ranges of the content bytes of every serial number that begins with these digits, each from its first value
    /// up to and without its second one; none for fewer digits than [`FEWEST`](Self::FEWEST). Byte strings are compared as `memcmp` does, and a shorter one is less.
    pub fn ranges(&self) -> Vec<(Vec<u8>, Vec<u8>)> {
        let digits = self.first_digits();
        // No serial number is displayed with a zero byte in front, except zero itself.
        if digits.starts_with("00") || !self.can_be_first_digits() {
            return Vec::new();
        }
        let lower = bytes(digits, '0');
        let mut upper = bytes(digits, 'f');
        // More than any serial number that continues these digits.
        upper.extend([0xff; 64]);
        let mut ranges = vec![(lower.clone(), upper.clone())];
        if lower.first().is_some_and(|byte| byte & 0x80 != 0) {
            // A positive number whose first bit is set has a zero byte in front (X.690 §8.3.3), which is not displayed.
            ranges.push(([vec![0], lower].concat(), [vec![0], upper].concat()));
        }
        ranges
    }

    /// Returns the digits as a serial number is displayed: other tools show the zero byte in front of a number whose first
    /// bit is set.
    fn first_digits(&self) -> &str {
        match self.digits.strip_prefix("00") {
            Some(rest) if rest.starts_with(|digit| matches!(digit, '8'..='9' | 'a'..='f')) => rest,
            _ => &self.digits,
        }
    }
}

/// The bytes of these digits; an odd number of them is filled up with `last`.
fn bytes(digits: &str, last: char) -> Vec<u8> {
    let mut digits: Vec<u8> =
        digits.chars().chain([last]).filter_map(|digit| digit.to_digit(16)).map(|digit| digit as u8).collect();
    digits.truncate(digits.len() / 2 * 2);
    digits.chunks(2).map(|pair| pair.iter().fold(0, |byte, digit| byte << 4 | digit)).collect()
}

impl fmt::Display for SerialDigits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.digits)
    }
}

impl FromStr for SerialDigits {
    type Err = SerialNumberError;

    fn from_str(given: &str) -> Result<Self, Self::Err> {
        let cut = given.strip_suffix('…').or_else(|| given.strip_suffix("..."));
        let plain = cut.unwrap_or(given);
        let plain = plain.strip_prefix("0x").or_else(|| plain.strip_prefix("0X")).unwrap_or(plain);
        let digits: String =
            plain.chars().filter(|c| !matches!(c, ':' | ' ')).map(|c| c.to_ascii_lowercase()).collect();
        if digits.is_empty() || !digits.chars().all(|c| c.is_ascii_hexdigit()) {
            return Err(SerialNumberError::of(given));
        }
        Ok(Self { digits, is_shortened: cut.is_some() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digits(given: &str) -> SerialDigits {
        given.parse().unwrap()
    }

    #[test]
    fn digits_are_read_in_every_usual_form() {
        for given in ["3f8a01", "3F:8A:01", "0x3f8a01", "0X3F8A01", "3f 8a 01"] {
            assert_eq!(digits(given).to_string(), "3f8a01", "{given}");
            assert_eq!(digits(given).whole(), Some("3f8a01".parse().unwrap()), "{given}");
        }
        for given in ["3f8a01…", "3F:8A:01...", "3f8a0…"] {
            assert_eq!(digits(given).whole(), None, "{given}");
            assert!("3f8a01".starts_with(&digits(given).to_string()), "{given}");
        }
        for given in ["", "0x", "…", "web", "3f8a-01", "-3f8a"] {
            assert!(given.parse::<SerialDigits>().is_err(), "{given}");
        }
        assert!(digits("3f8a").can_be_first_digits() && !digits("3f8").can_be_first_digits());
    }

    #[test]
    fn the_zero_byte_that_other_tools_show_is_not_a_digit_of_a_shortened_serial() {
        let serial = SerialNumber::from_der_content(&[0, 0xab, 0xcd, 0xef]);
        assert!(digits("00:ab:cd").begin(&serial) && digits("abcd").begin(&serial));
        assert!(!digits("0012").begin(&serial) && digits("0012").ranges().is_empty());
    }

    proptest::proptest! {
        #[test]
        fn the_ranges_have_exactly_the_serial_numbers_that_begin_with_the_digits(
            content in proptest::collection::vec(proptest::num::u8::ANY, 1..9),
            others in "[0-9a-f]{4,9}",
            length in 4_usize..9,
        ) {
            let serial = SerialNumber::from_der_content(&content);
            let own: String = serial.to_string().chars().take(length).collect();
            for given in [own, others].iter().filter(|given| given.len() >= SerialDigits::FEWEST) {
                let digits = digits(given);
                let content = serial.as_der_content();
                let is_in = digits.ranges().iter().any(|(from, to)| *from.as_slice() <= *content && *content < *to.as_slice());
                // One byte of zero is the only number that is displayed with a zero byte in front.
                proptest::prop_assert_eq!(is_in || serial.is_zero(), digits.begin(&serial) || serial.is_zero(), "{}", given);
            }
        }
    }
}
