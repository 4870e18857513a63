//! The certificates of one file as issuers of each other, and of the CRLs beside them.

use std::collections::HashMap;

use crate::verify::{SignatureProblem, check_crl_signature, check_signature};
use crate::x509::{CanonicalName, Certificate, Crl, DistinguishedName, PublicKey, SignatureAlgorithm};

/// The most signatures that are checked to find the issuers of certificates and CRLs.
pub const MOST_SIGNATURES: usize = 2000;

/// Whether a certificate of the file signed something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature {
    pub answer: SignatureAnswer,
    /// The number of the certificate in the file that the answer is about.
    pub issuer: Option<usize>,
    /// Why the answer is not `Valid`, as the predicate of a sentence about the signature.
    pub reason: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignatureAnswer {
    Valid,
    /// A certificate of the file has the name of the issuer, and its key did not sign.
    Invalid,
    /// A certificate of the file has the name of the issuer, and its key or the algorithm is not supported.
    CannotBeChecked,
    /// The issuer is not in the file, or there were too many signatures.
    NotChecked,
}

impl SignatureAnswer {
    /// Returns the word for JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Valid => "valid",
            Self::Invalid => "invalid",
            Self::CannotBeChecked => "cannot-be-checked",
            Self::NotChecked => "not-checked",
        }
    }
}

/// The certificates of a file by their subject, each with its number from 1.
pub struct Issuers<'a> {
    /// Names that are equal by RFC 5280 §7.1 are found although their encodings differ.
    by_subject: HashMap<CanonicalName, Vec<(usize, &'a Certificate)>>,
    checked: usize,
    is_exhausted: bool,
}

impl<'a> Issuers<'a> {
    pub fn of(all: &'a [Certificate]) -> Self {
        let mut by_subject: HashMap<_, Vec<_>> = HashMap::new();
        for (number, certificate) in (1..).zip(all) {
            by_subject.entry(CanonicalName::of(&certificate.subject)).or_default().push((number, certificate));
        }
        Self { by_subject, checked: 0, is_exhausted: false }
    }

    /// Returns whether the issuer of a certificate was not looked for.
    pub fn is_exhausted(&self) -> bool {
        self.is_exhausted
    }

    /// Returns whether a certificate of the file signed this one, and the issuer that rules hold it against: the signer, or
    /// the only certificate of that name when its signature cannot be checked.
    pub fn of_certificate(&mut self, certificate: &Certificate) -> (Signature, Option<&'a Certificate>) {
        let algorithm = &certificate.signature_algorithm;
        self.find(&certificate.issuer, algorithm, |key| check_signature(certificate, key))
    }

    /// Returns whether a certificate of the file signed a CRL.
    pub fn of_crl(&mut self, crl: &Crl) -> Signature {
        self.find(&crl.issuer, &crl.signature_algorithm, |key| check_crl_signature(crl, key)).0
    }

    fn find(
        &mut self,
        issuer: &DistinguishedName,
        algorithm: &SignatureAlgorithm,
        check: impl Fn(&PublicKey) -> Result<(), SignatureProblem>,
    ) -> (Signature, Option<&'a Certificate>) {
        let not_checked = |reason: &str| {
            (Signature { answer: SignatureAnswer::NotChecked, issuer: None, reason: Some(reason.to_owned()) }, None)
        };
        let Some(candidates) = self.by_subject.get(&CanonicalName::of(issuer)) else {
            return not_checked("is not checked: the issuer is not in the file");
        };
        let (mut unsupported, mut wrong) = (Vec::new(), None);
        for (number, candidate) in candidates {
            if self.checked == MOST_SIGNATURES {
                self.is_exhausted = true;
                return not_checked("is not checked: there are too many signatures in the file");
            }
            self.checked += 1;
            let kind = candidate.public_key.kind();
            match check(&candidate.public_key).map_err(|problem| problem.for_key(algorithm, kind)) {
                Ok(()) => {
                    let valid = Signature { answer: SignatureAnswer::Valid, issuer: Some(*number), reason: None };
                    return (valid, Some(candidate));
                }
                Err(SignatureProblem::Unsupported) => unsupported.push((*number, *candidate)),
                Err(SignatureProblem::Wrong | SignatureProblem::Frame) => wrong = wrong.or(Some(*number)),
            }
        }
        if let Some((number, candidate)) = unsupported.first() {
            let kind = candidate.public_key.kind();
            let reason = format!("cannot be checked: {algorithm} with a key of kind {kind} is not supported");
            let answer = SignatureAnswer::CannotBeChecked;
            let is_only_one = candidates.len() == 1;
            return (
                Signature { answer, issuer: Some(*number), reason: Some(reason) },
                is_only_one.then_some(candidate),
            );
        }
        let reason = "does not verify with the key of the certificate that has the issuer's name".to_owned();
        (Signature { answer: SignatureAnswer::Invalid, issuer: wrong, reason: Some(reason) }, None)
    }
}
