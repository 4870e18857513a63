//! What a certificate is requested for: names and a public key, and no rights.

use time::OffsetDateTime;

use super::extension_rules::GivenExtensions;
use super::template_string::TemplateValues;
use crate::text::Lifetime;
use crate::x509::{AttributeType, DistinguishedName, GeneralName, PublicKey};

/// A request for a certificate, from flags, a request file or an older certificate. It can ask for names and a lifetime;
/// the profile alone decides what the certificate may be used for.
#[derive(Debug, Clone)]
pub struct CertificateRequest {
    /// The name of the entry in the index.
    pub name: String,
    /// The subject alternative names, without duplicates.
    pub names: Vec<GeneralName>,
    pub public_key: PublicKey,
    pub expiry: Expiry,
    /// Whether a certificate that would outlive its issuer is shortened; otherwise it is refused.
    pub clip: bool,
    /// Attributes that override the profile's.
    pub subject: Vec<(AttributeType, String)>,
    /// The whole subject, for a profile that takes it as requested; `None` when the profile decides about it.
    pub whole_subject: Option<DistinguishedName>,
    /// The extensions of a CSR or of the certificate that is replaced. The profile decides which of them are taken.
    pub extensions: GivenExtensions,
    /// The values of the placeholders in the profile.
    pub values: TemplateValues,
}

/// When the certificate expires.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expiry {
    /// After the lifetime of the profile.
    Default,
    /// After this lifetime, counted from `notBefore`.
    For(Lifetime),
    /// At this second, which is the last valid one.
    At(OffsetDateTime),
}
