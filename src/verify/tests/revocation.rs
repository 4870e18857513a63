//! CRLs of every kind for one chain.

use time::macros::datetime;
use time::{Duration, OffsetDateTime};

use super::{Case, TestPki, server};
use crate::keys::Signer;
use crate::lint::Severity;
use crate::lint::testing::{NOW, TestCa, TestCert, name, object_identifier};
use crate::x509::certificate::oid;
use crate::x509::{Crl, KeyUsage, der, validity};

/// A CRL to be signed: current and empty until a field is changed.
pub(super) struct TestCrl {
    this_update: OffsetDateTime,
    next_update: Option<OffsetDateTime>,
    entries: Vec<Vec<u8>>,
    extensions: Vec<(&'static str, bool, Vec<u8>)>,
    inner_algorithm: Option<Vec<u8>>,
}

impl TestCrl {
    pub(super) fn new() -> Self {
        let number = (oid::CRL_NUMBER, false, vec![2, 1, 1]);
        Self {
            this_update: NOW - Duration::DAY,
            next_update: Some(NOW + Duration::days(30)),
            entries: Vec::new(),
            extensions: vec![number],
            inner_algorithm: None,
        }
    }

    pub(super) fn number(self, number: u8) -> Self {
        self.extension(oid::CRL_NUMBER, false, vec![2, 1, number])
    }

    pub(super) fn next_update(mut self, at: Option<OffsetDateTime>) -> Self {
        self.next_update = at;
        self
    }

    pub(super) fn this_update(mut self, at: OffsetDateTime) -> Self {
        self.this_update = at;
        self
    }

    pub(super) fn without(mut self, oid: &str) -> Self {
        self.extensions.retain(|(known, ..)| *known != oid);
        self
    }

    pub(super) fn extension(self, oid: &'static str, critical: bool, value: Vec<u8>) -> Self {
        let mut crl = self.without(oid);
        crl.extensions.push((oid, critical, value));
        crl
    }

    pub(super) fn scope(self, fields: &[&[u8]]) -> Self {
        self.extension(oid::ISSUING_DISTRIBUTION_POINT, true, der::sequence(fields))
    }

    /// The signature algorithm in the signed part.
    fn inner_algorithm(mut self, der: &[u8]) -> Self {
        self.inner_algorithm = Some(der.to_vec());
        self
    }

    pub(super) fn delta(self, base: u8) -> Self {
        self.extension(oid::DELTA_CRL_INDICATOR, true, vec![2, 1, base])
    }

    pub(super) fn revoke(self, reason: u8) -> Self {
        self.entry(&[(oid::REASON_CODE, false, vec![10, 1, reason])])
    }

    /// Lists the serial that every certificate of the test kit has.
    fn entry(self, extensions: &[(&str, bool, Vec<u8>)]) -> Self {
        self.entry_of(&[0x11, 0x22, 0x33, 0x44], extensions)
    }

    pub(super) fn entry_of(mut self, serial: &[u8], extensions: &[(&str, bool, Vec<u8>)]) -> Self {
        let serial = der::value(der::INTEGER, serial);
        let at = validity::time_to_der(datetime!(2026-01-15 12:00 UTC));
        self.entries.push(der::sequence(&[&serial, &at, &encode(extensions)]));
        self
    }

    pub(super) fn sign(self, issuer: &TestCa) -> Crl {
        self.sign_as(issuer.certificate.subject.as_der(), issuer)
    }

    pub(super) fn sign_as(self, name: &[u8], signer: &TestCa) -> Crl {
        let algorithm = signer.key.signature_algorithm().der;
        let parts: Vec<_> = self.entries.iter().map(Vec::as_slice).collect();
        let entries = if parts.is_empty() { Vec::new() } else { der::sequence(&parts) };
        let extensions = match encode(&self.extensions) {
            none if none.is_empty() => none,
            some => der::value(der::context_constructed(0), &some),
        };
        let tbs = der::sequence(&[
            &[2, 1, 1],
            self.inner_algorithm.as_ref().unwrap_or(&algorithm),
            name,
            &validity::time_to_der(self.this_update),
            &self.next_update.map(validity::time_to_der).unwrap_or_default(),
            &entries,
            &extensions,
        ]);
        let signature = der::bit_string(&signer.key.sign(&tbs).unwrap());
        Crl::from_der(&der::sequence(&[&tbs, &algorithm, &signature])).unwrap()
    }
}

fn encode(extensions: &[(&str, bool, Vec<u8>)]) -> Vec<u8> {
    let encoded: Vec<_> = extensions
        .iter()
        .map(|(oid, critical, value)| {
            let critical = if *critical { der::value(der::BOOLEAN, &[0xff]) } else { Vec::new() };
            der::sequence(&[&object_identifier(oid), &critical, &der::value(der::OCTET_STRING, value)])
        })
        .collect();
    match encoded.as_slice() {
        [] => Vec::new(),
        some => der::sequence(&some.iter().map(Vec::as_slice).collect::<Vec<_>>()),
    }
}

/// Returns the errors of the usual leaf with these CRLs of its issuer; the CRL of the root is valid and empty.
fn errors(pki: &TestPki, leaf: TestCert, crls: Vec<Crl>) -> Vec<&'static str> {
    case(pki, leaf, crls).errors()
}

fn case(pki: &TestPki, leaf: TestCert, crls: Vec<Crl>) -> Case {
    let of_root = TestCrl::new().sign(&pki.root);
    let all: Vec<_> = std::iter::once(&of_root).chain(&crls).collect();
    pki.case(leaf).crls(&all)
}

fn of_issuing(pki: &TestPki, crl: TestCrl) -> Vec<Crl> {
    vec![crl.sign(&pki.issuing)]
}

#[test]
fn a_current_list_without_the_serial_is_a_yes_until_it_ends() {
    let pki = TestPki::new();
    let verdict = case(&pki, server(), of_issuing(&pki, TestCrl::new())).verify();
    assert!(verdict.valid, "{:?}", verdict.problems);
    let until = verdict.until.unwrap();
    assert_eq!(until.at, NOW + Duration::days(30));
    assert!(until.what.contains("ca.crl"));
}

#[test]
fn a_listed_serial_is_a_no_with_time_reason_and_list() {
    let pki = TestPki::new();
    let verdict = case(&pki, server(), of_issuing(&pki, TestCrl::new().revoke(1))).verify();
    let message = &verdict.problems[0].message;
    assert_eq!(verdict.problems[0].code, "revoked");
    assert!(message.contains("2026-01-15T12:00:00Z for key-compromise") && message.contains("ca.crl#2"), "{message}");
}

#[test]
fn a_serial_that_a_list_spells_in_more_bytes_is_revoked_all_the_same() {
    let pki = TestPki::new();
    let padded = TestCrl::new().entry_of(&[0, 0, 0x11, 0x22, 0x33, 0x44], &[]);
    assert_eq!(errors(&pki, server(), of_issuing(&pki, padded)), ["revoked"]);
}

#[test]
fn every_list_of_the_issuer_counts_the_expired_one_too() {
    let pki = TestPki::new();
    let expired = TestCrl::new().revoke(1).next_update(Some(NOW - Duration::HOUR)).sign(&pki.issuing);
    let current = TestCrl::new().number(2).sign(&pki.issuing);
    assert_eq!(errors(&pki, server(), vec![current, expired]), ["revoked"]);
}

#[test]
fn without_a_current_list_nothing_is_known() {
    let pki = TestPki::new();
    let unknown = |crl: TestCrl| errors(&pki, server(), of_issuing(&pki, crl));
    assert_eq!(errors(&pki, server(), Vec::new()), ["revocation-unknown"]);
    assert_eq!(unknown(TestCrl::new().next_update(Some(NOW))), ["crl-expired"]);
    assert_eq!(unknown(TestCrl::new().next_update(None)), ["crl-unusable"]);
    assert_eq!(unknown(TestCrl::new().this_update(NOW + Duration::HOUR)), ["crl-unusable"]);
    assert_eq!(unknown(TestCrl::new().without(oid::CRL_NUMBER)), ["crl-unusable"]);
    assert_eq!(unknown(TestCrl::new().extension("1.3.6.1.4.1.99999.1", true, vec![5, 0])), ["crl-unusable"]);
    assert_eq!(unknown(TestCrl::new().scope(&[&[0x84, 1, 1]])), ["revocation-unknown"]);
    let of_another = [("1.3.6.1.4.1.99999.1", true, vec![5, 0])];
    assert_eq!(unknown(TestCrl::new().entry_of(&[7], &of_another)), ["crl-unusable"]);
    const ED25519: [u8; 7] = [0x30, 5, 6, 3, 0x2b, 0x65, 0x70];
    assert_eq!(unknown(TestCrl::new().inner_algorithm(&ED25519)), ["crl-unusable"]);
    let foreign_entry = TestCrl::new().entry(&[("1.3.6.1.4.1.99999.1", true, vec![5, 0])]);
    assert_eq!(unknown(foreign_entry), ["revoked"]);
}

#[test]
fn a_list_of_a_stranger_or_without_crl_sign_counts_for_nothing() {
    let pki = TestPki::new();
    let other_ca = TestCa::root();
    let forged = TestCrl::new().sign_as(pki.issuing.certificate.subject.as_der(), &other_ca);
    assert_eq!(errors(&pki, server(), vec![forged.clone()]), ["crl-unusable"]);
    let sound = TestCrl::new().sign(&pki.issuing);
    assert_eq!(errors(&pki, server(), vec![forged, sound]), [""; 0]);
    let silent = TestPki::with(TestCert::ca("Issuing CA").key_usage(KeyUsage::KEY_CERT_SIGN));
    assert_eq!(errors(&silent, server(), of_issuing(&silent, TestCrl::new())), ["crl-unusable"]);
}

#[test]
fn a_list_of_limited_scope_covers_only_that() {
    let pki = TestPki::new();
    let with = |fields: &[&[u8]]| errors(&pki, server(), of_issuing(&pki, TestCrl::new().scope(fields)));
    assert_eq!(with(&[&[0x81, 1, 0xff]]), [""; 0]);
    assert_eq!(with(&[&[0x82, 1, 0xff]]), ["revocation-unknown"]);
    assert_eq!(with(&[&[0x85, 1, 0xff]]), ["revocation-unknown"]);
    assert_eq!(with(&[&[0x84, 1, 0xff]]), [""; 0]);
    assert_eq!(with(&[&[0x83, 2, 6, 0x40]]), ["revocation-unknown"]);
    let some = TestCrl::new().scope(&[&[0x83, 2, 6, 0x40]]).sign(&pki.issuing);
    let others = TestCrl::new().scope(&[&[0x83, 3, 7, 0x3f, 0x80]]).sign(&pki.issuing);
    assert_eq!(errors(&pki, server(), vec![some, others]), [""; 0]);
}

/// RFC 5280 §5.2.5: CRLs for CAs and CRLs for users together cover the certificates of a chain.
#[test]
fn lists_for_cas_and_for_users_cover_a_chain_together() {
    let pki = TestPki::new();
    let (for_users, for_cas) = (&[0x81, 1, 0xff][..], &[0x82, 1, 0xff][..]);
    for (of_root, of_issuing, expected) in [
        (for_cas, for_users, &[][..]),
        (for_users, for_users, &["revocation-unknown"]),
        (for_cas, for_cas, &["revocation-unknown"]),
        // Indirect, and so for every kind.
        (&[0x84, 1, 0xff], &[0x84, 1, 0xff], &[]),
    ] {
        let of_root = TestCrl::new().scope(&[of_root]).sign(&pki.root);
        let of_issuing = TestCrl::new().scope(&[of_issuing]).sign(&pki.issuing);
        assert_eq!(pki.case(server()).crls(&[&of_root, &of_issuing]).errors(), expected);
    }
}

/// RFC 5280 §5.2: extensions that are not critical may be ignored; §5.3.3: only indirect CRLs have entries of other
/// issuers.
#[test]
fn a_list_is_usable_with_what_is_not_critical_and_not_with_entries_for_others() {
    let pki = TestPki::new();
    let with = |crl: TestCrl| errors(&pki, server(), of_issuing(&pki, crl));
    let unknown = |critical| TestCrl::new().extension("1.3.6.1.4.1.99999.1", critical, vec![5, 0]);
    assert_eq!(with(unknown(false)), [""; 0]);
    assert_eq!(with(unknown(true)), ["crl-unusable"]);
    let other = der::sequence(&[&der::value(0xa4, &name("Somebody else"))]);
    let of_other = || TestCrl::new().entry_of(&[7], &[(oid::CERTIFICATE_ISSUER, true, other.clone())]);
    assert_eq!(with(of_other().scope(&[&[0x81, 1, 0xff]])), ["crl-unusable"]);
    assert_eq!(with(of_other().scope(&[&[0x84, 1, 0xff]])), [""; 0]);
}

/// The signature of the CRL is right, or may be: nothing here can tell.
#[test]
fn a_signature_that_is_not_supported_is_not_called_that_of_another_key() {
    let pki = TestPki::new();
    let sound = TestCrl::new().sign(&pki.issuing);
    // ecdsa-with-SHA256 becomes ecdsa-with-SHA224, in both places.
    let mut bytes = sound.as_der().to_vec();
    let sha256 = [0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2];
    let places: Vec<_> = (0..bytes.len()).filter(|at| bytes[*at..].starts_with(&sha256)).collect();
    assert_eq!(places.len(), 2);
    for at in places {
        bytes[at + 7] = 1;
    }
    let over_sha224 = Crl::from_der(&bytes).unwrap();
    let first = |crl: Crl| case(&pki, server(), vec![crl]).verify().problems.remove(0);
    let problem = first(over_sha224);
    assert_eq!(problem.code, "crl-unusable");
    assert!(problem.message.contains("cannot be checked: it is signed with ecdsa-with-SHA224"), "{}", problem.message);
    // An RSA key has made no signature with ECDSA: that is a clear no.
    let rsa = TestCa::self_signed(TestCert::ca("Issuing CA").algorithm(crate::x509::KeyAlgorithm::Rsa2048));
    let problem = first(TestCrl::new().sign_as(pki.issuing.certificate.subject.as_der(), &rsa));
    assert!(problem.message.contains("is not signed with a key of"), "{}", problem.message);
}

#[test]
fn what_the_lists_leave_open_is_said() {
    let pki = TestPki::new();
    let message = |crl: TestCrl| case(&pki, server(), of_issuing(&pki, crl)).verify().problems[0].message.clone();
    assert!(message(TestCrl::new().scope(&[&[0x83, 2, 6, 0x40]])).ends_with("do not cover every reason"));
    assert!(message(TestCrl::new().delta(1)).contains("is a delta CRL"));
    let none = case(&pki, server(), Vec::new()).verify().problems[0].message.clone();
    assert_eq!(none, "no CRL of CN=Issuing CA was given: ca.crl#1 is of CN=Test Root");
    let other_ca = TestCrl::new().sign_as(pki.issuing.certificate.subject.as_der(), &TestCa::root());
    let forged = case(&pki, server(), vec![other_ca]).verify().problems[0].message.clone();
    assert!(forged.contains("is not signed with a key of"), "{forged}");
    let revoked = pki.root.subordinate(TestCert::leaf("Issuing CA").key_usage(KeyUsage::CRL_SIGN).serial(&[9]));
    let of_root = TestCrl::new().entry_of(&[9], &[]).sign(&pki.root);
    let of_issuing = TestCrl::new().sign(&revoked);
    let chain = [&pki.issuing.certificate, &revoked.certificate];
    let case = Case::new(pki.issuing.issue(server()), &chain, &[&pki.root.certificate]);
    let unfit = case.crls(&[&of_root, &of_issuing]).verify().problems[0].message.clone();
    assert!(unfit.contains("must not sign CRLs, or is revoked"), "{unfit}");
}

/// A CRL that neither covers nor lists a certificate is skipped before its signature is checked.
#[test]
fn a_list_beyond_the_certificate_costs_no_signature() {
    let pki = TestPki::new();
    let attributes = TestCrl::new().scope(&[&[0x85, 1, 0xff]]).sign(&pki.issuing);
    let (_, budget) = case(&pki, server(), vec![attributes]).verify_and_count();
    assert_eq!(budget.spent()[1], 1, "that of the root's list alone");
}

#[test]
fn a_list_of_a_distribution_point_covers_certificates_that_name_the_point() {
    let pki = TestPki::new();
    let name = |url: &[u8]| der::value(0xa0, &der::value(0xa0, &der::value(der::context(6), url)));
    let pointing = |url: &[u8]| {
        server().extension(oid::CRL_DISTRIBUTION_POINTS, false, der::sequence(&[&der::sequence(&[&name(url)])]))
    };
    let crls = || of_issuing(&pki, TestCrl::new().scope(&[&name(b"http://ca.test/1")]));
    assert_eq!(errors(&pki, pointing(b"http://ca.test/1"), crls()), [""; 0]);
    assert_eq!(errors(&pki, pointing(b"http://ca.test/2"), crls()), ["revocation-unknown"]);
    assert_eq!(errors(&pki, server(), crls()), ["revocation-unknown"]);
}

#[test]
fn a_delta_adds_to_its_base_and_lifts_a_hold() {
    let pki = TestPki::new();
    let base = || TestCrl::new().sign(&pki.issuing);
    let held = || TestCrl::new().revoke(6).sign(&pki.issuing);
    let delta = |reason: u8| TestCrl::new().number(2).delta(1).revoke(reason).sign(&pki.issuing);
    assert_eq!(errors(&pki, server(), vec![delta(8)]), ["revocation-unknown"]);
    assert_eq!(errors(&pki, server(), vec![base(), delta(1)]), ["revoked"]);
    assert_eq!(errors(&pki, server(), vec![held()]), ["revoked"]);
    let chain = |crls: Vec<Crl>| errors(&pki, server(), crls);
    assert_eq!(chain(vec![held(), delta(8)]), [""; 0]);
    let newer = TestCrl::new().number(2).sign(&pki.issuing);
    assert_eq!(chain(vec![held(), newer]), [""; 0]);
    // §5.3.1: a complete CRL does not list a certificate that is removed from it.
    let complete = || TestCrl::new().revoke(8).sign(&pki.issuing);
    assert_eq!(chain(vec![complete()]), ["crl-unusable"]);
    assert_eq!(chain(vec![complete(), base()]), [""; 0]);
}

/// RFC 5280 §5.3.1: only a newer CRL of the same kind removes a hold.
#[test]
fn a_hold_is_lifted_by_nothing_but_a_newer_list_of_the_same_issuer_and_scope() {
    let pki = TestPki::new();
    let held = || TestCrl::new().revoke(6).sign(&pki.issuing);
    let beside = |crl: TestCrl| errors(&pki, server(), vec![held(), crl.sign(&pki.issuing)]);
    assert_eq!(beside(TestCrl::new().number(2)), [""; 0]);
    let other_key = der::sequence(&[&der::value(0x80, &[7; 20])]);
    let point = der::value(0xa0, &der::value(0xa0, &der::value(0x86, b"http://corp.test/crl")));
    for (what, crl) in [
        ("the same number", TestCrl::new()),
        ("an earlier time", TestCrl::new().number(2).this_update(NOW - Duration::days(2))),
        ("a delta of a later base", TestCrl::new().number(5).delta(3).revoke(8)),
        ("a delta that does not speak of it", TestCrl::new().number(2).delta(1)),
        ("another scope", TestCrl::new().number(2).scope(&[&point])),
        ("another key", TestCrl::new().number(2).extension(oid::AUTHORITY_KEY_ID, false, other_key)),
        ("expired itself", TestCrl::new().number(2).next_update(Some(NOW))),
        ("held still", TestCrl::new().number(2).revoke(6)),
        ("taken off by a list that is no delta", TestCrl::new().number(2).revoke(8)),
    ] {
        assert_eq!(beside(crl), ["revoked"], "{what}");
    }
    let forged = TestCrl::new().number(2).sign_as(pki.issuing.certificate.subject.as_der(), &TestCa::root());
    assert_eq!(errors(&pki, server(), vec![held(), forged]), ["revoked"]);
}

#[test]
fn of_several_lists_a_yes_rests_on_the_one_that_holds_longest() {
    let pki = TestPki::new();
    let until = |days| TestCrl::new().next_update(Some(NOW + Duration::days(days))).sign(&pki.issuing);
    for crls in [vec![until(20), until(10)], vec![until(10), until(20)]] {
        assert_eq!(case(&pki, server(), crls).verify().until.unwrap().at, NOW + Duration::days(20));
    }
}

#[test]
fn another_anchor_of_the_same_name_signs_lists_when_it_is_sound_itself() {
    let pki = TestPki::new();
    let of_issuing = TestCrl::new().sign(&pki.issuing);
    let past = (datetime!(2020-01-01 0:00 UTC), datetime!(2021-01-01 0:00 UTC));
    let sound = || TestCert::ca("Test Root");
    for (second, expected) in [
        (sound(), &[][..]),
        (sound().validity(past.0, past.1), &["crl-unusable"]),
        (sound().again(oid::SUBJECT_KEY_ID, false, vec![4, 1, 7]), &["crl-unusable"]),
        (sound().key_usage(KeyUsage::KEY_CERT_SIGN), &["crl-unusable"]),
    ] {
        let second = TestCa::self_signed(second);
        let of_root = TestCrl::new().sign(&second);
        let leaf = pki.issuing.issue(server());
        let anchors = [&pki.root.certificate, &second.certificate];
        let case = Case::new(leaf, &[&pki.issuing.certificate], &anchors).crls(&[&of_root, &of_issuing]);
        assert_eq!(case.errors(), expected);
    }
}

/// Whoever calls himself like the anchor is not trusted like it.
#[test]
fn a_stranger_with_the_name_of_the_anchor_signs_no_lists() {
    let pki = TestPki::new();
    let other_ca = TestCa::root();
    let (of_root, of_issuing) = (TestCrl::new().sign(&other_ca), TestCrl::new().sign(&pki.issuing));
    let chain = [&pki.issuing.certificate, &other_ca.certificate];
    let case = Case::new(pki.issuing.issue(server()), &chain, &[&pki.root.certificate]);
    assert_eq!(case.crls(&[&of_root, &of_issuing]).errors(), ["crl-unusable"]);
}

/// Another key of the CA counts with a certificate that a warning is given of, as that of a leaf would.
#[test]
fn a_signer_of_lists_of_which_only_a_warning_is_given_counts() {
    let pki = TestPki::new();
    let signer = TestCert::leaf("Issuing CA").key_usage(KeyUsage::CRL_SIGN).serial(&[0]);
    let signer = pki.root.subordinate(signer);
    let (of_root, crl) = (TestCrl::new().sign(&pki.root), TestCrl::new().sign(&signer));
    let chain = [&pki.issuing.certificate, &signer.certificate];
    let case = Case::new(pki.issuing.issue(server()), &chain, &[&pki.root.certificate]);
    assert_eq!(case.crls(&[&of_root, &crl]).errors(), [""; 0]);
}

#[test]
fn a_list_may_be_signed_with_another_key_of_the_same_ca() {
    let pki = TestPki::new();
    let signer =
        || TestCert::ca("Issuing CA").without(oid::BASIC_CONSTRAINTS).serial(&[9]).key_usage(KeyUsage::CRL_SIGN);
    let second = pki.root.subordinate(signer());
    let leaf = pki.issuing.issue(server());
    let chain = [&pki.issuing.certificate, &second.certificate];
    let (of_root, crl) = (TestCrl::new().sign(&pki.root), TestCrl::new().sign(&second));
    let case = Case::new(leaf.clone(), &chain, &[&pki.root.certificate]);
    assert_eq!(case.crls(&[&of_root, &crl]).errors(), [""; 0]);
    let other_ca = TestCa::self_signed(signer());
    let crl = TestCrl::new().sign(&other_ca);
    let chain = [&pki.issuing.certificate, &other_ca.certificate];
    let case = Case::new(leaf, &chain, &[&pki.root.certificate]);
    assert_eq!(case.crls(&[&of_root, &crl]).errors(), ["crl-unusable"]);
}

#[test]
fn a_ca_that_changed_its_key_signs_lists_with_either() {
    let root = TestCa::root();
    let old = root.subordinate(TestCert::ca("Issuing CA"));
    let new = old.subordinate(TestCert::ca("Issuing CA").serial(&[7]));
    let leaf = new.issue(server());
    let chain = [&old.certificate, &new.certificate];
    let of_root = TestCrl::new().sign(&root);
    for signer in [&old, &new] {
        let (by_old, by_either) = (TestCrl::new().sign(&old), TestCrl::new().number(2).sign(signer));
        let case = Case::new(leaf.clone(), &chain, &[&root.certificate]).crls(&[&of_root, &by_old, &by_either]);
        assert_eq!(case.errors(), [""; 0]);
        let revoking = TestCrl::new().number(2).revoke(1).sign(signer);
        let case = Case::new(leaf.clone(), &chain, &[&root.certificate]).crls(&[&of_root, &by_old, &revoking]);
        assert_eq!(case.errors(), ["revoked"]);
    }
}

/// easy-rsa and `openssl ca` without `crlnumber` write such CRLs, and OpenSSL uses them.
#[test]
fn a_crl_without_a_number_is_used_with_a_warning_and_not_when_strict() {
    let pki = TestPki::new();
    let unnumbered = |crl: TestCrl| case(&pki, server(), of_issuing(&pki, crl.without(oid::CRL_NUMBER)));
    let found = |case: Case| -> Vec<_> {
        case.verify().problems.iter().map(|problem| (problem.code, problem.severity)).collect()
    };
    assert_eq!(found(unnumbered(TestCrl::new())), [("crl-unusable", Severity::Error)]);
    assert_eq!(found(unnumbered(TestCrl::new()).by_clients()), [("crl-without-number", Severity::Warning)]);
    let until = unnumbered(TestCrl::new()).by_clients().verify().until.unwrap();
    assert_eq!(until.at, NOW + Duration::days(30));
    assert_eq!(found(unnumbered(TestCrl::new().revoke(1)).by_clients()), [("revoked", Severity::Error)]);
    // Which CRL a delta CRL adds to, its number says.
    let delta = unnumbered(TestCrl::new().delta(1)).by_clients();
    assert!(found(delta).contains(&("crl-unusable", Severity::Error)));
}

#[test]
fn of_several_faults_of_a_crl_its_end_is_named_first() {
    let pki = TestPki::new();
    let expired = || TestCrl::new().next_update(Some(NOW - Duration::HOUR));
    let messages =
        |case: Case| -> Vec<_> { case.verify().problems.iter().map(|it| (it.code, it.message.clone())).collect() };
    let unnumbered = || case(&pki, server(), of_issuing(&pki, expired().without(oid::CRL_NUMBER)));
    let strict = messages(unnumbered());
    assert!(matches!(&strict[..], [("crl-expired", _), ("crl-unusable", _)]), "{strict:?}");
    assert!(strict[0].1.contains("ca.crl#2 expired at"), "{strict:?}");
    assert!(matches!(&messages(unnumbered().by_clients())[..], [("crl-expired", _)]));
    let unknown = expired().extension("1.3.6.1.4.1.99999.1", true, vec![5, 0]);
    let unknown = messages(case(&pki, server(), of_issuing(&pki, unknown)));
    assert!(matches!(&unknown[..], [("crl-expired", _), ("crl-unusable", _)]), "{unknown:?}");
}

#[test]
fn a_crl_of_another_name_is_named_with_its_issuer() {
    let pki = TestPki::new();
    let message = |crls: Vec<Crl>| {
        let mut problems = case(&pki, server(), crls).verify().problems;
        assert_eq!(problems.iter().map(|it| it.code).collect::<Vec<_>>(), ["revocation-unknown"]);
        (problems[0].message.clone(), problems.remove(0).hint)
    };
    let (of_root, _) = message(Vec::new());
    assert_eq!(of_root, "no CRL of CN=Issuing CA was given: ca.crl#1 is of CN=Test Root");
    // The CA's own key, under a name that is not the CA's; with the key identifier, and without.
    let key_id = pki.issuing.certificate.subject_key_id.clone().unwrap();
    let key_id = der::sequence(&[&der::value(der::context(0), &key_id)]);
    for crl in [TestCrl::new().extension(oid::AUTHORITY_KEY_ID, false, key_id), TestCrl::new()] {
        let (renamed, hint) = message(vec![crl.sign_as(&name("Renamed CA"), &pki.issuing)]);
        assert!(
            renamed.contains("ca.crl#2 is signed with its key, but names CN=Renamed CA as its issuer"),
            "{renamed}"
        );
        assert!(hint.contains("under its own name, CN=Issuing CA"), "{hint}");
    }
    let (stranger, _) = message(vec![TestCrl::new().sign_as(&name("Renamed CA"), &TestCa::root())]);
    assert!(stranger.ends_with("ca.crl#1 is of CN=Test Root, ca.crl#2 is of CN=Renamed CA"), "{stranger}");
    let many: Vec<_> = (0..5).map(|_| TestCrl::new().sign(&pki.root)).collect();
    assert!(message(many).0.ends_with(", and 3 more are of others"));
}
