//! A CA certificate with its key, and the only function that signs certificates with it.

use super::ca_certificate::CaCertificate;
use super::crl::{ApprovedCrl, SignedCrl};
use super::issuer_error::IssuerError;
use super::log_head::LogHeadDraft;
use super::verified_draft::VerifiedDraft;
use crate::keys::{self, Signer};
use crate::x509::{Certificate, der, tbs};

/// A CA certificate with its key, which is any signer: a private key from a file, or a key that never leaves a device.
pub struct Issuer<'k> {
    ca_certificate: CaCertificate,
    signer: Box<dyn Signer + 'k>,
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

    /// Signs a verified draft.
    ///
    /// # Errors
    /// As [`sign`].
    pub fn sign(&self, verified: VerifiedDraft) -> Result<Certificate, IssuerError> {
        sign(verified, self.signer())
    }

    /// Signs an approved CRL.
    ///
    /// # Errors
    /// As [`sign_crl`].
    pub fn sign_crl(&self, approved: ApprovedCrl) -> Result<SignedCrl, IssuerError> {
        sign_crl(approved, self.signer())
    }

    /// Signs a head of the event log.
    ///
    /// # Errors
    /// As [`sign_log_head`].
    pub fn sign_log_head(&self, draft: &LogHeadDraft) -> Result<Vec<u8>, IssuerError> {
        sign_log_head(draft, self.signer())
    }
}

/// Signs a verified draft, exactly the bytes that were verified, and checks the result. No other function signs a
/// certificate.
///
/// # Errors
/// When the key is not the one that the draft was approved for, the key does not sign, or the result has other bytes or a
/// signature that does not verify.
pub fn sign(verified: VerifiedDraft, signer: &dyn Signer) -> Result<Certificate, IssuerError> {
    let (to_be_signed, draft) = verified.into_parts();
    if *signer.public_key() != draft.issuer_key || signer.signature_algorithm() != draft.signature_algorithm {
        return Err(IssuerError::OtherKey);
    }
    let signature = signer.sign(&to_be_signed)?;
    let certificate = Certificate::from_der(&tbs::assemble(&to_be_signed, &draft.signature_algorithm, &signature))?;
    let Certificate { signature_algorithm, signature, .. } = &certificate;
    let is_sound = certificate.tbs() == to_be_signed
        && *signature_algorithm == draft.signature_algorithm
        && keys::verify(&draft.issuer_key, signature_algorithm, &to_be_signed, signature).is_ok();
    if is_sound { Ok(certificate) } else { Err(IssuerError::Altered) }
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

/// Signs a head of the event log, and returns the signature.
///
/// # Errors
/// When the key is not the one of the draft, or the key does not sign.
pub fn sign_log_head(draft: &LogHeadDraft, signer: &dyn Signer) -> Result<Vec<u8>, IssuerError> {
    if *signer.public_key() != draft.issuer_key || signer.signature_algorithm() != draft.signature_algorithm {
        return Err(IssuerError::OtherKey);
    }
    Ok(signer.sign(&draft.to_be_signed())?)
}

/// Returns the three parts of a signed structure: what is signed, the algorithm and the signature (RFC 5280 §5.1.1).
fn envelope(signed: &[u8]) -> Option<Vec<&[u8]>> {
    let (der::SEQUENCE, content, []) = der::split_first(signed)? else { return None };
    der::children(content)
}
