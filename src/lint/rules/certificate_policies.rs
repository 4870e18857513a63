//! Certificate policies name at least one policy, and none twice.

use std::collections::HashSet;

use crate::lint::profile::LintProfile;
use crate::lint::rule::Rule;
use crate::lint::severity::Severity;
use crate::lint::target::LintTarget;
use crate::text;
use crate::x509::certificate::oid;

pub const RULE: Rule = Rule {
    code: "certificate-policies-form",
    severity: Severity::Warning,
    citation: "RFC 5280 §4.2.1.4",
    requirement: "Certificate policies, where they stand, name at least one policy, and each once",
    example: "the policy 1.2.3.1 stands more than once among the certificate policies",
    fix: "issue the certificate again with each policy once, or without certificate policies",
    profiles: &[LintProfile::Rfc5280, LintProfile::Strict],
    check,
};

fn check(target: &LintTarget<'_>) -> Option<String> {
    let certificate = target.certificate;
    certificate.extension(oid::CERTIFICATE_POLICIES)?;
    if certificate.malformed.iter().any(|(found, _)| found == oid::CERTIFICATE_POLICIES) {
        return None;
    }
    if certificate.policies.is_empty() {
        return Some("certificate policies are there, but name no policy".to_owned());
    }
    let mut seen = HashSet::new();
    let repeated = certificate.policies.iter().find(|policy| !seen.insert(*policy))?;
    Some(format!("the policy {} stands more than once among the certificate policies", text::escape(repeated)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::testing::*;
    use crate::x509::der;

    fn with(policies: &[&str]) -> TestCert {
        let policies: Vec<_> = policies.iter().map(|policy| der::sequence(&[&object_identifier(policy)])).collect();
        let value = der::sequence(&policies.iter().map(Vec::as_slice).collect::<Vec<_>>());
        TestCert::server("a.test").extension(oid::CERTIFICATE_POLICIES, false, value)
    }

    #[test]
    fn no_policy_and_the_same_one_twice_are_found() {
        assert!(finding(&RULE, with(&[])).unwrap().contains("name no policy"));
        assert!(finding(&RULE, with(&["1.2.3", "1.2.4", "1.2.3"])).unwrap().contains("1.2.3 stands more than once"));
    }

    #[test]
    fn several_policies_are_right() {
        assert_eq!(finding(&RULE, with(&["1.2.3", "1.2.4"])), None);
        assert_eq!(finding(&RULE, TestCert::server("a.test")), None);
    }
}
