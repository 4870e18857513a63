//! A CA certificate with its key, and the only function that signs certificates with it.

use super::approval::ApprovedDraft;
use super::ca_certificate::CaCertificate;
use super::crl::{ApprovedCrl, SignedCrl};
use super::issuer_error::IssuerError;
use super::log_head::ApprovedLogHead;
use crate::keys::{self, Signer};
use crate::x509::{Certificate, PublicKey, der, tbs};

/// A CA certificate with its key, which is any signer: a private key from a file, or a key that never leaves a device.
pub struct Issuer<'k> {
    ca_certificate: CaCertificate,
    signer: Box<dyn Signer + 'k>,
}

/// A certificate that was signed and decoded. The certificate can be taken out only after its signature was verified.
#[derive(Debug)]
#[must_use]
pub struct Issued {
    certificate: Certificate,
    issuer_key: PublicKey,
}

impl Issued {
    /// Verifies the signature with the key of the issuer, and returns the certificate. The signature was made over the
    /// approved bytes, so it is valid only if the decoded bytes are the same.
    ///
    /// # Errors
    /// When the key of the issuer did not make the signature.
    pub fn checked(self) -> Result<Certificate, IssuerError> {
        let Self { certificate, issuer_key } = self;
        let (algorithm, signature) = (&certificate.signature_algorithm, &certificate.signature);
        keys::verify(&issuer_key, algorithm, certificate.tbs(), signature).map_err(|_| IssuerError::Altered)?;
        Ok(certificate)
    }

    /// Returns the certificate, once `verify` has accepted it. For a caller that verifies the whole chain, so that the
    /// signature is not verified twice.
    ///
    /// # Errors
    /// That of `verify`.
    pub fn verified<E>(self, verify: impl FnOnce(&Certificate) -> Result<(), E>) -> Result<Certificate, E> {
        verify(&self.certificate).map(|()| self.certificate)
    }
}

impl<'k> Issuer<'k> {
    /// Joins a CA certificate with its key.
    ///
    /// # Errors
    /// When the certificate is for another key.
    pub fn new(ca_certificate: CaCertificate, signer: impl Signer + 'k) -> Result<Self, IssuerError> {
        ca_certificate.check_key(signer.public_key())?;
        Ok(Self { ca_certificate, signer: Box::new(signer) })
    }

    pub fn ca_certificate(&self) -> &CaCertificate {
        &self.ca_certificate
    }

    /// Replaces the certificate and the chain by those that the CA has now.
    ///
    /// # Errors
    /// When they are for another key.
    pub fn refresh(&mut self, ca_certificate: CaCertificate) -> Result<(), IssuerError> {
        ca_certificate.check_key(self.signer.public_key())?;
        self.ca_certificate = ca_certificate;
        Ok(())
    }

    /// Returns the signer of the CA's key.
    pub fn signer(&self) -> &dyn Signer {
        &*self.signer
    }

    /// Signs an approved draft.
    ///
    /// # Errors
    /// As [`sign`].
    pub fn sign(&self, approved: ApprovedDraft) -> Result<Issued, IssuerError> {
        sign(approved, self.signer())
    }

    /// Signs an approved CRL.
    ///
    /// # Errors
    /// As [`sign_crl`].
    pub fn sign_crl(&self, approved: ApprovedCrl) -> Result<SignedCrl, IssuerError> {
        sign_crl(approved, self.signer())
    }

    /// Signs an approved head of the event log.
    ///
    /// # Errors
    /// As [`sign_log_head`].
    pub fn sign_log_head(&self, approved: ApprovedLogHead) -> Result<Vec<u8>, IssuerError> {
        sign_log_head(approved, self.signer())
    }
}

/// Signs an approved draft, exactly its bytes, and decodes the result. No other function signs a certificate.
///
/// # Errors
/// When the key is not the one that the draft was approved for, the key does not sign, or the result cannot be decoded.
pub fn sign(approved: ApprovedDraft, signer: &dyn Signer) -> Result<Issued, IssuerError> {
    let (to_be_signed, draft) = approved.into_parts();
    if *signer.public_key() != draft.issuer_key || signer.signature_algorithm() != draft.signature_algorithm {
        return Err(IssuerError::OtherKey);
    }
    let signature = signer.sign(&to_be_signed)?;
    let certificate = Certificate::from_der(&tbs::assemble(&to_be_signed, &draft.signature_algorithm, &signature))?;
    Ok(Issued { certificate, issuer_key: draft.issuer_key })
}

/// Signs an approved CRL, exactly its bytes, and checks the result.
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
    // Another parser decoded these bytes before they were signed, and decoding a long CRL takes time. It is enough to check
    // that the result has exactly these bytes and a valid signature.
    let (parts, bits) = (envelope(&der), der::bit_string(&signature));
    let is_sound = parts.is_some_and(|parts| parts == [&to_be_signed[..], &draft.signature_algorithm.der, &bits])
        && keys::verify(&draft.issuer_key, &draft.signature_algorithm, &to_be_signed, &signature).is_ok();
    if is_sound { Ok(SignedCrl { der }) } else { Err(IssuerError::Altered) }
}

/// Signs an approved head of the event log, exactly its bytes, and returns the signature.
///
/// # Errors
/// When the key is not the one that the draft was approved for, or the key does not sign.
pub fn sign_log_head(approved: ApprovedLogHead, signer: &dyn Signer) -> Result<Vec<u8>, IssuerError> {
    let (to_be_signed, draft) = approved.into_parts();
    if *signer.public_key() != draft.issuer_key || signer.signature_algorithm() != draft.signature_algorithm {
        return Err(IssuerError::OtherKey);
    }
    Ok(signer.sign(&to_be_signed)?)
}

/// Returns the three parts of a signed structure: what is signed, the algorithm and the signature (RFC 5280 §5.1.1).
fn envelope(signed: &[u8]) -> Option<Vec<&[u8]>> {
    let (der::SEQUENCE, content, []) = der::split_first(signed)? else { return None };
    der::children(content)
}
