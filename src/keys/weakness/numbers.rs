//! The numbers of an RSA key. With the files beside it, the only modules that use num-bigint.

use num_bigint::BigUint;

use super::kind::Weakness;
use crate::x509::{KeyKind, PublicKey, der};

/// Modulus and public exponent (RFC 8017 appendix A.1.1).
pub(super) struct RsaNumbers {
    pub(super) modulus: BigUint,
    pub(super) exponent: BigUint,
}

impl RsaNumbers {
    /// Reads them; `None` when the key is not an RSA key.
    pub(super) fn of(key: &PublicKey) -> Result<Option<Self>, Weakness> {
        if !matches!(key.kind(), KeyKind::Rsa { .. }) {
            return Ok(None);
        }
        let numbers = || {
            let (der::SEQUENCE, content, []) = der::split_first(key.bits())? else { return None };
            let (der::INTEGER, modulus, content) = der::split_first(content)? else { return None };
            let (der::INTEGER, exponent, []) = der::split_first(content)? else { return None };
            let is_negative = |number: &[u8]| number.first().is_none_or(|first| first & 0x80 != 0);
            let number = |bytes| (!is_negative(bytes)).then(|| BigUint::from_bytes_be(bytes));
            Some(Self { modulus: number(modulus)?, exponent: number(exponent)? })
        };
        numbers().map(Some).ok_or(Weakness::Damaged("it is not two numbers greater than zero"))
    }
}
