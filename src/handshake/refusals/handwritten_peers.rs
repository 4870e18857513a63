//! Peers that violate the protocol: an old version, no forward secrecy, no TLS, or no bytes at all.
//!
//! The TLS library cannot be such a peer, so their bytes are written by hand. Each has one loopback connection, and
//! closes it after any response.

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

/// The longest time to wait for a peer that stalls: it is known that it sends nothing.
const STALL_LIMIT: Duration = Duration::from_millis(25);

/// The time that a peer waits for the other endpoint to close. It is much longer than [`STALL_LIMIT`], so that an
/// endpoint that waits for the peer to close is detected.
const PEER_LIMIT: Duration = Duration::from_secs(2);

/// A case: its code and title, the expected refusal, and the bytes that the peer writes.
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

/// All cases; first those that a server must refuse.
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
        // Half of a client hello; the rest never follows.
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
        // RFC 8446 §4.1.3 requires illegal_parameter; rustls sends this alert.
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
    /// Carries out the case against an endpoint of the good case.
    pub fn attempt(&self, good: &Scenario, limit: Duration) -> Result<Refusal, HandshakeError> {
        let limit = if self.expected.error == cause::TIMED_OUT { limit.min(STALL_LIMIT) } else { limit };
        self.attempt_with(good, PEER_LIMIT, |socket| real_side(self.expected.by, good, socket, limit))
    }

    /// Carries out the case against `other_side`; only tests pass another one than [`real_side`].
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

    /// Writes the bytes, reads a response, and closes. Errors are visible at the other endpoint.
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
            // Whether this is an alert, the recording of the other endpoint shows.
            let _heard = socket.read(&mut [0; 4096])?;
            socket.shutdown(Shutdown::Both)
        };
        exchange().ok();
    }

    /// Returns whether the endpoint refused. A message other than an alert means that it accepted the peer.
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

/// Runs the endpoint that has to refuse, with the settings of the good case.
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
            ended = connection.respond(b"");
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

/// In place of random bytes: no session gets as far as using them.
const RANDOM: [u8; 32] = *b"not random, and need not be here";

const TLS_1_1: u16 = 0x0302;
const TLS_1_2: u16 = 0x0303;

/// `TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA`, the same with RSA, and `TLS_RSA_WITH_AES_128_CBC_SHA`: suites of TLS 1.1.
const CBC_SUITES: [u16; 3] = [0xc009, 0xc013, 0x002f];

/// `TLS_RSA_WITH_AES_256_GCM_SHA384` and similar (RFC 5288 §3, RFC 5246 §A.5): the client encrypts the secret to the
/// server's key. An attacker who gets that key later can decrypt recorded sessions.
const STATIC_RSA_SUITES: [u16; 4] = [0x009d, 0x009c, 0x003d, 0x002f];

/// Returns a client hello in one record (RFC 5246 §7.4.1.2, RFC 8446 §4.1.2).
pub(super) fn client_hello(version: u16, suites: &[u16], more: &[u8]) -> Vec<u8> {
    let suites: Vec<u8> = suites.iter().flat_map(|suite| suite.to_be_bytes()).collect();
    // rsa_pss_rsae_sha256, ecdsa_secp256r1_sha256, ed25519, rsa_pkcs1_sha256: any certificate is accepted.
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

/// Returns the extensions that make the hello one of TLS 1.3: the version, and a public value.
fn supported_versions_of_client() -> Vec<u8> {
    // Any 32 bytes are a public value of X25519 (RFC 7748 §5).
    let share = [&[0x00, 0x1d][..], &vector(2, &RANDOM)].concat();
    [extension(43, &vector(1, &[0x03, 0x04])), extension(51, &vector(2, &share))].concat()
}

/// Returns a server hello that chooses `suite` and repeats the session id of the client hello.
pub(super) fn server_hello(version: u16, suite: u16, client_hello: &[u8], more: &[u8]) -> Vec<u8> {
    // Record header, message header, version and random precede it.
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

/// Returns a handshake message in its own record. The version of the record is fixed for a first hello (RFC 8446 §5.1).
pub(super) fn record(message: u8, body: &[u8]) -> Vec<u8> {
    let message = [&[message][..], &vector(3, body)].concat();
    [&[22, 3, 1][..], &vector(2, &message)].concat()
}

fn extension(number: u16, content: &[u8]) -> Vec<u8> {
    [&number.to_be_bytes()[..], &vector(2, content)].concat()
}

/// Returns the content, preceded by its length in `bytes` bytes.
pub(super) fn vector(bytes: usize, content: &[u8]) -> Vec<u8> {
    let length = content.len().to_be_bytes();
    [&length[length.len() - bytes..], content].concat()
}
