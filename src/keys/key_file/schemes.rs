//! The names of the encryption schemes that are not read here, and the commands that convert their files.

use pkcs8::ObjectIdentifier;
use pkcs8::der::Decode;

use super::error::KeyFileError;
use crate::x509::der;

/// An encryption scheme, a cipher or a pseudo-random function.
struct Scheme {
    oid: &'static str,
    name: &'static str,
    provider: Provider,
}

/// Which providers of OpenSSL 3 open it.
#[derive(Clone, Copy)]
enum Provider {
    Default,
    Legacy,
}

use Provider::{Default as D, Legacy as L};

const fn row(oid: &'static str, name: &'static str, provider: Provider) -> Scheme {
    Scheme { oid, name, provider }
}

/// The schemes before PBES2 (RFC 8018 §A.3, RFC 7292 appendix C).
const BEFORE_PBES2: &[Scheme] = &[
    row("1.2.840.113549.1.5.1", "PBES1 (pbeWithMD2AndDES-CBC)", L),
    row("1.2.840.113549.1.5.3", "PBES1 (pbeWithMD5AndDES-CBC)", L),
    row("1.2.840.113549.1.5.4", "PBES1 (pbeWithMD2AndRC2-CBC)", L),
    row("1.2.840.113549.1.5.6", "PBES1 (pbeWithMD5AndRC2-CBC)", L),
    row("1.2.840.113549.1.5.10", "PBES1 (pbeWithSHA1AndDES-CBC)", L),
    row("1.2.840.113549.1.5.11", "PBES1 (pbeWithSHA1AndRC2-CBC)", L),
    row("1.2.840.113549.1.12.1.1", "the PKCS#12 scheme pbeWithSHA1And128BitRC4", L),
    row("1.2.840.113549.1.12.1.2", "the PKCS#12 scheme pbeWithSHA1And40BitRC4", L),
    row("1.2.840.113549.1.12.1.3", "the PKCS#12 scheme pbeWithSHA1And3-KeyTripleDES-CBC", D),
    row("1.2.840.113549.1.12.1.4", "the PKCS#12 scheme pbeWithSHA1And2-KeyTripleDES-CBC", D),
    row("1.2.840.113549.1.12.1.5", "the PKCS#12 scheme pbeWithSHA1And128BitRC2-CBC", L),
    row("1.2.840.113549.1.12.1.6", "the PKCS#12 scheme pbeWithSHA1And40BitRC2-CBC", L),
];

const CIPHERS: &[Scheme] = &[
    row("1.3.14.3.2.7", "DES-CBC", L),
    row("1.2.840.113549.3.2", "RC2-CBC", L),
    row("1.2.840.113549.3.4", "RC4", L),
    row("1.2.840.113549.3.9", "RC5-CBC", L),
    row("1.3.6.1.4.1.3029.1.2", "BF-CBC (Blowfish)", L),
    row("1.2.840.113533.7.66.10", "CAST5-CBC", L),
    row("1.3.6.1.4.1.188.7.1.1.2", "IDEA-CBC", L),
    row("1.2.410.200004.1.4", "SEED-CBC", L),
    row("1.2.410.200004.1.5", "SEED-CFB", L),
    row("1.2.410.200004.1.6", "SEED-OFB", L),
    row("2.16.840.1.101.3.4.1.1", "AES-128-ECB", D),
    row("2.16.840.1.101.3.4.1.3", "AES-128-OFB", D),
    row("2.16.840.1.101.3.4.1.4", "AES-128-CFB", D),
    row("2.16.840.1.101.3.4.1.6", "AES-128-GCM", D),
    row("2.16.840.1.101.3.4.1.21", "AES-192-ECB", D),
    row("2.16.840.1.101.3.4.1.23", "AES-192-OFB", D),
    row("2.16.840.1.101.3.4.1.24", "AES-192-CFB", D),
    row("2.16.840.1.101.3.4.1.26", "AES-192-GCM", D),
    row("2.16.840.1.101.3.4.1.41", "AES-256-ECB", D),
    row("2.16.840.1.101.3.4.1.43", "AES-256-OFB", D),
    row("2.16.840.1.101.3.4.1.44", "AES-256-CFB", D),
    row("2.16.840.1.101.3.4.1.46", "AES-256-GCM", D),
    row("1.2.392.200011.61.1.1.1.2", "CAMELLIA-128-CBC", D),
    row("1.2.392.200011.61.1.1.1.3", "CAMELLIA-192-CBC", D),
    row("1.2.392.200011.61.1.1.1.4", "CAMELLIA-256-CBC", D),
    row("0.3.4401.5.3.1.9.3", "CAMELLIA-128-OFB", D),
    row("0.3.4401.5.3.1.9.4", "CAMELLIA-128-CFB", D),
    row("0.3.4401.5.3.1.9.23", "CAMELLIA-192-OFB", D),
    row("0.3.4401.5.3.1.9.24", "CAMELLIA-192-CFB", D),
    row("0.3.4401.5.3.1.9.43", "CAMELLIA-256-OFB", D),
    row("0.3.4401.5.3.1.9.44", "CAMELLIA-256-CFB", D),
    row("1.2.410.200046.1.1.2", "ARIA-128-CBC", D),
    row("1.2.410.200046.1.1.3", "ARIA-128-CFB", D),
    row("1.2.410.200046.1.1.4", "ARIA-128-OFB", D),
    row("1.2.410.200046.1.1.7", "ARIA-192-CBC", D),
    row("1.2.410.200046.1.1.8", "ARIA-192-CFB", D),
    row("1.2.410.200046.1.1.9", "ARIA-192-OFB", D),
    row("1.2.410.200046.1.1.12", "ARIA-256-CBC", D),
    row("1.2.410.200046.1.1.13", "ARIA-256-CFB", D),
    row("1.2.410.200046.1.1.14", "ARIA-256-OFB", D),
    row("1.2.156.10197.1.104.2", "SM4-CBC", D),
    row("1.2.156.10197.1.104.3", "SM4-OFB", D),
    row("1.2.156.10197.1.104.4", "SM4-CFB", D),
    row("1.2.643.2.2.21", "GOST 28147-89", L),
    row("1.2.643.7.1.1.5.1.1", "GOST R 34.12-2015", L),
];

/// RFC 8018 §B.1.2, and those of states.
const PRFS: &[Scheme] = &[
    row("1.2.840.113549.2.6", "HMAC-MD5", D),
    row("1.2.840.113549.2.12", "HMAC-SHA512/224", D),
    row("1.2.840.113549.2.13", "HMAC-SHA512/256", D),
    row("2.16.840.1.101.3.4.2.13", "HMAC-SHA3-224", D),
    row("2.16.840.1.101.3.4.2.14", "HMAC-SHA3-256", D),
    row("2.16.840.1.101.3.4.2.15", "HMAC-SHA3-384", D),
    row("2.16.840.1.101.3.4.2.16", "HMAC-SHA3-512", D),
    row("1.2.156.10197.1.401.2", "HMAC-SM3", D),
    row("1.2.643.7.1.1.4.1", "HMAC-Streebog-256", L),
    row("1.2.643.7.1.1.4.2", "HMAC-Streebog-512", L),
];

/// What is read here: AES and 3DES, all in CBC mode; HMAC with SHA-1 and SHA-2; PBKDF2 and scrypt.
const READ_CIPHERS: [&str; 4] =
    ["2.16.840.1.101.3.4.1.2", "2.16.840.1.101.3.4.1.22", "2.16.840.1.101.3.4.1.42", "1.2.840.113549.3.7"];
const READ_PRFS: [&str; 5] =
    ["1.2.840.113549.2.7", "1.2.840.113549.2.8", "1.2.840.113549.2.9", "1.2.840.113549.2.10", "1.2.840.113549.2.11"];
const PBKDF2: &str = "1.2.840.113549.1.5.12";
const SCRYPT: &str = "1.3.6.1.4.1.11591.4.11";

/// Returns the error about a scheme other than PBES2.
pub(super) fn before_pbes2(oid: &str) -> KeyFileError {
    unsupported(BEFORE_PBES2, oid, "", "an unknown scheme")
}

/// Returns the error about a part of PBES2 that is not read here, by its name; `None` when all parts are, or cannot be found.
/// `parameters` is the `PBES2-params` (RFC 8018 §A.4).
pub(super) fn of_pbes2(parameters: &[u8]) -> Option<KeyFileError> {
    let [kdf, cipher] = parts(parameters)?[..] else { return None };
    let cipher = first_oid(cipher)?;
    if !READ_CIPHERS.contains(&cipher.as_str()) {
        return Some(unsupported(CIPHERS, &cipher, "PBES2 with ", "PBES2 with an unknown cipher"));
    }
    let kdf_oid = first_oid(kdf)?;
    if kdf_oid != PBKDF2 {
        return (kdf_oid != SCRYPT).then(|| unsupported(&[], &kdf_oid, "", "PBES2 with an unknown key derivation"));
    }
    // The pseudo-random function is the last parameter; without it, it is HMAC-SHA1.
    let last = parts(parts(kdf)?.get(1)?)?.last().copied()?;
    let prf = first_oid(last).filter(|prf| !READ_PRFS.contains(&prf.as_str()))?;
    Some(unsupported(PRFS, &prf, "PBES2 with PBKDF2 and ", "PBES2 with an unknown pseudo-random function"))
}

fn unsupported(known: &[Scheme], oid: &str, before: &str, unknown: &str) -> KeyFileError {
    match known.iter().find(|scheme| scheme.oid == oid) {
        Some(scheme) => {
            KeyFileError::UnsupportedEncryption { scheme: format!("{before}{}", scheme.name), convert: convert(scheme) }
        }
        // The legacy provider has more ciphers, and both together have all.
        None => KeyFileError::UnsupportedEncryption { scheme: format!("{unknown} ({oid})"), convert: WITH_LEGACY },
    }
}

/// The command for what OpenSSL 3 has in its legacy provider only.
pub(super) const WITH_LEGACY: &str = "openssl pkey -provider legacy -provider default -in KEY -aes256 -out NEW";

fn convert(scheme: &Scheme) -> &'static str {
    match scheme.provider {
        Provider::Default => "openssl pkey -in KEY -aes256 -out NEW",
        Provider::Legacy => WITH_LEGACY,
    }
}

fn first_oid(sequence: &[u8]) -> Option<String> {
    let (der::SEQUENCE, content, _) = der::split_first(sequence)? else { return None };
    let (.., rest) = der::split_first(content)?;
    let oid = &content[..content.len() - rest.len()];
    ObjectIdentifier::from_der(oid).ok().map(|oid| oid.to_string())
}

fn parts(sequence: &[u8]) -> Option<Vec<&[u8]>> {
    match der::split_first(sequence)? {
        (der::SEQUENCE, content, []) => der::children(content),
        _ => None,
    }
}
