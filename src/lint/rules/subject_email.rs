//! An e-mail address of the subject is among the alternative names too: the subject alone is the old place. RFC 5280 §4.1.2.6 says
//! it of every certificate, so of a CA too; §4.2.1.6 has no exception either.

use crate::lint::profile::LintProfile;
use crate::lint::rule::Rule;
use crate::lint::severity::Severity;
use crate::lint::target::LintTarget;
use crate::text;
use crate::x509::{AttributeType, GeneralName};

pub const RULE: Rule = Rule {
    code: "subject-email-not-in-san",
    severity: Severity::Warning,
    citation: "RFC 5280 §4.1.2.6",
    requirement: "An e-mail address of the subject is among the subject alternative names",
    example: "the e-mail address 'a@corp.test' is in the subject, and not among the subject alternative names",
    fix: "issue the certificate again with the address among its names, and without emailAddress in the subject",
    profiles: &[LintProfile::Rfc5280],
    check,
};

fn check(target: &LintTarget<'_>) -> Option<String> {
    let certificate = target.certificate;
    let has = |address: &str| {
        certificate
            .names()
            .iter()
            .any(|name| matches!(name, GeneralName::Email(it) if it.eq_ignore_ascii_case(address)))
    };
    let mut addresses =
        certificate.subject.attributes().filter(|attribute| attribute.kind == AttributeType::EmailAddress);
    let missing = addresses.find(|attribute| !has(&attribute.value))?;
    let shown = text::escape(&missing.value);
    Some(format!("the e-mail address '{shown}' is in the subject, and not among the subject alternative names"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::testing::*;
    use crate::x509::der;

    fn client() -> TestCert {
        TestCert::client("alice").subject(&name_of(&[("1.2.840.113549.1.9.1", der::IA5_STRING, b"a@corp.test")]))
    }

    #[test]
    fn an_address_in_the_subject_alone_is_found() {
        assert!(finding(&RULE, client()).unwrap().contains("'a@corp.test' is in the subject"));
        let other = client().general_names(&[GeneralName::Email("b@corp.test".to_owned())]);
        assert!(finding(&RULE, other).is_some());
        let ca = TestCert::ca("A").subject(&name_of(&[("1.2.840.113549.1.9.1", der::IA5_STRING, b"ca@corp.test")]));
        assert!(finding_in_root(&RULE, ca).is_some());
    }

    #[test]
    fn an_address_in_both_is_right() {
        let both = client().general_names(&[GeneralName::Email("A@corp.test".to_owned())]);
        assert_eq!(finding(&RULE, both), None);
        assert_eq!(finding(&RULE, TestCert::client("alice")), None);
    }
}
