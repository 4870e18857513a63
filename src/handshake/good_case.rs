//! The test to be carried out, and the exchange that has to succeed in it.

use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::ServerName;
use time::OffsetDateTime;

use super::endpoint::Endpoint;
use super::error::HandshakeError;
use super::revocation::Revocations;
use super::scenario::{self, ClientAuthentication, Scenario, TrustSettings};
use crate::tls::{Group, TlsVersion};
use crate::verify::RevocationSource;
use crate::x509::Certificate;

/// The input of a test with both endpoints in this program.
#[derive(Debug)]
pub struct HandshakeTest<'a> {
    pub server: &'a Endpoint,
    /// `None`: the server does not request a certificate (one-way TLS).
    pub client: Option<&'a Endpoint>,
    /// The application protocols that both endpoints support (RFC 7301), in order of preference.
    pub protocols: &'a [String],
    /// The roots that both endpoints trust.
    pub roots: &'a [Certificate],
    /// The revocations that both endpoints know; `None` when there is no source of them.
    pub revocations: Option<Arc<dyn RevocationSource>>,
    /// The name that the client requests: a DNS name or an IP address.
    pub host_name: &'a str,
    /// The time at which both endpoints verify.
    pub at: OffsetDateTime,
    pub versions: &'a [TlsVersion],
    /// `true`: also try the cases that must be refused.
    pub refusals: bool,
    /// The longest time that an endpoint waits for the other.
    pub timeout: Duration,
    /// `true`: in TLS 1.3 the server accepts none of the key shares in the client's first hello, and must request
    /// another.
    pub hello_retry: bool,
    /// `true`: each session that passed is resumed with its ticket, as another session.
    pub resume: bool,
}

/// Returns the scenario with the given endpoints, roots and time, which has to succeed.
pub(super) fn good_case(test: &HandshakeTest<'_>, version: TlsVersion) -> Result<Scenario, HandshakeError> {
    let host_name = ServerName::try_from(test.host_name.to_owned())
        .map_err(|_| HandshakeError::HostName(test.host_name.to_owned()))?;
    let roots = scenario::roots(&test.roots.iter().collect::<Vec<_>>())?;
    let revocations = test.revocations.as_ref().map(|source| Revocations::new(source, test.roots, test.at));
    let trust = TrustSettings { roots, crls: Vec::new(), revocations, at: test.at };
    let identity = |whose, endpoint: &Endpoint| {
        scenario::identity(whose, &endpoint.chain().iter().collect::<Vec<_>>(), endpoint.key())
    };
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
        server_trust: trust.clone(),
        client_trust: trust,
    })
}
