//! A conversation in the clear, limited in time and bytes.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use crate::system::socket::is_gone;
use crate::text::{escape, io_reason};

/// The most that a server may say before TLS.
const MAX_BYTES: usize = 64 * 1024;

/// How much of an answer is shown.
const MAX_SHOWN: usize = 200;

/// Why a server did not begin TLS.
#[derive(Debug, thiserror::Error)]
pub enum StartTlsError {
    #[error("the server closed the connection before TLS")]
    Closed,
    #[error("the server did not answer within {} seconds", .0.as_secs_f32())]
    TooLong(Duration),
    #[error("the server sent more than {MAX_BYTES} bytes before TLS")]
    TooMuch,
    #[error("the server does not offer TLS")]
    NotOffered,
    #[error("the server answered: {0}")]
    Refused(String),
    #[error("the server does not speak this protocol; it sent: {0}")]
    OtherProtocol(String),
    #[error("the server sent more after its permission to begin TLS, which a third party could have put there")]
    MoreAfterPermission,
    #[error("the connection failed: {}", io_reason(.0))]
    Connection(io::Error),
}

impl StartTlsError {
    pub fn refused(said: &[u8]) -> Self {
        Self::Refused(shown(said))
    }

    pub fn other_protocol(said: &[u8]) -> Self {
        Self::OtherProtocol(shown(said))
    }
}

/// Text of a server as it is shown: escaped, in one row, and not too long.
fn shown(said: &[u8]) -> String {
    let text = String::from_utf8_lossy(said.get(..MAX_SHOWN).unwrap_or(said)).trim_end().to_owned();
    if text.is_empty() { "nothing".to_owned() } else { escape(&text) }
}

/// The bytes that arrived and were not used yet, and the limits.
pub(super) struct Dialogue<'a> {
    socket: &'a mut TcpStream,
    began: Instant,
    limit: Duration,
    unused: Vec<u8>,
    received: usize,
}

impl<'a> Dialogue<'a> {
    pub fn new(socket: &'a mut TcpStream, limit: Duration) -> Self {
        Self { socket, began: Instant::now(), limit, unused: Vec::new(), received: 0 }
    }

    pub fn send(&mut self, bytes: &[u8]) -> Result<(), StartTlsError> {
        let left = self.left()?;
        self.socket.set_write_timeout(Some(left)).map_err(StartTlsError::Connection)?;
        self.socket.write_all(bytes).map_err(|error| self.failed(error))
    }

    /// Returns the next line, without the newline.
    pub fn line(&mut self) -> Result<Vec<u8>, StartTlsError> {
        let (line, _) = self.until(|unused| unused.iter().position(|byte| *byte == b'\n').map(|at| at + 1))?;
        Ok(line.strip_suffix(b"\n").map(|line| line.strip_suffix(b"\r").unwrap_or(line)).unwrap_or(&line).to_vec())
    }

    /// Returns as many bytes.
    pub fn exactly(&mut self, count: usize) -> Result<Vec<u8>, StartTlsError> {
        Ok(self.until(|unused| (unused.len() >= count).then_some(count))?.0)
    }

    /// Returns everything up to the end of the first of these texts that appears, and which it is.
    pub fn text_until(&mut self, ends: &[&str]) -> Result<(Vec<u8>, usize), StartTlsError> {
        let mut found = 0;
        let (text, _) = self.until(|unused| {
            let at = |end: &str| unused.windows(end.len()).position(|window| window == end.as_bytes());
            let first = ends.iter().enumerate().filter_map(|(number, end)| Some((at(end)? + end.len(), number))).min();
            first.map(|(length, number)| {
                found = number;
                length
            })
        })?;
        Ok((text, found))
    }

    /// Reads until the length of what is wanted is known, and returns that much.
    fn until(&mut self, mut wanted: impl FnMut(&[u8]) -> Option<usize>) -> Result<(Vec<u8>, usize), StartTlsError> {
        loop {
            if let Some(length) = wanted(&self.unused) {
                let rest = self.unused.split_off(length);
                return Ok((std::mem::replace(&mut self.unused, rest), length));
            }
            self.read()?;
        }
    }

    fn read(&mut self) -> Result<(), StartTlsError> {
        let left = self.left()?;
        self.socket.set_read_timeout(Some(left)).map_err(StartTlsError::Connection)?;
        let mut buffer = [0; 4096];
        let count = match self.socket.read(&mut buffer) {
            Ok(count) => count,
            Err(error) if is_gone(&error) => 0,
            Err(error) => return Err(self.failed(error)),
        };
        // What was said before the end of the connection is the reason, if anything was.
        match (count, self.unused.as_slice()) {
            (0, []) => return Err(StartTlsError::Closed),
            (0, said) => return Err(StartTlsError::refused(said)),
            _ => {}
        }
        self.received += count;
        if self.received > MAX_BYTES {
            return Err(StartTlsError::TooMuch);
        }
        self.unused.extend_from_slice(buffer.get(..count).unwrap_or_default());
        Ok(())
    }

    /// The permission was given; the server says nothing more before the client's first TLS message.
    pub fn end(self) -> Result<(), StartTlsError> {
        if self.unused.is_empty() { Ok(()) } else { Err(StartTlsError::MoreAfterPermission) }
    }

    fn left(&self) -> Result<Duration, StartTlsError> {
        let left = self.limit.checked_sub(self.began.elapsed()).filter(|left| !left.is_zero());
        left.ok_or(StartTlsError::TooLong(self.limit))
    }

    fn failed(&self, error: io::Error) -> StartTlsError {
        match error.kind() {
            io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => StartTlsError::TooLong(self.limit),
            _ => StartTlsError::Connection(error),
        }
    }
}
