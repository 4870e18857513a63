//! A handshake test of clients that connect to this process.

use std::net::SocketAddr;

use crate::app::context::Context;
use crate::app::handshake::request::{HandshakeRequest, HandshakeResult, default_host_name, mismatches};
use crate::handshake::Session;
use crate::handshake::listen::{AcceptedClients, ListenTest, MAX_CLIENTS, MAX_KEPT_MEBIBYTES, Port};
use crate::report::failure::Failure;

/// What happens while the server waits.
pub enum ListenEvent<'a> {
    /// The server listens, and clients should ask for this name.
    Waiting { address: SocketAddr, host_name: &'a str },
    /// A client was served, or refused.
    Client { address: SocketAddr, session: &'a Session },
}

/// Listens on `address` for clients.
///
/// # Errors
/// When the address cannot be used, the endpoints cannot be gathered, or no client comes.
pub fn listen(
    request: &HandshakeRequest<'_>,
    address: &str,
    clients: AcceptedClients,
    show: &dyn Fn(ListenEvent<'_>, &mut Context<'_>),
    context: &mut Context<'_>,
) -> Result<HandshakeResult, Failure> {
    let at = request.time.resolve(request.endpoints.issues(true, false), context)?;
    let (server, roots) = request.endpoints.gather_host(request.host_name.as_deref(), context)?;
    let host_name = match &request.host_name {
        Some(name) => name.clone(),
        None => default_host_name(&server)?,
    };
    let port = Port::open(address)?;
    show(ListenEvent::Waiting { address: port.address(), host_name: &host_name }, context);
    let test = ListenTest {
        server: &server,
        roots: &roots,
        revocations: request.endpoints.revocations(context)?,
        client_authentication: request.client_authentication,
        host_name: &host_name,
        at,
        versions: request.versions,
        clients,
        timeout: request.timeout,
        keep_recordings: request.recordings.are_wanted(),
    };
    let found = port.run(&test, |address, session| show(ListenEvent::Client { address, session }, context))?;
    if found.not_kept > 0 {
        let what = if test.keep_recordings { "recording or messages" } else { "messages" };
        context.warn_at_end(format!(
            "the {what} of {} of {} sessions were not kept: all sessions together keep at most {MAX_KEPT_MEBIBYTES} MiB",
            found.not_kept,
            found.sessions.len()
        ));
    }
    if found.sessions.len() >= MAX_CLIENTS {
        context.warn_at_end(format!(
            "the test ended after {MAX_CLIENTS} clients, which is the most that one test accepts"
        ));
    }
    request.recordings.write(&found, context)?;
    let mismatches = mismatches([Some(("server", &server))]);
    Ok(HandshakeResult { found, rates: Vec::new(), matrix: Vec::new(), mismatches, server: None })
}
