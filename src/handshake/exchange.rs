//! Plays a scenario over a loopback TCP socket and keeps every octet that crossed it.
//!
//! One thread plays both endpoints: it knows how many octets are on their way, so it never waits for what will not come, and
//! nothing is left running when it ends. All waiting is bounded by [`LONGEST`], all data by [`MOST_OCTETS`].

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::{ClientConnection, Connection, ServerConnection};

use super::config_pair::ConfigPair;
use super::error::ExchangeError;
use super::limits::{LONGEST, MOST_OCTETS};
use super::socket::{Tap, socket_error, socket_pair};
use crate::system::socket::drop_without_lingering;
use crate::tls::{Flight, NamedGroup, Recording, Secrets, Side};

/// What the client says once the handshake is done, and what it expects back.
const QUESTION: &[u8] = b"Is anybody there? This is the client, speaking in TLS.\n";
const ANSWER: &[u8] = b"Yes. This is the server: nobody but you and me has the session key.\n";

/// What happened.
#[derive(Debug)]
pub(super) struct Exchange {
    pub flights: Vec<Flight>,
    pub secrets: Arc<Secrets>,
    /// Why the client gave up, if it did.
    pub client_error: Option<rustls::Error>,
    /// Why the server gave up, if it did.
    pub server_error: Option<rustls::Error>,
    /// From the first octet of the client hello until both sides had finished.
    pub handshake: Option<Duration>,
    pub resumed: bool,
    /// The group of the Diffie-Hellman exchange.
    pub group: Option<NamedGroup>,
    /// Octets of application data that arrived, and were the right ones.
    pub to_server: usize,
    pub to_client: usize,
}

impl Exchange {
    /// For other tools.
    pub fn into_recording(self) -> Recording {
        Recording::new(self.flights, self.secrets)
    }

    /// Both sides authenticated, and octets went both ways. Nothing less proves mutual TLS: in TLS 1.3 the client is done
    /// before the server has judged it (RFC 8446 §4.4.2.4), and only an answer shows that it was accepted.
    pub fn passed(&self) -> bool {
        self.client_error.is_none()
            && self.server_error.is_none()
            && self.handshake.is_some()
            && self.to_server == QUESTION.len()
            && self.to_client == ANSWER.len()
    }
}

/// Plays the scenario once.
pub(super) fn play(configs: &ConfigPair) -> Result<Exchange, ExchangeError> {
    let mut table = Table::laid(configs)?;
    table.settle()?;
    let (mut to_server, mut to_client) = (0, 0);
    if table.handshake.is_some() {
        to_server = table.tell(Side::Client, QUESTION)?;
    }
    if to_server == QUESTION.len() {
        to_client = table.tell(Side::Server, ANSWER)?;
        table.client.connection.send_close_notify();
        table.server.connection.send_close_notify();
        table.settle()?;
    }
    let resumed = table.client.connection.handshake_kind() == Some(rustls::HandshakeKind::Resumed);
    let group = table.client.connection.negotiated_key_exchange_group().map(|group| NamedGroup(group.name().into()));
    Ok(Exchange {
        group,
        flights: table.flights,
        secrets: configs.secrets.clone(),
        client_error: table.client.error,
        server_error: table.server.error,
        handshake: table.handshake,
        resumed,
        to_server,
        to_client,
    })
}

/// Both ends on one table.
struct Table {
    client: End,
    server: End,
    began: Instant,
    handshake: Option<Duration>,
    flights: Vec<Flight>,
    octets: usize,
}

struct End {
    connection: Connection,
    socket: TcpStream,
    error: Option<rustls::Error>,
}

impl Table {
    /// Both endpoints, before either has said anything.
    fn laid(configs: &ConfigPair) -> Result<Self, ExchangeError> {
        let library = |error: rustls::Error| ExchangeError::Library(error.to_string());
        let client = ClientConnection::new(configs.client.clone(), configs.host_name.clone()).map_err(library)?;
        let server = ServerConnection::new(configs.server.clone()).map_err(library)?;
        let (client_socket, server_socket) = socket_pair()?;
        // Everything is read before the table is cleared. Thousands of ports that wait for nothing would slow down the next.
        drop_without_lingering(&client_socket).map_err(socket_error("set up"))?;
        Ok(Self {
            client: End { connection: client.into(), socket: client_socket, error: None },
            server: End { connection: server.into(), socket: server_socket, error: None },
            began: Instant::now(),
            handshake: None,
            flights: Vec::new(),
            octets: 0,
        })
    }

    /// Carries octets to and fro until neither side has anything left to say.
    fn settle(&mut self) -> Result<(), ExchangeError> {
        while self.carry(Side::Client)? || self.carry(Side::Server)? {
            if self.began.elapsed() > LONGEST {
                return Err(ExchangeError::TooLong(LONGEST));
            }
        }
        Ok(())
    }

    /// Carries what `from` wants to write across the socket; whether there was anything.
    fn carry(&mut self, from: Side) -> Result<bool, ExchangeError> {
        let (writer, reader) = match from {
            Side::Client => (&mut self.client, &mut self.server),
            Side::Server => (&mut self.server, &mut self.client),
        };
        let mut moved = false;
        while writer.connection.wants_write() {
            let mut tap = Tap { socket: &mut writer.socket, octets: Vec::new() };
            writer.connection.write_tls(&mut tap).map_err(socket_error("write"))?;
            let written = tap.octets.len();
            self.octets += written;
            if self.octets > MOST_OCTETS {
                return Err(ExchangeError::TooMuch);
            }
            self.flights.push(Flight { from, at: self.began.elapsed(), octets: tap.octets });
            reader.receive(written)?;
            moved |= written > 0;
        }
        let done = |end: &End| end.error.is_none() && !end.connection.is_handshaking();
        if self.handshake.is_none() && done(&self.client) && done(&self.server) {
            self.handshake = Some(self.began.elapsed());
        }
        Ok(moved)
    }

    /// Lets one side say something; how many octets of it the other side received, none if they were not the same.
    fn tell(&mut self, from: Side, words: &[u8]) -> Result<usize, ExchangeError> {
        let (teller, _) = match from {
            Side::Client => (&mut self.client, &mut self.server),
            Side::Server => (&mut self.server, &mut self.client),
        };
        teller.connection.writer().write_all(words).map_err(socket_error("write application data"))?;
        self.settle()?;
        let listener = match from {
            Side::Client => &mut self.server,
            Side::Server => &mut self.client,
        };
        let mut heard = vec![0; words.len() + 1];
        // "Nothing there yet" and "the other side is gone" both mean that nothing was heard.
        let count = listener.connection.reader().read(&mut heard).unwrap_or(0);
        heard.truncate(count);
        Ok(if heard == words { count } else { 0 })
    }
}

impl End {
    /// Takes exactly `expected` octets from the socket and lets the TLS library work on them.
    fn receive(&mut self, expected: usize) -> Result<(), ExchangeError> {
        let mut left = expected;
        while left > 0 {
            let mut share = (&self.socket).take(left as u64);
            let taken = if self.error.is_none() {
                self.connection.read_tls(&mut share).map_err(socket_error("read"))?
            } else {
                // Whoever gave up listens no more, but what is under way must not stay in the socket.
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

    type Bend = fn(&mut Exchange);

    fn configs() -> ConfigPair {
        let hierarchy = Hierarchy::new(KeyAlgorithm::EcdsaP256);
        good_case(&hierarchy.test(&[TlsVersion::Tls13]), TlsVersion::Tls13).unwrap().configs().unwrap()
    }

    #[test]
    fn an_exchange_passes_when_nobody_gave_up_and_both_have_heard_everything() {
        let exchange = play(&configs()).unwrap();
        assert!(exchange.passed());
        let gave_up = || Some(rustls::Error::HandshakeNotComplete);
        let bends: [(&str, Bend); 3] = [
            ("no handshake", |it| it.handshake = None),
            ("the server heard less", |it| it.to_server -= 1),
            ("the client heard less", |it| it.to_client -= 1),
        ];
        for (what, bend) in bends {
            let mut bent = play(&configs()).unwrap();
            bend(&mut bent);
            assert!(!bent.passed(), "{what}");
        }
        assert!(!Exchange { client_error: gave_up(), ..play(&configs()).unwrap() }.passed());
        assert!(!Exchange { server_error: gave_up(), ..exchange }.passed());
    }

    #[test]
    fn an_exchange_that_lasts_too_long_or_moves_too_much_is_ended() {
        let configs = configs();
        let mut late = Table::laid(&configs).unwrap();
        late.began = late.began.checked_sub(LONGEST + Duration::from_secs(1)).unwrap();
        assert!(matches!(late.settle(), Err(ExchangeError::TooLong(LONGEST))));
        let mut long = Table::laid(&configs).unwrap();
        long.octets = MOST_OCTETS;
        assert!(matches!(long.settle(), Err(ExchangeError::TooMuch)));
        assert!(Table::laid(&configs).unwrap().settle().is_ok());
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn an_exchange_leaves_no_port_behind() {
        use crate::system::socket::tests::is_known;
        let table = Table::laid(&configs()).unwrap();
        let socket = &table.client.socket;
        let (own, other) = (socket.local_addr().unwrap(), socket.peer_addr().unwrap());
        assert!(is_known(own, other));
        drop(table);
        assert!(!is_known(own, other), "a port that waits in vain");
    }

    #[test]
    fn a_socket_that_ends_early_is_told_from_one_that_is_slow() {
        let mut table = Table::laid(&configs()).unwrap();
        drop(std::mem::replace(&mut table.server.socket, socket_pair().unwrap().0));
        let broken = table.client.receive(1).unwrap_err();
        assert!(matches!(broken, ExchangeError::Socket { action: "read", .. }), "{broken}");
        for slow in [io::ErrorKind::WouldBlock, io::ErrorKind::TimedOut] {
            assert!(matches!(socket_error("read")(slow.into()), ExchangeError::TooLong(LONGEST)));
        }
        let gone = socket_error("read")(io::ErrorKind::ConnectionReset.into());
        assert!(matches!(gone, ExchangeError::Socket { action: "read", .. }));
    }
}
