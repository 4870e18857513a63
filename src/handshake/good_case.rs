//! The test to be carried out, and the exchange that has to succeed in it.

use std::time::Duration;

use rustls::pki_types::ServerName;
use time::OffsetDateTime;

use super::endpoint::Endpoint;
use super::error::HandshakeError;
use super::scenario::{self, ClientAuthentication, Scenario, TrustSettings};
use crate::tls::{Group, TlsVersion};
use crate::x509::{Certificate, Crl};

/// What is to be proved.
#[derive(Debug)]
pub struct HandshakeTest<'a> {
    pub server: &'a Endpoint,
    /// Nothing: the server does not ask for one (one-way TLS).
    pub client: Option<&'a Endpoint>,
    /// Application protocols that both sides speak (RFC 7301), the dearest first.
    pub protocols: &'a [String],
    /// Whom both sides trust.
    pub roots: &'a [Certificate],
    /// What each side knows of revoked certificates: an endpoint whose issuer has a list here is held against it.
    pub crls: &'a [Crl],
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

/// Both real endpoints, judged by the real roots at the given time.
pub(super) fn good_case(test: &HandshakeTest<'_>, version: TlsVersion) -> Result<Scenario, HandshakeError> {
    let host_name = ServerName::try_from(test.host_name.to_owned())
        .map_err(|_| HandshakeError::HostName(test.host_name.to_owned()))?;
    let roots = scenario::roots(&test.roots.iter().collect::<Vec<_>>())?;
    // Lists of other issuers would say nothing of the endpoint, and the TLS library refuses whom no list covers.
    let trust_for = |endpoint: Option<&Endpoint>| {
        let issuer = endpoint.map(|endpoint| &endpoint.certificate().issuer);
        let crls = test.crls.iter().filter(|crl| Some(&crl.issuer) == issuer);
        let crls = crls.map(|crl| crl.as_der().to_vec()).collect();
        TrustSettings { roots: roots.clone(), crls, at: test.at }
    };
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
        server_trust: trust_for(test.client),
        client_trust: trust_for(Some(test.server)),
    })
}
