//! Opens a TCP connection to a host and a port, within a time limit.

use std::net::{SocketAddr, TcpStream};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use super::error::HandshakeError;
use super::host;
use super::socket::socket_error;
use super::starttls::StartTls;
use crate::text::io_reason;

/// Returns the addresses of `host:port`, or an error after `limit`.
pub(super) fn resolve(address: &str, limit: Duration) -> Result<Vec<SocketAddr>, HandshakeError> {
    let unreachable = |reason: String| HandshakeError::Unreachable { address: address.to_owned(), reason };
    let (sender, receiver) = mpsc::channel();
    let asked = address.to_owned();
    // The system's resolver has no time limit. After the timeout its thread stays until the process ends.
    std::thread::spawn(move || {
        sender.send(host::look_up(&asked)).ok();
    });
    let found =
        receiver.recv_timeout(limit).map_err(|_| unreachable("its address was not found in time".to_owned()))?;
    let found = found.map_err(|error| unreachable(io_reason(&error).to_string()))?;
    if found.is_empty() { Err(unreachable("the name has no address".to_owned())) } else { Ok(found) }
}

/// Connects to the first address that answers, and asks for TLS where the protocol begins in the clear. `limit` is the time
/// for all addresses together, and again for the words in the clear; `host_name` is what the server is asked for.
pub(super) fn open(
    address: &str,
    addresses: &[SocketAddr],
    starttls: Option<StartTls>,
    host_name: &str,
    limit: Duration,
) -> Result<TcpStream, HandshakeError> {
    let mut socket = dial(address, addresses, limit)?;
    if let Some(protocol) = starttls {
        protocol.ask(&mut socket, host_name, limit).map_err(|cause| HandshakeError::StartTls {
            address: address.to_owned(),
            protocol: protocol.name(),
            cause,
        })?;
    }
    Ok(socket)
}

fn dial(address: &str, addresses: &[SocketAddr], limit: Duration) -> Result<TcpStream, HandshakeError> {
    let began = Instant::now();
    let mut reason = String::new();
    for candidate in addresses {
        let Some(left) = limit.checked_sub(began.elapsed()).filter(|left| !left.is_zero()) else { break };
        match TcpStream::connect_timeout(candidate, left) {
            Ok(socket) => {
                socket.set_nodelay(true).map_err(socket_error("set up"))?;
                return Ok(socket);
            }
            Err(error) => reason = io_reason(&error).to_string(),
        }
    }
    Err(HandshakeError::Unreachable { address: address.to_owned(), reason })
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::super::fixtures::TIMEOUT;
    use super::*;

    #[test]
    fn a_name_without_an_address_cannot_be_reached() {
        let error = resolve("--help:1", TIMEOUT).unwrap_err();
        assert!(error.to_string().contains("the name has no address"), "{error}");
        let error = resolve("nowhere", TIMEOUT).unwrap_err();
        assert!(matches!(error, HandshakeError::Unreachable { .. }), "{error}");
    }

    #[test]
    fn no_address_is_tried_when_the_time_is_up_and_the_next_one_when_the_first_does_not_answer() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let answers = listener.local_addr().unwrap();
        // The port of TCPMUX (RFC 1078), on which no program listens.
        let silent = "127.0.0.1:1".parse().unwrap();
        assert!(dial("web.test:1", &[silent, answers], TIMEOUT).is_ok());
        let refused = dial("web.test:1", &[silent], TIMEOUT).unwrap_err();
        assert!(refused.to_string().contains("web.test:1"), "{refused}");
        assert!(dial("web.test:1", &[answers], Duration::ZERO).is_err());
    }
}
