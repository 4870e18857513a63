//! A serial number has at most 20 octets.

use crate::lint::profile::LintProfile;
use crate::lint::rule::Rule;
use crate::lint::severity::Severity;
use crate::lint::target::LintTarget;
use crate::x509::SerialNumber;

pub const RULE: Rule = Rule {
    code: "serial-too-long",
    severity: Severity::Error,
    citation: "RFC 5280 §4.1.2.2",
    requirement: "The serial number takes at most 20 bytes",
    example: "the serial number takes 21 bytes, expected at most 20",
    fix: "issue the certificate again with a shorter serial number; 16 random bytes are plenty",
    profiles: &[LintProfile::Rfc5280, LintProfile::Rustls],
    check,
};

fn check(target: &LintTarget<'_>) -> Option<String> {
    let length = target.certificate.serial.as_der_content().len();
    let most = SerialNumber::MOST_BYTES;
    (length > most).then(|| format!("the serial number takes {length} bytes, expected at most {most}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::testing::*;

    #[test]
    fn twenty_one_bytes_are_too_many() {
        let serial = [&[0][..], &[0xff; 20]].concat();
        assert!(finding(&RULE, TestCert::server("a.test").serial(&serial)).unwrap().contains("21 bytes"));
    }

    #[test]
    fn twenty_bytes_are_right() {
        assert_eq!(finding(&RULE, TestCert::server("a.test").serial(&[0x7f; 20])), None);
    }
}
