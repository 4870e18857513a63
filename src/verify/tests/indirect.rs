//! Lists of other issuers, with other keys and for other points (PKITS §4.4.19 to §4.4.21, §4.5, §4.14).

use super::revocation::TestCrl;
use super::{Case, TestPki, server};
use crate::lint::testing::{TestCa, TestCert, name};
use crate::x509::certificate::oid;
use crate::x509::{Certificate, Crl, KeyUsage, der};

const GOOD: [&str; 0] = [];
const UNKNOWN: [&str; 1] = ["revocation-unknown"];

/// A PKI and a CRL signer, `CN=Lists`, certified by the root.
struct Publisher {
    pki: TestPki,
    crls: TestCa,
}

fn signs_lists(common_name: &str) -> TestCert {
    TestCert::leaf(common_name).key_usage(KeyUsage::CRL_SIGN).serial(&[9])
}

impl Publisher {
    fn new() -> Self {
        let pki = TestPki::new();
        let crls = pki.root.subordinate(signs_lists("Lists"));
        Self { pki, crls }
    }

    /// Returns the errors of a leaf with these CRLs; the CRL of the root is valid and empty.
    fn errors(&self, leaf: TestCert, crls: &[&Crl]) -> Vec<&'static str> {
        let of_root = TestCrl::new().sign(&self.pki.root);
        let all: Vec<_> = [&of_root].into_iter().chain(crls.iter().copied()).collect();
        let chain = [&self.pki.issuing.certificate, &self.crls.certificate];
        Case::new(self.pki.issuing.issue(leaf), &chain, &[&self.pki.root.certificate]).crls(&all).errors()
    }
}

fn directory(common_name: &str) -> Vec<u8> {
    der::value(0xa4, &name(common_name))
}

/// A point of distribution with these fields.
fn pointing(leaf: TestCert, fields: &[&[u8]]) -> TestCert {
    leaf.extension(oid::CRL_DISTRIBUTION_POINTS, false, der::sequence(&[&der::sequence(fields)]))
}

fn full_name(names: &[u8]) -> Vec<u8> {
    der::value(0xa0, &der::value(0xa0, names))
}

fn relative_name(text: &str) -> Vec<u8> {
    let attribute = der::sequence(&[&[6, 3, 0x55, 4, 3], &der::value(der::UTF8_STRING, text.as_bytes())]);
    der::value(0xa0, &der::value(0xa1, &attribute))
}

fn crl_issuer(common_name: &str) -> Vec<u8> {
    der::value(0xa2, &directory(common_name))
}

const INDIRECT: [u8; 3] = [0x84, 1, 0xff];

fn indirect() -> TestCrl {
    TestCrl::new().scope(&[&INDIRECT])
}

/// An entry for the usual serial under this issuer.
fn of_issuer(issuer: &str) -> [(&'static str, bool, Vec<u8>); 1] {
    [(oid::CERTIFICATE_ISSUER, true, der::sequence(&[&directory(issuer)]))]
}

const SERIAL: [u8; 4] = [0x11, 0x22, 0x33, 0x44];

#[test]
fn an_indirect_list_of_the_own_issuer_counts_like_any() {
    let publisher = Publisher::new();
    let crl = |crl: TestCrl| crl.sign(&publisher.pki.issuing);
    assert_eq!(publisher.errors(server(), &[&crl(indirect())]), GOOD);
    assert_eq!(publisher.errors(server(), &[&crl(indirect().entry_of(&SERIAL, &[]))]), ["revoked"]);
    // 4.14.25: the serial number under another issuer is another certificate.
    let other = crl(indirect().entry_of(&SERIAL, &of_issuer("Somebody else")));
    assert_eq!(publisher.errors(server(), &[&other]), GOOD);
}

#[test]
fn an_indirect_list_counts_for_certificates_that_name_its_issuer() {
    let publisher = Publisher::new();
    let leaf = || pointing(server(), &[&crl_issuer("Lists")]);
    let sound = indirect().sign(&publisher.crls);
    assert_eq!(publisher.errors(leaf(), &[&sound]), GOOD);
    assert_eq!(publisher.errors(server(), &[&sound]), UNKNOWN);
    let revoking = indirect().entry_of(&SERIAL, &of_issuer("Issuing CA")).sign(&publisher.crls);
    assert_eq!(publisher.errors(leaf(), &[&revoking]), ["revoked"]);
    // The issuer of an entry is that of the entries after it, until another is named.
    let following = || indirect().entry_of(&[7], &of_issuer("Issuing CA")).entry_of(&SERIAL, &[]);
    assert_eq!(publisher.errors(leaf(), &[&following().sign(&publisher.crls)]), ["revoked"]);
    let changed = indirect().entry_of(&[7], &of_issuer("Issuing CA")).entry_of(&SERIAL, &of_issuer("Else"));
    assert_eq!(publisher.errors(leaf(), &[&changed.sign(&publisher.crls)]), GOOD);
    let own = indirect().entry_of(&SERIAL, &[]).sign(&publisher.crls);
    assert_eq!(publisher.errors(leaf(), &[&own]), GOOD);
    // 4.14.26, 4.14.27: another issuer, and a CRL that is not marked as indirect.
    assert_eq!(publisher.errors(pointing(server(), &[&crl_issuer("Nobody")]), &[&sound]), UNKNOWN);
    assert_eq!(publisher.errors(leaf(), &[&TestCrl::new().sign(&publisher.crls)]), UNKNOWN);
    let unmarked = TestCrl::new().entry_of(&SERIAL, &of_issuer("Else")).sign(&publisher.pki.issuing);
    assert_eq!(publisher.errors(server(), &[&unmarked]), ["crl-unusable"]);
    let unreadable = [(oid::CERTIFICATE_ISSUER, true, vec![5, 0])];
    let unreadable = indirect().entry_of(&[7], &unreadable).sign(&publisher.pki.issuing);
    assert_eq!(publisher.errors(server(), &[&unreadable]), ["crl-unusable"]);
}

#[test]
fn what_an_indirect_list_revokes_stays_revoked_beside_a_list_of_the_own_issuer() {
    let publisher = Publisher::new();
    let leaf = pointing(server(), &[&crl_issuer("Lists")]);
    let own = TestCrl::new().sign(&publisher.pki.issuing);
    let revoking = indirect().entry_of(&SERIAL, &of_issuer("Issuing CA")).sign(&publisher.crls);
    assert_eq!(publisher.errors(leaf, &[&own, &revoking]), ["revoked"]);
}

#[test]
fn the_issuer_of_an_indirect_list_needs_a_path_to_the_same_anchor_and_a_sound_status() {
    let publisher = Publisher::new();
    let leaf = || pointing(server(), &[&crl_issuer("Lists")]);
    let other_ca = TestCa::self_signed(signs_lists("Lists"));
    let of_other_ca = indirect().sign(&other_ca);
    let chain = [&publisher.pki.issuing.certificate, &other_ca.certificate];
    let of_root = TestCrl::new().sign(&publisher.pki.root);
    let roots = [&publisher.pki.root.certificate];
    let crls = [&of_root, &of_other_ca];
    let issued = || publisher.pki.issuing.issue(leaf());
    assert_eq!(Case::new(issued(), &chain, &roots).crls(&crls).errors(), ["crl-unusable"]);
    // Trusted for itself, but not the anchor of this path (RFC 5280 §6.3.3 (f)).
    let both = [&publisher.pki.root.certificate, &other_ca.certificate];
    assert_eq!(Case::new(issued(), &chain, &both).crls(&crls).errors(), ["crl-unusable"]);
    let sound = indirect().sign(&publisher.crls);
    let chain = [&publisher.pki.issuing.certificate, &publisher.crls.certificate];
    let revoked = TestCrl::new().entry_of(&[9], &[]).sign(&publisher.pki.root);
    assert_eq!(Case::new(issued(), &chain, &roots).crls(&[&revoked, &sound]).errors(), ["crl-unusable"]);
    for cert in [
        signs_lists("Lists").key_usage(KeyUsage::DIGITAL_SIGNATURE),
        signs_lists("Lists").extension("1.2.3.4", true, vec![5, 0]),
        signs_lists("Lists")
            .validity(time::macros::datetime!(2020-01-01 0:00 UTC), time::macros::datetime!(2021-01-01 0:00 UTC)),
    ] {
        let unfit = publisher.pki.root.subordinate(cert);
        let chain = [&publisher.pki.issuing.certificate, &unfit.certificate];
        let crl = indirect().sign(&unfit);
        assert_eq!(Case::new(issued(), &chain, &roots).crls(&[&of_root, &crl]).errors(), ["crl-unusable"]);
    }
}

#[test]
fn names_of_points_match_in_every_form() {
    let publisher = Publisher::new();
    let full = |text: &str| full_name(&directory(text));
    let below = |issuer: &str, relative: &str| {
        let attribute = |text: &str| {
            der::value(der::SET, &der::sequence(&[&[6, 3, 0x55, 4, 3], &der::value(der::UTF8_STRING, text.as_bytes())]))
        };
        full_name(&der::value(0xa4, &der::sequence(&[&attribute(issuer), &attribute(relative)])))
    };
    let own = |scope: &[u8]| TestCrl::new().scope(&[scope]).sign(&publisher.pki.issuing);
    let case = |point: &[u8], scope: &[u8]| publisher.errors(pointing(server(), &[point]), &[&own(scope)]);
    assert_eq!(case(&full("P"), &full("P")), GOOD);
    assert_eq!(case(&full("P"), &full(" p ")), GOOD);
    assert_eq!(case(&full("P"), &full("Q")), UNKNOWN);
    assert_eq!(case(&relative_name("P"), &relative_name("P")), GOOD);
    assert_eq!(case(&relative_name("P"), &below("Issuing CA", "P")), GOOD);
    assert_eq!(case(&below("Issuing CA", "P"), &relative_name("P")), GOOD);
    assert_eq!(case(&relative_name("P"), &relative_name("Q")), UNKNOWN);
    // A point that only has reasons or an issuer has no name of its own.
    assert_eq!(case(&[], &full("P")), UNKNOWN);
    // 4.14.10, and the end of §6.3.3: the name of the issuer is a point of every certificate.
    assert_eq!(
        publisher.errors(pointing(server(), &[&full("P")]), &[&TestCrl::new().sign(&publisher.pki.issuing)]),
        GOOD
    );
    assert_eq!(publisher.errors(server(), &[&own(&full("Issuing CA"))]), GOOD);
    // 4.14.28, 4.14.29: relative to the issuer of the CRL.
    let scoped = |name: &[u8]| TestCrl::new().scope(&[name, &INDIRECT]).sign(&publisher.crls);
    let leaf = |fields: &[&[u8]]| pointing(server(), fields);
    let of_lists = crl_issuer("Lists");
    assert_eq!(publisher.errors(leaf(&[&relative_name("P"), &of_lists]), &[&scoped(&below("Lists", "P"))]), GOOD);
    assert_eq!(publisher.errors(leaf(&[&relative_name("P"), &of_lists]), &[&scoped(&relative_name("P"))]), GOOD);
    assert_eq!(publisher.errors(leaf(&[&relative_name("P"), &of_lists]), &[&scoped(&relative_name("Q"))]), UNKNOWN);
    // (b) (2) (i): a point without a name is met by the name of its CRL issuer.
    assert_eq!(publisher.errors(leaf(&[&of_lists]), &[&scoped(&full("Lists"))]), GOOD);
    assert_eq!(publisher.errors(leaf(&[&of_lists]), &[&scoped(&full("P"))]), UNKNOWN);
}

/// RFC 5280 §6.3.3 (b) (1): the name and the CRL issuer of one point belong together.
#[test]
fn a_list_covers_a_point_only_as_its_issuer_says() {
    let publisher = Publisher::new();
    let point = |at: &str, issuer: &[u8]| der::sequence(&[&full_name(&directory(at)), issuer]);
    let leaf = |points: &[&[u8]]| server().extension(oid::CRL_DISTRIBUTION_POINTS, false, der::sequence(points));
    let of_lists = TestCrl::new().scope(&[&full_name(&directory("P")), &INDIRECT]).sign(&publisher.crls);
    let at_q = point("Q", &crl_issuer("Lists"));
    assert_eq!(publisher.errors(leaf(&[&point("P", &crl_issuer("Lists")), &at_q]), &[&of_lists]), GOOD);
    assert_eq!(publisher.errors(leaf(&[&point("P", &[]), &at_q]), &[&of_lists]), UNKNOWN);
    assert_eq!(publisher.errors(leaf(&[&point("P", &crl_issuer("Others")), &at_q]), &[&of_lists]), UNKNOWN);
    // A point with a CRL issuer requires an indirect CRL, also of the certificate's own issuer.
    let own = |fields: &[&[u8]]| TestCrl::new().scope(fields).sign(&publisher.pki.issuing);
    let named = leaf(&[&point("P", &crl_issuer("Issuing CA"))]);
    assert_eq!(publisher.errors(named, &[&own(&[&full_name(&directory("P"))])]), UNKNOWN);
    let named = leaf(&[&point("P", &crl_issuer("Issuing CA"))]);
    assert_eq!(publisher.errors(named, &[&own(&[&full_name(&directory("P")), &INDIRECT])]), GOOD);
}

#[test]
fn a_list_for_other_kinds_of_certificates_covers_nothing_here() {
    let pki = TestPki::new();
    let (of_users, of_issuing) = (TestCrl::new().scope(&[&[0x81, 1, 0xff]]), TestCrl::new().sign(&pki.issuing));
    let of_users = of_users.sign(&pki.root);
    assert_eq!(pki.case(server()).crls(&[&of_users, &of_issuing]).errors(), UNKNOWN);
}

/// Who may sign in whose name (RFC 5280 §6.3.3 (f)).
#[test]
fn nobody_signs_lists_in_the_name_of_another() {
    let publisher = Publisher::new();
    let (issuing, crls) = (&publisher.pki.issuing, &publisher.crls);
    let in_name_of_issuing = TestCrl::new().sign_as(issuing.certificate.subject.as_der(), crls);
    assert_eq!(publisher.errors(server(), &[&in_name_of_issuing]), ["crl-unusable"]);
    let in_name_of_lists = indirect().sign_as(crls.certificate.subject.as_der(), issuing);
    assert_eq!(publisher.errors(pointing(server(), &[&crl_issuer("Lists")]), &[&in_name_of_lists]), ["crl-unusable"]);
    // A CRL of another issuer does not remove a hold.
    let held = TestCrl::new().revoke(6).sign(issuing);
    let elsewhere = indirect().number(2).sign(crls);
    let leaf = pointing(server(), &[&crl_issuer("Lists")]);
    assert_eq!(publisher.errors(leaf, &[&held, &elsewhere]), ["revoked"]);
    let held = indirect().revoke(6).sign(issuing);
    for (number, newer, expected) in [(2, issuing, &[][..]), (2, crls, &["revoked"])] {
        let leaf = pointing(server(), &[&crl_issuer("Lists")]);
        let newer = indirect().number(number).sign(newer);
        assert_eq!(publisher.errors(leaf, &[&held, &newer]), expected);
    }
    // A sound path to another anchor, which is trusted too.
    let other = TestCa::self_signed(TestCert::ca("Other Root"));
    let of_other = other.subordinate(signs_lists("Lists"));
    let of_root = TestCrl::new().sign(&publisher.pki.root);
    let crl = indirect().sign(&of_other);
    let chain = [&issuing.certificate, &of_other.certificate];
    let anchors = [&publisher.pki.root.certificate, &other.certificate];
    let leaf = issuing.issue(pointing(server(), &[&crl_issuer("Lists")]));
    let (of_anchor, empty) = (TestCrl::new().sign(&other), &of_root);
    assert_eq!(Case::new(leaf, &chain, &anchors).crls(&[empty, &of_anchor, &crl]).errors(), ["crl-unusable"]);
}

#[test]
fn reasons_are_those_of_the_list_and_of_the_point() {
    let publisher = Publisher::new();
    let point = |reasons: &[u8]| der::sequence(&[&full_name(&directory("P")), reasons]);
    let leaf = |points: &[&[u8]]| server().extension(oid::CRL_DISTRIBUTION_POINTS, false, der::sequence(points));
    let key_compromise = [0x81, 2, 6, 0x40];
    let crl = TestCrl::new().scope(&[&full_name(&directory("P"))]).sign(&publisher.pki.issuing);
    assert_eq!(publisher.errors(leaf(&[&point(&[])]), &[&crl]), GOOD);
    assert_eq!(publisher.errors(leaf(&[&point(&key_compromise)]), &[&crl]), UNKNOWN);
    let others = der::sequence(&[&full_name(&directory("Q")), &[0x81, 3, 7, 0x3f, 0x80]]);
    let of_others = TestCrl::new().scope(&[&full_name(&directory("Q"))]).sign(&publisher.pki.issuing);
    assert_eq!(publisher.errors(leaf(&[&point(&key_compromise), &others]), &[&crl, &of_others]), GOOD);
}

#[test]
fn a_serial_that_is_listed_out_of_scope_is_revoked_all_the_same() {
    let publisher = Publisher::new();
    let sound = TestCrl::new().sign(&publisher.pki.issuing);
    let elsewhere = TestCrl::new().number(2).scope(&[&full_name(&directory("P"))]).revoke(1);
    let elsewhere = elsewhere.sign(&publisher.pki.issuing);
    assert_eq!(publisher.errors(server(), &[&sound, &elsewhere]), ["revoked"]);
}

#[test]
fn a_list_that_says_nothing_is_named_beside_a_yes() {
    let pki = TestPki::new();
    let (of_root, sound) = (TestCrl::new().sign(&pki.root), TestCrl::new().sign(&pki.issuing));
    let expired = TestCrl::new().next_update(Some(super::NOW)).sign(&pki.issuing);
    let for_cas = TestCrl::new().scope(&[&[0x82, 1, 0xff]]).sign(&pki.issuing);
    let verdict = pki.case(server()).crls(&[&of_root, &sound, &expired, &for_cas]).verify();
    assert!(verdict.valid);
    let codes: Vec<_> = verdict.problems.iter().map(|problem| problem.code).collect();
    assert_eq!(codes, ["crl-expired", "revocation-unknown"]);
}

#[test]
fn a_signer_of_lists_may_stand_on_its_own_list_but_not_on_one_that_revokes_it() {
    // 4.14.30: the certificate of the signer is covered by the CRLs that it signs.
    let root = TestCa::root();
    let issuing = root.subordinate(TestCert::ca("Issuing CA"));
    let signer = issuing.subordinate(signs_lists("Issuing CA"));
    let case = |crl: TestCrl| {
        let (of_root, crl) = (TestCrl::new().sign(&root), crl.sign(&signer));
        let chain = [&issuing.certificate, &signer.certificate];
        Case::new(issuing.issue(server()), &chain, &[&root.certificate]).crls(&[&of_root, &crl]).errors()
    };
    assert_eq!(case(TestCrl::new()), GOOD);
    assert_eq!(case(TestCrl::new().revoke(1)), ["revoked"]);
    assert_eq!(case(TestCrl::new().entry_of(&[9], &[])), ["crl-unusable"]);
}

/// A CRL for the leaf by `Lists 1`, whose own status is in a CRL of `Lists 2`, and so on; the last is in a CRL of the
/// root.
fn errors_with_signers_behind_each_other(signers: u8) -> Vec<&'static str> {
    let root = TestCa::root();
    let issuing = root.subordinate(TestCert::ca("Issuing CA"));
    let called = |number: u8| format!("Lists {number}");
    let certified = |number: u8| {
        let cert = signs_lists(&called(number)).serial(&[number]);
        let next = crl_issuer(&called(number + 1));
        let point = if number < signers { next } else { full_name(&directory("P")) };
        root.subordinate(pointing(cert, &[&point]))
    };
    let signing: Vec<TestCa> = (1..=signers).map(certified).collect();
    // Of certificates that are not CAs, the CRLs of the root cover the last one only.
    let for_cas = TestCrl::new().scope(&[&[0x82, 1, 0xff]]).sign(&root);
    let for_last = TestCrl::new().scope(&[&full_name(&directory("P"))]).sign(&root);
    let crls: Vec<_> = signing.iter().map(|signer| indirect().sign(signer)).collect();
    let all: Vec<_> = [&for_cas, &for_last].into_iter().chain(&crls).collect();
    let chain: Vec<_> = [&issuing.certificate].into_iter().chain(signing.iter().map(|it| &it.certificate)).collect();
    let leaf = issuing.issue(pointing(server(), &[&crl_issuer(&called(1))]));
    Case::new(leaf, &chain, &[&root.certificate]).crls(&all).errors()
}

#[test]
fn signers_of_lists_are_followed_to_a_bounded_depth() {
    for signers in 1..=3 {
        assert_eq!(errors_with_signers_behind_each_other(signers), GOOD, "{signers}");
    }
    assert_eq!(errors_with_signers_behind_each_other(4), ["crl-unusable"]);
}

#[test]
fn the_name_of_the_anchor_makes_nobody_a_signer_of_its_lists() {
    let pki = TestPki::new();
    let impostor = TestCa::self_signed(TestCert::ca("Test Root"));
    let of_issuing = TestCrl::new().sign(&pki.issuing);
    let of_impostor = TestCrl::new().sign(&impostor);
    assert_eq!(impostor.certificate.subject, pki.root.certificate.subject);
    let chain = [&pki.issuing.certificate, &impostor.certificate];
    let case = |anchors: &[&Certificate]| {
        let leaf = pki.issuing.issue(server());
        Case::new(leaf, &chain, anchors).crls(&[&of_issuing, &of_impostor]).errors()
    };
    assert_eq!(case(&[&pki.root.certificate]), ["crl-unusable"]);
    // The anchor under another key: trusted itself.
    assert_eq!(case(&[&pki.root.certificate, &impostor.certificate]), GOOD);
}

#[test]
fn a_list_with_a_scope_that_is_not_marked_as_indirect_is_told_as_such() {
    let publisher = Publisher::new();
    let pki = &publisher.pki;
    let at_p = TestCrl::new().scope(&[&full_name(&directory("P"))]).sign(&publisher.crls);
    let (of_root, chain) = (TestCrl::new().sign(&pki.root), [&pki.issuing.certificate, &publisher.crls.certificate]);
    let leaf = pki.issuing.issue(pointing(server(), &[&full_name(&directory("P")), &crl_issuer("Lists")]));
    let verdict = Case::new(leaf, &chain, &[&pki.root.certificate]).crls(&[&of_root, &at_p]).verify();
    let messages: Vec<_> = verdict.problems.iter().map(|problem| problem.message.as_str()).collect();
    assert!(messages.iter().any(|message| message.contains("not marked as indirect")), "{messages:?}");
}

#[test]
fn no_number_of_lists_and_signers_costs_more_than_its_bound() {
    let root = TestCa::root();
    let issuing = root.subordinate(TestCert::ca("Issuing CA"));
    let signers: Vec<_> =
        (1..=40).map(|serial| root.subordinate(signs_lists("Issuing CA").serial(&[serial]))).collect();
    let other_ca = TestCa::root();
    let crls: Vec<_> =
        (1..=40).map(|number| TestCrl::new().number(number).sign_as(&name("Issuing CA"), &other_ca)).collect();
    let chain: Vec<_> = [&issuing.certificate].into_iter().chain(signers.iter().map(|it| &it.certificate)).collect();
    let of_root = TestCrl::new().sign(&root);
    let all: Vec<_> = [&of_root].into_iter().chain(&crls).collect();
    let case = Case::new(issuing.issue(server()), &chain, &[&root.certificate]).crls(&all);
    let (verdict, budget) = case.verify_and_count();
    assert!(!verdict.valid);
    let [_, crl_signatures, ..] = budget.spent();
    assert_eq!(crl_signatures, crate::verify::budget::MOST_CRL_SIGNATURES);
    assert!(
        verdict.problems.iter().any(|problem| problem.message.contains("too many lists")),
        "{:?}",
        verdict.problems
    );
}
