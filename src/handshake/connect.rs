//! The client's part alone, against a server that somebody else runs.
//!
//! After the handshake it asks for a page and waits for the answer: in TLS 1.3 a server judges the client's certificate
//! after the client is done, and nginx even lets the handshake pass and refuses with an HTTP status. Each case has a
//! connection of its own, without resumption, so that a server that forgets to ask for certificates is found out.

use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::ClientConnection;
use rustls::pki_types::ServerName;
use time::OffsetDateTime;

use super::call::Call;
use super::decrypt::Secrets;
use super::exchange::{ExchangeError, socket_error};
use super::party::Party;
use super::refusals::{self, Double};
use super::registry::{Group, TlsVersion};
use super::report::{Expected, HandshakeReport, Outcome, Refusal, Session};
use super::scenario::{self, Identity, Standard};
use super::session::HandshakeError;
use super::throw_away::{Changes, CopyError};
use super::wire::Side;
use crate::x509::{Certificate, ExtendedKeyUsage};

/// What is to be proved of a running server.
#[derive(Debug)]
pub struct Visit<'a> {
    /// `host:port`.
    pub address: &'a str,
    pub host_name: &'a str,
    pub client: &'a Party,
    /// A server certificate with its key, to be shown as a client's; its own will do.
    pub server: Option<&'a Party>,
    /// Whom the client trusts.
    pub roots: &'a [Certificate],
    pub at: OffsetDateTime,
    pub versions: &'a [TlsVersion],
    pub refusals: bool,
    /// No connection lasts longer.
    pub timeout: Duration,
}

/// Visits the server: the good case in every version, and then what it must refuse.
///
/// # Errors
/// When it cannot be reached, or the client cannot be set up.
pub fn visit(visit: &Visit<'_>) -> Result<HandshakeReport, HandshakeError> {
    let addresses = resolve(visit.address)?;
    let mut report = HandshakeReport {
        at: visit.at,
        host_name: visit.host_name.to_owned(),
        sessions: Vec::new(),
        refusals: Vec::new(),
    };
    let chain: Vec<&Certificate> = visit.client.chain().iter().collect();
    let good = scenario::identity("client", &chain, visit.client.key())?;
    for version in visit.versions {
        report.sessions.push(call(visit, &addresses, *version, Some(&good))?);
    }
    // Where the good case fails, a refusal of the bad ones proves nothing.
    let passed = report.sessions.iter().filter(|session| session.passed());
    let proven: Vec<TlsVersion> = passed.map(|session| session.version).collect();
    if visit.refusals && !proven.is_empty() {
        let cases = cases(visit)?;
        for version in &proven {
            for (case, title, identity) in &cases {
                let (outcome, recording) = match identity {
                    Err(reason) => (Outcome::Untried(reason.clone()), None),
                    Ok(identity) => {
                        let session = call(visit, &addresses, *version, identity.as_ref())?;
                        (session.breakdown.map_or(Outcome::Accepted, Outcome::Refused), Some(session.recording))
                    }
                };
                let expected = Expected::OF_ANOTHER_SERVER;
                report.refusals.push(Refusal { case, title, version: *version, outcome, expected, recording });
            }
        }
    }
    Ok(report)
}

pub(super) fn resolve(address: &str) -> Result<Vec<SocketAddr>, HandshakeError> {
    let unreachable = |reason: String| HandshakeError::Unreachable { address: address.to_owned(), reason };
    let found: Vec<SocketAddr> = address.to_socket_addrs().map_err(|error| unreachable(error.to_string()))?.collect();
    if found.is_empty() { Err(unreachable("the name has no address".to_owned())) } else { Ok(found) }
}

/// A case: its word, its words, and the client in it, or why there can be none.
type Case = (&'static str, &'static str, Result<Option<Identity>, String>);

/// What can be tried from outside, without the CA's key and the server's clock.
fn cases(visit: &Visit<'_>) -> Result<Vec<Case>, CopyError> {
    let copies = Double::new("client", visit.client, visit.server, visit.roots);
    let tried = |identity: Result<Identity, CopyError>| identity.map(|identity| Ok(Some(identity)));
    let (stranger, namesake, wrong_key, tampered) = match &copies {
        Ok(double) => (
            tried(refusals::stranger("client", visit.client, visit.roots))?,
            tried(double.copy(Changes::default()))?,
            tried(double.with_wrong_key())?,
            tried(double.tampered())?,
        ),
        Err(error) => {
            let none = || Err(error.to_string());
            (none(), none(), none(), none())
        }
    };
    let server = match visit.server {
        Some(server) if !refusals::serves(server.certificate(), &ExtendedKeyUsage::ClientAuth) => {
            let chain: Vec<&Certificate> = server.chain().iter().collect();
            Ok(Some(scenario::identity("server", &chain, server.key())?))
        }
        Some(_) => Err("this server certificate may also serve a client".to_owned()),
        None => Err("it takes a server certificate and its key: --server".to_owned()),
    };
    let outside = || Err("it takes the CA's key, or the server's clock".to_owned());
    Ok(vec![
        ("no-client-certificate", "no client certificate", Ok(None)),
        ("client-of-another-ca", "client of another CA", stranger),
        ("client-of-namesake-ca", "client of a CA of the same name", namesake),
        ("server-certificate-as-client", "server certificate used as client", server),
        ("client-with-wrong-key", "client with another's key", wrong_key),
        ("tampered-client", "tampered client certificate", tampered),
        ("expired-client", "expired client", outside()),
        ("not-yet-valid-client", "client not valid yet", outside()),
        ("revoked-client", "revoked client", outside()),
    ])
}

/// One connection from its first octet to the answer.
fn call(
    visit: &Visit<'_>,
    addresses: &[SocketAddr],
    version: TlsVersion,
    identity: Option<&Identity>,
) -> Result<Session, HandshakeError> {
    let host_name = ServerName::try_from(visit.host_name.to_owned())
        .map_err(|_| HandshakeError::HostName(visit.host_name.to_owned()))?;
    let roots = scenario::roots(&visit.roots.iter().collect::<Vec<_>>())?;
    let standard = Standard { roots, revocation_lists: Vec::new(), at: visit.at };
    let secrets = Arc::new(Secrets::default());
    let config =
        scenario::client_config(version, Group::ALL, identity, &standard, standard.server_verifier()?, &secrets)?;
    let connection = ClientConnection::new(Arc::new(config), host_name)
        .map_err(|error| ExchangeError::Library(error.to_string()))?;
    let request = format!("GET / HTTP/1.1\r\nHost: {}\r\nUser-Agent: ca\r\nConnection: close\r\n\r\n", visit.host_name);
    let mut call =
        Call::new(Side::Client, connection.into(), open(visit.address, addresses, visit.timeout)?, visit.timeout);
    let ended = call.ask(&request);
    call.hang_up();
    Ok(call.told(version, secrets, ended))
}

/// A connection to the first address that answers; all of them together get no longer than `limit`.
pub(super) fn open(address: &str, addresses: &[SocketAddr], limit: Duration) -> Result<TcpStream, HandshakeError> {
    let began = Instant::now();
    let mut reason = String::new();
    for candidate in addresses {
        let Some(left) = limit.checked_sub(began.elapsed()).filter(|left| !left.is_zero()) else { break };
        match TcpStream::connect_timeout(candidate, left) {
            Ok(socket) => {
                socket.set_nodelay(true).map_err(socket_error("set up"))?;
                return Ok(socket);
            }
            Err(error) => reason = error.to_string(),
        }
    }
    Err(HandshakeError::Unreachable { address: address.to_owned(), reason })
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::TcpListener;

    use rustls::server::WebPkiClientVerifier;
    use rustls::{ServerConfig, ServerConnection, Stream};

    use super::super::fixtures::{Hierarchy, NOW, TIMEOUT};
    use super::super::session;
    use super::*;
    use crate::x509::KeyAlgorithm;

    const BOTH: [TlsVersion; 2] = [TlsVersion::Tls13, TlsVersion::Tls12];

    /// A server of the test's own, until the test ends; answers every request with this status.
    fn serve(config: Arc<ServerConfig>, status: &'static str) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        std::thread::spawn(move || {
            for socket in listener.incoming() {
                let (mut socket, config) = (socket.unwrap(), config.clone());
                let mut connection = ServerConnection::new(config).unwrap();
                let mut request = [0; 512];
                let mut stream = Stream::new(&mut connection, &mut socket);
                if stream.read(&mut request).is_ok() {
                    stream.write_all(format!("HTTP/1.1 {status} X\r\n\r\n").as_bytes()).ok();
                    stream.conn.send_close_notify();
                    stream.flush().ok();
                }
            }
        });
        address
    }

    fn strict(hierarchy: &Hierarchy) -> Arc<ServerConfig> {
        session::good_case(&hierarchy.test(&BOTH), TlsVersion::Tls13).unwrap().ends().unwrap().server
    }

    fn visited(hierarchy: &Hierarchy, address: &str, versions: &[TlsVersion]) -> HandshakeReport {
        visit(&Visit {
            address,
            host_name: "localhost",
            client: &hierarchy.client,
            server: Some(&hierarchy.server),
            roots: std::slice::from_ref(&hierarchy.root),
            at: NOW,
            versions,
            refusals: true,
            timeout: TIMEOUT,
        })
        .unwrap()
    }

    #[test]
    fn a_server_that_checks_its_clients_passes_with_every_case_that_can_be_tried() {
        let hierarchy = Hierarchy::new(KeyAlgorithm::EcdsaP256);
        let report = visited(&hierarchy, &serve(strict(&hierarchy), "200"), &[TlsVersion::Tls13]);
        assert!(report.passed(), "{report:?}");
        assert_eq!(report.refusals.iter().filter(|refusal| refusal.for_the_right_reason()).count(), 6);
        assert!(report.sessions[0].client.authenticated);
    }

    #[test]
    fn a_version_that_the_server_does_not_speak_is_told_apart_from_a_refused_certificate() {
        let hierarchy = Hierarchy::new(KeyAlgorithm::EcdsaP256);
        let report = visited(&hierarchy, &serve(strict(&hierarchy), "200"), &BOTH);
        let broken = report.sessions[1].breakdown.as_ref().unwrap();
        assert_eq!((broken.by, broken.alert.as_deref()), (Side::Server, Some("protocol_version")));
        assert!(!report.passed());
        assert!(report.refusals.iter().all(|refusal| refusal.version == TlsVersion::Tls13));
    }

    #[test]
    fn a_server_that_forgets_to_ask_for_certificates_is_found_out() {
        let hierarchy = Hierarchy::new(KeyAlgorithm::EcdsaP256);
        let strict = strict(&hierarchy);
        let chain: Vec<&Certificate> = hierarchy.server.chain().iter().collect();
        let identity = scenario::identity("server", &chain, hierarchy.server.key()).unwrap();
        let forgetful =
            ServerConfig::builder_with_details(strict.crypto_provider().clone(), strict.time_provider.clone())
                .with_protocol_versions(&[&rustls::version::TLS13])
                .unwrap()
                .with_client_cert_verifier(WebPkiClientVerifier::no_client_auth())
                .with_cert_resolver(Arc::new(rustls::sign::SingleCertAndKey::from(identity)));
        let report = visited(&hierarchy, &serve(Arc::new(forgetful), "200"), &[TlsVersion::Tls13]);
        let tried = report.refusals.iter().filter(|refusal| !matches!(refusal.outcome, Outcome::Untried(_)));
        assert!(tried.clone().count() == 6 && tried.clone().all(|refusal| refusal.outcome == Outcome::Accepted));
        assert!(!report.passed());
    }

    #[test]
    fn an_http_status_after_the_handshake_is_a_refusal() {
        let hierarchy = Hierarchy::new(KeyAlgorithm::EcdsaP256);
        let report = visited(&hierarchy, &serve(strict(&hierarchy), "400"), &[TlsVersion::Tls13]);
        let broken = report.sessions[0].breakdown.as_ref().unwrap();
        assert_eq!((broken.by, broken.cause.code), (Side::Server, "http-400"));
    }
}
