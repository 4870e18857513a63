//! Pairs of loopback sockets, and a writer that records what it wrote.

use std::io::{self, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};

use super::error::ExchangeError;
use super::limits::MAX_DURATION;

/// The largest number of bytes in one write. The buffers of loopback sockets are larger, so a write never blocks.
const MAX_WRITE: usize = 16 * 1024;

/// Writes to a socket and records the bytes.
pub(super) struct RecordingWriter<'a> {
    pub socket: &'a mut TcpStream,
    pub bytes: Vec<u8>,
}

impl Write for RecordingWriter<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.write_vectored(&[io::IoSlice::new(bytes)])
    }

    /// Writes several records together, as one flight.
    fn write_vectored(&mut self, pieces: &[io::IoSlice<'_>]) -> io::Result<usize> {
        let before = self.bytes.len();
        for piece in pieces {
            let room = MAX_WRITE - (self.bytes.len() - before);
            self.bytes.extend_from_slice(&piece[..piece.len().min(room)]);
        }
        if let Err(error) = self.socket.write_all(&self.bytes[before..]) {
            self.bytes.truncate(before);
            return Err(error);
        }
        Ok(self.bytes.len() - before)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.socket.flush()
    }
}

/// Returns a connected pair of sockets on 127.0.0.1: the client's and the server's.
pub(super) fn socket_pair() -> Result<(TcpStream, TcpStream), ExchangeError> {
    let listener = TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).map_err(socket_error("listen"))?;
    let address = listener.local_addr().map_err(socket_error("listen"))?;
    let client = TcpStream::connect_timeout(&address, MAX_DURATION).map_err(socket_error("connect"))?;
    let own_address = client.local_addr().map_err(socket_error("connect"))?;
    // Another process on this machine may connect first; such connections are closed.
    for _ in 0..64 {
        let (server, peer) = listener.accept().map_err(socket_error("accept"))?;
        if peer == own_address {
            for socket in [&client, &server] {
                socket.set_nodelay(true).map_err(socket_error("set up"))?;
                socket.set_read_timeout(Some(MAX_DURATION)).map_err(socket_error("set up"))?;
                socket.set_write_timeout(Some(MAX_DURATION)).map_err(socket_error("set up"))?;
            }
            return Ok((client, server));
        }
    }
    Err(ExchangeError::Socket { action: "accept", cause: io::ErrorKind::AddrInUse.into() })
}

pub(super) fn socket_error(action: &'static str) -> impl FnOnce(io::Error) -> ExchangeError {
    move |cause| match cause.kind() {
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => ExchangeError::TooLong(MAX_DURATION),
        _ => ExchangeError::Socket { action, cause },
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    #[test]
    fn what_is_remembered_is_what_left_in_one_piece() {
        let (mut client, mut server) = socket_pair().unwrap();
        let mut writer = RecordingWriter { socket: &mut client, bytes: b"before ".to_vec() };
        let pieces = [&b"some"[..], &[], &[b'x'; MAX_WRITE]].map(io::IoSlice::new);
        assert_eq!(writer.write_vectored(&pieces).unwrap(), MAX_WRITE);
        let mut arrived = vec![0; MAX_WRITE];
        server.read_exact(&mut arrived).unwrap();
        assert!(arrived.starts_with(b"somexxx") && writer.bytes == [b"before ", &arrived[..]].concat());
        writer.socket.shutdown(std::net::Shutdown::Write).unwrap();
        writer.write_all(b"late").unwrap_err();
        assert_eq!(writer.bytes.len(), b"before ".len() + MAX_WRITE);
    }
}
