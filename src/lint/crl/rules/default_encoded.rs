//! DER leaves out a value that is the default.

use crate::lint::crl::CrlTarget;
use crate::lint::profile::LintProfile;
use crate::lint::rule::{CrlCheck, Rule};
use crate::lint::severity::Severity;
use crate::x509::certificate::oid;
use crate::x509::der;

pub const RULE: Rule<CrlCheck> = Rule {
    code: "crl-default-encoded",
    severity: Severity::Error,
    citation: "X.690 §11.5",
    requirement: "A FALSE of a CRL is left out: critical, and the flags of the issuing distribution point",
    example: "2.5.29.28 (issuing distribution point) writes out FALSE",
    fix: "sign the CRL again with a tool that writes DER: it leaves the value out",
    profiles: &[LintProfile::Rfc5280],
    check,
};

fn check(target: &CrlTarget) -> Option<String> {
    let mut found = Vec::new();
    for (written, extension) in target.fields().extensions.iter().zip(&target.crl.extensions) {
        let name = || oid::with_name(&extension.oid);
        if written.critical == Some(&[0]) {
            found.push(format!("{} writes out critical FALSE", name()));
        }
        let flags = || der::split_first(written.value).and_then(|(_, content, _)| der::children(content));
        let is_false = |field: &&&[u8]| matches!(**field, [0x81 | 0x82 | 0x84 | 0x85, 1, 0]);
        if extension.oid == oid::ISSUING_DISTRIBUTION_POINT
            && flags().is_some_and(|it| it.iter().any(|field| is_false(&field)))
        {
            found.push(format!("{} writes out FALSE", name()));
        }
    }
    if let Some(serial) = &target.entries.written_false {
        found.push(format!("an extension of the entry {serial} writes out critical FALSE"));
    }
    (!found.is_empty()).then(|| found.join("; "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::crl::testing::*;

    #[test]
    fn a_false_that_is_written_is_found() {
        let number = TestCrl::new().extension(oid::CRL_NUMBER, Some(0), &[2, 1, 5]);
        assert!(finding(&RULE, number).unwrap().contains("critical FALSE"));
        let scope = TestCrl::new().extension(
            oid::ISSUING_DISTRIBUTION_POINT,
            Some(0xff),
            &[0x30, 6, 0x81, 1, 0xff, 0x82, 1, 0],
        );
        assert!(finding(&RULE, scope).unwrap().ends_with("writes out FALSE"));
        let entry = entry(9, &[reason(Some(0), 1)]);
        assert!(finding(&RULE, TestCrl::new().entries(&[entry])).unwrap().contains("the entry 09"));
    }

    #[test]
    fn what_is_left_out_is_right() {
        assert_eq!(finding(&RULE, TestCrl::new().entries(&[entry(9, &[reason(None, 1)])])), None);
    }
}
