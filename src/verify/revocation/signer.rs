//! RFC 5280 §6.3.3 (f), (g): the signer of a CRL, and whether it is authorised.

use super::{RevocationChecker, RevocationStatus, StatusQuery};
use crate::lint::Severity;
use crate::verify::candidate::{Candidate, CandidateCrl};
use crate::verify::cert_path::CertPath;
use crate::verify::input::{VerifyInput, VerifyOptions};
use crate::verify::path::{Search, SearchEnd};
use crate::verify::rules;
use crate::verify::signature::SignatureProblem;
use crate::x509::KeyUsage;

/// The highest number of CRL signers whose status depends on the CRL of the next.
const MOST_DEPTH: usize = 3;

impl<'a> RevocationChecker<'a> {
    /// Checks that the CRL is signed by the issuer of the certificate, or by an authorised signer.
    pub(super) fn check_signature(&self, crl: &'a CandidateCrl, query: StatusQuery<'_, 'a>) -> Result<(), String> {
        let Some(issuer) = query.above.last() else { return Err("has no issuer".to_owned()) };
        let mut unsupported = None;
        let mut verifies = |signer: &'a Candidate| {
            let verified = self.verifies(crl, signer)?;
            if verified == Err(SignatureProblem::Unsupported) {
                unsupported.get_or_insert(signer.certificate.public_key.kind());
            }
            Ok::<_, String>(verified.is_ok())
        };
        if issuer.subject == crl.issuer && verifies(issuer)? {
            return match issuer.certificate.key_usage {
                Some(usage) if !usage.contains(KeyUsage::CRL_SIGN) => Err(format!(
                    "is signed by {}, whose key usage is {usage}, without crl-sign",
                    issuer.certificate.subject
                )),
                _ => Ok(()),
            };
        }
        let mut refused = false;
        for signer in self.other_signers(crl, query) {
            if verifies(signer)? {
                if self.is_authorised(signer, query) {
                    return Ok(());
                }
                refused = true;
            }
        }
        Err(match unsupported {
            _ if refused => "is signed with a key whose certificate must not sign CRLs, or is revoked".to_owned(),
            // Neither yes nor no: that the signature is wrong is not known.
            Some(kind) => format!(
                "cannot be checked: it is signed with {}{}, and {} has a key of kind {kind}, which together are not relied \
                 on; expected SHA-256 or better, and ECDSA, Ed25519 or RSA of 2048 to 8192 bits",
                crl.contents.signature_algorithm,
                crl.contents.signature_algorithm.pss_fault().map(|fault| format!(" and {fault}")).unwrap_or_default(),
                crl.contents.issuer
            ),
            None => format!("is not signed with a key of {}", crl.contents.issuer),
        })
    }

    /// Says `Unsupported` only when the key may have made the signature: an RSA key makes none with ECDSA.
    pub(super) fn verifies(
        &self,
        crl: &'a CandidateCrl,
        signer: &'a Candidate,
    ) -> Result<Result<(), SignatureProblem>, String> {
        let pair = (&raw const *crl, &raw const *signer);
        if let Some(known) = self.verified.borrow().get(&pair) {
            return Ok(*known);
        }
        if !self.budget.may_check_crl_signature() {
            return Err("is not looked at: there are too many lists and keys that could have signed them".to_owned());
        }
        let key = &signer.certificate.public_key;
        let algorithm = &crl.contents.signature_algorithm;
        let verified = self.input.signatures.crl(&crl.contents, key);
        let verified = verified.map_err(|problem| problem.for_key(algorithm, key.kind()));
        self.verified.borrow_mut().insert(pair, verified);
        Ok(verified)
    }

    /// Returns the other certificates with the name of the CRL's issuer and key usage cRLSign: the CA under another
    /// key, or the issuer of an indirect CRL.
    fn other_signers(&self, crl: &'a CandidateCrl, query: StatusQuery<'_, 'a>) -> Vec<&'a Candidate> {
        let all = query.above.iter().copied().chain(self.input.anchors).chain(self.input.untrusted.iter().copied());
        all.filter(|signer| {
            let certificate = &signer.certificate;
            signer.subject == crl.issuer
                && certificate.key_usage.is_some_and(|usage| usage.contains(KeyUsage::CRL_SIGN))
                && certificate.validity.contains(self.options.at)
                && certificate.malformed.is_empty()
        })
        .collect()
    }

    /// Returns whether a valid path leads to the signer from the trust anchor of the certificate's own path, and no
    /// certificate of it is revoked.
    fn is_authorised(&self, signer: &'a Candidate, query: StatusQuery<'_, 'a>) -> bool {
        let same = |known: &&&Candidate| known.certificate.as_der() == signer.certificate.as_der();
        let Some(anchor) = query.above.first() else { return false };
        // A certificate of the path itself is checked there; one that is being checked already may be covered by its
        // own CRL.
        if query.above.iter().find(same).is_some() || query.on_behalf_of.iter().find(same).is_some() {
            return true;
        }
        // The anchor under another key, which is trusted too.
        let is_anchor = self.input.anchors.iter().any(|it| it.certificate.as_der() == signer.certificate.as_der());
        if is_anchor && signer.subject == anchor.subject {
            return true;
        }
        if query.on_behalf_of.len() >= MOST_DEPTH {
            return false;
        }
        let on_behalf_of: Vec<&Candidate> = query.on_behalf_of.iter().copied().chain([signer]).collect();
        let options = VerifyOptions {
            check_revocation: true,
            own_roots: self.options.own_roots,
            ..VerifyOptions::path_alone(self.options.at)
        };
        let mut search = Search::new(VerifyInput { leaf: signer, ..self.input }, self.budget);
        let end = search.paths(&mut |certificates| {
            let mut problems = Vec::new();
            let path = CertPath { certificates, options: &options, signatures: self.input.signatures };
            rules::check(&path, self.budget, &mut problems);
            certificates.first().is_some_and(|found| found.subject == anchor.subject)
                && problems.iter().all(|problem| problem.severity == Severity::Warning)
                && (1..certificates.len()).all(|index| {
                    let (above, rest) = certificates.split_at(index);
                    // Certificates of the path itself are checked there.
                    rest.first().is_some_and(|candidate| {
                        let is_asked =
                            query.above.iter().any(|it| it.certificate.as_der() == candidate.certificate.as_der());
                        let query = StatusQuery { candidate, above, on_behalf_of: &on_behalf_of };
                        is_asked || matches!(self.status(query), RevocationStatus::Good(..))
                    })
                })
        });
        end == SearchEnd::Found
    }
}
