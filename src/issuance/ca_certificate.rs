//! The certificate of a CA, without its key: what it may sign.

use time::OffsetDateTime;

use super::issuer_error::IssuerError;
use super::profile::Profile;
use super::refusal::DraftRefusal;
use crate::keys::private_key;
use crate::x509::name_constraints::{Subtree, Violation};
use crate::x509::{Certificate, DistinguishedName, GeneralName, KeyUsage, PublicKey, SignatureAlgorithm};

/// What is known of an issuer without its key: enough to decide what it may sign.
#[derive(Debug, Clone)]
pub struct CaCertificate {
    name: String,
    certificate: Certificate,
    above: Vec<Certificate>,
    cross_certificate: Option<Certificate>,
    signature_algorithm: SignatureAlgorithm,
}

impl CaCertificate {
    /// Takes a certificate for an issuer's. `name` is how the authority is called, `above` its own issuers, the next first.
    ///
    /// # Errors
    /// When it may not sign certificates.
    pub fn new(name: &str, certificate: Certificate, above: Vec<Certificate>) -> Result<Self, IssuerError> {
        let name = name.to_owned();
        if let Some((oid, reason)) = certificate.malformed.first().cloned() {
            return Err(IssuerError::Malformed { name, oid, reason });
        }
        if !certificate.is_ca() {
            return Err(IssuerError::NotAnAuthority(name));
        }
        // RFC 5280 §4.2.1.3 wants the extension in a CA; older tools left it out, and absent means unrestricted.
        if certificate.key_usage.is_some_and(|usage| !usage.contains(KeyUsage::KEY_CERT_SIGN)) {
            return Err(IssuerError::MayNotSign(name));
        }
        if certificate.subject.is_empty() {
            return Err(IssuerError::NoSubject(name));
        }
        match private_key::signature_algorithm(certificate.public_key.kind()) {
            Some(signature_algorithm) => {
                Ok(Self { name, certificate, above, cross_certificate: None, signature_algorithm })
            }
            None => Err(IssuerError::UnusableKey { name, kind: certificate.public_key.kind().to_string() }),
        }
    }

    /// With a certificate for the key of its root by another root: who trusts only that one finds a path through it.
    #[must_use]
    pub fn with_cross_certificate(self, cross_certificate: Option<Certificate>) -> Self {
        Self { cross_certificate, ..self }
    }

    /// See [`with_cross_certificate`](Self::with_cross_certificate). It limits nothing: whoever trusts the own root does not need it.
    pub fn cross_certificate(&self) -> Option<&Certificate> {
        self.cross_certificate.as_ref()
    }

    /// How the authority is called.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Checks that a key is the one that this certificate is for.
    ///
    /// # Errors
    /// When it is another key.
    pub fn check_key(&self, key: &PublicKey) -> Result<(), IssuerError> {
        if *key == self.certificate.public_key { Ok(()) } else { Err(IssuerError::KeyMismatch(self.name.clone())) }
    }

    pub fn certificate(&self) -> &Certificate {
        &self.certificate
    }

    /// Its own issuers as far as they are known, the next first.
    pub fn above(&self) -> &[Certificate] {
        &self.above
    }

    pub fn subject(&self) -> &DistinguishedName {
        &self.certificate.subject
    }

    /// The algorithm of the signatures that its key makes.
    pub fn signature_algorithm(&self) -> &SignatureAlgorithm {
        &self.signature_algorithm
    }

    /// The identifier that its certificate gives its key, or the usual one.
    pub fn key_id(&self) -> Vec<u8> {
        self.certificate.subject_key_id.clone().unwrap_or_else(|| self.certificate.public_key.key_id().to_vec())
    }

    /// The first end in its chain, and whose it is.
    pub fn end(&self) -> (String, OffsetDateTime) {
        let above =
            self.above.iter().map(|certificate| (certificate.subject.to_string(), certificate.validity.not_after));
        let own = (self.name.clone(), self.certificate.validity.not_after);
        above.fold(own, |first, next| if next.1 < first.1 { next } else { first })
    }

    /// Whether it may issue by this profile, now, for these names.
    pub(super) fn check_request(
        &self,
        profile: &Profile,
        names: &[GeneralName],
        now: OffsetDateTime,
    ) -> Result<(), DraftRefusal> {
        self.check_validity(now)?;
        for certificate in self.chain() {
            let Some(constraints) = &certificate.name_constraints else { continue };
            for name in names {
                if let Err(violation) = constraints.check(name) {
                    let authority = if certificate == &self.certificate {
                        self.name.clone()
                    } else {
                        certificate.subject.to_string()
                    };
                    return Err(DraftRefusal::Constrained {
                        name: name.value(),
                        authority,
                        constraint: describe(&violation),
                    });
                }
            }
        }
        if profile.is_authority() {
            self.check_path_length()?;
        }
        Ok(())
    }

    /// Whether it may sign the certificate of a CA, now.
    ///
    /// # Errors
    /// When it is not valid now, or a path length above leaves no room.
    pub fn check_authority(&self, now: OffsetDateTime) -> Result<(), DraftRefusal> {
        self.check_validity(now)?;
        self.check_path_length()
    }

    fn check_validity(&self, now: OffsetDateTime) -> Result<(), DraftRefusal> {
        if self.certificate.validity.contains(now) {
            return Ok(());
        }
        let (authority, validity) = (self.name.clone(), self.certificate.validity);
        Err(DraftRefusal::IssuerNotValid { authority, now, validity })
    }

    /// Whether another CA may stand below it (RFC 5280 §4.2.1.9): every path length in the chain counts the CAs that
    /// follow, but those that issued themselves.
    fn check_path_length(&self) -> Result<(), DraftRefusal> {
        let mut below = 0;
        for certificate in self.chain() {
            let path_length = certificate.basic_constraints.and_then(|constraints| constraints.path_length);
            if let Some(path_length) = path_length.filter(|path_length| *path_length <= below) {
                return Err(DraftRefusal::PathLength { authority: certificate.subject.to_string(), path_length });
            }
            below += u32::from(!certificate.is_self_issued());
        }
        Ok(())
    }

    fn chain(&self) -> impl Iterator<Item = &Certificate> {
        std::iter::once(&self.certificate).chain(&self.above)
    }
}

fn describe(violation: &Violation<'_>) -> String {
    match violation {
        Violation::Excluded(subtree) => format!("{subtree} is excluded"),
        Violation::WithoutHost(subtree) => format!("{subtree} is excluded, and this URI has no host name to compare"),
        Violation::NotPermitted(permitted) => {
            format!(
                "only {} is permitted",
                permitted.iter().copied().map(Subtree::to_string).collect::<Vec<_>>().join(", ")
            )
        }
    }
}
