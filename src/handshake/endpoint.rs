//! Who takes part: a certificate, the intermediates above it, and the private key.

use crate::keys::{PrivateKey, Signer};
use crate::x509::Certificate;

/// One side's identity, as it stands in `fullchain.pem` and `key.pem`.
#[derive(Debug)]
pub struct Endpoint {
    /// The certificate and, above it, its intermediates; never empty.
    chain: Vec<Certificate>,
    key: PrivateKey,
}

/// Why a chain and a key are no endpoint.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EndpointError {
    #[error("there is no certificate in the chain")]
    NoCertificate,
}

impl Endpoint {
    /// The leaf comes first. Whether key and certificate belong together is for the handshake to show.
    ///
    /// # Errors
    /// When the chain is empty.
    pub fn new(chain: Vec<Certificate>, key: PrivateKey) -> Result<Self, EndpointError> {
        if chain.is_empty() {
            return Err(EndpointError::NoCertificate);
        }
        Ok(Self { chain, key })
    }

    /// What this endpoint presents itself with.
    pub fn certificate(&self) -> &Certificate {
        &self.chain[0]
    }

    /// The certificate and its intermediates.
    pub fn chain(&self) -> &[Certificate] {
        &self.chain
    }

    pub fn key(&self) -> &PrivateKey {
        &self.key
    }

    /// The chain and the key.
    pub fn into_parts(self) -> (Vec<Certificate>, PrivateKey) {
        (self.chain, self.key)
    }

    /// Whether the key is the certificate's.
    pub fn key_matches(&self) -> bool {
        self.key.public_key() == &self.certificate().public_key
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::Hierarchy;
    use super::*;
    use crate::x509::KeyAlgorithm;

    #[test]
    fn nobody_takes_part_without_a_certificate() {
        let key = PrivateKey::generate(KeyAlgorithm::EcdsaP256).unwrap();
        assert!(matches!(Endpoint::new(Vec::new(), key), Err(EndpointError::NoCertificate)));
    }

    #[test]
    fn a_key_is_known_to_be_the_certificates_or_not() {
        let Hierarchy { server, client, .. } = Hierarchy::new(KeyAlgorithm::EcdsaP256);
        assert!(server.key_matches());
        let (_, key) = client.into_parts();
        let (chain, _) = server.into_parts();
        assert!(!Endpoint::new(chain, key).unwrap().key_matches());
    }
}
