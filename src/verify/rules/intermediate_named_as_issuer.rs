//! An intermediate with the name of its issuer looks like a root to software that goes by names.

use crate::verify::candidate::Candidate;
use crate::verify::cert_path::CertPath;
use crate::verify::code::{Code, Rank};
use crate::verify::input::VerifyInput;
use crate::verify::rules::trusted_intermediate::is_root;
use crate::verify::verdict::{Problem, Role};

pub const INTERMEDIATE_NAMED_AS_ISSUER: Code = Code {
    code: "intermediate-named-as-issuer",
    rank: Rank::Unranked,
    citation: "RFC 5280 §6.1 (self-issued)",
    requirement: "The subject of an intermediate differs from its issuer, unless it certifies the next key of a root",
    example: "subject and issuer of the intermediate are both CN=Corp CA, and the keys differ; some software takes a \
        certificate with equal names for a root",
    fix: "give the intermediate its own subject, and issue again what it issued; leave it when it is the certificate of a \
        root for its next key",
};

/// Adds a warning for each intermediate that has the name of its issuer. The certificates of a root rotation have one name on
/// purpose: those of a CA directory, and those for the key of a root that is at hand, are passed over.
pub fn check(path: &CertPath<'_>, input: VerifyInput<'_>, problems: &mut Vec<Problem>) {
    if path.options.own_roots {
        return;
    }
    for (index, candidate) in path.certificates.iter().enumerate() {
        if path.role(index) != Role::Intermediate || !candidate.is_self_issued() || is_root(candidate, path.signatures)
        {
            continue;
        }
        let is_its_root = |known: &Candidate| known.is_same_ca(candidate) && is_root(known, path.signatures);
        let is_of_rotation =
            input.anchors.iter().any(is_its_root) || input.untrusted.iter().any(|known| is_its_root(known));
        if !is_of_rotation {
            let message = format!(
                "subject and issuer of the intermediate are both {}, and the keys differ; some software takes a \
                 certificate with equal names for a root",
                candidate.certificate.subject
            );
            problems.push(Problem::warning(&INTERMEDIATE_NAMED_AS_ISSUER, candidate, message));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::testing::{TestCa, TestCert};
    use crate::verify::tests::{Case, TestPki, server};
    use crate::x509::Certificate;

    fn codes(case: &Case) -> Vec<&'static str> {
        let verdict = case.verify();
        assert!(verdict.valid, "{:?}", verdict.problems);
        verdict.problems.iter().map(|problem| problem.code).collect()
    }

    #[test]
    fn an_intermediate_with_the_name_of_its_root_is_found() {
        let pki = || TestPki::with(TestCert::ca("Test Root"));
        assert_eq!(codes(&pki().case(server())), [INTERMEDIATE_NAMED_AS_ISSUER.code]);
        let for_server = pki().case(server().serial(&[1])).server("web.corp.test").by_clients();
        assert!(codes(&for_server).contains(&INTERMEDIATE_NAMED_AS_ISSUER.code));
        assert_eq!(codes(&pki().case(server()).of_own_roots()), [""; 0]);
    }

    #[test]
    fn another_name_and_the_next_key_of_a_root_are_right() {
        assert_eq!(codes(&TestPki::new().case(server())), [""; 0]);
        let (old, next) = (TestCa::root(), TestCa::root());
        let crossed = old.issue(TestCert::ca("Test Root").with_key(&next.key));
        let leaf = || next.issue(server());
        let case = |untrusted: &[&Certificate]| Case::new(leaf(), untrusted, &[&old.certificate]);
        assert_eq!(codes(&case(&[&crossed, &next.certificate])), [""; 0]);
        assert_eq!(codes(&case(&[&crossed])), [INTERMEDIATE_NAMED_AS_ISSUER.code]);
    }
}
