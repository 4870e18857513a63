//! The text of a user notice is short and in a type that all readers know.

use crate::lint::profile::LintProfile;
use crate::lint::rule::Rule;
use crate::lint::severity::Severity;
use crate::lint::target::LintTarget;
use crate::x509::certificate::oid;
use crate::x509::der;
use crate::x509::der_rules::string_type;

pub const RULE: Rule = Rule {
    code: "policy-text",
    severity: Severity::Warning,
    citation: "RFC 5280 §4.2.1.4; RFC 6818 §3",
    requirement: "The text of a user notice has at most 200 characters, in a UTF8String",
    example: "the text of a user notice has 300 characters, at most 200 are allowed",
    fix: "issue the certificate again with a shorter text as a UTF8String, or without it",
    profiles: &[LintProfile::Rfc5280],
    check,
};

/// The content of id-qt-unotice, 1.3.6.1.5.5.7.2.2.
const USER_NOTICE: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 2, 2];

fn check(target: &LintTarget<'_>) -> Option<String> {
    let policies = target.certificate.extension(oid::CERTIFICATE_POLICIES)?;
    let children =
        |value| der::split_first(value).and_then(|(_, content, _)| der::children(content)).unwrap_or_default();
    // A policy is its identifier and a list of qualifiers; a qualifier its identifier and here SEQUENCE { reference, text }.
    let qualifiers = children(&policies.value).into_iter().flat_map(children).flat_map(children);
    qualifiers.map(children).find_map(|qualifier| {
        let [identifier, notice] = qualifier[..] else { return None };
        (der::split_first(identifier)?.1 == USER_NOTICE).then_some(())?;
        let text = children(notice).into_iter().find(|field| field.first() != Some(&der::SEQUENCE))?;
        let (tag, content, _) = der::split_first(text)?;
        let length = match tag {
            der::UTF8_STRING => std::str::from_utf8(content).map_or(content.len(), |text| text.chars().count()),
            0x1e => content.len() / 2,
            _ => content.len(),
        };
        match tag {
            _ if length > 200 => {
                Some(format!("the text of a user notice has {length} characters, at most 200 are allowed"))
            }
            der::UTF8_STRING | 0x1a | 0x1e => None,
            tag => {
                let found = string_type(tag).unwrap_or("value of another type");
                Some(format!("the text of a user notice has the type {found}, expected UTF8String"))
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::testing::*;

    fn notice(tag: u8, text: &[u8]) -> TestCert {
        let notice = der::sequence(&[&der::value(tag, text)]);
        let qualifier = der::sequence(&[&der::value(der::OBJECT_IDENTIFIER, USER_NOTICE), &notice]);
        let policy = der::sequence(&[&object_identifier("1.2.3"), &der::sequence(&[&qualifier])]);
        TestCert::server("a.test").extension(oid::CERTIFICATE_POLICIES, false, der::sequence(&[&policy]))
    }

    #[test]
    fn a_long_text_and_an_ia5_string_are_found() {
        assert!(finding(&RULE, notice(der::UTF8_STRING, &[b'a'; 201])).unwrap().contains("201 characters"));
        assert!(finding(&RULE, notice(der::IA5_STRING, b"a")).unwrap().contains("type IA5String"));
    }

    #[test]
    fn a_short_text_is_right() {
        assert_eq!(finding(&RULE, notice(der::UTF8_STRING, "ä".repeat(200).as_bytes())), None);
        assert_eq!(finding(&RULE, TestCert::server("a.test")), None);
    }
}
