//! The server's part alone, for clients that somebody else runs: curl, `openssl s_client`, a browser.
//!
//! Each client has a thread and a session of its own, which end within the time limit: whoever opens a connection and says
//! nothing, as browsers do, keeps nobody else waiting.

use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread::ScopedJoinHandle;
use std::time::{Duration, Instant};

use rustls::ServerConnection;
use rustls::server::WebPkiClientVerifier;
use time::OffsetDateTime;

use super::endpoint::Endpoint;
use super::error::{ExchangeError, HandshakeError};
use super::host;
use super::peer_connection::{PeerConnection, is_gone};
use super::report::{HandshakeReport, Session};
use super::scenario::{self, ClientAuthentication, TrustSettings};
use super::socket::socket_error;
use crate::tls::{Group, Secrets, Side, TlsVersion};
use crate::x509::Certificate;

/// What waits for a client.
#[derive(Debug)]
pub struct Host<'a> {
    pub server: &'a Endpoint,
    /// Whose clients are welcome.
    pub roots: &'a [Certificate],
    pub client_authentication: ClientAuthentication,
    pub host_name: &'a str,
    pub at: OffsetDateTime,
    pub versions: &'a [TlsVersion],
    pub clients: Clients,
    /// No connection lasts longer.
    pub timeout: Duration,
}

/// Who is received.
#[derive(Debug, Clone, Copy)]
pub enum Clients {
    /// One, who is waited for so long.
    One(Duration),
    /// Whoever comes within this time, but no more than [`MOST_CLIENTS`].
    AllFor(Duration),
}

/// What is kept of a session is bounded, and so is their number.
pub const MOST_CLIENTS: usize = 1000;

/// So many are talked to at once; others wait in the queue of the port.
const AT_ONCE: usize = 32;

/// What a client is answered that asks over HTTP; any other client can read it too.
const MUTUAL_PAGE: &str = "You are known here: this connection is mutually authenticated.\n";
const ONE_WAY_PAGE: &str = "You know this server; it did not ask who you are.\n";

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
        let addresses = host::look_up(address).map_err(failed)?;
        if addresses.is_empty() {
            return Err(failed(io::Error::other("the name has no address")));
        }
        let listener = TcpListener::bind(&addresses[..]).map_err(failed)?;
        listener.set_nonblocking(true).map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        Ok(Self { listener, address })
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Waits for clients, and tells what came of them; `tell` hears of each as it goes. Nobody came: no session.
    ///
    /// # Errors
    /// When the server cannot be set up.
    pub fn receive(
        &self,
        host: &Host<'_>,
        mut tell: impl FnMut(SocketAddr, &Session),
    ) -> Result<HandshakeReport, HandshakeError> {
        // What cannot be set up is said before anybody comes.
        host.configs()?;
        let began = Instant::now();
        let (most, patience) = match host.clients {
            Clients::One(patience) => (1, patience),
            Clients::AllFor(time) => (MOST_CLIENTS, time),
        };
        let sessions = std::thread::scope(|scope| -> Result<Vec<Session>, HandshakeError> {
            let (mut sessions, mut talking) = (Vec::new(), Vec::new());
            let mut came = 0;
            loop {
                let (ended, others): (Vec<_>, Vec<_>) =
                    talking.into_iter().partition(|(_, talk): &(_, ScopedJoinHandle<'_, _>)| talk.is_finished());
                talking = others;
                for (client, talk) in ended {
                    let session = talk.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
                    tell(client, &session);
                    sessions.push(session);
                }
                let is_open = came < most && began.elapsed() <= patience;
                if !is_open && talking.is_empty() {
                    return Ok(sessions);
                }
                match if is_open && talking.len() < AT_ONCE { self.accept()? } else { None } {
                    Some((socket, client)) => {
                        came += 1;
                        talking.push((client, scope.spawn(|| host.talk(socket))));
                    }
                    None => std::thread::sleep(GLANCE),
                }
            }
        })?;
        Ok(HandshakeReport { at: host.at, host_name: host.host_name.to_owned(), sessions, refusals: Vec::new() })
    }

    /// Whoever stands at the port, if anybody does.
    fn accept(&self) -> Result<Option<(TcpStream, SocketAddr)>, HandshakeError> {
        match self.listener.accept() {
            Ok((socket, client)) => {
                socket.set_nonblocking(false).map_err(socket_error("set up"))?;
                socket.set_nodelay(true).map_err(socket_error("set up"))?;
                Ok(Some((socket, client)))
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock || is_gone(&error) => Ok(None),
            Err(error) => Err(socket_error("accept")(error).into()),
        }
    }
}

impl Host<'_> {
    /// A server for one client. Its secrets and its tickets are its own: nobody can take up another's session.
    fn configs(&self) -> Result<(ServerConnection, Arc<Secrets>), HandshakeError> {
        let chain: Vec<&Certificate> = self.server.chain().iter().collect();
        let identity = scenario::identity("server", &chain, self.server.key())?;
        let roots = scenario::roots(&self.roots.iter().collect::<Vec<_>>())?;
        let trust = TrustSettings { roots, crls: Vec::new(), at: self.at };
        let secrets = Arc::new(Secrets::default());
        let verifier = match self.client_authentication {
            ClientAuthentication::Required => trust.client_verifier()?,
            ClientAuthentication::NotRequested => WebPkiClientVerifier::no_client_auth(),
        };
        let config = scenario::server_config(self.versions, Group::ALL, &identity, &trust, verifier, &secrets)?;
        let connection =
            ServerConnection::new(Arc::new(config)).map_err(|error| ExchangeError::Library(error.to_string()))?;
        Ok((connection, secrets))
    }

    fn talk(&self, socket: TcpStream) -> Result<Session, HandshakeError> {
        let (tls_connection, secrets) = self.configs()?;
        let mut connection = PeerConnection::new(Side::Server, tls_connection.into(), socket, self.timeout);
        let ended = connection.respond(&response(self.client_authentication));
        connection.close();
        let fallback = self.versions.first().copied().unwrap_or(TlsVersion::Tls13);
        Ok(connection.into_session(fallback, secrets, ended))
    }
}

fn response(client_authentication: ClientAuthentication) -> String {
    let page = match client_authentication {
        ClientAuthentication::Required => MUTUAL_PAGE,
        ClientAuthentication::NotRequested => ONE_WAY_PAGE,
    };
    format!(
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{page}",
        page.len()
    )
}

#[cfg(test)]
mod tests {
    use super::super::connect::{Specimens, Visit, visit};
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
                clients: Clients::One(TIMEOUT),
                timeout: TIMEOUT,
            };
            let received = scope.spawn(move || port.receive(&host, |_, _| ()).unwrap());
            let visited = visit(&Visit {
                address: &address,
                host_name: "localhost",
                client: &visitor.client,
                specimens: Specimens::default(),
                expect_revocation: false,
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
        let (host, other_ca) = (Hierarchy::new(KeyAlgorithm::EcdsaP256), Hierarchy::new(KeyAlgorithm::EcdsaP256));
        let (received, visited) = meet(&host, &other_ca, TlsVersion::Tls13);
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
            clients: Clients::One(Duration::ZERO),
            timeout: TIMEOUT,
        };
        let received = Port::open("127.0.0.1:0").unwrap().receive(&host, |_, _| ()).unwrap();
        assert!(received.sessions.is_empty() && !received.passed());
    }

    /// One of them says nothing, as browsers do that want to be quick, and one is of another CA.
    #[test]
    fn whoever_comes_in_time_is_received_whatever_the_others_do() {
        let hierarchy = Hierarchy::new(KeyAlgorithm::EcdsaP256);
        let other_ca = Hierarchy::new(KeyAlgorithm::EcdsaP256);
        let port = Port::open("127.0.0.1:0").unwrap();
        let address = port.address().to_string();
        let roots = std::slice::from_ref(&hierarchy.root);
        let host = Host {
            server: &hierarchy.server,
            roots,
            client_authentication: ClientAuthentication::Required,
            host_name: "localhost",
            at: NOW,
            versions: &[TlsVersion::Tls13],
            clients: Clients::AllFor(Duration::from_millis(500)),
            timeout: Duration::from_millis(500),
        };
        let silent = TcpStream::connect(&address).unwrap();
        let mut told = 0;
        let report = std::thread::scope(|scope| {
            scope.spawn(|| {
                for client in [&hierarchy.client, &other_ca.client, &hierarchy.client] {
                    visit(&Visit {
                        address: &address,
                        host_name: "localhost",
                        client,
                        roots,
                        at: NOW,
                        versions: &[TlsVersion::Tls13],
                        refusals: false,
                        timeout: TIMEOUT,
                        specimens: Specimens::default(),
                        expect_revocation: false,
                    })
                    .unwrap();
                }
            });
            port.receive(&host, |_, _| told += 1).unwrap()
        });
        drop(silent);
        let mut codes: Vec<_> = report
            .sessions
            .iter()
            .map(|session| session.breakdown.as_ref().map_or("passed", |breakdown| breakdown.cause.code))
            .collect();
        codes.sort_unstable();
        assert_eq!((codes, told), (vec!["bad-signature", "passed", "passed", "timed-out"], 4));
        assert!(!report.passed());
    }
}
