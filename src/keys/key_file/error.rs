//! Why a key file cannot be read.

use crate::keys::private_key::PrivateKeyError;
use crate::text::escape;
use crate::x509::pem::PemError;

/// Why a key file cannot be read or written. It never has a secret part of the key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyFileError {
    #[error("it contains no private key: {}", escape(found))]
    NoKey { found: String },
    #[error("it contains {0} private keys, where exactly one is expected")]
    SeveralKeys(usize),
    #[error(transparent)]
    Pem(#[from] PemError),
    #[error("it is not the DER of {what}: {reason}")]
    Malformed { what: &'static str, reason: String },
    #[error(transparent)]
    Unusable(#[from] PrivateKeyError),
    #[error("the key is encrypted, and no passphrase was given")]
    PassphraseNeeded,
    #[error("the passphrase does not open the key")]
    WrongPassphrase,
    #[error("the key is encrypted with {}, which is not read here", escape(scheme))]
    UnsupportedEncryption {
        scheme: String,
        /// The command that converts the file to a format that is supported.
        convert: &'static str,
    },
    #[error("decrypting the key would take {what}, which only a malicious file needs")]
    TooExpensive { what: String },
    #[error("'{}' is a format of private keys that is not read here", escape(.0))]
    UnsupportedFormat(String),
    #[error(
        "it is {}; the keys used here are ECDSA on P-256, P-384 and P-521, Ed25519, and RSA of 2048 to 8192 bits",
        escape(.0)
    )]
    UnsupportedKey(String),
    #[error("the RSA key is damaged: {0}")]
    Rsa(&'static str),
    #[error("the passphrase has characters other than ASCII, from which programs derive different keys in PKCS#12")]
    PassphraseNotAscii,
    #[error("the cryptographic library could not encrypt the key")]
    Writing,
}

impl KeyFileError {
    /// Returns how to fix it, where there is a way.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::UnsupportedEncryption { convert, .. } => Some(format!("convert it first: {convert}")),
            Self::UnsupportedFormat(label) if label == "OPENSSH PRIVATE KEY" => {
                Some("convert a copy of it first: ssh-keygen -p -m PKCS8 -f COPY".to_owned())
            }
            Self::UnsupportedFormat(label) => match label.as_str() {
                "DSA PRIVATE KEY" => Some("DSA is not used by TLS 1.3 or this program; make a new key: ca request NAME"),
                "TSS2 PRIVATE KEY" => Some(
                    "the key stays in a TPM and cannot be read; make a request with it: openssl req -provider tpm2 -new -key FILE",
                ),
                "SM2 PRIVATE KEY" => Some("keys on SM2 are not used here; make a new key: ca request NAME"),
                "ENCRYPTED COSIGN PRIVATE KEY" | "ENCRYPTED SIGSTORE PRIVATE KEY" => {
                    Some("the key is opened by cosign alone; make a new key: ca request NAME")
                }
                _ => None,
            }
            .map(str::to_owned),
            Self::UnsupportedKey(what) if what.contains("explicit") => {
                Some("convert it first: openssl ec -in KEY -param_enc named_curve -out NEW".to_owned())
            }
            _ => None,
        }
    }
}
