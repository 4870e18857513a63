//! Signatures over MD5 or SHA-1 can be forged; of others it is not known that they cannot.

use crate::lint::profile::LintProfile;
use crate::lint::rule::Rule;
use crate::lint::severity::Severity;
use crate::lint::target::LintTarget;
use crate::x509::signature_algorithm::Strength;

pub const RULE: Rule = Rule {
    code: "weak-signature",
    severity: Severity::Error,
    citation: "RFC 9155 §2 (TLS); CA/Browser Forum BR §7.1.3.2",
    requirement: "The signature uses SHA-256 or better",
    example: "it is signed with sha1WithRSAEncryption, whose digest can be forged; expected SHA-256 or better",
    fix: "issue the certificate again with SHA-256, SHA-384 or SHA-512",
    profiles: &[LintProfile::Apple, LintProfile::Rustls, LintProfile::Strict],
    check,
};

fn check(target: &LintTarget<'_>) -> Option<String> {
    let algorithm = &target.certificate.signature_algorithm;
    // The signature of a root over itself is not relied on.
    let what = match algorithm.strength() {
        Strength::Sound => return None,
        Strength::Weak => "whose digest can be forged",
        Strength::Unknown => "which is not known to be sound",
    };
    (!target.certificate.is_self_issued())
        .then(|| format!("it is signed with {algorithm}, {what}; expected SHA-256 or better"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::testing::*;

    #[test]
    fn a_signature_over_sha1_is_found() {
        assert!(finding(&RULE, over_sha1(TestCert::server("a.test"))).unwrap().contains("sha1WithRSAEncryption"));
        assert!(finding(&RULE, over_sha1(TestCert::ca("A"))).is_some());
    }

    #[test]
    fn a_root_may_sign_itself_as_it_likes() {
        assert_eq!(finding_in_root(&RULE, over_sha1(TestCert::ca("A"))), None);
    }

    fn over_sha1(cert: TestCert) -> TestCert {
        let sha1_with_rsa = [0x30, 0x0d, 6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 5, 5, 0];
        cert.inner_algorithm(&sha1_with_rsa).outer_algorithm(&sha1_with_rsa)
    }

    #[test]
    fn a_signature_over_sha256_is_right() {
        assert_eq!(finding(&RULE, TestCert::server("a.test")), None);
    }
}
