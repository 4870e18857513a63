//! A CA certificate that may sign, and the one road to its key.

use super::approval::ApprovedDraft;
use super::ca_certificate::CaCertificate;
use super::crl::{ApprovedCrl, SignedCrl};
use super::issuer_error::IssuerError;
use crate::keys::{self, Signer};
use crate::x509::{Certificate, PublicKey, der, tbs};

/// A CA certificate with its key, which is any signer: a private key from a file, or a key that never leaves a device.
pub struct Issuer<'k> {
    ca_certificate: CaCertificate,
    signer: Box<dyn Signer + 'k>,
}

/// A certificate that was signed and read back. Nobody gets at it before somebody has checked the signature.
#[derive(Debug)]
#[must_use]
pub struct Issued {
    certificate: Certificate,
    issuer_key: PublicKey,
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

impl<'k> Issuer<'k> {
    /// Joins an issuer with its key.
    ///
    /// # Errors
    /// When they do not belong together.
    pub fn new(ca_certificate: CaCertificate, signer: impl Signer + 'k) -> Result<Self, IssuerError> {
        ca_certificate.check_key(signer.public_key())?;
        Ok(Self { ca_certificate, signer: Box::new(signer) })
    }

    pub fn ca_certificate(&self) -> &CaCertificate {
        &self.ca_certificate
    }

    /// Takes the certificate and chain that the CA has by now.
    ///
    /// # Errors
    /// When they are for another key.
    pub fn refresh(&mut self, ca_certificate: CaCertificate) -> Result<(), IssuerError> {
        ca_certificate.check_key(self.signer.public_key())?;
        self.ca_certificate = ca_certificate;
        Ok(())
    }

    /// Returns what signs with the key of the CA.
    pub fn signer(&self) -> &dyn Signer {
        &*self.signer
    }

    /// Signs what was approved.
    ///
    /// # Errors
    /// As [`sign`].
    pub fn sign(&self, approved: ApprovedDraft) -> Result<Issued, IssuerError> {
        sign(approved, self.signer())
    }

    /// Signs a revocation list that was approved.
    ///
    /// # Errors
    /// As [`sign_crl`].
    pub fn sign_crl(&self, approved: ApprovedCrl) -> Result<SignedCrl, IssuerError> {
        sign_crl(approved, self.signer())
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
