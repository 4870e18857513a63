//! A modulus that is a single prime: its private exponent is the inverse modulo `n − 1`, which everyone can compute.

use num_bigint::BigUint;

use super::kind::Weakness;
use super::numbers::RsaNumbers;

/// Tests by Fermat's little theorem with base 2. A product of two primes passes with a negligible probability.
pub(super) fn check(numbers: &RsaNumbers) -> Result<(), Weakness> {
    let (one, two) = (BigUint::from(1_u8), BigUint::from(2_u8));
    let is_prime = two.modpow(&(&numbers.modulus - &one), &numbers.modulus) == one;
    if is_prime { Err(Weakness::PrimeModulus) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::weakness::testing::{rsa, sound_modulus};

    #[test]
    fn a_prime_is_refused_as_a_modulus() {
        // A Mersenne prime of more than two thousand bits: 2^2203 − 1.
        let prime = (BigUint::from(1_u8) << 2203) - 1_u8;
        assert_eq!(check(&rsa(&prime, 65537)), Err(Weakness::PrimeModulus));
        assert_eq!(check(&rsa(&sound_modulus(), 65537)), Ok(()));
    }
}
