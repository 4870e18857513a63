//! A handshake test that could not be held. That one side refused the other is no failure but the test's answer.

use super::Failure;
use crate::handshake::{ExchangeError, HandshakeError, SetUpError};

impl From<HandshakeError> for Failure {
    fn from(error: HandshakeError) -> Self {
        let sentence = error.to_string();
        match error {
            HandshakeError::HostName(_) => Self::usage("bad-host-name", sentence)
                .hint("give a name that stands in the server's certificate with --hostname"),
            HandshakeError::Unreachable { .. } => {
                Self::usage("unreachable", sentence).hint("check host and port, and that the server is running")
            }
            HandshakeError::NothingShown { .. } => Self::refused("no-chain-shown", sentence).hint(
                "check that TLS is spoken on this port from the first octet on (no STARTTLS), in version 1.2 or 1.3",
            ),
            HandshakeError::Port { .. } => Self::usage("port", sentence)
                .hint("take a port that nobody listens on: 127.0.0.1:0 stands for any that is free"),
            HandshakeError::Unsteady { .. } => Self::refused("unsteady", sentence),
            HandshakeError::SetUp(SetUpError::Root { .. } | SetUpError::NoRoots) => Self::usage("bad-roots", sentence)
                .hint("give the CA certificate that issued the server and the client with --roots"),
            HandshakeError::SetUp(SetUpError::Key { .. }) => Self::usage("bad-key", sentence),
            HandshakeError::SetUp(_) => Self::refused("tls-set-up", sentence),
            HandshakeError::Copy(_) => Self::refused("copy-failed", sentence)
                .hint("--no-refusals leaves out what needs copies of the certificates"),
            HandshakeError::Exchange(ExchangeError::Socket { .. }) => Self::refused("socket-failed", sentence)
                .hint("the test needs a TCP connection to 127.0.0.1 on a free port"),
            HandshakeError::Exchange(_) => Self::refused("exchange-failed", sentence),
        }
    }
}
