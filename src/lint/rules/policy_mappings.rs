//! anyPolicy is not mapped.

use crate::lint::profile::LintProfile;
use crate::lint::rule::Rule;
use crate::lint::severity::Severity;
use crate::lint::target::LintTarget;
use crate::x509::certificate::oid;

pub const RULE: Rule = Rule {
    code: "policy-mapping-any",
    severity: Severity::Error,
    citation: "RFC 5280 §4.2.1.5",
    requirement: "Policy mappings map neither to nor from anyPolicy",
    example: "the mapping from 1.2.3.1 to 2.5.29.32.0 has anyPolicy in it",
    fix: "issue the CA certificate again with mappings between its own policies",
    profiles: &[LintProfile::Rfc5280],
    check,
};

const ANY_POLICY: &str = "2.5.29.32.0";

fn check(target: &LintTarget<'_>) -> Option<String> {
    let mappings = &target.certificate.policy_mappings;
    let (from, to) = mappings.iter().find(|(from, to)| from == ANY_POLICY || to == ANY_POLICY)?;
    Some(format!("the mapping from {from} to {to} has anyPolicy in it ({})", oid::with_name(oid::POLICY_MAPPINGS)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::testing::*;
    use crate::x509::der;

    fn mapping(from: &str, to: &str) -> TestCert {
        let pair = der::sequence(&[&object_identifier(from), &object_identifier(to)]);
        TestCert::ca("A").extension(oid::POLICY_MAPPINGS, true, der::sequence(&[&pair]))
    }

    #[test]
    fn a_mapping_of_any_policy_is_found() {
        assert!(finding(&RULE, mapping(ANY_POLICY, "1.2.3")).unwrap().contains("anyPolicy"));
        assert!(finding(&RULE, mapping("1.2.3", ANY_POLICY)).is_some());
    }

    #[test]
    fn a_mapping_of_other_policies_is_right() {
        assert_eq!(finding(&RULE, mapping("1.2.3", "1.2.4")), None);
        assert_eq!(finding(&RULE, TestCert::ca("A")), None);
    }
}
