//! The encoding of a public key: decoded by the library that will use it, and encoded again in the form that every tool
//! reads.

use aws_lc_rs::encoding::{AsDer, PublicKeyX509Der};
use aws_lc_rs::signature::{self, ParsedPublicKey, VerificationAlgorithm};

use super::kind::Weakness;
use crate::x509::{KeyKind, PublicKey};

/// Returns the key in its plain encoding: points uncompressed and on their curve (RFC 5480 §2.2), numbers in as few bytes
/// as possible, parameters as RFC 3279 §2.3 and RFC 8410 §3 require. Then each key has one fingerprint. A key of another
/// kind is returned as it is.
///
/// # Errors
/// When it is not a key of its kind: a point that is not on the curve, an invalid number.
pub fn plain(key: &PublicKey) -> Result<PublicKey, Weakness> {
    let (algorithm, damage): (&'static dyn VerificationAlgorithm, _) = match key.kind() {
        KeyKind::EcdsaP256 => (&signature::ECDSA_P256_SHA256_ASN1, "its point is not on the curve P-256"),
        KeyKind::EcdsaP384 => (&signature::ECDSA_P384_SHA384_ASN1, "its point is not on the curve P-384"),
        KeyKind::EcdsaP521 => (&signature::ECDSA_P521_SHA512_ASN1, "its point is not on the curve P-521"),
        KeyKind::Ed25519 => (&signature::ED25519, "it is not a key of 32 bytes"),
        KeyKind::Rsa { .. } => (&signature::RSA_PKCS1_2048_8192_SHA256, "its numbers make no RSA key that can be used"),
        KeyKind::Other(_) => return Ok(key.clone()),
    };
    let damaged = |_| Weakness::Damaged(damage);
    let parsed = ParsedPublicKey::new(algorithm, key.bits()).map_err(damaged)?;
    let der = AsDer::<PublicKeyX509Der<'_>>::as_der(&parsed).map_err(|_| Weakness::Damaged(damage))?;
    PublicKey::from_spki(der.as_ref()).map_err(|_| Weakness::Damaged(damage))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::weakness::testing::{ec_p256, ed25519};
    use crate::keys::{PrivateKey, Signer};
    use crate::x509::KeyAlgorithm;

    #[test]
    fn a_compressed_point_is_the_same_key_written_otherwise() {
        let key = PrivateKey::generate(KeyAlgorithm::EcdsaP256).unwrap();
        let point = key.public_key().bits();
        let compressed = [&[2 + point[64] % 2], &point[1..33]].concat();
        assert_eq!(plain(&ec_p256(&compressed)).as_ref(), Ok(key.public_key()));
    }

    #[test]
    fn a_point_beside_its_curve_and_one_at_infinity_are_refused() {
        let key = PrivateKey::generate(KeyAlgorithm::EcdsaP256).unwrap();
        let mut beside = key.public_key().bits().to_vec();
        beside[64] ^= 1;
        let damaged = Err(Weakness::Damaged("its point is not on the curve P-256"));
        for bits in [&beside[..], &[0], &[], &beside[..64], &[4; 65]] {
            assert_eq!(plain(&ec_p256(bits)), damaged, "{bits:?}");
        }
        assert!(plain(&ed25519([7; 32])).is_ok());
    }
}
