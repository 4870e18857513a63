//! Signs a draft, verifies the resulting certificate, and records it in the index.

use std::path::Path;

use time::OffsetDateTime;

use crate::authority::error::CertifyError;
use crate::issuance::{self, CaCertificate, Draft, Issuer, LogHeadDraft};
use crate::keys::Signer;
use crate::lint::{Finding, Severity};
use crate::store::StoreError;
use crate::store::index::{EntryId, EventKind, HeadSignature, IndexError, NewEntry, Origin, Transaction};
use crate::verify::{self, Candidate, Problem, Purpose, SignatureCache, VerifyInput, VerifyOptions};
use crate::x509::Certificate;

/// A certificate that was signed and verified but is not yet recorded.
#[derive(Debug)]
pub struct Certified {
    pub certificate: Certificate,
    /// The lint findings that do not prevent the certificate.
    pub warnings: Vec<Finding>,
}

/// Signs a draft with the key of an issuer, and verifies the chain of the new certificate.
///
/// # Errors
/// When the draft is not approved, signing fails, or the chain of the certificate is not valid at `now`.
pub fn certify(draft: Draft, issuer: &Issuer<'_>, now: OffsetDateTime) -> Result<Certified, CertifyError> {
    let ca = issuer.ca_certificate();
    let mut approved = issuance::approve(draft, Some(ca))?;
    let warnings = std::mem::take(&mut approved.warnings);
    let certificate = issuer.sign(approved)?.verified(|certificate| verify_new_chain(certificate, ca, now))?;
    Ok(Certified { certificate, warnings })
}

/// Signs the draft of a root with the root's own key, and checks the signature.
///
/// # Errors
/// When the draft is not approved, or signing fails.
pub fn certify_itself(draft: Draft, key: &dyn Signer) -> Result<Certified, CertifyError> {
    let mut approved = issuance::approve(draft, None)?;
    let warnings = std::mem::take(&mut approved.warnings);
    let certificate = issuance::sign(approved, key)?.checked()?;
    Ok(Certified { certificate, warnings })
}

/// Verifies the chain of a new certificate like a client that trusts the last certificate of the issuer's chain.
///
/// # Errors
/// When the chain is not valid at this time.
pub fn verify_new_chain(
    certificate: &Certificate,
    issuer: &CaCertificate,
    now: OffsetDateTime,
) -> Result<(), CertifyError> {
    let candidate = |certificate: &Certificate, file: &str| {
        Candidate::new(certificate.clone(), verify::InputPosition::new(file, 1))
    };
    let mut above: Vec<Candidate> = std::iter::once(issuer.certificate())
        .chain(issuer.above())
        .map(|above| candidate(above, issuer.name()))
        .collect();
    let anchor = above.pop().into_iter().collect::<Vec<_>>();
    let options = VerifyOptions {
        at: now,
        purpose: Purpose::Any,
        names: Vec::new(),
        max_path_length: None,
        must_be_valid_until: None,
        check_revocation: false,
        own_roots: true,
    };
    let leaf = candidate(certificate, "the new certificate");
    let input = VerifyInput {
        leaf: &leaf,
        untrusted: &above.iter().collect::<Vec<_>>(),
        anchors: &anchor,
        crls: &[],
        revocations: None,
        signatures: &SignatureCache::default(),
    };
    // Lint errors of an imported CA were reported at its import, so only those of the new certificate count here.
    let is_its_own = |problem: &Problem| problem.severity == Severity::Error && problem.certificate == leaf.position;
    match verify::verify_chain(input, &options).problems.into_iter().find(is_its_own) {
        Some(problem) => Err(CertifyError::DoesNotVerify(problem.message)),
        None => Ok(()),
    }
}

/// What the index records of a certificate beside its content.
#[derive(Debug, Clone, Copy)]
pub struct RecordAs<'a> {
    /// The NAME of the entry; for a CA certificate, the name of the authority.
    pub name: &'a str,
    pub template: &'a str,
    /// The name of the authority that signed the certificate; a root has its own name here.
    pub authority: &'a str,
    pub origin: Origin,
    /// The folder of the certificate's files; `None` for the usual folder (without `--out`).
    pub place: Option<&'a Path>,
    /// True when the files and the record appear in the same step. False when [`Index::mark_delivered`] follows.
    ///
    /// [`Index::mark_delivered`]: crate::store::Index::mark_delivered
    pub is_delivered: bool,
    /// The kind of the event in the log.
    pub event: EventKind,
}

impl<'a> RecordAs<'a> {
    /// Describes a certificate that this CA signed and whose files are not yet in the usual folder.
    pub fn issued(name: &'a str, template: &'a str, authority: &'a str) -> Self {
        Self {
            name,
            template,
            authority,
            origin: Origin::Issued,
            place: None,
            is_delivered: false,
            event: EventKind::Issue,
        }
    }
}

/// Records a certificate. The certificate may leave the process only after the transaction is committed.
///
/// # Errors
/// When the index already has a certificate with this issuer and serial number, or cannot be written.
pub fn record(
    transaction: &mut Transaction<'_>,
    record_as: RecordAs<'_>,
    certificate: &Certificate,
    now: OffsetDateTime,
) -> Result<EntryId, IndexError> {
    let RecordAs { name, template, authority, origin, place, is_delivered, event } = record_as;
    let delivered_at = is_delivered.then_some(now);
    transaction.insert(&NewEntry {
        certificate,
        name,
        template,
        authority,
        issued_at: now,
        origin,
        place,
        delivered_at,
        event,
    })
}

/// Makes the records of a transaction durable, and signs the head of the event log with the key of an authority that is in
/// use anyway.
///
/// # Errors
/// When the key does not sign, or the index cannot be written; then nothing is changed.
pub fn commit_signed(transaction: Transaction<'_>, issuer: &Issuer<'_>) -> Result<(), StoreError> {
    transaction.commit_signed(|head| {
        let draft = LogHeadDraft::new(issuer.ca_certificate(), head.count, head.hash, head.at);
        let signature = issuer.sign_log_head(issuance::approve_log_head(draft)?)?;
        Ok(Some(HeadSignature { authority: issuer.ca_certificate().name().to_owned(), signature }))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::authority::testing::{Ca, NOW};
    use crate::issuance::{CertificateRequest, Expiry, IssuerError, Profile, SignedBy, TemplateValues};
    use crate::keys::{PrivateKey, SigningError};
    use crate::store::ca_certificates::CaCertificates;
    use crate::x509::{KeyAlgorithm, PublicKey, SerialNumber, SignatureAlgorithm};

    /// A signer that reports one public key and signs with another key.
    struct Dishonest<'a> {
        shown: &'a PublicKey,
        used: PrivateKey,
    }

    impl Signer for Dishonest<'_> {
        fn public_key(&self) -> &PublicKey {
            self.shown
        }

        fn signature_algorithm(&self) -> SignatureAlgorithm {
            self.used.signature_algorithm()
        }

        fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SigningError> {
            self.used.sign(message)
        }
    }

    #[test]
    fn a_certificate_that_another_key_has_signed_is_not_returned() {
        let ca = Ca::new();
        let facts = CaCertificates::of(&ca.home).ca_certificate("issuing").unwrap();
        let leaf = PrivateKey::generate(KeyAlgorithm::EcdsaP256).unwrap();
        let profile = Profile::read("server", "server.toml", include_str!("../../templates/server.toml")).unwrap();
        let request = CertificateRequest {
            name: "web.test".to_owned(),
            names: vec!["web.test".parse().unwrap()],
            public_key: leaf.public_key().clone(),
            expiry: Expiry::Default,
            clip: false,
            subject: Vec::new(),
            values: TemplateValues(
                [("name".to_owned(), "web.test".to_owned()), ("organization".to_owned(), String::new())].into(),
            ),
        };
        let draft = || {
            let serial = SerialNumber::from_random(&[2; 16]).unwrap();
            Draft::new(&profile, &request, SignedBy::Issuer(&facts), NOW, serial).unwrap()
        };
        let issued = |signer: &dyn Signer| issuance::sign(issuance::approve(draft(), Some(&facts)).unwrap(), signer);
        let shown = &facts.certificate().public_key;
        let kind = shown.kind().to_string();
        let same_kind = KeyAlgorithm::ALL.into_iter().find(|algorithm| algorithm.name() == kind).unwrap();
        let used = || PrivateKey::generate(same_kind).unwrap();
        let dishonest = Dishonest { shown, used: used() };
        assert!(matches!(issued(&dishonest).unwrap().checked(), Err(IssuerError::Altered)));
        let refused = certify(draft(), &Issuer::new(facts.clone(), dishonest).unwrap(), NOW);
        assert!(matches!(refused, Err(CertifyError::DoesNotVerify(_))), "{refused:?}");
        // A signer that reports the key that it signs with is rejected before it signs.
        assert!(matches!(issued(&used()), Err(IssuerError::OtherKey)));
    }
}
