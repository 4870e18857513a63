//! One case: a change to the exchange that has to succeed, after which it has to be refused.

use super::super::config_pair::ConfigPair;
use super::super::error::{HandshakeError, SetUpError};
use super::super::report::{ExpectedRefusal, Refusal, RefusalOutcome};
use super::super::scenario::Scenario;
use super::super::{cause, exchange, facts};
use super::forged_peer::{CaseNotPlayed, ForgedPeers};
use crate::tls::{Alert, Side, trace};

/// A case: its code and title, the endpoint that must refuse it and why, and its change to the scenario.
pub(in super::super) struct Case {
    pub name: &'static str,
    title: &'static str,
    pub by: Side,
    pub error: &'static str,
    pub change: fn(&ForgedPeers<'_>, &mut Scenario) -> Result<(), CaseNotPlayed>,
}

pub(super) const fn by_server(
    name: &'static str,
    title: &'static str,
    error: &'static str,
    change: fn(&ForgedPeers<'_>, &mut Scenario) -> Result<(), CaseNotPlayed>,
) -> Case {
    Case { name, title, by: Side::Server, error, change }
}

pub(super) const fn by_client(
    name: &'static str,
    title: &'static str,
    error: &'static str,
    change: fn(&ForgedPeers<'_>, &mut Scenario) -> Result<(), CaseNotPlayed>,
) -> Case {
    Case { name, title, by: Side::Client, error, change }
}

impl Case {
    fn expected(&self) -> ExpectedRefusal {
        ExpectedRefusal { by: self.by, error: self.error, alert: alert_for(self.error) }
    }

    /// Carries out the case with the configurations that `configs` returns; only tests pass other ones than
    /// [`Scenario::configs`].
    pub fn attempt(
        &self,
        forged: &ForgedPeers<'_>,
        good: &Scenario,
        configs: impl Fn(&Scenario) -> Result<ConfigPair, SetUpError>,
    ) -> Result<Refusal, HandshakeError> {
        let mut scenario = good.clone();
        let mut recording = None;
        let outcome = match (self.change)(forged, &mut scenario) {
            Err(CaseNotPlayed::Untried(reason)) => RefusalOutcome::Untried(reason),
            Err(CaseNotPlayed::Failed(error)) => return Err(error.into()),
            Ok(()) => {
                let exchange = exchange::play(&configs(&scenario)?)?;
                let messages = trace::read(&exchange.flights, &exchange.secrets);
                let failure = facts::failure_of(&exchange, &messages);
                recording = Some(exchange.into_recording());
                failure.map_or(RefusalOutcome::Accepted, RefusalOutcome::Refused)
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

/// Returns the alert that rustls sends for the error (RFC 8446 §6.2); errors without an alert of their own are
/// `certificate_unknown`.
fn alert_for(error: &str) -> Option<Alert> {
    Some(match error {
        cause::NO_CERTIFICATE => Alert::CERTIFICATE_REQUIRED,
        cause::UNKNOWN_ISSUER => Alert::UNKNOWN_CA,
        cause::BAD_SIGNATURE => Alert::DECRYPT_ERROR,
        cause::EXPIRED | cause::NOT_YET_VALID => Alert::CERTIFICATE_EXPIRED,
        cause::REVOKED => Alert::CERTIFICATE_REVOKED,
        cause::WRONG_PURPOSE => Alert::UNSUPPORTED_CERTIFICATE,
        cause::WRONG_NAME => Alert::BAD_CERTIFICATE,
        cause::NOT_A_CA | cause::NAME_NOT_PERMITTED => Alert::CERTIFICATE_UNKNOWN,
        _ => return None,
    })
}
