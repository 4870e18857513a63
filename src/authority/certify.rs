//! Verifies a draft, signs it, and records the certificate in the index.

use std::num::NonZeroUsize;
use std::path::Path;

use time::OffsetDateTime;

use crate::authority::error::CertifyError;
use crate::clients::Fact;
use crate::issuance::{self, CaCertificate, Draft, Issuer, LogHeadDraft, VerifiedDraft};
use crate::keys::Signer;
use crate::lint::Finding;
use crate::store::StoreError;
use crate::store::index::{EntryId, EventKind, HeadSignature, IndexError, NewEntry, Origin, Transaction};
use crate::text::{Diagnosis, Diagnostic};
use crate::verify;
use crate::x509::Certificate;

/// A certificate that was signed and verified but is not yet recorded.
#[derive(Debug)]
pub struct Certified {
    pub certificate: Certificate,
    /// The lint findings that do not prevent the certificate.
    pub warnings: Vec<Finding>,
    /// The facts that it adds to the chain of a TLS server.
    pub client_facts: Vec<Fact>,
}

/// Verifies the chain of a draft, and then signs it with the key of the issuer.
///
/// # Errors
/// When the draft is not approved, the chain of the certificate would not be valid at `now`, or signing fails.
pub fn certify(draft: Draft, issuer: &Issuer<'_>, now: OffsetDateTime) -> Result<Certified, CertifyError> {
    let mut verified = verify_draft(draft, issuer.ca_certificate(), now)?;
    let (warnings, client_facts) = (verified.take_warnings(), verified.take_client_facts());
    Ok(Certified { certificate: issuer.sign(verified)?, warnings, client_facts })
}

/// Verifies the draft of a root, and then signs it with the root's own key.
///
/// # Errors
/// When the draft is not approved, a client that trusts the certificate would refuse it at `now`, or signing fails.
pub fn certify_itself(draft: Draft, key: &dyn Signer, now: OffsetDateTime) -> Result<Certified, CertifyError> {
    let mut verified = issuance::approve(draft, None)?.verified(now)?;
    let (warnings, client_facts) = (verified.take_warnings(), verified.take_client_facts());
    Ok(Certified { certificate: issuance::sign(verified, key)?, warnings, client_facts })
}

/// Decides whether the key of an issuer may sign a draft, without the key, for a dry run as for the run itself.
///
/// # Errors
/// When the draft is not approved, the root above the issuer is not here, or the chain of the certificate would not be valid
/// at `now`.
pub fn verify_draft(draft: Draft, issuer: &CaCertificate, now: OffsetDateTime) -> Result<VerifiedDraft, CertifyError> {
    Ok(issuance::approve(draft, Some(issuer))?.verified(now)?)
}

/// Verifies that a CA can issue certificates whose chain is valid at `now`.
///
/// # Errors
/// With the reason why every certificate that it issues would be refused.
pub fn verify_authority(ca: &CaCertificate, now: OffsetDateTime) -> Result<(), UnsoundAuthority> {
    let subject = || ca.subject().to_string();
    let leaf = issuance::hypothetical_leaf(ca).map_err(|error| UnsoundAuthority {
        subject: subject(),
        reason: error.to_string(),
        hint: None,
    })?;
    verify::verify_authority(&leaf, ca.path(), now).map_err(|problem| UnsoundAuthority {
        subject: subject(),
        reason: problem.message,
        hint: Some(problem.hint),
    })
}

/// A CA whose certificates no client accepts.
#[derive(Debug, thiserror::Error)]
#[error("every certificate that '{subject}' issues would be refused: {reason}")]
pub struct UnsoundAuthority {
    pub subject: String,
    /// The message of the verification.
    pub reason: String,
    pub hint: Option<String>,
}

impl Diagnostic for UnsoundAuthority {
    fn diagnosis(&self) -> Diagnosis {
        Diagnosis::refused("not-adopted").hints(self.hint.clone())
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
        detail: None,
    })
}

/// Makes the records of a transaction durable, and signs the head of the event log with the key of an authority that is in
/// use anyway.
///
/// # Errors
/// When the key does not sign, or the index cannot be written; then nothing is changed.
pub fn commit_signed(transaction: Transaction<'_>, issuer: &Issuer<'_>) -> Result<(), StoreError> {
    commit_many_signed(transaction, issuer, NonZeroUsize::MIN)
}

/// As [`commit_signed`], of many certificates: `jobs` threads sign the heads.
///
/// # Errors
/// As [`commit_signed`].
pub fn commit_many_signed(
    transaction: Transaction<'_>,
    issuer: &Issuer<'_>,
    jobs: NonZeroUsize,
) -> Result<(), StoreError> {
    transaction.commit_signed(jobs, |head| {
        let draft = LogHeadDraft::new(issuer.ca_certificate(), head.count, head.hash, head.at);
        let signature = issuer.sign_log_head(&draft)?;
        Ok(Some(HeadSignature { authority: issuer.ca_certificate().name().to_owned(), signature }))
    })
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use time::Duration;

    use super::*;
    use crate::authority::leaf::order::IssueOrder;
    use crate::authority::testing::{Ca, NOW, order};
    use crate::issuance::{
        CertificateRequest, Expiry, GivenExtensions, IssuerError, Profile, SignedBy, TemplateValues,
    };
    use crate::keys::{PrivateKey, SigningError};
    use crate::lint::testing::{TestCa, TestCert, name};
    use crate::store::ca_certificates::CaCertificates;
    use crate::x509::certificate::oid;
    use crate::x509::name_constraints::Subtree;
    use crate::x509::{
        DistinguishedName, KeyAlgorithm, KeyUsage, NameConstraints, PublicKey, SerialNumber, SignatureAlgorithm, der,
        pem,
    };

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
            whole_subject: None,
            extensions: GivenExtensions::None,
            subject: Vec::new(),
            values: TemplateValues(
                [("name".to_owned(), "web.test".to_owned()), ("organization".to_owned(), String::new())].into(),
            ),
        };
        let draft = || {
            let serial = SerialNumber::from_random(&[2; 16]).unwrap();
            Draft::new(&profile, &request, SignedBy::Issuer(&facts), NOW, serial).unwrap()
        };
        let issued = |signer: &dyn Signer| issuance::sign(verify_draft(draft(), &facts, NOW).unwrap(), signer);
        let shown = &facts.certificate().public_key;
        let kind = shown.kind().to_string();
        let same_kind = KeyAlgorithm::ALL.into_iter().find(|algorithm| algorithm.name() == kind).unwrap();
        let used = || PrivateKey::generate(same_kind).unwrap();
        let dishonest = Dishonest { shown, used: used() };
        assert!(matches!(issued(&dishonest), Err(IssuerError::Altered)));
        let refused = certify(draft(), &Issuer::new(facts.clone(), dishonest).unwrap(), NOW);
        assert!(refused.is_err(), "{refused:?}");
        // A signer that reports the key that it signs with is rejected before it signs.
        assert!(matches!(issued(&used()), Err(IssuerError::OtherKey)));
    }

    /// A signer that counts how often it is asked.
    struct Counting<'a>(&'a PrivateKey, AtomicUsize);

    impl Signer for Counting<'_> {
        fn public_key(&self) -> &PublicKey {
            self.0.public_key()
        }

        fn signature_algorithm(&self) -> SignatureAlgorithm {
            self.0.signature_algorithm()
        }

        fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SigningError> {
            self.1.fetch_add(1, Ordering::Relaxed);
            self.0.sign(message)
        }
    }

    #[test]
    fn the_key_signs_nothing_that_does_not_verify() {
        let root = TestCa::self_signed(TestCert::ca("Test Root").exclude(&["secret.corp.test"]));
        let ca = CaCertificate::new("root", root.certificate.clone(), Vec::new()).unwrap();
        let signer = Counting(&root.key, AtomicUsize::new(0));
        let profile = Profile::read("server", "server.toml", include_str!("../../templates/server.toml")).unwrap();
        let certified = |names: &[&str]| {
            let request = CertificateRequest {
                name: "web.corp.test".to_owned(),
                names: names.iter().map(|name| name.parse().unwrap()).collect(),
                public_key: PrivateKey::generate(KeyAlgorithm::EcdsaP256).unwrap().public_key().clone(),
                expiry: Expiry::Default,
                clip: false,
                whole_subject: None,
                extensions: GivenExtensions::None,
                subject: Vec::new(),
                values: TemplateValues(["name", "organization"].map(|key| (key.to_owned(), "x".to_owned())).into()),
            };
            let serial = SerialNumber::from_random(&[2; 16]).unwrap();
            let draft = Draft::new(&profile, &request, SignedBy::Issuer(&ca), NOW, serial).unwrap();
            let dry = verify_draft(draft.clone(), &ca, NOW).map(drop).map_err(|error| error.to_string());
            let issued = certify(draft, &Issuer::new(ca.clone(), &signer).unwrap(), NOW);
            assert_eq!(dry, issued.as_ref().map(drop).map_err(ToString::to_string), "a dry run has the same result");
            issued
        };
        // A wildcard above an excluded name: the draft itself breaks no rule.
        assert!(matches!(certified(&["*.corp.test"]), Err(CertifyError::DoesNotVerify(_))));
        assert_eq!(signer.1.load(Ordering::Relaxed), 0);
        assert!(certified(&["web.corp.test"]).is_ok());
        assert_eq!(signer.1.load(Ordering::Relaxed), 1);
    }

    /// Without its root an intermediate would be its own trust anchor, which no client has.
    #[test]
    fn nothing_is_signed_below_a_root_that_was_exchanged() {
        let (ca, other) = (Ca::new(), TestCa::self_signed(TestCert::ca("Other")));
        std::fs::write(ca.path("authorities/root/cert.pem"), pem::certificate(other.certificate.as_der())).unwrap();
        for dry_run in [true, false] {
            let refused = ca.issue(IssueOrder { dry_run, ..order("server", "web.test") }).unwrap_err().to_string();
            assert!(refused.contains("the root above 'issuing' is not here"), "{refused}");
        }
        assert!(ca.history("web.test").is_empty());
    }

    #[test]
    fn an_authority_whose_chains_are_never_valid_is_found() {
        let reason = |above: Vec<TestCert>, ca: TestCert| {
            let mut above = above.into_iter();
            let root = TestCa::self_signed(above.next().unwrap_or_else(|| TestCert::ca("Root")));
            let mut chain = vec![root];
            for cert in above {
                chain.insert(0, chain[0].subordinate(cert));
            }
            let certificate = chain[0].subordinate(ca).certificate;
            let above = chain.into_iter().map(|ca| ca.certificate).collect();
            verify_authority(&CaCertificate::new("ca", certificate, above).unwrap(), NOW).map_err(|it| it.reason)
        };
        let ca = || TestCert::ca("Issuing");
        let constraints = |subtree: Subtree| NameConstraints { permitted: vec![subtree], excluded: Vec::new() };
        let block = |mask: &str| Subtree::Ip { address: "10.0.0.0".parse().unwrap(), mask: mask.parse().unwrap() };
        // minimum [0] 1 beside the base.
        let base = der::value(der::context(2), b"corp.test");
        let minimum = der::sequence(&[&base, &der::value(der::context(0), &[1])]);
        let minimum = der::sequence(&[&der::value(der::context_constructed(0), &minimum)]);
        for (above, ca, expected) in [
            (vec![], ca().extension("1.2.3.4", true, vec![5, 0]), "1.2.3.4"),
            (vec![TestCert::ca("Root").extension("1.2.3.4", true, vec![5, 0])], ca(), "1.2.3.4"),
            (vec![], ca().name_constraints(&constraints(block("255.0.255.0"))), "holes"),
            (vec![], ca().extension(oid::NAME_CONSTRAINTS, true, minimum), "minimum"),
            (vec![TestCert::ca("Root").path_length(0)], ca(), "path length"),
            (vec![TestCert::ca("Root").key_usage(KeyUsage::CRL_SIGN)], ca(), "key usage"),
            (vec![TestCert::ca("Root").validity(NOW - Duration::days(9), NOW - Duration::DAY)], ca(), "expired"),
            (vec![TestCert::ca("Root"), TestCert::ca("Policy").basic_constraints(false, None)], ca(), "without cA"),
            (vec![TestCert::ca("Root")], ca().badly_signed(), "signature"),
        ] {
            let found = reason(above, ca).unwrap_err();
            assert!(found.contains(expected), "{expected}: {found}");
        }
        for sound in [
            ca(),
            ca().path_length(0),
            ca().permit(&["corp.test"]),
            ca().name_constraints(&constraints(block("255.0.0.0"))),
            ca().name_constraints(&constraints(Subtree::Directory(
                DistinguishedName::from_der(&name("Corp")).unwrap(),
            ))),
            ca().name_constraints(&constraints(Subtree::Dns(String::new()))),
        ] {
            assert_eq!(reason(Vec::new(), sound), Ok(()));
        }
    }
}
