//! `ca handshake-test`: a real mutual TLS exchange, and the refusal of the wrong certificates.

use std::time::Duration;

use clap::{Args, ValueEnum};
use time::OffsetDateTime;

use crate::app::address::TlsStart;
use crate::app::context::Context;
use crate::app::handshake::connect::{ConversationOptions, connect};
use crate::app::handshake::in_memory::{InMemoryOptions, InMemoryTest};
use crate::app::handshake::listen::{ListenEvent, listen};
use crate::app::handshake::request::{HandshakeRequest, HandshakeResult, VerificationTime};
use crate::cli::options::endpoints::EndpointArguments;
use crate::cli::options::recordings::RecordingArguments;
use crate::cli::reports::handshake::HandshakeTestReport;
use crate::handshake::ClientAuthentication;
use crate::handshake::application::ApplicationProtocol;
use crate::handshake::listen::AcceptedClients;
use crate::handshake::measure::{Progress, Workload};
use crate::handshake::starttls::StartTls;
use crate::report::failure::Failure;
use crate::report::output::Report;
use crate::store::progress::{Progress as _, Step};
use crate::text::{Lifetime, parse_time};
use crate::tls::TlsVersion;

#[derive(Debug, Args)]
pub struct Arguments {
    #[command(flatten)]
    endpoints: EndpointArguments,
    /// The host name or address that the client verifies [default: the first in the server's certificate]
    #[arg(long, value_name = "NAME")]
    hostname: Option<String>,
    /// Which versions of TLS to try
    #[arg(long, value_enum, default_value_t = Versions::Both, value_name = "VERSION")]
    tls: Versions,
    /// One-way TLS: the server does not request a client certificate
    #[arg(long, conflicts_with_all = ["client", "connect"])]
    no_client_auth: bool,
    /// An application protocol that both sides, or with --connect this client, offer (ALPN), such as h2 or http/1.1; repeatable
    #[arg(long, value_name = "PROTOCOL", value_parser = protocol, conflicts_with = "listen")]
    alpn: Vec<String>,
    /// TLS 1.3: let the server reject the client's first key shares, so that it requests another (HelloRetryRequest)
    #[arg(long, conflicts_with_all = ["connect", "listen"])]
    hello_retry: bool,
    /// Resume every session with its ticket, and show that too
    #[arg(long, conflicts_with_all = ["connect", "listen"])]
    resume: bool,
    /// Show every message of the connection, decrypted
    #[arg(long)]
    trace: bool,
    /// Leave out the connections that must be refused
    #[arg(long)]
    no_refusals: bool,
    #[command(flatten)]
    recordings: RecordingArguments,
    /// Run only the client, against a running server
    #[arg(long, value_name = "HOST:PORT", conflicts_with = "repeat")]
    connect: Option<String>,
    /// Run only the server, for one client such as curl, or with --for for several
    #[arg(long, value_name = "ADDR:PORT", conflicts_with_all = ["repeat", "connect", "client", "no_refusals"])]
    listen: Option<String>,
    /// With --connect: how the server is asked for TLS: postgres, mysql, smtp, lmtp, imap, pop3, ldap, ftp, xmpp, sieve, nntp, or
    /// none [default: by the port]
    #[arg(long, value_name = "PROTOCOL", requires = "connect")]
    starttls: Option<TlsStart>,
    /// With --connect: what is spoken after the handshake: http, none, or a protocol of --starttls [default: that of --starttls,
    /// or by the port]
    #[arg(long = "protocol", value_name = "PROTOCOL", value_parser = application, requires = "connect")]
    application: Option<ApplicationProtocol>,
    /// With --connect: the path that is requested with HTTP
    #[arg(long, value_name = "PATH", value_parser = http_path, default_value = "/", requires = "connect")]
    path: String,
    /// With --connect: the server checks a CRL, so it must refuse a revoked client certificate of the CA directory
    #[arg(long, requires = "connect")]
    expect_revocation: bool,
    /// With --listen: accept one client, which is the default
    #[arg(long, requires = "listen")]
    once: bool,
    /// With --listen: keep accepting clients for this long (browsers connect several times)
    #[arg(long = "for", visible_alias = "accept-for", value_name = "D", requires = "listen", conflicts_with_all = ["once", "wait"])]
    duration: Option<Lifetime>,
    /// Run the test as if it were this time
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    at: Option<OffsetDateTime>,
    /// Run the test as if it were this much later
    #[arg(long = "in", value_name = "D", conflicts_with = "at")]
    ahead: Option<Lifetime>,
    /// How long to wait for the other side in every exchange
    #[arg(long, value_name = "D", default_value = "10s")]
    timeout: Lifetime,
    /// How long to wait for that client
    #[arg(long, value_name = "D", default_value = "5m", requires = "listen")]
    wait: Lifetime,
    /// Measure this many handshakes of each kind
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    repeat: Option<u32>,
    /// With --repeat: run this many at once
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
    let fits = (1..=255).contains(&word.len()) && word.bytes().all(|byte| byte.is_ascii_graphic());
    if fits { Ok(word.to_owned()) } else { Err("1 to 255 printable characters without blanks".to_owned()) }
}

fn application(word: &str) -> Result<ApplicationProtocol, String> {
    let others = StartTls::ALL.into_iter().map(ApplicationProtocol::Other);
    let mut all = [ApplicationProtocol::Http, ApplicationProtocol::None].into_iter().chain(others);
    all.clone().find(|protocol| protocol.name() == word).ok_or_else(|| {
        let names: Vec<_> = all.by_ref().map(ApplicationProtocol::name).collect();
        format!("the protocols are {}", names.join(", "))
    })
}

/// An absolute path with a query, in the characters that a request line may have (RFC 9112 §3.2.1).
fn http_path(word: &str) -> Result<String, String> {
    let fits = word.starts_with('/') && word.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'#');
    if fits {
        Ok(word.to_owned())
    } else {
        Err("a path begins with '/', and has no blanks; write them as %20".to_owned())
    }
}

impl Arguments {
    /// What the flags say, without the words of the command line.
    fn request(&self) -> HandshakeRequest<'_> {
        HandshakeRequest {
            endpoints: self.endpoints.options(),
            host_name: self.hostname.clone(),
            client_authentication: match self.no_client_auth {
                true => ClientAuthentication::NotRequested,
                false => ClientAuthentication::Required,
            },
            versions: self.tls.all(),
            time: match (self.at, self.ahead) {
                (Some(at), _) => VerificationTime::At(at),
                (None, Some(ahead)) => VerificationTime::In(ahead),
                (None, None) => VerificationTime::Now,
            },
            timeout: seconds(self.timeout),
            refusals: !self.no_refusals,
            recordings: self.recordings.files(),
        }
    }

    fn in_memory(&self) -> InMemoryOptions {
        InMemoryOptions {
            protocols: self.alpn.clone(),
            hello_retry: self.hello_retry,
            resume: self.resume,
            workload: self.repeat.map(|count| Workload { count: count as usize, jobs: self.jobs.into() }),
            matrix: self.matrix,
        }
    }
}

fn seconds(time: Lifetime) -> Duration {
    Duration::from_secs(time.as_seconds())
}

pub fn run(arguments: &Arguments, context: &mut Context<'_>) -> Result<Box<dyn Report>, Failure> {
    let request = arguments.request();
    request.recordings.check(context)?;
    let result = match (&arguments.connect, &arguments.listen) {
        (Some(address), _) => {
            let conversation = ConversationOptions {
                starts: arguments.starttls,
                protocol: arguments.application,
                path: &arguments.path,
                alpn: &arguments.alpn,
            };
            connect(&request, address, &conversation, arguments.expect_revocation, context)?
        }
        (None, Some(address)) => listen_to_clients(arguments, &request, address, context)?,
        (None, None) => in_memory(arguments, &request, context)?,
    };
    Ok(Box::new(HandshakeTestReport {
        result,
        trace: arguments.trace,
        refusals: request.refusals && arguments.listen.is_none(),
        visits: arguments.connect.is_some(),
    }))
}

fn in_memory(
    arguments: &Arguments,
    request: &HandshakeRequest<'_>,
    context: &mut Context<'_>,
) -> Result<HandshakeResult, Failure> {
    if arguments.hello_retry && arguments.tls == Versions::Tls12 {
        return Err(Failure::usage("bad-arguments", "TLS 1.2 has no hello retry request")
            .hint("leave out --hello-retry, or --tls 1.2"));
    }
    let test = InMemoryTest::prepare(request, context)?;
    let shown = &*context;
    let mut show = |progress: &Progress<'_>| {
        shown.report(Step::items(progress.what, progress.done as u64, Some(progress.of as u64)));
    };
    let result = test.run(request, &arguments.in_memory(), &mut show)?;
    request.recordings.write(&result.found, context)?;
    Ok(result)
}

fn listen_to_clients(
    arguments: &Arguments,
    request: &HandshakeRequest<'_>,
    address: &str,
    context: &mut Context<'_>,
) -> Result<HandshakeResult, Failure> {
    let (clients, who) = match arguments.duration {
        Some(time) => (AcceptedClients::AllFor(seconds(time)), format!("clients, for {time}, that ask")),
        None => (AcceptedClients::One(seconds(arguments.wait)), "one client that asks".to_owned()),
    };
    let show = |event: ListenEvent<'_>, context: &mut Context<'_>| {
        context.note(&match event {
            ListenEvent::Waiting { address, host_name } => format!("Waiting on {address} for {who} for {host_name}."),
            ListenEvent::Client { address, session } => match &session.failure {
                None => {
                    let name = session.client.subject.as_deref().unwrap_or("no certificate");
                    format!("{address}: passed, {}, {name}", session.version)
                }
                Some(failure) => format!("{address}: FAILED, {}", failure.cause.sentence),
            },
        });
    };
    listen(request, address, clients, &show, context)
}
