//! Peers that do not speak the protocol as it has to be spoken: older than is acceptable, without forward secrecy, without
//! TLS, or not at all.
//!
//! The TLS library cannot play them, so their bytes are written by hand and sent as they stand. Each gets a connection
//! over loopback and ends with it: whatever the other side answers, the peer hangs up.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use rustls::{ClientConnection, ServerConnection};

use super::super::cause;
use super::super::error::{ExchangeError, HandshakeError};
use super::super::peer_connection::PeerConnection;
use super::super::report::{ExpectedRefusal, Refusal, RefusalOutcome, Session};
use super::super::scenario::Scenario;
use super::super::socket::socket_pair;
use crate::tls::{Alert, Body, Side, TlsVersion, wire};

/// How long the peer that stalls is waited for here, if nothing shorter was asked for: it is known that it says nothing.
const STALL_LIMIT: Duration = Duration::from_millis(25);

/// So long does a peer wait for the other side to hang up. Much longer than the other's patience: whoever waits for the
/// peer to end it is found out.
const PEER_LIMIT: Duration = Duration::from_secs(2);

/// A case: its word, its words, what must become of it, and what the peer says.
pub(in super::super) struct HandwrittenPeer {
    pub name: &'static str,
    title: &'static str,
    pub expected: ExpectedRefusal,
    writes: fn(TlsVersion, &[u8]) -> Vec<u8>,
}

const fn by_server(
    name: &'static str,
    title: &'static str,
    error: &'static str,
    alert: Option<Alert>,
    writes: fn(TlsVersion, &[u8]) -> Vec<u8>,
) -> HandwrittenPeer {
    HandwrittenPeer { name, title, expected: ExpectedRefusal { by: Side::Server, error, alert }, writes }
}

const fn by_client(
    name: &'static str,
    title: &'static str,
    error: &'static str,
    alert: Option<Alert>,
    writes: fn(TlsVersion, &[u8]) -> Vec<u8>,
) -> HandwrittenPeer {
    HandwrittenPeer { name, title, expected: ExpectedRefusal { by: Side::Client, error, alert }, writes }
}

/// All of them, those that a server must refuse first.
pub(in super::super) const HANDWRITTEN_PEERS: [HandwrittenPeer; 8] = [
    by_server(
        "tls-1-1-client",
        "client of TLS 1.1",
        cause::NO_COMMON_VERSION,
        Some(Alert::PROTOCOL_VERSION),
        |_, _| client_hello(TLS_1_1, &CBC_SUITES, &[]),
    ),
    by_server(
        "static-rsa-client",
        "client with static RSA only",
        cause::NO_COMMON_CIPHER_SUITE,
        Some(Alert::HANDSHAKE_FAILURE),
        |version, _| match version {
            TlsVersion::Tls12 => client_hello(TLS_1_2, &STATIC_RSA_SUITES, &[]),
            TlsVersion::Tls13 => client_hello(TLS_1_2, &STATIC_RSA_SUITES, &supported_versions_of_client()),
        },
    ),
    by_server(
        "plain-http-client",
        "client that speaks plain HTTP",
        cause::NOT_TLS,
        Some(Alert::DECODE_ERROR),
        |_, _| b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n".to_vec(),
    ),
    by_server("stalling-client", "client that stalls", cause::TIMED_OUT, None, |_, _| {
        // Half a hello: whoever waits for the rest waits in vain.
        let hello = client_hello(TLS_1_2, &STATIC_RSA_SUITES, &[]);
        hello[..hello.len() / 2].to_vec()
    }),
    by_client(
        "tls-1-1-server",
        "server of TLS 1.1",
        cause::NO_COMMON_VERSION,
        Some(Alert::PROTOCOL_VERSION),
        |_, hello| server_hello(TLS_1_1, CBC_SUITES[0], hello, &[]),
    ),
    by_client(
        "static-rsa-server",
        "server with static RSA only",
        cause::NO_COMMON_CIPHER_SUITE,
        // RFC 8446 §4.1.3 asks for illegal_parameter; this is what rustls sends.
        Some(Alert::HANDSHAKE_FAILURE),
        |version, hello| match version {
            TlsVersion::Tls12 => server_hello(TLS_1_2, STATIC_RSA_SUITES[0], hello, &[]),
            TlsVersion::Tls13 => server_hello(TLS_1_2, STATIC_RSA_SUITES[0], hello, &supported_version_of_server()),
        },
    ),
    by_client(
        "plain-http-server",
        "server that speaks plain HTTP",
        cause::NOT_TLS,
        Some(Alert::DECODE_ERROR),
        |_, _| b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n".to_vec(),
    ),
    by_client("stalling-server", "server that stalls", cause::TIMED_OUT, None, |_, _| Vec::new()),
];

impl HandwrittenPeer {
    /// Plays the case against the real other side.
    pub fn attempt(&self, good: &Scenario, limit: Duration) -> Result<Refusal, HandshakeError> {
        let limit = if self.expected.error == cause::TIMED_OUT { limit.min(STALL_LIMIT) } else { limit };
        self.attempt_with(good, PEER_LIMIT, |socket| real_side(self.expected.by, good, socket, limit))
    }

    /// Plays the case against whatever `other_side` makes of its socket; only the tests make it of softer stuff.
    pub(super) fn attempt_with(
        &self,
        good: &Scenario,
        peer_limit: Duration,
        other_side: impl FnOnce(TcpStream) -> Result<Session, HandshakeError>,
    ) -> Result<Refusal, HandshakeError> {
        let (client, server) = socket_pair()?;
        let (own, other) = match self.expected.by {
            Side::Server => (client, server),
            Side::Client => (server, client),
        };
        let session = std::thread::scope(|scope| {
            scope.spawn(|| self.play(own, good.version, peer_limit));
            other_side(other)
        })?;
        Ok(Refusal {
            case: self.name,
            title: self.title,
            version: good.version,
            outcome: self.verifier(&session),
            expected: self.expected,
            caveat: None,
            recording: Some(session.recording),
        })
    }

    /// Says what there is to say, listens for an answer, and hangs up. What goes wrong shows at the other side.
    fn play(&self, mut socket: TcpStream, version: TlsVersion, peer_limit: Duration) {
        let mut exchange = || -> io::Result<()> {
            socket.set_read_timeout(Some(peer_limit))?;
            let mut received = Vec::new();
            if self.expected.by == Side::Client {
                let mut piece = [0; 16 * 1024];
                while wire::first_record(&received).is_none() {
                    let count = socket.read(&mut piece)?;
                    received.extend_from_slice(&piece[..count]);
                    if count == 0 {
                        break;
                    }
                }
            }
            socket.write_all(&(self.writes)(version, &received))?;
            // An alert, or an answer that should not be: which of them, the other side's own record shows.
            let _heard = socket.read(&mut [0; 4096])?;
            socket.shutdown(Shutdown::Both)
        };
        exchange().ok();
    }

    /// Refused, or gone on with: anything that is said to such a peer but an alert takes it for one to talk to.
    fn verifier(&self, session: &Session) -> RefusalOutcome {
        let goes_on = session.messages.iter().any(|message| {
            message.from == self.expected.by && !matches!(message.body, Body::Alert { .. } | Body::ClientHello { .. })
        });
        match &session.failure {
            Some(found) if !goes_on => RefusalOutcome::Refused(found.clone()),
            _ => RefusalOutcome::Accepted,
        }
    }
}

/// The side that has to refuse: with the certificates and the rules of the good case.
pub(super) fn real_side(
    side: Side,
    good: &Scenario,
    socket: TcpStream,
    limit: Duration,
) -> Result<Session, HandshakeError> {
    let configs = good.configs()?;
    let library = |error: rustls::Error| ExchangeError::Library(error.to_string());
    let (mut connection, ended);
    match side {
        Side::Server => {
            let tls_connection = ServerConnection::new(configs.server).map_err(library)?;
            connection = PeerConnection::new(side, tls_connection.into(), socket, limit);
            ended = connection.respond("");
        }
        Side::Client => {
            let tls_connection = ClientConnection::new(configs.client, configs.host_name).map_err(library)?;
            connection = PeerConnection::new(side, tls_connection.into(), socket, limit);
            ended = connection.finish_handshake();
        }
    }
    connection.close();
    Ok(connection.into_session(good.version, Arc::clone(&configs.secrets), ended))
}

/// What stands where a peer should put random bytes: nobody gets as far as relying on them.
const RANDOM: [u8; 32] = *b"not random, and need not be here";

const TLS_1_1: u16 = 0x0302;
const TLS_1_2: u16 = 0x0303;

/// `TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA`, the same with RSA, and `TLS_RSA_WITH_AES_128_CBC_SHA`: all that TLS 1.1 has.
const CBC_SUITES: [u16; 3] = [0xc009, 0xc013, 0x002f];

/// `TLS_RSA_WITH_AES_256_GCM_SHA384` and its kin (RFC 5288 §3, RFC 5246 §A.5): the session's key, encrypted to the
/// server's certificate. Whoever gets hold of that key later opens every recording.
const STATIC_RSA_SUITES: [u16; 4] = [0x009d, 0x009c, 0x003d, 0x002f];

/// A client hello in one record (RFC 5246 §7.4.1.2, RFC 8446 §4.1.2).
pub(super) fn client_hello(version: u16, suites: &[u16], more: &[u8]) -> Vec<u8> {
    let suites: Vec<u8> = suites.iter().flat_map(|suite| suite.to_be_bytes()).collect();
    // rsa_pss_rsae_sha256, ecdsa_secp256r1_sha256, ed25519, rsa_pkcs1_sha256: every kind of certificate is welcome.
    let schemes = vector(2, &[0x08, 0x04, 0x04, 0x03, 0x08, 0x07, 0x04, 0x01]);
    let groups = vector(2, &[0x00, 0x1d, 0x00, 0x17]); // x25519, secp256r1
    let extensions = [
        &extension(10, &groups)[..],
        &extension(11, &vector(1, &[0])), // uncompressed points
        &extension(13, &schemes),
        &extension(23, &[]), // extended master secret
        more,
    ]
    .concat();
    let body = [
        &version.to_be_bytes()[..],
        &RANDOM,
        &vector(1, &[]),
        &vector(2, &suites),
        &vector(1, &[0]), // no compression
        &vector(2, &extensions),
    ]
    .concat();
    record(1, &body)
}

/// What a hello has to say besides in order to be one of TLS 1.3: the version, and a public value.
fn supported_versions_of_client() -> Vec<u8> {
    // Any 32 bytes are a public value of X25519 (RFC 7748 §5).
    let share = [&[0x00, 0x1d][..], &vector(2, &RANDOM)].concat();
    [extension(43, &vector(1, &[0x03, 0x04])), extension(51, &vector(2, &share))].concat()
}

/// A server hello that chooses `suite` and takes up the session identifier of the client's hello.
pub(super) fn server_hello(version: u16, suite: u16, client_hello: &[u8], more: &[u8]) -> Vec<u8> {
    // Record header, message header, version and random come before it.
    let session_id = client_hello.get(43..).and_then(|rest| wire::Reader(rest).vector(1)).unwrap_or_default();
    let extensions = if more.is_empty() { Vec::new() } else { vector(2, more) };
    let body = [
        &version.to_be_bytes()[..],
        &RANDOM,
        &vector(1, session_id),
        &suite.to_be_bytes(),
        &[0], // no compression
        &extensions,
    ]
    .concat();
    record(2, &body)
}

fn supported_version_of_server() -> Vec<u8> {
    let share = [&[0x00, 0x1d][..], &vector(2, &RANDOM)].concat();
    [extension(43, &[0x03, 0x04]), extension(51, &share)].concat()
}

/// A handshake message in a record of its own. The record's version is fixed for a first hello (RFC 8446 §5.1).
pub(super) fn record(message: u8, body: &[u8]) -> Vec<u8> {
    let message = [&[message][..], &vector(3, body)].concat();
    [&[22, 3, 1][..], &vector(2, &message)].concat()
}

fn extension(number: u16, content: &[u8]) -> Vec<u8> {
    [&number.to_be_bytes()[..], &vector(2, content)].concat()
}

/// Content behind its length, which takes so many bytes.
pub(super) fn vector(bytes: usize, content: &[u8]) -> Vec<u8> {
    let length = content.len().to_be_bytes();
    [&length[length.len() - bytes..], content].concat()
}
