//! KEYS: make, hold and use private keys.
//!
//! A private key touches one type, [`PrivateKey`], and is turned into the text of a file by one module, [`key_file`].
//! Pure but for the randomness that key generation and ECDSA draw inside the cryptographic library: no private key may
//! depend on an argument that somebody could fix.

mod diagnosis;
pub mod key_file;
pub mod passphrase;
pub mod private_key;
pub mod verification;
pub mod weakness;

pub use diagnosis::WeakKeyError;
pub use passphrase::Passphrase;
pub use private_key::PrivateKey;
pub use verification::verify;
pub use weakness::Weakness;

use crate::x509::{PublicKey, SignatureAlgorithm};

/// Whoever can sign with a key: a file's key today, a token's tomorrow, a deterministic one in tests.
pub trait Signer {
    /// The public half.
    fn public_key(&self) -> &PublicKey;

    /// The algorithm of the signatures that [`Signer::sign`] makes.
    fn signature_algorithm(&self) -> SignatureAlgorithm;

    /// Signs `message`; the result is the content of the signature BIT STRING.
    ///
    /// # Errors
    /// When the library or the device refuses.
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

/// The cryptographic library, or the device, could not do it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the cryptographic library refused to {0}")]
pub struct SigningError(pub &'static str);
