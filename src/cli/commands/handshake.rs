//! `ca handshake-test`: a real mutual TLS exchange, and the refusal of the wrong certificates.

use std::time::Duration;

use clap::{Args, ValueEnum};
use serde_json::{Value, json};
use time::OffsetDateTime;

use crate::app::address::host_of;
use crate::app::context::Context;
use crate::app::handshake::endpoints::Endpoints;
use crate::app::handshake::known_bad_clients::FoundBadClients;
use crate::cli::options::endpoints::EndpointArguments;
use crate::cli::options::recordings::RecordingArguments;
use crate::cli::progress::ProgressLine;
use crate::handshake::connect::{ConnectTest, test_server};
use crate::handshake::listen::{AcceptedClients, ListenTest, Port};
use crate::handshake::matrix;
use crate::handshake::measure::{self, Progress, Rate, Workload, measure};
use crate::handshake::report::{RefusalOutcome, RefusedCertificate};
use crate::handshake::{
    self, ClientAuthentication, Endpoint, HandshakeReport, HandshakeTest, ObservedPeer, Refusal, Session,
};
use crate::report::failure::Failure;
use crate::report::handshake as shown;
use crate::report::ladder::{ladder, messages_json};
use crate::report::output::{Answer, Report};
use crate::report::page::{Page, Tone};
use crate::report::refusals::refusals;
use crate::text::Lifetime;
use crate::text::parse_time;
use crate::tls::TlsVersion;
use crate::x509::{GeneralName, Validity};

#[derive(Debug, Args)]
pub struct Arguments {
    #[command(flatten)]
    endpoints: EndpointArguments,
    /// The name or address that the client asks for [default: the first that stands in the server's certificate]
    #[arg(long, value_name = "NAME")]
    hostname: Option<String>,
    /// Which versions of TLS to try
    #[arg(long, value_enum, default_value_t = Versions::Both, value_name = "VERSION")]
    tls: Versions,
    /// One-way TLS: the server asks the client for no certificate
    #[arg(long, conflicts_with_all = ["client", "connect"])]
    no_client_auth: bool,
    /// An application protocol that both sides offer (ALPN), such as h2 or http/1.1; repeatable
    #[arg(long, value_name = "PROTOCOL", value_parser = protocol, conflicts_with_all = ["connect", "listen"])]
    alpn: Vec<String>,
    /// TLS 1.3: let the server take none of the client's first key shares, so that it has to ask for another
    #[arg(long, conflicts_with_all = ["connect", "listen"])]
    hello_retry: bool,
    /// Take every session up again with the ticket that it left behind, and show that too
    #[arg(long, conflicts_with_all = ["connect", "listen"])]
    resume: bool,
    /// Show every message that crossed the wire, decrypted
    #[arg(long)]
    trace: bool,
    /// Leave out what must be refused
    #[arg(long)]
    no_refusals: bool,
    #[command(flatten)]
    recordings: RecordingArguments,
    /// Play the client against a running server that speaks HTTP, instead of both sides here
    #[arg(long, value_name = "HOST:PORT", conflicts_with = "repeat")]
    connect: Option<String>,
    /// Play the server for one client, such as curl, or with --for for several, instead of both sides here
    #[arg(long, value_name = "ADDR:PORT", conflicts_with_all = ["repeat", "connect", "client", "no_refusals"])]
    listen: Option<String>,
    /// With --connect: the server has a revocation list, so that a revoked client of the CA directory must be refused
    #[arg(long, requires = "connect")]
    expect_revocation: bool,
    /// With --listen: one client and no more, which is also the default
    #[arg(long, requires = "listen")]
    once: bool,
    /// With --listen: everybody who comes within this time; a browser comes several times, and hangs up in between
    #[arg(long = "for", value_name = "D", requires = "listen", conflicts_with_all = ["once", "wait"])]
    duration: Option<Lifetime>,
    /// Let both sides judge by this time instead of now
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    at: Option<OffsetDateTime>,
    /// Let both sides judge by the time in so long
    #[arg(long = "in", value_name = "D", conflicts_with = "at")]
    ahead: Option<Lifetime>,
    /// How long the other side may take, in every exchange
    #[arg(long, value_name = "D", default_value = "10s")]
    timeout: Lifetime,
    /// How long to wait for that client
    #[arg(long, value_name = "D", default_value = "5m", requires = "listen")]
    wait: Lifetime,
    /// Measure so many handshakes of each kind
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    repeat: Option<u32>,
    /// With --repeat: play so many at once
    #[arg(long, value_name = "J", default_value_t = 1, requires = "repeat", value_parser = clap::value_parser!(u16).range(1..=64))]
    jobs: u16,
    /// With --repeat: measure copies with every kind of key and key exchange too
    #[arg(long, requires = "repeat")]
    matrix: bool,
}

/// The versions of TLS that can be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Versions {
    #[value(name = "1.2")]
    Tls12,
    #[value(name = "1.3")]
    Tls13,
    Both,
}

impl Versions {
    fn all(self) -> &'static [TlsVersion] {
        match self {
            Self::Tls12 => &[TlsVersion::Tls12],
            Self::Tls13 => &[TlsVersion::Tls13],
            Self::Both => &[TlsVersion::Tls13, TlsVersion::Tls12],
        }
    }
}

/// What fits into an extension of the hello (RFC 7301 §3.1), and can be printed.
fn protocol(word: &str) -> Result<String, String> {
    let fits = (1..=255).contains(&word.len()) && word.bytes().all(|octet| octet.is_ascii_graphic());
    if fits { Ok(word.to_owned()) } else { Err("1 to 255 printable characters without blanks".to_owned()) }
}

impl Arguments {
    fn client_authentication(&self) -> ClientAuthentication {
        if self.no_client_auth { ClientAuthentication::NotRequested } else { ClientAuthentication::Required }
    }

    /// The time that both sides judge by. Who is issued for the occasion ends within the hour, and has no other time.
    fn time(&self, issued: bool, context: &Context<'_>) -> Result<OffsetDateTime, Failure> {
        let time = match (self.at, self.ahead) {
            (None, None) => return Ok(context.now()),
            (Some(at), _) => at,
            (None, Some(ahead)) => {
                let then = context.now().checked_add(ahead.as_duration()).filter(|then| *then <= Validity::LATEST);
                then.ok_or_else(|| Failure::usage("bad-time", format!("{ahead} from now there is no time")))?
            }
        };
        if issued {
            let sentence =
                "a certificate that is issued for the test lasts an hour, and says nothing about another time";
            return Err(Failure::usage("no-party", sentence)
                .hint("name those whose time is to be looked at with --server and --client"));
        }
        Ok(time)
    }

    fn timeout(&self) -> Duration {
        Duration::from_secs(self.timeout.as_seconds())
    }
}

pub fn run(arguments: &Arguments, context: &mut Context<'_>) -> Result<Box<dyn Report>, Failure> {
    arguments.recordings.files().check(context)?;
    if let Some(address) = &arguments.connect {
        return visit_server(arguments, address, context);
    }
    if let Some(address) = &arguments.listen {
        return receive_client(arguments, address, context);
    }
    if arguments.hello_retry && arguments.tls == Versions::Tls12 {
        return Err(Failure::usage("bad-arguments", "TLS 1.2 has no hello retry request")
            .hint("leave out --hello-retry, or --tls 1.2"));
    }
    let (authentication, host_name) = (arguments.client_authentication(), arguments.hostname.as_deref());
    let is_mutual = authentication == ClientAuthentication::Required;
    let at = arguments.time(arguments.endpoints.options().issues(true, is_mutual), context)?;
    let Endpoints { server, client, roots } =
        arguments.endpoints.options().gather(authentication, host_name, context)?;
    let host_name = match &arguments.hostname {
        Some(name) => name.clone(),
        None => default_host_name(&server)?,
    };
    let lists = arguments.endpoints.options().revocation_lists(context)?;
    let test = HandshakeTest {
        crls: &lists,
        server: &server,
        client: client.as_ref(),
        protocols: &arguments.alpn,
        roots: &roots,
        host_name: &host_name,
        at,
        versions: arguments.tls.all(),
        refusals: !arguments.no_refusals,
        timeout: arguments.timeout(),
        hello_retry: arguments.hello_retry,
        resume: arguments.resume,
    };
    let found = handshake::run(&test)?;
    let (mut rates, mut matrix) = (Vec::new(), Vec::new());
    if let Some(count) = arguments.repeat.filter(|_| found.sessions.iter().all(Session::passed)) {
        let workload = Workload { count: count as usize, jobs: arguments.jobs.into() };
        let mut line = ProgressLine::new(context);
        let mut tell = |progress: &Progress<'_>| line.show(progress.done, progress.of, progress.what);
        rates = measure(&test, workload, &mut tell)?;
        if arguments.matrix {
            matrix = matrix::matrix(&test, workload, &mut tell)?;
        }
    }
    arguments.recordings.files().write(&found, context)?;
    let mismatches = mismatches([Some(("server", &server)), client.as_ref().map(|client| ("client", client))]);
    Ok(Box::new(Shown {
        trace: arguments.trace,
        refusals: !arguments.no_refusals,
        visits: false,
        mismatches,
        found,
        rates,
        matrix,
    }))
}

/// `--connect`: the same from outside.
fn visit_server(arguments: &Arguments, address: &str, context: &mut Context<'_>) -> Result<Box<dyn Report>, Failure> {
    let host = host_of(address)?;
    let at = arguments.time(arguments.endpoints.options().issues(false, true), context)?;
    let (client, server, roots) = arguments.endpoints.options().gather_visitor(context)?;
    let known_bad = match !arguments.no_refusals && arguments.endpoints.options().trusts_the_directory() {
        true => FoundBadClients::find(context)?,
        false => FoundBadClients::default(),
    };
    if arguments.expect_revocation && !known_bad.has_revoked() {
        let sentence =
            "the CA directory has no revoked client certificate with its key, to see whether the server refuses it";
        return Err(Failure::usage("no-revoked-client", sentence).hint(
            "'ca issue client NAME', 'ca revoke NAME', and 'ca crl' for the server make one; without --roots it is found",
        ));
    }
    let found = test_server(&ConnectTest {
        address,
        host_name: arguments.hostname.as_deref().unwrap_or(host),
        client: &client,
        known_bad: known_bad.borrowed(server.as_ref()),
        expect_revocation: arguments.expect_revocation,
        roots: &roots,
        at,
        versions: arguments.tls.all(),
        refusals: !arguments.no_refusals,
        timeout: arguments.timeout(),
    })?;
    arguments.recordings.files().write(&found, context)?;
    let mismatches = mismatches([Some(("client", &client))]);
    Ok(Box::new(Shown {
        trace: arguments.trace,
        refusals: !arguments.no_refusals,
        visits: true,
        mismatches,
        found,
        rates: Vec::new(),
        matrix: Vec::new(),
    }))
}

/// `--listen`: the same from inside.
fn receive_client(arguments: &Arguments, address: &str, context: &mut Context<'_>) -> Result<Box<dyn Report>, Failure> {
    let at = arguments.time(arguments.endpoints.options().issues(true, false), context)?;
    let (server, roots) = arguments.endpoints.options().gather_host(arguments.hostname.as_deref(), context)?;
    let host_name = match &arguments.hostname {
        Some(name) => name.clone(),
        None => default_host_name(&server)?,
    };
    let port = Port::open(address)?;
    let (clients, who) = match arguments.duration {
        Some(time) => {
            (AcceptedClients::AllFor(Duration::from_secs(time.as_seconds())), format!("clients, for {time},"))
        }
        None => (AcceptedClients::One(Duration::from_secs(arguments.wait.as_seconds())), "one client".to_owned()),
    };
    let asks = if who.ends_with(',') { "that ask" } else { "that asks" };
    context.note(&format!("Waiting on {} for {who} {asks} for {host_name}.", port.address()));
    let host = ListenTest {
        server: &server,
        roots: &roots,
        client_authentication: arguments.client_authentication(),
        host_name: &host_name,
        at,
        versions: arguments.tls.all(),
        clients,
        timeout: arguments.timeout(),
    };
    let found = port.run(&host, |client, session| {
        let name = session.client.subject.as_deref().unwrap_or("no certificate");
        context.note(&match &session.failure {
            None => format!("{client}: passed, {}, {name}", session.version),
            Some(failure) => format!("{client}: FAILED, {}", failure.cause.sentence),
        });
    })?;
    arguments.recordings.files().write(&found, context)?;
    let mismatches = mismatches([Some(("server", &server))]);
    Ok(Box::new(Shown {
        trace: arguments.trace,
        refusals: false,
        visits: false,
        mismatches,
        found,
        rates: Vec::new(),
        matrix: Vec::new(),
    }))
}

/// Whose key is not its certificate's.
fn mismatches<'a>(parties: impl IntoIterator<Item = Option<(&'static str, &'a Endpoint)>>) -> Vec<&'static str> {
    parties.into_iter().flatten().filter(|(_, party)| !party.key_matches()).map(|(whose, _)| whose).collect()
}

/// The first name of the server's certificate that a client could ask for.
fn default_host_name(server: &Endpoint) -> Result<String, Failure> {
    let names = server.certificate().names();
    let askable = names.iter().find_map(|name| match name {
        // Any one label stands for the asterisk.
        GeneralName::Dns(name) => Some(name.strip_prefix("*.").map_or(name.clone(), |rest| format!("any.{rest}"))),
        GeneralName::Ip(address) => Some(address.to_string()),
        _ => None,
    });
    askable.ok_or_else(|| {
        let subject = &server.certificate().subject;
        Failure::usage(
            "no-host-name",
            format!("the server's certificate '{subject}' has no DNS name and no IP address"),
        )
        .hint("issue it for the name under which clients reach the server")
    })
}

/// The report and how much of it was asked for.
struct Shown {
    found: HandshakeReport,
    rates: Vec<Rate>,
    matrix: Vec<Rate>,
    trace: bool,
    refusals: bool,
    /// The server is somebody else's.
    visits: bool,
    /// Whose key is not its certificate's.
    mismatches: Vec<&'static str>,
}

impl Report for Shown {
    fn text(&self, page: &mut Page) {
        let found = &self.found;
        page.field("asked for", &found.host_name);
        page.field("time", &crate::text::rfc3339(found.at));
        for session in &found.sessions {
            shown::session(page, session);
            if self.trace {
                ladder(page, &session.version.to_string(), &session.messages);
            }
        }
        if !found.refusals.is_empty() {
            refusals(page, &found.refusals);
        }
        // Those that are as they should be have all been told in their line.
        for refusal in found.refusals.iter().filter(|refusal| self.trace && !refusal.is_as_expected()) {
            if let Some(recording) = &refusal.recording {
                ladder(page, &format!("{}, {}", refusal.version, refusal.title), &recording.messages());
            }
        }
        if !self.rates.is_empty() {
            shown::rates(page, "How fast", &self.rates);
        }
        if !self.matrix.is_empty() {
            shown::rates(page, "How fast, copies with other keys and key exchanges", &self.matrix);
        }
        page.gap();
        self.verdict(page);
    }

    fn json(&self) -> Value {
        let mut document = json!({
            "schema": "ca.handshake-test/1",
            "passed": self.found.passed(),
            "at": crate::text::rfc3339(self.found.at),
            "hostname": self.found.host_name,
            "sessions": self.found.sessions.iter().map(session_json).collect::<Vec<_>>(),
            "refusals": self.found.refusals.iter().map(|refusal| refusal_json(refusal, self.trace)).collect::<Vec<_>>(),
            "key_mismatch": self.mismatches,
        });
        if !self.rates.is_empty() {
            let count = self.rates.iter().filter(|rate| !rate.resumed).map(|rate| rate.count).sum();
            let total = self.rates.iter().filter(|rate| !rate.resumed).map(|rate| rate.total).sum();
            document["handshakes_per_second"] = json!(measure::per_second(count, total));
            document["repeat"] = self.rates.iter().map(rate_json).collect();
        }
        if !self.matrix.is_empty() {
            document["matrix"] = self.matrix.iter().map(rate_json).collect();
        }
        document
    }

    fn answer(&self) -> Answer {
        if self.found.passed() { Answer::Yes } else { Answer::No }
    }
}

impl Shown {
    fn verdict(&self, page: &mut Page) {
        let found = &self.found;
        for whose in &self.mismatches {
            page.toned(Tone::Bad, &format!("The {whose}'s key is not the key of its certificate."));
        }
        let sessions = found.sessions.iter().filter(|session| session.passed()).count();
        let good = found.refusals.iter().filter(|refusal| refusal.refused_as_expected()).count();
        let wrong = found.refusals.iter().filter(|refusal| !refusal.is_as_expected()).count();
        let untried = found.refusals.len() - good - wrong;
        let mut sentence = format!("{sessions} of {} handshakes passed", found.sessions.len());
        if !found.refusals.is_empty() {
            sentence = format!("{sentence}, {good} refusals right, {wrong} wrong, {untried} not tried");
        }
        let was_tried = |version| found.refusals.iter().any(|refusal| refusal.version == version);
        let (late, early): (Vec<&Session>, Vec<&Session>) =
            found.sessions.iter().filter(|session| !session.passed()).partition(|session| was_tried(session.version));
        let versions = |sessions: &[&Session]| {
            sessions.iter().map(|session| session.version.to_string()).collect::<Vec<_>>().join(" and ")
        };
        if self.refusals && !early.is_empty() {
            page.line(&format!("In {} a refusal would prove nothing, so none was tried.", versions(&early)));
        }
        if self.visits && !late.is_empty() {
            page.line(&format!("In {} the good case failed after the refusals: they prove nothing.", versions(&late)));
        }
        let (tone, word) = if found.passed() { (Tone::Good, "passed") } else { (Tone::Bad, "FAILED") };
        page.pieces(&[(tone, word), (Tone::Plain, ": "), (Tone::Plain, &sentence)]);
    }
}

fn session_json(session: &Session) -> Value {
    json!({
        "tls": session.version.number(),
        "passed": session.passed(),
        "cipher_suite": session.cipher_suite,
        "key_exchange": session.key_exchange,
        "signature": session.server.signature,
        "server": peer_json(&session.server),
        "client": peer_json(&session.client),
        "resumed": session.resumed,
        "hello_retry": session.hello_retry(),
        "application_bytes": { "to_server": session.to_server, "to_client": session.to_client },
        "handshake_us": session.handshake.map(microseconds),
        "messages": messages_json(&session.messages),
        "broken_off": session.failure.as_ref().map(|found| json!({
            "by": found.by.name(),
            "alert": found.alert,
            "error": found.cause.code,
            "message": found.cause.sentence,
            "hint": found.cause.fix(),
            "certificate": found.certificate.as_ref().map(refused_certificate_json),
        })),
    })
}

fn refused_certificate_json(certificate: &RefusedCertificate) -> Value {
    json!({ "subject": certificate.subject, "serial": certificate.serial })
}

fn peer_json(peer: &ObservedPeer) -> Value {
    json!({
        "authenticated": peer.authenticated,
        "subject": peer.subject,
        "serial": peer.serial,
        "signature": peer.signature,
    })
}

fn refusal_json(refusal: &Refusal, trace: bool) -> Value {
    let expected = refusal.expected;
    let mut value = json!({
        "case": refusal.case,
        "tls": refusal.version.number(),
        "refused": null,
        "by": null,
        "alert": null,
        "error": null,
        "message": null,
        "right": refusal.is_as_expected(),
        "caveat": refusal.caveat,
        "expected": { "by": expected.by.name(), "alert": expected.alert, "error": expected.error },
    });
    match &refusal.outcome {
        RefusalOutcome::Refused(found) => {
            value["refused"] = json!(true);
            value["by"] = json!(found.by.name());
            value["alert"] = json!(found.alert);
            value["error"] = json!(found.cause.code);
            value["message"] = json!(found.cause.sentence);
        }
        RefusalOutcome::Accepted => value["refused"] = json!(false),
        RefusalOutcome::Untried(reason) => {
            value["error"] = json!("not-tried");
            value["message"] = json!(reason);
        }
    }
    if trace && let Some(recording) = &refusal.recording {
        value["messages"] = messages_json(&recording.messages());
    }
    value
}

fn rate_json(rate: &Rate) -> Value {
    json!({
        "tls": rate.version.number(),
        "key": rate.key,
        "group": rate.group,
        "resumed": rate.resumed,
        "count": rate.count,
        "jobs": rate.jobs,
        "handshakes_per_second": rate.per_second(),
        "median_us": microseconds(rate.median),
        "p95_us": microseconds(rate.p95),
        "p99_us": microseconds(rate.p99),
        "bytes": rate.bytes,
    })
}

fn microseconds(length: std::time::Duration) -> u64 {
    u64::try_from(length.as_micros()).unwrap_or(u64::MAX)
}
