//! The results of `ca verify` in JSON.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::clients::ClientJson;
use crate::app::verify::verified_file::{Connection, IndexLookup, VerifiedFile};
use crate::handshake::KeyProof;
use crate::handshake::starttls::StartTls;
use crate::report::document_schema::Document;
use crate::report::json::{Hex, Serial, Shown, Time, WarningJson};
use crate::text::Warning;
use crate::tls::CipherSuite;
use crate::verify::{Candidate, Link, Problem, VerifyOptions};
use crate::x509::DistinguishedName;

/// `ca.verify/1`.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Verify")]
pub struct VerifyJson<'a> {
    /// As `input`.
    #[schemars(extend("deprecated" = true))]
    file: &'a str,
    /// The file as it was named, or the address of the server.
    input: &'a str,
    valid: bool,
    /// The time of the verification.
    at: Time,
    purpose: &'static str,
    /// The names that were asked for.
    names: Vec<String>,
    /// The leaf first.
    chain: Vec<LinkJson<'a>>,
    /// The most useful first.
    problems: Vec<ProblemJson<'a>>,
    /// The first moment at which the chain is no longer valid; `null` when it is invalid already.
    valid_until: Option<Time>,
    valid_until_because: Option<&'a str>,
    /// What ends then.
    valid_until_ends: Option<EndJson>,
    /// What the verifier inside rustls says where it refuses a chain in which nothing else is wrong.
    rustls_refuses: Option<&'a str>,
    /// With `--as-served` and `--connect`: what is sent.
    as_served: Option<AsServedJson<'a>>,
    /// With `--connect`.
    connection: Option<ConnectionJson<'a>>,
    /// With `--connect` and a file: whether both are the same.
    in_file: Option<InFileJson<'a>>,
    /// With `--as-served` and `--connect`; `null` without a CA directory.
    in_index: Option<InIndexJson<'a>>,
    /// With `--client`, or `[verify] clients` in ca.toml.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    clients: Vec<ClientJson<'a>>,
    #[serde(flatten)]
    pub warnings: WarningsJson<'a>,
}

/// `ca.verify-many/1`.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "VerifyMany")]
pub struct VerifyManyJson<'a> {
    /// A `ca.verify/1` for each file.
    #[schemars(with = "Vec<Document<VerifyJson<'static>>>")]
    pub results: Vec<Value>,
    #[serde(flatten)]
    pub warnings: WarningsJson<'a>,
}

/// What was left out. Both fields are missing when nothing was.
#[derive(Debug, Default, Serialize, JsonSchema)]
#[schemars(rename = "Warnings")]
pub struct WarningsJson<'a> {
    /// As the messages of `warning_details`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("deprecated" = true))]
    warnings: Vec<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warning_details: Vec<WarningJson<'a>>,
}

impl<'a> WarningsJson<'a> {
    pub fn new(warnings: &'a [Warning]) -> Self {
        Self {
            warnings: warnings.iter().map(|warning| warning.message.as_str()).collect(),
            warning_details: warnings.iter().map(WarningJson::new).collect(),
        }
    }
}

/// A certificate of the path.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Link")]
struct LinkJson<'a> {
    subject: Shown<&'a DistinguishedName>,
    issuer: Shown<&'a DistinguishedName>,
    serial: Serial<'a>,
    not_after: Time,
    #[schemars(extend("enum" = ["leaf", "intermediate", "root"]))]
    role: &'static str,
    /// The file and the number in it.
    source: String,
}

/// Why it is not valid, or what is unusual.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Problem")]
struct ProblemJson<'a> {
    /// A code of `ca explain`.
    code: &'a str,
    #[schemars(extend("enum" = ["error", "warning"]))]
    severity: &'static str,
    /// As `place`.
    #[schemars(extend("deprecated" = true))]
    certificate: String,
    /// The file and the number in it.
    place: String,
    /// `null`: it cannot be read.
    subject: Option<&'a str>,
    message: &'a str,
    hint: &'a str,
    citation: &'a str,
}

/// What ends first.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "End")]
struct EndJson {
    #[schemars(extend("enum" = ["leaf", "intermediate", "root", "crl"]))]
    what: &'static str,
    source: String,
}

/// What a server sends.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "AsServed")]
struct AsServedJson<'a> {
    /// In the order in which they are sent.
    certificates: Vec<SentJson<'a>>,
}

/// A certificate that a server sends.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Sent")]
struct SentJson<'a> {
    number: usize,
    subject: Shown<&'a DistinguishedName>,
    serial: Serial<'a>,
    fingerprint_sha256: Hex<[u8; 32]>,
}

/// A connection to a server.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Connection")]
struct ConnectionJson<'a> {
    address: &'a str,
    /// The name that was asked for.
    hostname: &'a str,
    /// The protocol in which the server was asked for TLS; `null` when TLS began with the first byte.
    starttls: Option<&'static str>,
    tls: Option<&'static str>,
    cipher_suite: Option<CipherSuite>,
    asks_for_client_certificate: bool,
    /// `null`: not known.
    holds_key: Option<bool>,
    /// Why the handshake went no further once the chain was shown.
    broken_off: Option<BrokenOffJson<'a>>,
}

/// Why a handshake went no further.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "ConnectionBrokenOff")]
struct BrokenOffJson<'a> {
    error: &'a str,
    message: &'a str,
}

/// The chain of a server beside that of a file.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "InFile")]
struct InFileJson<'a> {
    #[schemars(extend("format" = "path"))]
    file: &'a str,
    same_certificate: bool,
    same_chain: bool,
}

/// What the index says of the certificate.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "InIndex")]
struct InIndexJson<'a> {
    known: bool,
    name: Option<&'a str>,
    serial: Option<Serial<'a>>,
    status: Option<&'static str>,
    /// The serial number of the latest certificate of that name; `null` when it is this one.
    superseded_by: Option<Serial<'a>>,
}

impl<'a> VerifyJson<'a> {
    pub fn new(verified: &'a VerifiedFile, options: &VerifyOptions) -> Self {
        let verdict = verified.verdict.as_ref().ok();
        let until = verdict.and_then(|verdict| verdict.until.as_ref());
        let compared = verified.connection.as_ref().and_then(|connection| connection.file.as_ref());
        Self {
            file: &verified.file,
            input: &verified.file,
            valid: verified.is_valid(),
            at: Time(options.at),
            purpose: options.purpose.name(),
            names: options.names.iter().map(ToString::to_string).collect(),
            chain: verified.chain().iter().map(LinkJson::new).collect(),
            problems: verified.problems().iter().map(ProblemJson::new).collect(),
            valid_until: until.map(|until| Time(until.at)),
            valid_until_because: until.map(|until| until.what.as_str()),
            valid_until_ends: until
                .map(|until| EndJson { what: until.cause.name(), source: until.position.to_string() }),
            rustls_refuses: verdict.and_then(|verdict| verdict.rustls_refuses.as_deref()),
            as_served: verified
                .as_served
                .then(|| AsServedJson { certificates: verified.sent.iter().map(SentJson::new).collect() }),
            connection: verified.connection.as_deref().map(ConnectionJson::new),
            in_file: compared.map(|compared| InFileJson {
                file: &compared.file,
                same_certificate: compared.same_certificate,
                same_chain: compared.same_chain,
            }),
            in_index: verified.known.as_ref().map(InIndexJson::new),
            clients: verified.clients.iter().map(ClientJson::new).collect(),
            warnings: WarningsJson::default(),
        }
    }
}

impl<'a> LinkJson<'a> {
    fn new(link: &'a Link) -> Self {
        Self {
            subject: Shown(&link.subject),
            issuer: Shown(&link.issuer),
            serial: Serial(&link.serial),
            not_after: Time(link.not_after),
            role: link.role.name(),
            source: link.source.to_string(),
        }
    }
}

impl<'a> ProblemJson<'a> {
    fn new(problem: &'a Problem) -> Self {
        Self {
            code: problem.code,
            severity: problem.severity.name(),
            certificate: problem.certificate.to_string(),
            place: problem.certificate.to_string(),
            subject: problem.subject.as_deref(),
            message: &problem.message,
            hint: &problem.hint,
            citation: problem.citation,
        }
    }
}

impl<'a> SentJson<'a> {
    fn new(candidate: &'a Candidate) -> Self {
        Self {
            number: candidate.position.number,
            subject: Shown(&candidate.certificate.subject),
            serial: Serial(&candidate.certificate.serial),
            fingerprint_sha256: Hex(candidate.certificate.fingerprint()),
        }
    }
}

impl<'a> ConnectionJson<'a> {
    fn new(connection: &'a Connection) -> Self {
        let served = &connection.served;
        Self {
            address: &connection.address,
            hostname: &connection.host_name,
            starttls: connection.starttls.map(StartTls::name),
            tls: served.version.map(|version| version.number()),
            cipher_suite: served.cipher_suite,
            asks_for_client_certificate: served.requests_certificate,
            holds_key: match served.proof {
                KeyProof::Given => Some(true),
                KeyProof::Wrong => Some(false),
                KeyProof::Unknown => None,
            },
            broken_off: served
                .failure
                .as_ref()
                .map(|cause| BrokenOffJson { error: cause.code, message: &cause.sentence }),
        }
    }
}

impl<'a> InIndexJson<'a> {
    fn new(lookup: &'a IndexLookup) -> Self {
        match lookup {
            IndexLookup::Unknown => Self { known: false, name: None, serial: None, status: None, superseded_by: None },
            IndexLookup::Known(known) => Self {
                known: true,
                name: Some(&known.entry.name),
                serial: Some(Serial(&known.entry.serial)),
                status: Some(known.status.name()),
                superseded_by: known.newer.as_ref().map(|newer| Serial(&newer.serial)),
            },
        }
    }
}
