//! PROOF: a real TLS exchange with the certificates in question, and the refusal of the wrong ones. The door to rustls.
//!
//! A [`HandshakeTest`] says what is to be proved; [`run`] plays it and returns a [`HandshakeReport`]: plain facts, to be
//! shown by whoever asked. In reading order:
//!
//! - [`endpoint`]: who takes part: a chain and its key
//! - [`scenario`], [`config_pair`]: one exchange before it is played: both sides with what they hold and trust, and its time
//! - [`good_case`]: the test, and the exchange that has to succeed in it
//! - [`exchange`], [`socket`], [`limits`]: plays it over a loopback socket and keeps the bytes that crossed it
//! - [`connect`], [`listen`], [`call`], [`dial`], [`host`]: one part alone, the other played by another program
//! - [`known_bad_clients`]: what a server must refuse although its own CA signed it
//! - [`fetch`], [`witness`]: the certificates that a running server shows, and nothing more
//! - [`cause`], [`refused_certificate`]: why a side refused, and which certificate
//! - [`refusals`]: what must be refused, and the copies of certificates that this takes
//! - [`session`], [`facts`], [`report`], [`steps`]: what is reported in the end
//! - [`measure`], [`matrix`]: how fast it goes
//! - [`error`]: why a test could not be carried out
//!
//! The room reads a stop watch, which decides nothing; the time at which certificates are judged is an argument.

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
mod limits;
pub mod listen;
pub mod matrix;
pub mod measure;
mod observer;
mod peer_connection;
mod refusals;
mod refused_certificate;
pub mod report;
mod scenario;
mod session;
mod socket;
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
