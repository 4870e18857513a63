//! The client of `fetch`: it accepts every certificate and records what the server shows.

use std::sync::{Arc, Mutex, PoisonError};

use rustls::client::ResolvesClientCert;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::sign::CertifiedKey;
use rustls::{CertificateError, DigitallySignedStruct, Error, SignatureScheme};

/// Whether the server proved possession of the private key of its first certificate (RFC 8446 §4.4.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum KeyProof {
    Given,
    /// The signature does not verify with the key of the certificate.
    Wrong,
    /// The handshake ended before, or the certificate or algorithm is not supported.
    #[default]
    Unknown,
}

/// The observations of one handshake, shared between verifier and caller.
#[derive(Debug, Default)]
pub(super) struct Observations(Mutex<Observed>);

#[derive(Debug, Default, Clone)]
pub(super) struct Observed {
    pub chain: Vec<Vec<u8>>,
    pub requests_certificate: bool,
    pub proof: KeyProof,
}

impl Observations {
    fn update(&self, record: impl FnOnce(&mut Observed)) {
        record(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }

    pub fn read(&self) -> Observed {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// A verifier that accepts every certificate and records it.
#[derive(Debug)]
pub(super) struct Observer {
    observations: Arc<Observations>,
    algorithms: WebPkiSupportedAlgorithms,
}

impl Observer {
    pub fn new(observations: Arc<Observations>, algorithms: WebPkiSupportedAlgorithms) -> Self {
        Self { observations, algorithms }
    }

    /// Records whether the proof is valid, and accepts it: the caller reports it.
    fn record_proof(&self, checked: &Result<HandshakeSignatureValid, Error>) -> HandshakeSignatureValid {
        let proof = match checked {
            Ok(_) => KeyProof::Given,
            Err(Error::InvalidCertificate(CertificateError::BadSignature)) => KeyProof::Wrong,
            Err(_) => KeyProof::Unknown,
        };
        self.observations.update(|observed| observed.proof = proof);
        HandshakeSignatureValid::assertion()
    }
}

impl ServerCertVerifier for Observer {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let chain = std::iter::once(end_entity).chain(intermediates).map(|der| der.to_vec()).collect();
        self.observations.update(|observed| observed.chain = chain);
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(self.record_proof(&verify_tls12_signature(message, cert, dss, &self.algorithms)))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(self.record_proof(&verify_tls13_signature(message, cert, dss, &self.algorithms)))
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

/// Records that the server requested a certificate, and provides none.
impl ResolvesClientCert for Observations {
    fn resolve(&self, _root_hint_subjects: &[&[u8]], _sigschemes: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        self.update(|observed| observed.requests_certificate = true);
        None
    }

    fn has_certs(&self) -> bool {
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A proof that cannot be checked is neither valid nor invalid.
    #[test]
    fn a_proof_that_cannot_be_checked_is_not_known() {
        let observations = Arc::new(Observations::default());
        assert_eq!(observations.read().proof, KeyProof::Unknown);
        let algorithms = rustls::crypto::aws_lc_rs::default_provider().signature_verification_algorithms;
        let observer = Observer::new(observations.clone(), algorithms);
        for (checked, proof) in [
            (Ok(HandshakeSignatureValid::assertion()), KeyProof::Given),
            (Err(Error::InvalidCertificate(CertificateError::BadSignature)), KeyProof::Wrong),
            (Err(Error::InvalidCertificate(CertificateError::BadEncoding)), KeyProof::Unknown),
            (
                Err(Error::PeerMisbehaved(rustls::PeerMisbehaved::SignedHandshakeWithUnadvertisedSigScheme)),
                KeyProof::Unknown,
            ),
        ] {
            observer.record_proof(&checked);
            assert_eq!(observations.read().proof, proof);
        }
    }
}
