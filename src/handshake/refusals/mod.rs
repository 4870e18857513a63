//! What must be refused: one line per case, each tried in every TLS version.
//!
//! A case changes one thing in the good case. Where that takes another certificate, it is a copy from a look-alike CA;
//! where it takes another time, the clock of the side that verifies is moved; where it takes a peer that the TLS library
//! cannot play, its bytes are written by hand.
//!
//! - [`case`], [`cases`]: an endpoint holds or shows the wrong thing; [`material`], [`lookalike_ca`]: what that takes
//! - [`peers`]: an endpoint does not speak the protocol as it has to be spoken

mod case;
pub(super) mod cases;
pub(super) mod lookalike_ca;
pub(super) mod material;
pub(super) mod peers;

use super::error::HandshakeError;
use super::report::Refusal;
use super::scenario::Scenario;
use material::Material;

/// Tries every case as a change of this good case.
pub(super) fn try_all(material: &Material<'_>, good: &Scenario) -> Result<Vec<Refusal>, HandshakeError> {
    let certificates = cases::CASES.iter().map(|case| case.attempt(material, good, Scenario::ends));
    let others = peers::PEERS.iter().map(|peer| peer.attempt(good, material.test.timeout));
    certificates.chain(others).collect()
}

#[cfg(test)]
mod tests;
