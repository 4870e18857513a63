//! The certificates that a running server shows, fetched without a judgement on them.
//!
//! The client of this file believes everything and writes it down; whether the chain holds is for others to say. It
//! sends the handshake and nothing else. A request for a client certificate is answered with none: the server has shown
//! its own by then (RFC 8446 §4.4.2, RFC 5246 §7.4.2), so that its refusal does not matter.

use std::sync::{Arc, Mutex, PoisonError};

use rustls::client::ResolvesClientCert;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::sign::CertifiedKey;
use rustls::{CertificateError, ClientConnection, DigitallySignedStruct, Error, SignatureScheme};
use time::OffsetDateTime;

use super::call::Call;
use super::cause::Cause;
use super::connect::{open, resolve};
use super::exchange::{ExchangeError, LONGEST};
use super::scenario;
use super::session::HandshakeError;
use crate::tls::registry::TlsVersion;
use crate::tls::wire::Side;

/// What a server showed.
#[derive(Debug)]
pub struct Served {
    /// The DER of its certificates in the order of the wire; never empty.
    pub chain: Vec<Vec<u8>>,
    pub version: Option<TlsVersion>,
    pub cipher_suite: Option<String>,
    /// The server asked for a certificate of the client.
    pub asks_for_certificate: bool,
    pub proof: Proof,
    /// Why the handshake went no further once the chain was shown.
    pub broken_off: Option<Cause>,
}

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

/// Fetches the chain of the server at `address` (`host:port`), asked for as `host_name`.
///
/// # Errors
/// When it cannot be reached, does not speak TLS, or shows nothing in [`super::exchange::LONGEST`].
pub fn fetch(address: &str, host_name: &str, at: OffsetDateTime) -> Result<Served, HandshakeError> {
    let name =
        ServerName::try_from(host_name.to_owned()).map_err(|_| HandshakeError::HostName(host_name.to_owned()))?;
    let notes = Arc::new(Notes::default());
    let config = scenario::believing_config(at, &notes)?;
    let connection =
        ClientConnection::new(Arc::new(config), name).map_err(|error| ExchangeError::Library(error.to_string()))?;
    let mut call =
        Call::new(Side::Client, connection.into(), open(address, &resolve(address, LONGEST)?, LONGEST)?, LONGEST);
    let ended = call.shake();
    call.hang_up();
    let told = call.outcome();
    let page = notes.read();
    if page.chain.is_empty() {
        let reason = match (ended, told.cause) {
            (Err(error), _) => error.to_string(),
            (Ok(()), Some(cause)) => cause.sentence,
            (Ok(()), None) => "the handshake ended without one".to_owned(),
        };
        return Err(HandshakeError::NothingShown { address: address.to_owned(), reason });
    }
    Ok(Served {
        chain: page.chain,
        version: told.version,
        cipher_suite: told.cipher_suite,
        asks_for_certificate: page.asked,
        proof: page.proof,
        broken_off: told.cause,
    })
}

/// What was seen during the handshake.
#[derive(Debug, Default)]
pub(super) struct Notes(Mutex<Page>);

#[derive(Debug, Default, Clone)]
struct Page {
    chain: Vec<Vec<u8>>,
    asked: bool,
    proof: Proof,
}

impl Notes {
    fn write(&self, note: impl FnOnce(&mut Page)) {
        note(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }

    fn read(&self) -> Page {
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
    use std::io::{Read, Write};
    use std::net::TcpListener;

    use rustls::ServerConfig;
    use rustls::server::ResolvesServerCertUsingSni;

    use super::super::fixtures::{Hierarchy, NOW};
    use super::super::session;
    use super::*;
    use crate::x509::{Certificate, KeyAlgorithm};

    /// A server that insists on client certificates, for one visitor.
    fn strict(hierarchy: &Hierarchy, version: TlsVersion) -> Arc<ServerConfig> {
        session::good_case(&hierarchy.test(&[version]), version).unwrap().ends().unwrap().server
    }

    /// Plays a server for one visitor.
    fn once(play: impl FnOnce(std::net::TcpStream) + Send + 'static) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        std::thread::spawn(move || play(listener.accept().unwrap().0));
        address
    }

    fn serve(config: Arc<ServerConfig>) -> String {
        once(move |mut socket| {
            let mut connection = rustls::ServerConnection::new(config).unwrap();
            while connection.is_handshaking() && connection.complete_io(&mut socket).is_ok() {}
            // The alert, if one is due.
            drop(connection.write_tls(&mut socket));
        })
    }

    fn ders(chain: &[Certificate]) -> Vec<Vec<u8>> {
        chain.iter().map(|certificate| certificate.as_der().to_vec()).collect()
    }

    #[test]
    fn a_server_that_insists_on_client_certificates_shows_its_chain_all_the_same() {
        let hierarchy = Hierarchy::new(KeyAlgorithm::EcdsaP256);
        for version in [TlsVersion::Tls13, TlsVersion::Tls12] {
            let served = fetch(&serve(strict(&hierarchy, version)), "localhost", NOW).unwrap();
            assert_eq!(served.chain, ders(hierarchy.server.chain()), "{version}");
            assert_eq!((served.version, served.proof), (Some(version), Proof::Given));
            assert!(served.asks_for_certificate && served.cipher_suite.is_some());
            // In TLS 1.3 the client is done before it is judged (RFC 8446 §4.4.2.4), in TLS 1.2 not.
            assert_eq!(served.broken_off.is_some(), version == TlsVersion::Tls12, "{:?}", served.broken_off);
        }
    }

    #[test]
    fn a_server_with_the_key_of_another_certificate_is_found_out() {
        let (hierarchy, other) = (Hierarchy::new(KeyAlgorithm::EcdsaP256), Hierarchy::new(KeyAlgorithm::EcdsaP256));
        for version in [TlsVersion::Tls13, TlsVersion::Tls12] {
            let chain: Vec<&Certificate> = hierarchy.server.chain().iter().collect();
            let identity = scenario::identity("server", &chain, other.server.key()).unwrap();
            let strict = strict(&hierarchy, version);
            let protocol = match version {
                TlsVersion::Tls12 => &rustls::version::TLS12,
                TlsVersion::Tls13 => &rustls::version::TLS13,
            };
            let config =
                ServerConfig::builder_with_details(strict.crypto_provider().clone(), strict.time_provider.clone())
                    .with_protocol_versions(&[protocol])
                    .unwrap()
                    .with_no_client_auth()
                    .with_cert_resolver(Arc::new(rustls::sign::SingleCertAndKey::from(identity)));
            let served = fetch(&serve(Arc::new(config)), "localhost", NOW).unwrap();
            assert_eq!((served.proof, served.asks_for_certificate), (Proof::Wrong, false), "{version}");
        }
    }

    #[test]
    fn a_server_that_hangs_up_in_the_middle_has_shown_its_chain_and_is_told_of() {
        let hierarchy = Hierarchy::new(KeyAlgorithm::EcdsaP256);
        let config = strict(&hierarchy, TlsVersion::Tls12);
        let address = once(move |mut socket| {
            let mut connection = rustls::ServerConnection::new(config).unwrap();
            while !connection.wants_write() {
                connection.read_tls(&mut socket).unwrap();
                connection.process_new_packets().unwrap();
            }
            while connection.wants_write() {
                connection.write_tls(&mut socket).unwrap();
            }
            // All of the server's first flight, and not a word to the answer.
            drop(socket.read(&mut [0; 512]));
        });
        let served = fetch(&address, "localhost", NOW).unwrap();
        assert_eq!((served.chain, served.proof), (ders(hierarchy.server.chain()), Proof::Given));
        assert_eq!(served.broken_off.unwrap().code, "closed");
    }

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

    #[test]
    fn whoever_shows_nothing_is_told_as_such() {
        let hierarchy = Hierarchy::new(KeyAlgorithm::EcdsaP256);
        let strict = strict(&hierarchy, TlsVersion::Tls13);
        let without =
            ServerConfig::builder_with_details(strict.crypto_provider().clone(), strict.time_provider.clone())
                .with_protocol_versions(&[&rustls::version::TLS13])
                .unwrap()
                .with_no_client_auth()
                .with_cert_resolver(Arc::new(ResolvesServerCertUsingSni::new()));
        let silent = || once(|mut socket| drop(socket.read(&mut [0; 512])));
        let web = || {
            once(|mut socket| {
                drop(socket.read(&mut [0; 512]));
                drop(socket.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n"));
            })
        };
        for (address, told) in [(serve(Arc::new(without)), "alert"), (silent(), "closed"), (web(), "")] {
            let error = fetch(&address, "localhost", NOW).unwrap_err();
            assert!(matches!(error, HandshakeError::NothingShown { .. }), "{error:?}");
            assert!(error.to_string().contains(&address) && error.to_string().contains(told), "{error}");
        }
    }
}
