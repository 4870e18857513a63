//! The weaknesses of public keys.

/// Why a public key must not be certified.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Weakness {
    #[error("its RSA modulus has {0} bits, and fewer than 2048 can be factored (CA/Browser Forum BR §6.1.5)")]
    ShortModulus(u32),
    #[error("its RSA modulus has {0} bits; more than 8192 cannot be checked here")]
    LongModulus(u32),
    #[error("its RSA exponent is {0}, where an odd number from 3 on is needed (RFC 8017 §3.1)")]
    Exponent(String),
    #[error("it is damaged: {0}")]
    Damaged(&'static str),
    #[error("its RSA modulus can be divided by {0} (CA/Browser Forum BR §6.1.6)")]
    SmallFactor(u32),
    #[error("its two RSA primes are so close that Fermat's method finds them (CA/Browser Forum BR §6.1.1.3)")]
    ClosePrimes,
    #[error("its RSA modulus is itself a prime, so an attacker can compute the private key")]
    PrimeModulus,
    #[error("its RSA primes have the form that ROCA factors (CVE-2017-15361)")]
    Roca,
    #[error("it is a point of small order, for which an attacker can sign (RFC 8032 §5.1, RFC 7748 §6.1)")]
    SmallOrder,
}
