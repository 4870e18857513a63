//! The certificate of a CA, without its key: what it may sign.

use time::OffsetDateTime;

use super::issuer_error::IssuerError;
use super::profile::Profile;
use super::refusal::DraftRefusal;
use crate::keys::private_key;
use crate::x509::name_constraints::{Subtree, Violation};
use crate::x509::{Certificate, DistinguishedName, GeneralName, KeyUsage, PublicKey, SignatureAlgorithm};

/// A CA certificate with its chain, without its key: enough to decide what the CA may sign.
#[derive(Debug, Clone)]
pub struct CaCertificate {
    name: String,
    certificate: Certificate,
    above: Vec<Certificate>,
    cross_certificate: Option<Certificate>,
    signature_algorithm: SignatureAlgorithm,
}

impl CaCertificate {
    /// Takes a certificate as that of a CA. `name` is the CA's name in messages, `above` are the CAs above it, the nearest
    /// first.
    ///
    /// # Errors
    /// When the certificate does not allow its key to sign certificates, or the key cannot sign here.
    pub fn new(name: &str, certificate: Certificate, above: Vec<Certificate>) -> Result<Self, IssuerError> {
        let name = name.to_owned();
        if let Some((oid, reason)) = certificate.malformed.first().cloned() {
            return Err(IssuerError::Malformed { name, oid, reason });
        }
        if !certificate.is_ca() {
            return Err(IssuerError::NotAnAuthority(name));
        }
        // RFC 5280 §4.2.1.3 requires the extension in a CA; older tools left it out, and without it the key is
        // unrestricted.
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

    /// Adds a cross-certificate: one for the key of its root, issued by another root. Clients that trust only the other
    /// root find a path through it.
    #[must_use]
    pub fn with_cross_certificate(self, cross_certificate: Option<Certificate>) -> Self {
        Self { cross_certificate, ..self }
    }

    /// Returns the cross-certificate. It limits nothing: clients that trust the CA's own root do not need it.
    pub fn cross_certificate(&self) -> Option<&Certificate> {
        self.cross_certificate.as_ref()
    }

    /// Returns the name of the CA.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Checks that a key is the one in this certificate.
    ///
    /// # Errors
    /// When it is another key.
    pub fn check_key(&self, key: &PublicKey) -> Result<(), IssuerError> {
        if *key == self.certificate.public_key { Ok(()) } else { Err(IssuerError::KeyMismatch(self.name.clone())) }
    }

    pub fn certificate(&self) -> &Certificate {
        &self.certificate
    }

    /// Returns the certificates of the CAs above it, as far as they are known, the nearest first.
    pub fn above(&self) -> &[Certificate] {
        &self.above
    }

    /// Returns the certificates from this one up to the last one that is known, each with the CA's name in messages.
    pub fn path(&self) -> impl Iterator<Item = (&str, &Certificate)> {
        std::iter::once(&self.certificate).chain(&self.above).map(|certificate| (self.name.as_str(), certificate))
    }

    pub fn subject(&self) -> &DistinguishedName {
        &self.certificate.subject
    }

    /// Returns the algorithm of the signatures that its key makes.
    pub fn signature_algorithm(&self) -> &SignatureAlgorithm {
        &self.signature_algorithm
    }

    /// Returns the identifier that the certificate gives its key, or the default one.
    pub fn key_id(&self) -> Vec<u8> {
        self.certificate.subject_key_id.clone().unwrap_or_else(|| self.certificate.public_key.key_id().to_vec())
    }

    /// Returns the earliest expiry in its chain, and the name of the CA that it belongs to.
    pub fn end(&self) -> (String, OffsetDateTime) {
        let above =
            self.above.iter().map(|certificate| (certificate.subject.to_string(), certificate.validity.not_after));
        let own = (self.name.clone(), self.certificate.validity.not_after);
        above.fold(own, |first, next| if next.1 < first.1 { next } else { first })
    }

    /// Checks that it may issue a certificate of this profile, now, for these names.
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

    /// Checks that it may sign the certificate of a CA, now.
    ///
    /// # Errors
    /// When it is not valid now, or a path length in its chain allows no further CA.
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

    /// Checks that another CA may be below it (RFC 5280 §4.2.1.9): every path length in the chain counts the CAs that
    /// follow, except self-issued ones.
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
