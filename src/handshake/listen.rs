//! The test for clients that are other programs, such as curl, `openssl s_client` or a browser: this program is the
//! server.
//!
//! Each client has its own thread and session, which end within the time limit: a client that connects and sends
//! nothing, as browsers do, does not delay other clients.

use std::collections::BTreeSet;
use std::io;
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread::ScopedJoinHandle;
use std::time::{Duration, Instant};

use rustls::ServerConnection;
use rustls::server::WebPkiClientVerifier;
use time::OffsetDateTime;

use super::endpoint::Endpoint;
use super::error::{ExchangeError, HandshakeError};
use super::host;
use super::limits::MAX_KEPT_BYTES;
use super::memory_budget::{MemoryBudget, MemoryShare};
use super::peer_connection::PeerConnection;
use super::report::{HandshakeReport, Session};
use super::revocation::Revocations;
use super::scenario::{self, ClientAuthentication, TrustSettings};
use super::socket::socket_error;
use super::starttls::StartTls;
use super::starttls::server as starttls;
use crate::system::socket::is_gone;
use crate::text::io_reason;
use crate::tls::{Group, Message, Recording, Secrets, Side, TlsVersion};
use crate::verify::RevocationSource;
use crate::x509::Certificate;

/// The input of a test that waits for clients.
#[derive(Debug)]
pub struct ListenTest<'a> {
    pub server: &'a Endpoint,
    /// The roots of the clients that are accepted.
    pub roots: &'a [Certificate],
    /// The revocations that the server knows; `None` when there is no source of them.
    pub revocations: Option<Arc<dyn RevocationSource>>,
    pub client_authentication: ClientAuthentication,
    pub host_name: &'a str,
    pub at: OffsetDateTime,
    pub versions: &'a [TlsVersion],
    pub clients: AcceptedClients,
    /// The longest duration of a connection.
    pub timeout: Duration,
    /// Whether what crossed the wire is kept, for a key log or a pcapng file.
    pub keep_recordings: bool,
}

/// Which clients are accepted.
#[derive(Debug, Clone, Copy)]
pub enum AcceptedClients {
    /// One client, within this time.
    One(Duration),
    /// All clients that connect within this time, at most [`MAX_CLIENTS`].
    AllFor(Duration),
}

/// The largest number of sessions that are kept.
pub const MAX_CLIENTS: usize = 1000;

/// What all sessions of a test may keep, in MiB.
pub const MAX_KEPT_MEBIBYTES: usize = MAX_KEPT_BYTES / (1024 * 1024);

/// The largest number of clients at once; others wait in the queue of the port.
const MAX_CONCURRENT: usize = 32;

/// The HTTP response, as text that other clients can also read.
const MUTUAL_PAGE: &str = "You are known here: this connection is mutually authenticated.\n";
const ONE_WAY_PAGE: &str = "You verified this server; it did not request your certificate.\n";

/// The interval at which new clients are looked for.
const POLL_INTERVAL: Duration = Duration::from_millis(20);

/// An open port, so that clients can connect before the test runs.
#[derive(Debug)]
pub struct Port {
    listener: TcpListener,
    address: SocketAddr,
}

impl Port {
    /// Opens the port; port 0 means any free port.
    ///
    /// # Errors
    /// When the port is in use, or this process may not open it.
    pub fn open(address: &str) -> Result<Self, HandshakeError> {
        let failed = |error: io::Error| HandshakeError::Port {
            address: address.to_owned(),
            reason: io_reason(&error).to_string(),
        };
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

    /// Waits for clients and returns their sessions; `on_session` is called after each. Without clients there are no
    /// sessions.
    ///
    /// # Errors
    /// When the server cannot be set up.
    pub fn run(
        &self,
        test: &ListenTest<'_>,
        mut on_session: impl FnMut(SocketAddr, &Session),
    ) -> Result<HandshakeReport, HandshakeError> {
        // Errors of the configuration are returned before a client connects.
        test.configs()?;
        let (of_open, of_ended) =
            (Arc::new(MemoryBudget::new(MAX_KEPT_BYTES / 2)), MemoryBudget::new(MAX_KEPT_BYTES / 2));
        let began = Instant::now();
        let (max, wait) = match test.clients {
            AcceptedClients::One(wait) => (1, wait),
            AcceptedClients::AllFor(time) => (MAX_CLIENTS, time),
        };
        let mut not_kept = 0;
        let mut sessions = std::thread::scope(|scope| -> Result<Vec<(Session, IpAddr)>, HandshakeError> {
            let (mut sessions, mut open) = (Vec::new(), Vec::new());
            let mut accepted = 0;
            loop {
                let (ended, others): (Vec<_>, Vec<_>) =
                    open.into_iter().partition(|(_, thread): &(_, ScopedJoinHandle<'_, _>)| thread.is_finished());
                open = others;
                for (client, thread) in ended {
                    let (mut session, share) =
                        thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
                    on_session(client, &session);
                    session.closed_early = session.is_closed_early();
                    not_kept += usize::from(!test.keep(&mut session, &of_ended));
                    drop(share);
                    sessions.push((session, client.ip()));
                }
                let is_open = accepted < max && began.elapsed() <= wait;
                if !is_open && open.is_empty() {
                    return Ok(sessions);
                }
                match if is_open && open.len() < MAX_CONCURRENT { self.accept()? } else { None } {
                    Some((socket, client)) => {
                        accepted += 1;
                        open.push((client, scope.spawn(|| test.serve(socket, &of_open))));
                    }
                    None => std::thread::sleep(POLL_INTERVAL),
                }
            }
        })?;
        // Browsers open connections that they do not use, and close one to ask their user for a certificate. That is no failure of a
        // client that came back.
        let passed: BTreeSet<IpAddr> =
            sessions.iter().filter(|(session, _)| session.passed()).map(|(_, client)| *client).collect();
        for (session, client) in &mut sessions {
            session.closed_early &= passed.contains(client);
        }
        let sessions = sessions.into_iter().map(|(session, _)| session).collect();
        let host_name = test.host_name.to_owned();
        Ok(HandshakeReport { at: test.at, host_name, sessions, refusals: Vec::new(), not_kept })
    }

    /// Accepts the next client; `None` when there is none.
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

impl ListenTest<'_> {
    /// Returns a server for one client. It has its own secrets and tickets: no client can resume the session of
    /// another.
    fn configs(&self) -> Result<(ServerConnection, Arc<Secrets>), HandshakeError> {
        let chain: Vec<&Certificate> = self.server.chain().iter().collect();
        let identity = scenario::identity("server", &chain, self.server.key())?;
        let roots = scenario::roots(&self.roots.iter().collect::<Vec<_>>())?;
        let revocations = self.revocations.as_ref().map(|source| Revocations::new(source, self.roots, self.at));
        let trust = TrustSettings { roots, crls: Vec::new(), revocations, at: self.at };
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

    /// Drops what is not asked for, and what all sessions together have no memory for. Returns whether all that is asked for
    /// was kept.
    fn keep(&self, session: &mut Session, budget: &MemoryBudget) -> bool {
        let keeps_recording = self.keep_recordings && budget.take(2 * session.recording.bytes());
        if !keeps_recording {
            session.recording = Recording::default();
        }
        let keeps_messages = budget.take(session.messages.iter().map(Message::memory).sum());
        if !keeps_messages {
            session.messages = Vec::new();
        }
        keeps_messages && keeps_recording == self.keep_recordings
    }

    /// Returns the session, and its share of the memory.
    fn serve(
        &self,
        mut socket: TcpStream,
        budget: &Arc<MemoryBudget>,
    ) -> Result<(Session, Option<MemoryShare>), HandshakeError> {
        let (tls_connection, secrets) = self.configs()?;
        // What fails here fails again in the session, whose report has it.
        let began_with = starttls::permit(&mut socket, self.timeout).ok().flatten();
        let mut connection =
            PeerConnection::new(Side::Server, tls_connection.into(), socket, self.timeout).within(Arc::clone(budget));
        let ended = connection.respond(&response(self.client_authentication, began_with));
        connection.close();
        let fallback = self.versions.first().copied().unwrap_or(TlsVersion::Tls13);
        let share = connection.take_share();
        Ok((connection.into_session(fallback, secrets, ended), share))
    }
}

fn response(client_authentication: ClientAuthentication, began_with: Option<StartTls>) -> Vec<u8> {
    let page = match client_authentication {
        ClientAuthentication::Required => MUTUAL_PAGE,
        ClientAuthentication::NotRequested => ONE_WAY_PAGE,
    };
    if began_with.is_some() {
        return starttls::error_response(page.trim_end());
    }
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        page.len()
    );
    format!("{head}{page}").into_bytes()
}

#[cfg(test)]
mod tests {
    use super::super::connect::{ConnectTest, Conversation, test_server};
    use super::super::fixtures::{Hierarchy, NOW, TIMEOUT};
    use super::super::known_bad_clients::KnownBadClients;
    use super::super::socket::socket_pair;
    use super::*;
    use crate::x509::KeyAlgorithm;

    /// Returns the report of the server and that of the client.
    fn meet(host: &Hierarchy, other: &Hierarchy, version: TlsVersion) -> (HandshakeReport, HandshakeReport) {
        let port = Port::open("127.0.0.1:0").unwrap();
        let address = port.address().to_string();
        let roots = std::slice::from_ref(&host.root);
        std::thread::scope(|scope| {
            let test = ListenTest {
                server: &host.server,
                roots,
                revocations: None,
                client_authentication: ClientAuthentication::Required,
                host_name: "localhost",
                at: NOW,
                versions: &[TlsVersion::Tls13, TlsVersion::Tls12],
                clients: AcceptedClients::One(TIMEOUT),
                timeout: TIMEOUT,
                keep_recordings: true,
            };
            let from_server = scope.spawn(move || port.run(&test, |_, _| ()).unwrap());
            let from_client = test_server(&ConnectTest {
                address: &address,
                host_name: "localhost",
                client: &other.client,
                known_bad: KnownBadClients::default(),
                expect_revocation: false,
                roots,
                revocations: None,
                at: NOW,
                versions: &[version],
                refusals: false,
                conversation: Conversation::OF_HTTP,
                timeout: TIMEOUT,
            });
            (from_server.join().unwrap(), from_client.unwrap())
        })
    }

    #[test]
    fn server_and_client_report_the_same_facts_of_a_session_that_passes() {
        let hierarchy = Hierarchy::new(KeyAlgorithm::EcdsaP256);
        for version in [TlsVersion::Tls13, TlsVersion::Tls12] {
            let (from_server, from_client) = meet(&hierarchy, &hierarchy, version);
            assert!(from_server.passed() && from_client.passed(), "{from_server:?}\n{from_client:?}");
            let (from_server, from_client) = (&from_server.sessions[0], &from_client.sessions[0]);
            assert_eq!((from_server.version, &from_server.client), (version, &from_client.client));
            assert_eq!((from_server.to_server, from_server.to_client), (from_client.to_server, from_client.to_client));
        }
    }

    #[test]
    fn a_client_of_another_ca_is_refused_and_both_endpoints_report_it() {
        let (host, other_ca) = (Hierarchy::new(KeyAlgorithm::EcdsaP256), Hierarchy::new(KeyAlgorithm::EcdsaP256));
        let (from_server, from_client) = meet(&host, &other_ca, TlsVersion::Tls13);
        let refused = from_server.sessions[0].failure.as_ref().unwrap();
        assert_eq!((refused.by, refused.cause.code), (Side::Server, "bad-signature"));
        let heard = from_client.sessions[0].failure.as_ref().unwrap();
        assert_eq!((heard.by, &heard.alert), (Side::Server, &refused.alert));
    }

    #[test]
    fn the_test_waits_for_clients_no_longer_than_its_limit() {
        let hierarchy = Hierarchy::new(KeyAlgorithm::EcdsaP256);
        let test = ListenTest {
            server: &hierarchy.server,
            roots: std::slice::from_ref(&hierarchy.root),
            revocations: None,
            client_authentication: ClientAuthentication::Required,
            host_name: "localhost",
            at: NOW,
            versions: &[TlsVersion::Tls13],
            clients: AcceptedClients::One(Duration::ZERO),
            timeout: TIMEOUT,
            keep_recordings: false,
        };
        let from_server = Port::open("127.0.0.1:0").unwrap().run(&test, |_, _| ()).unwrap();
        assert!(from_server.sessions.is_empty() && !from_server.passed());
    }

    /// One client sends nothing, as browsers do to save time, and one has a certificate of another CA.
    #[test]
    fn every_client_in_time_is_accepted_whatever_the_others_do() {
        let hierarchy = Hierarchy::new(KeyAlgorithm::EcdsaP256);
        let other_ca = Hierarchy::new(KeyAlgorithm::EcdsaP256);
        let port = Port::open("127.0.0.1:0").unwrap();
        let address = port.address().to_string();
        let roots = std::slice::from_ref(&hierarchy.root);
        let test = ListenTest {
            server: &hierarchy.server,
            roots,
            revocations: None,
            client_authentication: ClientAuthentication::Required,
            host_name: "localhost",
            at: NOW,
            versions: &[TlsVersion::Tls13],
            clients: AcceptedClients::AllFor(Duration::from_millis(500)),
            timeout: Duration::from_millis(500),
            keep_recordings: false,
        };
        let silent = TcpStream::connect(&address).unwrap();
        let mut reported = 0;
        let report = std::thread::scope(|scope| {
            scope.spawn(|| {
                for client in [&hierarchy.client, &other_ca.client, &hierarchy.client] {
                    test_server(&ConnectTest {
                        address: &address,
                        host_name: "localhost",
                        client,
                        roots,
                        revocations: None,
                        at: NOW,
                        versions: &[TlsVersion::Tls13],
                        refusals: false,
                        conversation: Conversation::OF_HTTP,
                        timeout: TIMEOUT,
                        known_bad: KnownBadClients::default(),
                        expect_revocation: false,
                    })
                    .unwrap();
                }
            });
            port.run(&test, |_, _| reported += 1).unwrap()
        });
        drop(silent);
        let mut codes: Vec<_> = report
            .sessions
            .iter()
            .map(|session| session.failure.as_ref().map_or("passed", |failure| failure.cause.code))
            .collect();
        codes.sort_unstable();
        assert_eq!((codes, reported), (vec!["bad-signature", "passed", "passed", "timed-out"], 4));
        assert!(!report.passed());
        // No recording was asked for.
        assert!(report.sessions.iter().all(|session| session.recording.bytes() == 0));
    }

    /// A browser opens connections that it does not use, and closes one while it asks its user for a certificate.
    #[test]
    fn a_client_that_hangs_up_and_comes_back_has_passed_and_one_that_stays_away_has_not() {
        let hierarchy = Hierarchy::new(KeyAlgorithm::EcdsaP256);
        for comes_back in [true, false] {
            let port = Port::open("127.0.0.1:0").unwrap();
            let address = port.address().to_string();
            let roots = std::slice::from_ref(&hierarchy.root);
            let test = ListenTest {
                server: &hierarchy.server,
                roots,
                revocations: None,
                client_authentication: ClientAuthentication::Required,
                host_name: "localhost",
                at: NOW,
                versions: &[TlsVersion::Tls13],
                clients: AcceptedClients::AllFor(Duration::from_millis(500)),
                timeout: Duration::from_millis(500),
                keep_recordings: false,
            };
            let unused = TcpStream::connect(&address).unwrap();
            drop(TcpStream::connect(&address).unwrap());
            let report = std::thread::scope(|scope| {
                if comes_back {
                    scope.spawn(|| {
                        test_server(&ConnectTest {
                            address: &address,
                            host_name: "localhost",
                            client: &hierarchy.client,
                            roots,
                            revocations: None,
                            at: NOW,
                            versions: &[TlsVersion::Tls13],
                            refusals: false,
                            conversation: Conversation::OF_HTTP,
                            timeout: TIMEOUT,
                            known_bad: KnownBadClients::default(),
                            expect_revocation: false,
                        })
                        .unwrap();
                    });
                }
                port.run(&test, |_, _| ()).unwrap()
            });
            drop(unused);
            assert_eq!(report.passed(), comes_back, "{report:?}");
            let closed_early = report.sessions.iter().filter(|session| session.closed_early).count();
            assert_eq!(closed_early, if comes_back { 2 } else { 0 });
        }
    }

    /// The bytes of a session that has ended are still in memory: others get its room when the session is kept or dropped.
    #[test]
    fn a_session_that_has_ended_still_has_its_share_of_the_memory() {
        let hierarchy = Hierarchy::new(KeyAlgorithm::EcdsaP256);
        let test = ListenTest {
            server: &hierarchy.server,
            roots: std::slice::from_ref(&hierarchy.root),
            revocations: None,
            client_authentication: ClientAuthentication::Required,
            host_name: "localhost",
            at: NOW,
            versions: &[TlsVersion::Tls13],
            clients: AcceptedClients::One(TIMEOUT),
            timeout: TIMEOUT,
            keep_recordings: false,
        };
        let (mut client, server) = socket_pair().unwrap();
        std::io::Write::write_all(&mut client, b"not TLS").unwrap();
        let budget = Arc::new(MemoryBudget::new(1000));
        let (session, share) = test.serve(server, &budget).unwrap();
        assert!(session.recording.bytes() > 0 && !budget.take(1000));
        drop(share);
        assert!(budget.take(1000));
    }
}
