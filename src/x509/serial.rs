//! Serial numbers (RFC 5280 §4.1.2.2).

use std::fmt;
use std::str::FromStr;

use crate::text;

/// The serial number of a certificate, as the content bytes of its DER INTEGER.
///
/// Certificates of other tools may have negative, zero and over-long serials; they can be shown, verified and looked up.
/// Serials of this program come from [`SerialNumber::from_random`] only.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SerialNumber(Vec<u8>);

impl SerialNumber {
    /// The longest serial that RFC 5280 §4.1.2.2 allows, in bytes of DER content.
    pub const MOST_BYTES: usize = 20;
    /// The fewest random bytes: 16 bytes with the sign bit cleared have 127 random bits.
    pub const FEWEST_RANDOM_BYTES: usize = 16;

    /// Takes the content bytes of a DER INTEGER, of any sign and length. Redundant leading bytes, which only BER allows
    /// (X.690 §8.3.2), are removed: the same number is the same serial, in a certificate and in a CRL.
    pub fn from_der_content(content: &[u8]) -> Self {
        let mut bytes = content;
        while let [0, 0..=0x7f, ..] | [0xff, 0x80..=0xff, ..] = bytes {
            bytes = &bytes[1..];
        }
        Self(bytes.to_vec())
    }

    /// Returns a positive serial made of random bytes, whose sign bit is cleared. `None` for zero, which happens once in
    /// 2^127 draws: draw again.
    pub fn from_random(bytes: &[u8]) -> Option<Self> {
        let mut bytes = bytes.to_vec();
        *bytes.first_mut()? &= 0x7f;
        Self::from_magnitude(&bytes)
    }

    /// Returns the positive number with this big-endian magnitude; `None` for zero.
    fn from_magnitude(magnitude: &[u8]) -> Option<Self> {
        let first = magnitude.iter().position(|byte| *byte != 0)?;
        let mut content = magnitude[first..].to_vec();
        if content[0] & 0x80 != 0 {
            content.insert(0, 0);
        }
        Some(Self(content))
    }

    /// Returns the content bytes of the DER INTEGER.
    pub fn as_der_content(&self) -> &[u8] {
        &self.0
    }

    /// Returns whether it is greater than zero.
    pub fn is_positive(&self) -> bool {
        self.0.first().is_some_and(|byte| byte & 0x80 == 0) && !self.is_zero()
    }

    /// Returns whether it is zero.
    pub fn is_zero(&self) -> bool {
        self.0.iter().all(|byte| *byte == 0)
    }
}

/// Lower-case hexadecimal with an even number of digits, without the leading byte that only keeps the number positive.
impl SerialNumber {
    /// Returns the number with its sign, `-01`: [`Display`](fmt::Display) shows the bytes of a negative one, which are those
    /// of a positive one too.
    pub fn with_sign(&self) -> String {
        if self.0.first().is_none_or(|byte| byte & 0x80 == 0) {
            return self.to_string();
        }
        // Two's complement: every bit turned round, and one more.
        let mut magnitude: Vec<u8> = self.0.iter().map(|byte| !byte).collect();
        for byte in magnitude.iter_mut().rev() {
            let (sum, overflows) = byte.overflowing_add(1);
            *byte = sum;
            if !overflows {
                break;
            }
        }
        format!("-{}", text::hex(&magnitude))
    }
}

impl fmt::Display for SerialNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = match self.0.as_slice() {
            [0, rest @ ..] if !rest.is_empty() => rest,
            all => all,
        };
        f.write_str(&text::hex(shown))
    }
}

impl fmt::Debug for SerialNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SerialNumber({self})")
    }
}

/// The text is not a serial number in hexadecimal.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{}' is not a serial number: expected hexadecimal digits, for example 3f8a01c2 or 3F:8A:01:C2", text::escape(.0))]
pub struct SerialNumberError(String);

impl SerialNumberError {
    pub(super) fn of(given: &str) -> Self {
        Self(given.to_owned())
    }
}

impl FromStr for SerialNumber {
    type Err = SerialNumberError;

    fn from_str(given: &str) -> Result<Self, Self::Err> {
        let bytes = text::from_hex(given).ok_or_else(|| SerialNumberError(given.to_owned()))?;
        Ok(Self::from_magnitude(&bytes).unwrap_or_else(|| Self(vec![0])))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_positive_when_its_first_bit_is_not_set_and_it_is_not_zero() {
        for (content, positive) in [(&[1][..], true), (&[0, 0x80], true), (&[0x80], false), (&[0], false), (&[], false)]
        {
            assert_eq!(SerialNumber::from_der_content(content).is_positive(), positive, "{content:?}");
        }
    }

    #[test]
    fn a_drawn_serial_is_positive_and_keeps_every_bit_but_the_sign() {
        let serial = SerialNumber::from_random(&[0xff; 20]).unwrap();
        assert_eq!(serial.as_der_content(), [&[0x7f][..], &[0xff; 19]].concat());
        assert!(serial.is_positive());
        assert_eq!(SerialNumber::from_random(&[0x80, 0, 0, 5]).unwrap().as_der_content(), [5]);
        assert_eq!(SerialNumber::from_random(&[0x80, 0]), None);
    }

    #[test]
    fn bytes_that_say_nothing_make_no_other_serial() {
        for (padded, serial) in [
            (&[0, 0, 5][..], &[5][..]),
            (&[0, 0, 0x80], &[0, 0x80]),
            (&[0, 0], &[0]),
            (&[0xff, 0xff, 0x80], &[0x80]),
            (&[0xff, 0x7f], &[0xff, 0x7f]),
            (&[], &[]),
        ] {
            assert_eq!(SerialNumber::from_der_content(padded).as_der_content(), serial);
        }
    }

    #[test]
    fn what_is_shown_can_be_given_back() {
        for content in [&[0x00, 0xff, 0x01][..], &[0x01], &[0x7f, 0x80]] {
            let serial = SerialNumber::from_der_content(content);
            assert_eq!(serial.to_string().parse::<SerialNumber>().unwrap(), serial);
        }
        assert_eq!("00:FF:01".parse::<SerialNumber>().unwrap().to_string(), "ff01");
        assert_eq!(SerialNumber::from_der_content(&[0]).to_string(), "00");
    }

    #[test]
    fn a_negative_number_has_a_sign() {
        for (content, shown) in [
            (&[0xff][..], "-01"),
            (&[0x80], "-80"),
            (&[0xff, 0x7f], "-0081"),
            (&[0xff, 0x00], "-0100"),
            (&[0, 0xff], "ff"),
            (&[0x7f], "7f"),
            (&[0], "00"),
        ] {
            assert_eq!(SerialNumber::from_der_content(content).with_sign(), shown, "{content:?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn a_number_that_is_accepted_reads_the_same_again(given in "\\PC{0,12}|(0x)?[0-9a-fA-F: ]{0,50}") {
            if let Ok(serial) = given.parse::<SerialNumber>() {
                proptest::prop_assert_eq!(serial.to_string().parse::<SerialNumber>(), Ok(serial));
            }
        }
    }
}
