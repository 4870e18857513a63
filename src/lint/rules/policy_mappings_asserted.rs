//! A policy that is mapped is one of the CA's own.

use crate::lint::profile::LintProfile;
use crate::lint::rule::Rule;
use crate::lint::severity::Severity;
use crate::lint::target::LintTarget;

pub const RULE: Rule = Rule {
    code: "policy-mapping-not-asserted",
    severity: Severity::Warning,
    citation: "RFC 5280 §4.2.1.5",
    requirement: "A policy of the issuer that is mapped is among the certificate policies of the same certificate",
    example: "the policy 1.2.3.1 is mapped to 1.2.3.2, and is not among the certificate policies",
    fix: "issue the CA certificate again with the mapped policy among its certificate policies",
    profiles: &[LintProfile::Rfc5280],
    check,
};

fn check(target: &LintTarget<'_>) -> Option<String> {
    let certificate = target.certificate;
    let (from, to) = certificate.policy_mappings.iter().find(|(from, _)| !certificate.policies.contains(from))?;
    Some(format!("the policy {from} is mapped to {to}, and is not among the certificate policies"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::testing::*;
    use crate::x509::certificate::oid;
    use crate::x509::der;

    fn mapped(from: &str, policies: &[&str]) -> TestCert {
        let pair = der::sequence(&[&object_identifier(from), &object_identifier("1.2.4")]);
        let cert = TestCert::ca("A").extension(oid::POLICY_MAPPINGS, true, der::sequence(&[&pair]));
        let own: Vec<_> = policies.iter().map(|policy| der::sequence(&[&object_identifier(policy)])).collect();
        let list = der::sequence(&own.iter().map(Vec::as_slice).collect::<Vec<_>>());
        if policies.is_empty() { cert } else { cert.extension(oid::CERTIFICATE_POLICIES, false, list) }
    }

    #[test]
    fn a_mapped_policy_that_is_not_asserted_is_found() {
        assert!(finding(&RULE, mapped("1.2.3", &["1.2.5"])).unwrap().contains("the policy 1.2.3 is mapped to 1.2.4"));
        assert!(finding(&RULE, mapped("1.2.3", &[])).is_some());
    }

    #[test]
    fn an_asserted_policy_is_right() {
        assert_eq!(finding(&RULE, mapped("1.2.3", &["1.2.5", "1.2.3"])), None);
        assert_eq!(finding(&RULE, TestCert::ca("A")), None);
    }
}
