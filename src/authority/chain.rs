//! The chain of a new certificate: what is delivered with it, and whether it holds.

use time::OffsetDateTime;

use super::{AuthorityError, Index};
use crate::issuance::{Issuer, IssuerFacts};
use crate::lint::Severity;
use crate::verify::{self, Evidence, Exhibit, Problem, Purpose, Question, Signatures};
use crate::x509::Certificate;

/// What stands between a leaf of this issuer and the root, the issuer first; while a root follows another, with the
/// certificate of the new one by the old one, for those who trust only that.
pub fn chain_below_root(issuer: &Issuer) -> Vec<Certificate> {
    let facts = issuer.facts();
    let all = std::iter::once(facts.certificate()).chain(facts.above());
    all.filter(|certificate| !certificate.is_self_issued()).chain(facts.bridge()).cloned().collect()
}

/// Whether an authority may go on signing: neither it nor one above it was revoked or put on hold. Whoever knows that would
/// not believe what it signs (RFC 5280 §6.1.3 (a)(3)).
///
/// # Errors
/// When one of them was; and when the index cannot be read.
pub fn check_not_revoked(issuer: &IssuerFacts, index: &Index) -> Result<(), AuthorityError> {
    for certificate in std::iter::once(issuer.certificate()).chain(issuer.above()) {
        // A root is in no list.
        if certificate.is_self_issued() {
            continue;
        }
        if let Some((name, revocation)) = index.standing_revocation_of(certificate)? {
            let authority = issuer.name().to_owned();
            return Err(AuthorityError::RevokedIssuer { authority, revoked: name, revocation });
        }
    }
    Ok(())
}

/// Lays a new certificate before the judge, as whoever meets it will: its chain must hold now.
pub fn check_chain(certificate: &Certificate, issuer: &IssuerFacts, now: OffsetDateTime) -> Result<(), AuthorityError> {
    let exhibit =
        |certificate: &Certificate, file: &str| Exhibit::new(certificate.clone(), verify::Place::new(file, 1));
    let mut above: Vec<Exhibit> = std::iter::once(issuer.certificate())
        .chain(issuer.above())
        .map(|above| exhibit(above, issuer.name()))
        .collect();
    let anchor = above.pop().into_iter().collect::<Vec<_>>();
    let question = Question {
        at: now,
        purpose: Purpose::Any,
        names: Vec::new(),
        max_path_length: None,
        must_hold_until: None,
        check_revocation: false,
        own_roots: true,
    };
    let leaf = exhibit(certificate, "the new certificate");
    let evidence = Evidence {
        leaf: &leaf,
        untrusted: &above.iter().collect::<Vec<_>>(),
        anchors: &anchor,
        lists: &[],
        signatures: &Signatures::default(),
    };
    // The faults of form of a CA that another tool made were told when it was taken over; what counts here is the new one.
    let is_its_own = |problem: &Problem| problem.severity == Severity::Error && problem.certificate == leaf.place;
    match verify::judge(evidence, &question).problems.into_iter().find(is_its_own) {
        Some(problem) => Err(AuthorityError::DoesNotVerify(problem.message)),
        None => Ok(()),
    }
}
