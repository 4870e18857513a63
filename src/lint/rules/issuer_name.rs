//! The issuer name is a copy of the CA's subject, byte by byte: otherwise some verifiers find no path.

use crate::lint::profile::LintProfile;
use crate::lint::rule::Rule;
use crate::lint::severity::Severity;
use crate::lint::target::LintTarget;

pub const RULE: Rule = Rule {
    code: "issuer-name-differs",
    severity: Severity::Error,
    citation: "RFC 5280 §4.1.2.4, §6.1.3 (a)(4)",
    requirement: "The issuer field has the octets of the CA's subject",
    example: "the issuer is CN=Else, expected CN=Test Root in the same encoding",
    fix: "sign with the CA that the issuer field names, and copy its subject as it stands",
    profiles: &[LintProfile::Rfc5280, LintProfile::Rustls],
    check,
};

fn check(target: &LintTarget<'_>) -> Option<String> {
    let found = &target.certificate.issuer;
    let expected = &target.issuer?.subject;
    (found.as_der() != expected.as_der())
        .then(|| format!("the issuer is {found}, expected {expected} in the same encoding"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::testing::*;

    #[test]
    fn another_name_is_found() {
        assert!(
            finding(&RULE, TestCert::server("a.test").issuer(&name("Else"))).unwrap().contains("expected CN=Test Root")
        );
    }

    #[test]
    fn the_name_of_the_ca_is_right() {
        assert_eq!(finding(&RULE, TestCert::server("a.test")), None);
    }
}
