//! The string types of new names.

use crate::lint::names;
use crate::lint::profile::LintProfile;
use crate::lint::rule::Rule;
use crate::lint::severity::Severity;
use crate::lint::target::LintTarget;
use crate::x509::der;
use crate::x509::der_rules::string_type;

pub const RULE: Rule = Rule {
    code: "name-string-type",
    severity: Severity::Warning,
    citation: "RFC 5280 §4.1.2.4, appendix A.1",
    requirement: "Names are PrintableString or UTF8String; country, serial number and qualifier are PrintableString, domain components and e-mail addresses IA5String",
    example: "the O 'Acme' of the subject is a TeletexString, expected PrintableString or UTF8String",
    fix: "issue the certificate again with the string type that the message names",
    profiles: &[LintProfile::Rfc5280],
    check,
};

/// Attributes whose string type is fixed: country, serial number, dnQualifier, domain component, e-mail address.
const FIXED: [(&str, &str); 5] = [
    ("2.5.4.6", "PrintableString"),
    ("2.5.4.5", "PrintableString"),
    ("2.5.4.46", "PrintableString"),
    ("0.9.2342.19200300.100.1.25", "IA5String"),
    ("1.2.840.113549.1.9.1", "IA5String"),
];

/// Attributes that appendix A.1 defines as a DirectoryString.
const DIRECTORY_STRINGS: [&str; 12] = [
    "2.5.4.3", "2.5.4.4", "2.5.4.7", "2.5.4.8", "2.5.4.10", "2.5.4.11", "2.5.4.12", "2.5.4.41", "2.5.4.42", "2.5.4.43",
    "2.5.4.44", "2.5.4.65",
];

fn check(target: &LintTarget<'_>) -> Option<String> {
    names::find_value(target.certificate, |value| {
        let oid = value.attribute.kind.oid();
        let expected = match FIXED.iter().find(|(known, _)| *known == oid) {
            Some((_, expected)) => *expected,
            None if [der::UTF8_STRING, der::PRINTABLE_STRING].contains(&value.tag) => return None,
            None if DIRECTORY_STRINGS.contains(&oid) => "PrintableString or UTF8String",
            None => return None,
        };
        let found = string_type(value.tag).unwrap_or("value of another type");
        (!expected.split(" or ").any(|it| it == found)).then(|| format!("is a {found}, expected {expected}"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::testing::*;

    fn server(oid: &str, tag: u8) -> TestCert {
        TestCert::server("a.test").subject(&name_of(&[(oid, tag, b"DE")]))
    }

    #[test]
    fn another_string_type_is_found() {
        for (oid, tag, problem) in [
            ("2.5.4.6", der::UTF8_STRING, "is a UTF8String, expected PrintableString"),
            ("2.5.4.5", der::UTF8_STRING, "expected PrintableString"),
            ("0.9.2342.19200300.100.1.25", der::UTF8_STRING, "expected IA5String"),
            ("2.5.4.10", 0x14, "is a TeletexString, expected PrintableString or UTF8String"),
            ("2.5.4.3", 0x1e, "is a BMPString"),
            ("2.5.4.3", der::OCTET_STRING, "value of another type"),
        ] {
            assert!(finding(&RULE, server(oid, tag)).unwrap().contains(problem), "{oid} {tag:02x}");
        }
    }

    #[test]
    fn the_string_types_of_appendix_a_are_right() {
        for (oid, tag) in [
            ("2.5.4.6", der::PRINTABLE_STRING),
            ("2.5.4.10", der::UTF8_STRING),
            ("2.5.4.10", der::PRINTABLE_STRING),
            ("1.2.840.113549.1.9.1", der::IA5_STRING),
            ("2.5.4.45", der::BIT_STRING),
        ] {
            assert_eq!(finding(&RULE, server(oid, tag)), None, "{oid} {tag:02x}");
        }
    }
}
