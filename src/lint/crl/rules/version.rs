//! A CRL is of version 2.

use crate::lint::crl::CrlTarget;
use crate::lint::profile::LintProfile;
use crate::lint::rule::{CrlCheck, Rule};
use crate::lint::severity::Severity;

pub const RULE: Rule<CrlCheck> = Rule {
    code: "crl-version-not-2",
    severity: Severity::Error,
    citation: "RFC 5280 §5.1.2.1",
    requirement: "A CRL is of version 2",
    example: "the CRL is of version 1, expected 2",
    fix: "sign a CRL with extensions: crl_extensions in the configuration of openssl-ca",
    profiles: &[LintProfile::Rfc5280],
    check,
};

fn check(target: &CrlTarget) -> Option<String> {
    let crl = &target.crl;
    let beside = if crl.extensions.is_empty() { "" } else { " and has extensions" };
    (crl.version != 2).then(|| format!("the CRL is of version {}{beside}, expected 2", crl.version))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::crl::testing::*;

    #[test]
    fn version_1_is_found_with_extensions_and_without() {
        let version_1 = || TestCrl { version: None, ..TestCrl::new() };
        assert!(finding(&RULE, version_1()).unwrap().contains("version 1 and has extensions"));
        assert!(finding(&RULE, TestCrl { extensions: Vec::new(), ..version_1() }).is_some());
    }

    #[test]
    fn version_2_is_right() {
        assert_eq!(finding(&RULE, TestCrl::new()), None);
    }
}
