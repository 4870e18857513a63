//! Fetches the certificates that a running server shows, without verifying them.
//!
//! The client accepts and records every certificate; the caller verifies the chain. It sends the handshake and no
//! application data. When the server requests a client certificate, the client has none: the server has shown its own
//! by then (RFC 8446 §4.4.2, RFC 5246 §7.4.2), so that a refusal does not matter.

use std::sync::Arc;

use rustls::ClientConnection;
use rustls::pki_types::ServerName;
use time::OffsetDateTime;

use super::cause::Cause;
use super::dial::{open, resolve};
use super::error::{ExchangeError, HandshakeError};
use super::limits::MAX_DURATION;
use super::observer::{KeyProof, Observations};
use super::peer_connection::PeerConnection;
use super::scenario;
use super::starttls::StartTls;
use crate::tls::{CipherSuite, Side, TlsVersion};

/// The certificates that a server showed, and the result of the handshake.
#[derive(Debug)]
pub struct Served {
    /// Its certificates in DER, in the order of the message; never empty.
    pub chain: Vec<Vec<u8>>,
    pub version: Option<TlsVersion>,
    pub cipher_suite: Option<CipherSuite>,
    /// `true` when the server requested a client certificate.
    pub requests_certificate: bool,
    pub proof: KeyProof,
    /// Why the handshake failed after the chain was shown; `None` when it succeeded.
    pub failure: Option<Cause>,
}

/// Fetches the chain of the server at `address` (`host:port`); `host_name` is sent as the server name. With `starttls` the
/// server is asked for TLS first.
///
/// # Errors
/// When the server cannot be reached, does not speak TLS, or shows no certificate within
/// [`super::limits::MAX_DURATION`].
pub fn fetch(
    address: &str,
    host_name: &str,
    starttls: Option<StartTls>,
    at: OffsetDateTime,
) -> Result<Served, HandshakeError> {
    let name =
        ServerName::try_from(host_name.to_owned()).map_err(|_| HandshakeError::HostName(host_name.to_owned()))?;
    let observations = Arc::new(Observations::default());
    let config = scenario::fetching_config(at, &observations)?;
    let tls_connection =
        ClientConnection::new(Arc::new(config), name).map_err(|error| ExchangeError::Library(error.to_string()))?;
    let mut connection = PeerConnection::new(
        Side::Client,
        tls_connection.into(),
        open(address, &resolve(address, MAX_DURATION)?, starttls, host_name, MAX_DURATION)?,
        MAX_DURATION,
    );
    let ended = connection.finish_handshake();
    connection.close();
    let result = connection.handshake_result();
    let observed = observations.read();
    if observed.chain.is_empty() {
        let reason = match (ended, result.cause) {
            (Err(error), _) => error.to_string(),
            (Ok(()), Some(cause)) => cause.sentence,
            (Ok(()), None) => "the handshake ended without one".to_owned(),
        };
        return Err(HandshakeError::NothingShown { address: address.to_owned(), reason });
    }
    Ok(Served {
        chain: observed.chain,
        version: result.version,
        cipher_suite: result.cipher_suite,
        requests_certificate: observed.requests_certificate,
        proof: observed.proof,
        failure: result.cause,
    })
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::TcpListener;

    use rustls::ServerConfig;
    use rustls::server::ResolvesServerCertUsingSni;

    use super::super::fixtures::{Hierarchy, NOW};
    use super::super::good_case::good_case;
    use super::*;
    use crate::x509::{Certificate, KeyAlgorithm};

    /// A server that requires client certificates.
    fn strict(hierarchy: &Hierarchy, version: TlsVersion) -> Arc<ServerConfig> {
        good_case(&hierarchy.test(&[version]), version).unwrap().configs().unwrap().server
    }

    /// Starts a server for one connection.
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
            // Sends an alert, if there is one to send.
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
            let served = fetch(&serve(strict(&hierarchy, version)), "localhost", None, NOW).unwrap();
            assert_eq!(served.chain, ders(hierarchy.server.chain()), "{version}");
            assert_eq!((served.version, served.proof), (Some(version), KeyProof::Given));
            assert!(served.requests_certificate && served.cipher_suite.is_some());
            // In TLS 1.3 the client finishes before the server verifies it (RFC 8446 §4.4.2.4), in TLS 1.2 it does not.
            assert_eq!(served.failure.is_some(), version == TlsVersion::Tls12, "{:?}", served.failure);
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
            let served = fetch(&serve(Arc::new(config)), "localhost", None, NOW).unwrap();
            assert_eq!((served.proof, served.requests_certificate), (KeyProof::Wrong, false), "{version}");
        }
    }

    #[test]
    fn a_server_that_closes_in_the_middle_has_shown_its_chain_and_is_reported() {
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
            // The server's first flight is complete; the client's flight is read and not answered.
            drop(socket.read(&mut [0; 512]));
        });
        let served = fetch(&address, "localhost", None, NOW).unwrap();
        assert_eq!((served.chain, served.proof), (ders(hierarchy.server.chain()), KeyProof::Given));
        assert_eq!(served.failure.unwrap().code, "closed");
    }

    #[test]
    fn a_server_that_shows_no_certificate_is_an_error() {
        let hierarchy = Hierarchy::new(KeyAlgorithm::EcdsaP256);
        let strict = strict(&hierarchy, TlsVersion::Tls13);
        let config = ServerConfig::builder_with_details(strict.crypto_provider().clone(), strict.time_provider.clone())
            .with_protocol_versions(&[&rustls::version::TLS13])
            .unwrap()
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(ResolvesServerCertUsingSni::new()));
        let silent_server = || once(|mut socket| drop(socket.read(&mut [0; 512])));
        let http_server = || {
            once(|mut socket| {
                drop(socket.read(&mut [0; 512]));
                drop(socket.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n"));
            })
        };
        for (address, result) in [(serve(Arc::new(config)), "alert"), (silent_server(), "closed"), (http_server(), "")]
        {
            let error = fetch(&address, "localhost", None, NOW).unwrap_err();
            assert!(matches!(error, HandshakeError::NothingShown { .. }), "{error:?}");
            assert!(error.to_string().contains(&address) && error.to_string().contains(result), "{error}");
        }
    }
}
