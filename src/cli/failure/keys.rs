//! Key files that cannot be used: exit status 2, and 3 for a passphrase that does not open one and for weak keys.

use super::Failure;
use crate::keys::Weakness;
use crate::keys::key_file::KeyFileError;

impl Failure {
    /// `place` says which key: its file, or the part of it.
    pub fn unusable_key(place: &str, error: &KeyFileError) -> Self {
        let message = format!("{place}: {error}");
        let failure = match error {
            KeyFileError::WrongPassphrase => Self::refused("wrong-passphrase", message),
            _ => Self::usage("bad-key", message),
        };
        error.hint().into_iter().fold(failure, Self::hint)
    }

    /// A key that somebody brought, and on which nobody can rely.
    pub(super) fn weak_key(sentence: String, weakness: &Weakness) -> Self {
        let failure = match weakness {
            Weakness::ShortModulus(_) => Self::refused("key-too-short", sentence),
            Weakness::LongModulus(_) => Self::refused("key-too-long", sentence),
            Weakness::Exponent(_) => Self::refused("key-exponent", sentence),
            Weakness::Damaged(_) => Self::refused("key-damaged", sentence),
            Weakness::SmallFactor(_) => Self::refused("key-small-factor", sentence),
            Weakness::ClosePrimes => Self::refused("key-close-primes", sentence),
            Weakness::PrimeModulus => Self::refused("key-prime-modulus", sentence),
            Weakness::Roca => Self::refused("key-roca", sentence),
            Weakness::SmallOrder => Self::refused("key-small-order", sentence),
        };
        failure.hint("make a new key with another program or device")
    }
}
