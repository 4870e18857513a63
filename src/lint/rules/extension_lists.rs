//! An extension that is a list has something in it.

use crate::lint::fields;
use crate::lint::profile::LintProfile;
use crate::lint::rule::Rule;
use crate::lint::severity::Severity;
use crate::lint::target::LintTarget;
use crate::x509::certificate::oid;
use crate::x509::der;

pub const RULE: Rule = Rule {
    code: "extension-list-empty",
    severity: Severity::Error,
    citation: "RFC 5280 §4.1, §4.2.1.7, §4.2.2, appendix A.2",
    requirement: "The list of extensions, and a list within an extension, is not empty",
    example: "2.5.29.18 (issuer alternative names) is an empty list",
    fix: "issue the certificate again without the empty list",
    profiles: &[LintProfile::Rfc5280],
    check,
};

/// Extensions that are one list, and have no rule of their own for an empty one.
const LISTS: [&str; 6] = [
    oid::ISSUER_ALT_NAME,
    oid::AUTHORITY_INFO_ACCESS,
    oid::SUBJECT_INFO_ACCESS,
    oid::FRESHEST_CRL,
    oid::SUBJECT_DIRECTORY_ATTRIBUTES,
    "1.3.6.1.5.5.7.1.24",
];

fn check(target: &LintTarget<'_>) -> Option<String> {
    let certificate = target.certificate;
    if certificate.extensions.is_empty() {
        let has_list = fields::all(certificate).last().is_some_and(|last| last[0] == der::context_constructed(3));
        return has_list.then(|| "the list of extensions is empty".to_owned());
    }
    let empty = |oid: &str, list: &str| format!("{} {list} an empty list", oid::with_name(oid));
    let mut found = Vec::new();
    for extension in &certificate.extensions {
        let content = || der::split_first(&extension.value).map(|(_, content, _)| content);
        if LISTS.contains(&&*extension.oid) && content() == Some(&[]) {
            found.push(empty(&extension.oid, "is"));
        }
        // The qualifiers of a policy, and the issuer's names in an authority key identifier.
        let fields = || content().and_then(der::children).unwrap_or_default();
        let inner = match extension.oid.as_str() {
            oid::CERTIFICATE_POLICIES => fields().iter().any(|policy| policy.ends_with(&[der::SEQUENCE, 0])),
            oid::AUTHORITY_KEY_ID => fields().contains(&&[der::context_constructed(1), 0][..]),
            _ => false,
        };
        if inner {
            found.push(empty(&extension.oid, "has"));
        }
    }
    (!found.is_empty()).then(|| found.join("; "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::testing::*;

    #[test]
    fn every_empty_list_is_found() {
        for oid in LISTS {
            let cert = TestCert::server("a.test").extension(oid, false, der::sequence(&[]));
            assert!(finding(&RULE, cert).unwrap().ends_with("is an empty list"), "{oid}");
        }
        let policy = der::sequence(&[&object_identifier("1.2.3"), &der::sequence(&[])]);
        let policies =
            TestCert::server("a.test").extension(oid::CERTIFICATE_POLICIES, false, der::sequence(&[&policy]));
        assert!(finding(&RULE, policies).unwrap().ends_with("has an empty list"));
        let issuer = der::sequence(&[&[0x80, 1, 7], &[0xa1, 0], &[0x82, 1, 1]]);
        assert!(finding(&RULE, TestCert::server("a.test").extension(oid::AUTHORITY_KEY_ID, false, issuer)).is_some());
    }

    #[test]
    fn lists_with_something_in_them_are_right() {
        let names = der::sequence(&[&der::value(0x82, b"a.test")]);
        assert_eq!(finding(&RULE, TestCert::server("a.test").extension(oid::ISSUER_ALT_NAME, false, names)), None);
        assert_eq!(finding(&RULE, TestCert::server("a.test")), None);
    }
}
