//! Extensions that should not be critical: some clients refuse the certificate.

use crate::lint::profile::LintProfile;
use crate::lint::rule::Rule;
use crate::lint::severity::Severity;
use crate::lint::target::LintTarget;
use crate::x509::certificate::oid;

pub const RULE: Rule = Rule {
    code: "extension-should-not-be-critical",
    severity: Severity::Warning,
    citation: "RFC 5280 §4.2.1.13, §4.2.1.7; RFC 6960 §4.2.2.2.1",
    requirement: "CRL distribution points, issuer alternative names and OCSP no check should not be critical",
    example: "2.5.29.31 (CRL distribution points) is critical, and should not be",
    fix: "issue the certificate again with the extension not critical",
    profiles: &[LintProfile::Rfc5280],
    check,
};

const EXTENSIONS: [&str; 3] = [oid::CRL_DISTRIBUTION_POINTS, oid::ISSUER_ALT_NAME, oid::OCSP_NO_CHECK];

fn check(target: &LintTarget<'_>) -> Option<String> {
    let critical: Vec<_> = EXTENSIONS.into_iter().filter(|oid| target.is_critical(oid)).map(oid::with_name).collect();
    (!critical.is_empty()).then(|| format!("{} is critical, and should not be", critical.join(" and ")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::testing::*;

    #[test]
    fn each_of_them_is_found_when_it_is_critical() {
        for oid in EXTENSIONS {
            let cert = |critical| TestCert::server("a.test").extension(oid, critical, vec![5, 0]);
            assert!(finding(&RULE, cert(true)).unwrap().contains("should not be"));
            assert_eq!(finding(&RULE, cert(false)), None);
        }
    }
}
