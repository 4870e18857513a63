//! ROCA (CVE-2017-15361): the primes of some chips are `k · M + (65537^a mod M)`, where `M` is a product of the first
//! primes. The modulus is then a power of 65537 modulo every one of these primes too, which the modulus of another key
//! almost never is (Nemec, Sys, Svenda, Klinec, Matyas: "The Return of Coppersmith's Attack", CCS 2017, section 5.1).

use num_bigint::BigUint;

use super::kind::Weakness;
use super::numbers::RsaNumbers;

/// The odd primes that are in `M` for keys of every length.
const PRIMES: [u32; 38] = [
    3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97, 101, 103, 107, 109,
    113, 127, 131, 137, 139, 149, 151, 157, 163, 167,
];

const GENERATOR: u32 = 65537;

pub(super) fn check(numbers: &RsaNumbers) -> Result<(), Weakness> {
    let is_power = |prime: u32| {
        let remainder = (&numbers.modulus % prime).iter_u32_digits().next().unwrap_or(0);
        powers(prime).any(|power| power == remainder)
    };
    if PRIMES.into_iter().all(is_power) { Err(Weakness::Roca) } else { Ok(()) }
}

/// Returns the powers of 65537 modulo a prime.
fn powers(prime: u32) -> impl Iterator<Item = u32> {
    let first = BigUint::from(GENERATOR) % prime;
    let first = first.iter_u32_digits().next().unwrap_or(0);
    let next = move |power: &u32| Some(power * first % prime).filter(|power| *power != 1);
    std::iter::successors(Some(1), next)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::weakness::testing::{rsa, sound_modulus};

    #[test]
    fn moduli_of_the_published_form_are_found() {
        let product: BigUint = PRIMES.into_iter().map(BigUint::from).product();
        for exponent in [1_u32, 7, 123_456] {
            let prime = |factor: u32| {
                (BigUint::from(factor) << 760) * &product + BigUint::from(GENERATOR).modpow(&exponent.into(), &product)
            };
            let modulus = prime(5) * prime(7);
            assert_eq!(check(&rsa(&modulus, 65537)), Err(Weakness::Roca), "{exponent}");
            // One step beside is another modulus.
            assert_eq!(check(&rsa(&(modulus + 2_u8), 65537)), Ok(()), "{exponent}");
        }
        assert_eq!(check(&rsa(&sound_modulus(), 65537)), Ok(()));
    }

    #[test]
    fn the_powers_are_those_of_the_published_marks() {
        // The detector of the authors has them as bits: 6 for 3, 30 for 5, 126 for 7, 1026 for 11, 5658 for 13.
        for (prime, mark) in
            [(3, 6_u64), (5, 30), (7, 126), (11, 1026), (13, 5658), (17, 107_286), (19, 199_410), (37, 67_109_890)]
        {
            let bits = powers(prime).fold(0_u64, |bits, power| bits | 1 << power);
            assert_eq!(bits, mark, "{prime}");
        }
    }
}
