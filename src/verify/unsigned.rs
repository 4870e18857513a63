//! Verification before the signature: a certificate that a CA is about to sign is verified like a client will verify it,
//! with a placeholder in place of the signature. See docs/decisions/0016-verified-before-signed.md.

use time::OffsetDateTime;

use super::candidate::{Candidate, InputPosition};
use super::chain::verify_chain;
use super::input::{VerifyInput, VerifyOptions};
use super::rules::name_constraints::{NAME_CONSTRAINT_UNPROCESSABLE, NAME_CONSTRAINT_VIOLATED};
use super::signature::SignatureCache;
use super::subject_names;
use super::verdict::Problem;
use crate::lint::Severity;
use crate::x509::Certificate;

/// Why a certificate must not be signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unsound {
    /// Its chain would not be valid (RFC 5280 §6).
    Chain(Box<Problem>),
    /// Programs read a name in it that is outside of the name constraints, although RFC 5280 does not count it.
    Name(Box<Problem>),
}

/// The chain of a certificate that has a placeholder in place of its signature.
struct UnsignedChain {
    /// The root first, the unsigned certificate last.
    path: Vec<Candidate>,
    /// True when the certificate is a root: then it is its own anchor.
    is_root: bool,
    signatures: SignatureCache,
}

impl UnsignedChain {
    /// `above` are the CAs above the certificate, each with its name in messages, the nearest first; empty for a root.
    fn new<'a>(unsigned: &Certificate, above: impl IntoIterator<Item = (&'a str, &'a Certificate)>) -> Self {
        let candidate = |(name, certificate): (&str, &Certificate)| {
            Candidate::new(certificate.clone(), InputPosition::new(name, 1))
        };
        let mut path: Vec<Candidate> = above.into_iter().map(candidate).collect();
        path.reverse();
        path.push(candidate(("the new certificate", unsigned)));
        let is_root = path.len() == 1;
        if is_root {
            path.push(candidate(("the new certificate", unsigned)));
        }
        let signatures = SignatureCache::default();
        if let [.., issuer, _] = path.as_slice() {
            signatures.assume(unsigned, &issuer.certificate.public_key);
        }
        Self { path, is_root, signatures }
    }

    /// Returns the errors, the most useful first, like a client that trusts the root finds them.
    fn errors(&self, at: OffsetDateTime) -> Vec<Problem> {
        let [anchor, untrusted @ .., leaf] = self.path.as_slice() else { return Vec::new() };
        let input = VerifyInput {
            leaf,
            untrusted: &untrusted.iter().collect::<Vec<_>>(),
            anchors: std::slice::from_ref(anchor),
            crls: &[],
            revocations: None,
            signatures: &self.signatures,
        };
        let problems = verify_chain(input, &VerifyOptions::path_alone(at)).problems;
        problems.into_iter().filter(|problem| problem.severity == Severity::Error).collect()
    }
}

/// Verifies a certificate before its CA signs it: everything but its signature, which is a placeholder. `above` are the CAs
/// above it, each with its name in messages, the nearest first; empty for a root.
///
/// # Errors
/// When a client that trusts the root would refuse the certificate at this time.
pub fn verify_unsigned<'a>(
    unsigned: &Certificate,
    above: impl IntoIterator<Item = (&'a str, &'a Certificate)>,
    at: OffsetDateTime,
) -> Result<(), Unsound> {
    let chain = UnsignedChain::new(unsigned, above);
    if let Some(problem) = chain.errors(at).into_iter().next() {
        return Err(Unsound::Chain(Box::new(problem)));
    }
    // The constraints of a root apply to the certificates below it (RFC 5280 §4.2.1.10).
    if chain.is_root {
        return Ok(());
    }
    match subject_names::check(&chain.path.iter().collect::<Vec<_>>()) {
        Some(problem) => Err(Unsound::Name(Box::new(problem))),
        None => Ok(()),
    }
}

/// Verifies that the chain of a CA can be valid for something that it issues: `unsigned` is a certificate that it could
/// issue, with any names.
///
/// # Errors
/// When every certificate that this CA issues would be refused at this time.
pub fn verify_authority<'a>(
    unsigned: &Certificate,
    above: impl IntoIterator<Item = (&'a str, &'a Certificate)>,
    at: OffsetDateTime,
) -> Result<(), Box<Problem>> {
    let chain = UnsignedChain::new(unsigned, above);
    let is_about_its_names = |problem: &Problem| {
        chain.path.last().is_some_and(|leaf| leaf.position == problem.certificate)
            && [NAME_CONSTRAINT_VIOLATED.code, NAME_CONSTRAINT_UNPROCESSABLE.code].contains(&problem.code)
    };
    match chain.errors(at).into_iter().find(|problem| !is_about_its_names(problem)) {
        Some(problem) => Err(Box::new(problem)),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;
    use crate::lint::testing::{TestCa, TestCert};

    const NOW: OffsetDateTime = datetime!(2026-03-01 12:00 UTC);

    /// The signature of the leaf alone is taken as verified, and only with the key of its issuer.
    #[test]
    fn a_placeholder_stands_for_the_signature_of_one_certificate() {
        let (root, other) = (TestCa::root(), TestCa::root());
        let issuing = root.subordinate(TestCert::ca("Issuing"));
        let unsigned = || issuing.issue(TestCert::server("web.corp.test").badly_signed());
        let above = [("issuing", &issuing.certificate), ("root", &root.certificate)];
        assert_eq!(verify_unsigned(&unsigned(), above, NOW), Ok(()));
        let below_other = [("issuing", &issuing.certificate), ("root", &other.certificate)];
        assert!(matches!(verify_unsigned(&unsigned(), below_other, NOW), Err(Unsound::Chain(_))));
        let badly_signed = root.subordinate(TestCert::ca("Issuing").badly_signed());
        let unsigned = badly_signed.issue(TestCert::server("web.corp.test").badly_signed());
        let above = [("issuing", &badly_signed.certificate), ("root", &root.certificate)];
        assert!(matches!(verify_unsigned(&unsigned, above, NOW), Err(Unsound::Chain(_))));
    }

    #[test]
    fn a_root_is_verified_as_its_own_anchor() {
        let unsigned = |cert: TestCert| TestCa::self_signed(cert.badly_signed()).certificate;
        assert_eq!(verify_unsigned(&unsigned(TestCert::ca("Root")), [], NOW), Ok(()));
        let unknown = TestCert::ca("Root").extension("1.2.3.4", true, vec![5, 0]);
        assert!(matches!(verify_unsigned(&unsigned(unknown), [], NOW), Err(Unsound::Chain(_))));
    }
}
