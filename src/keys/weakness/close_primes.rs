//! Primes that are close to each other are found by Fermat's method of 1643; some printers and smart cards generated such
//! keys (CVE-2022-26320). CA/Browser Forum BR §6.1.1.3 requires at least 100 rounds.

use num_bigint::BigUint;

use super::kind::Weakness;
use super::numbers::RsaNumbers;

const ROUNDS: u32 = 1000;

/// Looks for `n = a² − b²`, with `a` from the square root of `n` on: then `n = (a + b)(a − b)`.
pub(super) fn check(numbers: &RsaNumbers) -> Result<(), Weakness> {
    let modulus = &numbers.modulus;
    let mut mean = modulus.sqrt();
    if &mean * &mean < *modulus {
        mean += 1_u8;
    }
    let mut square = &mean * &mean - modulus;
    for _ in 0..ROUNDS {
        if is_square(&square) {
            return Err(Weakness::ClosePrimes);
        }
        // (a + 1)² = a² + 2a + 1
        square += &mean * 2_u8 + 1_u8;
        mean += 1_u8;
    }
    Ok(())
}

/// Returns whether a number is a square. The last six bits, or a remainder, rule out most numbers without a root.
fn is_square(number: &BigUint) -> bool {
    /// 7 · 9 · 11 · 13
    const MODULUS: u32 = 9009;
    let last_bits = number.iter_u64_digits().next().unwrap_or(0) & 63;
    if !matches!(last_bits, 0 | 1 | 4 | 9 | 16 | 17 | 25 | 33 | 36 | 41 | 49 | 57) {
        return false;
    }
    let remainder = (number % MODULUS).iter_u32_digits().next().unwrap_or(0);
    let is_residue = |modulus: u32| (0..modulus).any(|root| root * root % modulus == remainder % modulus);
    [7, 9, 11, 13].into_iter().all(is_residue) && {
        let root = number.sqrt();
        &root * &root == *number
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::weakness::testing::{odd_of, rsa, sound_modulus};

    #[test]
    fn factors_that_are_close_are_found_and_others_not() {
        let first = odd_of(1024);
        for distance in [0_u32, 2, 1_000, u32::MAX - 1] {
            let modulus = &first * (&first + distance);
            assert_eq!(check(&rsa(&modulus, 65537)), Err(Weakness::ClosePrimes), "{distance}");
        }
        // The 900th round: b² = a² − n with a = ⌈√n⌉ + 900.
        let near = (BigUint::from(2_u8) * &first * BigUint::from(900_u32)).sqrt();
        let modulus = (&first + &near) * (&first - &near);
        assert_eq!(check(&rsa(&modulus, 65537)), Err(Weakness::ClosePrimes));
        let far = &near * 4_u8;
        assert_eq!(check(&rsa(&((&first + &far) * (&first - &far)), 65537)), Ok(()));
        assert_eq!(check(&rsa(&sound_modulus(), 65537)), Ok(()));
    }

    #[test]
    fn squares_and_only_squares_are_squares() {
        let squares: Vec<u32> = (0..=100).map(|root| root * root).collect();
        for number in 0..=10_000_u32 {
            assert_eq!(is_square(&number.into()), squares.contains(&number), "{number}");
        }
    }
}
