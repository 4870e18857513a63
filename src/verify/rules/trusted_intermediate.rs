//! A trust anchor that another CA issued is an intermediate. RFC 5280 §6.1.1 (d) allows any certificate as an anchor; some
//! clients want a root all the same.

use crate::clients::table;
use crate::verify::candidate::Candidate;
use crate::verify::cert_path::CertPath;
use crate::verify::code::{Code, Rank};
use crate::verify::path::MOST_CERTIFICATES;
use crate::verify::signature::{SignatureCache, SignatureProblem};
use crate::verify::verdict::Problem;

pub const TRUSTED_INTERMEDIATE: Code = Code {
    code: "trusted-intermediate",
    rank: Rank::Unranked,
    citation: "RFC 5280 §6.1.1 (d)",
    requirement: "The certificate that is trusted is a root, or the root above it is trusted too",
    example: "the trusted certificate CN=Corp Root CA issuing is an intermediate, not a root: CN=Corp Root CA issued it, and \
        is not trusted",
    fix: "trust the root above it too (--roots FILE), and give it to the programs that verify; OpenSSL does without it only \
        with -partial_chain",
};

/// The word of the same situation in the table of clients.
const FACT: &str = "anchor:not-self-signed";

/// Adds a warning for an anchor that is not self-signed, unless the anchors lead to a root above it.
pub fn check(path: &CertPath<'_>, anchors: &[Candidate], problems: &mut Vec<Problem>) {
    let Some(anchor) = path.certificates.first() else { return };
    if is_root(anchor, path.signatures) || leads_to_root(anchor, anchors, path.signatures) {
        return;
    }
    let (subject, issuer) = (&anchor.certificate.subject, &anchor.certificate.issuer);
    let message = format!(
        "the trusted certificate {subject} is an intermediate, not a root: {issuer} issued it, and is not trusted"
    );
    let refused_by = table().refused_by(FACT).join(", ");
    let hint = format!("{}; refused by {refused_by}", TRUSTED_INTERMEDIATE.fix);
    problems.push(Problem::warning(&TRUSTED_INTERMEDIATE, anchor, message).hint(hint));
}

/// Returns whether a certificate is signed with its own key. A cross-certificate of a CA for its next key has one name too, so
/// the signature decides where the key identifiers differ.
pub fn is_root(candidate: &Candidate, signatures: &SignatureCache) -> bool {
    let certificate = &candidate.certificate;
    let wanted = certificate.authority_key_id.as_ref().and_then(|id| id.key_id.as_ref());
    let names_another_key = matches!((wanted, &certificate.subject_key_id), (Some(wanted), Some(own)) if wanted != own);
    candidate.is_self_issued()
        && (!names_another_key
            || signatures.certificate(certificate, &certificate.public_key) != Err(SignatureProblem::Wrong))
}

fn leads_to_root(anchor: &Candidate, anchors: &[Candidate], signatures: &SignatureCache) -> bool {
    let mut head = anchor;
    for _ in 0..MOST_CERTIFICATES {
        let issuer = anchors.iter().find(|issuer| {
            issuer.subject == head.issuer
                && issuer.certificate.as_der() != head.certificate.as_der()
                && signatures.certificate(&head.certificate, &issuer.certificate.public_key)
                    != Err(SignatureProblem::Wrong)
        });
        match issuer {
            Some(issuer) if is_root(issuer, signatures) => return true,
            Some(issuer) => head = issuer,
            None => return false,
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::Severity;
    use crate::lint::testing::{TestCa, TestCert};
    use crate::verify::tests::{Case, below, server};
    use crate::x509::certificate::oid;
    use crate::x509::der;

    fn found(case: &Case) -> Vec<(&'static str, Severity)> {
        case.verify().problems.iter().map(|problem| (problem.code, problem.severity)).collect()
    }

    #[test]
    fn a_trusted_intermediate_is_called_so_for_every_purpose_and_names_who_refuses_it() {
        let issuing = TestCa::root().subordinate(TestCert::ca("Issuing CA").serial(&[2]));
        let leaf = || {
            server().purposes(&[crate::x509::ExtendedKeyUsage::ServerAuth, crate::x509::ExtendedKeyUsage::ClientAuth])
        };
        let case = || Case::new(issuing.issue(leaf().serial(&[1])), &[], &[&issuing.certificate]);
        for case in
            [case(), case().client(), case().server("web.corp.test"), case().server("web.corp.test").by_clients()]
        {
            assert_eq!(found(&case), [(TRUSTED_INTERMEDIATE.code, Severity::Warning)]);
            let problem = case.verify().problems.remove(0);
            assert_eq!(problem.certificate.to_string(), "roots.pem#1");
            assert!(problem.message.contains("CN=Issuing CA is an intermediate, not a root: CN=Test Root issued it"));
            assert!(problem.hint.contains("openssl, python <= 3.12, node"), "{}", problem.hint);
            assert_eq!(problem.hint.matches("refused by").count(), 1, "{}", problem.hint);
        }
    }

    #[test]
    fn a_root_and_an_intermediate_beside_its_root_are_right() {
        assert_eq!(found(&below(TestCert::ca("Root"))), []);
        let root = TestCa::root();
        let issuing = root.subordinate(TestCert::ca("Issuing CA"));
        let case = |anchors: &[&crate::x509::Certificate]| Case::new(issuing.issue(server()), &[], anchors);
        assert_eq!(found(&case(&[&issuing.certificate, &root.certificate])), []);
        // The name is right, and the key is not.
        let namesake = TestCa::root();
        let found = found(&case(&[&issuing.certificate, &namesake.certificate]));
        assert_eq!(found, [(TRUSTED_INTERMEDIATE.code, Severity::Warning)]);
    }

    /// What an old root signed for the next one has one name twice, and is no root.
    #[test]
    fn the_key_decides_where_an_anchor_has_the_name_of_its_issuer() {
        let next = TestCa::root().subordinate(TestCert::ca("Test Root"));
        let case = Case::new(next.issue(server()), &[], &[&next.certificate]).server("web.corp.test");
        assert_eq!(found(&case), [(TRUSTED_INTERMEDIATE.code, Severity::Warning)]);
        let other = der::sequence(&[&der::value(der::context(0), &[7; 20])]);
        let root = TestCert::ca("Root").extension(oid::AUTHORITY_KEY_ID, false, other);
        assert!(found(&below(root)).iter().all(|(code, _)| *code != TRUSTED_INTERMEDIATE.code));
    }
}
