//! A CA certificate, with its key, before it is written into a new CA directory.

use crate::keys::PrivateKey;
use crate::store::index::Origin;
use crate::x509::Certificate;

/// A CA that becomes an authority of a new CA directory.
pub struct NewAuthority {
    pub name: String,
    pub template: String,
    /// The name of its own issuer.
    pub issued_by: String,
    pub certificate: Certificate,
    /// The certificates between it and its root, the issuer first.
    pub chain: Vec<Certificate>,
    /// `None`: the key is not kept here.
    pub key: Option<PrivateKey>,
    pub origin: Origin,
}
