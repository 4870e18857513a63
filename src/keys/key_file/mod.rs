//! Key files: from bytes to a [`PrivateKey`] and back. With its folder, the only modules that use pkcs8, rsa, p256, des and
//! md5.
//!
//! It reads PKCS#8 (RFC 5958), unencrypted or encrypted (PBES2, RFC 8018), PKCS#1 for RSA (RFC 8017) and SEC1 for elliptic
//! curves (RFC 5915), each as PEM or DER, and the encrypted PEM of old OpenSSL (`DEK-Info`). It writes PKCS#8 only.

mod damage;
mod dek_info;
mod error;
mod pbes2;
pub mod pkcs12;
mod plain;
mod schemes;

use std::fmt;

use pkcs8::der::pem::{self as pem_text, LineEnding};
use zeroize::Zeroizing;

pub use error::KeyFileError;
pub use pbes2::ROUNDS;

use super::{Passphrase, PrivateKey};
use crate::x509::pem::{self, Block};
use dek_info::DekInfo;
use plain::Form;

/// The content of a key file, before it is decrypted.
pub struct KeyFile {
    form: Form,
    content: Zeroizing<Vec<u8>>,
    protection: Protection,
}

enum Protection {
    None,
    /// The content is an `EncryptedPrivateKeyInfo`.
    Pkcs8,
    /// The content is the ciphertext of a key in `form`.
    DekInfo(DekInfo),
}

/// What a new key file is encrypted with.
pub struct NewProtection<'a> {
    passphrase: &'a Passphrase,
    salt: [u8; 16],
    iv: [u8; 16],
}

impl<'a> NewProtection<'a> {
    /// `randomness` must be fresh for every file: it becomes the salt and the initialization vector.
    pub fn new(passphrase: &'a Passphrase, randomness: [u8; 32]) -> Self {
        let (mut salt, mut iv) = ([0; 16], [0; 16]);
        salt.copy_from_slice(&randomness[..16]);
        iv.copy_from_slice(&randomness[16..]);
        Self { passphrase, salt, iv }
    }
}

/// Returns the PEM text of a key file: PKCS#8, encrypted with PBES2 (PBKDF2-HMAC-SHA256, [`ROUNDS`], AES-256-CBC) when a
/// protection is given.
///
/// # Errors
/// When the cryptographic library fails.
pub fn write(key: &PrivateKey, protection: Option<&NewProtection<'_>>) -> Result<Zeroizing<String>, KeyFileError> {
    let text = match protection {
        None => pem_text::encode_string("PRIVATE KEY", LineEnding::LF, key.as_pkcs8()),
        Some(NewProtection { passphrase, salt, iv }) => {
            let der = pbes2::encrypt(key.as_pkcs8(), passphrase, salt, iv)?;
            pem_text::encode_string("ENCRYPTED PRIVATE KEY", LineEnding::LF, &der)
        }
    };
    text.map(Zeroizing::new).map_err(|_| KeyFileError::Writing)
}

impl KeyFile {
    /// Parses a file with exactly one private key, as PEM or DER. Other PEM blocks (certificates, EC parameters) may be
    /// beside it.
    ///
    /// # Errors
    /// When it has no private key, or more than one, or is damaged.
    pub fn parse(data: &[u8]) -> Result<Self, KeyFileError> {
        if !pem::is_pem(data) {
            return Self::from_der(Zeroizing::new(data.to_vec()));
        }
        let blocks = pem::parse_all(data)?;
        let labels: Vec<&str> = blocks.iter().map(|block| block.label.as_str()).collect();
        let found = format!("only {}", labels.join(", "));
        let mut keys: Vec<Block> = blocks.into_iter().filter(is_private_key).collect();
        match (keys.pop(), keys.len()) {
            (Some(key), 0) => Self::from_block(key),
            (None, _) => Err(KeyFileError::NoKey { found }),
            (Some(_), others) => Err(KeyFileError::SeveralKeys(others + 1)),
        }
    }

    /// Parses one PEM block for which [`is_private_key`] is true.
    ///
    /// # Errors
    /// When it is damaged, or of a kind that is not supported.
    pub fn from_block(block: Block) -> Result<Self, KeyFileError> {
        let form = match block.label.as_str() {
            "PRIVATE KEY" => Form::Pkcs8,
            "RSA PRIVATE KEY" => Form::Pkcs1,
            "EC PRIVATE KEY" => Form::Sec1,
            "ENCRYPTED PRIVATE KEY" => match (pbes2::recognise(&block.content), Form::recognise(&block.content)) {
                (Ok(content), _) => return Ok(Self { form: Form::Pkcs8, content, protection: Protection::Pkcs8 }),
                (Err(_), Some(form)) => form,
                (Err(error), None) => return Err(error),
            },
            other => return Err(KeyFileError::UnsupportedFormat(other.to_owned())),
        };
        let protection = match block.headers.iter().find(|(name, _)| name == "DEK-Info") {
            Some((_, value)) => Protection::DekInfo(DekInfo::parse(value)?),
            None => Protection::None,
        };
        // The label of one format with the content of another occurs; openssl reads the content too.
        if let (Protection::None, Ok(content)) = (&protection, pbes2::recognise(&block.content)) {
            return Ok(Self { form: Form::Pkcs8, content, protection: Protection::Pkcs8 });
        }
        let form = match protection {
            Protection::None => Form::recognise(&block.content).unwrap_or(form),
            _ => form,
        };
        Ok(Self { form, content: block.content, protection })
    }

    fn from_der(content: Zeroizing<Vec<u8>>) -> Result<Self, KeyFileError> {
        if let Ok(content) = pbes2::recognise(&content) {
            return Ok(Self { form: Form::Pkcs8, content, protection: Protection::Pkcs8 });
        }
        let form = Form::recognise(&content)
            .ok_or_else(|| KeyFileError::NoKey { found: "neither PEM nor the DER of a private key".to_owned() })?;
        Ok(Self { form, content, protection: Protection::None })
    }

    /// Returns whether a passphrase is needed.
    pub fn is_encrypted(&self) -> bool {
        !matches!(self.protection, Protection::None)
    }

    /// Returns the name of the format: `PKCS#8`, `PKCS#1`, `SEC1`.
    pub fn format(&self) -> &'static str {
        self.form.name()
    }

    /// Returns key derivation and cipher: `PBES2 (PBKDF2-HMAC-SHA256, 600000 rounds; AES-256-CBC)`.
    pub fn encryption(&self) -> Option<String> {
        match &self.protection {
            Protection::None => None,
            Protection::Pkcs8 => Some(pbes2::describe(&self.content)),
            Protection::DekInfo(info) => Some(info.describe()),
        }
    }

    /// Decrypts the key. The passphrase is ignored when the key is not encrypted.
    ///
    /// # Errors
    /// When the passphrase is missing or wrong, or the key is damaged or of a kind that this program does not use.
    pub fn open(&self, passphrase: Option<&Passphrase>) -> Result<PrivateKey, KeyFileError> {
        let passphrase = || passphrase.ok_or(KeyFileError::PassphraseNeeded);
        let opened = match &self.protection {
            Protection::None => return self.form.read(&self.content),
            Protection::Pkcs8 => pbes2::decrypt(&self.content, passphrase)?,
            Protection::DekInfo(info) => info.decrypt(&self.content, passphrase)?,
        };
        // One wrong passphrase in 256 leaves bytes with a correct padding that are not a key.
        self.form.read(&opened).map_err(|error| match error {
            KeyFileError::Malformed { .. } => KeyFileError::WrongPassphrase,
            other => other,
        })
    }
}

/// Returns whether a PEM block has a private key of any kind, supported or not.
pub fn is_private_key(block: &Block) -> bool {
    block.label.ends_with("PRIVATE KEY")
}

impl fmt::Debug for KeyFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { form, content: _, protection: _ } = self;
        write!(f, "KeyFile({}, [elided])", form.name())
    }
}

#[cfg(test)]
mod tests;
