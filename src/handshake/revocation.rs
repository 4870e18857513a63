//! Verifiers that also refuse what a source beside the TLS library's CRLs knows as revoked.

use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{CertificateError, DigitallySignedStruct, DistinguishedName, Error, SignatureScheme};
use time::OffsetDateTime;

use crate::verify::{
    self, Candidate, InputPosition, Purpose, REVOCATION_UNKNOWN, REVOKED, RevocationSource, SignatureCache,
    VerifyInput, VerifyOptions,
};
use crate::x509::Certificate;

/// A source of revocations, and the trust anchors of the certificates that it knows.
#[derive(Debug, Clone)]
pub(super) struct Revocations {
    source: Arc<dyn RevocationSource>,
    roots: Arc<[Candidate]>,
    at: OffsetDateTime,
    /// Shared by every exchange of a test.
    signatures: Arc<SignatureCache>,
}

impl Revocations {
    pub fn new(source: &Arc<dyn RevocationSource>, roots: &[Certificate], at: OffsetDateTime) -> Self {
        let roots = roots.iter().map(|root| candidate(root.clone(), 1)).collect();
        Self { source: source.clone(), roots, at, signatures: Arc::default() }
    }

    /// Fails when a certificate of the path is revoked, or the source cannot be read. Other problems of the path are for
    /// the TLS library.
    fn check(&self, end_entity: &CertificateDer<'_>, intermediates: &[CertificateDer<'_>]) -> Result<(), Error> {
        let shown = std::iter::once(end_entity).chain(intermediates);
        let certificates: Vec<_> = (1..)
            .zip(shown)
            .filter_map(|(number, der)| Some(candidate(Certificate::from_der(der).ok()?, number)))
            .collect();
        // The TLS library has read the leaf; what this program cannot read, this CA has not signed.
        let Some((leaf, untrusted)) = certificates.split_first().filter(|(leaf, _)| leaf.position.number == 1) else {
            return Err(Error::InvalidCertificate(CertificateError::BadEncoding));
        };
        let options = VerifyOptions {
            at: self.at,
            purpose: Purpose::Any,
            names: Vec::new(),
            max_path_length: None,
            must_be_valid_until: None,
            check_revocation: false,
            own_roots: true,
        };
        let input = VerifyInput {
            leaf,
            untrusted: &untrusted.iter().collect::<Vec<_>>(),
            anchors: &self.roots,
            crls: &[],
            revocations: Some(self.source.as_ref()),
            signatures: &self.signatures,
        };
        let problems = verify::verify_chain(input, &options).problems;
        let has = |code: &str| problems.iter().any(|problem| problem.code == code);
        if has(REVOKED.code) {
            return Err(Error::InvalidCertificate(CertificateError::Revoked));
        }
        if has(REVOCATION_UNKNOWN.code) {
            return Err(Error::InvalidCertificate(CertificateError::UnknownRevocationStatus));
        }
        Ok(())
    }
}

fn candidate(certificate: Certificate, number: usize) -> Candidate {
    Candidate::new(certificate, InputPosition::new("the handshake", number))
}

/// A verifier of the TLS library, after which the revocations are checked.
#[derive(Debug)]
pub(super) struct RefusesRevoked<V> {
    pub verifier: V,
    pub revocations: Revocations,
}

impl ServerCertVerifier for RefusesRevoked<Arc<dyn ServerCertVerifier>> {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let verified = self.verifier.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)?;
        self.revocations.check(end_entity, intermediates)?;
        Ok(verified)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.verifier.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.verifier.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.verifier.supported_verify_schemes()
    }
}

impl ClientCertVerifier for RefusesRevoked<Arc<dyn ClientCertVerifier>> {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.verifier.root_hint_subjects()
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        let verified = self.verifier.verify_client_cert(end_entity, intermediates, now)?;
        self.revocations.check(end_entity, intermediates)?;
        Ok(verified)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.verifier.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.verifier.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.verifier.supported_verify_schemes()
    }
}
