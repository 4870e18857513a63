//! Weak keys for tests.

use num_bigint::BigUint;

use super::numbers::RsaNumbers;
use crate::keys::{PrivateKey, Signer};
use crate::x509::{KeyAlgorithm, PublicKey, der};

pub fn rsa(modulus: &BigUint, exponent: u32) -> RsaNumbers {
    RsaNumbers { modulus: modulus.clone(), exponent: exponent.into() }
}

/// Returns an odd number of exactly so many bits.
pub fn odd_of(bits: u64) -> BigUint {
    let thirds = (BigUint::from(1_u8) << bits) / 3_u8;
    (BigUint::from(1_u8) << (bits - 1)) | thirds | BigUint::from(1_u8)
}

/// Returns the numbers of a key that was generated here.
pub fn sound_modulus() -> BigUint {
    let key = PrivateKey::generate(KeyAlgorithm::Rsa2048).unwrap();
    RsaNumbers::of(key.public_key()).unwrap().unwrap().modulus
}

/// Returns a public key with these numbers.
pub fn rsa_key(modulus: &BigUint, exponent: u32) -> PublicKey {
    let algorithm = der::sequence(&[
        &der::value(der::OBJECT_IDENTIFIER, &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1]),
        &der::value(der::NULL, &[]),
    ]);
    let numbers = [modulus.to_bytes_be(), exponent.to_be_bytes().to_vec()].map(|number| der::unsigned_integer(&number));
    let key = der::sequence(&[&numbers[0], &numbers[1]]);
    PublicKey::from_spki(&der::sequence(&[&algorithm, &der::bit_string(&key)])).unwrap()
}

pub fn ed25519(bits: [u8; 32]) -> PublicKey {
    let algorithm = der::sequence(&[&der::value(der::OBJECT_IDENTIFIER, &[0x2b, 0x65, 0x70])]);
    PublicKey::from_spki(&der::sequence(&[&algorithm, &der::bit_string(&bits)])).unwrap()
}

pub fn ec_p256(point: &[u8]) -> PublicKey {
    let algorithm = der::sequence(&[
        &der::value(der::OBJECT_IDENTIFIER, &[0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1]),
        &der::value(der::OBJECT_IDENTIFIER, &[0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7]),
    ]);
    PublicKey::from_spki(&der::sequence(&[&algorithm, &der::bit_string(point)])).unwrap()
}
