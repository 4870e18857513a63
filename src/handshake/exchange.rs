//! Carries out a scenario over a loopback TCP socket and records all bytes that cross it.
//!
//! One thread runs both endpoints. It knows how many bytes are in transit, so it never waits for bytes that were not
//! sent, and no thread is left when it ends. The duration is limited by [`MAX_DURATION`], the data by [`MAX_BYTES`].

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::{ClientConnection, Connection, ServerConnection};

use super::config_pair::ConfigPair;
use super::error::ExchangeError;
use super::limits::{MAX_BYTES, MAX_DURATION};
use super::socket::{RecordingWriter, socket_error, socket_pair};
use crate::system::socket::drop_without_lingering;
use crate::tls::{Flight, NamedGroup, Recording, Secrets, Side};

/// The application data that the client sends after the handshake, and the response that it expects.
const CLIENT_DATA: &[u8] = b"Hello, this is the client, and this text is encrypted.\n";
const SERVER_DATA: &[u8] = b"Hello, this is the server. Only the two of us have the session key.\n";

/// The result of one exchange.
#[derive(Debug)]
pub(super) struct Exchange {
    pub flights: Vec<Flight>,
    pub secrets: Arc<Secrets>,
    /// The error for which the client ended the exchange.
    pub client_error: Option<rustls::Error>,
    /// The error for which the server ended the exchange.
    pub server_error: Option<rustls::Error>,
    /// The time from the first byte of the client hello until both endpoints had finished; `None` when the handshake
    /// failed.
    pub handshake: Option<Duration>,
    pub resumed: bool,
    /// The group of the Diffie-Hellman exchange.
    pub group: Option<NamedGroup>,
    /// The number of bytes of application data that arrived unchanged.
    pub to_server: usize,
    pub to_client: usize,
}

impl Exchange {
    /// Returns the recording for other tools.
    pub fn into_recording(self) -> Recording {
        Recording::new(self.flights, self.secrets)
    }

    /// Returns whether both handshakes succeeded and application data went in both directions. Mutual TLS needs both:
    /// in TLS 1.3 the client finishes before the server has verified it (RFC 8446 §4.4.2.4), and only a response shows
    /// that the server accepted it.
    pub fn passed(&self) -> bool {
        self.client_error.is_none()
            && self.server_error.is_none()
            && self.handshake.is_some()
            && self.to_server == CLIENT_DATA.len()
            && self.to_client == SERVER_DATA.len()
    }
}

/// Carries out the scenario once.
pub(super) fn play(configs: &ConfigPair) -> Result<Exchange, ExchangeError> {
    let mut loopback = Loopback::connect(configs)?;
    loopback.transfer_all()?;
    let (mut to_server, mut to_client) = (0, 0);
    if loopback.handshake.is_some() {
        to_server = loopback.send_application_data(Side::Client, CLIENT_DATA)?;
    }
    if to_server == CLIENT_DATA.len() {
        to_client = loopback.send_application_data(Side::Server, SERVER_DATA)?;
        loopback.client.connection.send_close_notify();
        loopback.server.connection.send_close_notify();
        loopback.transfer_all()?;
    }
    let resumed = loopback.client.connection.handshake_kind() == Some(rustls::HandshakeKind::Resumed);
    let group = loopback.client.connection.negotiated_key_exchange_group().map(|group| NamedGroup(group.name().into()));
    Ok(Exchange {
        group,
        flights: loopback.flights,
        secrets: configs.secrets.clone(),
        client_error: loopback.client.error,
        server_error: loopback.server.error,
        handshake: loopback.handshake,
        resumed,
        to_server,
        to_client,
    })
}

/// Both endpoints, connected by a loopback socket.
struct Loopback {
    client: LoopbackEnd,
    server: LoopbackEnd,
    began: Instant,
    handshake: Option<Duration>,
    flights: Vec<Flight>,
    bytes: usize,
}

struct LoopbackEnd {
    connection: Connection,
    socket: TcpStream,
    error: Option<rustls::Error>,
}

impl Loopback {
    /// Connects both endpoints, without sending anything.
    fn connect(configs: &ConfigPair) -> Result<Self, ExchangeError> {
        let library = |error: rustls::Error| ExchangeError::Library(error.to_string());
        let client = ClientConnection::new(configs.client.clone(), configs.host_name.clone()).map_err(library)?;
        let server = ServerConnection::new(configs.server.clone()).map_err(library)?;
        let (client_socket, server_socket) = socket_pair()?;
        // All bytes are read before the sockets close. Thousands of ports in TIME-WAIT would slow down later exchanges.
        drop_without_lingering(&client_socket).map_err(socket_error("set up"))?;
        Ok(Self {
            client: LoopbackEnd { connection: client.into(), socket: client_socket, error: None },
            server: LoopbackEnd { connection: server.into(), socket: server_socket, error: None },
            began: Instant::now(),
            handshake: None,
            flights: Vec::new(),
            bytes: 0,
        })
    }

    /// Transfers bytes in both directions until neither endpoint has bytes to send.
    fn transfer_all(&mut self) -> Result<(), ExchangeError> {
        while self.transfer(Side::Client)? || self.transfer(Side::Server)? {
            if self.began.elapsed() > MAX_DURATION {
                return Err(ExchangeError::TooLong(MAX_DURATION));
            }
        }
        Ok(())
    }

    /// Transfers the bytes that `from` has to send. Returns whether there were any.
    fn transfer(&mut self, from: Side) -> Result<bool, ExchangeError> {
        let (writer, reader) = match from {
            Side::Client => (&mut self.client, &mut self.server),
            Side::Server => (&mut self.server, &mut self.client),
        };
        let mut moved = false;
        while writer.connection.wants_write() {
            let mut recorded = RecordingWriter { socket: &mut writer.socket, bytes: Vec::new() };
            writer.connection.write_tls(&mut recorded).map_err(socket_error("write"))?;
            let written = recorded.bytes.len();
            self.bytes += written;
            if self.bytes > MAX_BYTES {
                return Err(ExchangeError::TooMuch);
            }
            self.flights.push(Flight { from, at: self.began.elapsed(), bytes: recorded.bytes });
            reader.receive(written)?;
            moved |= written > 0;
        }
        let done = |end: &LoopbackEnd| end.error.is_none() && !end.connection.is_handshaking();
        if self.handshake.is_none() && done(&self.client) && done(&self.server) {
            self.handshake = Some(self.began.elapsed());
        }
        Ok(moved)
    }

    /// Sends application data from one endpoint to the other. Returns the number of bytes that arrived, or 0 when they
    /// differ.
    fn send_application_data(&mut self, from: Side, data: &[u8]) -> Result<usize, ExchangeError> {
        let (sender, _) = match from {
            Side::Client => (&mut self.client, &mut self.server),
            Side::Server => (&mut self.server, &mut self.client),
        };
        sender.connection.writer().write_all(data).map_err(socket_error("write application data"))?;
        self.transfer_all()?;
        let receiver = match from {
            Side::Client => &mut self.server,
            Side::Server => &mut self.client,
        };
        let mut received = vec![0; data.len() + 1];
        // An error means that no data arrived, or that the connection is closed: 0 bytes.
        let count = receiver.connection.reader().read(&mut received).unwrap_or(0);
        received.truncate(count);
        Ok(if received == data { count } else { 0 })
    }
}

impl LoopbackEnd {
    /// Reads exactly `expected` bytes from the socket and has the TLS library process them.
    fn receive(&mut self, expected: usize) -> Result<(), ExchangeError> {
        let mut left = expected;
        while left > 0 {
            let mut share = (&self.socket).take(left as u64);
            let taken = if self.error.is_none() {
                self.connection.read_tls(&mut share).map_err(socket_error("read"))?
            } else {
                // After an error the endpoint ignores the bytes, but they must not stay in the socket.
                share.read(&mut [0; 4096]).map_err(socket_error("read"))?
            };
            if taken == 0 {
                let cause = io::ErrorKind::UnexpectedEof.into();
                return Err(ExchangeError::Socket { action: "read", cause });
            }
            left -= taken;
            if self.error.is_none() {
                self.error = self.connection.process_new_packets().err();
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::Hierarchy;
    use super::super::good_case::good_case;
    use super::*;
    use crate::tls::TlsVersion;
    use crate::x509::KeyAlgorithm;

    type Change = fn(&mut Exchange);

    fn configs() -> ConfigPair {
        let hierarchy = Hierarchy::new(KeyAlgorithm::EcdsaP256);
        good_case(&hierarchy.test(&[TlsVersion::Tls13]), TlsVersion::Tls13).unwrap().configs().unwrap()
    }

    #[test]
    fn an_exchange_passes_without_errors_when_both_endpoints_received_all_data() {
        let exchange = play(&configs()).unwrap();
        assert!(exchange.passed());
        let gave_up = || Some(rustls::Error::HandshakeNotComplete);
        let changes: [(&str, Change); 3] = [
            ("no handshake", |it| it.handshake = None),
            ("the server heard less", |it| it.to_server -= 1),
            ("the client heard less", |it| it.to_client -= 1),
        ];
        for (what, change) in changes {
            let mut changed = play(&configs()).unwrap();
            change(&mut changed);
            assert!(!changed.passed(), "{what}");
        }
        assert!(!Exchange { client_error: gave_up(), ..play(&configs()).unwrap() }.passed());
        assert!(!Exchange { server_error: gave_up(), ..exchange }.passed());
    }

    #[test]
    fn an_exchange_that_lasts_too_long_or_moves_too_much_is_ended() {
        let configs = configs();
        let mut late = Loopback::connect(&configs).unwrap();
        late.began = late.began.checked_sub(MAX_DURATION + Duration::from_secs(1)).unwrap();
        assert!(matches!(late.transfer_all(), Err(ExchangeError::TooLong(MAX_DURATION))));
        let mut long = Loopback::connect(&configs).unwrap();
        long.bytes = MAX_BYTES;
        assert!(matches!(long.transfer_all(), Err(ExchangeError::TooMuch)));
        assert!(Loopback::connect(&configs).unwrap().transfer_all().is_ok());
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn an_exchange_leaves_no_port_behind() {
        use crate::system::socket::tests::is_known;
        let loopback = Loopback::connect(&configs()).unwrap();
        let socket = &loopback.client.socket;
        let (own, other) = (socket.local_addr().unwrap(), socket.peer_addr().unwrap());
        assert!(is_known(own, other));
        drop(loopback);
        assert!(!is_known(own, other), "a port that waits in vain");
    }

    #[test]
    fn a_socket_that_ends_early_is_distinguished_from_one_that_is_slow() {
        let mut loopback = Loopback::connect(&configs()).unwrap();
        drop(std::mem::replace(&mut loopback.server.socket, socket_pair().unwrap().0));
        let broken = loopback.client.receive(1).unwrap_err();
        assert!(matches!(broken, ExchangeError::Socket { action: "read", .. }), "{broken}");
        for slow in [io::ErrorKind::WouldBlock, io::ErrorKind::TimedOut] {
            assert!(matches!(socket_error("read")(slow.into()), ExchangeError::TooLong(MAX_DURATION)));
        }
        let gone = socket_error("read")(io::ErrorKind::ConnectionReset.into());
        assert!(matches!(gone, ExchangeError::Socket { action: "read", .. }));
    }
}
