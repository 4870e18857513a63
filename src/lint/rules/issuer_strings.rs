//! Who cannot read the name of the issuer cannot read the certificate.

use crate::lint::profile::LintProfile;
use crate::lint::rule::Rule;
use crate::lint::severity::Severity;
use crate::lint::target::LintTarget;
use crate::x509::NameValue;
use crate::x509::der;
use crate::x509::der_rules::{is_encoded_as, is_printable_string, string_type};

pub const RULE: Rule = Rule {
    code: "issuer-string-malformed",
    severity: Severity::Warning,
    citation: "X.680 §41.4; RFC 5280 §4.1.2.4",
    requirement: "Each string of the issuer's name has the characters and the encoding of its type",
    example: "the CN 'Corp_CA' of the issuer is not a right PrintableString: Go and Chrome cannot read the certificate",
    fix: "make a CA whose name is in UTF-8, and issue the certificate again from it",
    profiles: &[LintProfile::Rfc5280],
    check,
};

fn check(target: &LintTarget<'_>) -> Option<String> {
    // In a self-issued certificate the rules about its subject find the same.
    if target.certificate.is_self_issued() {
        return None;
    }
    let is_wrong = |value: &NameValue<'_>| {
        !is_encoded_as(value.tag, value.content)
            || value.tag == der::PRINTABLE_STRING && !is_printable_string(value.content)
    };
    let value = target.certificate.issuer.values().find(is_wrong)?;
    let kind = string_type(value.tag).unwrap_or("string");
    let (attribute, shown) = (&value.attribute.kind, crate::text::escape(&value.attribute.value));
    Some(format!(
        "the {attribute} '{shown}' of the issuer is not a right {kind}: some clients cannot read the certificate"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::testing::*;

    fn from(tag: u8, value: &[u8]) -> TestCert {
        TestCert::server("a.test").issuer(&name_of(&[("2.5.4.3", tag, value)]))
    }

    #[test]
    fn an_issuer_whose_name_cannot_be_read_is_found() {
        assert!(finding(&RULE, from(der::PRINTABLE_STRING, b"Corp_CA")).unwrap().contains("'Corp_CA' of the issuer"));
        assert!(finding(&RULE, from(der::UTF8_STRING, &[0xff])).is_some());
    }

    #[test]
    fn a_name_that_can_be_read_is_right() {
        assert_eq!(finding(&RULE, from(der::UTF8_STRING, b"Corp_CA")), None);
        assert_eq!(finding(&RULE, TestCert::server("a.test")), None);
    }
}
