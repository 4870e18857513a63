//! HANDSHAKE: real TLS exchanges with given certificates, and the refusal of invalid ones. The only room that uses
//! rustls.
//!
//! A [`HandshakeTest`] is the input; [`run`] carries it out and returns a [`HandshakeReport`], which the caller prints.
//! In reading order:
//!
//! - [`endpoint`]: a chain and its key
//! - [`scenario`], [`config_pair`], [`secp521r1`]: the settings of one exchange, and the TLS configurations made of them
//! - [`good_case`]: the test, and the exchange that has to succeed in it
//! - [`exchange`], [`socket`], [`limits`]: carries it out over a loopback socket and records its bytes
//! - [`connect`], [`listen`], [`peer_connection`], [`dial`], [`host`]: the tests with another program as the peer
//! - [`starttls`], [`application`]: what is said before and after the handshake, and what an answer means
//! - [`known_bad_clients`]: certificates that a server must refuse although its own CA signed them
//! - [`fetch`], [`observer`]: the certificates that a running server shows
//! - [`cause`], [`refused_certificate`], [`likely_cause`]: why an endpoint refused, and which certificate
//! - [`refusals`]: the cases that must be refused, and the copied certificates that they need
//! - [`session`], [`facts`], [`report`], [`steps`]: the results
//! - [`measure`], [`matrix`]: handshakes per second
//! - [`memory_budget`]: what all sessions of a test may keep
//! - [`error`]: why a test could not be carried out
//!
//! The room measures durations, on which no result depends; the time at which certificates are verified is an argument.

pub mod application;
pub mod cause;
mod config_pair;
pub mod connect;
mod diagnosis;
mod dial;
pub mod endpoint;
mod error;
mod exchange;
mod facts;
pub mod fetch;
mod good_case;
mod host;
mod key_log;
pub mod known_bad_clients;
pub mod likely_cause;
mod limits;
pub mod listen;
pub mod matrix;
pub mod measure;
mod memory_budget;
mod observer;
mod peer_connection;
mod refusals;
mod refused_certificate;
pub mod report;
mod revocation;
mod scenario;
mod secp521r1;
mod session;
mod socket;
pub mod starttls;
pub mod steps;

#[cfg(test)]
mod fixtures;

pub use endpoint::{Endpoint, EndpointError};
pub use error::{CopyError, ExchangeError, HandshakeError, SetUpError};
pub use good_case::HandshakeTest;
pub use observer::KeyProof;
pub use report::{HandshakeReport, ObservedPeer, Refusal, Session};
pub use scenario::ClientAuthentication;
pub use session::run;
