//! An endpoint of a handshake: a certificate, its intermediates, and the private key.

use crate::keys::{PrivateKey, Signer};
use crate::x509::Certificate;

/// The chain and key of one endpoint, as in `fullchain.pem` and `key.pem`.
#[derive(Debug)]
pub struct Endpoint {
    /// The certificate, then its intermediates; never empty.
    chain: Vec<Certificate>,
    key: PrivateKey,
}

/// Why a chain and a key cannot be an endpoint.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EndpointError {
    #[error("there is no certificate in the chain")]
    NoCertificate,
}

impl Endpoint {
    /// Creates an endpoint from a chain whose first certificate is the leaf. That the key belongs to the certificate is
    /// not checked; the handshake shows it.
    ///
    /// # Errors
    /// When the chain is empty.
    pub fn new(chain: Vec<Certificate>, key: PrivateKey) -> Result<Self, EndpointError> {
        if chain.is_empty() {
            return Err(EndpointError::NoCertificate);
        }
        Ok(Self { chain, key })
    }

    /// Returns the leaf certificate.
    pub fn certificate(&self) -> &Certificate {
        &self.chain[0]
    }

    /// Returns the certificate and its intermediates.
    pub fn chain(&self) -> &[Certificate] {
        &self.chain
    }

    pub fn key(&self) -> &PrivateKey {
        &self.key
    }

    /// Returns the chain and the key.
    pub fn into_parts(self) -> (Vec<Certificate>, PrivateKey) {
        (self.chain, self.key)
    }

    /// Returns whether the key belongs to the certificate.
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
    fn an_endpoint_needs_a_certificate() {
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
