//! Signatures that do not verify, and signatures that are not supported: the problem tells which.

use super::*;
use crate::lint::testing::{object_identifier, rsa_spki};

#[test]
fn another_ca_with_the_same_name_is_told_from_an_altered_certificate() {
    let (pki, other) = (TestPki::new(), TestPki::new());
    let leaf = pki.issuing.issue(server());
    let case = Case::new(leaf, &[&other.issuing.certificate], &[&other.root.certificate]);
    assert!(case.verify().problems[0].message.contains("the key identifier it asks for"));
    let altered = pki.issuing.issue(server().badly_signed());
    let case = Case::new(altered, &[&pki.issuing.certificate], &[&pki.root.certificate]);
    let problem = &case.verify().problems[0];
    assert_eq!(problem.code, "signature-invalid");
    assert!(problem.hint.contains("altered"));
}

#[test]
fn a_signature_that_is_not_relied_on_is_told_with_what_is_and_not_as_altered() {
    let algorithm = |oid: &str| der::sequence(&[&object_identifier(oid), &der::value(der::NULL, &[])]);
    let sha256_with_rsa = algorithm("1.2.840.113549.1.1.11");
    let ecdsa_with_null = algorithm("1.2.840.10045.4.3.2");
    let short = rsa_spki(&[0xff; 128], &[1, 0, 1]);
    let curve = |oid: &str| {
        let algorithm = der::sequence(&[&object_identifier("1.2.840.10045.2.1"), &object_identifier(oid)]);
        der::sequence(&[&algorithm, &der::bit_string(&[4; 65])])
    };
    for (ca, algorithm, found, expected) in [
        (TestCert::ca("A").spki(short), Some(&sha256_with_rsa), "rsa-1024", "an RSA key of 2048 to 8192 bits"),
        (TestCert::ca("A").spki(curve("1.3.132.0.10")), None, "secp256k1", "a key for ECDSA on P-256"),
        (TestCert::ca("A"), Some(&ecdsa_with_null), "ecdsa-p256", "with the parameters of the standard"),
    ] {
        let leaf = match algorithm {
            Some(algorithm) => server().inner_algorithm(algorithm).outer_algorithm(algorithm),
            None => server(),
        };
        let verdict = TestPki::with(ca).case(leaf).verify();
        let problem = &verdict.problems[0];
        assert_eq!(problem.code, "signature-unsupported", "{}", problem.message);
        assert!(problem.message.contains(found) && problem.message.contains(expected), "{}", problem.message);
    }
}

/// A server certificate and its root by GnuTLS, which leaves out the parameters of digests (RFC 4055 §2.1 allows both).
#[test]
fn rsassa_pss_without_the_parameters_of_its_digests_is_accepted() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/certificates/pss-without-null.pem");
    let blocks = crate::x509::pem::parse_all(&std::fs::read(path).unwrap()).unwrap();
    let [leaf, root] =
        <[_; 2]>::try_from(blocks.iter().map(|it| Certificate::from_der(&it.content).unwrap()).collect::<Vec<_>>())
            .unwrap();
    let verdict = Case::new(leaf.clone(), &[], &[&root]).verify();
    assert!(verdict.valid, "{:?}", verdict.problems);
    // rustls knows the form with NULL alone: that is its own limit.
    let verdict = Case::new(leaf.clone(), &[], &[&root]).server("web.corp.test").verify();
    let rustls = verdict.problems.iter().find(|it| it.code == "rustls-refuses").unwrap();
    assert_eq!(rustls.severity, Severity::Warning, "{}", rustls.message);
    // The signature itself is checked.
    let mut altered = leaf.as_der().to_vec();
    *altered.last_mut().unwrap() ^= 1;
    let altered = Certificate::from_der(&altered).unwrap();
    assert_eq!(Case::new(altered, &[], &[&root]).verify().problems[0].code, "signature-invalid");
}

/// The key that cannot be checked with may be the one that signed.
#[test]
fn beside_a_key_that_did_not_sign_one_that_cannot_be_checked_decides_nothing() {
    let root = TestCa::root();
    let named = |algorithm| root.subordinate(TestCert::ca("A").algorithm(algorithm));
    let (signer, other) = (named(KeyAlgorithm::Rsa2048), named(KeyAlgorithm::Rsa2048));
    let short = root.issue(TestCert::ca("A").spki(rsa_spki(&[0xff; 128], &[1, 0, 1])));
    let first = |chain: &[&Certificate]| {
        Case::new(signer.issue(server()), chain, &[&root.certificate]).verify().problems.remove(0)
    };
    let problem = first(&[&other.certificate, &short]);
    assert_eq!(problem.code, "signature-unsupported");
    assert!(problem.message.contains("by a key of kind rsa-1024 (chain.pem#2)"), "{}", problem.message);
    assert_eq!(first(&[&other.certificate]).code, "signature-invalid");
    // A key for ECDSA made no signature with RSA.
    assert_eq!(first(&[&other.certificate, &named(KeyAlgorithm::EcdsaP256).certificate]).code, "signature-invalid");
}

/// The longest salt, which openssl takes unless it is given another length: the parameter is named, with its documents.
#[test]
fn a_salt_of_another_length_is_named() {
    const PSS_WITH_SALT_OF_222: &[u8] = &[
        0x30, 0x42, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0a, 0x30, 0x35, 0xa0, 0x0f, 0x30,
        0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0xa1, 0x1c, 0x30, 0x1a,
        0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x08, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48,
        0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0xa2, 0x04, 0x02, 0x02, 0x00, 0xde,
    ];
    let leaf = server().inner_algorithm(PSS_WITH_SALT_OF_222).outer_algorithm(PSS_WITH_SALT_OF_222);
    let case = TestPki::with(TestCert::ca("A").algorithm(KeyAlgorithm::Rsa2048)).case(leaf);
    let problem = &case.verify().problems[0];
    assert_eq!(problem.code, "signature-unsupported");
    assert!(problem.message.contains("and a salt of 222 bytes, 32 expected"), "{}", problem.message);
    assert!(problem.citation.starts_with("RFC 4055 §3.1; RFC 8017"), "{}", problem.citation);
    assert!(problem.hint.contains("rsa_pss_saltlen:digest"), "{}", problem.hint);
}
