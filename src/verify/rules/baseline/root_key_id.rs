//! Path builders look for the key that the authority key identifier names, which is the root's own.

use crate::text::hex;
use crate::verify::candidate::Candidate;
use crate::verify::code::{Code, Rank};
use crate::verify::verdict::Problem;

pub const ROOT_KEY_ID: Code = Code {
    code: "root-key-id-differs",
    rank: Rank::Unranked,
    citation: "CA/Browser Forum BR §7.1.2.1.3; RFC 5280 §4.2.1.1",
    requirement: "The authority key identifier of a root equals its subject key identifier",
    example: "the authority key identifier of the root is 0707070707070707070707070707070707070707, its own is \
        82bd909677a1085ceed7aa38e4a461f7f7228ace",
    fix: "make the root again with matching key identifiers",
};

/// Returns the problem of a root's key identifiers.
pub fn check(root: &Candidate) -> Option<Problem> {
    let authority = root.certificate.authority_key_id.as_ref()?.key_id.as_ref()?;
    let own = root.certificate.subject_key_id.as_ref()?;
    let message = || format!("the authority key identifier of the root is {}, its own is {}", hex(authority), hex(own));
    (authority != own).then(|| Problem::error(&ROOT_KEY_ID, root, message()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::testing::TestCert;
    use crate::verify::tests::below;
    use crate::x509::certificate::oid;
    use crate::x509::der;

    #[test]
    fn another_key_identifier_is_found() {
        let other = der::sequence(&[&der::value(der::context(0), &[7; 20])]);
        let root = TestCert::ca("Root").extension(oid::AUTHORITY_KEY_ID, false, other);
        assert_eq!(below(root).server("web.corp.test").errors(), [ROOT_KEY_ID.code]);
    }

    #[test]
    fn its_own_and_none_are_right() {
        assert_eq!(below(TestCert::ca("Root")).server("web.corp.test").errors(), [""; 0]);
        assert_eq!(
            below(TestCert::ca("Root").without(oid::AUTHORITY_KEY_ID)).server("web.corp.test").errors(),
            [""; 0]
        );
    }
}
