//! RFC 5280 §4.2, §6.1.4 (o), §6.1.5 (f): a certificate with a critical extension that is not processed is invalid.
//! §6.1 leaves the extensions of the anchor out; this program is stricter and checks them too.

use crate::lint::rules::critical_extension_unknown::PROCESSED;
use crate::verify::candidate::Candidate;
use crate::verify::code::{Code, Rank};
use crate::verify::verdict::Problem;
use crate::x509::certificate::oid;

pub const UNKNOWN_CRITICAL_EXTENSION: Code = Code {
    code: "unknown-critical-extension",
    rank: Rank::Unranked,
    citation: "RFC 5280 §4.2",
    requirement: "A certificate with a critical extension that the verifier does not process is refused",
    example: "extension 1.3.6.1.4.1.99999.1 is critical, and nothing here processes it",
    fix: "issue the certificate again without this extension, or with the extension not critical",
};

/// Adds every critical extension that is not processed.
pub fn check(candidate: &Candidate, problems: &mut Vec<Problem>) {
    let unknown = candidate
        .certificate
        .extensions
        .iter()
        .filter(|extension| extension.critical && !PROCESSED.contains(&extension.oid.as_str()));
    for extension in unknown {
        problems.push(Problem::error(
            &UNKNOWN_CRITICAL_EXTENSION,
            candidate,
            format!("extension {} is critical, and nothing here processes it", oid::with_name(&extension.oid)),
        ));
    }
    // §4.2.1.4: "the path validation software MUST be able to interpret this extension (including the optional qualifier),
    // or MUST reject the certificate".
    let policies = candidate.certificate.extension(oid::CERTIFICATE_POLICIES);
    if let (Some(qualifier), true) =
        (candidate.certificate.unknown_qualifiers.first(), policies.is_some_and(|it| it.critical))
    {
        let message = format!(
            "the certificate policies are critical, with the qualifier {qualifier}, which nothing here interprets"
        );
        problems.push(Problem::error(&UNKNOWN_CRITICAL_EXTENSION, candidate, message));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::testing::{TestCa, TestCert, object_identifier};
    use crate::verify::tests::{Case, TestPki, server};
    use crate::x509::der;

    #[test]
    fn an_unknown_qualifier_of_critical_policies_is_found_and_a_known_one_is_right() {
        let errors = |qualifier: &str, critical| {
            let value = der::value(der::IA5_STRING, b"https://corp.test/cps");
            let qualifiers = der::sequence(&[&der::sequence(&[&object_identifier(qualifier), &value])]);
            let policies = der::sequence(&[&der::sequence(&[&object_identifier("1.2.3"), &qualifiers])]);
            TestPki::new().case(server().extension(oid::CERTIFICATE_POLICIES, critical, policies)).errors()
        };
        assert_eq!(errors("1.3.6.1.4.1.99999.2", true), [UNKNOWN_CRITICAL_EXTENSION.code]);
        assert_eq!(errors("1.3.6.1.4.1.99999.2", false), [""; 0]);
        assert_eq!(errors("1.3.6.1.5.5.7.2.1", true), [""; 0]);
    }

    #[test]
    fn one_that_is_not_critical_and_a_critical_one_that_is_known_are_right() {
        let unknown = server().extension("1.3.6.1.4.1.99999.1", false, vec![5, 0]);
        assert_eq!(TestPki::new().case(unknown).errors(), [""; 0]);
        assert_eq!(TestPki::new().case(server().critical(oid::SUBJECT_ALT_NAME, true)).errors(), [""; 0]);
    }

    #[test]
    fn an_unknown_critical_extension_is_found_in_every_certificate_of_the_path_and_in_no_other() {
        let unknown = |cert: TestCert| cert.extension("1.3.6.1.4.1.99999.1", true, vec![5, 0]);
        let refused = [UNKNOWN_CRITICAL_EXTENSION.code];
        assert_eq!(TestPki::new().case(unknown(server())).errors(), refused);
        assert_eq!(TestPki::with(unknown(TestCert::ca("A"))).case(server()).errors(), refused);
        let root = TestCa::self_signed(unknown(TestCert::ca("Root")));
        assert_eq!(Case::new(root.issue(server()), &[], &[&root.certificate]).errors(), refused);
        let other = TestCa::root();
        let leaf = other.issue(server());
        assert_eq!(Case::new(leaf, &[], &[&root.certificate, &other.certificate]).errors(), [""; 0]);
    }
}
