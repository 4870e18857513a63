//! The encryption and the MAC of a PKCS#12 file (RFC 7292 §4 and appendices B and C).

use aws_lc_rs::hmac;
use cms::content_info::{CmsVersion, ContentInfo};
use cms::encrypted_data::EncryptedData;
use cms::enveloped_data::EncryptedContentInfo;
use des::cipher::generic_array::GenericArray;
use des::cipher::{BlockEncrypt, KeyInit};
use pkcs8::ObjectIdentifier;
use pkcs8::der::asn1::{Any, Null, OctetString};
use pkcs8::der::{Decode, Encode, Error, ErrorKind, Tag};
use pkcs8::spki::AlgorithmIdentifierOwned;
use pkcs12::PKCS_12_PBE_WITH_SHAAND3_KEY_TRIPLE_DES_CBC;
use pkcs12::digest_info::DigestInfo;
use pkcs12::kdf::{Pkcs12KeyType, derive_key_utf8};
use pkcs12::mac_data::MacData;
use pkcs12::pbe_params::{EncryptedPrivateKeyInfo, Pkcs12PbeParams};
use pkcs12::pfx::{Pfx, Version};
use zeroize::{Zeroize, Zeroizing};

use super::bags::{DATA, data};
use super::protection::{ROUNDS, StoreProtection, Strength};
use crate::keys::key_file::pbes2;
use crate::keys::{Passphrase, PrivateKey};

const ENCRYPTED_DATA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.7.6");
const SHA1: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.14.3.2.26");
const SHA256: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.1");

/// Returns content that is encrypted.
pub(super) fn encrypted_data(content: &[u8], protection: &StoreProtection<'_>) -> Result<ContentInfo, Error> {
    let EncryptedPrivateKeyInfo { encryption_algorithm, encrypted_data } = encrypt(content, 0, protection)?;
    let enc_content_info = EncryptedContentInfo {
        content_type: DATA,
        content_enc_alg: encryption_algorithm,
        encrypted_content: Some(encrypted_data),
    };
    let encrypted = EncryptedData { version: CmsVersion::V0, enc_content_info, unprotected_attrs: None };
    Ok(ContentInfo { content_type: ENCRYPTED_DATA, content: Any::encode_from(&encrypted)? })
}

/// Returns the DER of an `EncryptedPrivateKeyInfo`.
pub(super) fn encrypted_key(key: &PrivateKey, protection: &StoreProtection<'_>) -> Result<Zeroizing<Vec<u8>>, Error> {
    encrypt(key.as_pkcs8(), 1, protection)?.to_der().map(Zeroizing::new)
}

/// Encrypts with the salt and the initialization vector of this number.
fn encrypt(plain: &[u8], number: usize, protection: &StoreProtection<'_>) -> Result<EncryptedPrivateKeyInfo, Error> {
    let StoreProtection { passphrase, strength, salts, ivs } = protection;
    let (salt, iv) = (&salts[number], &ivs[number]);
    match strength {
        Strength::Modern => {
            let passphrase = Passphrase::of_existing_key(passphrase.as_bytes().to_vec()).map_err(|_| failed())?;
            let encrypted = pbes2::encrypt_in(ROUNDS, plain, &passphrase, salt, iv).map_err(|_| failed())?;
            EncryptedPrivateKeyInfo::from_der(&encrypted)
        }
        Strength::Legacy => {
            let encrypted = triple_des_cbc(plain, passphrase, salt, strength.rounds())?;
            let parameters = Pkcs12PbeParams { salt: OctetString::new(*salt)?, iterations: strength.rounds() };
            let encryption_algorithm = AlgorithmIdentifierOwned {
                oid: PKCS_12_PBE_WITH_SHAAND3_KEY_TRIPLE_DES_CBC,
                parameters: Some(Any::encode_from(&parameters)?),
            };
            Ok(EncryptedPrivateKeyInfo { encryption_algorithm, encrypted_data: OctetString::new(encrypted)? })
        }
    }
}

fn triple_des_cbc(plain: &[u8], passphrase: &str, salt: &[u8], rounds: i32) -> Result<Vec<u8>, Error> {
    const BLOCK: usize = 8;
    let derive = |kind, length| derive_key_utf8::<sha1::Sha1>(passphrase, salt, kind, rounds, length);
    let key = Zeroizing::new(derive(Pkcs12KeyType::EncryptionKey, 24)?);
    let mut previous = derive(Pkcs12KeyType::Iv, BLOCK)?;
    let cipher = des::TdesEde3::new_from_slice(&key).map_err(|_| failed())?;
    let padding = BLOCK - plain.len() % BLOCK;
    let mut padded = Zeroizing::new(Vec::with_capacity(plain.len() + padding));
    padded.extend_from_slice(plain);
    padded.resize(plain.len() + padding, padding as u8);
    let mut out = Vec::with_capacity(padded.len());
    for chunk in padded.chunks_exact(BLOCK) {
        let mut block = GenericArray::clone_from_slice(chunk);
        block.iter_mut().zip(&previous).for_each(|(byte, mask)| *byte ^= mask);
        cipher.encrypt_block(&mut block);
        previous.copy_from_slice(&block);
        out.extend_from_slice(&block);
        block.as_mut_slice().zeroize();
    }
    Ok(out)
}

/// Returns the whole file: the contents and a MAC over them (RFC 7292 §4).
pub(super) fn with_mac(
    contents: &[ContentInfo],
    protection: &StoreProtection<'_>,
) -> Result<Zeroizing<Vec<u8>>, Error> {
    let StoreProtection { passphrase, strength, salts, .. } = protection;
    let (salt, rounds, kind) = (&salts[2], strength.rounds(), Pkcs12KeyType::Mac);
    let contents = contents.to_vec().to_der()?;
    let (oid, algorithm, key) = match strength {
        Strength::Modern => {
            (SHA256, hmac::HMAC_SHA256, derive_key_utf8::<sha2::Sha256>(passphrase, salt, kind, rounds, 32)?)
        }
        Strength::Legacy => (
            SHA1,
            hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
            derive_key_utf8::<sha1::Sha1>(passphrase, salt, kind, rounds, 20)?,
        ),
    };
    let key = Zeroizing::new(key);
    let tag = hmac::sign(&hmac::Key::new(algorithm, &key), &contents);
    let algorithm = AlgorithmIdentifierOwned { oid, parameters: Some(Any::encode_from(&Null)?) };
    let mac = DigestInfo { algorithm, digest: OctetString::new(tag.as_ref())? };
    let mac_data = MacData { mac, mac_salt: OctetString::new(*salt)?, iterations: rounds };
    let whole = Pfx { version: Version::V3, auth_safe: data(&contents)?, mac_data: Some(mac_data) };
    whole.to_der().map(Zeroizing::new)
}

/// The error of a cipher, for which the type of the DER library has no variant.
fn failed() -> Error {
    ErrorKind::Value { tag: Tag::OctetString }.into()
}
