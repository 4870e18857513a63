//! Private keys: how they are generated, used, and written to key files; signatures; weak public keys.
//!
//! Only the type [`PrivateKey`] holds a private key, and only the module [`key_file`] turns one into text. The room is pure
//! except for the randomness that key generation and ECDSA draw inside the cryptographic library: no private key may
//! depend on an argument that a caller could fix.

mod diagnosis;
pub mod key_file;
pub mod passphrase;
pub mod private_key;
pub mod verification;
pub mod weakness;

pub use diagnosis::WeakKeyError;
pub use passphrase::{Passphrase, PassphraseError};
pub use private_key::{PrivateKey, placeholder_signature};
pub use verification::verify;
pub use weakness::Weakness;

use crate::x509::{PublicKey, SignatureAlgorithm};

/// A key that can sign: a private key from a file, or a key in a device that never leaves it. Several threads may sign with it.
pub trait Signer: Sync {
    /// Returns the public key.
    fn public_key(&self) -> &PublicKey;

    /// Returns the algorithm of the signatures that [`Signer::sign`] makes.
    fn signature_algorithm(&self) -> SignatureAlgorithm;

    /// Signs `message`; the result is the content of the signature BIT STRING.
    ///
    /// # Errors
    /// When the cryptographic library or the device fails.
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SigningError>;
}

impl<S: Signer + ?Sized> Signer for &S {
    fn public_key(&self) -> &PublicKey {
        (**self).public_key()
    }

    fn signature_algorithm(&self) -> SignatureAlgorithm {
        (**self).signature_algorithm()
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SigningError> {
        (**self).sign(message)
    }
}

/// The cryptographic library or the device failed; the text says at what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the cryptographic library refused to {0}")]
pub struct SigningError(pub &'static str);
