//! A string has the encoding of its type.

use crate::lint::names;
use crate::lint::profile::LintProfile;
use crate::lint::rule::Rule;
use crate::lint::severity::Severity;
use crate::lint::target::LintTarget;
use crate::x509::der_rules::{is_encoded_as, string_type};

pub const RULE: Rule = Rule {
    code: "string-encoding",
    severity: Severity::Error,
    citation: "RFC 5280 §4.1.2.4; X.690 §8.23",
    requirement: "Each string of a name has the encoding of its type",
    example: "the O '#ff' of the subject is a UTF8String that is not UTF-8",
    fix: "issue the certificate again with the value in UTF-8, as a UTF8String",
    profiles: &[LintProfile::Rfc5280],
    check,
};

fn check(target: &LintTarget<'_>) -> Option<String> {
    names::find_value(target.certificate, |value| {
        (!is_encoded_as(value.tag, value.content)).then_some(())?;
        let kind = string_type(value.tag)?;
        let encoding = match kind {
            "UTF8String" => "UTF-8",
            "NumericString" => "digits",
            "BMPString" => "UCS-2",
            "UniversalString" => "UTF-32",
            _ => "ASCII",
        };
        Some(format!("is a {kind} that is not {encoding}"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::testing::*;
    use crate::x509::der;

    fn server(tag: u8, value: &[u8]) -> TestCert {
        TestCert::server("a.test").subject(&name_of(&[("2.5.4.10", tag, value)]))
    }

    #[test]
    fn what_is_not_in_the_encoding_of_its_type_is_found() {
        assert!(
            finding(&RULE, server(der::UTF8_STRING, &[0xff])).unwrap().ends_with("is a UTF8String that is not UTF-8")
        );
        assert!(finding(&RULE, server(0x1e, &[0, 0x61, 0])).unwrap().ends_with("not UCS-2"));
        assert!(finding(&RULE, server(der::IA5_STRING, "ä".as_bytes())).unwrap().ends_with("not ASCII"));
    }

    #[test]
    fn other_text_is_right() {
        assert_eq!(finding(&RULE, server(der::UTF8_STRING, "Käse".as_bytes())), None);
        assert_eq!(finding(&RULE, server(0x14, &[0xe4])), None);
    }
}
