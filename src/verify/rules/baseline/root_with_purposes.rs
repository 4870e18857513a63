//! TLS libraries disagree about the extended key usage of a root.

use crate::verify::candidate::Candidate;
use crate::verify::code::{Code, Rank};
use crate::verify::verdict::Problem;

pub const ROOT_WITH_PURPOSES: Code = Code {
    code: "root-with-purposes",
    rank: Rank::Unranked,
    citation: "CA/Browser Forum BR §7.1.2.1.2",
    requirement: "A root has no extended key usage",
    example: "the root has the extended key usage server-auth, expected none",
    fix: "make a root without extended key usage; limit intermediates instead",
};

/// Returns the problem of a root's extended key usage.
pub fn check(root: &Candidate) -> Option<Problem> {
    let purposes = root.certificate.extended_key_usage.as_ref()?;
    let found: Vec<_> = purposes.iter().map(ToString::to_string).collect();
    let message = format!("the root has the extended key usage {}, expected none", found.join(", "));
    Some(Problem::error(&ROOT_WITH_PURPOSES, root, message))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::testing::TestCert;
    use crate::verify::tests::below;
    use crate::x509::ExtendedKeyUsage;

    #[test]
    fn a_root_with_purposes_is_found() {
        let root = TestCert::ca("Root").purposes(&[ExtendedKeyUsage::ServerAuth]);
        assert_eq!(below(root).server("web.corp.test").errors(), [ROOT_WITH_PURPOSES.code]);
    }

    #[test]
    fn a_root_without_is_right() {
        assert_eq!(below(TestCert::ca("Root")).server("web.corp.test").errors(), [""; 0]);
    }
}
