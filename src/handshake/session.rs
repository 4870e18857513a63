//! The whole test: the good case in every version, and then what must be refused.

use super::cause::Cause;
use super::config_pair::ConfigPair;
use super::error::HandshakeError;
use super::good_case::{HandshakeTest, good_case};
use super::refusals::forged_peer::ForgedPeers;
use super::report::{HandshakeFailure, HandshakeReport, ObservedPeer, Session};
use super::scenario::Scenario;
use super::{exchange, facts, refusals};
use crate::tls::{Group, Side};

/// Holds the test.
///
/// # Errors
/// When it cannot be held: the host name is none, a key or a root is unusable, the loopback socket fails.
pub fn run(test: &HandshakeTest<'_>) -> Result<HandshakeReport, HandshakeError> {
    let mut report = HandshakeReport {
        at: test.at,
        host_name: test.host_name.to_owned(),
        sessions: Vec::new(),
        refusals: Vec::new(),
    };
    let scenarios: Vec<Scenario> =
        test.versions.iter().map(|version| good_case(test, *version)).collect::<Result<_, _>>()?;
    let mut passed = Vec::new();
    for scenario in &scenarios {
        let configs = scenario.configs()?;
        let configs = if test.resume { configs.resumable()? } else { configs };
        let session = play_good_case(scenario, &configs)?;
        let resumed = (test.resume && session.passed()).then(|| resume(&configs, &session)).transpose()?;
        if session.passed() {
            passed.push(scenario);
        }
        report.sessions.extend([Some(session), resumed].into_iter().flatten());
    }
    // Where the good case fails, a refusal of the bad ones proves nothing.
    if test.refusals && !passed.is_empty() {
        let forged = ForgedPeers::new(test)?;
        for scenario in passed {
            // The copies have other keys: the real lists do not speak of them.
            report.refusals.extend(refusals::try_all(&forged, &scenario.without_crls())?);
        }
    }
    Ok(report)
}

/// The session of a scenario between its endpoints.
fn play_good_case(scenario: &Scenario, configs: &ConfigPair) -> Result<Session, HandshakeError> {
    let session = facts::session_from(scenario.version, exchange::play(configs)?);
    Ok(if scenario.server_groups == Group::ON_REQUEST { with_retry_checked(session) } else { session })
}

/// A session for which the server had to ask for another key share; without that it proves nothing of it.
fn with_retry_checked(mut session: Session) -> Session {
    if session.passed() && !session.hello_retry() {
        session.failure =
            Some(HandshakeFailure { by: Side::Server, alert: None, cause: Cause::not_retried(), certificate: None });
    }
    session
}

/// Takes up the session that `ends` have just had. Nobody shows a certificate: whoever has the secret of the ticket is
/// whoever was there before (RFC 8446 §2.2).
fn resume(configs: &ConfigPair, earlier: &Session) -> Result<Session, HandshakeError> {
    let configs = configs.with_new_secrets();
    let mut session = facts::session_from(earlier.version, exchange::play(&configs)?);
    if !session.resumed && session.passed() {
        session.failure =
            Some(HandshakeFailure { by: Side::Server, alert: None, cause: Cause::not_resumed(), certificate: None });
    }
    // Of a session that was not taken up again, its own certificates tell.
    if session.passed() {
        for (peer, before) in [(&mut session.server, &earlier.server), (&mut session.client, &earlier.client)] {
            *peer = ObservedPeer { signature: None, ..before.clone() };
        }
    }
    Ok(session)
}

#[cfg(test)]
mod tests;
