//! Everyday chains with one oddity or two. Each is served by `tests/suite/everyday.rs` to real clients, whose answers are
//! compared with the prediction. `CA_TEST_EVERYDAY` names the folder that gets the chains, `CA_TEST_EVERY_PAIR` asks for all pairs.

use std::path::Path;

use serde_json::{Value, json};
use time::format_description::well_known::Rfc3339;
use time::{Duration, OffsetDateTime};

use super::everyday_parts_tests::{Constraint, ODDITIES, Oddity, Parts, Place, Sent, Twin, dns};
use super::fact::Fact;
use super::predict::Outcome;
use super::table::Basis;
use super::{ClientChoice, Signed, Situation, facts, predict, table};
use crate::keys::PrivateKey;
use crate::lint::testing::{TestCa, TestCert, name};
use crate::verify::SignatureProblem;
use crate::x509::{Certificate, ExtendedKeyUsage, KeyAlgorithm, der, pem};

/// Pairs that clients answered otherwise than the facts of both oddities say: they have words of their own.
const TELLING: [(&str, &str); 10] = [
    ("leaf without AKI", "an intermediate of the same name and another key is sent first"),
    ("leaf without SKI", "leaf that is a CA"),
    ("leaf with an address", "intermediate that permits another domain"),
    ("intermediate with another AKI", "the intermediate is sent twice"),
    ("intermediate with another AKI", "another CA is sent"),
    ("root without key usage", "root without CA bit"),
    ("expired root", "another CA is sent"),
    ("leaf without purposes", "leaf of Netscape type client"),
    ("leaf without purposes", "leaf that is a CA"),
    ("intermediate without SKI", "an expired twin of the intermediate is sent first"),
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
    roots: Vec<Vec<u8>>,
    key: String,
    host: String,
}

impl Chain {
    /// The root has a name of its own, so that a client can trust the roots of many chains.
    fn of(parts: Parts, keys: &Keys, number: usize) -> Self {
        let Parts { root, intermediate, leaf, host, leaf_key, root_key, sent, now } = parts;
        let leaf_key = keys.choose(&keys.leaf, leaf_key);
        let root_name = format!("Everyday Root {number}");
        let root = root.subject(&name(&root_name)).with_key(keys.choose(&keys.root, root_key));
        let root = TestCa::self_signed(root);
        let der = |ca: &TestCa| ca.certificate.as_der().to_vec();
        let twin = |key: &PrivateKey| {
            TestCert::ca("Everyday Issuing")
                .serial(&[9])
                .validity(now - Duration::days(300), now + Duration::days(900))
                .with_key(key)
        };
        let first_key = if sent == Sent::SelfIssued { &keys.other } else { &keys.intermediate };
        let first = root.subordinate(intermediate.with_key(first_key));
        let mut above = vec![der(&first)];
        let mut issuer = first;
        if sent == Sent::SelfIssued {
            issuer = issuer.subordinate(twin(&keys.intermediate));
            above.insert(0, der(&issuer));
        }
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
            Sent::Path | Sent::Longer(_) | Sent::SelfIssued => {}
            Sent::RootToo => above.push(der(&root)),
            Sent::IntermediateTwice => above.push(above[0].clone()),
            Sent::AnotherCa => above.push(root.issue_der(&twin(&keys.other).subject(&name("Unused CA")))),
            Sent::ExpiredTwin => {
                let expired = twin(&keys.intermediate).validity(now - Duration::days(90), now - Duration::DAY);
                above.insert(0, root.issue_der(&expired));
            }
            Sent::TwinOfOtherKey => above.insert(0, root.issue_der(&twin(&keys.other))),
            Sent::Twin(kind, place) => {
                let second = twin(&keys.intermediate);
                let unknown = |name: &str| TestCa::self_signed(TestCert::ca(name).serial(&[8]).with_key(&keys.other));
                let second = match kind {
                    Twin::DeadEnd => unknown("Unknown Root").issue_der(&second),
                    Twin::DeadEndOfTheName => unknown(&root_name).issue_der(&second),
                    Twin::Forbidding => root.issue_der(&second.permit(&["other.test"])),
                    Twin::ForClients => root.issue_der(&second.purposes(&[ExtendedKeyUsage::ClientAuth])),
                    Twin::Fine => root.issue_der(&second),
                };
                above.insert(if place == Place::First { 0 } else { above.len() }, second);
            }
            Sent::CrossSignedRoot => {
                let old = TestCa::self_signed(TestCert::ca("Old Root").serial(&[8]).with_key(&keys.other));
                let cross = TestCert::ca(&root_name).serial(&[9]);
                above.push(old.issue_der(&cross.with_key(&keys.root)));
            }
            Sent::CircleFirst => {
                let other = TestCert::ca("Other CA").serial(&[10]).with_key(&keys.other);
                let other = issuer.subordinate(other);
                above.insert(0, other.issue_der(&twin(&keys.intermediate)));
                above.insert(1, der(&other));
            }
            Sent::Large(kilobytes) => {
                let filling = der::value(der::OCTET_STRING, &vec![0; kilobytes * 1024]);
                let large = twin(&keys.other).subject(&name("Large CA")).extension("1.2.3", false, filling);
                above.push(root.issue_der(&large));
            }
            Sent::Strangers(many) => {
                for number in 0..many {
                    let stranger =
                        twin(&keys.other).subject(&name(&format!("Unused CA {number}"))).serial(&[40 + number]);
                    above.push(root.issue_der(&stranger));
                }
            }
        }
        above.insert(0, leaf);
        let key = pem::encode("PRIVATE KEY", leaf_key.as_pkcs8()).to_string();
        Self { sent: above, roots: vec![der(&root)], key, host: host.to_owned() }
    }

    fn facts(&self, at: OffsetDateTime) -> Vec<Fact> {
        let is_signed_by = |child: &[u8], issuer: &[u8]| {
            let (Ok(child), Ok(issuer)) = (Certificate::from_der(child), Certificate::from_der(issuer)) else {
                return Signed::Unknown;
            };
            match crate::verify::check_signature(&child, &issuer.public_key) {
                Ok(()) => Signed::Yes,
                Err(SignatureProblem::Unsupported) => Signed::Unknown,
                Err(SignatureProblem::Wrong | SignatureProblem::Frame) => Signed::No,
            }
        };
        let sent: Vec<_> = self.sent.iter().map(Vec::as_slice).collect();
        let hosts = [self.host.parse().unwrap_or_else(|_| dns(&self.host))];
        let roots: Vec<_> = self.roots.iter().map(Vec::as_slice).collect();
        facts(&Situation { sent: &sent, anchors: &roots, path: None, hosts: &hosts, at, is_signed_by: &is_signed_by })
    }
}

/// Writes a chain, and what each version of each measured client is predicted to say of it.
fn write(folder: &Path, id: usize, what: &str, chain: &Chain, at: OffsetDateTime, is_past: bool) {
    let text = |certificates: &[Vec<u8>]| certificates.iter().map(|der| pem::certificate(der)).collect::<String>();
    std::fs::write(folder.join(format!("{id}.chain.pem")), text(&chain.sent)).unwrap();
    std::fs::write(folder.join(format!("{id}.root.pem")), text(&chain.roots)).unwrap();
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
        "at": is_past.then_some(at.unix_timestamp()),
        "facts": found.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "predictions": predictions.collect::<serde_json::Map<String, serde_json::Value>>(),
    });
    std::fs::write(folder.join(format!("{id}.json")), case.to_string()).unwrap();
}

/// What is unusual about a chain.
enum Change {
    Oddity(&'static Oddity),
    Constraint(Constraint),
}

impl Change {
    fn name(&self) -> String {
        match self {
            Self::Oddity(oddity) => oddity.name.to_owned(),
            Self::Constraint(constraint) => constraint.name(),
        }
    }

    fn apply(&self, parts: Parts) -> Parts {
        match self {
            Self::Oddity(oddity) => (oddity.change)(parts),
            Self::Constraint(constraint) => constraint.change(parts),
        }
    }
}

/// The oddities of each chain: none, each one, and pairs; for each variant of keys. Without `every_pair` some pairs, and one of the
/// variants for each; with `every_client` all constraints of one CA too.
fn plan(every_pair: bool, every_client: bool) -> Vec<(usize, Vec<Change>)> {
    let mut plan = vec![(0, Vec::new()), (1, Vec::new())];
    for (number, oddity) in ODDITIES.iter().enumerate() {
        let variants = if every_pair { 0..2 } else { number % 2..number % 2 + 1 };
        plan.extend(variants.map(|variant| (variant, vec![Change::Oddity(oddity)])));
    }
    if every_client {
        plan.extend(Constraint::all().into_iter().map(|constraint| (0, vec![Change::Constraint(constraint)])));
    }
    let mut number = 0;
    for (index, first) in ODDITIES.iter().enumerate() {
        for second in ODDITIES.iter().skip(index + 1).filter(|second| second.slot != first.slot) {
            number += 1;
            if every_pair || number % 211 == 0 || TELLING.contains(&(first.name, second.name)) {
                plan.push((number % 2, vec![Change::Oddity(first), Change::Oddity(second)]));
            }
        }
    }
    plan
}

/// The chains of a file of another suite: a list `testcases`, whose elements have the fields of x509-limbo. Those of servers, without
/// CRLs and limits of the caller.
fn foreign(file: &Path) -> Vec<(String, Chain, Option<OffsetDateTime>)> {
    let suite: Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
    let certificates = |list: &Value| -> Vec<Vec<u8>> {
        let texts = list.as_array().unwrap().iter().map(|text| text.as_str().unwrap().as_bytes());
        texts.flat_map(|text| pem::parse_all(text).unwrap()).map(|block| block.content.to_vec()).collect()
    };
    let is_asked = |case: &&Value| {
        case["validation_kind"] == "SERVER"
            && case["crls"].as_array().is_none_or(Vec::is_empty)
            && case["max_chain_depth"].is_null()
            && case["expected_peer_name"]["value"].is_string()
    };
    let chain = |case: &Value| {
        let mut sent = certificates(&json!([case["peer_certificate"]]));
        sent.extend(certificates(&case["untrusted_intermediates"]));
        let roots = certificates(&case["trusted_certs"]);
        let host = case["expected_peer_name"]["value"].as_str().unwrap().to_owned();
        let at = case["validation_time"].as_str().map(|at| OffsetDateTime::parse(at, &Rfc3339).unwrap());
        (case["id"].as_str().unwrap().to_owned(), Chain { sent, roots, key: String::new(), host }, at)
    };
    suite["testcases"].as_array().unwrap().iter().filter(is_asked).map(chain).collect()
}

/// Without a folder, the chains are made and their facts looked at.
#[test]
fn everyday_chains_have_the_facts_that_they_were_given() {
    let folder = std::env::var_os("CA_TEST_EVERYDAY");
    let is_set = |name| std::env::var_os(name).is_some();
    let every_pair = is_set("CA_TEST_EVERY_PAIR") && folder.is_some();
    let every_client = every_pair || is_set("CA_TEST_EVERY_CLIENT");
    let now = OffsetDateTime::now_utc().replace_nanosecond(0).unwrap();
    if let (Some(file), Some(folder)) = (std::env::var_os("CA_TEST_CHAINS"), &folder) {
        for (id, (what, chain, at)) in foreign(file.as_ref()).into_iter().enumerate() {
            write(folder.as_ref(), id, &what, &chain, at.unwrap_or(now), at.is_some());
        }
        return;
    }
    let variants = [KeyAlgorithm::EcdsaP256, KeyAlgorithm::Rsa2048].map(Keys::new);
    let mut plain = Vec::new();
    for (id, (variant, oddities)) in plan(every_pair, every_client).into_iter().enumerate() {
        let keys = &variants[variant];
        let parts = oddities.iter().fold(Parts::new(now, keys.kind), |parts, oddity| oddity.apply(parts));
        let chain = Chain::of(parts, keys, id);
        let names: Vec<_> = oddities.iter().map(Change::name).collect();
        let what = if names.is_empty() { "a plain chain".to_owned() } else { names.join(" + ") };
        let is_telling = oddities.len() == 2 && TELLING.iter().any(|pair| pair.0 == names[0] && pair.1 == names[1]);
        let own_words = [
            "sent:wrong-key-first",
            "leaf:ski:missing-as-ca",
            "inter:nc:cn-host-outside-without-dns",
            "inter:aki:mismatch-and-more-sent",
            "root:bc:missing-without-ku",
            "sent:more-and-root-expired",
            "leaf:nscerttype:no-server-without-eku",
            "leaf:ca-true-without-eku",
            "sent:expired-twin-without-ski",
        ];
        let has_own_word = || chain.facts(now).iter().any(|fact| own_words.iter().any(|word| fact.is(word)));
        assert!(!is_telling || has_own_word(), "{what}");
        if oddities.len() < 2 && chain.facts(now).is_empty() {
            plain.push(names.first().cloned().unwrap_or_default());
        }
        if let Some(folder) = &folder {
            write(folder.as_ref(), id, &format!("{what} ({})", keys.kind), &chain, now, false);
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
    let plain: Vec<_> = plain.into_iter().filter(|name| !usual.contains(&name.as_str())).collect();
    assert!(plain.is_empty(), "{plain:?} have no facts");
}
