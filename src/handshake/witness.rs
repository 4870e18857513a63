//! The client of `fetch`: it accepts every certificate and records what the server shows.

use std::sync::{Arc, Mutex, PoisonError};

use rustls::client::ResolvesClientCert;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::sign::CertifiedKey;
use rustls::{CertificateError, DigitallySignedStruct, Error, SignatureScheme};

/// Whether the server proved that it holds the private key of its first certificate (RFC 8446 §4.4.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Proof {
    Given,
    /// The signature does not verify with the key of the certificate.
    Wrong,
    /// It did not come to that, or certificate or algorithm are of a kind that is not used here.
    #[default]
    Unknown,
}

/// What was seen during the handshake.
#[derive(Debug, Default)]
pub(super) struct Notes(Mutex<Page>);

#[derive(Debug, Default, Clone)]
pub(super) struct Page {
    pub chain: Vec<Vec<u8>>,
    pub asked: bool,
    pub proof: Proof,
}

impl Notes {
    fn write(&self, note: impl FnOnce(&mut Page)) {
        note(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }

    pub fn read(&self) -> Page {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Believes every certificate, and writes down what it saw.
#[derive(Debug)]
pub(super) struct Witness {
    notes: Arc<Notes>,
    algorithms: WebPkiSupportedAlgorithms,
}

impl Witness {
    pub fn new(notes: Arc<Notes>, algorithms: WebPkiSupportedAlgorithms) -> Self {
        Self { notes, algorithms }
    }

    /// A wrong proof is written down, and the handshake goes on: whoever asked is told of it.
    fn note_proof(&self, checked: &Result<HandshakeSignatureValid, Error>) -> HandshakeSignatureValid {
        let proof = match checked {
            Ok(_) => Proof::Given,
            Err(Error::InvalidCertificate(CertificateError::BadSignature)) => Proof::Wrong,
            Err(_) => Proof::Unknown,
        };
        self.notes.write(|page| page.proof = proof);
        HandshakeSignatureValid::assertion()
    }
}

impl ServerCertVerifier for Witness {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let chain = std::iter::once(end_entity).chain(intermediates).map(|der| der.to_vec()).collect();
        self.notes.write(|page| page.chain = chain);
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(self.note_proof(&verify_tls12_signature(message, cert, dss, &self.algorithms)))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(self.note_proof(&verify_tls13_signature(message, cert, dss, &self.algorithms)))
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

/// Writes down that a certificate was asked for, and has none.
impl ResolvesClientCert for Notes {
    fn resolve(&self, _root_hint_subjects: &[&[u8]], _sigschemes: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        self.write(|page| page.asked = true);
        None
    }

    fn has_certs(&self) -> bool {
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What nothing here can check is neither proved nor refuted.
    #[test]
    fn a_proof_that_cannot_be_checked_is_not_known() {
        let notes = Arc::new(Notes::default());
        assert_eq!(notes.read().proof, Proof::Unknown);
        let algorithms = rustls::crypto::aws_lc_rs::default_provider().signature_verification_algorithms;
        let witness = Witness::new(notes.clone(), algorithms);
        for (checked, proof) in [
            (Ok(HandshakeSignatureValid::assertion()), Proof::Given),
            (Err(Error::InvalidCertificate(CertificateError::BadSignature)), Proof::Wrong),
            (Err(Error::InvalidCertificate(CertificateError::BadEncoding)), Proof::Unknown),
            (
                Err(Error::PeerMisbehaved(rustls::PeerMisbehaved::SignedHandshakeWithUnadvertisedSigScheme)),
                Proof::Unknown,
            ),
        ] {
            witness.note_proof(&checked);
            assert_eq!(notes.read().proof, proof);
        }
    }
}
