//! Points of small order on the curve of Ed25519: anyone can make a valid signature for them without a private key.

use super::kind::Weakness;
use crate::x509::{KeyKind, PublicKey};

/// The `y` of every point whose order divides 8, little-endian (RFC 8032 §5.1.2), and the encodings of 0 and 1 that are not
/// reduced. The first bit of the last byte is the sign of `x`, and is zero here.
const ORDINATES: [[u8; 32]; 7] = [
    ends(0, 0, 0),
    ends(1, 0, 0),
    [
        0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98, 0xf0, 0xd5, 0xdf,
        0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05,
    ],
    [
        0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67, 0x0f, 0x2a, 0x20,
        0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a,
    ],
    ends(0xec, 0xff, 0x7f),
    ends(0xed, 0xff, 0x7f),
    ends(0xee, 0xff, 0x7f),
];

const fn ends(first: u8, between: u8, last: u8) -> [u8; 32] {
    let mut bytes = [between; 32];
    bytes[0] = first;
    bytes[31] = last;
    bytes
}

pub(super) fn check(key: &PublicKey) -> Result<(), Weakness> {
    if *key.kind() != KeyKind::Ed25519 {
        return Ok(());
    }
    let mut ordinate = key.bits().to_vec();
    if let Some(last) = ordinate.last_mut() {
        *last &= 0x7f;
    }
    if ORDINATES.iter().any(|known| known[..] == ordinate) { Err(Weakness::SmallOrder) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::weakness::testing::ed25519;
    use crate::keys::{PrivateKey, Signer, verify};
    use crate::x509::KeyAlgorithm;

    #[test]
    fn anyone_can_sign_for_a_point_of_small_order_so_that_it_is_refused() {
        let neutral = ed25519(ends(1, 0, 0));
        let by_another = PrivateKey::generate(KeyAlgorithm::Ed25519).unwrap();
        let made_of_nothing = [&ends(1, 0, 0)[..], &[0; 32]].concat();
        let signed = verify(&neutral, &by_another.signature_algorithm(), b"anything at all", &made_of_nothing);
        assert_eq!(signed, Ok(()));
        for mut ordinate in ORDINATES {
            assert_eq!(check(&ed25519(ordinate)), Err(Weakness::SmallOrder));
            ordinate[31] |= 0x80;
            assert_eq!(check(&ed25519(ordinate)), Err(Weakness::SmallOrder));
        }
        assert_eq!(check(by_another.public_key()), Ok(()));
    }
}
