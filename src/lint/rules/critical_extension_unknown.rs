//! A client that does not know a critical extension refuses the certificate.

use super::extensions_not_critical::NEVER_CRITICAL;
use crate::lint::rule::Rule;
use crate::lint::severity::Severity;
use crate::lint::target::LintTarget;
use crate::x509::certificate::oid;

pub const RULE: Rule = Rule {
    code: "critical-extension-unknown",
    severity: Severity::Warning,
    citation: "RFC 5280 §4.2",
    requirement: "Every critical extension is a standard one: clients refuse a certificate with another critical extension",
    example: "1.3.6.1.4.1.99999.1 is critical: every client that does not know it refuses the certificate",
    fix: "issue the certificate again with the extension not critical, unless all its clients know the extension",
    profiles: &[],
    check,
};

/// The extensions that path validation processes, here and in clients.
pub const PROCESSED: [&str; 12] = [
    oid::BASIC_CONSTRAINTS,
    oid::KEY_USAGE,
    oid::EXTENDED_KEY_USAGE,
    oid::SUBJECT_ALT_NAME,
    oid::NAME_CONSTRAINTS,
    oid::CERTIFICATE_POLICIES,
    oid::POLICY_MAPPINGS,
    oid::POLICY_CONSTRAINTS,
    oid::INHIBIT_ANY_POLICY,
    oid::CRL_DISTRIBUTION_POINTS,
    // Must not be critical, but are processed: other rules report them.
    oid::SUBJECT_KEY_ID,
    oid::AUTHORITY_KEY_ID,
];

fn check(target: &LintTarget<'_>) -> Option<String> {
    let is_known = |oid: &str| PROCESSED.contains(&oid) || NEVER_CRITICAL.contains(&oid);
    let is_unknown = |it: &&crate::x509::Extension| it.critical && !is_known(&it.oid);
    let unknown: Vec<String> =
        target.certificate.extensions.iter().filter(is_unknown).map(|it| oid::with_name(&it.oid)).collect();
    let (are, them) = if unknown.len() == 1 { ("is", "it") } else { ("are", "them") };
    (!unknown.is_empty()).then(|| {
        format!(
            "{} {are} critical: every client that does not know {them} refuses the certificate",
            unknown.join(" and ")
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::testing::*;

    #[test]
    fn a_critical_extension_that_is_not_standard_is_found() {
        let cert = |critical| TestCert::server("a.test").extension("1.2.3.4", critical, vec![5, 0]);
        assert!(finding(&RULE, cert(true)).unwrap().starts_with("1.2.3.4 is critical"));
        assert_eq!(finding(&RULE, cert(false)), None);
    }

    #[test]
    fn a_critical_standard_extension_is_right() {
        assert_eq!(finding(&RULE, TestCert::server("a.test").critical(oid::SUBJECT_ALT_NAME, true)), None);
    }
}
