//! The encrypted PEM of old OpenSSL and easy-rsa (`Proc-Type: 4,ENCRYPTED`): RFC 1421 headers around PKCS#1 or SEC1.

use aws_lc_rs::cipher::{self, DecryptionContext, PaddedBlockDecryptingKey, UnboundCipherKey};
use aws_lc_rs::iv::FixedLength;
use des::cipher::generic_array::GenericArray;
use des::cipher::{BlockDecrypt, KeyInit};
use md5::{Digest, Md5};
use zeroize::{Zeroize, Zeroizing};

use super::error::KeyFileError;
use super::schemes::WITH_LEGACY;
use crate::keys::Passphrase;
use crate::text;

/// The header `DEK-Info: AES-256-CBC,<initialization vector in hexadecimal>`.
pub(super) struct DekInfo {
    cipher: Result<Cipher, String>,
    iv: Vec<u8>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Cipher {
    Aes128,
    Aes192,
    Aes256,
    TripleDes,
}

const CIPHERS: [(&str, Cipher); 4] = [
    ("AES-128-CBC", Cipher::Aes128),
    ("AES-192-CBC", Cipher::Aes192),
    ("AES-256-CBC", Cipher::Aes256),
    ("DES-EDE3-CBC", Cipher::TripleDes),
];

impl DekInfo {
    pub(super) fn parse(value: &str) -> Result<Self, KeyFileError> {
        let malformed = |reason: &str| KeyFileError::Malformed {
            what: "an encrypted key",
            reason: format!("its DEK-Info {reason}"),
        };
        let (name, iv) = value.trim().split_once(',').ok_or_else(|| malformed("names no initialization vector"))?;
        let iv = text::from_hex(iv).ok_or_else(|| malformed("has an initialization vector that is not hexadecimal"))?;
        let cipher = CIPHERS.into_iter().find(|(known, _)| *known == name).map(|(_, cipher)| cipher);
        if let Some(cipher) = cipher
            && iv.len() != cipher.block_length()
        {
            return Err(malformed("has an initialization vector of the wrong length"));
        }
        // An IV as short as this would leave no salt; every cipher that openssl ever used here has an IV of eight bytes or
        // more.
        if iv.len() < SALT_LENGTH {
            return Err(malformed("has an initialization vector of the wrong length"));
        }
        Ok(Self { cipher: cipher.ok_or_else(|| name.to_owned()), iv })
    }

    pub(super) fn describe(&self) -> String {
        let name = match &self.cipher {
            Ok(cipher) => CIPHERS.into_iter().find(|(_, known)| known == cipher).map_or("", |(name, _)| name),
            Err(unknown) => unknown,
        };
        format!("OpenSSL's legacy PEM encryption (EVP_BytesToKey with MD5, 1 round; {name})")
    }

    /// Decrypts the key. The passphrase is used only when the cipher is supported.
    pub(super) fn decrypt<'p>(
        &self,
        ciphertext: &[u8],
        passphrase: impl FnOnce() -> Result<&'p Passphrase, KeyFileError>,
    ) -> Result<Zeroizing<Vec<u8>>, KeyFileError> {
        let cipher = self.cipher.as_ref().map_err(|name| KeyFileError::UnsupportedEncryption {
            scheme: format!("OpenSSL's legacy PEM encryption with {name}"),
            convert: WITH_LEGACY,
        })?;
        let key = derive(passphrase()?, &self.iv, cipher.key_length());
        match cipher {
            Cipher::Aes128 => aes_cbc(&cipher::AES_128, &key, &self.iv, ciphertext),
            Cipher::Aes192 => aes_cbc(&cipher::AES_192, &key, &self.iv, ciphertext),
            Cipher::Aes256 => aes_cbc(&cipher::AES_256, &key, &self.iv, ciphertext),
            Cipher::TripleDes => triple_des_cbc(&key, &self.iv, ciphertext),
        }
        .ok_or(KeyFileError::WrongPassphrase)
    }
}

impl Cipher {
    fn key_length(self) -> usize {
        match self {
            Self::Aes128 => 16,
            Self::Aes192 | Self::TripleDes => 24,
            Self::Aes256 => 32,
        }
    }

    fn block_length(self) -> usize {
        if self == Self::TripleDes { 8 } else { 16 }
    }
}

const SALT_LENGTH: usize = 8;

/// OpenSSL's `EVP_BytesToKey` with MD5 and one round; the salt is the start of the initialization vector.
fn derive(passphrase: &Passphrase, iv: &[u8], length: usize) -> Zeroizing<Vec<u8>> {
    let salt = iv.get(..SALT_LENGTH).unwrap_or(iv);
    // Capacity for one digest more than is needed, so that the vector is never moved and leaves no copy behind.
    let mut key = Zeroizing::new(Vec::with_capacity(length + 16));
    let mut digest = Zeroizing::new(Vec::with_capacity(16));
    while key.len() < length {
        let mut next =
            Md5::new().chain_update(&*digest).chain_update(passphrase.expose()).chain_update(salt).finalize();
        digest.clear();
        digest.extend_from_slice(&next);
        key.extend_from_slice(&next);
        next.as_mut_slice().zeroize();
    }
    key.truncate(length);
    key
}

fn aes_cbc(
    algorithm: &'static cipher::Algorithm,
    key: &[u8],
    iv: &[u8],
    ciphertext: &[u8],
) -> Option<Zeroizing<Vec<u8>>> {
    let mut buffer = Zeroizing::new(ciphertext.to_vec());
    let key = PaddedBlockDecryptingKey::cbc_pkcs7(UnboundCipherKey::new(algorithm, key).ok()?).ok()?;
    let context = DecryptionContext::Iv128(FixedLength::from(<[u8; 16]>::try_from(iv).ok()?));
    let length = key.decrypt(&mut buffer, context).ok()?.len();
    buffer.truncate(length);
    Some(buffer)
}

fn triple_des_cbc(key: &[u8], iv: &[u8], ciphertext: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    const BLOCK: usize = 8;
    if !ciphertext.len().is_multiple_of(BLOCK) {
        return None;
    }
    let cipher = des::TdesEde3::new_from_slice(key).ok()?;
    let mut out = Zeroizing::new(Vec::with_capacity(ciphertext.len()));
    let mut previous = iv;
    for encrypted in ciphertext.chunks_exact(BLOCK) {
        let mut block = GenericArray::clone_from_slice(encrypted);
        cipher.decrypt_block(&mut block);
        out.extend(block.iter().zip(previous).map(|(byte, mask)| byte ^ mask));
        block.as_mut_slice().zeroize();
        previous = encrypted;
    }
    // PKCS#7 padding: one to eight bytes, each of which is their number.
    let padding = usize::from(*out.last()?);
    let kept = out.len().checked_sub(padding)?;
    let sound = (1..=BLOCK).contains(&padding) && out[kept..].iter().all(|byte| usize::from(*byte) == padding);
    out.truncate(kept);
    sound.then_some(out)
}

#[cfg(test)]
mod tests {
    use des::cipher::BlockEncrypt;

    use super::*;

    #[test]
    fn a_padding_is_one_to_eight_bytes_each_of_which_is_their_number() {
        let (key, iv) = ([7; 24], [9; 8]);
        let decrypted = |plain: &[[u8; 8]]| {
            let cipher = des::TdesEde3::new_from_slice(&key).unwrap();
            let mut encrypted: Vec<u8> = Vec::new();
            for block in plain {
                let previous = encrypted.last_chunk::<8>().unwrap_or(&iv);
                let masked = block.iter().zip(previous).map(|(byte, mask)| byte ^ mask);
                let mut block = masked.collect::<GenericArray<u8, _>>();
                cipher.encrypt_block(&mut block);
                encrypted.extend_from_slice(&block);
            }
            triple_des_cbc(&key, &iv, &encrypted).map(|plain| plain.to_vec())
        };
        assert_eq!(decrypted(&[[1, 2, 3, 4, 5, 6, 2, 2]]), Some(vec![1, 2, 3, 4, 5, 6]));
        assert_eq!(decrypted(&[[5; 8], [8; 8]]), Some(vec![5; 8]));
        for unsound in [[1, 2, 3, 4, 5, 6, 7, 0], [1, 2, 3, 4, 5, 6, 3, 2], [9; 8]] {
            assert_eq!(decrypted(&[[9; 8], unsound]), None, "{unsound:?}");
        }
    }
}
