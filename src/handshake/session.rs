//! The whole test: the good case in every version, and then what must be refused.

use std::time::Duration;

use rustls::pki_types::ServerName;
use time::OffsetDateTime;

use super::cause::{self, Cause};
use super::exchange::{self, Exchange, ExchangeError};
use super::fault;
use super::party::Party;
use super::refusals::{self, Material};
use super::report::{Breakdown, HandshakeReport, Peer, Session};
use super::scenario::{self, ClientAuthentication, Ends, Scenario, SetUpError, Standard};
use super::throw_away::CopyError;
use crate::text;
use crate::tls::message::{Body, Message};
use crate::tls::registry::{Group, TlsVersion};
use crate::tls::trace;
use crate::tls::wire::Side;
use crate::x509::{Certificate, RevocationList};

/// What is to be proved.
#[derive(Debug)]
pub struct HandshakeTest<'a> {
    pub server: &'a Party,
    /// Nothing: the server does not ask for one (one-way TLS).
    pub client: Option<&'a Party>,
    /// Application protocols that both sides speak (RFC 7301), the dearest first.
    pub protocols: &'a [String],
    /// Whom both sides trust.
    pub roots: &'a [Certificate],
    /// What each side knows of revoked certificates: a party whose issuer has a list here is held against it.
    pub revocation_lists: &'a [RevocationList],
    /// Whom the client asks for: a DNS name or an IP address.
    pub host_name: &'a str,
    /// The time by which both sides judge.
    pub at: OffsetDateTime,
    pub versions: &'a [TlsVersion],
    /// Whether to try what must be refused.
    pub refusals: bool,
    /// No side waits longer for the other.
    pub timeout: Duration,
    /// TLS 1.3: the server takes none of the key shares in the client's first hello, and has to ask for another.
    pub hello_retry: bool,
    /// Whether each session that passed is taken up again with its ticket, as a session of its own.
    pub resume: bool,
}

/// The test could not be held; this is no judgement on the certificates.
#[derive(Debug, thiserror::Error)]
pub enum HandshakeError {
    #[error("'{}' is neither a host name nor an IP address that a TLS client could ask for", text::escape(.0))]
    HostName(String),
    #[error("'{}' cannot be reached: {reason}", text::escape(address))]
    Unreachable { address: String, reason: String },
    #[error("{} showed no certificate: {reason}", text::escape(address))]
    NothingShown { address: String, reason: String },
    #[error("cannot listen on '{}': {reason}", text::escape(address))]
    Port { address: String, reason: String },
    #[error("a {version} handshake went otherwise than those before it: {reason}")]
    Unsteady { version: TlsVersion, reason: String },
    #[error(transparent)]
    SetUp(#[from] SetUpError),
    #[error(transparent)]
    Exchange(#[from] ExchangeError),
    #[error(transparent)]
    Copy(#[from] CopyError),
}

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
    let mut proven = Vec::new();
    for scenario in &scenarios {
        let ends = scenario.ends()?;
        let ends = if test.resume { ends.resumable()? } else { ends };
        let session = held(scenario, &ends)?;
        let resumed = (test.resume && session.passed()).then(|| resume(&ends, &session)).transpose()?;
        if session.passed() {
            proven.push(scenario);
        }
        report.sessions.extend([Some(session), resumed].into_iter().flatten());
    }
    // Where the good case fails, a refusal of the bad ones proves nothing.
    if test.refusals && !proven.is_empty() {
        let material = Material::new(test)?;
        for scenario in proven {
            // The copies have other keys: the real lists do not speak of them.
            report.refusals.extend(refusals::try_all(&material, &scenario.without_lists())?);
        }
    }
    Ok(report)
}

/// The session of a scenario between its ends.
fn held(scenario: &Scenario, ends: &Ends) -> Result<Session, HandshakeError> {
    let session = told(scenario.version, exchange::play(ends)?);
    Ok(if scenario.server_groups == Group::ON_REQUEST { retried(session) } else { session })
}

/// A session for which the server had to ask for another key share; without that it proves nothing of it.
fn retried(mut session: Session) -> Session {
    if session.passed() && !session.hello_retry() {
        session.breakdown =
            Some(Breakdown { by: Side::Server, alert: None, cause: Cause::not_retried(), certificate: None });
    }
    session
}

/// Takes up the session that `ends` have just had. Nobody shows a certificate: whoever has the secret of the ticket is
/// whoever was there before (RFC 8446 §2.2).
fn resume(ends: &Ends, earlier: &Session) -> Result<Session, HandshakeError> {
    let ends = ends.again();
    let mut session = told(earlier.version, exchange::play(&ends)?);
    if !session.resumed && session.passed() {
        session.breakdown =
            Some(Breakdown { by: Side::Server, alert: None, cause: Cause::not_resumed(), certificate: None });
    }
    // Of a session that was not taken up again, its own certificates tell.
    if session.passed() {
        for (peer, before) in [(&mut session.server, &earlier.server), (&mut session.client, &earlier.client)] {
            *peer = Peer { signature: None, ..before.clone() };
        }
    }
    Ok(session)
}

/// Both real parties, judged by the real roots at the given time.
pub(super) fn good_case(test: &HandshakeTest<'_>, version: TlsVersion) -> Result<Scenario, HandshakeError> {
    let host_name = ServerName::try_from(test.host_name.to_owned())
        .map_err(|_| HandshakeError::HostName(test.host_name.to_owned()))?;
    let roots = scenario::roots(&test.roots.iter().collect::<Vec<_>>())?;
    // Lists of other issuers would say nothing of the party, and the TLS library refuses whom no list covers.
    let judging = |party: Option<&Party>| {
        let issuer = party.map(|party| &party.certificate().issuer);
        let lists = test.revocation_lists.iter().filter(|list| Some(&list.issuer) == issuer);
        let revocation_lists = lists.map(|list| list.as_der().to_vec()).collect();
        Standard { roots: roots.clone(), revocation_lists, at: test.at }
    };
    let identity =
        |whose, party: &Party| scenario::identity(whose, &party.chain().iter().collect::<Vec<_>>(), party.key());
    Ok(Scenario {
        version,
        server: identity("server", test.server)?,
        client: test.client.map(|client| identity("client", client)).transpose()?,
        client_authentication: match test.client {
            Some(_) => ClientAuthentication::Required,
            None => ClientAuthentication::NotRequested,
        },
        client_groups: Group::ALL,
        server_groups: match version {
            TlsVersion::Tls13 if test.hello_retry => Group::ON_REQUEST,
            _ => Group::ALL,
        },
        protocols: test.protocols.iter().map(|protocol| protocol.as_bytes().to_vec()).collect(),
        host_name,
        server_judges_by: judging(test.client),
        client_judges_by: judging(Some(test.server)),
    })
}

/// An exchange as facts.
pub(super) fn told(version: TlsVersion, exchange: Exchange) -> Session {
    let messages = trace::read(&exchange.flights, &exchange.secrets);
    let passed = exchange.passed();
    let cipher_suite = messages.iter().find_map(|message| match &message.body {
        Body::ServerHello { cipher_suite, .. } => Some(cipher_suite.clone()),
        _ => None,
    });
    // TLS 1.3 settles the group in the server hello, TLS 1.2 in the server key exchange.
    let key_exchange = messages.iter().find_map(|message| match &message.body {
        Body::ServerHello { key_share: Some(share), .. } | Body::ServerKeyExchange { key_share: share, .. } => {
            Some(share.group.clone())
        }
        _ => None,
    });
    Session {
        version,
        breakdown: breakdown(&exchange, &messages),
        cipher_suite,
        key_exchange,
        server: peer(Side::Server, passed, &messages),
        client: peer(Side::Client, passed, &messages),
        resumed: exchange.resumed,
        to_server: exchange.to_server,
        to_client: exchange.to_client,
        handshake: exchange.handshake,
        messages,
        recording: exchange.into_recording(),
    }
}

fn peer(side: Side, passed: bool, messages: &[Message]) -> Peer {
    let own = || messages.iter().filter(move |message| message.from == side);
    let shown = own().find_map(|message| match &message.body {
        Body::Certificate { chain } => chain.first(),
        _ => None,
    });
    let signature = own().find_map(|message| match &message.body {
        Body::CertificateVerify { scheme } | Body::ServerKeyExchange { scheme, .. } => Some(scheme.clone()),
        _ => None,
    });
    Peer {
        authenticated: passed && shown.is_some(),
        subject: shown.map(|shown| shown.subject.clone()),
        serial: shown.map(|shown| shown.serial.clone()),
        signature,
    }
}

/// Who gave up, with which alert, and why; nothing when the exchange passed.
pub(super) fn breakdown(exchange: &Exchange, messages: &[Message]) -> Option<Breakdown> {
    if exchange.passed() {
        return None;
    }
    // Whoever only heard an alert did not refuse; the other side did, and knows better why.
    let heard = |error: &rustls::Error| matches!(error, rustls::Error::AlertReceived(_));
    let errors = [(Side::Server, &exchange.server_error), (Side::Client, &exchange.client_error)];
    let refused = errors.iter().filter_map(|(side, error)| Some((*side, error.as_ref()?)));
    let (by, cause) = match refused.clone().find(|(_, error)| !heard(error)).or_else(|| refused.clone().next()) {
        Some((side, error)) => (if heard(error) { side.other() } else { side }, cause::of(error)),
        None => (Side::Client, cause::Cause::unanswered()),
    };
    Some(told_breakdown(by, cause, messages))
}

/// A breakdown with what the messages say of it.
pub(super) fn told_breakdown(by: Side, cause: Cause, messages: &[Message]) -> Breakdown {
    let alert = alert_of(by, messages);
    let offered = messages.iter().find_map(|message| match &message.body {
        Body::ClientHello { cipher_suites, .. } => Some(cipher_suites.as_slice()),
        _ => None,
    });
    let cause = cause.given_offer(offered.unwrap_or_default());
    let certificate = fault::certificate(by, alert.as_deref(), &cause, messages);
    Breakdown { by, alert, cause, certificate }
}

/// The last alert of this side that is more than a good-bye.
pub(super) fn alert_of(by: Side, messages: &[Message]) -> Option<String> {
    messages.iter().rev().find_map(|message| match &message.body {
        Body::Alert { description, .. } if message.from == by && description != "close_notify" => {
            Some(description.clone())
        }
        _ => None,
    })
}

#[cfg(test)]
mod tests;
