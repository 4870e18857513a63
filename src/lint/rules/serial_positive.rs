//! A serial number is greater than zero.

use crate::lint::profile::LintProfile;
use crate::lint::rule::Rule;
use crate::lint::severity::Severity;
use crate::lint::target::LintTarget;

pub const RULE: Rule = Rule {
    code: "serial-not-positive",
    severity: Severity::Error,
    citation: "RFC 5280 §4.1.2.2",
    requirement: "The serial number is a positive integer",
    example: "the serial number 80 is negative, expected a positive one",
    fix: "issue the certificate again with a random positive serial number",
    profiles: &[LintProfile::Rfc5280, LintProfile::Strict, LintProfile::Rustls],
    check,
};

fn check(target: &LintTarget<'_>) -> Option<String> {
    let serial = &target.certificate.serial;
    (!serial.is_positive()).then(|| {
        let what = if serial.is_zero() { "zero" } else { "negative" };
        format!("the serial number {serial} is {what}, expected a positive one")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::testing::*;

    #[test]
    fn zero_and_negative_serials_are_found() {
        assert!(finding(&RULE, TestCert::server("a.test").serial(&[0])).unwrap().contains("is zero"));
        assert!(finding(&RULE, TestCert::server("a.test").serial(&[0x80])).unwrap().contains("is negative"));
    }

    #[test]
    fn a_positive_serial_is_right() {
        assert_eq!(finding(&RULE, TestCert::server("a.test").serial(&[0, 0x80])), None);
    }
}
