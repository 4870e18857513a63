//! A CA certificate that may sign, and the one road to its key.

use time::OffsetDateTime;

use super::{ApprovedCrl, ApprovedDraft, DraftRefusal, Profile, SignedCrl};
use crate::keys::{self, PrivateKey, Signer, SigningError, private_key};
use crate::x509::name_constraints::{Subtree, Violation};
use crate::x509::{
    Certificate, DecodeError, DistinguishedName, GeneralName, KeyUsage, PublicKey, SignatureAlgorithm, der, tbs,
};

/// What is known of an issuer without its key: enough to decide what it may sign.
#[derive(Debug, Clone)]
pub struct CaCertificate {
    name: String,
    certificate: Certificate,
    above: Vec<Certificate>,
    cross_certificate: Option<Certificate>,
    signature_algorithm: SignatureAlgorithm,
}

/// An issuer with its key: any signer, and a private key unless said otherwise.
pub struct Issuer<S: Signer = PrivateKey> {
    ca_certificate: CaCertificate,
    signer: S,
}

/// A certificate that was signed and read back. Nobody gets at it before somebody has checked the signature.
#[derive(Debug)]
#[must_use]
pub struct Issued {
    certificate: Certificate,
    issuer_key: PublicKey,
}

/// Why a certificate and a key do not make an issuer, or the issuer did not sign.
#[derive(Debug, thiserror::Error)]
pub enum IssuerError {
    #[error("the certificate of '{0}' is a leaf, not a CA: its basic constraints do not say so (RFC 5280 §4.2.1.9)")]
    NotAnAuthority(String),
    #[error("the certificate of '{0}' does not allow its key to sign certificates (RFC 5280 §4.2.1.3)")]
    MayNotSign(String),
    #[error(
        "the certificate of '{0}' does not allow its key to sign revocation lists: key usage without crl-sign (RFC 5280 §4.2.1.3)"
    )]
    MayNotSignCrls(String),
    #[error("the certificate of '{0}' has no subject, which a CA must have (RFC 5280 §4.1.2.6)")]
    NoSubject(String),
    #[error("the certificate of '{name}' is damaged: extension {oid}: {reason}")]
    Malformed { name: String, oid: String, reason: String },
    #[error("the certificate of '{name}' holds a key of the kind {kind}, with which nothing can be signed here")]
    UnusableKey { name: String, kind: String },
    #[error("the key and the certificate of '{0}' do not belong together")]
    KeyMismatch(String),
    #[error("the draft was approved for another key than that of its issuer")]
    OtherKey,
    #[error(transparent)]
    Signing(#[from] SigningError),
    #[error("what was signed is not what was approved")]
    Altered,
    #[error(transparent)]
    Decode(#[from] DecodeError),
}

impl Issued {
    /// The certificate, once its signature was checked with the key that should have made it: it was made over what was
    /// approved, and counts for what was read back only if both are the same octets.
    ///
    /// # Errors
    /// When it is not the signature of that key.
    pub fn checked(self) -> Result<Certificate, IssuerError> {
        let Self { certificate, issuer_key } = self;
        let (algorithm, signature) = (&certificate.signature_algorithm, &certificate.signature);
        keys::verify(&issuer_key, algorithm, certificate.tbs(), signature).map_err(|_| IssuerError::Altered)?;
        Ok(certificate)
    }

    /// The certificate, once a verifier has accepted it that checks the signature among all else: so the signature is not
    /// checked twice.
    ///
    /// # Errors
    /// The verifier's.
    pub fn verified<E>(self, verify: impl FnOnce(&Certificate) -> Result<(), E>) -> Result<Certificate, E> {
        verify(&self.certificate).map(|()| self.certificate)
    }
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
                        constraint: told(&violation),
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

fn told(violation: &Violation<'_>) -> String {
    match violation {
        Violation::Excluded(subtree) => format!("{subtree} is excluded"),
        Violation::NotPermitted(permitted) => {
            format!(
                "only {} is permitted",
                permitted.iter().copied().map(Subtree::to_string).collect::<Vec<_>>().join(", ")
            )
        }
    }
}

impl<S: Signer> Issuer<S> {
    /// Joins an issuer with its key.
    ///
    /// # Errors
    /// When they do not belong together.
    pub fn new(ca_certificate: CaCertificate, signer: S) -> Result<Self, IssuerError> {
        if *signer.public_key() != ca_certificate.certificate.public_key {
            return Err(IssuerError::KeyMismatch(ca_certificate.name));
        }
        Ok(Self { ca_certificate, signer })
    }

    pub fn ca_certificate(&self) -> &CaCertificate {
        &self.ca_certificate
    }

    /// Takes the certificate and chain that the CA has by now.
    ///
    /// # Errors
    /// When they are for another key.
    pub fn refresh(&mut self, ca_certificate: CaCertificate) -> Result<(), IssuerError> {
        if *self.signer.public_key() != ca_certificate.certificate.public_key {
            return Err(IssuerError::KeyMismatch(ca_certificate.name));
        }
        self.ca_certificate = ca_certificate;
        Ok(())
    }

    /// Parts with the key.
    pub fn into_signer(self) -> S {
        self.signer
    }

    /// Signs what was approved.
    ///
    /// # Errors
    /// As [`sign`].
    pub fn sign(&self, approved: ApprovedDraft) -> Result<Issued, IssuerError> {
        sign(approved, &self.signer)
    }

    /// Signs a revocation list that was approved.
    ///
    /// # Errors
    /// As [`sign_crl`].
    pub fn sign_crl(&self, approved: ApprovedCrl) -> Result<SignedCrl, IssuerError> {
        sign_crl(approved, &self.signer)
    }
}

/// The one road to a signing key: consumes an approved draft, signs exactly its octets, and reads back what came out.
///
/// # Errors
/// When the key is not the one that the draft was approved for, does not sign, or what came out cannot be read.
pub fn sign(approved: ApprovedDraft, signer: &dyn Signer) -> Result<Issued, IssuerError> {
    let (to_be_signed, draft) = approved.into_parts();
    if *signer.public_key() != draft.issuer_key || signer.signature_algorithm() != draft.signature_algorithm {
        return Err(IssuerError::OtherKey);
    }
    let signature = signer.sign(&to_be_signed)?;
    let certificate = Certificate::from_der(&tbs::assemble(&to_be_signed, &draft.signature_algorithm, &signature))?;
    Ok(Issued { certificate, issuer_key: draft.issuer_key })
}

/// The same road for a revocation list: consumes an approved one, signs exactly its octets, and reads back what came out.
///
/// # Errors
/// As [`sign`].
pub fn sign_crl(approved: ApprovedCrl, signer: &dyn Signer) -> Result<SignedCrl, IssuerError> {
    let (to_be_signed, draft) = approved.into_parts();
    if *signer.public_key() != draft.issuer_key || signer.signature_algorithm() != draft.signature_algorithm {
        return Err(IssuerError::OtherKey);
    }
    let signature = signer.sign(&to_be_signed)?;
    let der = tbs::assemble(&to_be_signed, &draft.signature_algorithm, &signature);
    // These octets were read by the other parser before they were signed, and a long list takes its time to be read; what is
    // asked here is whether exactly they, and a signature that counts, are in what came out.
    let (parts, bits) = (envelope(&der), der::bit_string(&signature));
    let is_sound = parts.is_some_and(|parts| parts == [&to_be_signed[..], &draft.signature_algorithm.der, &bits])
        && keys::verify(&draft.issuer_key, &draft.signature_algorithm, &to_be_signed, &signature).is_ok();
    if is_sound { Ok(SignedCrl { der }) } else { Err(IssuerError::Altered) }
}

/// What is signed, the algorithm and the signature (RFC 5280 §5.1.1).
fn envelope(signed: &[u8]) -> Option<Vec<&[u8]>> {
    let (der::SEQUENCE, content, []) = der::split_first(signed)? else { return None };
    der::children(content)
}
