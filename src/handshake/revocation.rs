//! Verifiers that also refuse what a source beside the TLS library's CRLs knows as revoked.

use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{CertificateError, DigitallySignedStruct, DistinguishedName, Error, SignatureScheme};
use time::OffsetDateTime;

use crate::verify::{self, Candidate, InputPosition, RevocationSource, SignatureCache, VerifyInput, VerifyOptions};
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

    /// Fails when the path has a revoked certificate, or the source cannot be read. Other problems are for the TLS library.
    fn check(&self, end_entity: &CertificateDer<'_>, intermediates: &[CertificateDer<'_>]) -> Result<(), Error> {
        let Ok(leaf) = Certificate::from_der(end_entity) else {
            return Err(Error::InvalidCertificate(CertificateError::BadEncoding));
        };
        let leaf = candidate(leaf, 1);
        // An intermediate that this program cannot read was not signed by this CA.
        let intermediates: Vec<_> = (2..)
            .zip(intermediates)
            .filter_map(|(number, der)| Some(candidate(Certificate::from_der(der).ok()?, number)))
            .collect();
        let input = VerifyInput {
            leaf: &leaf,
            untrusted: &intermediates.iter().collect::<Vec<_>>(),
            anchors: &self.roots,
            crls: &[],
            revocations: Some(self.source.as_ref()),
            signatures: &self.signatures,
        };
        if verify::verify_chain(input, &VerifyOptions::path_alone(self.at)).valid {
            return Ok(());
        }
        // This program accepts no path, and the TLS library may have accepted any: each certificate counts.
        for shown in std::iter::once(&leaf).chain(&intermediates) {
            match self.source.revocation_of(shown) {
                Ok(None) => {}
                Ok(Some(_)) => return Err(Error::InvalidCertificate(CertificateError::Revoked)),
                Err(_) => return Err(Error::InvalidCertificate(CertificateError::UnknownRevocationStatus)),
            }
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

/// The methods that the two traits have in common, passed on to the TLS library's own verifier.
macro_rules! proof_of_possession {
    () => {
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
    };
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

    proof_of_possession!();
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

    proof_of_possession!();
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;
    use crate::lint::testing::{NOW, TestCa, TestCert};
    use crate::verify::KnownRevocation;

    /// Knows one certificate as revoked, or cannot be read.
    #[derive(Debug)]
    struct Source(Result<Certificate, ()>);

    impl RevocationSource for Source {
        fn revocation_of(&self, candidate: &Candidate) -> Result<Option<KnownRevocation>, String> {
            let revoked = self.0.as_ref().map_err(|()| "the disk is broken".to_owned())?;
            let known = KnownRevocation { at: NOW, reason: None, source: "a test".to_owned() };
            Ok((revoked.as_der() == candidate.certificate.as_der()).then_some(known))
        }
    }

    fn check(source: Source, root: &Certificate, shown: &[&Certificate]) -> Result<(), Error> {
        let source: Arc<dyn RevocationSource> = Arc::new(source);
        let shown: Vec<_> = shown.iter().map(|shown| CertificateDer::from(shown.as_der())).collect();
        let (leaf, intermediates) = shown.split_first().unwrap();
        Revocations::new(&source, std::slice::from_ref(root), NOW).check(leaf, intermediates)
    }

    const REVOKED: Error = Error::InvalidCertificate(CertificateError::Revoked);

    /// Two certificates of one intermediate: the TLS library takes the one that is valid now, and the other does not excuse
    /// it. A path without a revoked certificate is enough.
    #[test]
    fn a_revoked_intermediate_is_refused_beside_another_certificate_of_its_key() {
        let root = TestCa::root();
        let issuing = root.subordinate(TestCert::ca("Issuing"));
        let again = || TestCert::ca("Issuing").with_key(&issuing.key).serial(&[7]);
        let expired = again().validity(datetime!(2025-01-01 0:00 UTC), datetime!(2025-02-01 0:00 UTC));
        let (expired, renewed) = (root.issue(expired), root.issue(again()));
        let leaf = issuing.issue(TestCert::client("x"));
        let revoked = || Source(Ok(issuing.certificate.clone()));
        for shown in [[&leaf, &issuing.certificate, &expired], [&leaf, &expired, &issuing.certificate]] {
            assert_eq!(check(revoked(), &root.certificate, &shown), Err(REVOKED));
        }
        for shown in [[&leaf, &issuing.certificate, &renewed], [&leaf, &renewed, &issuing.certificate]] {
            assert_eq!(check(revoked(), &root.certificate, &shown), Ok(()));
        }
    }

    /// Also when this program accepts no path, as with an extension that the TLS library does not look at.
    #[test]
    fn a_revoked_leaf_is_refused_whatever_else_is_wrong_with_its_path() {
        let (root, other) = (TestCa::root(), TestCa::self_signed(TestCert::ca("Another Root")));
        let leaf = root.issue(TestCert::client("x"));
        for anchor in [&root.certificate, &other.certificate] {
            assert_eq!(check(Source(Ok(leaf.clone())), anchor, &[&leaf]), Err(REVOKED));
            assert_eq!(check(Source(Ok(root.certificate.clone())), anchor, &[&leaf]), Ok(()));
            let unknown = Error::InvalidCertificate(CertificateError::UnknownRevocationStatus);
            assert_eq!(check(Source(Err(())), anchor, &[&leaf]), Err(unknown));
        }
    }

    #[test]
    fn a_leaf_that_this_program_cannot_read_is_refused() {
        let source: Arc<dyn RevocationSource> = Arc::new(Source(Ok(TestCa::root().certificate)));
        let found = Revocations::new(&source, &[], NOW).check(&CertificateDer::from(vec![0x30, 0]), &[]);
        assert_eq!(found, Err(Error::InvalidCertificate(CertificateError::BadEncoding)));
    }
}
