//! The result of `ca handshake-test` in JSON.

use schemars::JsonSchema;
use serde::Serialize;

use crate::app::handshake::request::HandshakeResult;
use crate::handshake::likely_cause::LikelyCause;
use crate::handshake::measure::{self, Rate};
use crate::handshake::report::{HandshakeFailure, RefusalOutcome};
use crate::handshake::starttls::StartTls;
use crate::handshake::{ObservedPeer, Refusal, Session};
use crate::report::json::Time;
use crate::report::ladder::{MessageJson, messages_json};
use crate::tls::{Alert, CipherSuite, NamedGroup, SignatureScheme};

/// `ca.handshake-test/1`.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "HandshakeTest")]
pub struct HandshakeTestJson<'a> {
    /// Every handshake passed, and every refusal that was tried was one.
    passed: bool,
    at: Time,
    /// For which name the client asked.
    hostname: &'a str,
    /// With `--connect`: the protocol after the handshake.
    #[serde(skip_serializing_if = "Option::is_none")]
    protocol: Option<&'static str>,
    /// With `--connect`: the protocol in which the server was asked for TLS.
    #[serde(skip_serializing_if = "Option::is_none")]
    starttls: Option<&'static str>,
    /// One for each TLS version, and more with `--resume`, `--listen` and `--connect`.
    sessions: Vec<SessionJson<'a>>,
    refusals: Vec<RefusalJson<'a>>,
    /// `server`, `client`: whose key is not its certificate's.
    key_mismatch: &'a Vec<&'static str>,
    /// With `--repeat`: full handshakes of all versions.
    #[serde(skip_serializing_if = "Option::is_none")]
    handshakes_per_second: Option<f64>,
    /// With `--repeat`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    repeat: Vec<RateJson<'a>>,
    /// With `--matrix`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    matrix: Vec<RateJson<'a>>,
}

/// An exchange that has to succeed.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Session")]
struct SessionJson<'a> {
    #[schemars(extend("enum" = ["1.2", "1.3"]))]
    tls: &'static str,
    passed: bool,
    cipher_suite: Option<CipherSuite>,
    key_exchange: Option<NamedGroup>,
    /// That of the server.
    signature: Option<SignatureScheme>,
    server: PeerJson<'a>,
    client: PeerJson<'a>,
    resumed: bool,
    /// With `--listen`: the client closed the connection before it sent a certificate, and came back with a session that passed.
    closed_early: bool,
    hello_retry: bool,
    application_bytes: ApplicationBytesJson,
    /// How long it took, in microseconds.
    handshake_us: Option<u64>,
    /// Every message in the order of the wire.
    messages: Vec<MessageJson>,
    /// Why it did not pass.
    broken_off: Option<BrokenOffJson<'a>>,
}

/// One side of a session; of a resumed one, as it was in the session before.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Peer")]
struct PeerJson<'a> {
    authenticated: bool,
    subject: Option<&'a str>,
    serial: Option<&'a str>,
    signature: Option<SignatureScheme>,
}

/// What went both ways.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "ApplicationBytes")]
struct ApplicationBytesJson {
    to_server: usize,
    to_client: usize,
}

/// Why a session did not pass.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "BrokenOff")]
struct BrokenOffJson<'a> {
    #[schemars(extend("enum" = ["client", "server"]))]
    by: &'static str,
    /// The one that crossed the wire.
    alert: Option<Alert>,
    error: &'a str,
    message: &'a str,
    hint: &'static str,
    /// When it is about one.
    certificate: Option<RefusedCertificateJson<'a>>,
    /// What the client's certificate and the CAs that the server requests explain, when another program's server refused.
    likely_cause: Option<String>,
}

/// The certificate that was refused.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "RefusedCertificate")]
struct RefusedCertificateJson<'a> {
    subject: &'a str,
    serial: &'a str,
}

/// An exchange that has to be refused.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Refusal")]
struct RefusalJson<'a> {
    case: &'a str,
    #[schemars(extend("enum" = ["1.2", "1.3"]))]
    tls: &'static str,
    /// `null`: it could not be tried, and `message` says why.
    refused: Option<bool>,
    by: Option<&'static str>,
    alert: Option<Alert>,
    error: Option<&'a str>,
    message: Option<&'a str>,
    /// It was refused as it has to be.
    right: bool,
    /// What the refusal does not prove.
    caveat: Option<&'a str>,
    expected: ExpectedJson,
    /// With `--trace`.
    #[serde(skip_serializing_if = "Option::is_none")]
    messages: Option<Vec<MessageJson>>,
}

/// How it has to be refused.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "ExpectedRefusal")]
struct ExpectedJson {
    #[schemars(extend("enum" = ["client", "server"]))]
    by: &'static str,
    alert: Option<Alert>,
    error: &'static str,
}

/// How fast handshakes are.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Rate")]
struct RateJson<'a> {
    #[schemars(extend("enum" = ["1.2", "1.3"]))]
    tls: &'static str,
    /// As `key_algorithm`.
    #[schemars(extend("deprecated" = true))]
    key: &'a str,
    /// Of the server's key.
    key_algorithm: &'a str,
    group: Option<NamedGroup>,
    resumed: bool,
    count: usize,
    jobs: usize,
    handshakes_per_second: f64,
    median_us: u64,
    p95_us: u64,
    p99_us: u64,
    /// Of one handshake, both directions.
    bytes: usize,
}

impl<'a> HandshakeTestJson<'a> {
    /// `trace`: with the messages of the refusals.
    pub fn new(result: &'a HandshakeResult, trace: bool) -> Self {
        let HandshakeResult { found, rates, matrix, mismatches, server } = result;
        let full = || rates.iter().filter(|rate| !rate.resumed);
        let per_second =
            || measure::per_second(full().map(|rate| rate.count).sum(), full().map(|rate| rate.total).sum());
        Self {
            passed: found.passed(),
            at: Time(found.at),
            hostname: &found.host_name,
            protocol: server.map(|server| server.protocol.name()),
            starttls: server.and_then(|server| server.starttls).map(StartTls::name),
            sessions: found.sessions.iter().map(SessionJson::new).collect(),
            refusals: found.refusals.iter().map(|refusal| RefusalJson::new(refusal, trace)).collect(),
            key_mismatch: mismatches,
            handshakes_per_second: (!rates.is_empty()).then(per_second),
            repeat: rates.iter().map(RateJson::new).collect(),
            matrix: matrix.iter().map(RateJson::new).collect(),
        }
    }
}

impl<'a> SessionJson<'a> {
    fn new(session: &'a Session) -> Self {
        Self {
            tls: session.version.number(),
            passed: session.passed(),
            cipher_suite: session.cipher_suite,
            key_exchange: session.key_exchange,
            signature: session.server.signature,
            server: PeerJson::new(&session.server),
            client: PeerJson::new(&session.client),
            resumed: session.resumed,
            closed_early: session.closed_early,
            hello_retry: session.hello_retry(),
            application_bytes: ApplicationBytesJson { to_server: session.to_server, to_client: session.to_client },
            handshake_us: session.handshake.map(microseconds),
            messages: messages_json(&session.messages),
            broken_off: session.failure.as_ref().map(BrokenOffJson::new),
        }
    }
}

impl<'a> PeerJson<'a> {
    fn new(peer: &'a ObservedPeer) -> Self {
        Self {
            authenticated: peer.authenticated,
            subject: peer.subject.as_deref(),
            serial: peer.serial.as_deref(),
            signature: peer.signature,
        }
    }
}

impl<'a> BrokenOffJson<'a> {
    fn new(found: &'a HandshakeFailure) -> Self {
        let certificate = found.certificate.as_ref();
        Self {
            by: found.by.name(),
            alert: found.alert,
            error: found.cause.code,
            message: &found.cause.sentence,
            hint: found.fix(),
            certificate: certificate.map(|it| RefusedCertificateJson { subject: &it.subject, serial: &it.serial }),
            likely_cause: found.likely.as_ref().map(LikelyCause::sentence),
        }
    }
}

impl<'a> RefusalJson<'a> {
    fn new(refusal: &'a Refusal, trace: bool) -> Self {
        let found = match &refusal.outcome {
            RefusalOutcome::Refused(found) => Some(found),
            RefusalOutcome::Accepted | RefusalOutcome::Untried(_) => None,
        };
        let (refused, error, message) = match &refusal.outcome {
            RefusalOutcome::Refused(found) => (Some(true), Some(found.cause.code), Some(found.cause.sentence.as_str())),
            RefusalOutcome::Accepted => (Some(false), None, None),
            RefusalOutcome::Untried(reason) => (None, Some("not-tried"), Some(reason.as_str())),
        };
        let expected = refusal.expected;
        let recording = refusal.recording.as_ref().filter(|_| trace);
        Self {
            case: refusal.case,
            tls: refusal.version.number(),
            refused,
            by: found.map(|found| found.by.name()),
            alert: found.and_then(|found| found.alert),
            error,
            message,
            right: refusal.is_as_expected(),
            caveat: refusal.caveat,
            expected: ExpectedJson { by: expected.by.name(), alert: expected.alert, error: expected.error },
            messages: recording.map(|recording| messages_json(&recording.messages())),
        }
    }
}

impl<'a> RateJson<'a> {
    fn new(rate: &'a Rate) -> Self {
        Self {
            tls: rate.version.number(),
            key: &rate.key,
            key_algorithm: &rate.key,
            group: rate.group,
            resumed: rate.resumed,
            count: rate.count,
            jobs: rate.jobs,
            handshakes_per_second: rate.per_second(),
            median_us: microseconds(rate.median),
            p95_us: microseconds(rate.p95),
            p99_us: microseconds(rate.p99),
            bytes: rate.bytes,
        }
    }
}

fn microseconds(length: std::time::Duration) -> u64 {
    u64::try_from(length.as_micros()).unwrap_or(u64::MAX)
}
