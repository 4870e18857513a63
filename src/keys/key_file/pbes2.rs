//! Encrypted PKCS#8 (RFC 5958 §3) under PBES2 (RFC 8018 §6.2).

use pkcs8::der::{Decode, Encode};
use pkcs8::pkcs5::pbes2::{EncryptionScheme as Cipher, Kdf, Parameters, Pbkdf2Prf};
use pkcs8::spki::AlgorithmIdentifierRef;
use pkcs8::{EncryptedPrivateKeyInfo, pkcs5};
use zeroize::Zeroizing;

use super::error::KeyFileError;
use super::schemes;
use crate::keys::Passphrase;
use crate::x509::der;

/// The rounds of PBKDF2 in files that are written here: OWASP's number for HMAC-SHA256, about 0.2 s.
pub const ROUNDS: u32 = 600_000;

/// The most rounds that are accepted: half a minute. A file could demand four thousand million.
const MOST_ROUNDS: u32 = 100_000_000;

/// The most memory that scrypt may need, in bytes: more than the default of any tool (OpenSSL: 16 MiB), and half of what the
/// process may take.
const MOST_SCRYPT_MEMORY: u64 = 128 * 1024 * 1024;

/// The most memory times parallelism, in bytes: about a minute.
const MOST_SCRYPT_WORK: u64 = 1 << 34;

const WHAT: &str = "an encrypted private key";

/// Returns the bytes if they have the outer structure SEQUENCE { AlgorithmIdentifier, OCTET STRING }, in the form that the
/// library reads.
pub(super) fn recognise(encrypted: &Zeroizing<Vec<u8>>) -> Result<Zeroizing<Vec<u8>>, KeyFileError> {
    let tags: Vec<u8> = parts(encrypted).unwrap_or_default().iter().filter_map(|part| part.first().copied()).collect();
    if tags != [der::SEQUENCE, der::OCTET_STRING] {
        return Err(KeyFileError::Malformed { what: WHAT, reason: "its outer structure is damaged".to_owned() });
    }
    Ok(with_prf_parameters(encrypted).map_or_else(|| encrypted.clone(), Zeroizing::new))
}

/// Adds the NULL parameters of the pseudo-random function, which GnuTLS leaves out (RFC 8018 appendix B.1 requires them)
/// and the library needs. `None` when they are there, or the key derivation is not PBKDF2.
fn with_prf_parameters(encrypted: &[u8]) -> Option<Vec<u8>> {
    let [algorithm, ciphertext] = parts(encrypted)?[..] else { return None };
    let [scheme, parameters] = parts(algorithm)?[..] else { return None };
    let [kdf, cipher] = parts(parameters)?[..] else { return None };
    let [kdf_name, kdf_parameters] = parts(kdf)?[..] else { return None };
    let kdf_parts = parts(kdf_parameters)?;
    let (last, others) = kdf_parts.split_last()?;
    let [digest] = parts(last)?[..] else { return None };
    let digest = der::sequence(&[digest, &der::value(der::NULL, &[])]);
    let kdf = der::sequence(&[kdf_name, &der::sequence(&[others, &[&digest]].concat())]);
    let algorithm = der::sequence(&[scheme, &der::sequence(&[&kdf, cipher])]);
    Some(der::sequence(&[&algorithm, ciphertext]))
}

/// Returns the values in a SEQUENCE.
fn parts(sequence: &[u8]) -> Option<Vec<&[u8]>> {
    match der::split_first(sequence)? {
        (der::SEQUENCE, content, []) => der::children(content),
        _ => None,
    }
}

/// Returns key derivation and cipher as text.
pub(super) fn describe(encrypted: &[u8]) -> String {
    match parameters(encrypted) {
        Ok((Parameters { kdf, encryption }, _)) => format!("PBES2 ({}; {})", kdf_name(&kdf), cipher_name(&encryption)),
        Err(KeyFileError::UnsupportedEncryption { scheme, .. }) => scheme,
        Err(_) => "an unknown scheme".to_owned(),
    }
}

/// Decrypts the key. The passphrase is used only when the scheme is supported.
pub(super) fn decrypt<'p>(
    encrypted: &[u8],
    passphrase: impl FnOnce() -> Result<&'p Passphrase, KeyFileError>,
) -> Result<Zeroizing<Vec<u8>>, KeyFileError> {
    let (parameters, ciphertext) = parameters(encrypted)?;
    check_cost(&parameters.kdf)?;
    let mut buffer = Zeroizing::new(ciphertext.to_vec());
    let length = parameters.decrypt_in_place(passphrase()?.expose(), &mut buffer).map_err(decryption_error)?.len();
    buffer.truncate(length);
    Ok(buffer)
}

/// Encrypts with PBKDF2-HMAC-SHA256 and AES-256-CBC, which every tool reads: OpenSSL 3.0 refuses scrypt with strong
/// parameters, and Java 17 and GnuTLS do not support it.
pub(super) fn encrypt(
    pkcs8: &[u8],
    passphrase: &Passphrase,
    salt: &[u8; 16],
    iv: &[u8; 16],
) -> Result<Zeroizing<Vec<u8>>, KeyFileError> {
    encrypt_in(ROUNDS, pkcs8, passphrase, salt, iv)
}

/// As [`encrypt`], with another number of rounds.
pub(super) fn encrypt_in(
    rounds: u32,
    pkcs8: &[u8],
    passphrase: &Passphrase,
    salt: &[u8; 16],
    iv: &[u8; 16],
) -> Result<Zeroizing<Vec<u8>>, KeyFileError> {
    let parameters = Parameters::pbkdf2_sha256_aes256cbc(rounds, salt, iv).map_err(|_| KeyFileError::Writing)?;
    let encrypted_data = parameters.encrypt(passphrase.expose(), pkcs8).map_err(|_| KeyFileError::Writing)?;
    let info = EncryptedPrivateKeyInfo { encryption_algorithm: parameters.into(), encrypted_data: &encrypted_data };
    info.to_der().map(Zeroizing::new).map_err(|_| KeyFileError::Writing)
}

fn parameters(encrypted: &[u8]) -> Result<(Parameters<'_>, &[u8]), KeyFileError> {
    let malformed = |reason: String| KeyFileError::Malformed { what: WHAT, reason };
    let oid = scheme(encrypted).ok_or_else(|| malformed("its encryption scheme cannot be read".to_owned()))?;
    if oid != PBES2 {
        return Err(schemes::before_pbes2(&oid));
    }
    let scheme_parameters = parts(encrypted).and_then(|parts_of| parts(parts_of.first()?)?.get(1).copied());
    if let Some(error) = scheme_parameters.and_then(schemes::of_pbes2) {
        return Err(error);
    }
    match EncryptedPrivateKeyInfo::try_from(encrypted) {
        Ok(EncryptedPrivateKeyInfo {
            encryption_algorithm: pkcs5::EncryptionScheme::Pbes2(parameters),
            encrypted_data,
        }) => Ok((parameters, encrypted_data)),
        Ok(_) => Err(schemes::before_pbes2(&oid)),
        Err(_) => Err(malformed("the parameters of its encryption scheme PBES2 cannot be read".to_owned())),
    }
}

/// Returns the object identifier of the encryption scheme.
fn scheme(encrypted: &[u8]) -> Option<String> {
    let (_, content, _) = der::split_first(encrypted)?;
    let algorithm = *der::children(content)?.first()?;
    AlgorithmIdentifierRef::from_der(algorithm).ok().map(|algorithm| algorithm.oid.to_string())
}

const PBES2: &str = "1.2.840.113549.1.5.13";

/// Checks the cost of a key derivation. The file decides about time and memory, within limits.
fn check_cost(kdf: &Kdf<'_>) -> Result<(), KeyFileError> {
    match kdf {
        Kdf::Pbkdf2(parameters) if parameters.iteration_count > MOST_ROUNDS => {
            Err(KeyFileError::TooExpensive { what: format!("{} rounds of PBKDF2", parameters.iteration_count) })
        }
        Kdf::Pbkdf2(parameters) if parameters.iteration_count == 0 => {
            Err(KeyFileError::Malformed { what: WHAT, reason: "PBKDF2 with no rounds at all".to_owned() })
        }
        Kdf::Scrypt(parameters) => {
            // The library aborts at a cost of zero (RFC 7914 §2: a power of two, larger than one).
            if parameters.cost_parameter < 2 || !parameters.cost_parameter.is_power_of_two() {
                return Err(KeyFileError::Malformed {
                    what: WHAT,
                    reason: "the cost of scrypt is not a power of two".to_owned(),
                });
            }
            let memory = parameters.cost_parameter.saturating_mul(u64::from(parameters.block_size)).saturating_mul(128);
            let work = memory.saturating_mul(u64::from(parameters.parallelization));
            if memory > MOST_SCRYPT_MEMORY || work > MOST_SCRYPT_WORK {
                return Err(KeyFileError::TooExpensive {
                    what: format!(
                        "{} MiB of memory, {} times over, in scrypt",
                        memory >> 20,
                        parameters.parallelization
                    ),
                });
            }
            Ok(())
        }
        _ => Ok(()),
    }
}

fn decryption_error(error: pkcs5::Error) -> KeyFileError {
    match error {
        pkcs5::Error::DecryptFailed | pkcs5::Error::EncryptFailed => KeyFileError::WrongPassphrase,
        pkcs5::Error::UnsupportedAlgorithm { oid } => schemes::before_pbes2(&oid.to_string()),
        _ => KeyFileError::Malformed {
            what: WHAT,
            reason: "the parameters of its encryption scheme PBES2 cannot be used".to_owned(),
        },
    }
}

fn kdf_name(kdf: &Kdf<'_>) -> String {
    match kdf {
        Kdf::Pbkdf2(parameters) => {
            let digest = match parameters.prf {
                Pbkdf2Prf::HmacWithSha1 => "SHA1",
                Pbkdf2Prf::HmacWithSha224 => "SHA224",
                Pbkdf2Prf::HmacWithSha256 => "SHA256",
                Pbkdf2Prf::HmacWithSha384 => "SHA384",
                Pbkdf2Prf::HmacWithSha512 => "SHA512",
                _ => "an unknown digest",
            };
            format!("PBKDF2-HMAC-{digest}, {} rounds", parameters.iteration_count)
        }
        Kdf::Scrypt(parameters) => format!(
            "scrypt, N={}, r={}, p={}",
            parameters.cost_parameter, parameters.block_size, parameters.parallelization
        ),
        other => format!("key derivation {}", other.oid()),
    }
}

fn cipher_name(cipher: &Cipher<'_>) -> String {
    match cipher {
        Cipher::Aes128Cbc { .. } => "AES-128-CBC".to_owned(),
        Cipher::Aes192Cbc { .. } => "AES-192-CBC".to_owned(),
        Cipher::Aes256Cbc { .. } => "AES-256-CBC".to_owned(),
        Cipher::DesEde3Cbc { .. } => "DES-EDE3-CBC".to_owned(),
        other => format!("cipher {}", other.oid()),
    }
}

#[cfg(test)]
mod tests {
    use pkcs8::pkcs5::pbes2::ScryptParams;

    use super::*;

    #[test]
    fn memory_and_work_are_bounded_each_by_itself() {
        let cost = |cost_parameter, parallelization| {
            let scrypt = ScryptParams { salt: &[], cost_parameter, block_size: 8, parallelization, key_length: None };
            check_cost(&Kdf::Scrypt(scrypt))
        };
        assert_eq!(cost(1 << 17, 128), Ok(()));
        assert!(matches!(cost(1 << 18, 1), Err(KeyFileError::TooExpensive { .. })), "memory");
        assert!(matches!(cost(1 << 17, 129), Err(KeyFileError::TooExpensive { .. })), "work");
    }
}
