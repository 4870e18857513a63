//! The mask of an address block is a prefix: Go, GnuTLS and Chrome refuse others.

use crate::lint::profile::LintProfile;
use crate::lint::rule::Rule;
use crate::lint::severity::Severity;
use crate::lint::target::LintTarget;

pub const RULE: Rule = Rule {
    code: "name-constraints-mask",
    severity: Severity::Error,
    citation: "RFC 5280 §4.2.1.10; RFC 4632 §3.1",
    requirement: "The mask of an address block in name constraints is a prefix",
    example: "the mask of the address block ip:10.0.0.0/255.0.255.0 has holes",
    fix: "issue the CA certificate again with blocks in the form of 10.0.0.0/8",
    profiles: &[LintProfile::Rfc5280],
    check,
};

fn check(target: &LintTarget<'_>) -> Option<String> {
    let constraints = target.certificate.name_constraints.as_ref()?;
    let sparse = constraints.permitted.iter().chain(&constraints.excluded).find(|subtree| subtree.has_sparse_mask())?;
    Some(format!("the mask of the address block {sparse} has holes"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::testing::*;
    use crate::x509::NameConstraints;
    use crate::x509::name_constraints::Subtree;

    fn ca(mask: &str) -> TestCert {
        let block = Subtree::Ip { address: "10.0.0.0".parse().unwrap(), mask: mask.parse().unwrap() };
        TestCert::ca("A").name_constraints(&NameConstraints { permitted: Vec::new(), excluded: vec![block] })
    }

    #[test]
    fn a_mask_with_holes_is_found() {
        assert!(finding(&RULE, ca("255.0.255.0")).unwrap().ends_with("has holes"));
        assert!(finding(&RULE, ca("0.0.0.255")).is_some());
    }

    #[test]
    fn a_prefix_is_right() {
        for mask in ["255.0.0.0", "0.0.0.0", "255.255.255.255"] {
            assert_eq!(finding(&RULE, ca(mask)), None, "{mask}");
        }
        assert_eq!(finding(&RULE, TestCert::ca("A").permit(&["a.test", "2001:db8::/32"])), None);
    }
}
