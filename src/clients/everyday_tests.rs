//! Everyday chains with one oddity or two. Each is served by `tests/suite/everyday.rs` to real clients, whose answers are
//! compared with the prediction. `CA_TEST_EVERYDAY` names the folder that gets the chains, `CA_TEST_EVERY_PAIR` asks for all pairs.

use std::path::Path;

use serde_json::json;
use time::{Duration, OffsetDateTime};

use super::fact::Fact;
use super::predict::Outcome;
use super::table::Basis;
use super::{ClientChoice, Signed, Situation, facts, predict, table};
use crate::keys::PrivateKey;
use crate::lint::testing::{TestCa, TestCert, empty_name, name, object_identifier};
use crate::x509::certificate::oid;
use crate::x509::{Certificate, ExtendedKeyUsage, GeneralName, KeyAlgorithm, KeyUsage, der, pem};

const HOST: &str = "srv.corp.test";
const NETSCAPE_TYPE: &str = "2.16.840.1.113730.1.1";

/// What a chain is made of.
struct Parts {
    root: TestCert,
    intermediate: TestCert,
    leaf: TestCert,
    host: &'static str,
    leaf_key: Option<KeyAlgorithm>,
    root_key: Option<KeyAlgorithm>,
    sent: Sent,
    now: OffsetDateTime,
}

/// What the server sends.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sent {
    Path,
    RootToo,
    IntermediateTwice,
    AnotherCa,
    ExpiredTwin,
    TwinOfOtherKey,
    /// This number of further intermediates.
    Longer(u8),
}

/// One oddity. Two of one slot do not go together.
struct Oddity {
    name: &'static str,
    slot: &'static str,
    change: fn(Parts) -> Parts,
}

impl Parts {
    fn new(now: OffsetDateTime, kind: KeyAlgorithm) -> Self {
        let days = |before: i64, after: i64| (now - Duration::days(before), now + Duration::days(after));
        let ca = |name: &str, serial: u8| {
            let (from, until) = days(300, 2000);
            TestCert::ca(name).serial(&[serial]).validity(from, until)
        };
        let (from, until) = days(2, 80);
        // NSS asks RSA keys for both bits.
        let usage = KeyUsage::DIGITAL_SIGNATURE;
        let usage = if kind == KeyAlgorithm::Rsa2048 { usage.union(KeyUsage::KEY_ENCIPHERMENT) } else { usage };
        Self {
            root: ca("Everyday Root", 1),
            intermediate: ca("Everyday Issuing", 2),
            leaf: TestCert::server(HOST).serial(&[3]).validity(from, until).key_usage(usage),
            host: HOST,
            leaf_key: None,
            root_key: None,
            sent: Sent::Path,
            now,
        }
    }

    fn leaf(self, change: impl FnOnce(TestCert) -> TestCert) -> Self {
        Self { leaf: change(self.leaf), ..self }
    }

    fn intermediate(self, change: impl FnOnce(TestCert) -> TestCert) -> Self {
        Self { intermediate: change(self.intermediate), ..self }
    }

    fn root(self, change: impl FnOnce(TestCert) -> TestCert) -> Self {
        Self { root: change(self.root), ..self }
    }

    /// A leaf with these alternative names, of which the client wants `host`.
    fn names(self, names: &[GeneralName], host: &'static str) -> Self {
        Self { host, ..self.leaf(|leaf| leaf.general_names(names)) }
    }
}

fn dns(name: &str) -> GeneralName {
    GeneralName::Dns(name.to_owned())
}

fn policies(of: &[&str]) -> Vec<u8> {
    let policies: Vec<_> = of.iter().map(|policy| der::sequence(&[&object_identifier(policy)])).collect();
    der::sequence(&policies.iter().map(Vec::as_slice).collect::<Vec<_>>())
}

/// A list with one address of a CRL.
fn distribution_point() -> Vec<u8> {
    let address = der::value(der::context(6), b"http://crl.corp.test/ca.crl");
    let full_name = der::value(der::context_constructed(0), &address);
    der::sequence(&[&der::sequence(&[&der::value(der::context_constructed(0), &full_name)])])
}

fn other_key_id() -> Vec<u8> {
    der::sequence(&[&der::value(der::context(0), &[7; 20])])
}

macro_rules! oddities {
    ($($name:literal in $slot:literal: $change:expr;)+) => {
        static ODDITIES: &[Oddity] = &[$(Oddity { name: $name, slot: $slot, change: $change }),+];
    };
}

oddities! {
    "leaf without AKI" in "leaf aki": |it| it.leaf(|leaf| leaf.without(oid::AUTHORITY_KEY_ID));
    "leaf with another AKI" in "leaf aki": |it| it.leaf(|leaf| leaf.extension(oid::AUTHORITY_KEY_ID, false, other_key_id()));
    "leaf with critical AKI" in "leaf aki": |it| it.leaf(|leaf| leaf.critical(oid::AUTHORITY_KEY_ID, true));
    "leaf without SKI" in "leaf ski": |it| it.leaf(|leaf| leaf.without(oid::SUBJECT_KEY_ID));
    "leaf without key usage" in "leaf ku": |it| it.leaf(|leaf| leaf.without(oid::KEY_USAGE));
    "leaf whose key usage is not critical" in "leaf ku": |it| it.leaf(|leaf| leaf.critical(oid::KEY_USAGE, false));
    "leaf that only signs" in "leaf ku": |it| it.leaf(|leaf| leaf.key_usage(KeyUsage::DIGITAL_SIGNATURE));
    "leaf that also signs certificates" in "leaf ku":
        |it| it.leaf(|leaf| leaf.key_usage(KeyUsage::DIGITAL_SIGNATURE.union(KeyUsage::KEY_CERT_SIGN)));
    "leaf without purposes" in "leaf eku": |it| it.leaf(|leaf| leaf.without(oid::EXTENDED_KEY_USAGE));
    "leaf for clients" in "leaf eku": |it| it.leaf(|leaf| leaf.purposes(&[ExtendedKeyUsage::ClientAuth]));
    "leaf for any purpose" in "leaf eku": |it| it.leaf(|leaf| leaf.purposes(&[ExtendedKeyUsage::Any]));
    "leaf with critical purposes" in "leaf eku": |it| it.leaf(|leaf| leaf.critical(oid::EXTENDED_KEY_USAGE, true));
    "leaf without alternative names" in "leaf san": |it| it.leaf(|leaf| leaf.without(oid::SUBJECT_ALT_NAME));
    "leaf with critical alternative names" in "leaf san": |it| it.leaf(|leaf| leaf.critical(oid::SUBJECT_ALT_NAME, true));
    "leaf with the name of another" in "leaf san": |it| it.names(&[dns("other.corp.test")], HOST);
    "leaf with a wildcard" in "leaf san": |it| it.names(&[dns("*.corp.test")], HOST);
    "leaf with a part of a label" in "leaf san": |it| it.names(&[dns("s*.corp.test")], HOST);
    "leaf with a trailing dot" in "leaf san": |it| it.names(&[dns("srv.corp.test.")], HOST);
    "leaf with upper case" in "leaf san": |it| it.names(&[dns("SRV.Corp.test")], HOST);
    "leaf with an underscore" in "leaf san": |it| it.names(&[dns("my_srv.corp.test")], "my_srv.corp.test");
    "leaf with an address" in "leaf san": |it| it.names(&["127.0.0.1".parse().unwrap()], "127.0.0.1");
    "leaf with an address as DNS name" in "leaf san": |it| it.names(&[dns("127.0.0.1")], "127.0.0.1");
    "leaf with a URI too" in "leaf san": |it| it.names(&[dns(HOST), "uri:spiffe://corp.test/db".parse().unwrap()], HOST);
    "leaf without subject" in "leaf subject": |it| it.leaf(|leaf| leaf.subject(&empty_name()));
    "leaf named otherwise" in "leaf subject": |it| it.leaf(|leaf| leaf.subject(&name("db")));
    "leaf with serial 0" in "leaf serial": |it| it.leaf(|leaf| leaf.serial(&[0]));
    "leaf with a negative serial" in "leaf serial": |it| it.leaf(|leaf| leaf.serial(&[0x80, 3]));
    "leaf with a long serial" in "leaf serial": |it| it.leaf(|leaf| leaf.serial(&[1; 21]));
    "leaf with a policy twice" in "leaf policies":
        |it| it.leaf(|leaf| leaf.extension(oid::CERTIFICATE_POLICIES, false, policies(&["1.3.6.1.4.1.99.1", "1.3.6.1.4.1.99.1"])));
    "leaf with a critical policy" in "leaf policies":
        |it| it.leaf(|leaf| leaf.extension(oid::CERTIFICATE_POLICIES, true, policies(&["1.3.6.1.4.1.99.1"])));
    "leaf with a critical extension" in "leaf more": |it| it.leaf(|leaf| leaf.extension("1.2.3", true, der::value(der::NULL, &[])));
    "leaf with an unknown extension" in "leaf more": |it| it.leaf(|leaf| leaf.extension("1.2.3", false, der::value(der::NULL, &[])));
    "leaf with a critical CRL address" in "leaf more":
        |it| it.leaf(|leaf| leaf.extension(oid::CRL_DISTRIBUTION_POINTS, true, distribution_point()));
    "leaf of Netscape type client" in "leaf more":
        |it| it.leaf(|leaf| leaf.extension(NETSCAPE_TYPE, false, vec![der::BIT_STRING, 2, 7, 0x80]));
    "leaf that is a CA" in "leaf bc": |it| it.leaf(|leaf| leaf.basic_constraints(true, None));
    "leaf that says it is not a CA" in "leaf bc": |it| it.leaf(|leaf| leaf.basic_constraints(false, None));
    "expired leaf" in "leaf dates": |it| { let now = it.now; it.leaf(|leaf| leaf.validity(now - Duration::days(90), now - Duration::DAY)) };
    "leaf of the future" in "leaf dates": |it| { let now = it.now; it.leaf(|leaf| leaf.validity(now + Duration::DAY, now + Duration::days(90))) };
    "leaf for 830 days" in "leaf dates": |it| { let now = it.now; it.leaf(|leaf| leaf.validity(now - Duration::DAY, now + Duration::days(829))) };
    "leaf until 2060" in "leaf dates": |it| { let now = it.now; it.leaf(|leaf| leaf.validity(now - Duration::DAY, now + Duration::days(12_500))) };
    "Ed25519 leaf" in "leaf key": |it| Parts { leaf_key: Some(KeyAlgorithm::Ed25519), ..it };
    "P-521 leaf" in "leaf key": |it| Parts { leaf_key: Some(KeyAlgorithm::EcdsaP521), ..it };
    "badly signed leaf" in "leaf signature": |it| it.leaf(TestCert::badly_signed);
    "intermediate without AKI" in "issuer aki": |it| it.intermediate(|ca| ca.without(oid::AUTHORITY_KEY_ID));
    "intermediate with another AKI" in "issuer aki": |it| it.intermediate(|ca| ca.extension(oid::AUTHORITY_KEY_ID, false, other_key_id()));
    "intermediate without SKI" in "issuer ski": |it| it.intermediate(|ca| ca.without(oid::SUBJECT_KEY_ID));
    "intermediate whose CA bit is not critical" in "issuer bc": |it| it.intermediate(|ca| ca.critical(oid::BASIC_CONSTRAINTS, false));
    "intermediate that is not a CA" in "issuer bc": |it| it.intermediate(|ca| ca.basic_constraints(false, None));
    "intermediate of path length 0" in "issuer bc": |it| it.intermediate(|ca| ca.path_length(0));
    "intermediate without key usage" in "issuer ku": |it| it.intermediate(|ca| ca.without(oid::KEY_USAGE));
    "intermediate whose key usage is not critical" in "issuer ku": |it| it.intermediate(|ca| ca.critical(oid::KEY_USAGE, false));
    "intermediate that signs CRLs" in "issuer ku": |it| it.intermediate(|ca| ca.key_usage(KeyUsage::CRL_SIGN));
    "intermediate for servers" in "issuer eku": |it| it.intermediate(|ca| ca.purposes(&[ExtendedKeyUsage::ServerAuth]));
    "intermediate for clients" in "issuer eku": |it| it.intermediate(|ca| ca.purposes(&[ExtendedKeyUsage::ClientAuth]));
    "intermediate that permits the domain" in "issuer nc": |it| it.intermediate(|ca| ca.permit(&["corp.test"]));
    "intermediate that permits another domain" in "issuer nc": |it| it.intermediate(|ca| ca.permit(&["other.test"]));
    "intermediate that excludes the domain" in "issuer nc": |it| it.intermediate(|ca| ca.exclude(&["corp.test"]));
    "intermediate that excludes another domain" in "issuer nc": |it| it.intermediate(|ca| ca.exclude(&["other.test"]));
    "intermediate whose constraints are not critical" in "issuer nc":
        |it| it.intermediate(|ca| ca.permit(&["corp.test"]).critical(oid::NAME_CONSTRAINTS, false));
    "intermediate that inhibits any policy" in "issuer policies":
        |it| it.intermediate(|ca| ca.extension(oid::INHIBIT_ANY_POLICY, true, der::value(der::INTEGER, &[0])));
    "expired intermediate" in "issuer dates": |it| { let now = it.now; it.intermediate(|ca| ca.validity(now - Duration::days(90), now - Duration::DAY)) };
    "root without key usage" in "root ku": |it| it.root(|root| root.without(oid::KEY_USAGE));
    "root whose key usage is not critical" in "root ku": |it| it.root(|root| root.critical(oid::KEY_USAGE, false));
    "root that signs CRLs" in "root ku": |it| it.root(|root| root.key_usage(KeyUsage::CRL_SIGN));
    "root without SKI" in "root ski": |it| it.root(|root| root.without(oid::SUBJECT_KEY_ID));
    "root whose CA bit is not critical" in "root bc": |it| it.root(|root| root.critical(oid::BASIC_CONSTRAINTS, false));
    "root without CA bit" in "root bc": |it| it.root(|root| root.without(oid::BASIC_CONSTRAINTS));
    "root of path length 0" in "root bc": |it| it.root(|root| root.path_length(0));
    "root for clients" in "root eku": |it| it.root(|root| root.purposes(&[ExtendedKeyUsage::ClientAuth]));
    "root that permits the domain" in "root nc": |it| it.root(|root| root.permit(&["corp.test"]));
    "root that permits another domain" in "root nc": |it| it.root(|root| root.permit(&["other.test"]));
    "expired root" in "root dates": |it| { let now = it.now; it.root(|root| root.validity(now - Duration::days(900), now - Duration::DAY)) };
    "root with a negative serial" in "root serial": |it| it.root(|root| root.serial(&[0x80, 1]));
    "Ed25519 root" in "root key": |it| Parts { root_key: Some(KeyAlgorithm::Ed25519), ..it };
    "the root is sent" in "sent": |it| Parts { sent: Sent::RootToo, ..it };
    "the intermediate is sent twice" in "sent": |it| Parts { sent: Sent::IntermediateTwice, ..it };
    "another CA is sent" in "sent": |it| Parts { sent: Sent::AnotherCa, ..it };
    "an expired twin of the intermediate is sent first" in "sent": |it| Parts { sent: Sent::ExpiredTwin, ..it };
    "an intermediate of the same name and another key is sent first" in "sent": |it| Parts { sent: Sent::TwinOfOtherKey, ..it };
    "a path of seven below the root" in "sent": |it| Parts { sent: Sent::Longer(5), ..it };
}

/// Pairs that clients answered otherwise than the facts of both oddities say: they have words of their own.
const TELLING: [(&str, &str); 7] = [
    ("leaf without AKI", "an intermediate of the same name and another key is sent first"),
    ("leaf without SKI", "leaf that is a CA"),
    ("leaf with an address", "intermediate that permits another domain"),
    ("intermediate with another AKI", "the intermediate is sent twice"),
    ("intermediate with another AKI", "another CA is sent"),
    ("root without key usage", "root without CA bit"),
    ("expired root", "another CA is sent"),
];

/// The keys of all chains of one variant.
struct Keys {
    kind: KeyAlgorithm,
    root: PrivateKey,
    intermediate: PrivateKey,
    other: PrivateKey,
    leaf: PrivateKey,
    special: Vec<PrivateKey>,
}

impl Keys {
    fn new(kind: KeyAlgorithm) -> Self {
        let key = || PrivateKey::generate(kind).unwrap();
        let special = [KeyAlgorithm::Ed25519, KeyAlgorithm::EcdsaP521];
        Self {
            kind,
            root: key(),
            intermediate: key(),
            other: key(),
            leaf: key(),
            special: special.map(|kind| PrivateKey::generate(kind).unwrap()).into(),
        }
    }

    fn choose<'k>(&'k self, usual: &'k PrivateKey, wanted: Option<KeyAlgorithm>) -> &'k PrivateKey {
        wanted.and_then(|wanted| self.special.iter().find(|key| key.algorithm() == Some(wanted))).unwrap_or(usual)
    }
}

/// A chain, as it is served and trusted.
struct Chain {
    sent: Vec<Vec<u8>>,
    root: Vec<u8>,
    key: String,
    host: &'static str,
}

impl Chain {
    fn of(parts: Parts, keys: &Keys) -> Self {
        let Parts { root, intermediate, leaf, host, leaf_key, root_key, sent, now } = parts;
        let leaf_key = keys.choose(&keys.leaf, leaf_key);
        let root = TestCa::self_signed(root.with_key(keys.choose(&keys.root, root_key)));
        let der = |ca: &TestCa| ca.certificate.as_der().to_vec();
        let twin = |key: &PrivateKey| {
            TestCert::ca("Everyday Issuing")
                .serial(&[9])
                .validity(now - Duration::days(300), now + Duration::days(900))
                .with_key(key)
        };
        let first = root.subordinate(intermediate.with_key(&keys.intermediate));
        let mut above = vec![der(&first)];
        let mut issuer = first;
        if let Sent::Longer(more) = sent {
            for number in 0..more {
                let (from, until) = (now - Duration::days(300), now + Duration::days(2000));
                let ca = TestCert::ca(&format!("Everyday CA {number}")).serial(&[20 + number]).validity(from, until);
                issuer = issuer.subordinate(ca.with_key(&keys.intermediate));
                above.insert(0, der(&issuer));
            }
        }
        let leaf = issuer.issue_der(&leaf.with_key(leaf_key));
        match sent {
            Sent::Path | Sent::Longer(_) => {}
            Sent::RootToo => above.push(der(&root)),
            Sent::IntermediateTwice => above.push(above[0].clone()),
            Sent::AnotherCa => above.push(root.issue_der(&twin(&keys.other).subject(&name("Unused CA")))),
            Sent::ExpiredTwin => {
                let expired = twin(&keys.intermediate).validity(now - Duration::days(90), now - Duration::DAY);
                above.insert(0, root.issue_der(&expired));
            }
            Sent::TwinOfOtherKey => above.insert(0, root.issue_der(&twin(&keys.other))),
        }
        above.insert(0, leaf);
        Self { sent: above, root: der(&root), key: pem::encode("PRIVATE KEY", leaf_key.as_pkcs8()), host }
    }

    fn facts(&self, at: OffsetDateTime) -> Vec<Fact> {
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
        let hosts = [self.host.parse().unwrap_or_else(|_| dns(self.host))];
        facts(&Situation {
            sent: &sent,
            anchors: &[&self.root],
            path: None,
            hosts: &hosts,
            at,
            is_signed_by: &is_signed_by,
        })
    }
}

/// Writes a chain, and what each version of each measured client is predicted to say of it.
fn write(folder: &Path, id: usize, what: &str, chain: &Chain, at: OffsetDateTime) {
    let text = |certificates: &[Vec<u8>]| certificates.iter().map(|der| pem::certificate(der)).collect::<String>();
    std::fs::write(folder.join(format!("{id}.chain.pem")), text(&chain.sent)).unwrap();
    std::fs::write(folder.join(format!("{id}.root.pem")), text(std::slice::from_ref(&chain.root))).unwrap();
    std::fs::write(folder.join(format!("{id}.key.pem")), &chain.key).unwrap();
    let found = chain.facts(at);
    let measured = table().clients().iter().filter(|client| client.basis == Basis::Measured);
    let predictions = measured.map(|client| {
        let of = |version: &String| {
            let choice = ClientChoice { client, version: Some(version.clone()) };
            let (verdict, because) = match predict(table(), &found, &choice).outcome {
                Outcome::No(refusals) => ("no", refusals.iter().map(|it| it.fact.to_string()).collect()),
                Outcome::NoReasonKnown => ("yes", Vec::new()),
                Outcome::NotMeasured(facts) => ("not-measured", facts.iter().map(ToString::to_string).collect()),
            };
            json!({ "version": version, "verdict": verdict, "facts": because })
        };
        (client.name.clone(), client.versions.iter().map(of).collect())
    });
    let case = json!({
        "id": id,
        "what": what,
        "host": chain.host,
        "facts": found.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "predictions": predictions.collect::<serde_json::Map<String, serde_json::Value>>(),
    });
    std::fs::write(folder.join(format!("{id}.json")), case.to_string()).unwrap();
}

/// The oddities of each chain: none, each one, and pairs; for each variant of keys. Without `every_pair` some pairs, and one of the
/// variants for each.
fn plan(every_pair: bool) -> Vec<(usize, Vec<&'static Oddity>)> {
    let mut plan = vec![(0, Vec::new()), (1, Vec::new())];
    for (number, oddity) in ODDITIES.iter().enumerate() {
        let variants = if every_pair { 0..2 } else { number % 2..number % 2 + 1 };
        plan.extend(variants.map(|variant| (variant, vec![oddity])));
    }
    let mut number = 0;
    for (index, first) in ODDITIES.iter().enumerate() {
        for second in ODDITIES.iter().skip(index + 1).filter(|second| second.slot != first.slot) {
            number += 1;
            if every_pair || number % 211 == 0 || TELLING.contains(&(first.name, second.name)) {
                plan.push((number % 2, vec![first, second]));
            }
        }
    }
    plan
}

/// Without a folder, the chains are made and their facts looked at.
#[test]
fn everyday_chains_have_the_facts_that_they_were_given() {
    let folder = std::env::var_os("CA_TEST_EVERYDAY");
    let every_pair = std::env::var_os("CA_TEST_EVERY_PAIR").is_some();
    let now = OffsetDateTime::now_utc().replace_nanosecond(0).unwrap();
    let variants = [KeyAlgorithm::EcdsaP256, KeyAlgorithm::Rsa2048].map(Keys::new);
    let mut plain = Vec::new();
    for (id, (variant, oddities)) in plan(every_pair && folder.is_some()).into_iter().enumerate() {
        let keys = &variants[variant];
        let parts = oddities.iter().fold(Parts::new(now, keys.kind), |parts, oddity| (oddity.change)(parts));
        let chain = Chain::of(parts, keys);
        let names: Vec<_> = oddities.iter().map(|oddity| oddity.name).collect();
        let what = if names.is_empty() { "a plain chain".to_owned() } else { names.join(" + ") };
        let is_telling = oddities.len() == 2 && TELLING.iter().any(|pair| pair.0 == names[0] && pair.1 == names[1]);
        let own_words = [
            "sent:wrong-key-first",
            "leaf:ski:missing-as-ca",
            "inter:nc:cn-host-outside-without-dns",
            "inter:aki:mismatch-and-more-sent",
            "root:bc:missing-without-ku",
            "sent:more-and-root-expired",
        ];
        let has_own_word = || chain.facts(now).iter().any(|fact| own_words.iter().any(|word| fact.is(word)));
        assert!(!is_telling || has_own_word(), "{what}");
        if oddities.len() < 2 && chain.facts(now).is_empty() {
            plain.push(names.first().copied().unwrap_or_default());
        }
        if let Some(folder) = &folder {
            write(folder.as_ref(), id, &format!("{what} ({})", keys.kind), &chain, now);
        }
    }
    plain.dedup();
    let usual = [
        "",
        "leaf that only signs",
        "leaf with a wildcard",
        "leaf with a URI too",
        "leaf named otherwise",
        "leaf with an unknown extension",
        "leaf that says it is not a CA",
        "intermediate of path length 0",
        "intermediate for servers",
    ];
    let plain: Vec<_> = plain.into_iter().filter(|name| !usual.contains(name)).collect();
    assert!(plain.is_empty(), "{plain:?} have no facts");
}
