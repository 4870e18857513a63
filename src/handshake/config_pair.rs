//! The configurations of the TLS library for both endpoints of a scenario.

use std::sync::Arc;

use rustls::client::{ClientConfig, Resumption};
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::ServerName;
use rustls::server::ServerConfig;

use super::error::SetUpError;
use crate::tls::Secrets;

/// The configurations for client and server, and the secrets that their sessions report.
pub(super) struct ConfigPair {
    pub client: Arc<ClientConfig>,
    pub server: Arc<ServerConfig>,
    pub host_name: ServerName<'static>,
    pub secrets: Arc<Secrets>,
}

impl ConfigPair {
    /// Returns a copy with resumption: the server sends session tickets, and the client keeps them.
    pub fn resumable(&self) -> Result<Self, SetUpError> {
        let (mut client, mut server) = ((*self.client).clone(), (*self.server).clone());
        client.resumption = Resumption::in_memory_sessions(8);
        server.ticketer = aws_lc_rs::Ticketer::new().map_err(|error| SetUpError::Library(error.to_string()))?;
        Ok(self.with(client, server, self.secrets.clone()))
    }

    /// Returns a copy for another exchange, whose secrets are kept separately.
    pub fn with_new_secrets(&self) -> Self {
        let (mut client, mut server) = ((*self.client).clone(), (*self.server).clone());
        let secrets = Arc::new(Secrets::default());
        client.key_log = secrets.clone();
        server.key_log = secrets.clone();
        self.with(client, server, secrets)
    }

    fn with(&self, client: ClientConfig, server: ServerConfig, secrets: Arc<Secrets>) -> Self {
        Self { client: client.into(), server: server.into(), host_name: self.host_name.clone(), secrets }
    }
}
