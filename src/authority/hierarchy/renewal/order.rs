//! The options of the next certificate of an intermediate.

use crate::authority::leaf::order::DueRule;
use crate::issuance::Expiry;
use crate::x509::KeyAlgorithm;

/// The options of the next certificate of an authority.
#[derive(Debug, Default)]
pub struct NextAuthorityOrder {
    pub name: String,
    /// `None`: the lifetime of its template, as far as its issuer lasts.
    pub expiry: Option<Expiry>,
    /// Shortens a certificate whose `expiry` is after that of its issuer.
    pub clip: bool,
    /// The rule that decides whether the certificate is due, because another process may have renewed it; `None` to renew in
    /// any case.
    pub only_if: Option<DueRule>,
    /// The kind of a new key; `None`: as it was.
    pub key: Option<KeyAlgorithm>,
}
