//! What must be refused: one line per case, each tried in every TLS version.
//!
//! A case changes one thing in the good case. Where that takes another certificate, it is a copy from a throw-away
//! hierarchy; where it takes another time, the clock of the side that judges is moved; where it takes a peer that the
//! TLS library cannot play, its octets are written by hand.
//!
//! - [`cases`]: who holds or shows the wrong thing; [`material`]: what that takes
//! - [`peers`]: who does not speak the protocol as it has to be spoken

pub(super) mod cases;
pub(super) mod material;
pub(super) mod peers;

use super::ends::Ends;
use super::error::{CopyError, HandshakeError, SetUpError};
use super::report::{Expected, Outcome, Refusal};
use super::scenario::Scenario;
use super::{cause, exchange, facts};
use crate::tls::{Side, trace};
pub(super) use cases::serves;
pub(super) use material::{Double, Material, stranger};

/// A case: its word, its words, who must refuse it and why, and what it changes.
pub(super) struct Case {
    pub name: &'static str,
    title: &'static str,
    by: Side,
    error: &'static str,
    change: fn(&Material<'_>, &mut Scenario) -> Result<(), Obstacle>,
}

/// Why a case was not played.
pub(super) enum Obstacle {
    /// These certificates leave nothing to try.
    Untried(String),
    Failed(CopyError),
}

impl<E: Into<CopyError>> From<E> for Obstacle {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

const fn by_server(
    name: &'static str,
    title: &'static str,
    error: &'static str,
    change: fn(&Material<'_>, &mut Scenario) -> Result<(), Obstacle>,
) -> Case {
    Case { name, title, by: Side::Server, error, change }
}

const fn by_client(
    name: &'static str,
    title: &'static str,
    error: &'static str,
    change: fn(&Material<'_>, &mut Scenario) -> Result<(), Obstacle>,
) -> Case {
    Case { name, title, by: Side::Client, error, change }
}

/// Tries every case as a change of this good case.
pub(super) fn try_all(material: &Material<'_>, good: &Scenario) -> Result<Vec<Refusal>, HandshakeError> {
    let certificates = cases::CASES.iter().map(|case| case.attempt(material, good, Scenario::ends));
    let others = peers::PEERS.iter().map(|peer| peer.attempt(good, material.test.timeout));
    certificates.chain(others).collect()
}

impl Case {
    fn expected(&self) -> Expected {
        Expected { by: self.by, error: self.error, alert: alert_for(self.error) }
    }

    /// Plays the case with the ends that `ends` makes of it; only the tests make them of softer stuff.
    pub fn attempt(
        &self,
        material: &Material<'_>,
        good: &Scenario,
        ends: impl Fn(&Scenario) -> Result<Ends, SetUpError>,
    ) -> Result<Refusal, HandshakeError> {
        let mut scenario = good.clone();
        let mut recording = None;
        let outcome = match (self.change)(material, &mut scenario) {
            Err(Obstacle::Untried(reason)) => Outcome::Untried(reason),
            Err(Obstacle::Failed(error)) => return Err(error.into()),
            Ok(()) => {
                let exchange = exchange::play(&ends(&scenario)?)?;
                let messages = trace::read(&exchange.flights, &exchange.secrets);
                let breakdown = facts::failure_of(&exchange, &messages);
                recording = Some(exchange.into_recording());
                breakdown.map_or(Outcome::Accepted, Outcome::Refused)
            }
        };
        Ok(Refusal {
            case: self.name,
            title: self.title,
            version: good.version,
            outcome,
            expected: self.expected(),
            caveat: None,
            recording,
        })
    }
}

/// The alert that says so on the wire (RFC 8446 §6.2, in the choice of rustls: what it has no alert of its own for is
/// `certificate_unknown`).
fn alert_for(error: &str) -> Option<&'static str> {
    Some(match error {
        cause::NO_CERTIFICATE => "certificate_required",
        cause::UNKNOWN_ISSUER => "unknown_ca",
        cause::BAD_SIGNATURE => "decrypt_error",
        cause::EXPIRED | cause::NOT_YET_VALID => "certificate_expired",
        cause::REVOKED => "certificate_revoked",
        cause::WRONG_PURPOSE => "unsupported_certificate",
        cause::WRONG_NAME => "bad_certificate",
        cause::NOT_A_CA | cause::NAME_NOT_PERMITTED => "certificate_unknown",
        _ => return None,
    })
}

#[cfg(test)]
mod tests;
