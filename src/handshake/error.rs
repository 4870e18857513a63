//! Why a handshake test could not be carried out. That one endpoint refused the other is not an error, but a result.

use std::io;
use std::time::Duration;

use super::limits::{MAX_BYTES, MAX_KEPT_BYTES};
use super::starttls::StartTlsError;
use crate::keys::SigningError;
use crate::keys::private_key::PrivateKeyError;
use crate::text::{escape, io_reason};
use crate::tls::TlsVersion;
use crate::x509::DecodeError;

/// The test could not be carried out; this says nothing about the certificates.
#[derive(Debug, thiserror::Error)]
pub enum HandshakeError {
    #[error("'{}' is neither a host name nor an IP address that a TLS client could ask for", escape(.0))]
    HostName(String),
    #[error("'{}' cannot be reached: {reason}", escape(address))]
    Unreachable { address: String, reason: String },
    #[error("{} showed no certificate: {reason}", escape(address))]
    NothingShown { address: String, reason: String },
    #[error("{} did not begin TLS ({protocol}): {cause}", escape(address))]
    StartTls { address: String, protocol: &'static str, cause: StartTlsError },
    #[error("cannot listen on '{}': {reason}", escape(address))]
    Port { address: String, reason: String },
    #[error("a {version} handshake differed from those before it: {reason}")]
    Unsteady { version: TlsVersion, reason: String },
    #[error(transparent)]
    SetUp(#[from] SetUpError),
    #[error(transparent)]
    Exchange(#[from] ExchangeError),
    #[error(transparent)]
    Copy(#[from] CopyError),
}

/// Why a scenario cannot be set up.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SetUpError {
    #[error("the TLS library cannot use the private key of the {whose}: {reason}")]
    Key { whose: &'static str, reason: String },
    #[error("the TLS library cannot use the root certificate '{subject}' as a trust anchor: {reason}")]
    Root { subject: String, reason: String },
    #[error("there is not a root certificate to verify with")]
    NoRoots,
    #[error("the TLS library cannot use a CRL: {0}")]
    Crl(String),
    #[error("the TLS library cannot be set up: {0}")]
    Library(String),
    #[error("the time is before 1970, which the TLS library does not support")]
    Time,
}

/// The exchange ended for a reason that is not a TLS error.
#[derive(Debug, thiserror::Error)]
pub enum ExchangeError {
    #[error("the socket failed while trying to {action}: {}", io_reason(cause))]
    Socket { action: &'static str, cause: io::Error },
    #[error("the other side did not answer within {} seconds", .0.as_secs_f32())]
    TooLong(Duration),
    #[error("the exchange moved more than {MAX_BYTES} bytes")]
    TooMuch,
    #[error("all connections of the test together keep more than {} MiB", MAX_KEPT_BYTES / 2 / (1024 * 1024))]
    NoMemoryLeft,
    #[error("the TLS library refused to start: {0}")]
    Library(String),
}

/// Why a certificate could not be copied.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    #[error("no certificate of the chain or the roots issued '{0}'")]
    NoIssuer(String),
    #[error("the certificate '{0}' is not made of the fields that RFC 5280 lists")]
    Fields(String),
    #[error("a copy of a certificate cannot be read: {0}")]
    Decode(#[from] DecodeError),
    #[error(transparent)]
    Key(#[from] PrivateKeyError),
    #[error(transparent)]
    Signing(#[from] SigningError),
    #[error(transparent)]
    SetUp(#[from] SetUpError),
}
