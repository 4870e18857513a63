//! What the kinds of handshake tests have in common: the endpoints, the time and the names.

use std::time::Duration;

use time::OffsetDateTime;

use crate::app::context::Context;
use crate::app::handshake::endpoints::EndpointOptions;
use crate::app::handshake::recordings::RecordingFiles;
use crate::handshake::application::ApplicationProtocol;
use crate::handshake::measure::Rate;
use crate::handshake::starttls::StartTls;
use crate::handshake::{ClientAuthentication, Endpoint, HandshakeReport};
use crate::report::failure::Failure;
use crate::text::Lifetime;
use crate::tls::TlsVersion;
use crate::x509::{GeneralName, Validity};

/// What is tested, whoever plays the other side.
pub struct HandshakeRequest<'a> {
    pub endpoints: EndpointOptions<'a>,
    /// The name that the client asks for; `None`: the first one of the server's certificate, or of the address.
    pub host_name: Option<String>,
    pub client_authentication: ClientAuthentication,
    pub versions: &'static [TlsVersion],
    pub time: VerificationTime,
    /// The longest time of one exchange.
    pub timeout: Duration,
    /// True when the endpoints that must be refused are tried too.
    pub refusals: bool,
    pub recordings: RecordingFiles,
}

/// The time at which both sides verify certificates.
#[derive(Debug, Clone, Copy)]
pub enum VerificationTime {
    Now,
    At(OffsetDateTime),
    In(Lifetime),
}

/// What a handshake test found.
pub struct HandshakeResult {
    pub found: HandshakeReport,
    /// How fast the handshakes were; empty when that was not measured.
    pub rates: Vec<Rate>,
    /// The same with other keys and key exchanges.
    pub matrix: Vec<Rate>,
    /// The endpoints whose key does not belong to their certificate: `server`, `client`.
    pub mismatches: Vec<&'static str>,
    /// The running server that was tested, if one was.
    pub server: Option<VisitedServer>,
}

/// How this program spoke with a running server.
#[derive(Debug, Clone, Copy)]
pub struct VisitedServer {
    /// The protocol in which the server was asked for TLS; `None` when TLS began with the first byte.
    pub starttls: Option<StartTls>,
    /// The protocol after the handshake.
    pub protocol: ApplicationProtocol,
}

impl VerificationTime {
    /// The time itself; `issued` when a certificate is issued for the test, which is only valid now.
    ///
    /// # Errors
    /// When the time is out of range, or `issued` and not now.
    pub fn resolve(self, issued: bool, context: &Context<'_>) -> Result<OffsetDateTime, Failure> {
        let time = match self {
            Self::Now => return Ok(context.now()),
            Self::At(at) => at,
            Self::In(ahead) => {
                let then = context.now().checked_add(ahead.as_duration()).filter(|then| *then <= Validity::LATEST);
                then.ok_or_else(|| Failure::usage("bad-time", format!("{ahead} from now is after the year 9999")))?
            }
        };
        if issued {
            let sentence =
                "a certificate that is issued for the test lasts an hour, and says nothing about another time";
            return Err(Failure::usage("no-party", sentence)
                .hint("name the certificates to test at another time with --server and --client"));
        }
        Ok(time)
    }
}

/// The endpoints whose key does not belong to their certificate.
pub fn mismatches<'a>(endpoints: impl IntoIterator<Item = Option<(&'static str, &'a Endpoint)>>) -> Vec<&'static str> {
    endpoints.into_iter().flatten().filter(|(_, endpoint)| !endpoint.key_matches()).map(|(whose, _)| whose).collect()
}

/// Returns the first name of the server's certificate that a client could ask for.
///
/// # Errors
/// When it has no DNS name and no IP address.
pub fn default_host_name(server: &Endpoint) -> Result<String, Failure> {
    let names = server.certificate().names();
    let askable = names.iter().find_map(|name| match name {
        // The asterisk stands for any one label.
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
