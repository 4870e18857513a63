//! Verification of whole chains.

use time::Duration;
use time::macros::datetime;

use super::budget::Budget;
use super::chain::verify_chain_within;
use super::*;
use crate::lint::Severity;
use crate::lint::testing::{NOW, TestCa, TestCert, name};
use crate::x509::certificate::oid;
use crate::x509::{Certificate, Crl, ExtendedKeyUsage, GeneralName, KeyAlgorithm, KeyUsage, der};

mod bounds;
mod constraints;
mod indirect;
mod matrix;
mod pkits;
mod record;
mod revocation;
mod rustls;
mod signatures;

/// The input and options of one verification, under construction.
pub(in crate::verify) struct Case {
    leaf: Candidate,
    untrusted: Vec<Candidate>,
    anchors: Vec<Candidate>,
    crls: Vec<CandidateCrl>,
    options: VerifyOptions,
}

impl Case {
    pub(in crate::verify) fn new(leaf: Certificate, untrusted: &[&Certificate], anchors: &[&Certificate]) -> Self {
        let candidates = |file: &str, certificates: &[&Certificate]| {
            let position = |(index, certificate): (usize, &&Certificate)| {
                Candidate::new((*certificate).clone(), InputPosition::new(file, index + 1))
            };
            certificates.iter().enumerate().map(position).collect()
        };
        Self {
            leaf: Candidate::new(leaf, InputPosition::new("leaf.pem", 1)),
            untrusted: candidates("chain.pem", untrusted),
            anchors: candidates("roots.pem", anchors),
            crls: Vec::new(),
            options: VerifyOptions {
                at: NOW,
                purpose: Purpose::Any,
                names: Vec::new(),
                max_path_length: None,
                must_be_valid_until: None,
                check_revocation: false,
                strict: true,
                own_roots: false,
            },
        }
    }

    pub(in crate::verify) fn server(mut self, host: &str) -> Self {
        self.options.purpose = Purpose::Server;
        self.name(host)
    }

    pub(in crate::verify) fn client(self) -> Self {
        self.purpose(Purpose::Client)
    }

    pub(in crate::verify) fn purpose(mut self, purpose: Purpose) -> Self {
        self.options.purpose = purpose;
        self
    }

    pub(in crate::verify) fn name(mut self, name: &str) -> Self {
        self.options.names.push(name.parse().unwrap());
        self
    }

    pub(in crate::verify) fn at(mut self, at: time::OffsetDateTime) -> Self {
        self.options.at = at;
        self
    }

    pub(in crate::verify) fn most(mut self, most: u32) -> Self {
        self.options.max_path_length = Some(most);
        self
    }

    /// Lets clients decide about what is not path validation.
    pub(in crate::verify) fn by_clients(mut self) -> Self {
        self.options.strict = false;
        self
    }

    pub(in crate::verify) fn of_own_roots(mut self) -> Self {
        self.options.own_roots = true;
        self
    }

    pub(in crate::verify) fn crls(mut self, crls: &[&Crl]) -> Self {
        let position =
            |(index, crl): (usize, &&Crl)| CandidateCrl::new((*crl).clone(), InputPosition::new("ca.crl", index + 1));
        self.crls = crls.iter().enumerate().map(position).collect();
        self.options.check_revocation = true;
        self
    }

    pub(in crate::verify) fn verify(&self) -> Verdict {
        self.verify_and_count().0
    }

    /// Returns the verdict, and the budget that it spent.
    pub(in crate::verify) fn verify_and_count(&self) -> (Verdict, Budget) {
        let untrusted: Vec<_> = self.untrusted.iter().collect();
        let input = VerifyInput {
            leaf: &self.leaf,
            untrusted: &untrusted,
            anchors: &self.anchors,
            crls: &self.crls,
            revocations: None,
            signatures: &SignatureCache::default(),
        };
        let budget = Budget::default();
        let verdict = verify_chain_within(&budget, input, &self.options);
        // What clients decide is not compared with the rules of one other verifier, and the others know TLS alone.
        let is_compared =
            self.options.strict && (self.options.purpose.is_tls() || self.options.purpose == Purpose::Any);
        if let Some(folder) = std::env::var_os("CA_TEST_CHAINS").filter(|_| is_compared) {
            record::case(folder.as_ref(), input, &self.options, &verdict);
        }
        (verdict, budget)
    }

    /// Returns the codes of the errors; none when the chain is valid.
    pub(in crate::verify) fn errors(&self) -> Vec<&'static str> {
        let verdict = self.verify();
        let errors = verdict.problems.iter().filter(|problem| problem.severity == Severity::Error);
        let codes: Vec<_> = errors.map(|problem| problem.code).collect();
        assert_eq!(verdict.valid, codes.is_empty(), "{:?}", verdict.problems);
        codes
    }
}

/// A root, an intermediate and a server below it.
pub(in crate::verify) struct TestPki {
    root: TestCa,
    issuing: TestCa,
}

impl TestPki {
    pub(in crate::verify) fn new() -> Self {
        Self::with(TestCert::ca("Issuing CA"))
    }

    pub(in crate::verify) fn with(issuing: TestCert) -> Self {
        let root = TestCa::root();
        let issuing = root.subordinate(issuing);
        Self { root, issuing }
    }

    pub(in crate::verify) fn case(&self, leaf: TestCert) -> Case {
        Case::new(self.issuing.issue(leaf), &[&self.issuing.certificate], &[&self.root.certificate])
    }
}

pub(in crate::verify) fn server() -> TestCert {
    TestCert::server("web.corp.test")
}

/// A server certificate directly below this root.
pub(in crate::verify) fn below(root: TestCert) -> Case {
    let root = TestCa::self_signed(root);
    Case::new(root.issue(server()), &[], &[&root.certificate])
}

#[test]
fn a_sound_chain_is_valid_until_the_leaf_ends() {
    let verdict = TestPki::new().case(server()).server("web.corp.test").verify();
    assert!(verdict.valid, "{:?}", verdict.problems);
    assert_eq!(verdict.problems, []);
    assert_eq!(verdict.chain.iter().map(|link| link.role.name()).collect::<Vec<_>>(), ["leaf", "intermediate", "root"]);
    let until = verdict.until.unwrap();
    assert_eq!((until.at, until.what.as_str()), (datetime!(2026-04-01 0:00 UTC), "the leaf leaf.pem#1"));
}

#[test]
fn a_missing_intermediate_is_named_with_its_key_identifier() {
    let pki = TestPki::new();
    let case = Case::new(pki.issuing.issue(server()), &[], &[&pki.root.certificate]);
    let verdict = case.verify();
    let problem = &verdict.problems[0];
    assert_eq!(problem.code, "issuer-not-found");
    let key_id = crate::text::hex(pki.issuing.certificate.subject_key_id.as_ref().unwrap());
    assert!(problem.message.contains("CN=Issuing CA") && problem.message.contains(&key_id), "{}", problem.message);
}

#[test]
fn roots_of_strangers_and_self_signed_leaves_are_not_trusted() {
    let (pki, other) = (TestPki::new(), TestCa::self_signed(TestCert::ca("Other Root")));
    let leaf = pki.issuing.issue(server());
    let case = Case::new(leaf, &[&pki.issuing.certificate, &pki.root.certificate], &[&other.certificate]);
    assert_eq!(case.errors(), ["untrusted-root"]);
    let own = TestCa::self_signed(server());
    assert_eq!(Case::new(own.certificate, &[], &[&other.certificate]).errors(), ["self-signed-leaf"]);
}

/// As easy-rsa makes them: basicConstraints not critical, and a serial number in the authority key identifier.
#[test]
fn the_form_of_a_root_decides_unless_it_is_ones_own() {
    let cert = |name| {
        let own = der::value(der::OCTET_STRING, &[7; 20]);
        let authority = der::sequence(&[&der::value(0x80, &[7; 20]), &der::value(0x82, &[1])]);
        let cert =
            TestCert::ca(name).critical(oid::BASIC_CONSTRAINTS, false).extension(oid::SUBJECT_KEY_ID, false, own);
        cert.extension(oid::AUTHORITY_KEY_ID, false, authority)
    };
    let expected = ["ca-basic-constraints-not-critical", "authority-key-id-names-serial"];
    let root = TestCa::self_signed(cert("Root"));
    let mut case = Case::new(root.issue(server()), &[], &[&root.certificate]).server("web.corp.test");
    assert_eq!(case.errors(), expected);
    case.options.own_roots = true;
    assert_eq!(case.errors(), [""; 0]);
    let problems = case.verify().problems;
    assert_eq!(problems.iter().map(|problem| problem.code).collect::<Vec<_>>(), expected);
    assert!(problems.iter().all(|problem| problem.hint.contains("ca root renew")), "{problems:?}");
    // It names its own serial number, and so may what it issued: a renewed root would have another one.
    assert!(
        problems.iter().all(|problem| problem.hint.contains("openssl, python, node would refuse it")),
        "{problems:?}"
    );
    let plain = TestCa::self_signed(TestCert::ca("Root").critical(oid::BASIC_CONSTRAINTS, false));
    let mut case = Case::new(plain.issue(server()), &[], &[&plain.certificate]).server("web.corp.test");
    case.options.own_roots = true;
    assert_eq!(
        case.verify().problems[0].hint,
        "ca root renew makes the certificate of the root again, with the same key"
    );

    let issuing = root.subordinate(cert("Issuing CA"));
    let mut case = Case::new(issuing.issue(server()), &[&issuing.certificate], &[&root.certificate]);
    case.options.own_roots = true;
    assert_eq!(case.server("web.corp.test").errors(), expected, "an intermediate can be made again");
}

#[test]
fn the_order_of_the_file_and_a_root_in_it_do_not_matter() {
    let pki = TestPki::new();
    let leaf = pki.issuing.issue(server());
    let case = Case::new(leaf, &[&pki.root.certificate, &pki.issuing.certificate], &[&pki.root.certificate]);
    assert_eq!(case.server("web.corp.test").errors(), [""; 0]);
}

#[test]
fn dates_count_for_leaf_intermediate_and_root() {
    let pki = TestPki::new();
    let second = Duration::SECOND;
    for (at, expected) in [
        (datetime!(2026-03-31 23:59:59 UTC), &[][..]),
        (datetime!(2026-04-01 0:00 UTC), &["expired"]),
        (datetime!(2026-01-01 0:00 UTC) - second, &["not-yet-valid"]),
        (datetime!(2040-01-01 0:00 UTC), &["expired", "expired", "expired"]),
    ] {
        assert_eq!(pki.case(server()).at(at).errors(), expected, "{at}");
    }
    let verdict = pki.case(server()).at(datetime!(2026-04-02 0:00 UTC)).verify();
    assert!(verdict.problems[0].message.contains("1 day"), "{}", verdict.problems[0].message);
    assert_eq!(verdict.until, None);
}

#[test]
fn a_yes_that_ends_too_soon_is_a_no_when_asked() {
    let mut case = TestPki::new().case(server());
    case.options.must_be_valid_until = Some(NOW + Duration::days(30));
    assert_eq!(case.errors(), [""; 0]);
    case.options.must_be_valid_until = Some(NOW + Duration::days(90));
    assert_eq!(case.errors(), ["ends-too-soon"]);
}

#[test]
fn a_yes_that_ends_too_soon_names_what_ends_first() {
    let soon = (datetime!(2025-01-01 0:00 UTC), NOW + Duration::days(10));
    let asked = |pki: TestPki, leaf: TestCert| {
        let mut case = pki.case(leaf);
        case.options.must_be_valid_until = Some(NOW + Duration::days(30));
        case.verify().problems.remove(0)
    };
    let of_leaf = asked(TestPki::new(), server().validity(soon.0, soon.1));
    assert_eq!((of_leaf.code, of_leaf.certificate.to_string().as_str()), ("ends-too-soon", "leaf.pem#1"));
    assert!(of_leaf.hint.contains("ca renew NAME"), "{}", of_leaf.hint);
    let of_ca = asked(TestPki::with(TestCert::ca("Issuing CA").validity(soon.0, soon.1)), server());
    assert_eq!((of_ca.code, of_ca.certificate.to_string().as_str()), ("ends-too-soon", "chain.pem#1"));
    assert!(of_ca.hint.contains("renew this CA first"), "{}", of_ca.hint);
    let of_sub_ca = asked(TestPki::new(), TestCert::ca("Sub CA").validity(soon.0, soon.1));
    assert!(of_sub_ca.hint.contains("renew this CA first"), "{}", of_sub_ca.hint);
    // What is wrong already does not end.
    let mut case = TestPki::new().case(server()).at(datetime!(2026-04-01 0:00 UTC));
    case.options.must_be_valid_until = Some(datetime!(2027-01-01 0:00 UTC));
    assert_eq!(case.errors(), ["expired"]);
}

#[test]
fn what_is_objected_afterwards_turns_a_yes_into_a_no_and_a_warning_does_not() {
    let verify = || TestPki::new().case(server()).verify();
    let leaf = Candidate::new(TestPki::new().root.certificate, InputPosition::new("a", 1));
    let mut warned = verify();
    warned.add_problems([Problem::warning(&served::SUPERSEDED, &leaf, "")]);
    assert!(warned.valid && warned.until.is_some() && warned.problems.len() == 1);
    let mut refused = verify();
    refused.add_problems([Problem::error(&served::KEY_NOT_PROVED, &leaf, "")]);
    assert!(!refused.valid && refused.until.is_none());
}

#[test]
fn of_several_paths_the_one_with_the_fewest_faults_is_explained() {
    let root = TestCa::root();
    let past = |cert: TestCert| cert.validity(datetime!(2020-01-01 0:00 UTC), datetime!(2021-01-01 0:00 UTC));
    let issuing = root.subordinate(past(TestCert::ca("Issuing CA")));
    let worse = past(TestCert::ca("Issuing CA").key_usage(KeyUsage::CRL_SIGN)).with_key(&issuing.key);
    let (leaf, worse) = (issuing.issue(server()), root.issue(worse));
    for chain in [[&issuing.certificate, &worse], [&worse, &issuing.certificate]] {
        assert_eq!(Case::new(leaf.clone(), &chain, &[&root.certificate]).errors(), ["expired"]);
    }
}

/// RFC 5280 §6.1.3 (a) (4): the names chain too, and not the keys alone.
#[test]
fn a_key_under_another_name_is_no_issuer() {
    let root = TestCa::root();
    let renamed = TestCa::self_signed(TestCert::ca("Renamed").with_key(&root.key));
    assert_eq!(Case::new(root.issue(server()), &[], &[&renamed.certificate]).errors(), ["issuer-not-found"]);
    let pki = TestPki::new();
    let renamed = pki.root.issue(TestCert::ca("Renamed").with_key(&pki.issuing.key));
    let leaf = pki.issuing.issue(server());
    assert_eq!(Case::new(leaf, &[&renamed], &[&pki.root.certificate]).errors(), ["issuer-not-found"]);
}

/// RFC 4158 §5.2: a loop is the same name and the same key; two CAs may share the one or the other.
#[test]
fn two_cas_of_one_key_are_no_loop() {
    let root = TestCa::root();
    let one = root.subordinate(TestCert::ca("One"));
    let two = one.subordinate(TestCert::ca("Two").with_key(&one.key));
    let chain = [&two.certificate, &one.certificate];
    assert_eq!(Case::new(two.issue(server()), &chain, &[&root.certificate]).errors(), [""; 0]);
}

#[test]
fn a_ca_that_leads_nowhere_does_not_end_the_search() {
    let (root, namesake) = (TestCa::root(), TestCa::root());
    let issuing = root.subordinate(TestCert::ca("Issuing CA"));
    let nowhere = namesake.issue(TestCert::ca("Issuing CA").with_key(&issuing.key));
    let leaf = issuing.issue(server());
    for chain in [[&nowhere, &issuing.certificate], [&issuing.certificate, &nowhere]] {
        assert_eq!(Case::new(leaf.clone(), &chain, &[&root.certificate]).errors(), [""; 0]);
    }
}

/// RFC 4158 §3.5.12: the key identifier is a hint, and saves signatures.
#[test]
fn of_a_crowd_of_one_name_the_key_identifier_finds_the_issuer() {
    let root = TestCa::root();
    let crowd: Vec<_> = (0..20).map(|_| root.subordinate(TestCert::ca("Issuing CA"))).collect();
    let chain: Vec<_> = crowd.iter().map(|ca| &ca.certificate).collect();
    for right in [0, 10, 19] {
        let case = Case::new(crowd[right].issue(server()), &chain, &[&root.certificate]);
        let (verdict, budget) = case.verify_and_count();
        assert!(verdict.valid);
        assert_eq!(budget.spent()[0], 2, "that of the leaf and that of its issuer");
    }
}

#[test]
fn every_name_asked_for_must_be_there_and_the_nearest_is_shown() {
    let pki = TestPki::new();
    let names = || server().names(&["web.corp.test", "*.apps.corp.test", "10.0.0.1", "ops@corp.test"]);
    for good in ["web.corp.test", "a.apps.corp.test", "10.0.0.1", "ops@CORP.test"] {
        assert_eq!(pki.case(names()).name(good).errors(), [""; 0], "{good}");
    }
    for bad in ["wob.corp.test", "apps.corp.test", "a.b.apps.corp.test", "10.0.0.2", "OPS@corp.test"] {
        assert_eq!(pki.case(names()).name("web.corp.test").name(bad).errors(), ["name-mismatch"], "{bad}");
    }
    let verdict = pki.case(names()).name("wob.corp.test").verify();
    assert!(verdict.problems[0].message.contains("but for dns:web.corp.test"));
    let no_names = pki.case(server().without(oid::SUBJECT_ALT_NAME)).name("web.corp.test");
    assert!(no_names.verify().problems[0].message.contains("clients ignore its common name web.corp.test"));
    let address_as_dns = server().general_names(&[GeneralName::Dns("8.8.8.8".to_owned())]);
    assert!(pki.case(address_as_dns).name("8.8.8.8").verify().problems[0].message.contains("only as dns:8.8.8.8"));
}

#[test]
fn certificates_stay_on_their_side() {
    let pki = TestPki::new();
    assert_eq!(pki.case(TestCert::client("alice")).client().errors(), [""; 0]);
    assert_eq!(pki.case(server()).client().errors(), ["wrong-purpose"]);
    let client = TestCert::client("web.corp.test").names(&["web.corp.test"]);
    let verdict = pki.case(client).server("web.corp.test").verify();
    assert!(verdict.problems[0].message.contains("this is a client certificate"));
    let limited = TestPki::with(TestCert::ca("Clients").purposes(&[ExtendedKeyUsage::ClientAuth]));
    assert_eq!(limited.case(server()).server("web.corp.test").errors(), ["wrong-purpose"]);
    assert_eq!(limited.case(server()).errors(), [""; 0]);
}

#[test]
fn only_cas_issue() {
    let pki = TestPki::with(server());
    assert_eq!(pki.case(server()).errors(), ["not-a-ca", "issuer-without-key-cert-sign"]);
    let pki = TestPki::with(TestCert::ca("A").key_usage(KeyUsage::CRL_SIGN));
    assert_eq!(pki.case(server()).errors(), ["issuer-without-key-cert-sign"]);
    let root = TestCa::self_signed(TestCert::ca("Root").without(oid::BASIC_CONSTRAINTS).without(oid::KEY_USAGE));
    assert_eq!(Case::new(root.issue(server()), &[], &[&root.certificate]).errors(), ["not-a-ca"]);
}

#[test]
fn a_ca_is_no_server() {
    let pki = TestPki::new();
    let cert = TestCert::ca("web.corp.test").names(&["web.corp.test"]);
    assert_eq!(pki.case(cert).server("web.corp.test").errors(), ["ca-as-leaf"]);
    assert_eq!(pki.case(TestCert::ca("Sub")).errors(), [""; 0]);
}

#[test]
fn the_form_that_tls_asks_for_is_a_warning_for_path_validation_alone() {
    let pki = TestPki::new();
    let cert = || server().without(oid::AUTHORITY_KEY_ID);
    assert_eq!(pki.case(cert()).server("web.corp.test").errors(), ["authority-key-id-missing"]);
    let verdict = pki.case(cert()).verify();
    assert!(verdict.valid);
    assert_eq!(verdict.problems[0].code, "authority-key-id-missing");
    let doubled = server().again(oid::KEY_USAGE, true, vec![3, 2, 7, 0x80]);
    assert_eq!(pki.case(doubled).errors(), ["extension-malformed"]);
}

#[test]
fn a_common_name_in_another_spelling_is_refused_for_servers() {
    let pki = TestPki::new();
    let cert = |common_name: &str| {
        TestCert::server("web.corp.test").subject(&name(common_name)).names(&["web.corp.test", "10.0.0.1"])
    };
    for (common_name, expected) in [
        ("web.corp.test", &[][..]),
        ("10.0.0.1", &[]),
        ("Web server of ACME", &[]),
        ("0x0a000001", &["common-name-spelling"]),
        ("WEB.corp.test", &["common-name-spelling"]),
    ] {
        assert_eq!(pki.case(cert(common_name)).server("web.corp.test").errors(), expected, "{common_name}");
    }
    assert_eq!(pki.case(cert("0x0a000001")).errors(), [""; 0]);
}

#[test]
fn a_policy_that_is_demanded_must_hold_from_top_to_bottom() {
    use crate::lint::testing::object_identifier;
    use crate::x509::der;
    let policies = |cert: TestCert, oids: &[&str]| {
        let parts: Vec<_> = oids.iter().map(|oid| der::sequence(&[&object_identifier(oid)])).collect();
        cert.extension(
            oid::CERTIFICATE_POLICIES,
            false,
            der::sequence(&parts.iter().map(Vec::as_slice).collect::<Vec<_>>()),
        )
    };
    let demanding = |cert: TestCert| {
        cert.extension(oid::POLICY_CONSTRAINTS, true, der::sequence(&[&der::value(der::context(0), &[0])]))
    };
    let (one, two, any) = ("1.2.3.1", "1.2.3.2", "2.5.29.32.0");
    let case = |ca: TestCert, leaf: TestCert| TestPki::with(demanding(ca)).case(leaf).errors();
    let refused = ["policy-not-satisfied"];
    assert_eq!(case(policies(TestCert::ca("A"), &[one]), policies(server(), &[one])), [""; 0]);
    assert_eq!(case(policies(TestCert::ca("A"), &[any]), policies(server(), &[two])), [""; 0]);
    assert_eq!(case(policies(TestCert::ca("A"), &[one]), policies(server(), &[two])), refused);
    assert_eq!(case(policies(TestCert::ca("A"), &[one]), server()), refused);
    assert_eq!(case(TestCert::ca("A"), policies(server(), &[one])), refused);
    let mapping = der::sequence(&[&der::sequence(&[&object_identifier(one), &object_identifier(two)])]);
    let mapped = || policies(TestCert::ca("A"), &[one]).extension(oid::POLICY_MAPPINGS, true, mapping.clone());
    assert_eq!(case(mapped(), policies(server(), &[two])), [""; 0]);
    assert_eq!(case(mapped(), policies(server(), &[one])), refused);
    let no_any = policies(TestCert::ca("A"), &[one]).extension(oid::INHIBIT_ANY_POLICY, true, vec![2, 1, 0]);
    assert_eq!(case(no_any, policies(server(), &[any])), refused);
}

#[test]
fn rsa_and_every_curve_make_valid_chains() {
    for algorithm in [KeyAlgorithm::EcdsaP384, KeyAlgorithm::EcdsaP521, KeyAlgorithm::Ed25519, KeyAlgorithm::Rsa2048] {
        let pki = TestPki::with(TestCert::ca("A").algorithm(algorithm));
        assert_eq!(pki.case(server()).server("web.corp.test").errors(), [""; 0], "{algorithm}");
    }
}

#[test]
fn a_crowd_of_cross_signed_cas_is_answered() {
    let cas: Vec<_> = (0..24).map(|index| TestCa::self_signed(TestCert::ca(&format!("CA {index}")))).collect();
    let mut crowd = Vec::new();
    for (index, ca) in cas.iter().enumerate() {
        for other in cas.iter().skip(index + 1).take(8) {
            let named = |ca: &TestCa| TestCert::ca("x").subject(ca.certificate.subject.as_der()).with_key(&ca.key);
            crowd.push(other.issue(named(ca)));
            crowd.push(ca.issue(named(other)));
        }
    }
    let crowd: Vec<_> = crowd.iter().collect();
    let leaf = cas[0].issue(server());
    assert_eq!(Case::new(leaf.clone(), &crowd, &[&cas[23].certificate]).errors(), [""; 0]);
    assert!(!Case::new(leaf, &crowd, &[&TestCa::root().certificate]).verify().valid);
}

#[test]
fn no_altered_byte_of_a_leaf_leads_to_a_yes_or_a_panic() {
    let pki = TestPki::new();
    let leaf = pki.issuing.issue_der(&server());
    for at in 0..leaf.len() {
        for bit in [1_u8, 0x80] {
            let mut altered = leaf.clone();
            altered[at] ^= bit;
            if let Ok(certificate) = Certificate::from_der(&altered) {
                let case = Case::new(certificate, &[&pki.issuing.certificate], &[&pki.root.certificate]);
                assert!(!case.verify().valid, "byte {at}");
            }
        }
    }
}

proptest::proptest! {
    #[test]
    fn garbled_certificates_never_panic(flips in proptest::collection::vec((0_usize..600, 0_u8..=255), 1..8)) {
        let pki = TestPki::new();
        let mut bytes = pki.issuing.issue_der(&server());
        for (at, value) in flips {
            if let Some(byte) = bytes.get_mut(at) {
                *byte = value;
            }
        }
        if let Ok(certificate) = Certificate::from_der(&bytes) {
            for profile in crate::lint::LintProfile::ALL {
                crate::lint::check(&certificate, Some(&pki.issuing.certificate), profile);
            }
            let case = Case::new(certificate.clone(), &[&certificate], &[&pki.root.certificate, &certificate]);
            case.server("web.corp.test").verify();
        }
    }
}

/// RFC 5280 §4.2.1.1: only what is signed with its own key may be without the identifier of that key.
#[test]
fn an_anchor_without_authority_key_id_has_to_be_signed_with_its_own_key() {
    let root = TestCa::self_signed(TestCert::ca("Test Root").without(oid::AUTHORITY_KEY_ID));
    let below = root.subordinate(TestCert::ca("Issuing CA").without(oid::AUTHORITY_KEY_ID));
    let errors = |anchor: &TestCa| {
        Case::new(anchor.issue(server()), &[], &[&anchor.certificate]).server("web.corp.test").errors()
    };
    assert_eq!(errors(&root), [""; 0]);
    assert_eq!(errors(&below), [crate::lint::rules::authority_key_id::RULE.code]);
}
