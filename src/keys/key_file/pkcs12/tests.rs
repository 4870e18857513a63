//! What is written is opened again; tests/suite/interop/exports.rs has it read by other programs.

use pkcs8::der::Decode;
use pkcs12::pfx::Pfx;

use super::*;
use crate::keys::key_file::{KeyFile, KeyFileError};
use crate::keys::{Passphrase, PrivateKey};
use crate::text::hex;
use crate::x509::KeyAlgorithm;

fn passphrase() -> Passphrase {
    Passphrase::new("correct horse".into())
}

#[test]
fn the_keys_are_derived_as_openssl_does() {
    use pkcs12::kdf::{Pkcs12KeyType, derive_key_utf8};
    let derived = derive_key_utf8::<sha2::Sha256>("ge@äheim", &[1, 2, 3, 4, 5, 6, 7, 8], Pkcs12KeyType::Mac, 100, 32);
    assert_eq!(hex(&derived.unwrap()), "136355ed9434516682534f46d63956db5ff06b844702c2c1f3b46321e2524a4d");
}

#[test]
fn neither_the_key_nor_a_name_in_a_certificate_can_be_read_without_the_passphrase() {
    let key = PrivateKey::generate(KeyAlgorithm::EcdsaP256).unwrap();
    let certificate = crate::x509::der::sequence(&[b"\x0c\x08web.test"]);
    let passphrase = passphrase();
    for strength in [Strength::Modern, Strength::Legacy] {
        let protection = StoreProtection::new(&passphrase, strength, [7; RANDOM_BYTES]).unwrap();
        let whole = key_store(&key, "alias", &[&certificate, &certificate], &protection).unwrap();
        assert!(Pfx::from_der(&whole).unwrap().mac_data.is_some());
        let has = |part: &[u8]| whole.windows(part.len()).any(|window| window == part);
        assert!(!has(&certificate) && !has(&key.as_pkcs8()[key.as_pkcs8().len() - 40..]), "{strength:?}");
        assert!(has(b"\0a\0l\0i\0a\0s"), "{strength:?}");
    }
}

#[test]
fn the_key_is_encrypted_as_a_key_file_is() {
    let key = PrivateKey::generate(KeyAlgorithm::EcdsaP256).unwrap();
    let passphrase = passphrase();
    let protection = StoreProtection::new(&passphrase, Strength::Modern, [7; RANDOM_BYTES]).unwrap();
    let encrypted = seal::encrypted_key(&key, &protection).unwrap();
    let file = KeyFile::parse(&encrypted).unwrap();
    assert_eq!(file.encryption().unwrap(), "PBES2 (PBKDF2-HMAC-SHA256, 100000 rounds; AES-256-CBC)");
    assert_eq!(file.open(Some(&passphrase)).unwrap().as_pkcs8(), key.as_pkcs8());
}

#[test]
fn a_passphrase_that_programs_encode_differently_is_refused() {
    let passphrase = Passphrase::new("zwölf Häuser".into());
    let protection = StoreProtection::new(&passphrase, Strength::Modern, [7; RANDOM_BYTES]);
    assert_eq!(protection.err(), Some(KeyFileError::PassphraseNotAscii));
}
