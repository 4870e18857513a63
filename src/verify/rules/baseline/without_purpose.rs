//! A certificate without extended key usage can be used for every purpose.

use crate::verify::candidate::Candidate;
use crate::verify::code::{Code, Rank};
use crate::verify::verdict::Problem;

pub const WITHOUT_PURPOSE: Code = Code {
    code: "without-purpose",
    rank: Rank::Unranked,
    citation: "CA/Browser Forum BR §7.1.2.7.6",
    requirement: "A server certificate names its purpose, server-auth",
    example: "the certificate has no extended key usage, expected server-auth",
    fix: "issue the certificate again with extended key usage server-auth",
};

/// Returns a warning for a leaf without extended key usage, which TLS clients accept.
pub fn check(leaf: &Candidate) -> Option<Problem> {
    let certificate = &leaf.certificate;
    (!certificate.is_ca() && certificate.extended_key_usage.is_none()).then(|| {
        Problem::warning(&WITHOUT_PURPOSE, leaf, "the certificate has no extended key usage, expected server-auth")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::testing::TestCert;
    use crate::verify::tests::{TestPki, server};
    use crate::x509::certificate::oid;

    #[test]
    fn a_server_without_a_purpose_is_worth_a_word() {
        let verdict = TestPki::new().case(server().without(oid::EXTENDED_KEY_USAGE)).server("web.corp.test").verify();
        assert!(verdict.valid);
        assert_eq!(verdict.problems.iter().map(|it| it.code).collect::<Vec<_>>(), [WITHOUT_PURPOSE.code]);
    }

    #[test]
    fn a_server_with_its_purpose_is_right() {
        assert_eq!(TestPki::new().case(server()).server("web.corp.test").verify().problems, []);
        // Of a CA in the place of the server another rule speaks.
        let ca = TestPki::new().case(TestCert::ca("web.corp.test").names(&["web.corp.test"])).server("web.corp.test");
        assert!(ca.verify().problems.iter().all(|it| it.code != WITHOUT_PURPOSE.code));
    }
}
