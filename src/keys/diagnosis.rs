//! The codes and hints of keys that are refused.

use super::private_key::PrivateKeyError;
use super::weakness::Weakness;
use crate::text::{Diagnosis, Diagnostic};

/// A key from another tool that is too weak to be certified.
#[derive(Debug, thiserror::Error)]
#[error("the key of {owner} is refused: {cause}")]
pub struct WeakKeyError {
    /// The file or the subject, as messages name it.
    pub owner: String,
    pub cause: Weakness,
}

impl Diagnostic for WeakKeyError {
    fn diagnosis(&self) -> Diagnosis {
        self.cause.diagnosis()
    }
}

impl Weakness {
    /// Returns code and hint. A weakness alone is not a sentence about a key: it is the cause in another error.
    pub fn diagnosis(&self) -> Diagnosis {
        let diagnosis = match self {
            Self::ShortModulus(_) => Diagnosis::refused("key-too-short"),
            Self::LongModulus(_) => Diagnosis::refused("key-too-long"),
            Self::Exponent(_) => Diagnosis::refused("key-exponent"),
            Self::Damaged(_) => Diagnosis::refused("key-damaged"),
            Self::SmallFactor(_) => Diagnosis::refused("key-small-factor"),
            Self::ClosePrimes => Diagnosis::refused("key-close-primes"),
            Self::PrimeModulus => Diagnosis::refused("key-prime-modulus"),
            Self::Roca => Diagnosis::refused("key-roca"),
            Self::SmallOrder => Diagnosis::refused("key-small-order"),
        };
        diagnosis.hint("make a new key with another program or device")
    }
}

impl Diagnostic for PrivateKeyError {
    fn diagnosis(&self) -> Diagnosis {
        Diagnosis::refused("key-generation")
    }
}
