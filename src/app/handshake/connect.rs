//! A handshake test of a running server.

use crate::app::address::{TlsStart, host_of, port_of, starttls_of};
use crate::app::context::Context;
use crate::app::handshake::known_bad_clients::FoundBadClients;
use crate::app::handshake::request::{HandshakeRequest, HandshakeResult, VisitedServer, mismatches};
use crate::handshake::application::ApplicationProtocol;
use crate::handshake::connect::{ConnectTest, Conversation, test_server};
use crate::report::failure::Failure;

/// What the client says to the server before and after the handshake.
pub struct ConversationOptions<'a> {
    /// How TLS begins; `None`: by the port.
    pub starts: Option<TlsStart>,
    /// `None`: that of STARTTLS, or by the port.
    pub protocol: Option<ApplicationProtocol>,
    /// The path that is requested with HTTP.
    pub path: &'a str,
    pub alpn: &'a [String],
}

/// Connects to the server at `address`; `expect_revocation` when the server has a CRL, so that it must refuse a revoked client.
///
/// # Errors
/// When the server cannot be reached, the endpoints cannot be gathered, or there is no revoked client to try.
pub fn connect(
    request: &HandshakeRequest<'_>,
    address: &str,
    conversation: &ConversationOptions<'_>,
    expect_revocation: bool,
    context: &mut Context<'_>,
) -> Result<HandshakeResult, Failure> {
    let host = host_of(address)?;
    let at = request.time.resolve(request.endpoints.issues(false, true), context)?;
    let (client, server, roots) = request.endpoints.gather_visitor(context)?;
    let known_bad = match request.refusals && request.endpoints.trusts_the_directory() {
        true => FoundBadClients::find(context)?,
        false => FoundBadClients::default(),
    };
    if expect_revocation && !known_bad.has_revoked() {
        let sentence =
            "the CA directory has no revoked client certificate with its key, to see whether the server refuses it";
        return Err(Failure::usage("no-revoked-client", sentence).hint(
            "'ca issue client NAME', 'ca revoke NAME', and 'ca crl' for the server make one; without --roots it is found",
        ));
    }
    let starttls = starttls_of(address, conversation.starts);
    let protocol = conversation.protocol.unwrap_or_else(|| match starttls {
        Some(protocol) => ApplicationProtocol::Other(protocol),
        None => port_of(address).map_or(ApplicationProtocol::Http, ApplicationProtocol::of_tls_port),
    });
    let found = test_server(&ConnectTest {
        address,
        host_name: request.host_name.as_deref().unwrap_or(host),
        client: &client,
        known_bad: known_bad.borrowed(server.as_ref()),
        expect_revocation,
        roots: &roots,
        revocations: request.endpoints.revocations(context)?,
        at,
        versions: request.versions,
        refusals: request.refusals,
        conversation: Conversation { starttls, protocol, path: conversation.path, alpn: conversation.alpn },
        timeout: request.timeout,
    })?;
    request.recordings.write(&found, context)?;
    let mismatches = mismatches([Some(("client", &client))]);
    Ok(HandshakeResult {
        found,
        rates: Vec::new(),
        matrix: Vec::new(),
        mismatches,
        server: Some(VisitedServer { starttls, protocol }),
    })
}
