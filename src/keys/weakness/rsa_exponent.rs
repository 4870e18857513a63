//! With an exponent of 1 a message is its own signature, and an even one has no private exponent (RFC 8017 §3.1). Every odd
//! number from 3 on is accepted, as CA/Browser Forum BR §6.1.6 does: 3 is unusual today, but the signatures that are made
//! here do not depend on it.

use num_bigint::BigUint;

use super::kind::Weakness;
use super::numbers::RsaNumbers;

pub(super) fn check(numbers: &RsaNumbers) -> Result<(), Weakness> {
    let exponent = &numbers.exponent;
    if exponent.bit(0) && *exponent >= BigUint::from(3_u8) {
        Ok(())
    } else {
        Err(Weakness::Exponent(if exponent.bits() > 64 { "even".to_owned() } else { exponent.to_string() }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::weakness::testing::{odd_of, rsa};

    #[test]
    fn an_even_exponent_and_one_are_refused() {
        let found = |exponent: u32| check(&rsa(&odd_of(2048), exponent));
        for exponent in [0, 1, 2, 65536] {
            assert_eq!(found(exponent), Err(Weakness::Exponent(exponent.to_string())));
        }
        for exponent in [3, 17, 65537] {
            assert_eq!(found(exponent), Ok(()), "{exponent}");
        }
    }
}
