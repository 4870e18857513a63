//! Any bytes as a key file, opened with a fixed passphrase. A file decides about the cost of its key derivation, so an expensive
//! one is only asked whether it is refused; the others are opened.

use ca::keys::key_file::{KeyFile, KeyFileError, write};
use ca::keys::{Passphrase, PrivateKey, Signer, verify};

/// More rounds of PBKDF2, or more memory of scrypt in bytes, than this are not tried: 10,000 runs a second are worth more.
const CHEAP_ROUNDS: u64 = 2_000;
const CHEAP_MEMORY: u64 = 1 << 21;

/// More than any file is allowed to demand.
const ABSURD_ROUNDS: u64 = 1_000_000_000;
const ABSURD_MEMORY: u64 = 1 << 31;

pub fn run(data: &[u8]) {
    let Ok(file) = KeyFile::parse(data) else { return };
    assert!(!file.format().is_empty() && format!("{file:?}").contains("[elided]"));
    let Some(encryption) = file.encryption() else {
        assert!(!file.is_encrypted());
        check(file.open(None));
        return;
    };
    assert!(matches!(file.open(None), Err(error) if !matches!(error, KeyFileError::WrongPassphrase)));
    let Ok(passphrase) = Passphrase::from_source(b"secret".to_vec()) else { return };
    let (rounds, memory) = (cost(&encryption, "rounds"), scrypt_memory(&encryption));
    if rounds > ABSURD_ROUNDS || memory > ABSURD_MEMORY {
        // At once: the fuzzer's own limit of time would end it.
        assert!(file.open(Some(&passphrase)).is_err(), "{encryption}");
    } else if rounds <= CHEAP_ROUNDS && memory <= CHEAP_MEMORY {
        check(file.open(Some(&passphrase)));
    }
}

/// A key that is accepted can sign, and is the same key after it was written and read again.
fn check(opened: Result<PrivateKey, KeyFileError>) {
    let Ok(key) = opened else { return };
    assert!(!format!("{key:?}").contains("0x"));
    let again = KeyFile::parse(write(&key, None).unwrap().as_bytes()).unwrap().open(None).unwrap();
    assert_eq!(again.public_key().spki(), key.public_key().spki());
    // A signature with RSA takes milliseconds, and its key was checked when it was read.
    if key.algorithm().is_some_and(|algorithm| !algorithm.is_rsa()) {
        let signature = key.sign(b"x").unwrap();
        assert_eq!(verify(key.public_key(), &key.signature_algorithm(), b"x", &signature), Ok(()));
    }
}

/// Returns the number before a word: `2048 rounds`.
fn cost(encryption: &str, word: &str) -> u64 {
    let words: Vec<&str> = encryption.split([' ', ';', ',', ')']).collect();
    let number = words.windows(2).find(|pair| pair[1] == word).map(|pair| pair[0].parse().unwrap_or(u64::MAX));
    number.unwrap_or(0)
}

/// Returns the memory of `scrypt, N=16384, r=8, p=1`, times over.
fn scrypt_memory(encryption: &str) -> u64 {
    let value = |name: &str| {
        let digits = encryption.split_once(name)?.1.split(|other: char| !other.is_ascii_digit()).next()?;
        digits.parse().ok()
    };
    let number = |name: &str| value(name).unwrap_or(0_u64);
    number(" N=").saturating_mul(number(" r=")).saturating_mul(128).saturating_mul(number(" p="))
}
