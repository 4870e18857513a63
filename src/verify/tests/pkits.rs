//! The path validation tests of NIST's PKITS, section by section, as far as they are not in the other files: with
//! certificates of our own, and the letter of each section. Revocation (§4.4, §4.14, §4.15) is in `revocation` and `indirect`.

use time::macros::datetime;

use super::{Case, TestPki, server};
use crate::lint::testing::{NOW, TestCa, TestCert, name, object_identifier};
use crate::x509::certificate::oid;
use crate::x509::name_constraints::Subtree;
use crate::x509::{Certificate, DistinguishedName, GeneralName, KeyUsage, NameConstraints, Validity, der};

const GOOD: [&str; 0] = [];

/// A name of (attribute type `2.5.4.N`, string type, value).
fn spelled(parts: &[(u8, u8, &str)]) -> Vec<u8> {
    let part = |(arc, tag, value): &(u8, u8, &str)| {
        let attribute = der::sequence(&[&[6, 3, 0x55, 4, *arc], &der::value(*tag, value.as_bytes())]);
        der::value(der::SET, &attribute)
    };
    der::sequence(&[&parts.iter().flat_map(part).collect::<Vec<_>>()])
}

const UTF8: u8 = der::UTF8_STRING;
const PRINTABLE: u8 = der::PRINTABLE_STRING;

/// What is said of a leaf whose CA has this subject, and which names its issuer so.
fn chained(subject: &[u8], issuer: &[u8]) -> Vec<&'static str> {
    TestPki::with(TestCert::ca("A").subject(subject)).case(server().issuer(issuer)).errors()
}

#[test]
fn s4_1_signatures_count_for_cas_and_leaves() {
    let root = TestCa::root();
    let altered = root.subordinate(TestCert::ca("A").badly_signed());
    let case = Case::new(altered.issue(server()), &[&altered.certificate], &[&root.certificate]);
    assert_eq!(case.errors(), ["signature-invalid"]);
    assert_eq!(TestPki::new().case(server().badly_signed()).errors(), ["signature-invalid"]);
}

#[test]
fn s4_2_dates_are_read_in_both_forms_and_in_every_century() {
    let case =
        |begin: &[u8], end: &[u8]| TestPki::new().case(server().validity_der(der::sequence(&[begin, end]))).errors();
    let (begin, end) = (&b"\x17\x0d260101000000Z"[..], &b"\x17\x0d270101000000Z"[..]);
    assert_eq!(case(b"\x17\x0d470101120100Z", end), ["not-yet-valid"]);
    // 4.2.3: the year 50 of a UTCTime is 1950.
    assert_eq!(case(b"\x17\x0d500101120100Z", end), GOOD);
    // 4.2.4: a GeneralizedTime before 2050 breaks a rule of form, and can be read all the same.
    assert_eq!(case(b"\x18\x0f20020101120100Z", end), GOOD);
    // 4.2.7: 1999, not 2099.
    assert_eq!(case(b"\x17\x0d980101120100Z", b"\x17\x0d990101120100Z"), ["expired"]);
    assert_eq!(case(begin, b"\x18\x0f20500101120100Z"), GOOD);
    let root = TestCa::root();
    let ca = |from, to| root.subordinate(TestCert::ca("A").validity(from, to));
    let late = ca(datetime!(2047-01-01 12:01 UTC), datetime!(2048-01-01 0:00 UTC));
    let case = Case::new(late.issue(server()), &[&late.certificate], &[&root.certificate]);
    assert_eq!(case.errors(), ["not-yet-valid"]);
}

#[test]
fn s4_3_names_chain_by_what_they_say() {
    let plain = spelled(&[(6, PRINTABLE, "US"), (10, PRINTABLE, "Test Certificates"), (3, PRINTABLE, "Good CA")]);
    let with = |organization: (u8, u8, &str), common_name: (u8, u8, &str)| {
        chained(&plain, &spelled(&[(6, PRINTABLE, "US"), organization, common_name]))
    };
    let (organization, common_name) = ((10, PRINTABLE, "Test Certificates"), (3, PRINTABLE, "Good CA"));
    assert_eq!(with(organization, common_name), GOOD);
    // 4.3.1, 4.3.2: another name, and another order.
    assert_eq!(with(organization, (3, PRINTABLE, "Good CA Root")), ["issuer-not-found"]);
    assert_eq!(with(common_name, organization), ["issuer-not-found"]);
    // 4.3.3 to 4.3.5, 4.3.10, 4.3.11.
    assert_eq!(with((10, PRINTABLE, "Test   Certificates"), (3, PRINTABLE, " Good CA  ")), GOOD);
    assert_eq!(with((10, PRINTABLE, "TEST certificates"), (3, PRINTABLE, "GOOD CA")), GOOD);
    assert_eq!(with((10, UTF8, "Test Certificates"), (3, UTF8, "good  ca")), GOOD);
    let utf8 = |text: &str| spelled(&[(10, UTF8, text)]);
    assert_eq!(chained(&utf8("Prüfstelle"), &utf8("PRÜFSTELLE")), GOOD);
    assert_eq!(chained(&utf8("Prüfstelle"), &utf8("Prufstelle")), ["issuer-not-found"]);
}

#[test]
fn s4_3_6_unique_identifiers_and_s4_3_7_all_attributes_do_not_matter() {
    let pki = TestPki::with(TestCert::ca("A").unique_ids(1, 2));
    assert_eq!(pki.case(server().unique_ids(2, 3)).errors(), GOOD);
    // Qualifier, state, serial number, locality, title, surname, given name, initials, pseudonym, generation.
    let all = [46, 8, 5, 7, 12, 4, 42, 43, 65, 44].map(|arc| (arc, PRINTABLE, "x y"));
    assert_eq!(chained(&spelled(&all), &spelled(&all)), GOOD);
    assert_eq!(chained(&spelled(&all), &spelled(&all[1..])), ["issuer-not-found"]);
}

#[test]
fn s4_5_a_ca_that_changed_its_key_is_reached_through_either_certificate() {
    let old = TestCa::root();
    let new = TestCa::self_signed(TestCert::ca("Test Root"));
    let named = |signer: &TestCa, of: &TestCa| signer.issue(TestCert::ca("Test Root").with_key(&of.key));
    let (new_with_old, old_with_new) = (named(&old, &new), named(&new, &old));
    for (issuer, cross_certificate, anchor) in [(&new, &new_with_old, &old), (&old, &old_with_new, &new)] {
        let case = || Case::new(issuer.issue(server()), &[cross_certificate], &[&anchor.certificate]);
        assert_eq!(case().errors(), GOOD);
        assert!(Case::new(issuer.issue(server()), &[], &[&anchor.certificate]).errors() == ["signature-invalid"]);
        // A self-issued certificate does not count for the path length.
        assert_eq!(case().most(0).errors(), GOOD);
    }
}

/// A chain of CAs below a root, each made by one of `bents`; `leaf` below the last.
fn line(root: TestCert, bents: Vec<TestCert>, leaf: TestCert) -> Vec<&'static str> {
    let root = TestCa::self_signed(root);
    let mut cas: Vec<TestCa> = Vec::new();
    for cert in bents {
        let next = cas.last().unwrap_or(&root).subordinate(cert);
        cas.push(next);
    }
    let chain: Vec<&Certificate> = cas.iter().map(|ca| &ca.certificate).collect();
    Case::new(cas.last().unwrap_or(&root).issue(leaf), &chain, &[&root.certificate]).errors()
}

fn root() -> TestCert {
    TestCert::ca("Root")
}

#[test]
fn s4_6_only_cas_issue_and_path_lengths_are_kept() {
    let below = |ca: TestCert| line(root(), vec![ca], server());
    let no_ca = |critical| TestCert::ca("A").basic_constraints(false, None).critical(oid::BASIC_CONSTRAINTS, critical);
    assert!(below(TestCert::ca("A").without(oid::BASIC_CONSTRAINTS)).contains(&"not-a-ca"));
    assert!(below(no_ca(true)).contains(&"not-a-ca"));
    assert!(below(no_ca(false)).contains(&"not-a-ca"));
    assert_eq!(below(TestCert::ca("A").critical(oid::BASIC_CONSTRAINTS, false)), GOOD);
    // 4.6.5 to 4.6.8: the last certificate does not count, though it is a CA.
    let zero = || TestCert::ca("A").path_length(0);
    assert_eq!(line(root(), vec![zero(), TestCert::ca("B")], server()), ["path-too-long"]);
    assert_eq!(line(root(), vec![zero(), TestCert::ca("B")], TestCert::ca("C")), ["path-too-long"]);
    assert_eq!(line(root(), vec![zero()], server()), GOOD);
    assert_eq!(line(root(), vec![zero()], TestCert::ca("C")), GOOD);
    // 4.6.9 to 4.6.14: the smallest of several counts.
    let six = |lengths: [u8; 3]| {
        let [a, b, c] = lengths;
        let [a, b, c] = [("A", a), ("B", b), ("C", c)].map(|(name, length)| TestCert::ca(name).path_length(length));
        line(root(), vec![a, b, c, TestCert::ca("D")], server())
    };
    assert_eq!(six([6, 0, 0]), ["path-too-long", "path-too-long"]);
    assert_eq!(six([6, 1, 1]), ["path-too-long"]);
    assert_eq!(six([6, 4, 1]), GOOD);
    // 4.6.15 to 4.6.17: self-issued CAs do not count, below any CA.
    let again = || TestCert::ca("A").path_length(0);
    assert_eq!(line(root(), vec![zero(), again()], server()), GOOD);
    assert_eq!(line(root(), vec![zero(), again(), TestCert::ca("B")], server()).len(), 2);
    let one = || TestCert::ca("A").path_length(1);
    let two = || TestCert::ca("B").path_length(0);
    assert_eq!(line(root(), vec![one(), one(), two(), two()], server()), GOOD);
}

#[test]
fn s4_7_the_key_usage_of_a_ca_has_key_cert_sign_critical_or_not() {
    for critical in [true, false] {
        let ca = |usage| TestCert::ca("A").key_usage(usage).critical(oid::KEY_USAGE, critical);
        let refused = ["issuer-without-key-cert-sign"];
        assert_eq!(line(root(), vec![ca(KeyUsage::CRL_SIGN)], server()), refused);
        assert_eq!(line(root(), vec![ca(KeyUsage::KEY_CERT_SIGN)], server()), GOOD);
    }
}

const ANY: &str = "2.5.29.32.0";
const ONE: &str = "2.16.840.1.101.3.2.1.48.1";
const TWO: &str = "2.16.840.1.101.3.2.1.48.2";
const THREE: &str = "2.16.840.1.101.3.2.1.48.3";

fn under(cert: TestCert, policies: &[&str]) -> TestCert {
    let parts: Vec<u8> = policies.iter().flat_map(|policy| der::sequence(&[&object_identifier(policy)])).collect();
    cert.extension(oid::CERTIFICATE_POLICIES, false, der::sequence(&[&parts]))
}

/// `requireExplicitPolicy` and `inhibitPolicyMapping`.
fn constrained(cert: TestCert, explicit: Option<u8>, mapping: Option<u8>) -> TestCert {
    let field =
        |tag: u8, value: Option<u8>| value.map(|value| der::value(der::context(tag), &[value])).unwrap_or_default();
    cert.extension(oid::POLICY_CONSTRAINTS, true, der::sequence(&[&field(0, explicit), &field(1, mapping)]))
}

fn mapped(cert: TestCert, pairs: &[(&str, &str)]) -> TestCert {
    let parts: Vec<u8> = pairs
        .iter()
        .flat_map(|(from, to)| der::sequence(&[&object_identifier(from), &object_identifier(to)]))
        .collect();
    cert.extension(oid::POLICY_MAPPINGS, true, der::sequence(&[&parts]))
}

fn without_any(cert: TestCert, skip: u8) -> TestCert {
    cert.extension(oid::INHIBIT_ANY_POLICY, true, vec![2, 1, skip])
}

const NO: [&str; 1] = ["policy-not-satisfied"];

#[test]
fn s4_8_one_policy_holds_from_top_to_bottom_where_it_is_demanded() {
    let demanding = |policies: &[&str]| under(constrained(TestCert::ca("A"), Some(0), None), policies);
    assert_eq!(line(root(), vec![demanding(&[ONE])], under(server(), &[ONE])), GOOD);
    assert_eq!(line(root(), vec![demanding(&[ONE])], server()), NO);
    assert_eq!(line(root(), vec![demanding(&[ONE])], under(server(), &[TWO])), NO);
    assert_eq!(line(root(), vec![demanding(&[ONE, TWO])], under(server(), &[TWO, THREE])), GOOD);
    assert_eq!(line(root(), vec![demanding(&[ANY])], under(server(), &[ANY])), GOOD);
    assert_eq!(line(root(), vec![demanding(&[ANY])], under(server(), &[ONE])), GOOD);
    let middle = |policies: &[&str]| under(TestCert::ca("B"), policies);
    assert_eq!(line(root(), vec![demanding(&[ONE]), middle(&[TWO])], under(server(), &[ONE])), NO);
    assert_eq!(line(root(), vec![demanding(&[ONE]), TestCert::ca("B")], under(server(), &[ONE])), NO);
    assert_eq!(line(root(), vec![demanding(&[ONE]), middle(&[ONE, TWO])], under(server(), &[ONE])), GOOD);
    // Without a demand nothing is lost, whatever the policies are.
    assert_eq!(line(root(), vec![middle(&[ONE])], under(server(), &[TWO])), GOOD);
    // 4.8.15 to 4.8.19: qualifiers do not matter.
    let notice =
        der::sequence(&[&object_identifier("1.3.6.1.5.5.7.2.2"), &der::sequence(&[&der::value(UTF8, b"read")])]);
    let qualified = der::sequence(&[&object_identifier(ONE), &der::sequence(&[&notice])]);
    let leaf = server().extension(oid::CERTIFICATE_POLICIES, true, der::sequence(&[&qualified]));
    assert_eq!(line(root(), vec![demanding(&[ONE])], leaf), GOOD);
}

#[test]
fn s4_9_an_explicit_policy_is_demanded_after_so_many_certificates() {
    let chain = |skip: u8, more: &[Option<u8>]| {
        let first = constrained(under(TestCert::ca("A"), &[ONE]), Some(skip), None);
        let others = more.iter().enumerate().map(|(index, skip)| {
            let ca = under(TestCert::ca(&format!("B{index}")), &[ONE]);
            if skip.is_some() { constrained(ca, *skip, None) } else { ca }
        });
        line(root(), std::iter::once(first).chain(others).collect(), server())
    };
    assert_eq!(chain(10, &[None, None, None]), GOOD);
    assert_eq!(chain(5, &[None, None, None]), GOOD);
    assert_eq!(chain(4, &[None, None, None]), NO);
    assert_eq!(chain(3, &[None, None, None]), NO);
    assert_eq!(chain(2, &[None, None, None]), NO);
    assert_eq!(chain(0, &[None, None, None]), NO);
    // 4.9.5: a CA below can demand more, never less.
    assert_eq!(chain(7, &[Some(2), Some(4), None]), NO);
    assert_eq!(chain(7, &[Some(4), None, None]), GOOD);
    // 4.9.6 to 4.9.8: self-issued certificates are not counted down.
    let first = || constrained(under(TestCert::ca("A"), &[ONE]), Some(2), None);
    let again = || under(TestCert::ca("A"), &[ONE]);
    let next = || under(TestCert::ca("B"), &[ONE]);
    assert_eq!(line(root(), vec![first(), again()], server()), GOOD);
    assert_eq!(line(root(), vec![first(), again(), next()], server()), NO);
    assert_eq!(line(root(), vec![first(), again(), next()], under(server(), &[ONE])), GOOD);
    // A leaf can demand one for itself.
    assert_eq!(line(root(), vec![TestCert::ca("A")], constrained(server(), Some(0), None)), NO);
    // So can the anchor (RFC 5937).
    assert_eq!(line(constrained(root(), Some(0), None), vec![TestCert::ca("A")], server()), NO);
}

#[test]
fn s4_10_policies_are_mapped_and_s4_11_mapping_can_be_inhibited() {
    let demanding = |policies: &[&str]| under(constrained(TestCert::ca("A"), Some(0), None), policies);
    let maps = |cert: TestCert, pairs: &[(&str, &str)]| mapped(cert, pairs);
    assert_eq!(line(root(), vec![maps(demanding(&[ONE]), &[(ONE, TWO)])], under(server(), &[TWO])), GOOD);
    assert_eq!(line(root(), vec![maps(demanding(&[ONE]), &[(ONE, TWO)])], under(server(), &[ONE])), NO);
    assert_eq!(line(root(), vec![maps(demanding(&[ONE]), &[(TWO, ONE)])], under(server(), &[ONE])), GOOD);
    assert_eq!(line(root(), vec![maps(demanding(&[ONE]), &[(TWO, THREE)])], under(server(), &[THREE])), NO);
    // 4.10.13: two policies mapped to one, and one to two.
    let two_to_one = maps(demanding(&[ONE, TWO]), &[(ONE, THREE), (TWO, THREE)]);
    assert_eq!(line(root(), vec![two_to_one], under(server(), &[THREE])), GOOD);
    let one_to_two = || maps(demanding(&[ONE]), &[(ONE, TWO), (ONE, THREE)]);
    assert_eq!(line(root(), vec![one_to_two()], under(server(), &[THREE])), GOOD);
    assert_eq!(line(root(), vec![one_to_two()], under(server(), &[ONE])), NO);
    // 4.10.9: anyPolicy above the mapped policy.
    assert_eq!(line(root(), vec![maps(demanding(&[ANY]), &[(ONE, TWO)])], under(server(), &[TWO])), GOOD);
    // 4.10.7, 4.10.8: never from or to anyPolicy, demanded or not.
    let bare = || under(TestCert::ca("A"), &[ONE]);
    assert_eq!(line(root(), vec![maps(bare(), &[(ANY, ONE)])], server()), NO);
    assert_eq!(line(root(), vec![maps(bare(), &[(ONE, ANY)])], server()), NO);
    // 4.11: after so many certificates a mapping deletes what it maps.
    let inhibiting = |skip: u8| under(constrained(TestCert::ca("A"), Some(0), Some(skip)), &[ONE]);
    let mapping = || maps(under(TestCert::ca("B"), &[ONE]), &[(ONE, TWO)]);
    assert_eq!(line(root(), vec![inhibiting(0), mapping()], under(server(), &[TWO])), NO);
    assert_eq!(line(root(), vec![inhibiting(0), mapping()], under(server(), &[ONE])), NO);
    assert_eq!(line(root(), vec![inhibiting(1), mapping()], under(server(), &[TWO])), GOOD);
    let between = || under(TestCert::ca("C"), &[ONE]);
    assert_eq!(line(root(), vec![inhibiting(1), between(), mapping()], under(server(), &[TWO])), NO);
    // 4.11.7: self-issued certificates are not counted down.
    let again = || under(TestCert::ca("A"), &[ONE]);
    assert_eq!(line(root(), vec![inhibiting(1), again(), mapping()], under(server(), &[TWO])), GOOD);
}

#[test]
fn s4_12_any_policy_can_be_inhibited() {
    let first = |skip: u8| without_any(under(constrained(TestCert::ca("A"), Some(0), None), &[ONE]), skip);
    assert_eq!(line(root(), vec![first(0)], under(server(), &[ANY])), NO);
    assert_eq!(line(root(), vec![first(0)], under(server(), &[ANY, ONE])), GOOD);
    assert_eq!(line(root(), vec![first(1)], under(server(), &[ANY])), GOOD);
    let any = |name: &str| under(TestCert::ca(name), &[ANY]);
    assert_eq!(line(root(), vec![first(1), any("B")], under(server(), &[ONE])), GOOD);
    assert_eq!(line(root(), vec![first(1), any("B")], under(server(), &[ANY])), NO);
    assert_eq!(line(root(), vec![first(5), without_any(any("B"), 1), any("C")], under(server(), &[ANY])), NO);
    // 4.12.7 to 4.12.10: a self-issued CA may still say it, a leaf may not.
    assert_eq!(line(root(), vec![first(0), any("A")], under(server(), &[ONE])), GOOD);
    assert_eq!(line(root(), vec![first(0), any("A")], under(server(), &[ANY])), NO);
    assert_eq!(line(root(), vec![first(0), any("A"), any("B")], under(server(), &[ONE])), NO);
}

fn directory(parts: &[(u8, u8, &str)]) -> Subtree {
    Subtree::Directory(DistinguishedName::from_der(&spelled(parts)).unwrap())
}

fn permitting(cert: TestCert, permitted: Vec<Subtree>) -> TestCert {
    cert.name_constraints(&NameConstraints { permitted, excluded: Vec::new() })
}

fn excluding(cert: TestCert, excluded: Vec<Subtree>) -> TestCert {
    cert.name_constraints(&NameConstraints { permitted: Vec::new(), excluded })
}

const VIOLATED: [&str; 1] = ["name-constraint-violated"];

#[test]
fn s4_13_directory_names_lie_within_every_constraint() {
    let unit = |unit: &'static str| directory(&[(6, PRINTABLE, "US"), (11, PRINTABLE, unit)]);
    let leaf = |unit: &str| {
        let subject = spelled(&[(6, PRINTABLE, "US"), (11, PRINTABLE, unit), (3, PRINTABLE, "web")]);
        TestCert::client("x").subject(&subject)
    };
    let below = |ca: TestCert, cert: TestCert| line(root(), vec![ca], cert);
    let one = || permitting(TestCert::ca("A"), vec![unit("one")]);
    assert_eq!(below(one(), leaf("one")), GOOD);
    assert_eq!(below(one(), leaf("two")), VIOLATED);
    // 4.13.3: the alternative directory names count as the subject does.
    let other = GeneralName::Directory(DistinguishedName::from_der(&spelled(&[(6, PRINTABLE, "DE")])).unwrap());
    assert_eq!(below(one(), leaf("one").general_names(&[other])), VIOLATED);
    // 4.13.4: names of other kinds are not looked at.
    assert_eq!(below(one(), leaf("one").names(&["ops@corp.test", "web.test"])), GOOD);
    let both = || permitting(TestCert::ca("A"), vec![unit("one"), unit("two")]);
    assert_eq!(below(both(), leaf("two")), GOOD);
    assert_eq!(below(both(), leaf("three")), VIOLATED);
    let but = || excluding(TestCert::ca("A"), vec![unit("one")]);
    assert_eq!(below(but(), leaf("one")), VIOLATED);
    assert_eq!(below(but(), leaf("two")), GOOD);
    // 4.13.12 to 4.13.18: what a CA below permits does not widen what is permitted above.
    let sub =
        |cert: TestCert| cert.subject(&spelled(&[(6, PRINTABLE, "US"), (11, PRINTABLE, "one"), (3, PRINTABLE, "B")]));
    let two_below = |a: TestCert, b: TestCert, cert: TestCert| line(root(), vec![a, b], cert);
    assert_eq!(two_below(one(), sub(permitting(TestCert::ca("B"), vec![unit("two")])), leaf("two")), VIOLATED);
    assert_eq!(two_below(one(), sub(permitting(TestCert::ca("B"), vec![unit("two")])), leaf("one")), VIOLATED);
    assert_eq!(two_below(one(), sub(TestCert::ca("B")), leaf("one")), GOOD);
    // 4.13.19, 4.13.20: a self-issued CA may have the name, a self-issued leaf may not.
    let own = permitting(root(), vec![unit("one")]);
    assert_eq!(line(own, vec![TestCert::ca("Root")], leaf("one")), GOOD);
    let own = permitting(root(), vec![unit("one")]);
    assert_eq!(line(own, vec![], TestCert::client("Root")), VIOLATED);
}

#[test]
fn s4_13_mailboxes_hosts_and_uris_too() {
    let mail = |permitted: &str, mailbox: &str| {
        let ca = TestCert::ca("A").permit(&[&format!("email:{permitted}")]);
        line(root(), vec![ca], TestCert::client("x").general_names(&[GeneralName::Email(mailbox.to_owned())]))
    };
    assert_eq!(mail(".certs.test", "a@mail.certs.test"), GOOD);
    assert_eq!(mail(".certs.test", "a@certs.test"), VIOLATED);
    assert_eq!(mail("certs.test", "a@certs.test"), GOOD);
    assert_eq!(mail("certs.test", "a@mail.certs.test"), VIOLATED);
    assert_eq!(mail("certs.test", "a@MAIL.certs.test"), VIOLATED);
    assert_eq!(mail("certs.test", "A@CERTS.test"), GOOD);
    // 4.13.29: a mailbox in the subject counts where there is none among the alternative names.
    let subject = |mailbox: &str| {
        let kind = object_identifier("1.2.840.113549.1.9.1");
        let attribute = der::sequence(&[&kind, &der::value(der::IA5_STRING, mailbox.as_bytes())]);
        TestCert::client("x").subject(&der::sequence(&[&der::value(der::SET, &attribute)]))
    };
    let ca = || TestCert::ca("A").permit(&["email:certs.test"]);
    assert_eq!(line(root(), vec![ca()], subject("a@certs.test")), GOOD);
    assert_eq!(line(root(), vec![ca()], subject("a@mail.certs.test")), VIOLATED);
    // 4.13.38: no label more, no label less.
    let host = |host: &str| line(root(), vec![TestCert::ca("A").permit(&["certs.test"])], TestCert::server(host));
    assert_eq!(host("certs.test"), GOOD);
    assert_eq!(host("mytestcerts.test"), VIOLATED);
    assert_eq!(host("mycerts.test"), VIOLATED);
    let uri = |ca: TestCert, uri: &str| line(root(), vec![ca], TestCert::client("x").names(&[uri]));
    let permitted = || TestCert::ca("A").permit(&["uri:.certs.test"]);
    assert_eq!(uri(permitted(), "http://web.certs.test:80/x@y"), GOOD);
    assert_eq!(uri(permitted(), "http://certs.test/"), VIOLATED);
    assert_eq!(uri(permitted(), "ldap://web.other.test/.certs.test"), VIOLATED);
    let excluded = || TestCert::ca("A").exclude(&["uri:certs.test"]);
    assert_eq!(uri(excluded(), "ftp://certs.test:21/test37/"), VIOLATED);
    assert_eq!(uri(excluded(), "http://other.test/"), GOOD);
}

#[test]
fn s4_16_private_extensions_matter_when_they_are_critical() {
    let with =
        |critical| TestPki::new().case(server().extension("2.16.840.1.101.2.1.12.2", critical, vec![5, 0])).errors();
    assert_eq!(with(false), GOOD);
    assert_eq!(with(true), ["unknown-critical-extension"]);
}

#[test]
fn a_certificate_of_the_last_second_of_time_can_be_judged() {
    let end = datetime!(9999-12-31 23:59:59 UTC);
    let validity = Validity { not_before: NOW, not_after: end }.to_der();
    assert_eq!(TestPki::new().case(server().validity_der(validity)).errors(), GOOD);
    assert_eq!(TestPki::with(TestCert::ca("A").subject(&name("x"))).case(server()).at(end).errors(), ["expired"; 3]);
}
