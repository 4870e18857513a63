//! The codes of a handshake test that could not be held. That one side refuses the other is not an error but the test's answer.

use super::error::{ExchangeError, HandshakeError, SetUpError};
use super::starttls::StartTlsError;
use crate::text::{Diagnosis, Diagnostic};

impl Diagnostic for HandshakeError {
    fn diagnosis(&self) -> Diagnosis {
        match self {
            Self::HostName(_) => {
                Diagnosis::usage("bad-host-name").hint("give a name of the server's certificate with --hostname")
            }
            Self::Unreachable { .. } => {
                Diagnosis::usage("unreachable").hint("check host and port, and that the server is running")
            }
            Self::NothingShown { .. } => Diagnosis::refused("no-chain-shown")
                .hint("check that this port speaks TLS 1.2 or 1.3 from the first byte; else give --starttls PROTOCOL"),
            Self::StartTls { cause: StartTlsError::NotOffered, .. } => Diagnosis::refused("starttls-failed")
                .hint("let the server offer TLS on this port, or give its port for TLS"),
            Self::StartTls { .. } => Diagnosis::refused("starttls-failed")
                .hint("check host, port and protocol; --starttls none begins TLS with the first byte"),
            Self::Port { .. } => Diagnosis::usage("port").hint("use a free port: 127.0.0.1:0 means any free port"),
            Self::Unsteady { .. } => Diagnosis::refused("unsteady"),
            Self::SetUp(SetUpError::Root { .. } | SetUpError::NoRoots) => Diagnosis::usage("bad-roots")
                .hint("give the CA certificate that issued the server and the client with --roots"),
            Self::SetUp(SetUpError::Key { .. }) => Diagnosis::usage("bad-key"),
            Self::SetUp(_) => Diagnosis::refused("tls-set-up"),
            Self::Copy(_) => {
                Diagnosis::refused("copy-failed").hint("--no-refusals leaves out what needs copies of the certificates")
            }
            Self::Exchange(ExchangeError::Socket { .. }) => {
                Diagnosis::refused("socket-failed").hint("the test needs a TCP connection to 127.0.0.1 on a free port")
            }
            Self::Exchange(_) => Diagnosis::refused("exchange-failed"),
        }
    }
}
