//! TLS clients look for the host in the subject alternative name only, not in the common name.

use crate::lint::profile::LintProfile;
use crate::lint::rule::Rule;
use crate::lint::severity::Severity;
use crate::lint::target::LintTarget;

pub const RULE: Rule = Rule {
    code: "subject-alt-name-missing",
    severity: Severity::Error,
    citation: "RFC 9525 §2; CA/Browser Forum BR §7.1.2.7.12",
    requirement: "A server certificate has a subject alternative name",
    example: "the certificate has no subject alternative name (SAN); clients ignore the common name a.test",
    fix: "issue the certificate again with the host names and addresses as subject alternative names",
    profiles: &[LintProfile::Apple, LintProfile::Rustls],
    check,
};

fn check(target: &LintTarget<'_>) -> Option<String> {
    (target.is_server() && !target.is_ca() && target.certificate.subject_alt_names.is_none()).then(|| {
        match target.certificate.subject.common_name() {
            Some(name) => format!(
                "the certificate has no subject alternative name (SAN); clients ignore the \
                 common name {name}"
            ),
            None => "the certificate has no subject alternative name (SAN)".to_owned(),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::testing::*;
    use crate::x509::certificate::oid;

    #[test]
    fn a_server_with_only_a_common_name_is_found() {
        let cert = TestCert::server("a.test").without(oid::SUBJECT_ALT_NAME);
        assert!(finding(&RULE, cert).unwrap().contains("ignore the common name a.test"));
    }

    #[test]
    fn a_server_with_names_and_a_client_or_ca_without_are_right() {
        assert_eq!(finding(&RULE, TestCert::server("a.test")), None);
        assert_eq!(finding(&RULE, TestCert::ca("A").purposes(&[crate::x509::ExtendedKeyUsage::ServerAuth])), None);
        assert_eq!(finding(&RULE, TestCert::client("alice")), None);
    }
}
