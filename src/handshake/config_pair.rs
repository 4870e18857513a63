//! Both ends of a scenario as the TLS library is configured for them.

use std::sync::Arc;

use rustls::client::{ClientConfig, Resumption};
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::ServerName;
use rustls::server::ServerConfig;

use super::error::SetUpError;
use crate::tls::Secrets;

/// Both ends of a scenario in the TLS library's words, and the secrets that they will hand out.
pub(super) struct ConfigPair {
    pub client: Arc<ClientConfig>,
    pub server: Arc<ServerConfig>,
    pub host_name: ServerName<'static>,
    pub secrets: Arc<Secrets>,
}

impl ConfigPair {
    /// The same ends with memory: the server hands out session tickets, and the client keeps them.
    pub fn resumable(&self) -> Result<Self, SetUpError> {
        let (mut client, mut server) = ((*self.client).clone(), (*self.server).clone());
        client.resumption = Resumption::in_memory_sessions(8);
        server.ticketer = aws_lc_rs::Ticketer::new().map_err(|error| SetUpError::Library(error.to_string()))?;
        Ok(self.with(client, server, self.secrets.clone()))
    }

    /// The same ends for another exchange, whose secrets are kept apart.
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
