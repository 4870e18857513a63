//! Reads the messages of a session from its bytes, decrypted with the session's own secrets.

use std::time::Duration;

use super::decrypt::{RecordDecryptor, Secrets};
use super::dissect::{self, Hello, Known};
use super::message::{Body, Message};
use super::registry::{CipherSuite, TlsVersion};
use super::wire::{self, Flight, Record, Side};

mod content_type {
    pub const CHANGE_CIPHER_SPEC: u8 = 20;
    pub const ALERT: u8 = 21;
    pub const HANDSHAKE: u8 = 22;
    pub const APPLICATION_DATA: u8 = 23;
}

/// The most messages of a session that are read; a handshake has about twenty. An endpoint can put one into each seven bytes.
pub const MOST_MESSAGES: usize = 1000;

/// Returns the messages, the first [`MOST_MESSAGES`], in the order in which their last byte crossed the wire.
pub fn read(flights: &[Flight], secrets: &Secrets) -> Vec<Message> {
    let mut session = SessionReader::new(secrets);
    for flight in flights {
        if session.messages.len() >= MOST_MESSAGES {
            break;
        }
        session.take(flight);
    }
    session.messages.truncate(MOST_MESSAGES);
    session.messages.shrink_to_fit();
    session.messages
}

/// The state of reading a session.
struct SessionReader<'a> {
    secrets: &'a Secrets,
    client: Stream,
    server: Stream,
    client_random: Vec<u8>,
    /// The session id of the client hello.
    session_id: Vec<u8>,
    server_random: Vec<u8>,
    choice: Option<(TlsVersion, CipherSuite)>,
    messages: Vec<Message>,
}

/// The state of one direction.
#[derive(Default)]
struct Stream {
    /// The bytes of an incomplete record.
    pending: Vec<u8>,
    /// `true` after bytes that are not a record: where the next record begins is then unknown.
    is_not_tls: bool,
    /// The bytes of an incomplete handshake message.
    handshake: Vec<u8>,
    /// TLS 1.2: `true` after a ChangeCipherSpec.
    after_change_cipher_spec: bool,
    decryptor: Option<RecordDecryptor>,
}

impl<'a> SessionReader<'a> {
    fn new(secrets: &'a Secrets) -> Self {
        Self {
            secrets,
            client: Stream::default(),
            server: Stream::default(),
            client_random: Vec::new(),
            session_id: Vec::new(),
            server_random: Vec::new(),
            choice: None,
            messages: Vec::new(),
        }
    }

    fn stream(&mut self, side: Side) -> &mut Stream {
        match side {
            Side::Client => &mut self.client,
            Side::Server => &mut self.server,
        }
    }

    fn take(&mut self, flight: &Flight) {
        let stream = self.stream(flight.from);
        stream.pending.extend_from_slice(&flight.bytes);
        let pending = std::mem::take(&mut stream.pending);
        let mut rest = pending.as_slice();
        if self.stream(flight.from).is_not_tls || !wire::may_begin_record(rest) {
            self.stream(flight.from).is_not_tls = true;
            self.push(flight.from, Body::NotTls, rest.len(), false, flight.at);
            return;
        }
        while let Some((record, after)) = wire::first_record(rest) {
            self.record(flight.from, &record, flight.at);
            rest = after;
        }
        self.stream(flight.from).pending = rest.to_vec();
    }

    fn record(&mut self, from: Side, record: &Record<'_>, at: Duration) {
        let tls13 = self.version() == Some(TlsVersion::Tls13);
        // In TLS 1.3 every encrypted record has the type of application data (RFC 8446 §5.2). In TLS 1.2 all records
        // after a ChangeCipherSpec are encrypted and keep their types. The keys may be unknown: an endpoint that fails
        // early never reports them.
        let sealed = if tls13 {
            record.content_type() == content_type::APPLICATION_DATA
        } else {
            self.stream(from).after_change_cipher_spec
        };
        if !sealed {
            self.content(from, record.content_type(), record.payload, false, at);
            return;
        }
        match self.stream(from).decryptor.as_mut().and_then(|decryptor| decryptor.decrypt(record)) {
            Some(decrypted) => self.content(from, decrypted.content_type, &decrypted.content, true, at),
            None => self.push(from, Body::Unreadable, record.payload.len(), true, at),
        }
    }

    fn content(&mut self, from: Side, content_type: u8, content: &[u8], encrypted: bool, at: Duration) {
        match content_type {
            content_type::HANDSHAKE => {
                self.stream(from).handshake.extend_from_slice(content);
                self.handshake(from, encrypted, at);
            }
            content_type::CHANGE_CIPHER_SPEC => {
                self.push(from, Body::ChangeCipherSpec, content.len(), encrypted, at);
                if self.version() == Some(TlsVersion::Tls12) {
                    self.stream(from).decryptor = self.tls12_decryptor(from);
                    self.stream(from).after_change_cipher_spec = true;
                }
            }
            content_type::ALERT => {
                let body = dissect::read_alert(content).unwrap_or(Body::Unreadable);
                self.push(from, body, content.len(), encrypted, at);
            }
            content_type::APPLICATION_DATA if encrypted => {
                self.push(from, Body::ApplicationData, content.len(), encrypted, at);
            }
            _ => self.push(from, Body::Unreadable, content.len(), encrypted, at),
        }
    }

    /// Reads the complete handshake messages; a message may span records, and a record may have several messages.
    fn handshake(&mut self, from: Side, encrypted: bool, at: Duration) {
        // A message can come in very many records: what is there is looked at again when it is whole.
        let declared = match self.stream(from).handshake[..] {
            [_, high, middle, low, ..] => 4 + (usize::from(high) << 16 | usize::from(middle) << 8 | usize::from(low)),
            _ => return,
        };
        if self.stream(from).handshake.len() < declared {
            return;
        }
        let buffered = std::mem::take(&mut self.stream(from).handshake);
        let mut rest = wire::Reader(&buffered);
        loop {
            let mut ahead = rest;
            let Some((number, content)) = ahead.u8().and_then(|number| Some((number, ahead.vector(3)?))) else { break };
            rest = ahead;
            let known = Known { version: self.version(), session_id: &self.session_id };
            let (body, hello) = dissect::read(number, content, known);
            self.push(from, body.clone(), content.len() + 4, encrypted, at);
            self.follow(from, &body, hello);
        }
        self.stream(from).handshake = rest.0.to_vec();
    }

    /// Changes keys after the messages after which the protocol changes them (RFC 8446 §7.1 and appendix A).
    fn follow(&mut self, from: Side, body: &Body, hello: Option<Hello>) {
        match (from, hello) {
            (Side::Client, Some(hello)) => {
                self.client_random = hello.random;
                self.session_id = hello.session_id;
            }
            (Side::Server, Some(hello)) => {
                self.server_random = hello.random;
                self.choice = hello.choice;
                // TLS 1.2 has no such secrets; its keys change with the ChangeCipherSpec.
                self.client.decryptor = self.tls13_decryptor("CLIENT_HANDSHAKE_TRAFFIC_SECRET");
                self.server.decryptor = self.tls13_decryptor("SERVER_HANDSHAKE_TRAFFIC_SECRET");
            }
            _ => {}
        }
        if *body == Body::Finished && self.version() == Some(TlsVersion::Tls13) {
            self.stream(from).decryptor = match from {
                Side::Client => self.tls13_decryptor("CLIENT_TRAFFIC_SECRET_0"),
                Side::Server => self.tls13_decryptor("SERVER_TRAFFIC_SECRET_0"),
            };
        }
    }

    fn version(&self) -> Option<TlsVersion> {
        self.choice.map(|(version, _)| version)
    }

    fn tls13_decryptor(&self, label: &str) -> Option<RecordDecryptor> {
        let (_, suite) = self.choice?;
        RecordDecryptor::tls13(suite, &self.secrets.find(label, &self.client_random)?)
    }

    fn tls12_decryptor(&self, side: Side) -> Option<RecordDecryptor> {
        let (_, suite) = self.choice?;
        let master = self.secrets.find("CLIENT_RANDOM", &self.client_random)?;
        RecordDecryptor::tls12(suite, &master, &self.server_random, &self.client_random, side)
    }

    fn push(&mut self, from: Side, body: Body, bytes: usize, encrypted: bool, at: Duration) {
        self.messages.push(Message { from, body, bytes, encrypted, at });
    }
}

#[cfg(test)]
mod tests {
    use super::super::registry::Alert;
    use super::*;

    fn flight(from: Side, bytes: &[u8]) -> Flight {
        Flight { from, at: Duration::ZERO, bytes: bytes.to_vec() }
    }

    fn messages_of(flights: &[Flight]) -> Vec<(Body, usize, bool)> {
        let messages = read(flights, &Secrets::default());
        messages.into_iter().map(|message| (message.body, message.bytes, message.encrypted)).collect()
    }

    #[test]
    fn a_side_that_once_spoke_something_else_speaks_no_tls_any_more_and_the_other_may() {
        let alert = [21, 3, 3, 0, 2, 2, 40];
        let handshake_failure = Body::Alert { fatal: true, description: Alert::HANDSHAKE_FAILURE };
        let flights =
            [flight(Side::Client, b"GET / HTTP/1.1"), flight(Side::Client, &alert), flight(Side::Server, &alert)];
        assert_eq!(
            messages_of(&flights),
            [(Body::NotTls, 14, false), (Body::NotTls, 7, false), (handshake_failure, 2, false)]
        );
    }

    /// An endpoint that sends nothing but short records decides neither time nor memory.
    #[test]
    fn no_more_messages_are_read_than_the_limit() {
        let alerts = [21, 3, 3, 0, 2, 1, 0].repeat(600);
        let flights = [(); 3].map(|()| flight(Side::Client, &alerts));
        assert_eq!(messages_of(&flights).len(), MOST_MESSAGES);
        assert_eq!(messages_of(&flights[..1]).len(), 600);
    }

    /// The network may split the bytes anywhere, and a handshake message may span records (RFC 8446 §5.1).
    #[test]
    fn what_comes_in_pieces_is_read_as_one() {
        let done = [22, 3, 3, 0, 4, 14, 0, 0, 0];
        for cut in 1..done.len() {
            let pieces = [flight(Side::Server, &done[..cut]), flight(Side::Server, &done[cut..])];
            assert_eq!(messages_of(&pieces), [(Body::ServerHelloDone, 4, false)], "{cut}");
        }
        let over_records = [22, 3, 3, 0, 2, 20, 0, 22, 3, 3, 0, 5, 0, 3, 1, 2, 3];
        assert_eq!(messages_of(&[flight(Side::Server, &over_records)]), [(Body::Finished, 7, false)]);
        let two_in_one = [22, 3, 3, 0, 8, 14, 0, 0, 0, 20, 0, 0, 0];
        let expected = [(Body::ServerHelloDone, 4, false), (Body::Finished, 4, false)];
        assert_eq!(messages_of(&[flight(Side::Server, &two_in_one)]), expected);
    }

    #[test]
    fn application_data_in_the_clear_is_none() {
        assert_eq!(messages_of(&[flight(Side::Client, &[23, 3, 3, 0, 2, 7, 7])]), [(Body::Unreadable, 2, false)]);
    }
}
