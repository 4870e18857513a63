//! Weak public keys, whose private key an attacker can compute or does not need: one check per file.
//!
//! Keys that are generated here pass every check. A key from another tool, in a request or of an imported CA, is checked
//! before a certificate is signed for it. A leaked private key cannot be recognized by its public key: the index has the
//! keys that were revoked as compromised.

mod close_primes;
mod form;
mod kind;
mod numbers;
mod prime_modulus;
mod roca;
mod rsa_exponent;
mod rsa_size;
mod small_factors;
mod small_order;

pub use form::plain;
pub use kind::Weakness;

use crate::x509::PublicKey;
use numbers::RsaNumbers;

/// Checks a public key for every known weakness. A key of a kind that is not used here passes: others refuse it by its
/// kind.
///
/// # Errors
/// With the first weakness; the cheap checks come first.
pub fn check(key: &PublicKey) -> Result<(), Weakness> {
    if let Some(numbers) = RsaNumbers::of(key)? {
        rsa_size::check(&numbers)?;
        rsa_exponent::check(&numbers)?;
        small_factors::check(&numbers)?;
        roca::check(&numbers)?;
        close_primes::check(&numbers)?;
        prime_modulus::check(&numbers)?;
    }
    small_order::check(key)?;
    form::plain(key).map(drop)
}

#[cfg(test)]
mod testing;

#[cfg(test)]
mod tests {
    use num_bigint::BigUint;

    use super::testing::{ec_p256, ed25519, rsa_key, sound_modulus};
    use super::*;
    use crate::keys::{PrivateKey, Signer};
    use crate::x509::KeyAlgorithm;

    #[test]
    fn a_key_is_asked_for_every_weakness() {
        let sound = sound_modulus();
        let prime = (BigUint::from(1_u8) << 2203) - 1_u8;
        let mut neutral = [0; 32];
        neutral[0] = 1;
        let short = &sound >> 1;
        for (key, weakness) in [
            (rsa_key(&short, 65537), Weakness::ShortModulus(2047)),
            (rsa_key(&sound, 1), Weakness::Exponent("1".to_owned())),
            (rsa_key(&(&sound * 7_u8), 65537), Weakness::SmallFactor(7)),
            (rsa_key(&prime, 65537), Weakness::PrimeModulus),
            (ed25519(neutral), Weakness::SmallOrder),
            (ec_p256(&[4; 65]), Weakness::Damaged("its point is not on the curve P-256")),
        ] {
            assert_eq!(check(&key), Err(weakness));
        }
        assert_eq!(check(&rsa_key(&sound, 65537)), Ok(()));
    }

    #[test]
    fn a_key_that_was_made_here_is_never_refused() {
        let often = |algorithm: KeyAlgorithm| if algorithm.name().starts_with("rsa") { 2 } else { 50 };
        for algorithm in KeyAlgorithm::ALL.into_iter().filter(|kind| *kind != KeyAlgorithm::Rsa4096) {
            for _ in 0..often(algorithm) {
                let key = PrivateKey::generate(algorithm).unwrap();
                assert_eq!(check(key.public_key()), Ok(()), "{algorithm}");
                assert_eq!(plain(key.public_key()).as_ref(), Ok(key.public_key()), "{algorithm}");
            }
        }
    }
}
