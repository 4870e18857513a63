//! Implementations disagree about an extension that occurs twice or cannot be read.

use crate::lint::profile::LintProfile;
use crate::lint::rule::Rule;
use crate::lint::severity::Severity;
use crate::lint::target::LintTarget;
use crate::x509::certificate::oid;

pub const RULE: Rule = Rule {
    code: "extension-malformed",
    severity: Severity::Error,
    citation: "RFC 5280 §4.2",
    requirement: "Every extension can be read, and stands once",
    example: "extension 2.5.29.15 (key usage): it stands twice",
    fix: "issue the certificate again: the tool that made it is broken",
    profiles: &[LintProfile::Rfc5280, LintProfile::Strict, LintProfile::Apple, LintProfile::Rustls],
    check,
};

fn check(target: &LintTarget<'_>) -> Option<String> {
    let faults: Vec<_> = target
        .certificate
        .malformed
        .iter()
        .map(|(oid, reason)| format!("extension {}: {reason}", oid::with_name(oid)))
        .collect();
    (!faults.is_empty()).then(|| faults.join("; "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::testing::*;

    #[test]
    fn a_doubled_and_a_garbled_extension_are_found() {
        let doubled = TestCert::server("a.test").again(oid::KEY_USAGE, true, vec![3, 2, 7, 0x80]);
        assert!(finding(&RULE, doubled).unwrap().contains("2.5.29.15 (key usage): it stands twice"));
        let garbled = TestCert::server("a.test").extension(oid::KEY_USAGE, true, vec![0xff]);
        assert!(finding(&RULE, garbled).unwrap().contains("cannot be read"));
    }

    #[test]
    fn sound_extensions_are_right() {
        assert_eq!(finding(&RULE, TestCert::server("a.test")), None);
    }
}
