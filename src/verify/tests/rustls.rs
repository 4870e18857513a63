//! Where the verifier inside rustls says otherwise.

use super::*;
use crate::lint::testing::object_identifier;

/// What rustls refuses for a reason of its own is not excused as something that it leaves out.
#[test]
fn a_refusal_by_rustls_that_no_omission_explains_is_its_own() {
    let any = TestCert::ca("A").purposes(&[ExtendedKeyUsage::Any]);
    let verdict = TestPki::with(any).case(server()).verify();
    assert!(verdict.valid, "{:?}", verdict.problems);
    let refusal = verdict.problems.iter().find(|it| it.code == "rustls-refuses").unwrap();
    assert!(refusal.message.starts_with("the verifier inside rustls refuses the chain"), "{}", refusal.message);
}

#[test]
fn a_refusal_by_rustls_names_the_certificate_and_what_is_in_it() {
    let policies = || der::sequence(&[&der::sequence(&[&object_identifier("1.2.3")])]);
    let any = TestCert::ca("A").purposes(&[ExtendedKeyUsage::Any]);
    for (ca, leaf, file, error) in [
        (TestCert::ca("A").extension(oid::CERTIFICATE_POLICIES, true, policies()), server(), "chain.pem", "2.5.29.32"),
        (
            TestCert::ca("A"),
            server().extension(oid::CERTIFICATE_POLICIES, true, policies()),
            "leaf.pem",
            "(certificate policies)",
        ),
        (any, server(), "chain.pem", "the extended key usage is any"),
    ] {
        let verdict = TestPki::with(ca).case(leaf).server("web.corp.test").verify();
        let refusal = verdict.problems.iter().find(|it| it.code == "rustls-refuses").unwrap();
        assert!(!verdict.valid && refusal.message.contains(error), "{}", refusal.message);
        assert_eq!(&*refusal.certificate.file, file);
        assert!(verdict.rustls_refuses.is_some());
    }
}

#[test]
fn for_any_purpose_rustls_decides_nothing_and_what_it_refuses_is_told() {
    let pki = TestPki::with(TestCert::ca("Issuing CA").permit(&["email:corp.test"]));
    for (leaf, is_asked) in [
        (server(), true),
        (TestCert::client("alice"), true),
        (TestCert::leaf("neither side of TLS"), false),
        (TestCert::leaf("mail alone").purposes(&[ExtendedKeyUsage::EmailProtection]), false),
        (TestCert::ca("Sub CA").purposes(&[ExtendedKeyUsage::ServerAuth]), false),
    ] {
        let verdict = pki.case(leaf.names(&["ops@corp.test"])).verify();
        let is_warning =
            verdict.problems.iter().any(|it| it.code == "rustls-refuses" && it.severity == Severity::Warning);
        let by_name = verdict.rustls_refuses.iter().all(|error| error.contains("NameConstraint"));
        assert!(by_name, "it was asked for the purpose that the leaf has: {:?}", verdict.rustls_refuses);
        let found = (verdict.valid, verdict.rustls_refuses.is_some(), is_warning);
        assert_eq!(found, (true, is_asked, is_asked), "{:?}", verdict.problems);
    }
}
