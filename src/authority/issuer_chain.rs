//! The chain of a new certificate: what is delivered with it, and whether it holds.

use time::OffsetDateTime;

use crate::authority::error::CertifyError;
use crate::issuance::{CaCertificate, Issued, Issuer};
use crate::lint::Severity;
use crate::store::index::Index;
use crate::verify::{self, Candidate, Problem, Purpose, SignatureCache, VerifyInput, VerifyOptions};
use crate::x509::Certificate;

/// What stands between a leaf of this issuer and the root, the issuer first; while a root follows another, with the
/// certificate of the new one by the old one, for those who trust only that.
pub fn chain_below_root(issuer: &Issuer) -> Vec<Certificate> {
    let facts = issuer.ca_certificate();
    let all = std::iter::once(facts.certificate()).chain(facts.above());
    all.filter(|certificate| !certificate.is_self_issued()).chain(facts.bridge()).cloned().collect()
}

/// Whether an authority may go on signing: neither it nor one above it was revoked or put on hold. Whoever knows that would
/// not believe what it signs (RFC 5280 §6.1.3 (a)(3)).
///
/// # Errors
/// When one of them was; and when the index cannot be read.
pub fn check_not_revoked(issuer: &CaCertificate, index: &Index) -> Result<(), CertifyError> {
    for certificate in std::iter::once(issuer.certificate()).chain(issuer.above()) {
        // A root is in no list.
        if certificate.is_self_issued() {
            continue;
        }
        if let Some((name, revocation)) = index.standing_revocation_of(certificate)? {
            let authority = issuer.name().to_owned();
            return Err(CertifyError::RevokedIssuer { authority, revoked: name, revocation });
        }
    }
    Ok(())
}

/// A new certificate, once it was laid before the judge: see [`check_chain`].
///
/// # Errors
/// When its chain does not hold.
pub fn judged(issued: Issued, issuer: &CaCertificate, now: OffsetDateTime) -> Result<Certificate, CertifyError> {
    issued.judged(|certificate| check_chain(certificate, issuer, now))
}

/// Lays a new certificate before the judge, as whoever meets it will: its chain must hold now.
pub fn check_chain(certificate: &Certificate, issuer: &CaCertificate, now: OffsetDateTime) -> Result<(), CertifyError> {
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
        signatures: &SignatureCache::default(),
    };
    // The faults of form of a CA that another tool made were told when it was taken over; what counts here is the new one.
    let is_its_own = |problem: &Problem| problem.severity == Severity::Error && problem.certificate == leaf.position;
    match verify::verify_chain(input, &options).problems.into_iter().find(is_its_own) {
        Some(problem) => Err(CertifyError::DoesNotVerify(problem.message)),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::authority::testing::{Ca, NOW};
    use crate::issuance::{self, CertificateRequest, Draft, End, IssuerError, Profile, SignedBy, TemplateValues};
    use crate::keys::{PrivateKey, Signer, SigningError};
    use crate::store::ca_certificates::CaCertificates;
    use crate::x509::{KeyAlgorithm, PublicKey, SerialNumber, SignatureAlgorithm};

    /// Says that it is the one, and signs as the other.
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
    fn nobody_gets_a_certificate_that_another_key_has_signed() {
        let ca = Ca::new();
        let facts = CaCertificates::of(&ca.home).ca_certificate("issuing").unwrap();
        let leaf = PrivateKey::generate(KeyAlgorithm::EcdsaP256).unwrap();
        let profile = Profile::read("server", "server.toml", include_str!("../../templates/server.toml")).unwrap();
        let request = CertificateRequest {
            name: "web.test".to_owned(),
            names: vec!["web.test".parse().unwrap()],
            public_key: leaf.public_key().clone(),
            end: End::Default,
            clip: false,
            subject: Vec::new(),
            values: TemplateValues(
                [("name".to_owned(), "web.test".to_owned()), ("organization".to_owned(), String::new())].into(),
            ),
        };
        let issued = |signer: &dyn Signer| {
            let serial = SerialNumber::from_random(&[2; 16]).unwrap();
            let draft = Draft::new(&profile, &request, SignedBy::Issuer(&facts), NOW, serial).unwrap();
            issuance::sign(issuance::approve(draft, Some(&facts)).unwrap(), signer)
        };
        let shown = &facts.certificate().public_key;
        let kind = shown.kind().to_string();
        let same_kind = KeyAlgorithm::ALL.into_iter().find(|algorithm| algorithm.name() == kind).unwrap();
        let used = || PrivateKey::generate(same_kind).unwrap();
        let dishonest = Dishonest { shown, used: used() };
        assert!(matches!(issued(&dishonest).unwrap().checked(), Err(IssuerError::Altered)));
        let refused = judged(issued(&dishonest).unwrap(), &facts, NOW);
        assert!(matches!(refused, Err(CertifyError::DoesNotVerify(_))), "{refused:?}");
        // Whoever says which key it is does not come so far.
        assert!(matches!(issued(&used()), Err(IssuerError::OtherKey)));
    }
}
