//! DER leaves out a value that is the default: strict readers refuse a FALSE that is written.

use crate::lint::fields;
use crate::lint::profile::LintProfile;
use crate::lint::rule::Rule;
use crate::lint::severity::Severity;
use crate::lint::target::LintTarget;
use crate::x509::certificate::oid;
use crate::x509::{der, name_constraints};

pub const RULE: Rule = Rule {
    code: "default-encoded",
    severity: Severity::Error,
    citation: "X.690 §11.5",
    requirement: "A value that is the default is left out: cA FALSE, critical FALSE, minimum 0, version 1",
    example: "2.5.29.19 (basic constraints) writes out cA FALSE",
    fix: "issue the certificate again with a tool that writes DER: it leaves the value out",
    profiles: &[LintProfile::Rfc5280],
    check,
};

fn check(target: &LintTarget<'_>) -> Option<String> {
    let certificate = target.certificate;
    let mut found = Vec::new();
    if der::split_first(certificate.tbs()).is_some_and(|(_, fields, _)| fields.starts_with(&[0xa0, 3, 2, 1, 0])) {
        found.push("the version 1 is written out".to_owned());
    }
    // The decoded extensions stand in the same order.
    for (written, extension) in fields::extensions(certificate).iter().zip(&certificate.extensions) {
        let name = || oid::with_name(&extension.oid);
        if written.critical == Some(&[0]) {
            found.push(format!("{} writes out critical FALSE", name()));
        }
        let content = || der::split_first(written.value).map(|(_, content, _)| content);
        if extension.oid == oid::BASIC_CONSTRAINTS && content().is_some_and(|it| it.starts_with(&[der::BOOLEAN, 1, 0]))
        {
            found.push(format!("{} writes out cA FALSE", name()));
        }
        if extension.oid == oid::NAME_CONSTRAINTS
            && name_constraints::written_bounds(written.value).contains(&(der::context(0), &[0]))
        {
            found.push(format!("{} writes out the minimum 0", name()));
        }
    }
    (!found.is_empty()).then(|| found.join("; "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::testing::*;

    #[test]
    fn a_default_that_is_written_is_found() {
        let ca_false = TestCert::server("a.test").extension(oid::BASIC_CONSTRAINTS, true, vec![0x30, 3, 1, 1, 0]);
        assert!(finding(&RULE, ca_false).unwrap().contains("basic constraints) writes out cA FALSE"));
        let critical = TestCert::server("a.test").written_critical(oid::KEY_USAGE, 0);
        assert!(finding(&RULE, critical).unwrap().contains("key usage) writes out critical FALSE"));
        let subtree = der::sequence(&[&der::value(0x82, b"a.test"), &[0x80, 1, 0]]);
        let value = der::sequence(&[&der::value(0xa0, &subtree)]);
        let minimum = TestCert::ca("A").extension(oid::NAME_CONSTRAINTS, true, value);
        assert!(finding(&RULE, minimum).unwrap().contains("minimum 0"));
    }

    #[test]
    fn what_is_left_out_or_is_not_the_default_is_right() {
        assert_eq!(finding(&RULE, TestCert::server("a.test").basic_constraints(false, None)), None);
        assert_eq!(finding(&RULE, TestCert::ca("A").permit(&["a.test"])), None);
    }
}
