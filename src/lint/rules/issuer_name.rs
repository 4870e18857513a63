//! The issuer name is a copy of the CA's subject, byte by byte: otherwise some verifiers find no path.

use crate::lint::profile::LintProfile;
use crate::lint::rule::Rule;
use crate::lint::severity::Severity;
use crate::lint::target::LintTarget;
use crate::x509::{DistinguishedName, der};

pub const RULE: Rule = Rule {
    code: "issuer-name-differs",
    severity: Severity::Error,
    citation: "RFC 5280 §4.1.2.4, §6.1.3 (a)(4)",
    requirement: "The issuer field has the bytes of the CA's subject",
    example: "the issuer is CN=Else, expected CN=Test Root in the same encoding",
    fix: "sign with the CA that the issuer field names, and copy its subject as it stands",
    profiles: &[LintProfile::Rfc5280, LintProfile::Rustls],
    check,
};

fn check(target: &LintTarget<'_>) -> Option<String> {
    let found = &target.certificate.issuer;
    let expected = &target.issuer?.subject;
    (found.as_der() != expected.as_der()).then(|| {
        let types = string_types(found, expected).unwrap_or_default();
        format!("the issuer is {found}, expected {expected} in the same encoding{types}")
    })
}

/// Returns the first attribute whose value has another string type in the name that is expected, as a clause.
fn string_types(found: &DistinguishedName, expected: &DistinguishedName) -> Option<String> {
    let (found_tags, expected_tags) = (value_tags(found)?, value_tags(expected)?);
    let index =
        (0..found_tags.len().min(expected_tags.len())).find(|index| found_tags[*index] != expected_tags[*index])?;
    let (found_tag, expected_tag) = (string_type(*found_tags.get(index)?), string_type(*expected_tags.get(index)?));
    let attribute = found.attributes().nth(index)?;
    let label = attribute.kind.short_label();
    Some(format!(": its {label} is {found_tag}, that of the CA's subject {expected_tag}"))
}

/// Returns the tags of the values of a name, in their order.
fn value_tags(name: &DistinguishedName) -> Option<Vec<u8>> {
    let (der::SEQUENCE, content, []) = der::split_first(name.as_der())? else { return None };
    let mut tags = Vec::new();
    for set in der::children(content)? {
        let (_, attributes, _) = der::split_first(set)?;
        for attribute in der::children(attributes)? {
            let (_, fields, _) = der::split_first(attribute)?;
            let [_, value] = der::children(fields)?[..] else { return None };
            tags.push(*value.first()?);
        }
    }
    Some(tags)
}

fn string_type(tag: u8) -> &'static str {
    match tag {
        der::UTF8_STRING => "a UTF8String",
        der::PRINTABLE_STRING => "a PrintableString",
        der::IA5_STRING => "an IA5String",
        0x14 => "a TeletexString",
        0x1c => "a UniversalString",
        0x1e => "a BMPString",
        _ => "of another type",
    }
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
    fn another_string_type_is_named() {
        let common_name = |tag: u8| {
            let attribute = der::sequence(&[&object_identifier("2.5.4.3"), &der::value(tag, b"Test Root")]);
            der::sequence(&[&der::value(0x31, &attribute)])
        };
        let found = |tag| finding(&RULE, TestCert::server("a.test").issuer(&common_name(tag)));
        let (printable, utf8) = (found(der::PRINTABLE_STRING), found(der::UTF8_STRING));
        let named = [printable, utf8].into_iter().flatten().collect::<Vec<_>>();
        assert_eq!(named.len(), 1, "the CA's subject has one of them: {named:?}");
        assert!(named[0].contains("its CN is a PrintableString, that of the CA's subject a UTF8String"), "{named:?}");
    }

    #[test]
    fn the_name_of_the_ca_is_right() {
        assert_eq!(finding(&RULE, TestCert::server("a.test")), None);
    }
}
