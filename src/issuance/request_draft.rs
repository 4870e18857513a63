//! A certification request (PKCS #10) with every field decided, before it is signed.

use super::draft::check_key;
use super::profile::Profile;
use super::refusal::DraftRefusal;
use super::request::CertificateRequest;
use super::subject::{requested_mailboxes, subject};
use crate::x509::{BasicConstraints, DistinguishedName, GeneralName, KeyUsage};

/// Every field of a certification request. Its key is that of the [`Signer`](crate::keys::Signer) that signs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestDraft {
    pub subject: DistinguishedName,
    /// The subject alternative names.
    pub names: Vec<GeneralName>,
    /// The basic constraints of a CA, when they are asked for; the issuer decides.
    pub authority: Option<BasicConstraints>,
}

impl RequestDraft {
    /// Returns the request that this profile makes of the input, as far as a request can express it.
    ///
    /// # Errors
    /// When the profile does not allow the key, the names or the subject.
    pub fn new(profile: &Profile, request: &CertificateRequest) -> Result<Self, DraftRefusal> {
        check_key(profile, &request.public_key)?;
        profile.names.check(&profile.name, &request.names, &request.values)?;
        let authority = profile
            .authority
            .as_ref()
            .map(|rules| BasicConstraints { ca: true, path_length: rules.path_length.map(u32::from) });
        let subject = subject(profile, request)?;
        let mailboxes = requested_mailboxes(profile, request)?;
        profile.names.check_texts(&profile.name, &request.name, &subject, &mailboxes, &request.values)?;
        Ok(Self { subject, names: request.names.clone(), authority })
    }

    /// Returns the key usage to ask for: a CA signs certificates and CRLs.
    pub(super) fn key_usage(&self) -> KeyUsage {
        match self.authority {
            Some(_) => KeyUsage::KEY_CERT_SIGN.union(KeyUsage::CRL_SIGN),
            None => KeyUsage::default(),
        }
    }
}
