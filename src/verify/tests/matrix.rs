//! Every combination of a few parts, with an answer that is known from how it was put together and from nothing else: names
//! under constraints, and paths of which some lead nowhere. The idea is that of Netflix's BetterTLS.
//!
//! Of these thousands one in [`ONE_IN`] is verified by other programs, as all chains of the other tests are.

use std::cell::Cell;

use super::*;
use crate::keys::PrivateKey;
use crate::x509::name_constraints::Subtree;
use crate::x509::{AttributeType, DistinguishedName, NameConstraints};

/// A kind of name; both families of addresses have one form in certificates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Dns,
    Ip4,
    Ip6,
    Email,
    Directory,
}

/// Two subtrees of each kind, one in the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tree {
    Outer,
    Inner,
}

/// Where a name lies: in neither subtree of its kind, in the outer one only, in both.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Spot {
    Neither,
    Outer,
    Both,
}

/// What is permitted and excluded by a CA; the model's side of it.
#[derive(Debug, Clone, Copy)]
struct Rule {
    kind: Kind,
    permitted: Option<Tree>,
    excluded: Option<Tree>,
}

type Name = (Kind, Spot);

const KINDS: [Kind; 5] = [Kind::Dns, Kind::Ip4, Kind::Ip6, Kind::Email, Kind::Directory];
const SPOTS: [Spot; 3] = [Spot::Neither, Spot::Outer, Spot::Both];

impl Rule {
    /// RFC 5280 §4.2.1.10, as it reads: nothing of what is excluded, and where a form of name is permitted at all, only that.
    fn allows(&self, (kind, spot): Name) -> bool {
        let form = |kind| if kind == Kind::Ip6 { Kind::Ip4 } else { kind };
        if form(kind) != form(self.kind) {
            return true;
        }
        let holds = |tree: Tree| {
            kind == self.kind
                && matches!((tree, spot), (Tree::Outer, Spot::Outer | Spot::Both) | (Tree::Inner, Spot::Both))
        };
        !self.excluded.is_some_and(holds) && self.permitted.is_none_or(holds)
    }

    fn to_constraints(self) -> NameConstraints {
        let subtrees = |tree: Option<Tree>| tree.map(|tree| subtree(self.kind, tree)).into_iter().collect();
        NameConstraints { permitted: subtrees(self.permitted), excluded: subtrees(self.excluded) }
    }
}

fn subtree(kind: Kind, tree: Tree) -> Subtree {
    let text = match (kind, tree) {
        (Kind::Dns, Tree::Outer) => "corp.test",
        (Kind::Dns, Tree::Inner) => "secret.corp.test",
        (Kind::Ip4, Tree::Outer) => "10.0.0.0/8",
        (Kind::Ip4, Tree::Inner) => "10.9.0.0/16",
        (Kind::Ip6, Tree::Outer) => "2001:db8::/32",
        (Kind::Ip6, Tree::Inner) => "2001:db8:9::/48",
        // Every host below, and one host.
        (Kind::Email, Tree::Outer) => "email:.corp.test",
        (Kind::Email, Tree::Inner) => "email:secret.corp.test",
        (Kind::Directory, Tree::Outer) => return Subtree::Directory(directory(&["Corp"])),
        (Kind::Directory, Tree::Inner) => return Subtree::Directory(directory(&["Corp", "Secret"])),
    };
    text.parse().unwrap()
}

fn general_name((kind, spot): Name) -> GeneralName {
    let text = match (kind, spot) {
        (Kind::Dns, Spot::Neither) => "web.notcorp.test",
        (Kind::Dns, Spot::Outer) => "web.corp.test",
        (Kind::Dns, Spot::Both) => "WEB.secret.corp.test",
        (Kind::Ip4, Spot::Neither) => "11.9.0.1",
        (Kind::Ip4, Spot::Outer) => "10.8.255.255",
        (Kind::Ip4, Spot::Both) => "10.9.0.0",
        (Kind::Ip6, Spot::Neither) => "2001:db9::1",
        (Kind::Ip6, Spot::Outer) => "2001:db8:8::1",
        (Kind::Ip6, Spot::Both) => "2001:db8:9::1",
        (Kind::Email, Spot::Neither) => "ops@corp.test",
        (Kind::Email, Spot::Outer) => "ops@mail.corp.test",
        (Kind::Email, Spot::Both) => "ops@secret.corp.test",
        (Kind::Directory, Spot::Neither) => return GeneralName::Directory(directory(&["Other", "Secret"])),
        (Kind::Directory, Spot::Outer) => return GeneralName::Directory(directory(&["corp", "Other"])),
        (Kind::Directory, Spot::Both) => return GeneralName::Directory(directory(&["CORP", "secret", "web"])),
    };
    text.parse().unwrap()
}

/// `O=…, OU=…, CN=…`, as many as there are.
fn directory(values: &[&str]) -> DistinguishedName {
    let kinds = [AttributeType::Organization, AttributeType::OrganizationalUnit, AttributeType::CommonName];
    let parts: Vec<_> = kinds.into_iter().zip(values.iter().map(|value| (*value).to_owned())).collect();
    DistinguishedName::build(&parts).unwrap()
}

/// Subjects, and the names that a constraint sees in them.
fn subjects() -> Vec<(DistinguishedName, Vec<Name>)> {
    let of = |parts: &[(AttributeType, &str)]| {
        let parts: Vec<_> = parts.iter().map(|(kind, value)| (kind.clone(), (*value).to_owned())).collect();
        DistinguishedName::build(&parts).unwrap()
    };
    let organization = (AttributeType::Organization, "Corp");
    let at = |spot| (Kind::Directory, spot);
    vec![
        (DistinguishedName::build(&[]).unwrap(), vec![]),
        // A common name is not a DNS name, even in the form of one.
        (of(&[(AttributeType::CommonName, "web.notcorp.test")]), vec![at(Spot::Neither)]),
        (of(&[organization.clone(), (AttributeType::CommonName, "web.secret.corp.test")]), vec![at(Spot::Outer)]),
        (directory(&["Corp", "Secret"]), vec![at(Spot::Both)]),
        (of(&[(AttributeType::EmailAddress, "ops@corp.test")]), vec![at(Spot::Neither), (Kind::Email, Spot::Neither)]),
        (
            of(&[organization, (AttributeType::EmailAddress, "ops@secret.corp.test")]),
            vec![at(Spot::Outer), (Kind::Email, Spot::Both)],
        ),
    ]
}

/// Shares no factor with the numbers of alternatives, so that each of them has its turn.
const ONE_IN: usize = 61;

/// One answer; what is known of signatures stays.
fn answer(case: &Case, purpose: Purpose, signatures: &SignatureCache) -> Verdict {
    let untrusted: Vec<_> = case.untrusted.iter().collect();
    let (leaf, anchors, crls) = (&case.leaf, &case.anchors, &case.crls);
    let input = VerifyInput { leaf, untrusted: &untrusted, anchors, crls, revocations: None, signatures };
    let options = VerifyOptions { purpose, ..case.options.clone() };
    let verdict = verify_chain(input, &options);
    // Each test has a thread of its own: the same ones are chosen in every run.
    thread_local! { static TURN: Cell<usize> = const { Cell::new(0) }; }
    TURN.set(TURN.get() + 1);
    if let Some(folder) = std::env::var_os("CA_TEST_CHAINS").filter(|_| TURN.get().is_multiple_of(ONE_IN)) {
        record::case(folder.as_ref(), input, &options, &verdict);
    }
    verdict
}

#[test]
fn names_are_judged_as_the_constraints_above_them_say() {
    let keys: [PrivateKey; 3] = std::array::from_fn(|_| PrivateKey::generate(KeyAlgorithm::EcdsaP256).unwrap());
    let own_name: Vec<Name> = vec![(Kind::Directory, Spot::Outer)];
    let root = |rule: Option<Rule>| {
        let cert = TestCert::ca("Root").with_key(&keys[0]);
        TestCa::self_signed(match rule {
            Some(rule) => cert.name_constraints(&rule.to_constraints()),
            None => cert,
        })
    };
    let issuing = |root: &TestCa, rule: Option<Rule>| {
        let cert = TestCert::ca("x").subject(directory(&["Corp", "Issuing"]).as_der()).with_key(&keys[1]);
        root.subordinate(match rule {
            Some(rule) => cert.name_constraints(&rule.to_constraints()),
            None => cert,
        })
    };
    // The names and keys of the CAs are always the same: one leaf serves under all of them.
    let unconstrained = root(None);
    let issuer = issuing(&unconstrained, None);
    let mut leaves = Vec::new();
    let alternatives = KINDS.iter().flat_map(|kind| SPOTS.map(|spot| (*kind, spot)));
    for alternative in alternatives.map(Some).chain([None]) {
        for (subject, in_subject) in subjects() {
            if subject.is_empty() && alternative.is_none() {
                continue;
            }
            let cert = TestCert::leaf("x").subject(subject.as_der()).purposes(&[ExtendedKeyUsage::ServerAuth]);
            let cert = cert.with_key(&keys[2]);
            let cert = match alternative {
                Some(name) => {
                    cert.general_names(&[general_name(name)]).critical(oid::SUBJECT_ALT_NAME, subject.is_empty())
                }
                None => cert,
            };
            // RFC 5280 §4.2.1.10: a mailbox in the subject counts when there is none among the alternative names.
            let has_mailbox = matches!(alternative, Some((Kind::Email, _)));
            let seen = in_subject.into_iter().filter(|(kind, _)| *kind != Kind::Email || !has_mailbox);
            leaves.push((issuer.issue(cert), seen.chain(alternative).collect::<Vec<Name>>()));
        }
    }
    let signatures = SignatureCache::default();
    // Rules for servers that do not depend on the constraints are not part of these cases.
    let is_server: Vec<bool> = leaves
        .iter()
        .map(|(leaf, _)| {
            let case = Case::new(leaf.clone(), &[&issuer.certificate], &[&unconstrained.certificate]);
            answer(&case, Purpose::Server, &signatures).valid
        })
        .collect();
    let trees = [None, Some(Tree::Outer), Some(Tree::Inner)];
    let all_rules = KINDS.iter().flat_map(|kind| {
        let kind = *kind;
        trees.iter().flat_map(move |permitted| trees.map(|excluded| Rule { kind, permitted: *permitted, excluded }))
    });
    let rules: Vec<Rule> = all_rules.filter(|rule| rule.permitted.is_some() || rule.excluded.is_some()).collect();
    let (mut answered, mut valid, mut servers) = (0, 0, 0);
    for (number, rule) in rules.iter().enumerate() {
        // The rule at the root; below it; and below the root with another one.
        let other = rules[(number * 7 + 3) % rules.len()];
        for (above, below) in [(Some(*rule), None), (None, Some(*rule)), (Some(other), Some(*rule))] {
            let root = root(above);
            let issuing = issuing(&root, below);
            for ((leaf, names), is_server) in leaves.iter().zip(&is_server) {
                let for_leaf = above.into_iter().chain(below).all(|rule| names.iter().all(|name| rule.allows(*name)));
                let for_issuer = above.into_iter().all(|rule| own_name.iter().all(|name| rule.allows(*name)));
                let expected = for_leaf && for_issuer;
                let case = Case::new(leaf.clone(), &[&issuing.certificate], &[&root.certificate]);
                let verdict = answer(&case, Purpose::Any, &signatures);
                let what = format!("{names:?} under {above:?} and {below:?}: {:?}", verdict.problems);
                assert_eq!(verdict.valid, expected, "{what}");
                let violated = |problem: &Problem| problem.code == "name-constraint-violated";
                assert_eq!(verdict.problems.iter().any(violated), !expected, "{what}");
                (answered, valid) = (answered + 1, valid + usize::from(expected));
                if *is_server {
                    let verdict = answer(&case, Purpose::Server, &signatures);
                    assert_eq!(verdict.valid, expected, "for a server: {what}: {:?}", verdict.problems);
                    servers += 1;
                }
            }
        }
    }
    assert!(answered > 10_000 && valid > answered / 5 && valid < answered * 4 / 5, "{valid} of {answered}");
    assert!(servers > answered / 3, "{servers} of {answered}");
}

/// What may be wrong with one of several certificates of a CA.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Flaw {
    Nothing,
    Expired,
    NotYetValid,
    BadlySigned,
    /// Issued by a CA whose certificate is not in the input.
    Lost,
    OtherKey,
    NoCa,
    WithoutKeyCertSign,
    ConstrainedAway,
}

const FLAWS: [Flaw; 9] = [
    Flaw::Nothing,
    Flaw::Expired,
    Flaw::NotYetValid,
    Flaw::BadlySigned,
    Flaw::Lost,
    Flaw::OtherKey,
    Flaw::NoCa,
    Flaw::WithoutKeyCertSign,
    Flaw::ConstrainedAway,
];

/// A CA whose certificates all bear the same name and, but for one flaw, the same key.
struct Many {
    sound: TestCa,
    certificates: Vec<(Flaw, Certificate)>,
}

impl Many {
    fn below(issuer: &TestCa, name: &str) -> Self {
        let sound = issuer.subordinate(TestCert::ca(name));
        let other_ca = TestCa::self_signed(TestCert::ca("Stranger"));
        let with_flaw = |(serial, flaw): (u8, Flaw)| {
            let cert = TestCert::ca(name).serial(&[serial]);
            let cert = if flaw == Flaw::OtherKey { cert } else { cert.with_key(&sound.key) };
            let cert = match flaw {
                Flaw::Nothing | Flaw::Lost | Flaw::OtherKey => cert,
                Flaw::Expired => cert.validity(datetime!(2024-01-01 0:00 UTC), datetime!(2025-01-01 0:00 UTC)),
                Flaw::NotYetValid => cert.validity(datetime!(2027-01-01 0:00 UTC), datetime!(2035-01-01 0:00 UTC)),
                Flaw::BadlySigned => cert.badly_signed(),
                Flaw::NoCa => cert.basic_constraints(false, None),
                Flaw::WithoutKeyCertSign => cert.key_usage(KeyUsage::CRL_SIGN),
                Flaw::ConstrainedAway => cert.permit(&["elsewhere.test"]),
            };
            let by = if flaw == Flaw::Lost { &other_ca } else { issuer };
            (flaw, by.issue(cert))
        };
        let certificates = (1..).zip(FLAWS).map(with_flaw).collect();
        Self { sound, certificates }
    }
}

/// Valid when one of the certificates of each CA is, in any position.
fn check_paths(
    leaf: &Certificate,
    root: &Certificate,
    levels: &[&[&(Flaw, Certificate)]],
    signatures: &SignatureCache,
) {
    let sound = |level: &&[&(Flaw, Certificate)]| level.iter().any(|(flaw, _)| *flaw == Flaw::Nothing);
    let expected = levels.iter().all(sound);
    let crowd: Vec<&Certificate> = levels.iter().flat_map(|level| level.iter().map(|(_, it)| it)).collect();
    let case = Case::new(leaf.clone(), &crowd, &[root]).name("web.corp.test");
    for purpose in [Purpose::Any, Purpose::Server] {
        let verdict = answer(&case, purpose, signatures);
        let flaws: Vec<Vec<Flaw>> = levels.iter().map(|level| level.iter().map(|(flaw, _)| *flaw).collect()).collect();
        assert_eq!(verdict.valid, expected, "{purpose:?}: {flaws:?}: {:?}", verdict.problems);
        if expected {
            // Leaf, one of each level, root: the sound ones.
            assert_eq!(verdict.chain.len(), levels.len() + 2, "{flaws:?}");
            for link in &verdict.chain[1..=levels.len()] {
                let (flaw, _) = levels.iter().copied().flatten().nth(link.source.number - 1).unwrap();
                assert_eq!(*flaw, Flaw::Nothing, "{flaws:?}");
            }
        }
    }
}

#[test]
fn a_sound_way_is_found_beside_any_that_are_not() {
    let root = TestCa::root();
    let issuing = Many::below(&root, "Issuing CA");
    let leaf = issuing.sound.issue(server());
    let signatures = SignatureCache::default();
    let all = &issuing.certificates;
    for one in all {
        check_paths(&leaf, &root.certificate, &[&[one]], &signatures);
        for two in all {
            for three in all {
                check_paths(&leaf, &root.certificate, &[&[one, two, three]], &signatures);
            }
        }
    }
}

#[test]
fn a_sound_way_is_found_over_two_cas_with_two_certificates_each() {
    let root = TestCa::root();
    let upper = Many::below(&root, "Upper CA");
    let lower = Many::below(&upper.sound, "Lower CA");
    let leaf = lower.sound.issue(server());
    let signatures = SignatureCache::default();
    let pairs = |many: &Many| -> Vec<(usize, usize)> {
        let count = many.certificates.len();
        (0..count).flat_map(|one| (0..count).map(move |two| (one, two))).collect()
    };
    for (one, two) in pairs(&upper) {
        for (three, four) in pairs(&lower) {
            let above = [&upper.certificates[one], &upper.certificates[two]];
            let below = [&lower.certificates[three], &lower.certificates[four]];
            check_paths(&leaf, &root.certificate, &[&above, &below], &signatures);
        }
    }
}
