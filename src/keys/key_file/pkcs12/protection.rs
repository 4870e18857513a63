//! What a PKCS#12 file is encrypted with.

use crate::keys::Passphrase;
use crate::keys::key_file::error::KeyFileError;

/// The encryption of a PKCS#12 file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Strength {
    /// PBES2 with PBKDF2-HMAC-SHA256 and AES-256-CBC, MAC HMAC-SHA256: OpenSSL 3, Java 8u301, NSS, GnuTLS, Windows 10 1709.
    Modern,
    /// pbeWithSHA1And3-KeyTripleDES-CBC, MAC HMAC-SHA1: what Apple imports.
    Legacy,
}

/// The rounds of each of the three key derivations. .NET refuses a file with more than 600,000 in all (Microsoft KB5025823).
pub(super) const ROUNDS: u32 = 100_000;
/// As `openssl pkcs12 -legacy`: readers of this encryption are old.
const LEGACY_ROUNDS: u32 = 2048;

impl Strength {
    /// Returns the algorithms for a report.
    pub fn describe(self) -> String {
        match self {
            Self::Modern => format!("PBES2 (PBKDF2-HMAC-SHA256, {ROUNDS} rounds; AES-256-CBC), HMAC-SHA256"),
            Self::Legacy => format!("PKCS#12 with SHA-1 ({LEGACY_ROUNDS} rounds; 3DES-CBC), HMAC-SHA1"),
        }
    }

    pub(super) const fn rounds(self) -> i32 {
        match self {
            Self::Modern => ROUNDS as i32,
            Self::Legacy => LEGACY_ROUNDS as i32,
        }
    }
}

/// The number of random bytes that a file needs.
pub const RANDOM_BYTES: usize = 80;

/// What a file is encrypted with.
pub struct StoreProtection<'a> {
    pub(super) passphrase: &'a str,
    pub(super) strength: Strength,
    /// Of the certificates, of the private key and of the MAC.
    pub(super) salts: [[u8; 16]; 3],
    /// Of the certificates and of the private key.
    pub(super) ivs: [[u8; 16]; 2],
}

impl<'a> StoreProtection<'a> {
    /// `randomness` must be fresh for every file: it becomes the salts and the initialization vectors.
    ///
    /// # Errors
    /// When the passphrase has other characters than ASCII: readers derive different keys from them.
    pub fn new(
        passphrase: &'a Passphrase,
        strength: Strength,
        randomness: [u8; RANDOM_BYTES],
    ) -> Result<Self, KeyFileError> {
        let text = std::str::from_utf8(passphrase.expose()).ok().filter(|text| text.is_ascii());
        let passphrase = text.ok_or(KeyFileError::PassphraseNotAscii)?;
        let (mut salts, mut ivs) = ([[0; 16]; 3], [[0; 16]; 2]);
        for (part, random) in salts.iter_mut().chain(&mut ivs).zip(randomness.chunks_exact(16)) {
            part.copy_from_slice(random);
        }
        Ok(Self { passphrase, strength, salts, ivs })
    }
}
