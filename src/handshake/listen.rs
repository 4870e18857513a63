//! The server's part alone, for one client that somebody else runs: curl, `openssl s_client`, a browser.

use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::ServerConnection;
use rustls::server::WebPkiClientVerifier;
use time::OffsetDateTime;

use super::call::{Call, is_gone};
use super::decrypt::Secrets;
use super::exchange::{ExchangeError, socket_error};
use super::party::Party;
use super::registry::{Group, TlsVersion};
use super::report::{HandshakeReport, Session};
use super::scenario::{self, ClientAuthentication, Standard};
use super::session::HandshakeError;
use super::wire::Side;
use crate::x509::Certificate;

/// What waits for a client.
#[derive(Debug)]
pub struct Host<'a> {
    pub server: &'a Party,
    /// Whose clients are welcome.
    pub roots: &'a [Certificate],
    pub client_authentication: ClientAuthentication,
    pub host_name: &'a str,
    pub at: OffsetDateTime,
    pub versions: &'a [TlsVersion],
    /// No client is waited for longer.
    pub patience: Duration,
    /// No connection lasts longer.
    pub timeout: Duration,
}

/// What a client is answered that asks over HTTP; any other client can read it too.
const PAGE: &str = "You are known here: this connection is mutually authenticated.\n";

/// How often it is looked whether somebody came.
const GLANCE: Duration = Duration::from_millis(20);

/// A port that is open already, so that nobody calls before somebody listens.
#[derive(Debug)]
pub struct Port {
    listener: TcpListener,
    address: SocketAddr,
}

impl Port {
    /// Opens it; port 0 takes any that is free.
    ///
    /// # Errors
    /// When it is in use, or not ours to open.
    pub fn open(address: &str) -> Result<Self, HandshakeError> {
        let failed = |error: io::Error| HandshakeError::Port { address: address.to_owned(), reason: error.to_string() };
        let listener = TcpListener::bind(address).map_err(failed)?;
        listener.set_nonblocking(true).map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        Ok(Self { listener, address })
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Waits for one client, and tells what came of it.
    ///
    /// # Errors
    /// When nobody comes, or the server cannot be set up.
    pub fn receive(&self, host: &Host<'_>) -> Result<HandshakeReport, HandshakeError> {
        let chain: Vec<&Certificate> = host.server.chain().iter().collect();
        let identity = scenario::identity("server", &chain, host.server.key())?;
        let roots = scenario::roots(&host.roots.iter().collect::<Vec<_>>())?;
        let standard = Standard { roots, revocation_lists: Vec::new(), at: host.at };
        let secrets = Arc::new(Secrets::default());
        let judge = match host.client_authentication {
            ClientAuthentication::Required => standard.client_verifier()?,
            ClientAuthentication::NotRequested => WebPkiClientVerifier::no_client_auth(),
        };
        let config = scenario::server_config(host.versions, Group::ALL, &identity, &standard, judge, &secrets)?;
        let connection =
            ServerConnection::new(Arc::new(config)).map_err(|error| ExchangeError::Library(error.to_string()))?;
        let mut call = Call::new(Side::Server, connection.into(), self.accept(host.patience)?, host.timeout);
        let ended = call.answer(&response());
        call.hang_up();
        Ok(HandshakeReport {
            at: host.at,
            host_name: host.host_name.to_owned(),
            sessions: vec![told(call, host, secrets, ended)],
            refusals: Vec::new(),
        })
    }

    fn accept(&self, patience: Duration) -> Result<TcpStream, HandshakeError> {
        let began = Instant::now();
        loop {
            match self.listener.accept() {
                Ok((socket, _)) => {
                    socket.set_nonblocking(false).map_err(socket_error("set up"))?;
                    socket.set_nodelay(true).map_err(socket_error("set up"))?;
                    return Ok(socket);
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) if is_gone(&error) => {}
                Err(error) => return Err(socket_error("accept")(error).into()),
            }
            if began.elapsed() > patience {
                return Err(HandshakeError::Nobody(self.address.to_string()));
            }
            std::thread::sleep(GLANCE);
        }
    }
}

fn response() -> String {
    format!(
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{PAGE}",
        PAGE.len()
    )
}

fn told(call: Call, host: &Host<'_>, secrets: Arc<Secrets>, ended: Result<(), ExchangeError>) -> Session {
    let fallback = host.versions.first().copied().unwrap_or(TlsVersion::Tls13);
    call.told(fallback, secrets, ended)
}

#[cfg(test)]
mod tests {
    use super::super::connect::{Visit, visit};
    use super::super::fixtures::{Hierarchy, NOW, TIMEOUT};
    use super::*;
    use crate::x509::KeyAlgorithm;

    /// What the host tells, and what the visitor tells.
    fn meet(host: &Hierarchy, visitor: &Hierarchy, version: TlsVersion) -> (HandshakeReport, HandshakeReport) {
        let port = Port::open("127.0.0.1:0").unwrap();
        let address = port.address().to_string();
        let roots = std::slice::from_ref(&host.root);
        std::thread::scope(|scope| {
            let host = Host {
                server: &host.server,
                roots,
                client_authentication: ClientAuthentication::Required,
                host_name: "localhost",
                at: NOW,
                versions: &[TlsVersion::Tls13, TlsVersion::Tls12],
                patience: Duration::from_secs(60),
                timeout: TIMEOUT,
            };
            let received = scope.spawn(move || port.receive(&host).unwrap());
            let visited = visit(&Visit {
                address: &address,
                host_name: "localhost",
                client: &visitor.client,
                server: None,
                roots,
                at: NOW,
                versions: &[version],
                refusals: false,
                timeout: TIMEOUT,
            });
            (received.join().unwrap(), visited.unwrap())
        })
    }

    #[test]
    fn host_and_visitor_tell_the_same_story_of_a_session_that_passes() {
        let hierarchy = Hierarchy::new(KeyAlgorithm::EcdsaP256);
        for version in [TlsVersion::Tls13, TlsVersion::Tls12] {
            let (received, visited) = meet(&hierarchy, &hierarchy, version);
            assert!(received.passed() && visited.passed(), "{received:?}\n{visited:?}");
            let (received, visited) = (&received.sessions[0], &visited.sessions[0]);
            assert_eq!((received.version, &received.client), (version, &visited.client));
            assert_eq!((received.to_server, received.to_client), (visited.to_server, visited.to_client));
        }
    }

    #[test]
    fn a_visitor_of_another_ca_is_refused_and_both_sides_say_so() {
        let (host, stranger) = (Hierarchy::new(KeyAlgorithm::EcdsaP256), Hierarchy::new(KeyAlgorithm::EcdsaP256));
        let (received, visited) = meet(&host, &stranger, TlsVersion::Tls13);
        let refused = received.sessions[0].breakdown.as_ref().unwrap();
        assert_eq!((refused.by, refused.cause.code), (Side::Server, "bad-signature"));
        let heard = visited.sessions[0].breakdown.as_ref().unwrap();
        assert_eq!((heard.by, &heard.alert), (Side::Server, &refused.alert));
    }

    #[test]
    fn nobody_is_waited_for_longer_than_was_said() {
        let hierarchy = Hierarchy::new(KeyAlgorithm::EcdsaP256);
        let host = Host {
            server: &hierarchy.server,
            roots: std::slice::from_ref(&hierarchy.root),
            client_authentication: ClientAuthentication::Required,
            host_name: "localhost",
            at: NOW,
            versions: &[TlsVersion::Tls13],
            patience: Duration::ZERO,
            timeout: TIMEOUT,
        };
        let received = Port::open("127.0.0.1:0").unwrap().receive(&host);
        assert!(matches!(received, Err(HandshakeError::Nobody(_))));
    }
}
