//! What the client says to a running server after the handshake, and what the server's answer means.
//!
//! In TLS 1.3 a server verifies the client's certificate after the client has finished. So the client says something
//! harmless in the server's protocol, and its answer shows that it was let in. An answer is a refusal only if the protocol
//! has a status for that. Without an answer the handshake decides: see [`super::peer_connection`].

use super::cause::Cause;
use super::starttls::{StartTls, stream_header};

/// A protocol above TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ApplicationProtocol {
    Http,
    /// Nothing is said: the handshake alone decides.
    None,
    /// One that can begin in the clear.
    Other(StartTls),
}

impl ApplicationProtocol {
    /// The word on the command line and in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::None => "none",
            Self::Other(protocol) => protocol.name(),
        }
    }

    /// Returns the protocol of a port on which TLS is spoken from the first byte, as IANA registered it or servers use it: HTTP
    /// unless another one is known there. To AMQP, Redis, MQTT, Kafka and MongoDB nothing is said.
    pub fn of_tls_port(port: u16) -> Self {
        match port {
            465 => Self::Other(StartTls::Smtp),
            993 => Self::Other(StartTls::Imap),
            995 => Self::Other(StartTls::Pop3),
            636 => Self::Other(StartTls::Ldap),
            990 => Self::Other(StartTls::Ftp),
            563 => Self::Other(StartTls::Nntp),
            5223 | 5270 => Self::Other(StartTls::Xmpp),
            5671 | 6379 | 6380 | 8883 | 9093 | 27017 => Self::None,
            _ => Self::Http,
        }
    }
}

/// The words of the client, and the protocol that says what an answer means.
#[derive(Debug, Clone)]
pub(super) struct Question {
    protocol: ApplicationProtocol,
    pub words: Vec<u8>,
}

/// The client connection preface and an empty SETTINGS frame (RFC 9113 §3.4).
const HTTP_2: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";

/// How much of an answer is kept: its first line is enough.
const ENOUGH: usize = 512;

impl Question {
    /// Returns the question to a server of this name; `path` is for HTTP, `user` for protocols that begin with one.
    pub fn new(protocol: ApplicationProtocol, host_name: &str, path: &str, user: &str) -> Self {
        let words = match protocol {
            ApplicationProtocol::Http => {
                format!("GET {path} HTTP/1.1\r\nHost: {host_name}\r\nUser-Agent: ca\r\nConnection: close\r\n\r\n")
                    .into()
            }
            ApplicationProtocol::None => Vec::new(),
            ApplicationProtocol::Other(StartTls::Smtp | StartTls::Lmtp | StartTls::Ftp) => b"NOOP\r\n".to_vec(),
            ApplicationProtocol::Other(StartTls::Imap) => b"a2 NOOP\r\n".to_vec(),
            ApplicationProtocol::Other(StartTls::Pop3) => b"CAPA\r\n".to_vec(),
            ApplicationProtocol::Other(StartTls::Nntp) => b"DATE\r\n".to_vec(),
            ApplicationProtocol::Other(StartTls::Sieve) => b"CAPABILITY\r\n".to_vec(),
            ApplicationProtocol::Other(StartTls::Xmpp) => stream_header("jabber:client", host_name).into_bytes(),
            // An anonymous bind: messageID 2, bindRequest { version 3, name "", simple "" } (RFC 4513 §5.1.1).
            ApplicationProtocol::Other(StartTls::Ldap) => {
                vec![0x30, 0x0c, 0x02, 0x01, 0x02, 0x60, 0x07, 0x02, 0x01, 0x03, 0x04, 0x00, 0x80, 0x00]
            }
            ApplicationProtocol::Other(StartTls::Postgres) => postgres_startup(user),
            // Who may log in is decided for each user, after the client's certificate was accepted.
            ApplicationProtocol::Other(StartTls::Mysql) => Vec::new(),
        };
        Self { protocol, words }
    }

    /// Returns the question for the protocol that was negotiated (ALPN).
    pub fn negotiated(&self, alpn: Option<&[u8]>) -> &[u8] {
        if self.protocol == ApplicationProtocol::Http && alpn == Some(b"h2") { HTTP_2 } else { &self.words }
    }

    /// Returns whether nothing is said, so that no answer is waited for.
    pub fn is_silent(&self) -> bool {
        self.words.is_empty()
    }

    /// Returns whether this much of an answer is enough to judge it.
    pub fn has_enough(&self, answer: &[u8]) -> bool {
        let is_whole = answer.len() >= ENOUGH || answer.contains(&b'\n');
        match self.protocol {
            ApplicationProtocol::Http => {
                let begins_like_http = answer.iter().zip(b"HTTP/").all(|(received, http)| received == http);
                !answer.is_empty() && (is_whole || !begins_like_http)
            }
            ApplicationProtocol::Other(StartTls::Postgres) => match answer {
                // A message: its type, and its length without the type.
                [b'E', a, b, c, d, rest @ ..] => {
                    let length = u32::from_be_bytes([*a, *b, *c, *d]) as usize;
                    rest.len() + 4 >= length.min(ENOUGH)
                }
                [b'E', ..] | [] => false,
                _ => true,
            },
            ApplicationProtocol::Other(StartTls::Ldap | StartTls::Mysql | StartTls::Xmpp)
            | ApplicationProtocol::None => !answer.is_empty(),
            ApplicationProtocol::Other(_) => is_whole,
        }
    }

    /// Returns the refusal that an answer is; `None` when it is not one.
    pub fn refusal(&self, answer: &[u8]) -> Option<Cause> {
        let line = answer.split(|byte| *byte == b'\n').next().unwrap_or_default().trim_ascii_end();
        let code = line.get(..3).and_then(|code| std::str::from_utf8(code).ok()?.parse::<u16>().ok()).unwrap_or(0);
        let refuses = match self.protocol {
            ApplicationProtocol::Http => return Cause::http(http_status(answer)).or_else(|| of_greeting(line)),
            ApplicationProtocol::None => return of_greeting(line),
            // A server that lets the client in has nothing against NOOP.
            ApplicationProtocol::Other(StartTls::Smtp | StartTls::Lmtp) => code >= 400,
            // 530 only asks for a user. The others are about the connection (RFC 4217 §4, RFC 2228 §8).
            ApplicationProtocol::Other(StartTls::Ftp) => matches!(code, 421 | 431 | 522 | 533..=536),
            ApplicationProtocol::Other(StartTls::Nntp) => matches!(code, 400 | 502),
            ApplicationProtocol::Other(StartTls::Imap | StartTls::Sieve) => is_bye(line),
            ApplicationProtocol::Other(StartTls::Xmpp) => answer.windows(13).any(|window| window == b"<stream:error"),
            ApplicationProtocol::Other(StartTls::Postgres) => return of_postgres(answer),
            ApplicationProtocol::Other(StartTls::Pop3 | StartTls::Ldap | StartTls::Mysql) => false,
        };
        refuses.then(|| Cause::by_protocol(&String::from_utf8_lossy(line)))
    }

    /// Returns the HTTP status of an answer; empty when it has none.
    pub fn status<'a>(&self, answer: &'a [u8]) -> &'a str {
        if self.protocol == ApplicationProtocol::Http { http_status(answer) } else { "" }
    }
}

fn is_bye(line: &[u8]) -> bool {
    let starts = |word: &[u8]| line.get(..word.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(word));
    starts(b"* BYE") || starts(b"BYE")
}

/// The greeting of a server that speaks first, when it refuses the connection: SMTP's 421 and 554 (RFC 5321 §3.1), which FTP
/// and NNTP have too (421, 400), IMAP's BYE, POP3's -ERR.
fn of_greeting(line: &[u8]) -> Option<Cause> {
    let is_code = |code: &[u8; 3]| line.starts_with(code) && matches!(line.get(3), Some(b' ' | b'-'));
    let refuses = [b"421", b"554", b"400"].iter().any(|code| is_code(code)) || is_bye(line);
    refuses.then(|| Cause::by_protocol(&String::from_utf8_lossy(line)))
}

/// Returns the status in the first line of an HTTP response; empty when it is not HTTP.
fn http_status(response: &[u8]) -> &str {
    let line = response.split(|byte| *byte == b'\r').next().and_then(|line| std::str::from_utf8(line).ok());
    line.and_then(|line| line.strip_prefix("HTTP/")).and_then(|rest| rest.split(' ').nth(1)).unwrap_or_default()
}

/// A StartupMessage of protocol 3.0 for this user.
fn postgres_startup(user: &str) -> Vec<u8> {
    // A name ends at its first zero byte.
    let user = user.split('\0').next().unwrap_or_default();
    let mut words = vec![0, 3, 0, 0];
    for word in ["user", user, "database", "postgres"] {
        words.extend_from_slice(word.as_bytes());
        words.push(0);
    }
    words.push(0);
    let length = u32::try_from(words.len() + 4).unwrap_or(u32::MAX).to_be_bytes();
    [length.as_slice(), &words].concat()
}

/// An ErrorResponse about the client's certificate or the server's list of who may connect. Others, such as an unknown role,
/// come after the client was authenticated.
fn of_postgres(answer: &[u8]) -> Option<Cause> {
    let fields = answer.strip_prefix(b"E")?.get(4..)?;
    // Each field has a letter, a text, and a zero byte: C is the code, M the message, R the function that reports it.
    let field = |letter: u8| {
        let field = fields.split(|byte| *byte == 0).find(|field| field.first() == Some(&letter))?;
        Some(String::from_utf8_lossy(&field[1..]).into_owned())
    };
    let (code, message) = (field(b'C')?, field(b'M').unwrap_or_default());
    let is_of_connection = match field(b'R').as_deref() {
        Some(function) => matches!(function, "ClientAuthentication" | "auth_failed"),
        // A pooler, which has no functions.
        None => true,
    };
    // Class 28: invalid authorization; 08P01 is a pooler's word for it.
    let refuses = (code.starts_with("28") || code == "08P01") && is_of_connection;
    refuses.then(|| Cause::by_protocol(&format!("{code} {message}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(protocol: ApplicationProtocol, answer: &[u8]) -> Option<String> {
        let question = Question::new(protocol, "localhost", "/", "anna");
        assert!(question.has_enough(answer), "{}", String::from_utf8_lossy(answer));
        question.refusal(answer).map(|cause| cause.code.to_owned())
    }

    #[test]
    fn an_answer_is_a_refusal_when_its_protocol_says_so() {
        let other = ApplicationProtocol::Other;
        let postgres = |fields: &[&str]| {
            let body = fields.iter().map(|field| format!("{field}\0")).collect::<String>() + "\0";
            [b"E".as_slice(), &u32::try_from(body.len() + 4).unwrap().to_be_bytes(), body.as_bytes()].concat()
        };
        for (protocol, answer, code) in [
            (ApplicationProtocol::Http, b"HTTP/1.1 200 OK\r\n".to_vec(), None),
            (ApplicationProtocol::Http, b"HTTP/1.1 400 Bad Request\r\n".to_vec(), Some("http-400")),
            // Other servers, to which a request for a page was sent.
            (ApplicationProtocol::Http, b"-ERR unknown command\r\n".to_vec(), None),
            (ApplicationProtocol::Http, b"220 mail.test ESMTP\r\n".to_vec(), None),
            (ApplicationProtocol::Http, b"421 4.7.1 not trusted\r\n".to_vec(), Some("refused-by-protocol")),
            (ApplicationProtocol::Http, b"* BYE no certificate\r\n".to_vec(), Some("refused-by-protocol")),
            (ApplicationProtocol::Http, b"4210 bottles\r\n".to_vec(), None),
            (other(StartTls::Smtp), b"250 2.0.0 OK\r\n".to_vec(), None),
            (other(StartTls::Smtp), b"421 4.7.1 not trusted\r\n".to_vec(), Some("refused-by-protocol")),
            (other(StartTls::Smtp), b"550 5.7.1 certificate required\r\n".to_vec(), Some("refused-by-protocol")),
            (other(StartTls::Ftp), b"530 Please login\r\n".to_vec(), None),
            (other(StartTls::Ftp), b"522 SSL connection failed\r\n".to_vec(), Some("refused-by-protocol")),
            (other(StartTls::Nntp), b"111 20261130000000\r\n".to_vec(), None),
            (other(StartTls::Imap), b"a2 OK NOOP completed\r\n".to_vec(), None),
            (other(StartTls::Imap), b"* BYE certificate required\r\n".to_vec(), Some("refused-by-protocol")),
            (other(StartTls::Pop3), b"-ERR unknown\r\n".to_vec(), None),
            (other(StartTls::Xmpp), b"<stream:error><not-authorized/>".to_vec(), Some("refused-by-protocol")),
            (other(StartTls::Ldap), vec![0x30, 0x0c, 0x02, 0x01, 0x02, 0x61, 0x07], None),
            // A request for a password, and errors before and after the client was authenticated.
            (other(StartTls::Postgres), b"R\0\0\0\x17\0\0\0\x0a".to_vec(), None),
            (other(StartTls::Postgres), postgres(&["C28000", "Mno role", "RInitializeSessionUserId"]), None),
            (
                other(StartTls::Postgres),
                postgres(&[
                    "SFATAL",
                    "C28000",
                    "Mconnection requires a valid client certificate",
                    "RClientAuthentication",
                ]),
                Some("refused-by-protocol"),
            ),
            (other(StartTls::Postgres), postgres(&["C28P01", "Mno"]), Some("refused-by-protocol")),
            (other(StartTls::Postgres), postgres(&["C3D000", "Mno such database"]), None),
        ] {
            let shown = String::from_utf8_lossy(&answer).into_owned();
            assert_eq!(refusal(protocol, &answer).as_deref(), code, "{protocol:?} {shown}");
        }
    }

    #[test]
    fn half_an_answer_is_not_judged() {
        let http = Question::new(ApplicationProtocol::Http, "localhost", "/", "");
        let smtp = Question::new(ApplicationProtocol::Other(StartTls::Smtp), "localhost", "/", "");
        let postgres = Question::new(ApplicationProtocol::Other(StartTls::Postgres), "localhost", "/", "");
        for (question, answer) in
            [(&http, &b"HTTP/1.1 4"[..]), (&http, b""), (&smtp, b"42"), (&postgres, b"E\0\0\0\x20C2")]
        {
            assert!(!question.has_enough(answer), "{answer:?}");
        }
    }

    #[test]
    fn http_2_is_spoken_where_it_was_negotiated() {
        let question = Question::new(ApplicationProtocol::Http, "localhost", "/api", "");
        assert!(question.negotiated(None).starts_with(b"GET /api HTTP/1.1\r\n"));
        assert!(question.negotiated(Some(b"h2")).starts_with(b"PRI * HTTP/2.0"));
        let silent = Question::new(ApplicationProtocol::None, "localhost", "/", "");
        assert!(silent.is_silent() && silent.negotiated(Some(b"h2")).is_empty());
    }

    proptest::proptest! {
        #[test]
        fn no_answer_makes_a_question_panic(answer in proptest::collection::vec(proptest::num::u8::ANY, 0..40)) {
            for protocol in StartTls::ALL.map(ApplicationProtocol::Other).into_iter().chain([ApplicationProtocol::Http, ApplicationProtocol::None]) {
                let question = Question::new(protocol, "localhost", "/", "anna");
                drop((question.has_enough(&answer), question.refusal(&answer)));
            }
        }
    }
}
