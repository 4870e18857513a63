//! Name constraints on whole chains.

use super::*;

#[test]
fn constraints_of_every_kind_are_held_against_every_certificate_below() {
    let with = |cert: TestCert, names: &[&str]| TestPki::with(cert).case(server().names(names)).errors();
    let violated = ["name-constraint-violated"];
    for (permitted, inside, outside) in [
        ("corp.test", "web.corp.test", "web.other.test"),
        ("10.0.0.0/8", "10.1.2.3", "11.1.2.3"),
        ("email:corp.test", "ops@corp.test", "ops@mail.corp.test"),
        ("email:.corp.test", "ops@mail.corp.test", "ops@corp.test"),
        ("uri:.corp.test", "https://a.corp.test/x", "https://corp.test/x"),
    ] {
        assert_eq!(with(TestCert::ca("A").permit(&[permitted]), &[inside]), [""; 0], "{permitted}");
        assert_eq!(with(TestCert::ca("A").permit(&[permitted]), &[outside]), violated, "{permitted}");
        assert_eq!(with(TestCert::ca("A").exclude(&[permitted]), &[inside]), violated, "{permitted}");
        assert_eq!(with(TestCert::ca("A").exclude(&[permitted]), &[outside]), [""; 0], "{permitted}");
    }
    assert_eq!(with(TestCert::ca("A").exclude(&["secret.corp.test"]), &["*.corp.test"]), violated);
    let unprocessable = ["name-constraint-unprocessable"];
    assert_eq!(with(TestCert::ca("A").exclude(&["uri:corp.test"]), &["urn:uuid:1"]), unprocessable);
}

#[test]
fn a_no_because_of_a_constraint_says_which_and_whose() {
    let pki = TestPki::with(TestCert::ca("Issuing CA").permit(&["other.test"]));
    let verdict = pki.case(server()).verify();
    assert_eq!(
        verdict.problems[0].message,
        "dns:web.corp.test is not within what CN=Issuing CA (chain.pem#1) permits: dns:other.test"
    );
}

#[test]
fn constraints_skip_self_issued_cas_but_not_what_they_issue() {
    let root = TestCa::self_signed(TestCert::ca("Root").permit(&["corp.test"]));
    let renewed = root.subordinate(TestCert::ca("Root").names(&["elsewhere.test"]));
    let case = |leaf: TestCert| Case::new(renewed.issue(leaf), &[&renewed.certificate], &[&root.certificate]);
    assert_eq!(case(server()).errors(), [""; 0]);
    assert_eq!(case(TestCert::server("web.elsewhere.test")).errors(), ["name-constraint-violated"]);
    // rustls does not skip them; that it leaves this out decides nothing.
    let verdict = case(server()).server("web.corp.test").verify();
    assert!(verdict.valid && verdict.rustls_refuses.is_some(), "{:?}", verdict.problems);
}

#[test]
fn directory_names_are_compared_without_case_and_string_type() {
    let subtree = |text: &str| {
        let directory = crate::x509::name_constraints::Subtree::Directory(
            crate::x509::DistinguishedName::from_der(&name(text)).unwrap(),
        );
        crate::x509::NameConstraints { permitted: vec![directory], excluded: Vec::new() }
    };
    let case = |permitted: &str| TestPki::with(TestCert::ca("A").name_constraints(&subtree(permitted))).case(server());
    assert_eq!(case("WEB.corp.test").errors(), [""; 0]);
    assert_eq!(case("mail.corp.test").errors(), ["name-constraint-violated"]);
    let verdict = case("web.corp.test").server("web.corp.test").verify();
    assert!(verdict.valid && verdict.rustls_refuses.is_some(), "{:?}", verdict.problems);
}
