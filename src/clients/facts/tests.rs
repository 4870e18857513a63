//! Facts of generated chains: one oddity at a time, beside a chain that has none.

use time::macros::datetime;

use crate::clients::{Signed, Situation, facts};
use crate::lint::testing::*;
use crate::x509::certificate::oid;
use crate::x509::{Certificate, ExtendedKeyUsage, GeneralName, KeyAlgorithm, KeyUsage, der};

const HOST: &str = "srv.corp.test";

/// What a server sends and a client trusts.
struct Made {
    sent: Vec<Vec<u8>>,
    anchors: Vec<Vec<u8>>,
    hosts: Vec<GeneralName>,
}

impl Made {
    fn codes(&self) -> Vec<String> {
        let is_signed_by = |child: &[u8], issuer: &[u8]| {
            let (Ok(child), Ok(issuer)) = (Certificate::from_der(child), Certificate::from_der(issuer)) else {
                return Signed::Unknown;
            };
            match crate::verify::check_signature(&child, &issuer.public_key) {
                Ok(()) => Signed::Yes,
                Err(_) => Signed::No,
            }
        };
        let sent: Vec<_> = self.sent.iter().map(Vec::as_slice).collect();
        let anchors: Vec<_> = self.anchors.iter().map(Vec::as_slice).collect();
        let situation = Situation {
            sent: &sent,
            anchors: &anchors,
            path: None,
            hosts: &self.hosts,
            at: NOW,
            is_signed_by: &is_signed_by,
        };
        facts(&situation).iter().map(ToString::to_string).collect()
    }

    fn wanted(mut self, host: &str) -> Self {
        self.hosts = vec![host.parse().unwrap_or_else(|_| GeneralName::Dns(host.to_owned()))];
        self
    }
}

/// A chain of two certificates.
fn two(root: TestCert, leaf: TestCert) -> Made {
    let root = TestCa::self_signed(root);
    let sent = vec![root.issue_der(&leaf)];
    Made { sent, anchors: vec![root.certificate.as_der().to_vec()], hosts: vec![GeneralName::Dns(HOST.to_owned())] }
}

/// A chain of three certificates.
fn three(root: TestCert, intermediate: TestCert, leaf: TestCert) -> Made {
    let root = TestCa::self_signed(root);
    let intermediate = root.subordinate(intermediate);
    let sent = vec![intermediate.issue_der(&leaf), intermediate.certificate.as_der().to_vec()];
    Made { sent, anchors: vec![root.certificate.as_der().to_vec()], hosts: vec![GeneralName::Dns(HOST.to_owned())] }
}

fn of_leaf(leaf: TestCert) -> Made {
    two(TestCert::ca("Root"), leaf)
}

fn of_intermediate(intermediate: TestCert) -> Made {
    three(TestCert::ca("Root"), intermediate, server())
}

fn server() -> TestCert {
    named_server(HOST)
}

/// A server certificate with a serial number of its own: the kit gives all certificates one.
fn named_server(name: &str) -> TestCert {
    TestCert::server(name).serial(&[1])
}

fn issuing() -> TestCert {
    TestCert::ca("Issuing").serial(&[2])
}

/// A subject alternative name extension with DNS names as they are.
fn dns(names: &[&[u8]]) -> TestCert {
    let names: Vec<_> = names.iter().map(|name| der::value(der::context(2), name)).collect();
    san(&names.concat())
}

fn san(content: &[u8]) -> TestCert {
    server().extension(oid::SUBJECT_ALT_NAME, false, der::value(der::SEQUENCE, content))
}

#[test]
fn a_plain_chain_has_no_facts() {
    assert_eq!(of_leaf(server()).codes(), [""; 0]);
    assert_eq!(of_intermediate(issuing()).codes(), [""; 0]);
    for algorithm in [KeyAlgorithm::EcdsaP384, KeyAlgorithm::Rsa2048] {
        let usage = KeyUsage::DIGITAL_SIGNATURE.union(KeyUsage::KEY_ENCIPHERMENT);
        let usage = if algorithm == KeyAlgorithm::Rsa2048 { usage } else { KeyUsage::DIGITAL_SIGNATURE };
        let leaf = server().algorithm(algorithm).key_usage(usage);
        let made = three(TestCert::ca("Root"), issuing().algorithm(algorithm), leaf);
        assert_eq!(made.codes(), [""; 0], "{algorithm}");
    }
}

#[test]
fn a_name_is_found_where_the_leaf_has_it() {
    for (leaf, expected) in [
        (server().without(oid::SUBJECT_ALT_NAME), &["leaf:san:missing", "leaf:name:cn-no-san"][..]),
        (dns(&[b"other.corp.test"]), &["leaf:name:cn-beside-dns"]),
        (dns(&[b"*.corp.test"]), &[]),
        (dns(&[b"s*.corp.test"]), &["leaf:san:wildcard-odd", "leaf:name:wildcard-partial"]),
        (dns(&[b"SRV.corp.test"]), &["leaf:san:upper-case"]),
        (dns(&[b"srv.corp.test."]), &["leaf:san:trailing-dot", "leaf:name:trailing-dot"]),
        (dns(&[b".corp.test"]), &["leaf:san:leading-dot", "leaf:name:leading-dot"]),
        (dns(&[b"srv.corp.test\0.other.test"]), &["leaf:san:nul", "leaf:name:cn-beside-dns"]),
        (
            dns(&[b"srv.corp.test", b"a_b.corp.test", b"", b"my host"]),
            &["leaf:san:underscore", "leaf:san:empty-dns", "leaf:san:space"],
        ),
        (dns(&[b"srv.corp.test", b"https://a.test"]), &["leaf:san:url"]),
        (dns(&[b"srv.corp.test", b"a.test:443", b"10.0.0.1"]), &["leaf:san:port", "leaf:san:ip-as-dns"]),
        (san(&[]), &["leaf:san:empty", "leaf:name:cn-san-empty"]),
        (server().names(&["uri:spiffe://corp.test/db"]), &["leaf:name:cn-beside-uri"]),
        (server().names(&["ops@corp.test"]), &["leaf:name:cn-beside-email"]),
        (server().names(&["10.0.0.1"]), &["leaf:name:cn-beside-ip"]),
    ] {
        assert_eq!(of_leaf(leaf).codes(), expected);
    }
    assert_eq!(of_leaf(server()).wanted("other.test").codes(), ["leaf:name:none"]);
    assert_eq!(of_leaf(named_server("10.0.0.1")).wanted("10.0.0.1").codes(), ["leaf:name:address-asked"]);
    let mapped = named_server("::ffff:10.0.0.1");
    assert_eq!(of_leaf(mapped).wanted("10.0.0.1").codes(), ["leaf:san:ip-mapped", "leaf:name:mapped"]);
    let a_label = named_server("xn--bcher-kva.corp.test");
    assert_eq!(of_leaf(a_label).wanted("xn--bcher-kva.corp.test").codes(), ["leaf:name:a-label"]);
    let u_label = dns(&["bücher.corp.test".as_bytes()]);
    let codes = of_leaf(u_label).wanted("xn--bcher-kva.corp.test").codes();
    assert_eq!(codes, ["leaf:san:not-ascii", "leaf:name:u-label"]);
}

#[test]
fn key_identifiers_are_compared() {
    let other = || der::sequence(&[&der::value(der::context(0), &[7; 20])]);
    let aki = |value: Vec<u8>| server().extension(oid::AUTHORITY_KEY_ID, false, value);
    let serial = der::sequence(&[&der::value(der::context(2), &[1])]);
    for (made, expected) in [
        (of_leaf(aki(other())), &["leaf:aki:mismatch"][..]),
        (of_leaf(server().without(oid::AUTHORITY_KEY_ID)), &["leaf:aki:missing"]),
        (of_leaf(aki(der::sequence(&[]))), &["leaf:aki:empty"]),
        (of_leaf(aki(serial)), &["leaf:aki:serial", "leaf:aki:issuer-serial-only", "leaf:aki:serial-wrong"]),
        (of_leaf(server().critical(oid::AUTHORITY_KEY_ID, true)), &["leaf:aki:critical"]),
        (of_leaf(server().without(oid::SUBJECT_KEY_ID)), &["leaf:ski:missing"]),
        (of_intermediate(issuing().extension(oid::AUTHORITY_KEY_ID, false, other())), &["inter:aki:mismatch"]),
        (two(TestCert::ca("Root").without(oid::SUBJECT_KEY_ID), server()), &["root:ski:missing"]),
        (two(TestCert::ca("Root").extension(oid::AUTHORITY_KEY_ID, false, other()), server()), &["root:aki:mismatch"]),
        (two(TestCert::ca("Root").without(oid::AUTHORITY_KEY_ID), server()), &[]),
        (
            of_leaf(server().without(oid::SUBJECT_KEY_ID).basic_constraints(true, None)),
            &["leaf:ca-true", "leaf:ski:missing", "leaf:ski:missing-as-ca"],
        ),
        (
            two(TestCert::ca("Root").without(oid::BASIC_CONSTRAINTS).without(oid::KEY_USAGE), server()),
            &["root:bc:missing", "root:bc:missing-without-ku", "root:ku:missing"],
        ),
    ] {
        assert_eq!(made.codes(), expected);
    }
}

#[test]
fn usages_are_those_that_tls_needs() {
    let purposes = |purposes: &[ExtendedKeyUsage]| of_leaf(server().purposes(purposes));
    use ExtendedKeyUsage::{Any, ClientAuth, CodeSigning, OcspSigning, ServerAuth};
    for (made, expected) in [
        (purposes(&[ClientAuth]), &["leaf:eku:client-only"][..]),
        (purposes(&[ServerAuth, ClientAuth]), &[]),
        (purposes(&[Any]), &["leaf:eku:any"]),
        (purposes(&[CodeSigning]), &["leaf:eku:without-server"]),
        (purposes(&[ServerAuth, Any, OcspSigning]), &["leaf:eku:server-and-any", "leaf:eku:server-and-ocsp"]),
        (purposes(&[]), &["leaf:eku:empty"]),
        (of_leaf(server().without(oid::EXTENDED_KEY_USAGE)), &["leaf:eku:missing"]),
        (of_intermediate(issuing().purposes(&[ClientAuth])), &["inter:eku:client-only"]),
        (two(TestCert::ca("Root").purposes(&[ServerAuth]), server()), &["root:eku:present"]),
        (of_leaf(server().without(oid::KEY_USAGE)), &["leaf:ku:missing"]),
        (of_leaf(server().key_usage(KeyUsage::KEY_AGREEMENT)), &["leaf:ku:no-signature-ec", "leaf:ku:ka-only"]),
        (
            of_leaf(server().key_usage(KeyUsage::DIGITAL_SIGNATURE.union(KeyUsage::KEY_CERT_SIGN))),
            &["leaf:ku:cert-sign-without-ca"],
        ),
        (of_leaf(server().critical(oid::KEY_USAGE, false)), &["leaf:ku:not-critical"]),
        (of_leaf(server().algorithm(KeyAlgorithm::Rsa2048)), &["leaf:ku:no-encipherment-rsa"]),
        (two(TestCert::ca("Root").without(oid::KEY_USAGE), server()), &["root:ku:missing"]),
        (of_intermediate(issuing().key_usage(KeyUsage::CRL_SIGN)), &["inter:ku:no-cert-sign"]),
    ] {
        assert_eq!(made.codes(), expected);
    }
}

#[test]
fn a_ca_says_that_it_is_one() {
    let no_key_usage = || issuing().without(oid::KEY_USAGE);
    for (made, expected) in [
        (
            of_intermediate(issuing().without(oid::BASIC_CONSTRAINTS)),
            &["inter:bc:missing", "inter:bc:missing-beside-ku"][..],
        ),
        (of_intermediate(issuing().basic_constraints(false, None)), &["inter:bc:false"]),
        (of_intermediate(issuing().critical(oid::BASIC_CONSTRAINTS, false)), &["inter:bc:not-critical"]),
        (of_intermediate(no_key_usage().path_length(0)), &["inter:pathlen-without-ku", "inter:ku:missing"]),
        (of_intermediate(issuing().path_length(0)), &[]),
        (of_intermediate(issuing().path_length(0x80)), &["inter:bc:pathlen-negative"]),
        (three(TestCert::ca("Root").path_length(0), issuing(), server()), &["root:pathlen:violated"]),
        (of_leaf(server().basic_constraints(false, Some(0))), &["leaf:bc:pathlen-without-ca"]),
        (of_leaf(server().basic_constraints(true, None)), &["leaf:ca-true"]),
        (
            of_leaf(server().extension(
                oid::BASIC_CONSTRAINTS,
                true,
                der::sequence(&[&der::value(der::BOOLEAN, &[0])]),
            )),
            &["leaf:bc:false-written"],
        ),
    ] {
        assert_eq!(made.codes(), expected);
    }
}

#[test]
fn fields_and_keys_have_their_form() {
    let until = |at| server().validity(datetime!(2026-01-01 0:00 UTC), at);
    for (leaf, expected) in [
        (server().serial(&[0]), &["leaf:serial-zero"][..]),
        (server().serial(&[0x80]), &["leaf:serial-negative"]),
        (server().serial(&[1; 21]), &["leaf:serial-over-20-octets"]),
        (server().serial(&[&[0, 0x80][..], &[1; 19]].concat()), &["leaf:serial-over-20-octets-by-sign"]),
        (server().unique_ids(1, 2), &["leaf:unique-id"]),
        (server().version(2), &["leaf:version-2"]),
        (server().subject(&empty_name()), &["leaf:dn:empty", "leaf:san:not-critical-empty-subject"]),
        (server().algorithm(KeyAlgorithm::Ed25519), &["leaf:key:ed25519"]),
        (server().algorithm(KeyAlgorithm::EcdsaP521), &["leaf:key:p521"]),
        (until(datetime!(2026-01-20 0:00 UTC)), &["leaf:expired"]),
        (until(datetime!(2027-06-01 0:00 UTC)), &["leaf:life-over-398"]),
        (until(datetime!(2030-06-01 0:00 UTC)), &["leaf:life-over-825"]),
        (
            until(datetime!(2050-06-01 0:00 UTC)),
            &["leaf:life-over-825", "leaf:ends-after-2050", "leaf:outlives-issuer"],
        ),
        (until(datetime!(2025-06-01 0:00 UTC)), &["leaf:validity-reversed"]),
        (server().extension("1.2.3", true, der::value(der::NULL, &[])), &["leaf:unknown:critical"]),
        (server().extension("1.2.3", false, der::value(der::NULL, &[])), &[]),
        (server().again(oid::SUBJECT_KEY_ID, false, der::value(der::OCTET_STRING, &[1])), &["leaf:duplicate:other"]),
        (
            server().name_constraints(
                &"corp.test"
                    .parse()
                    .map(|base| crate::x509::NameConstraints { permitted: vec![base], excluded: Vec::new() })
                    .unwrap(),
            ),
            &["leaf:nc:in-leaf"],
        ),
    ] {
        assert_eq!(of_leaf(leaf).codes(), expected);
    }
    let rsa = || server().key_usage(KeyUsage::DIGITAL_SIGNATURE.union(KeyUsage::KEY_ENCIPHERMENT));
    for (bits, expected) in [
        (1024_usize, &["leaf:key:rsa-1024"][..]),
        (1000, &["leaf:key:rsa-below-1024"]),
        (1536, &["leaf:key:rsa-below-2040", "leaf:key:rsa-below-2048"]),
        (2047, &["leaf:key:rsa-below-2048", "leaf:key:rsa-odd-size"]),
        (2048, &[]),
        (4104, &["leaf:key:rsa-over-4096"]),
    ] {
        let mut modulus = vec![0xff_u8; bits.div_ceil(8)];
        modulus[0] = 0xff >> ((8 - bits % 8) % 8);
        assert_eq!(of_leaf(rsa().spki(rsa_spki(&modulus, &[1, 0, 1]))).codes(), expected, "{bits}");
    }
    let small = rsa_spki(&[0xff; 256], &[3]);
    assert_eq!(of_leaf(rsa().spki(small)).codes(), ["leaf:key:rsa-exponent-small"]);
}

#[test]
fn constraints_are_compared_with_the_names_below() {
    let limits = |intermediate: TestCert, leaf: TestCert| three(TestCert::ca("Root"), intermediate, leaf).codes();
    let critical = |rest: &[&str]| {
        let all = ["inter:nc:critical"].into_iter().chain(rest.iter().copied());
        all.map(str::to_owned).collect::<Vec<_>>()
    };
    for (subtrees, expected) in [
        (&["corp.test"][..], &["inter:nc:dns:critical", "inter:nc:dns:permit:kept"][..]),
        (&["other.test"], &["inter:nc:dns:critical", "inter:nc:dns:permit:violated", "inter:nc:cn-host-outside"]),
        (
            &["10.0.0.0/8"],
            &["inter:nc:ip:critical", "inter:nc:ip:permit:no-such-name-but-dns", "inter:nc:ip-only-and-dns-name"],
        ),
    ] {
        assert_eq!(limits(issuing().permit(subtrees), server()), critical(expected));
    }
    let excluded = ["inter:nc:dns:critical", "inter:nc:dns:exclude:violated", "inter:nc:dns:exclude:violated-by-name"];
    assert_eq!(limits(issuing().exclude(&["corp.test"]), server()), critical(&excluded));
    let covered = ["inter:nc:dns:critical", "inter:nc:dns:exclude:kept", "inter:nc:dns:exclude:wildcard-covers"];
    assert_eq!(limits(issuing().exclude(&["secret.corp.test"]), dns(&[b"*.corp.test"])), critical(&covered));
    let empty = issuing().extension(oid::NAME_CONSTRAINTS, true, der::sequence(&[]));
    assert_eq!(limits(empty, server()), ["inter:nc:empty"]);
    let not_critical = issuing().permit(&["corp.test"]).critical(oid::NAME_CONSTRAINTS, false);
    assert_eq!(limits(not_critical, server()), ["inter:nc:not-critical", "inter:nc:dns:permit:kept"]);
}

/// A client with a limit on comparisons gives up here, and so does this program.
#[test]
fn constraints_that_take_too_many_comparisons_are_not_compared() {
    let bases: Vec<_> = (0..600).map(|number| format!("d{number}.test")).collect();
    let names: Vec<_> = (0..600).map(|number| format!("n{number}.corp.test").into_bytes()).collect();
    let intermediate = issuing().exclude(&bases.iter().map(String::as_str).collect::<Vec<_>>());
    let leaf = dns(&names.iter().map(Vec::as_slice).chain([HOST.as_bytes()]).collect::<Vec<_>>());
    let codes = three(TestCert::ca("Root"), intermediate, leaf).codes();
    assert_eq!(codes, ["leaf:san:many", "leaf:san:over-400", "inter:nc:critical", "inter:nc:many-comparisons"]);
}

#[test]
fn the_names_of_intermediates_are_limited_too() {
    let intermediate = issuing().names(&["ca.other.test"]);
    let codes = three(TestCert::ca("Root").permit(&["corp.test"]), intermediate, server()).codes();
    assert!(codes.contains(&"root:nc:violated-by-intermediate".to_owned()), "{codes:?}");
}

#[test]
fn the_path_ends_where_the_client_trusts() {
    let mut made = of_leaf(server());
    made.anchors = vec![TestCa::root().certificate.as_der().to_vec()];
    assert_eq!(made.codes(), ["chain:issuer-missing"]);
    let mut made = of_leaf(server());
    made.anchors = made.sent.clone();
    assert_eq!(made.codes(), ["anchor:leaf"]);
    assert_eq!(of_leaf(server().badly_signed()).codes(), ["chain:signature-invalid"]);
    let own = TestCa::self_signed(server()).certificate.as_der().to_vec();
    let made = Made { sent: vec![own.clone()], anchors: vec![own], hosts: Vec::new() };
    assert_eq!(made.codes(), ["anchor:self-signed-leaf", "anchor:self-signed-leaf-without-cert-sign"]);
    let mut made = of_intermediate(issuing());
    made.anchors = vec![made.sent[1].clone()];
    assert_eq!(made.codes(), ["anchor:not-self-signed"]);
    // The root is trusted too: clients that want it find it.
    let mut made = of_intermediate(issuing());
    made.anchors.insert(0, made.sent[1].clone());
    assert_eq!(made.codes(), [""; 0]);
    // Another root of the same name did not sign it.
    made.anchors[1] = TestCa::self_signed(TestCert::ca("Root")).certificate.as_der().to_vec();
    assert_eq!(made.codes(), ["anchor:not-self-signed"]);
}

/// Of an anchor that another CA signed, no client knows the issuer: its key identifier is not compared with its own.
#[test]
fn only_a_self_signed_anchor_is_compared_with_itself() {
    let old = TestCa::self_signed(TestCert::ca("Root"));
    let next = old.subordinate(TestCert::ca("Root").serial(&[3]));
    let made = |anchor: &Certificate| Made {
        sent: vec![next.issue_der(&server())],
        anchors: vec![anchor.as_der().to_vec()],
        hosts: vec![GeneralName::Dns(HOST.to_owned())],
    };
    assert_eq!(made(&next.certificate).codes(), ["anchor:not-self-signed"]);
    let other = der::sequence(&[&der::value(der::context(0), &[7; 20])]);
    let root = TestCert::ca("Root").with_key(&next.key).extension(oid::AUTHORITY_KEY_ID, false, other);
    let root = TestCa::self_signed(root).certificate;
    assert_eq!(made(&root).codes(), ["root:aki:mismatch"]);
}

#[test]
fn issuer_names_are_compared_by_their_form() {
    let named = |subject: &str| three(TestCert::ca("Root"), issuing(), server().issuer(&name(subject))).codes();
    assert_eq!(named("Issuing"), [""; 0]);
    assert_eq!(named("ISSUING"), ["issuer-name-form:case"]);
    assert_eq!(named("Other"), ["issuer-name-wrong"]);
    let words =
        three(TestCert::ca("Root"), TestCert::ca("The Issuing").serial(&[2]), server().issuer(&name("The  Issuing")));
    assert_eq!(words.codes(), ["issuer-name-form:spaces"]);
}

#[test]
fn what_the_server_sends_beside_the_path_is_found() {
    let mut made = of_intermediate(issuing());
    made.sent.push(made.anchors[0].clone());
    assert_eq!(made.codes(), ["sent:root"]);
    let mut made = of_intermediate(issuing());
    made.sent.push(TestCa::self_signed(TestCert::ca("Other")).certificate.as_der().to_vec());
    assert_eq!(made.codes(), ["sent:unused"]);
    made.sent.swap(1, 2);
    assert_eq!(made.codes(), ["sent:unused", "sent:gap-first"]);
    let mut made = of_intermediate(issuing());
    made.sent.push(made.sent[1].clone());
    assert_eq!(made.codes(), ["sent:twice"]);
    let mut made = of_leaf(server());
    made.anchors.insert(0, TestCa::self_signed(TestCert::ca("Root")).certificate.as_der().to_vec());
    assert_eq!(made.codes(), ["roots:two", "roots:two-wrong-first"]);
}

#[test]
fn a_second_certificate_of_an_intermediate_is_found_where_it_leads_nowhere_or_does_not_allow_the_leaf() {
    let root = TestCa::self_signed(TestCert::ca("Root"));
    let issuing = root.subordinate(issuing());
    let (leaf, used) = (issuing.issue_der(&server()), issuing.certificate.as_der().to_vec());
    let twin = || TestCert::ca("Issuing").serial(&[9]).with_key(&issuing.key);
    let with = |twin: Vec<u8>, is_first: bool| {
        let mut sent = vec![leaf.clone(), used.clone()];
        sent.insert(if is_first { 1 } else { 2 }, twin);
        let anchors = vec![root.certificate.as_der().to_vec()];
        let codes = Made { sent, anchors, hosts: vec![GeneralName::Dns(HOST.to_owned())] }.codes();
        codes.into_iter().filter(|code| code.contains("dead-end") || code.contains("unfit")).collect::<Vec<_>>()
    };
    let unknown = |name| TestCa::self_signed(TestCert::ca(name)).issue_der(&twin());
    assert_eq!(with(unknown("Unknown"), true), ["sent:dead-end-first"]);
    assert_eq!(with(unknown("Unknown"), false), ["sent:dead-end-later"]);
    // It has the name of the root, and not its key.
    assert_eq!(with(unknown("Root"), true), ["sent:dead-end-first"]);
    let fine = with(root.issue_der(&twin()), true);
    assert_eq!(fine, [""; 0]);
    let narrow = || root.issue_der(&twin().serial(&[1; 19]).permit(&["other.test"]));
    assert_eq!(with(narrow(), true), ["sent:unfit-twin-first"]);
    assert_eq!(with(narrow(), false), ["sent:unfit-twin-later"]);
}

#[test]
fn names_of_intermediates_outside_constraints_are_found_and_those_of_self_issued_ones_apart() {
    let outside = |ca: TestCert| ca.general_names(&[GeneralName::Dns("ca.other.test".to_owned())]);
    let root = || TestCert::ca("Root").permit(&["corp.test"]);
    let of = |made: Made| made.codes().into_iter().filter(|code| code.contains("violated")).collect::<Vec<_>>();
    assert_eq!(of(three(root(), outside(issuing()), server())), ["root:nc:violated-by-intermediate"]);
    let self_issued = outside(TestCert::ca("Root").serial(&[2]));
    assert_eq!(of(three(root(), self_issued, server())), ["root:nc:violated-by-self-issued"]);
    assert_eq!(of(three(root(), issuing(), server())), [""; 0]);
}

#[test]
fn a_certificate_by_itself_is_not_asked_for_what_only_servers_need() {
    let of = |cert: TestCert| {
        let root = TestCa::root();
        let issued = root.issue_der(&cert);
        let facts = crate::clients::certificate_facts(&issued, Some(root.certificate.as_der()));
        facts.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(of(TestCert::client("alice")), [""; 0]);
    assert_eq!(of(TestCert::client("alice").without(oid::SUBJECT_KEY_ID)), ["leaf:ski:missing"]);
    assert_eq!(of(TestCert::leaf("mail").purposes(&[ExtendedKeyUsage::EmailProtection])), [""; 0]);
    assert_eq!(of(issuing().purposes(&[ExtendedKeyUsage::ClientAuth])), [""; 0]);
    let server = server().without(oid::SUBJECT_ALT_NAME);
    assert_eq!(of(server), ["leaf:san:missing"]);
}

proptest::proptest! {
    #[test]
    fn no_bytes_make_it_panic(
        bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..80),
        at in 0_usize..400,
        byte in proptest::num::u8::ANY,
    ) {
        let made = Made { sent: vec![bytes.clone()], anchors: vec![bytes], hosts: vec![GeneralName::Dns(HOST.to_owned())] };
        made.codes();
        static CHAIN: std::sync::LazyLock<(Vec<u8>, Vec<u8>)> = std::sync::LazyLock::new(|| {
            let made = two(TestCert::ca("Root").permit(&["corp.test", "10.0.0.0/8"]), server());
            (made.sent[0].clone(), made.anchors[0].clone())
        });
        let (mut leaf, mut root) = CHAIN.clone();
        if let Some(place) = leaf.get_mut(at) {
            *place = byte;
        }
        if let Some(place) = root.get_mut(at) {
            *place = byte;
        }
        Made { sent: vec![leaf], anchors: vec![root], hosts: vec![GeneralName::Dns(HOST.to_owned())] }.codes();
    }
}
