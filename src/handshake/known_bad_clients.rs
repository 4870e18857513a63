//! Certificates that a server must refuse from a client, although its own CA signed them.

use super::endpoint::Endpoint;

/// Certificates of the CA that the server trusts, each with its key, that the server must refuse from a client. Where one is
/// `None`, the test shows a copy under a look-alike CA instead.
#[derive(Debug, Default, Clone, Copy)]
pub struct KnownBadClients<'a> {
    /// A certificate for servers only, such as the server's own.
    pub server: Option<&'a Endpoint>,
    pub expired: Option<&'a Endpoint>,
    pub not_yet_valid: Option<&'a Endpoint>,
    pub revoked: Option<&'a Endpoint>,
}
