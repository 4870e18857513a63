//! PROOF: a real TLS exchange with the certificates in question, and the refusal of the wrong ones. The door to rustls.
//!
//! A [`HandshakeTest`] says what is to be proved; [`run`] plays it and returns a [`HandshakeReport`]: plain facts, to be
//! shown by whoever asked. In reading order:
//!
//! - [`party`]: who takes part: a chain and its key
//! - [`scenario`]: one exchange before it is played: both sides with what they hold, trust and believe the time to be
//! - [`exchange`]: plays it over a loopback socket and keeps every octet that crossed it
//! - [`connect`], [`listen`], [`call`]: one part alone, the other played by somebody else's program
//! - [`fetch`]: the certificates that a running server shows, and nothing more
//! - [`cause`], [`fault`]: why a side refused, and which certificate
//! - [`throw_away`], [`refusals`]: what must be refused, and the copies of certificates that this takes
//! - [`session`], [`report`], [`steps`]: what is told in the end
//! - [`measure`], [`matrix`]: how fast it goes
//!
//! The room reads a stop watch, which decides nothing; the time at which certificates are judged is an argument.

mod call;
pub mod cause;
pub mod connect;
mod exchange;
mod fault;
pub mod fetch;
mod host;
mod key_log;
pub mod listen;
pub mod matrix;
pub mod measure;
pub mod party;
mod refusals;
pub mod report;
mod scenario;
mod session;
pub mod steps;
mod throw_away;

#[cfg(test)]
mod fixtures;

pub use exchange::ExchangeError;
pub use party::{Party, PartyError};
pub use report::{HandshakeReport, Peer, Refusal, Session};
pub use scenario::{ClientAuthentication, SetUpError};
pub use session::{HandshakeError, HandshakeTest, run};
