//! A CRL number has at most 20 bytes.

use crate::lint::crl::CrlTarget;
use crate::lint::profile::LintProfile;
use crate::lint::rule::{CrlCheck, Rule};
use crate::lint::severity::Severity;

pub const RULE: Rule<CrlCheck> = Rule {
    code: "crl-number-too-long",
    severity: Severity::Error,
    citation: "RFC 5280 §5.2.3",
    requirement: "A CRL number has at most 20 bytes",
    example: "the CRL number has 21 bytes, at most 20 are allowed",
    fix: "number the CRLs with smaller numbers",
    profiles: &[LintProfile::Rfc5280],
    check,
};

fn check(target: &CrlTarget) -> Option<String> {
    let number = target.crl.number.as_ref()?;
    // The first bit of an INTEGER is its sign.
    let bytes = number.len() + usize::from(number.first().is_some_and(|first| first & 0x80 != 0));
    (bytes > 20).then(|| format!("the CRL number has {bytes} bytes, at most 20 are allowed"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::crl::testing::*;
    use crate::x509::certificate::oid;
    use crate::x509::der;

    fn numbered(bytes: &[u8]) -> TestCrl {
        TestCrl::new().extension(oid::CRL_NUMBER, None, &der::unsigned_integer(bytes))
    }

    #[test]
    fn a_number_of_21_bytes_is_found() {
        assert!(finding(&RULE, numbered(&[1; 21])).unwrap().contains("21 bytes"));
        assert!(finding(&RULE, numbered(&[0xff; 20])).is_some());
    }

    #[test]
    fn a_number_of_20_bytes_is_right() {
        assert_eq!(finding(&RULE, numbered(&[1; 20])), None);
    }
}
