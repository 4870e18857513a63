//! PostgreSQL from the side of the server: its clients ask for TLS before they speak it, and read its messages after that.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use super::StartTls;

/// The requests with which a client begins (PostgreSQL, "Message Formats": SSLRequest and GSSENCRequest): their length, 8, and
/// a number that is no version of the protocol.
const SSL_REQUEST: [u8; 8] = [0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f];
const GSSENC_REQUEST: [u8; 8] = [0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x30];

/// How long the rest of the first bytes is waited for, when the first one is not of TLS.
const REST: Duration = Duration::from_secs(1);
const POLL_INTERVAL: Duration = Duration::from_millis(1);

/// Gives a client of PostgreSQL the permission to begin TLS: `N` for GSSAPI, and `S` for TLS. Any other client is left as it is: no
/// byte of it is taken. Returns the protocol that the client speaks before TLS; `None` for TLS from the first byte.
///
/// # Errors
/// When the connection fails, or the client sends nothing within `limit`.
pub fn permit(socket: &mut TcpStream, limit: Duration) -> io::Result<Option<StartTls>> {
    socket.set_read_timeout(Some(limit))?;
    // A client asks for GSSAPI once, and for TLS once.
    for _ in 0..2 {
        match first_bytes(socket)? {
            SSL_REQUEST => {
                socket.read_exact(&mut [0; 8])?;
                socket.write_all(b"S")?;
                return Ok(Some(StartTls::Postgres));
            }
            GSSENC_REQUEST => {
                socket.read_exact(&mut [0; 8])?;
                socket.write_all(b"N")?;
            }
            _ => return Ok(None),
        }
    }
    Ok(None)
}

/// Looks at the first bytes; those that did not arrive are 0. Only a client of PostgreSQL begins with one.
fn first_bytes(socket: &TcpStream) -> io::Result<[u8; 8]> {
    let (mut bytes, began) = ([0; 8], Instant::now());
    loop {
        let count = socket.peek(&mut bytes)?;
        let may_go_on =
            count > 0 && count < bytes.len() && SSL_REQUEST.starts_with(bytes.get(..count.min(4)).unwrap_or_default());
        if !may_go_on || began.elapsed() > REST {
            return Ok(bytes);
        }
        std::thread::sleep(POLL_INTERVAL);
    }
}

/// Returns an ErrorResponse, which a client of PostgreSQL shows to its user.
pub fn error_response(text: &str) -> Vec<u8> {
    let fields = [("S", "FATAL"), ("V", "FATAL"), ("C", "28000"), ("M", text)];
    let fields: Vec<u8> =
        fields.iter().flat_map(|(kind, value)| [kind.as_bytes(), value.as_bytes(), b"\0"].concat()).collect();
    // The length counts itself and the last zero.
    let length = u32::try_from(fields.len() + 5).unwrap_or(u32::MAX).to_be_bytes();
    [b"E".as_slice(), &length, &fields, b"\0"].concat()
}

#[cfg(test)]
mod tests {
    use super::super::super::socket::socket_pair;
    use super::*;

    const LIMIT: Duration = Duration::from_secs(10);

    fn permitted(sent: &[&[u8]]) -> (Option<StartTls>, Vec<u8>, Vec<u8>) {
        let (mut client, mut server) = socket_pair().unwrap();
        let (answers, found, rest) = std::thread::scope(|scope| {
            let asking = scope.spawn(move || {
                let mut answers = Vec::new();
                for (at, words) in sent.iter().enumerate() {
                    client.write_all(words).unwrap();
                    if at + 1 < sent.len() {
                        let mut answer = [0];
                        client.read_exact(&mut answer).unwrap();
                        answers.push(answer[0]);
                    }
                }
                answers
            });
            let found = permit(&mut server, LIMIT).unwrap();
            let answers = asking.join().unwrap();
            let mut rest = Vec::new();
            server.read_to_end(&mut rest).unwrap();
            (answers, found, rest)
        });
        (found, answers, rest)
    }

    #[test]
    fn a_client_of_postgresql_is_permitted_tls_and_refused_gssapi() {
        let hello = [22, 3, 1, 0, 5, 1, 0, 0, 1];
        let asked = permitted(&[&GSSENC_REQUEST, &SSL_REQUEST, &hello]);
        assert_eq!(asked, (Some(StartTls::Postgres), b"NS".to_vec(), hello.to_vec()));
        assert_eq!(permitted(&[&SSL_REQUEST, &hello]), (Some(StartTls::Postgres), b"S".to_vec(), hello.to_vec()));
    }

    #[test]
    fn no_byte_of_another_client_is_taken() {
        let startup = [0, 0, 0, 9, 0, 3, 0, 0, 0];
        for words in [&[22, 3, 1, 0, 5, 1, 0, 0, 1][..], b"GET / HTTP/1.1\r\n\r\n", &startup, &[0, 0, 0], &[22], &[]] {
            assert_eq!(permitted(&[words]), (None, Vec::new(), words.to_vec()), "{words:?}");
        }
    }

    #[test]
    fn the_length_of_an_error_counts_itself() {
        let message = error_response("no");
        assert_eq!(message, [b"E\0\0\0".as_slice(), &[30], b"SFATAL\0VFATAL\0C28000\0Mno\0\0"].concat());
    }
}
