//! A subtree has no minimum but 0, and no maximum.

use crate::lint::profile::LintProfile;
use crate::lint::rule::Rule;
use crate::lint::severity::Severity;
use crate::lint::target::LintTarget;
use crate::text;
use crate::x509::certificate::oid;
use crate::x509::{der, name_constraints};

pub const RULE: Rule = Rule {
    code: "name-constraints-bounds",
    severity: Severity::Error,
    citation: "RFC 5280 §4.2.1.10",
    requirement: "A subtree of name constraints has the minimum 0 and no maximum",
    example: "a subtree has the minimum 0x01, expected 0",
    fix: "issue the CA certificate again without minimum and maximum",
    profiles: &[LintProfile::Rfc5280],
    check,
};

fn check(target: &LintTarget<'_>) -> Option<String> {
    let value = &target.certificate.extension(oid::NAME_CONSTRAINTS)?.value;
    name_constraints::written_bounds(value).into_iter().find_map(|(tag, bound)| match (tag, bound) {
        (tag, _) if tag == der::context(1) => Some("a subtree has a maximum, expected none".to_owned()),
        (_, [0]) => None,
        (_, bound) => Some(format!("a subtree has the minimum 0x{}, expected 0", text::hex(bound))),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::testing::*;

    fn ca(bound: &[u8]) -> TestCert {
        let subtree = der::sequence(&[&der::value(0x82, b"a.test"), bound]);
        TestCert::ca("A").extension(oid::NAME_CONSTRAINTS, true, der::sequence(&[&der::value(0xa1, &subtree)]))
    }

    #[test]
    fn a_minimum_and_a_maximum_are_found() {
        assert!(finding(&RULE, ca(&[0x80, 1, 1])).unwrap().contains("minimum"));
        assert!(finding(&RULE, ca(&[0x81, 1, 0])).unwrap().contains("maximum"));
    }

    #[test]
    fn a_subtree_without_bounds_is_right() {
        assert_eq!(finding(&RULE, ca(&[])), None);
        assert_eq!(finding(&RULE, ca(&[0x80, 1, 0])), None);
        assert_eq!(finding(&RULE, TestCert::server("a.test")), None);
    }
}
