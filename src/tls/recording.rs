//! A session in formats that other tools read: an NSS key log, and a pcapng file that includes the secrets.
//!
//! The TLS bytes are those that crossed the loopback socket. The TCP and IP headers around them are generated here
//! (port 443, one packet for each flight), because a program without privileges cannot capture the real ones.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use time::OffsetDateTime;
use zeroize::Zeroizing;

use super::decrypt::Secrets;
use super::message::Message;
use super::trace;
use super::wire::{Flight, Side};

/// The bytes that crossed the wire in one exchange, and the secrets that decrypt them.
#[derive(Clone, Default)]
pub struct Recording {
    flights: Vec<Flight>,
    secrets: Arc<Secrets>,
}

impl Recording {
    pub fn new(flights: Vec<Flight>, secrets: Arc<Secrets>) -> Self {
        Self { flights, secrets }
    }

    /// Returns the messages, decrypted as far as the secrets allow.
    pub fn messages(&self) -> Vec<Message> {
        trace::read(&self.flights, &self.secrets)
    }

    /// Returns one line `LABEL client-random secret` for each secret
    /// (<https://www.ietf.org/archive/id/draft-ietf-tls-keylogfile-05.html>). Anyone who has the key log can decrypt
    /// the session.
    pub fn key_log(&self) -> Zeroizing<String> {
        self.secrets.key_log()
    }

    /// Returns the number of bytes on the wire in both directions.
    pub fn bytes(&self) -> usize {
        self.flights.iter().map(|flight| flight.bytes.len()).sum()
    }
}

impl fmt::Debug for Recording {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { flights, secrets: _ } = self;
        write!(f, "Recording({} flights, [elided])", flights.len())
    }
}

/// The link type of packets that begin with an IP header (<https://www.tcpdump.org/linktypes.html>).
const LINKTYPE_RAW: u16 = 101;
/// The first client port; each recording has its own.
const FIRST_CLIENT_PORT: u16 = 50_000;
const SERVER_PORT: u16 = 443;
/// The secrets are an NSS key log (pcapng, Decryption Secrets Block).
const SECRETS_TLS_KEY_LOG: u32 = 0x544c_534b;

/// Returns all recordings as one pcapng file (draft-ietf-opsawg-pcapng). The first starts at `at`, each further one a
/// second later.
pub fn pcapng<'a>(recordings: impl IntoIterator<Item = &'a Recording>, at: OffsetDateTime) -> Zeroizing<Vec<u8>> {
    let mut out = Zeroizing::new(Vec::new());
    // Section header: byte order, version 1.0, length unknown.
    block(&mut out, 0x0a0d_0d0a, &[&0x1a2b_3c4d_u32.to_le_bytes(), &[1, 0, 0, 0], &[0xff; 8]]);
    // Interface: link type, reserved, snap length 0 (no limit); timestamps in microseconds by default.
    block(&mut out, 1, &[&LINKTYPE_RAW.to_le_bytes(), &[0, 0], &[0; 4]]);
    for (number, recording) in (0_u16..).zip(recordings) {
        let key_log = recording.key_log();
        let secrets = key_log.as_bytes();
        block(&mut out, 10, &[&SECRETS_TLS_KEY_LOG.to_le_bytes(), &length(secrets), secrets]);
        let began = u64::try_from(at.unix_timestamp()).unwrap_or(0) + u64::from(number);
        let mut conversation = TcpConversation { port: FIRST_CLIENT_PORT.wrapping_add(number), client: 0, server: 0 };
        for (since, packet) in conversation.packets(&recording.flights) {
            let micros = began * 1_000_000 + u64::try_from(since.as_micros()).unwrap_or(0);
            let (high, low) = ((micros >> 32) as u32, micros as u32);
            let (high, low) = (high.to_le_bytes(), low.to_le_bytes());
            block(&mut out, 6, &[&[0; 4], &high, &low, &length(&packet), &length(&packet), &packet]);
        }
    }
    out
}

/// Appends a block: type, length, content padded to a multiple of four bytes, length again.
fn block(out: &mut Vec<u8>, kind: u32, parts: &[&[u8]]) {
    let content: usize = parts.iter().map(|part| part.len()).sum();
    let padding = content.next_multiple_of(4) - content;
    let total = ((content + padding + 12) as u32).to_le_bytes();
    out.extend_from_slice(&kind.to_le_bytes());
    out.extend_from_slice(&total);
    for part in parts {
        out.extend_from_slice(part);
    }
    out.extend_from_slice(&[0; 3][..padding]);
    out.extend_from_slice(&total);
}

fn length(bytes: &[u8]) -> [u8; 4] {
    (bytes.len() as u32).to_le_bytes()
}

/// The sequence numbers of both endpoints of a TCP connection, from which its packets are generated.
struct TcpConversation {
    port: u16,
    client: u32,
    server: u32,
}

const FIN: u8 = 0x01;
const SYN: u8 = 0x02;
const PUSH: u8 = 0x08;
const ACK: u8 = 0x10;

impl TcpConversation {
    fn packets(&mut self, flights: &[Flight]) -> Vec<(Duration, Vec<u8>)> {
        let last = flights.last().map_or(Duration::ZERO, |flight| flight.at);
        let mut packets = vec![
            (Duration::ZERO, self.packet(Side::Client, SYN, &[])),
            (Duration::ZERO, self.packet(Side::Server, SYN | ACK, &[])),
            (Duration::ZERO, self.packet(Side::Client, ACK, &[])),
        ];
        packets.extend(flights.iter().map(|flight| (flight.at, self.packet(flight.from, PUSH | ACK, &flight.bytes))));
        packets.push((last, self.packet(Side::Client, FIN | ACK, &[])));
        packets.push((last, self.packet(Side::Server, FIN | ACK, &[])));
        packets.push((last, self.packet(Side::Client, ACK, &[])));
        packets
    }

    /// Returns an IPv4 packet (RFC 791) with a TCP segment (RFC 9293) from 127.0.0.1 to 127.0.0.1.
    fn packet(&mut self, from: Side, flags: u8, payload: &[u8]) -> Vec<u8> {
        const LOOPBACK: [u8; 4] = [127, 0, 0, 1];
        let (source, target, sent, received) = match from {
            Side::Client => (self.port, SERVER_PORT, &mut self.client, self.server),
            Side::Server => (SERVER_PORT, self.port, &mut self.server, self.client),
        };
        let acknowledged = if flags & ACK == 0 { 0 } else { received };
        let mut segment = Vec::with_capacity(20 + payload.len());
        segment.extend_from_slice(&source.to_be_bytes());
        segment.extend_from_slice(&target.to_be_bytes());
        segment.extend_from_slice(&sent.to_be_bytes());
        segment.extend_from_slice(&acknowledged.to_be_bytes());
        segment.extend_from_slice(&[0x50, flags, 0xff, 0xff, 0, 0, 0, 0]);
        segment.extend_from_slice(payload);
        let segment_length = (segment.len() as u16).to_be_bytes();
        let pseudo_header = [&LOOPBACK[..], &LOOPBACK, &[0, 6], &segment_length].concat();
        let sum = checksum(&[&pseudo_header, &segment]);
        segment[16..18].copy_from_slice(&sum);
        // SYN and FIN each count as one byte (RFC 9293 §3.4).
        *sent = sent.wrapping_add(payload.len() as u32 + u32::from(flags & (SYN | FIN) != 0));

        let total = ((segment.len() + 20) as u16).to_be_bytes();
        let mut header = vec![0x45, 0, total[0], total[1], 0, 0, 0x40, 0, 64, 6, 0, 0];
        header.extend_from_slice(&LOOPBACK);
        header.extend_from_slice(&LOOPBACK);
        let sum = checksum(&[&header]);
        header[10..12].copy_from_slice(&sum);
        [header, segment].concat()
    }
}

/// Returns the Internet checksum (RFC 1071) of the parts; each part but the last must have an even length.
fn checksum(parts: &[&[u8]]) -> [u8; 2] {
    let words = parts.iter().flat_map(|part| part.chunks(2));
    let sum: u32 = words.map(|pair| u32::from(pair[0]) << 8 | pair.get(1).map_or(0, |low| u32::from(*low))).sum();
    let folded = (sum & 0xffff) + (sum >> 16);
    (!((folded & 0xffff) + (folded >> 16)) as u16).to_be_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secrets() -> Arc<Secrets> {
        let secrets = Secrets::default();
        secrets.add("CLIENT_RANDOM", &[1], &[2]);
        Arc::new(secrets)
    }

    #[test]
    fn every_block_of_the_file_says_its_length_twice_and_fills_it() {
        let flights = vec![
            Flight { from: Side::Client, at: Duration::from_micros(10), bytes: vec![22, 3, 1, 0, 1, 9] },
            Flight { from: Side::Server, at: Duration::from_micros(20), bytes: vec![21, 3, 3, 0, 2, 2, 40] },
        ];
        let recording = Recording::new(flights, secrets());
        let file = pcapng([&recording, &recording], OffsetDateTime::UNIX_EPOCH);
        let (mut rest, mut kinds) = (file.as_slice(), Vec::new());
        while !rest.is_empty() {
            let number = |at: usize| u32::from_le_bytes(rest[at..at + 4].try_into().unwrap());
            let total = number(4) as usize;
            assert_eq!((total % 4, number(total - 4) as usize), (0, total));
            kinds.push(number(0));
            rest = &rest[total..];
        }
        let conversation = [&[10][..], &[6; 8]].concat();
        assert_eq!(kinds, [&[0x0a0d_0d0a, 1][..], &conversation, &conversation].concat());
    }

    /// RFC 9293 §3.4: a receiver that adds up what was sent finds no gap, and nothing twice.
    #[test]
    fn the_packets_of_a_conversation_are_consecutive_and_have_the_bytes_of_the_flights() {
        let flights = [
            Flight { from: Side::Client, at: Duration::from_micros(10), bytes: vec![1, 2, 3] },
            Flight { from: Side::Server, at: Duration::from_micros(20), bytes: vec![4, 5] },
            Flight { from: Side::Server, at: Duration::from_micros(30), bytes: vec![6] },
        ];
        let mut conversation = TcpConversation { port: 50_001, client: 0, server: 0 };
        let seen: Vec<_> = conversation
            .packets(&flights)
            .iter()
            .map(|(at, packet)| {
                let number = |at: usize| u32::from_be_bytes(packet[at..at + 4].try_into().unwrap());
                let ports = [number(20) >> 16, number(20) & 0xffff];
                // Summed up with its checksum, a header gives nothing (RFC 1071 §1).
                let length = ((packet.len() - 20) as u16).to_be_bytes();
                let pseudo_header = [&packet[12..20], &[0, 6], &length].concat();
                assert_eq!((checksum(&[&packet[..20]]), checksum(&[&pseudo_header, &packet[20..]])), ([0; 2], [0; 2]));
                (at.as_micros(), ports[0], packet[33], number(24), number(28), packet[40..].to_vec())
            })
            .collect();
        let (client, server) = (50_001, 443);
        let expected = [
            (0, client, SYN, 0, 0, vec![]),
            (0, server, SYN | ACK, 0, 1, vec![]),
            (0, client, ACK, 1, 1, vec![]),
            (10, client, PUSH | ACK, 1, 1, vec![1, 2, 3]),
            (20, server, PUSH | ACK, 1, 4, vec![4, 5]),
            (30, server, PUSH | ACK, 3, 4, vec![6]),
            (30, client, FIN | ACK, 4, 4, vec![]),
            (30, server, FIN | ACK, 4, 5, vec![]),
            (30, client, ACK, 5, 5, vec![]),
        ];
        assert_eq!(seen, expected);
        assert_eq!(conversation.packet(Side::Client, SYN, &[])[28..32], [0; 4], "nothing is acknowledged without ACK");
    }

    #[test]
    fn each_recording_has_its_own_port_and_second() {
        let recording = Recording::new(Vec::new(), secrets());
        let at = OffsetDateTime::from_unix_timestamp(1_700_000_000).unwrap();
        let file = pcapng([&recording, &recording], at);
        let (mut rest, mut seen) = (file.as_slice(), Vec::new());
        while !rest.is_empty() {
            let number = |at: usize| u32::from_le_bytes(rest[at..at + 4].try_into().unwrap());
            let total = number(4) as usize;
            if number(0) == 6 {
                let packet = &rest[28..28 + number(20) as usize];
                assert_eq!((number(20), packet.len()), (number(24), 40));
                let micros = u64::from(number(12)) << 32 | u64::from(number(16));
                let ports = [&packet[20..22], &packet[22..24]].map(|port| u16::from_be_bytes([port[0], port[1]]));
                seen.push((micros, ports.into_iter().max().unwrap()));
            }
            rest = &rest[total..];
        }
        seen.dedup();
        assert_eq!(seen, [(1_700_000_000_000_000, 50_000), (1_700_000_001_000_000, 50_001)]);
    }

    #[test]
    fn the_checksum_is_that_of_the_published_example() {
        // RFC 1071 §3: the sum is ddf2 before it is complemented.
        assert_eq!(checksum(&[&[0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7]]), (!0xddf2_u16).to_be_bytes());
    }

    #[test]
    fn a_recording_cannot_be_printed() {
        let recording = Recording::new(Vec::new(), secrets());
        assert_eq!(format!("{recording:?}"), "Recording(0 flights, [elided])");
    }
}
