//! A handshake test with both sides in this process.

use std::sync::Arc;

use time::OffsetDateTime;

use crate::app::context::Context;
use crate::app::handshake::endpoints::Endpoints;
use crate::app::handshake::request::{HandshakeRequest, HandshakeResult, default_host_name, mismatches};
use crate::handshake::matrix::matrix;
use crate::handshake::measure::{Progress, Workload, measure};
use crate::handshake::{self, ClientAuthentication, HandshakeTest, Session};
use crate::report::failure::Failure;
use crate::verify::RevocationSource;

/// What only a test in memory can do.
#[derive(Default)]
pub struct InMemoryOptions {
    /// The application protocols that both sides offer (ALPN).
    pub protocols: Vec<String>,
    /// TLS 1.3: the server takes none of the client's first key shares.
    pub hello_retry: bool,
    /// Resumes every session with its ticket.
    pub resume: bool,
    /// How many handshakes are measured; `None`: none.
    pub workload: Option<Workload>,
    /// True when copies with other keys and key exchanges are measured too.
    pub matrix: bool,
}

/// A test whose endpoints are ready.
pub struct InMemoryTest {
    endpoints: Endpoints,
    revocations: Option<Arc<dyn RevocationSource>>,
    host_name: String,
    at: OffsetDateTime,
}

impl InMemoryTest {
    /// Gathers the endpoints.
    ///
    /// # Errors
    /// When they cannot be read, or the CA refuses to issue their certificates.
    pub fn prepare(request: &HandshakeRequest<'_>, context: &mut Context<'_>) -> Result<Self, Failure> {
        let is_mutual = request.client_authentication == ClientAuthentication::Required;
        let at = request.time.resolve(request.endpoints.issues(true, is_mutual), context)?;
        let host_name = request.host_name.as_deref();
        let endpoints = request.endpoints.gather(request.client_authentication, host_name, context)?;
        let host_name = host_name.map_or_else(|| default_host_name(&endpoints.server), |name| Ok(name.to_owned()))?;
        Ok(Self { endpoints, revocations: request.endpoints.revocations(context)?, host_name, at })
    }

    /// Runs the test, and measures if every handshake passed.
    ///
    /// # Errors
    /// When an endpoint cannot be set up. A handshake that fails is not an error.
    pub fn run(
        &self,
        request: &HandshakeRequest<'_>,
        options: &InMemoryOptions,
        progress: &mut dyn FnMut(&Progress<'_>),
    ) -> Result<HandshakeResult, Failure> {
        let Endpoints { server, client, roots } = &self.endpoints;
        let test = HandshakeTest {
            revocations: self.revocations.clone(),
            server,
            client: client.as_ref(),
            protocols: &options.protocols,
            roots,
            host_name: &self.host_name,
            at: self.at,
            versions: request.versions,
            refusals: request.refusals,
            timeout: request.timeout,
            hello_retry: options.hello_retry,
            resume: options.resume,
        };
        let found = handshake::run(&test)?;
        let mut result = HandshakeResult {
            mismatches: mismatches([Some(("server", server)), client.as_ref().map(|client| ("client", client))]),
            found,
            rates: Vec::new(),
            matrix: Vec::new(),
            server: None,
        };
        if let Some(workload) = options.workload.filter(|_| result.found.sessions.iter().all(Session::passed)) {
            result.rates = measure(&test, workload, &mut *progress)?;
            if options.matrix {
                result.matrix = matrix(&test, workload, &mut *progress)?;
            }
        }
        Ok(result)
    }
}
