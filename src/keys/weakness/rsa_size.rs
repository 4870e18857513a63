//! Moduli that are too short are no longer allowed, and the library verifies no signatures with very long ones.

use super::kind::Weakness;
use super::numbers::RsaNumbers;

pub(super) fn check(numbers: &RsaNumbers) -> Result<(), Weakness> {
    // More bits than u32 can hold are too long in any case.
    match u32::try_from(numbers.modulus.bits()).unwrap_or(u32::MAX) {
        short @ ..2048 => Err(Weakness::ShortModulus(short)),
        2048..=8192 => Ok(()),
        long => Err(Weakness::LongModulus(long)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::weakness::testing::{odd_of, rsa};

    #[test]
    fn fewer_than_2048_bits_and_more_than_8192_are_refused() {
        for (bits, found) in [
            (1024, Err(Weakness::ShortModulus(1024))),
            (2047, Err(Weakness::ShortModulus(2047))),
            (2048, Ok(())),
            (8192, Ok(())),
            (8193, Err(Weakness::LongModulus(8193))),
        ] {
            assert_eq!(check(&rsa(&odd_of(bits), 65537)), found, "{bits}");
        }
    }
}
