//! What is asked for: names and a public key. No powers.

use time::OffsetDateTime;

use super::template_string::TemplateValues;
use crate::text::Lifetime;
use crate::x509::{AttributeType, GeneralName, PublicKey};

/// A wish, from flags, a request file or an older certificate. It can ask for names and a time; what the certificate
/// may do is the profile's alone.
#[derive(Debug, Clone)]
pub struct CertificateRequest {
    /// The name of the entry in the index.
    pub name: String,
    /// The subject alternative names, without repetition.
    pub names: Vec<GeneralName>,
    pub public_key: PublicKey,
    pub expiry: Expiry,
    /// Shorten rather than refuse a certificate that would outlive its issuer.
    pub clip: bool,
    /// Attributes that override the profile's.
    pub subject: Vec<(AttributeType, String)>,
    /// What the placeholders of the profile stand for.
    pub values: TemplateValues,
}

/// Until when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expiry {
    /// As long as the profile says.
    Default,
    /// For so long, counted from `notBefore`.
    For(Lifetime),
    /// Until this second, included.
    At(OffsetDateTime),
}
