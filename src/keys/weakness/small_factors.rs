//! A modulus with a small factor is not the product of two large primes: the generator was broken, or the key is damaged.

use super::kind::Weakness;
use super::numbers::RsaNumbers;

/// Every prime below this is tried. CA/Browser Forum BR §6.1.6 (NIST SP 800-89 §5.3.3) requires those below 752.
const BELOW: u32 = 10_000;

pub(super) fn check(numbers: &RsaNumbers) -> Result<(), Weakness> {
    match primes().find(|prime| numbers.modulus.clone() % *prime == 0_u8.into()) {
        Some(prime) => Err(Weakness::SmallFactor(prime)),
        None => Ok(()),
    }
}

fn primes() -> impl Iterator<Item = u32> {
    let is_prime = |number: &u32| {
        (2..).take_while(|divisor| divisor * divisor <= *number).all(|divisor| !number.is_multiple_of(divisor))
    };
    (2..BELOW).filter(is_prime)
}

#[cfg(test)]
mod tests {
    use num_bigint::BigUint;

    use super::*;
    use crate::keys::weakness::testing::{rsa, sound_modulus};

    #[test]
    fn every_prime_below_ten_thousand_is_found_as_a_factor() {
        let sound = sound_modulus();
        assert_eq!(check(&rsa(&sound, 65537)), Ok(()));
        for factor in [2_u32, 3, 751, 757, 9973] {
            let modulus = &sound * BigUint::from(factor);
            assert_eq!(check(&rsa(&modulus, 65537)), Err(Weakness::SmallFactor(factor)));
        }
        assert_eq!(primes().count(), 1229);
    }
}
