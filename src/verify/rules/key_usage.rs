//! RFC 5280 §4.2.1.3 and TLS: the key usage of the leaf allows a handshake.

use crate::verify::candidate::Candidate;
use crate::verify::cert_path::CertPath;
use crate::verify::code::{Code, Rank};
use crate::verify::input::Purpose;
use crate::verify::verdict::Problem;
use crate::x509::KeyUsage;

pub const KEY_USAGE_UNFIT: Code = Code {
    code: "key-usage-unfit",
    rank: Rank::Unranked,
    citation: "RFC 5280 §4.2.1.3; RFC 8446 §4.4.2.2; RFC 5246 §7.4.2",
    requirement: "The key usage of the leaf allows its purpose: in TLS it signs (or, before TLS 1.3, enciphers or agrees on keys)",
    example: "the key usage of the leaf is key-cert-sign, crl-sign, expected digital-signature among it",
    fix: "issue the certificate again with key usage digitalSignature",
};

/// Adds a key usage with which no TLS handshake is possible.
pub fn check(path: &CertPath<'_>, problems: &mut Vec<Problem>) {
    let Some(leaf) = path.leaf() else { return };
    let Some(usage) = leaf.certificate.key_usage else { return };
    let purpose = path.options.purpose;
    if purpose == Purpose::Any || usage.contains(KeyUsage::DIGITAL_SIGNATURE) {
        return;
    }
    if !purpose.is_tls() {
        problems.extend(outside_tls(leaf, usage, purpose));
        return;
    }
    if path.options.purpose == Purpose::Server && leaf.certificate.is_ca() {
        // ca-as-leaf reports the fix; another key usage would not help.
        return;
    }
    let message = format!("the key usage of the leaf is {usage}, expected digital-signature among it");
    let old_ways = [KeyUsage::KEY_ENCIPHERMENT, KeyUsage::KEY_AGREEMENT];
    problems.push(if old_ways.into_iter().any(|way| usage.contains(way)) {
        Problem::warning(&KEY_USAGE_UNFIT, leaf, message)
    } else {
        Problem::error(&KEY_USAGE_UNFIT, leaf, message)
    });
}

/// Returns the problem of a key usage without digitalSignature, for a purpose that is not a side of TLS.
fn outside_tls(leaf: &Candidate, usage: KeyUsage, purpose: Purpose) -> Option<Problem> {
    let any_of = |usages: &[KeyUsage]| usages.iter().any(|it| usage.contains(*it));
    let (is_fit, expected, citation) = match purpose {
        // RFC 8550 §4.4.2: a key may encrypt only.
        Purpose::Email => (
            any_of(&[KeyUsage::CONTENT_COMMITMENT, KeyUsage::KEY_ENCIPHERMENT, KeyUsage::KEY_AGREEMENT]),
            "digital-signature, content-commitment, key-encipherment or key-agreement",
            "RFC 8550 §4.4.2",
        ),
        Purpose::TimeStamping => {
            (any_of(&[KeyUsage::CONTENT_COMMITMENT]), "digital-signature or content-commitment", "RFC 5280 §4.2.1.12")
        }
        // A CA signs OCSP responses with the key of its certificates too (RFC 6960 §2.2).
        Purpose::Ocsp if leaf.certificate.is_ca() => return None,
        Purpose::Ocsp => {
            (any_of(&[KeyUsage::CONTENT_COMMITMENT]), "digital-signature or content-commitment", "RFC 5280 §4.2.1.12")
        }
        _ => (false, "digital-signature", "RFC 5280 §4.2.1.12"),
    };
    let message = || format!("the key usage of the leaf is {usage}, expected {expected} among it");
    (!is_fit).then(|| Problem::error(&KEY_USAGE_UNFIT, leaf, message()).citation(citation))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::testing::TestCert;
    use crate::verify::rules::baseline::ca_as_leaf::CA_AS_LEAF;
    use crate::verify::tests::{TestPki, server};
    use crate::x509::certificate::oid;

    #[test]
    fn a_key_that_takes_part_in_no_handshake_is_found() {
        let usage = server().key_usage(KeyUsage::CRL_SIGN);
        assert_eq!(TestPki::new().case(usage).server("web.corp.test").errors(), [KEY_USAGE_UNFIT.code]);
        let old = TestPki::new().case(server().key_usage(KeyUsage::KEY_AGREEMENT)).server("web.corp.test").verify();
        assert_eq!(old.problems.iter().map(|it| it.code).collect::<Vec<_>>(), [KEY_USAGE_UNFIT.code]);
        assert!(old.valid, "TLS 1.2 can use it");
    }

    #[test]
    fn a_key_that_signs_is_right_and_one_without_key_usage_too() {
        assert_eq!(TestPki::new().case(server()).server("web.corp.test").verify().problems, []);
        let silent = TestPki::new().case(server().without(oid::KEY_USAGE)).server("web.corp.test");
        assert_eq!(silent.verify().problems, []);
        assert_eq!(TestPki::new().case(server().key_usage(KeyUsage::CRL_SIGN)).errors(), [""; 0]);
        let ca = TestPki::new().case(TestCert::ca("web.corp.test").names(&["web.corp.test"])).server("web.corp.test");
        assert_eq!(ca.errors(), [CA_AS_LEAF.code]);
        let ca = TestPki::new().case(TestCert::ca("alice")).client();
        assert_eq!(ca.errors(), [KEY_USAGE_UNFIT.code]);
    }
}
