//! What must be refused: one line per case, each tried in every TLS version.
//!
//! A case changes one thing in the good case. Where that takes another certificate, it is a copy from a look-alike CA;
//! where it takes another time, the clock of the side that verifies is moved; where it takes a peer that the TLS library
//! cannot play, its bytes are written by hand.
//!
//! - [`case`], [`cases`]: an endpoint holds or shows the wrong thing; [`forged_peer`], [`lookalike_ca`]: what that takes
//! - [`handwritten_peers`]: an endpoint does not speak the protocol as it has to be spoken

mod case;
pub(super) mod cases;
pub(super) mod forged_peer;
pub(super) mod handwritten_peers;
pub(super) mod lookalike_ca;

use super::error::HandshakeError;
use super::report::Refusal;
use super::scenario::Scenario;
use forged_peer::ForgedPeers;

/// Tries each case as a change of this good case.
pub(super) fn try_all(forged: &ForgedPeers<'_>, good: &Scenario) -> Result<Vec<Refusal>, HandshakeError> {
    let certificates = cases::CASES.iter().map(|case| case.attempt(forged, good, Scenario::configs));
    let others = handwritten_peers::HANDWRITTEN_PEERS.iter().map(|peer| peer.attempt(good, forged.test.timeout));
    certificates.chain(others).collect()
}

#[cfg(test)]
mod tests;
