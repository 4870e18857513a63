//! A TLS connection whose peer is another program, limited in time and bytes.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::{Connection, ProtocolVersion};

use super::application::Question;
use super::cause::{self, Cause};
use super::error::ExchangeError;
use super::exchange::Exchange;
use super::facts;
use super::limits::{FLIGHT_DURATION, MAX_BYTES, MAX_FLIGHT_BYTES, MAX_FLIGHTS};
use super::memory_budget::{MemoryBudget, MemoryShare};
use super::report::Session;
use super::socket::{RecordingWriter, socket_error};
use crate::system::socket::is_gone;
use crate::tls::{CipherSuite, Flight, NamedGroup, Secrets, Side, TlsVersion};

/// The number of bytes of application data that are taken at once; the first line of an answer is enough.
const ENOUGH: usize = 512;

/// How long a client that says nothing waits for an alert, once its handshake is complete.
const MOMENT: Duration = Duration::from_secs(1);

/// The result of a handshake.
pub(super) struct PeerHandshake {
    pub version: Option<TlsVersion>,
    pub cipher_suite: Option<CipherSuite>,
    /// Why it failed; `None` when it succeeded.
    pub cause: Option<Cause>,
}

/// A connection, and the facts for its report.
pub(super) struct PeerConnection {
    own: Side,
    connection: Connection,
    socket: TcpStream,
    /// The longest duration of the connection.
    limit: Duration,
    began: Instant,
    flights: Vec<Flight>,
    bytes: usize,
    /// What is read at once; the bytes that arrived are copied out of it.
    buffer: Box<[u8]>,
    /// What it takes of that which all connections of the test may keep; `None` for a connection that is the only one.
    share: Option<MemoryShare>,
    handshake: Option<Duration>,
    error: Option<rustls::Error>,
    received: Vec<u8>,
    sent: usize,
    /// What this client asked the server.
    question: Option<Question>,
    /// `true` when the peer ended the TLS connection in order (close_notify).
    is_closed_in_order: bool,
}

impl PeerConnection {
    pub fn new(own: Side, connection: Connection, socket: TcpStream, limit: Duration) -> Self {
        Self {
            own,
            connection,
            socket,
            limit,
            began: Instant::now(),
            flights: Vec::new(),
            bytes: 0,
            buffer: vec![0; MAX_FLIGHT_BYTES].into(),
            share: None,
            handshake: None,
            error: None,
            received: Vec::new(),
            sent: 0,
            question: None,
            is_closed_in_order: false,
        }
    }

    /// Ends the connection when the budget has no room for what it receives.
    pub fn within(self, budget: Arc<MemoryBudget>) -> Self {
        Self { share: Some(MemoryShare::new(budget)), ..self }
    }

    /// Returns its share of the budget, to be dropped when what it kept is dropped.
    pub fn take_share(&mut self) -> Option<MemoryShare> {
        self.share.take()
    }

    /// As the client: asks the question after the handshake, and reads until there is an answer, an error, or the peer closes.
    pub fn ask(&mut self, question: &Question) -> Result<(), ExchangeError> {
        self.question = Some(question.clone());
        while self.write_pending()? && self.error.is_none() {
            // A server that speaks first may do so in the same packet as the end of its handshake.
            if self.handshake_just_finished() {
                let words = question.negotiated(self.connection.alpn_protocol()).to_vec();
                self.send(&words)?;
                if question.is_silent() {
                    self.limit = self.limit.min(self.began.elapsed() + MOMENT);
                }
            } else if question.has_enough(&self.received)
                || question.is_silent() && self.is_let_in()
                || !self.read_available()?
            {
                break;
            }
        }
        Ok(())
    }

    /// Returns whether the server has accepted this client: in TLS 1.2 it finishes last (RFC 5246 §7.3), in TLS 1.3 it sends
    /// tickets and closes in order only after the client has finished (RFC 8446 §4.6.1).
    fn is_let_in(&self) -> bool {
        let tickets = match &self.connection {
            Connection::Client(client) => client.tls13_tickets_received(),
            Connection::Server(_) => 0,
        };
        let is_tls_1_2 = self.connection.protocol_version() == Some(ProtocolVersion::TLSv1_2);
        self.handshake.is_some() && (is_tls_1_2 || tickets > 0 || self.is_closed_in_order || !self.received.is_empty())
    }

    /// Returns whether the server accepted this client in the handshake and then closed the connection without an answer.
    pub fn is_closed_unanswered(&self, ended: &Result<(), ExchangeError>) -> bool {
        let is_asking = self.question.as_ref().is_some_and(|question| !question.is_silent());
        is_asking && self.is_let_in() && self.received.is_empty() && self.error.is_none() && ended.is_ok()
    }

    /// Returns the HTTP status of the answer; empty without one.
    pub fn answer_status(&self) -> String {
        self.question.as_ref().map_or_else(String::new, |question| question.status(&self.received).to_owned())
    }

    /// As the client: carries out the handshake and sends no application data.
    pub fn finish_handshake(&mut self) -> Result<(), ExchangeError> {
        while self.write_pending()? && self.error.is_none() && !self.handshake_just_finished() {
            if !self.read_available()? {
                break;
            }
        }
        Ok(())
    }

    /// Returns the result of the handshake.
    pub fn handshake_result(&self) -> PeerHandshake {
        let version = match self.connection.protocol_version() {
            Some(ProtocolVersion::TLSv1_2) => Some(TlsVersion::Tls12),
            Some(ProtocolVersion::TLSv1_3) => Some(TlsVersion::Tls13),
            _ => None,
        };
        let suite = self.connection.negotiated_cipher_suite();
        let cause = match &self.error {
            Some(error) => Some(cause::of(error)),
            None => self.handshake.is_none().then(|| Cause::closed(self.own.other())),
        };
        PeerHandshake { version, cipher_suite: suite.map(|suite| CipherSuite(suite.suite().into())), cause }
    }

    /// As the server: responds to the first request.
    pub fn respond(&mut self, response: &[u8]) -> Result<(), ExchangeError> {
        while self.write_pending()? && self.error.is_none() {
            self.handshake_just_finished();
            if !self.received.is_empty() {
                self.send(response)?;
                self.write_pending()?;
                break;
            }
            if !self.read_available()? {
                break;
            }
        }
        Ok(())
    }

    fn handshake_just_finished(&mut self) -> bool {
        let first = !self.connection.is_handshaking() && self.handshake.is_none();
        if first {
            self.handshake = Some(self.began.elapsed());
        }
        first
    }

    fn send(&mut self, data: &[u8]) -> Result<(), ExchangeError> {
        self.sent = data.len();
        self.connection.writer().write_all(data).map_err(socket_error("write"))
    }

    /// Writes all pending bytes. Returns whether the peer still accepts them.
    fn write_pending(&mut self) -> Result<bool, ExchangeError> {
        while self.connection.wants_write() {
            self.check_limits()?;
            let mut writer = RecordingWriter { socket: &mut self.socket, bytes: Vec::new() };
            let written = self.connection.write_tls(&mut writer);
            let bytes = writer.bytes;
            self.keep(self.own, &bytes)?;
            match written {
                Ok(_) => {}
                // The peer closed the connection; bytes that it sent before may still be read.
                Err(error) if is_gone(&error) => return self.read_available(),
                Err(error) => return Err(self.failed("write", error)),
            }
        }
        Ok(true)
    }

    /// Returns the first bytes from the peer.
    fn first_received(&self) -> &[u8] {
        let first = self.flights.iter().find(|flight| flight.from != self.own);
        first.map_or(&[], |flight| flight.bytes.as_slice())
    }

    /// Waits for bytes and has the TLS library process them. Returns whether there were any.
    fn read_available(&mut self) -> Result<bool, ExchangeError> {
        self.check_limits()?;
        let count = match self.socket.read(&mut self.buffer) {
            Ok(count) => count,
            Err(error) if is_gone(&error) => 0,
            Err(error) => return Err(self.failed("read", error)),
        };
        if count == 0 {
            return Ok(false);
        }
        let piece = self.buffer.get(..count).unwrap_or_default().to_vec();
        self.keep(self.own.other(), &piece)?;
        let mut unread = piece.as_slice();
        while !unread.is_empty() && self.error.is_none() {
            self.connection.read_tls(&mut unread).map_err(socket_error("read"))?;
            match self.connection.process_new_packets() {
                Ok(state) => self.is_closed_in_order |= state.peer_has_closed(),
                Err(error) => self.error = Some(error),
            }
            // An error means that there is no data yet, or the end of the stream; both leave the received data as it
            // is.
            drop((&mut self.connection.reader()).take(ENOUGH as u64).read_to_end(&mut self.received));
        }
        Ok(true)
    }

    /// Keeps bytes that crossed the socket, in the flight before when they belong to it.
    fn keep(&mut self, from: Side, bytes: &[u8]) -> Result<(), ExchangeError> {
        if bytes.is_empty() {
            return Ok(());
        }
        // A vector that grows has up to twice its bytes.
        if self.share.as_mut().is_some_and(|share| !share.take(2 * bytes.len())) {
            return Err(ExchangeError::NoMemoryLeft);
        }
        self.bytes += bytes.len();
        let at = self.began.elapsed();
        let is_full = self.flights.len() >= MAX_FLIGHTS;
        match self.flights.last_mut() {
            Some(last)
                if last.from == from
                    && (is_full || at.saturating_sub(last.at) < FLIGHT_DURATION)
                    && last.bytes.len() + bytes.len() <= MAX_FLIGHT_BYTES =>
            {
                last.bytes.extend_from_slice(bytes);
            }
            _ => self.flights.push(Flight { from, at, bytes: bytes.to_vec() }),
        }
        Ok(())
    }

    /// Sends close_notify or the pending alert, without waiting for a response.
    pub fn close(&mut self) {
        if self.error.is_none() {
            self.connection.send_close_notify();
        }
        drop(self.write_pending());
    }

    /// Fails when the connection exceeds its duration or its number of bytes.
    fn check_limits(&mut self) -> Result<(), ExchangeError> {
        let left = self.limit.checked_sub(self.began.elapsed()).filter(|left| !left.is_zero());
        let left = left.ok_or(ExchangeError::TooLong(self.limit))?;
        if self.bytes > MAX_BYTES {
            return Err(ExchangeError::TooMuch);
        }
        self.socket.set_read_timeout(Some(left)).map_err(socket_error("set up"))?;
        self.socket.set_write_timeout(Some(left)).map_err(socket_error("set up"))
    }

    /// Returns the error; a socket reports an expired timeout as `WouldBlock`.
    fn failed(&self, action: &'static str, error: io::Error) -> ExchangeError {
        match error.kind() {
            io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => ExchangeError::TooLong(self.limit),
            _ => socket_error(action)(error),
        }
    }

    /// Returns the facts of the session, given how it `ended`; `fallback` is the version when none was negotiated.
    pub fn into_session(
        self,
        fallback: TlsVersion,
        secrets: Arc<Secrets>,
        ended: Result<(), ExchangeError>,
    ) -> Session {
        let version = match self.connection.protocol_version() {
            Some(ProtocolVersion::TLSv1_2) => TlsVersion::Tls12,
            Some(ProtocolVersion::TLSv1_3) => TlsVersion::Tls13,
            _ => fallback,
        };
        let received_alert = matches!(self.error, Some(rustls::Error::AlertReceived(_)));
        let gave_up =
            matches!(ended, Err(ExchangeError::TooLong(_) | ExchangeError::TooMuch | ExchangeError::NoMemoryLeft));
        let by = if (self.error.is_some() && !received_alert) || gave_up { self.own } else { self.own.other() };
        let cause = match (&self.error, ended, self.own) {
            (Some(error), ..) => Some(cause::of(error).with_first_bytes(self.first_received())),
            // Silence after the handshake is neither an answer nor a refusal.
            (None, Err(ExchangeError::TooLong(_)), Side::Client) if self.handshake.is_some() => None,
            (None, Err(ended), _) => Some(Cause::cut_short(self.own.other(), &ended)),
            (None, Ok(()), Side::Client) if self.question.is_none() || !self.is_let_in() => Some(Cause::closed(by)),
            (None, Ok(()), Side::Client) => {
                self.question.as_ref().and_then(|question| question.refusal(&self.received))
            }
            // The server finishes only after both endpoints have verified each other (RFC 8446 §4.4.4).
            (None, Ok(()), Side::Server) => self.handshake.is_none().then(|| Cause::closed(by)),
        };
        let done = self.handshake.is_some();
        let (to_server, to_client) = match self.own {
            Side::Client => (self.sent, self.received.len()),
            Side::Server => (self.received.len(), self.sent),
        };
        let own_error = self.error;
        let (client_error, server_error) = match self.own {
            Side::Client => (own_error, None),
            Side::Server => (None, own_error),
        };
        let exchange = Exchange {
            flights: self.flights,
            secrets,
            client_error,
            server_error,
            handshake: self.handshake,
            resumed: false,
            group: self.connection.negotiated_key_exchange_group().map(|group| NamedGroup(group.name().into())),
            to_server,
            to_client,
        };
        let mut session = facts::session_from(version, exchange);
        session.server.authenticated = done;
        session.client.authenticated = done && cause.is_none() && session.client.subject.is_some();
        session.failure = cause.map(|cause| facts::describe_failure(by, cause, &session.messages));
        session
    }
}

#[cfg(test)]
mod tests {
    use rustls::ClientConnection;

    use super::super::fixtures::{Hierarchy, TIMEOUT};
    use super::super::good_case::good_case;
    use super::super::socket::socket_pair;
    use super::*;
    use crate::x509::KeyAlgorithm;

    /// A client's connection to a peer that sends `data` and then closes its direction.
    fn connection(limit: Duration, data: &[u8]) -> PeerConnection {
        let hierarchy = Hierarchy::new(KeyAlgorithm::EcdsaP256);
        let configs = good_case(&hierarchy.test(&[TlsVersion::Tls13]), TlsVersion::Tls13).unwrap().configs().unwrap();
        let tls_connection = ClientConnection::new(configs.client, configs.host_name).unwrap();
        let (own, mut other) = socket_pair().unwrap();
        other.write_all(data).unwrap();
        other.shutdown(std::net::Shutdown::Write).unwrap();
        // The socket stays open for reading until the test ends.
        std::mem::forget(other);
        PeerConnection::new(Side::Client, tls_connection.into(), own, limit)
    }

    #[test]
    fn a_connection_ends_when_it_exceeds_its_duration_or_bytes() {
        let mut late = connection(Duration::ZERO, &[]);
        assert!(matches!(late.finish_handshake(), Err(ExchangeError::TooLong(Duration::ZERO))));
        assert!(late.flights.is_empty(), "nothing is said");
        let mut long = connection(TIMEOUT, &[]);
        long.bytes = MAX_BYTES + 1;
        assert!(matches!(long.finish_handshake(), Err(ExchangeError::TooMuch)));
        let mut just = connection(TIMEOUT, &[]);
        just.bytes = MAX_BYTES;
        assert!(matches!(just.check_limits(), Ok(())));
    }

    /// A peer that sends one byte at a time decides neither how many flights there are nor how much memory each takes.
    #[test]
    fn bytes_that_arrive_one_by_one_are_kept_together() {
        let mut slow = connection(TIMEOUT, &[]);
        for _ in 0..20 {
            slow.keep(Side::Server, &[1; 1000]).unwrap();
        }
        slow.began -= Duration::from_secs(1);
        slow.keep(Side::Server, &[2]).unwrap();
        slow.keep(Side::Client, &[3]).unwrap();
        slow.keep(Side::Client, &[4]).unwrap();
        let kept: Vec<_> = slow.flights.iter().map(|flight| (flight.from, flight.bytes.len())).collect();
        let (client, server) = (Side::Client, Side::Server);
        assert_eq!(kept, [(server, 16_000), (server, 4000), (server, 1), (client, 2)]);
        for _ in 0..2 * MAX_FLIGHTS {
            slow.began -= Duration::from_secs(1);
            slow.keep(Side::Server, &[5]).unwrap();
        }
        assert_eq!(slow.flights.len(), MAX_FLIGHTS);
    }

    #[test]
    fn a_connection_without_room_in_the_budget_ends_and_gives_back_what_it_had() {
        let budget = Arc::new(MemoryBudget::new(100));
        let mut heard = connection(TIMEOUT, &[]).within(Arc::clone(&budget));
        heard.keep(Side::Server, &[1; 40]).unwrap();
        let ended = heard.keep(Side::Server, &[1; 20]);
        assert!(matches!(ended, Err(ExchangeError::NoMemoryLeft)));
        let share = heard.take_share();
        let failure = heard.into_session(TlsVersion::Tls13, Arc::default(), ended).failure.unwrap();
        assert_eq!((failure.by, failure.cause.code), (Side::Client, "no-memory-left"));
        assert!(!budget.take(100));
        drop(share);
        assert!(budget.take(100));
    }

    #[test]
    fn a_timeout_of_the_socket_reports_the_limit_of_the_connection() {
        let connection = connection(TIMEOUT, &[]);
        for slow in [io::ErrorKind::WouldBlock, io::ErrorKind::TimedOut] {
            assert!(matches!(connection.failed("read", slow.into()), ExchangeError::TooLong(TIMEOUT)));
        }
        let other = connection.failed("read", io::ErrorKind::PermissionDenied.into());
        assert!(matches!(other, ExchangeError::Socket { action: "read", .. }));
    }

    #[test]
    fn a_peer_that_closes_at_once_and_one_that_does_not_speak_tls_have_their_causes() {
        let mut closed_early = connection(TIMEOUT, &[]);
        closed_early.finish_handshake().unwrap();
        assert_eq!(closed_early.handshake_result().cause.unwrap().code, "closed");
        let mut other = connection(TIMEOUT, b"HTTP/1.1 400 Bad Request\r\n\r\n");
        other.finish_handshake().unwrap();
        assert_eq!(other.handshake_result().cause.unwrap().code, "not-tls");
    }
}
