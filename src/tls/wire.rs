//! The bytes that crossed a socket, with their sender and time, and the records in them.

use std::fmt;
use std::time::Duration;

/// One of the two endpoints of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Side {
    Client,
    Server,
}

impl Side {
    /// Returns the opposite endpoint.
    pub const fn other(self) -> Self {
        match self {
            Self::Client => Self::Server,
            Self::Server => Self::Client,
        }
    }

    /// Returns `client` or `server`, as in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Server => "server",
        }
    }
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// The bytes that one endpoint wrote at once; all messages of a flight have its time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flight {
    pub from: Side,
    /// The time since the start of the exchange.
    pub at: Duration,
    pub bytes: Vec<u8>,
}

/// One TLS record (RFC 8446 §5.1) as it was on the wire.
#[derive(Debug, Clone, Copy)]
pub struct Record<'a> {
    /// Content type, version, length.
    pub header: [u8; 5],
    pub payload: &'a [u8],
}

impl Record<'_> {
    pub fn content_type(&self) -> u8 {
        self.header[0]
    }
}

/// Returns whether a record can begin with these bytes: a registered type, and major version 3 (RFC 8446 §5.1).
pub fn may_begin_record(bytes: &[u8]) -> bool {
    bytes.first().is_none_or(|kind| (20..=24).contains(kind)) && bytes.get(1).is_none_or(|major| *major == 3)
}

/// Splits the first record from `bytes`; `None` while it is incomplete.
pub fn first_record(bytes: &[u8]) -> Option<(Record<'_>, &[u8])> {
    let (header, rest) = bytes.split_first_chunk::<5>()?;
    let length = usize::from(u16::from_be_bytes([header[3], header[4]]));
    let (payload, rest) = rest.split_at_checked(length)?;
    Some((Record { header: *header, payload }, rest))
}

/// Reads big-endian fields in sequence; a read returns `None` when there are too few bytes.
#[derive(Debug, Clone, Copy)]
pub struct Reader<'a>(pub &'a [u8]);

impl<'a> Reader<'a> {
    pub fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    /// Reads a number of `bytes` bytes, at most four.
    pub fn number(&mut self, bytes: usize) -> Option<usize> {
        Some(self.take(bytes)?.iter().fold(0, |number, byte| number << 8 | usize::from(*byte)))
    }

    pub fn u8(&mut self) -> Option<u8> {
        self.take(1)?.first().copied()
    }

    pub fn u16(&mut self) -> Option<u16> {
        let bytes = self.take(2)?;
        Some(u16::from_be_bytes(bytes.try_into().ok()?))
    }

    /// Reads a vector that is preceded by its length in `bytes` bytes.
    pub fn vector(&mut self, bytes: usize) -> Option<&'a [u8]> {
        let length = self.number(bytes)?;
        self.take(length)
    }

    /// Reads a vector of 16-bit numbers that is preceded by its length in `bytes` bytes.
    pub fn numbers(&mut self, bytes: usize) -> Option<Vec<u16>> {
        let content = self.vector(bytes)?;
        Some(content.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]])).collect())
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_cut_off_only_when_it_is_whole() {
        let bytes = [22, 3, 3, 0, 2, 7, 8, 99];
        for incomplete in 0..7 {
            assert!(first_record(&bytes[..incomplete]).is_none(), "{incomplete} bytes");
        }
        let (record, rest) = first_record(&bytes).unwrap();
        assert_eq!((record.content_type(), record.payload, rest), (22, &[7, 8][..], &[99][..]));
    }

    #[test]
    fn a_page_request_is_no_record() {
        assert!(!may_begin_record(b"GET / HTTP/1.1\r\n") && !may_begin_record(&[22, 2]));
        assert!(!may_begin_record(&[19, 3]) && !may_begin_record(&[25, 3]));
        assert!([&[][..], &[22], &[22, 3, 1], &[23, 3, 3, 0, 0]].iter().all(|bytes| may_begin_record(bytes)));
    }

    #[test]
    fn a_vector_that_claims_too_much_is_nothing() {
        assert_eq!(Reader(&[0, 3, 1, 2]).vector(2), None);
        assert_eq!(Reader(&[0, 2, 1, 2]).numbers(2), Some(vec![0x0102]));
        assert_eq!(Reader(&[]).u8(), None);
    }
}
