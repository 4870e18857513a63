//! The whole test: the good case in each version, then the cases that must be refused.

use super::cause::Cause;
use super::config_pair::ConfigPair;
use super::error::HandshakeError;
use super::good_case::{HandshakeTest, good_case};
use super::refusals::forged_peer::ForgedPeers;
use super::report::{HandshakeFailure, HandshakeReport, ObservedPeer, Session};
use super::scenario::Scenario;
use super::{exchange, facts, refusals};
use crate::tls::{Group, Side};

/// Carries out the test.
///
/// # Errors
/// When it cannot be carried out: the host name is invalid, a key or a root is unusable, or the loopback socket fails.
pub fn run(test: &HandshakeTest<'_>) -> Result<HandshakeReport, HandshakeError> {
    let mut report = HandshakeReport {
        at: test.at,
        host_name: test.host_name.to_owned(),
        sessions: Vec::new(),
        refusals: Vec::new(),
        not_kept: 0,
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
    // Where the good case fails, refusals prove nothing.
    if test.refusals && !passed.is_empty() {
        let forged = ForgedPeers::new(test)?;
        for scenario in passed {
            // The copies are not certificates of the CA that the revocations are of.
            report.refusals.extend(refusals::try_all(&forged, &scenario.without_revocations())?);
        }
    }
    Ok(report)
}

/// Carries out a scenario and returns its session.
fn play_good_case(scenario: &Scenario, configs: &ConfigPair) -> Result<Session, HandshakeError> {
    let session = facts::session_from(scenario.version, exchange::play(configs)?);
    Ok(if scenario.server_groups == Group::ON_REQUEST { with_retry_checked(session) } else { session })
}

/// Fails a session in which the server had to request another key share and did not.
fn with_retry_checked(mut session: Session) -> Session {
    if session.passed() && !session.hello_retry() {
        session.failure = Some(HandshakeFailure {
            by: Side::Server,
            alert: None,
            cause: Cause::not_retried(),
            certificate: None,
            likely: None,
        });
    }
    session
}

/// Resumes the session that `configs` have just had. No certificate is shown: the secret of the ticket authenticates
/// both endpoints (RFC 8446 §2.2).
fn resume(configs: &ConfigPair, earlier: &Session) -> Result<Session, HandshakeError> {
    let configs = configs.with_new_secrets();
    let mut session = facts::session_from(earlier.version, exchange::play(&configs)?);
    if !session.resumed && session.passed() {
        session.failure = Some(HandshakeFailure {
            by: Side::Server,
            alert: None,
            cause: Cause::not_resumed(),
            certificate: None,
            likely: None,
        });
    }
    // A session that was not resumed has its own certificates.
    if session.passed() {
        for (peer, before) in [(&mut session.server, &earlier.server), (&mut session.client, &earlier.client)] {
            *peer = ObservedPeer { signature: None, ..before.clone() };
        }
    }
    Ok(session)
}

#[cfg(test)]
mod tests;
