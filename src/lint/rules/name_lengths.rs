//! The lengths of appendix A.1.

use crate::lint::names;
use crate::lint::profile::LintProfile;
use crate::lint::rule::Rule;
use crate::lint::severity::Severity;
use crate::lint::target::LintTarget;
use crate::x509::AttributeType;
use crate::x509::der_rules::is_encoded_as;

pub const RULE: Rule = Rule {
    code: "name-attribute-length",
    severity: Severity::Error,
    citation: "RFC 5280 appendix A.1",
    requirement: "An attribute of a name is not empty, and not longer than appendix A.1 of RFC 5280 allows",
    example: "the CN 'xxx…' of the subject has 70 characters, at most 64 are allowed",
    fix: "issue the certificate again with a shorter value",
    profiles: &[LintProfile::Rfc5280],
    check,
};

/// Object identifier, the least and the most characters (the upper bounds `ub-…` of appendix A.1).
const BOUNDS: [(&str, usize, usize); 17] = [
    ("2.5.4.3", 1, 64),
    ("2.5.4.4", 1, 32768),
    ("2.5.4.5", 1, 64),
    ("2.5.4.6", 2, 2),
    ("2.5.4.7", 1, 128),
    ("2.5.4.8", 1, 128),
    ("2.5.4.10", 1, 64),
    ("2.5.4.11", 1, 64),
    ("2.5.4.12", 1, 64),
    ("2.5.4.41", 1, 32768),
    ("2.5.4.42", 1, 32768),
    ("2.5.4.43", 1, 32768),
    ("2.5.4.44", 1, 32768),
    ("2.5.4.46", 1, usize::MAX),
    ("2.5.4.65", 1, 128),
    ("0.9.2342.19200300.100.1.25", 1, usize::MAX),
    ("1.2.840.113549.1.9.1", 1, 255),
];

fn check(target: &LintTarget<'_>) -> Option<String> {
    names::find_value(target.certificate, |value| {
        // Of this length nothing is wrong but a country.
        if (3..=64).contains(&value.content.len()) && value.attribute.kind != AttributeType::Country {
            return None;
        }
        let (_, least, most) = BOUNDS.iter().find(|(oid, ..)| *oid == value.attribute.kind.oid())?;
        // What cannot be read has another rule.
        (value.attribute.is_text && is_encoded_as(value.tag, value.content)).then_some(())?;
        let found = value.attribute.value.chars().count();
        match found {
            0 => Some("is empty".to_owned()),
            _ if found > *most => Some(format!("has {found} characters, at most {most} are allowed")),
            _ if found < *least => Some(format!("has {found} characters, {least} are required")),
            _ => None,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::testing::*;
    use crate::x509::der;

    fn server(oid: &str, value: &str) -> TestCert {
        TestCert::server("a.test").subject(&name_of(&[(oid, der::UTF8_STRING, value.as_bytes())]))
    }

    #[test]
    fn what_is_too_long_or_empty_is_found() {
        for (oid, value, problem) in [
            ("2.5.4.3", "x".repeat(65), "has 65 characters, at most 64 are allowed"),
            ("2.5.4.10", "ä".repeat(65), "at most 64"),
            ("2.5.4.7", "x".repeat(129), "at most 128"),
            ("2.5.4.6", "DEU".to_owned(), "at most 2"),
            ("2.5.4.6", "D".to_owned(), "2 are required"),
            ("2.5.4.11", String::new(), "is empty"),
            ("1.2.840.113549.1.9.1", "x".repeat(256), "at most 255"),
        ] {
            assert!(finding(&RULE, server(oid, &value)).unwrap().contains(problem), "{oid} {value}");
        }
    }

    #[test]
    fn the_longest_values_are_right() {
        for (oid, length) in [("2.5.4.3", 64), ("2.5.4.6", 2), ("2.5.4.8", 128), ("2.5.4.4", 1000), ("2.5.4.9", 1000)] {
            assert_eq!(finding(&RULE, server(oid, &"ä".repeat(length))), None, "{oid}");
        }
    }
}
