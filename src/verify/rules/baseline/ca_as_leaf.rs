//! A CA certificate in a server puts the key of a CA on a machine that is reachable from the network.

use crate::verify::candidate::Candidate;
use crate::verify::code::{Code, Rank};
use crate::verify::verdict::Problem;

pub const CA_AS_LEAF: Code = Code {
    code: "ca-as-leaf",
    rank: Rank::CaAsLeaf,
    citation: "CA/Browser Forum BR §7.1.2.7.8; RFC 5280 §4.2.1.9",
    requirement: "The certificate of a server is not a CA certificate",
    example: "CN=Corp Root CA issuing is a CA certificate (basicConstraints has cA), not one of a server",
    fix: "give the server a certificate that this CA issued (ca issue server NAME); keep the CA's key away from servers",
};

/// Returns the problem of a leaf that is a CA.
pub fn check(leaf: &Candidate) -> Option<Problem> {
    let message =
        || format!("{} is a CA certificate (basicConstraints has cA), not one of a server", leaf.certificate.subject);
    leaf.certificate.is_ca().then(|| Problem::error(&CA_AS_LEAF, leaf, message()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::testing::TestCert;
    use crate::verify::tests::{TestPki, server};

    #[test]
    fn a_ca_as_a_server_is_found() {
        let ca = TestCert::ca("web.corp.test").names(&["web.corp.test"]);
        assert!(TestPki::new().case(ca).server("web.corp.test").errors().contains(&CA_AS_LEAF.code));
    }

    #[test]
    fn a_server_is_right_and_a_ca_for_any_purpose_too() {
        assert_eq!(TestPki::new().case(server()).server("web.corp.test").errors(), [""; 0]);
        assert_eq!(TestPki::new().case(TestCert::ca("Sub")).errors(), [""; 0]);
    }
}
