//! A PrintableString has letters, digits and few signs: Go and Chrome cannot read a certificate with others.

use crate::lint::names;
use crate::lint::profile::LintProfile;
use crate::lint::rule::Rule;
use crate::lint::severity::Severity;
use crate::lint::target::LintTarget;
use crate::x509::der;
use crate::x509::der_rules::is_printable_string;

pub const RULE: Rule = Rule {
    code: "printable-string-alphabet",
    severity: Severity::Error,
    citation: "X.680 §41.4; RFC 5280 §4.1.2.4",
    requirement: "A PrintableString has letters, digits, spaces and the signs ' ( ) + , - . / : = ? alone",
    example: "the CN 'dev_1@corp!test' of the subject is a PrintableString with the character '_'",
    fix: "issue the certificate again with the value as a UTF8String",
    profiles: &[LintProfile::Rfc5280],
    check,
};

fn check(target: &LintTarget<'_>) -> Option<String> {
    names::find_value(target.certificate, |value| {
        (value.tag == der::PRINTABLE_STRING && !is_printable_string(value.content)).then_some(())?;
        let wrong = value.content.iter().find(|byte| !is_printable_string(&[**byte]))?;
        Some(format!("is a PrintableString with the character '{}'", wrong.escape_ascii()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::testing::*;
    use crate::x509::certificate::oid;

    fn server(tag: u8, value: &str) -> TestCert {
        TestCert::server("a.test").subject(&name_of(&[("2.5.4.3", tag, value.as_bytes())]))
    }

    #[test]
    fn a_character_outside_of_the_alphabet_is_found() {
        for (value, character) in [("dev_1", "'_'"), ("a@b", "'@'"), ("a*", "'*'"), ("a&b", "'&'")] {
            assert!(finding(&RULE, server(der::PRINTABLE_STRING, value)).unwrap().ends_with(character), "{value}");
        }
    }

    #[test]
    fn a_name_of_the_alternative_names_is_looked_at_too() {
        let directory = name_of(&[("2.5.4.10", der::PRINTABLE_STRING, b"a!")]);
        let names = der::sequence(&[&der::value(der::context_constructed(4), &directory)]);
        let cert = TestCert::server("a.test").extension(oid::SUBJECT_ALT_NAME, false, names);
        assert!(finding(&RULE, cert).unwrap().contains("subject alternative name"));
    }

    #[test]
    fn the_alphabet_and_other_types_are_right() {
        assert_eq!(finding(&RULE, server(der::PRINTABLE_STRING, "Acme (Berlin), dev-1: a=b?")), None);
        assert_eq!(finding(&RULE, server(der::UTF8_STRING, "dev_1@corp!test")), None);
    }
}
