//! Extensions that software may ignore are not critical: most clients refuse the certificate.

use crate::lint::profile::LintProfile;
use crate::lint::rule::Rule;
use crate::lint::severity::Severity;
use crate::lint::target::LintTarget;
use crate::x509::certificate::oid;

pub const RULE: Rule = Rule {
    code: "extension-must-not-be-critical",
    severity: Severity::Error,
    citation: "RFC 5280 §4.2.2.1, §4.2.2.2, §4.2.1.15, §4.2.1.8",
    requirement: "Authority and subject information access, freshest CRL and subject directory attributes are not critical",
    example: "1.3.6.1.5.5.7.1.1 (authority information access) is critical, and must not be",
    fix: "issue the certificate again with the extension not critical",
    profiles: &[LintProfile::Rfc5280],
    check,
};

/// Path validation does not process them.
pub const NEVER_CRITICAL: [&str; 4] =
    [oid::AUTHORITY_INFO_ACCESS, oid::SUBJECT_INFO_ACCESS, oid::FRESHEST_CRL, oid::SUBJECT_DIRECTORY_ATTRIBUTES];

fn check(target: &LintTarget<'_>) -> Option<String> {
    let critical: Vec<_> =
        NEVER_CRITICAL.into_iter().filter(|oid| target.is_critical(oid)).map(oid::with_name).collect();
    (!critical.is_empty()).then(|| format!("{} is critical, and must not be", critical.join(" and ")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::testing::*;
    use crate::x509::der;

    fn access(critical: bool) -> TestCert {
        let location = der::value(0x86, b"http://a.test");
        let ocsp = der::sequence(&[&object_identifier("1.3.6.1.5.5.7.48.1"), &location]);
        TestCert::server("a.test").extension(oid::AUTHORITY_INFO_ACCESS, critical, der::sequence(&[&ocsp]))
    }

    #[test]
    fn each_of_them_is_found_when_it_is_critical() {
        assert!(finding(&RULE, access(true)).unwrap().contains("authority information access) is critical"));
        for oid in NEVER_CRITICAL {
            let cert = TestCert::server("a.test").extension(oid, true, der::sequence(&[&der::sequence(&[])]));
            assert!(finding(&RULE, cert).unwrap().contains(oid));
        }
    }

    #[test]
    fn what_is_not_critical_is_right() {
        assert_eq!(finding(&RULE, access(false)), None);
    }
}
