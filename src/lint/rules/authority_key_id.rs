//! The authority key identifier tells which of several CA certificates with one name is the issuer.

use crate::lint::profile::LintProfile;
use crate::lint::rule::Rule;
use crate::lint::severity::Severity;
use crate::lint::target::LintTarget;

pub const RULE: Rule = Rule {
    code: "authority-key-id-missing",
    severity: Severity::Error,
    citation: "RFC 5280 §4.2.1.1",
    requirement: "Every certificate but a self-signed one has an authority key identifier with the key identifier",
    example: "the certificate has no authority key identifier",
    fix: "issue the certificate again with an authority key identifier",
    profiles: &[LintProfile::Rfc5280, LintProfile::Strict],
    check,
};

fn check(target: &LintTarget<'_>) -> Option<String> {
    let certificate = target.certificate;
    match &certificate.authority_key_id {
        Some(id) if id.key_id.is_some() => None,
        Some(_) => Some("the authority key identifier contains no key identifier".to_owned()),
        // Only a self-signed root may leave it out.
        None if certificate.is_self_issued() && certificate.is_ca() && is_of_own_key(target) => None,
        None => Some("the certificate has no authority key identifier".to_owned()),
    }
}

/// Returns whether the certificate is signed with its own key. Without an authority key identifier only the issuer's
/// certificate, where it is known, shows that an older key signed.
fn is_of_own_key(target: &LintTarget<'_>) -> bool {
    target.issuer.is_none_or(|issuer| issuer.public_key.spki() == target.certificate.public_key.spki())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::testing::*;
    use crate::x509::certificate::oid;

    #[test]
    fn a_certificate_without_one_is_found() {
        assert!(finding(&RULE, TestCert::server("a.test").without(oid::AUTHORITY_KEY_ID)).is_some());
        assert!(finding(&RULE, TestCert::ca("Test Root").without(oid::AUTHORITY_KEY_ID)).is_some());
        let empty = vec![0x30, 0];
        assert!(
            finding(&RULE, TestCert::ca("A").extension(oid::AUTHORITY_KEY_ID, false, empty))
                .unwrap()
                .contains("contains no")
        );
    }

    #[test]
    fn a_self_signed_root_may_leave_it_out() {
        assert_eq!(finding(&RULE, TestCert::server("a.test")), None);
        assert_eq!(finding_in_root(&RULE, TestCert::ca("A").without(oid::AUTHORITY_KEY_ID)), None);
        let root = TestCa::self_signed(TestCert::ca("A").without(oid::AUTHORITY_KEY_ID)).certificate;
        assert_eq!((RULE.check)(&LintTarget { certificate: &root, issuer: Some(&root) }), None);
    }

    #[test]
    fn a_self_signed_leaf_may_not() {
        assert!(finding_in_root(&RULE, TestCert::server("a.test").without(oid::AUTHORITY_KEY_ID)).is_some());
    }
}
