//! STARTTLS: the words in the clear with which a client asks a server to begin TLS on a connection.
//!
//! Nothing is sent but what the protocol needs for that: no user, no password. What a server sends after its permission is
//! not read as part of the TLS session, but ends the test: a third party could have put it there (RFC 3207 §5).

mod dialogue;
mod protocols;
pub(super) mod server;

#[cfg(test)]
mod tests;

use std::net::TcpStream;
use std::time::Duration;

use self::dialogue::Dialogue;
pub use self::dialogue::StartTlsError;
pub(super) use self::protocols::stream_header;

/// A protocol that begins in the clear.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StartTls {
    Postgres,
    Mysql,
    Smtp,
    Lmtp,
    Imap,
    Pop3,
    Ldap,
    Ftp,
    Xmpp,
    Sieve,
    Nntp,
}

impl StartTls {
    pub const ALL: [Self; 11] = [
        Self::Postgres,
        Self::Mysql,
        Self::Smtp,
        Self::Lmtp,
        Self::Imap,
        Self::Pop3,
        Self::Ldap,
        Self::Ftp,
        Self::Xmpp,
        Self::Sieve,
        Self::Nntp,
    ];

    /// The word on the command line and in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Postgres => "postgres",
            Self::Mysql => "mysql",
            Self::Smtp => "smtp",
            Self::Lmtp => "lmtp",
            Self::Imap => "imap",
            Self::Pop3 => "pop3",
            Self::Ldap => "ldap",
            Self::Ftp => "ftp",
            Self::Xmpp => "xmpp",
            Self::Sieve => "sieve",
            Self::Nntp => "nntp",
        }
    }

    /// The ports on which servers of this protocol begin in the clear, as IANA registered them; 24 is for private mail systems,
    /// and LMTP servers use it.
    pub fn ports(self) -> &'static [u16] {
        match self {
            Self::Postgres => &[5432],
            Self::Mysql => &[3306],
            // 587 is for submission (RFC 6409).
            Self::Smtp => &[25, 587],
            Self::Lmtp => &[24],
            Self::Imap => &[143],
            Self::Pop3 => &[110],
            Self::Ldap => &[389],
            Self::Ftp => &[21],
            // 5269 is for servers among themselves.
            Self::Xmpp => &[5222, XMPP_SERVERS],
            Self::Sieve => &[4190],
            Self::Nntp => &[119],
        }
    }

    /// Returns the protocol of a port on which TLS is not spoken from the first byte.
    pub fn of_port(port: u16) -> Option<Self> {
        Self::ALL.into_iter().find(|protocol| protocol.ports().contains(&port))
    }

    /// Asks the server to begin TLS. After that, the next byte in both directions is of TLS.
    ///
    /// # Errors
    /// When the server refuses, does not speak the protocol, closes, or takes longer than `limit`.
    pub(super) fn ask(self, socket: &mut TcpStream, host_name: &str, limit: Duration) -> Result<(), StartTlsError> {
        let port = socket.peer_addr().map_or(0, |address| address.port());
        let mut dialogue = Dialogue::new(socket, limit);
        match self {
            Self::Postgres => protocols::postgres(&mut dialogue),
            Self::Mysql => protocols::mysql(&mut dialogue),
            Self::Smtp => protocols::smtp(&mut dialogue, "EHLO"),
            Self::Lmtp => protocols::smtp(&mut dialogue, "LHLO"),
            Self::Imap => protocols::imap(&mut dialogue),
            Self::Pop3 => protocols::pop3(&mut dialogue),
            Self::Ldap => protocols::ldap(&mut dialogue),
            Self::Ftp => protocols::ftp(&mut dialogue),
            Self::Xmpp => protocols::xmpp(&mut dialogue, host_name, port == XMPP_SERVERS),
            Self::Sieve => protocols::sieve(&mut dialogue),
            Self::Nntp => protocols::nntp(&mut dialogue),
        }?;
        dialogue.end()
    }
}

const XMPP_SERVERS: u16 = 5269;
