//! Crafted crowds of certificates: the answer comes by budget. What it cost is counted, never timed.

use super::{Case, TestPki, server};
use crate::lint::testing::{TestCa, TestCert, object_identifier};
use crate::verify::budget::{
    Budget, MOST_COMPARISONS, MOST_CRL_SIGNATURES, MOST_DIAGNOSES, MOST_PATHS, MOST_POLICIES, MOST_SIGNATURES,
    MOST_STEPS,
};
use crate::verify::verdict::Verdict;
use crate::x509::certificate::oid;
use crate::x509::name_constraints::Subtree;
use crate::x509::{Certificate, GeneralName, NameConstraints, der};

/// Judges, and holds what it cost against every bound.
fn verify_and_count(case: &Case) -> (Verdict, Budget) {
    let (verdict, budget) = case.verify_and_count();
    let bounds =
        [MOST_SIGNATURES, MOST_CRL_SIGNATURES, MOST_STEPS, MOST_PATHS, MOST_COMPARISONS, MOST_POLICIES, MOST_DIAGNOSES];
    for (spent, bound) in budget.spent().into_iter().zip(bounds) {
        assert!(spent <= bound, "{spent} of {bound}");
    }
    (verdict, budget)
}

fn signatures(case: &Case) -> usize {
    verify_and_count(case).1.spent()[0]
}

fn has(verdict: &Verdict, code: &str) -> bool {
    verdict.problems.iter().any(|problem| problem.code == code)
}

/// CAs that all certify each other, the nearest ones first, until there are so many certificates.
struct Crowd {
    cas: Vec<TestCa>,
    certificates: Vec<Certificate>,
}

impl Crowd {
    fn new(cas: usize, certificates: usize) -> Self {
        let cas: Vec<_> = (0..cas).map(|index| TestCa::self_signed(TestCert::ca(&format!("CA {index}")))).collect();
        let mut made = Vec::new();
        'all: for distance in 1..cas.len() {
            for index in 0..cas.len() {
                let (issuer, subject) = (&cas[index], &cas[(index + distance) % cas.len()]);
                if made.len() == certificates {
                    break 'all;
                }
                let cert = TestCert::ca("x").subject(subject.certificate.subject.as_der()).with_key(&subject.key);
                made.push(issuer.issue(cert));
            }
        }
        assert_eq!(made.len(), certificates);
        Self { cas, certificates: made }
    }

    fn case(&self, anchor: &Certificate) -> Case {
        let crowd: Vec<_> = self.certificates.iter().collect();
        Case::new(self.cas[0].issue(server()), &crowd, &[anchor])
    }
}

#[test]
fn two_hundred_cross_signed_intermediates_lead_to_the_anchor_among_them() {
    let crowd = Crowd::new(20, 200);
    let case = crowd.case(&crowd.cas[10].certificate);
    assert!(verify_and_count(&case).0.valid);
    // The way leads there directly: nothing near the bound is needed.
    assert!(signatures(&case) < 40, "{}", signatures(&case));
}

#[test]
fn two_hundred_cross_signed_intermediates_and_an_anchor_that_only_looks_right() {
    let crowd = Crowd::new(20, 200);
    let named_alike = TestCa::self_signed(TestCert::ca("CA 10"));
    let (verdict, budget) = verify_and_count(&crowd.case(&named_alike.certificate));
    assert!(!verdict.valid && has(&verdict, "too-complex"), "{:?}", verdict.problems);
    assert!(budget.spent()[2] > 1000, "it gave up too early: {budget:?}");
    // An anchor that no certificate names is reported at once.
    let (verdict, budget) = verify_and_count(&crowd.case(&TestCa::root().certificate));
    assert!(!verdict.valid && budget.spent()[0] == 0, "{budget:?}");
}

/// Four certificates for each of five CAs: 1024 paths with few signatures, all of them to an anchor that has expired.
#[test]
fn not_every_path_of_a_crowd_is_judged() {
    let (then, later) = (time::macros::datetime!(2020-01-01 0:00 UTC), time::macros::datetime!(2021-01-01 0:00 UTC));
    let anchor = TestCa::self_signed(TestCert::ca("Test Root").validity(then, later));
    let mut crowd = Vec::new();
    let mut issuer = TestCa::self_signed(TestCert::ca("Test Root").with_key(&anchor.key));
    for level in 0..5 {
        let ca = issuer.subordinate(TestCert::ca(&format!("CA {level}")));
        let again = |serial| issuer.issue(TestCert::ca(&format!("CA {level}")).with_key(&ca.key).serial(&[serial]));
        crowd.extend((1..=4).map(again));
        issuer = ca;
    }
    let case = Case::new(issuer.issue(server()), &crowd.iter().collect::<Vec<_>>(), &[&anchor.certificate]);
    let (verdict, budget) = verify_and_count(&case);
    assert!(has(&verdict, "expired") && has(&verdict, "too-complex"), "{:?}", verdict.problems);
    assert_eq!(budget.spent()[3], MOST_PATHS);
    assert!(budget.spent()[0] < 80, "each signature is checked once: {budget:?}");
}

#[test]
fn a_ring_and_a_ladder_of_two_hundred_end() {
    let crowd = Crowd::new(200, 200);
    let before = TestCa::self_signed(TestCert::ca("CA 1"));
    assert!(!verify_and_count(&crowd.case(&before.certificate)).0.valid);
    assert!(signatures(&crowd.case(&before.certificate)) <= 32);
    // Twenty certificates below the anchor are followed, two hundred are not.
    let near = &crowd.cas[180].certificate;
    assert!(verify_and_count(&crowd.case(near)).0.valid);
    assert!(!verify_and_count(&crowd.case(&crowd.cas[20].certificate)).0.valid);
}

/// A bound is not reported as a defect of the input.
#[test]
fn a_chain_that_is_too_long_to_follow_is_called_so() {
    let root = TestCa::root();
    let mut cas = vec![root.subordinate(TestCert::ca("CA 0"))];
    for index in 1..40 {
        let next = cas[index - 1].subordinate(TestCert::ca(&format!("CA {index}")));
        cas.push(next);
    }
    let below = |length: usize, anchor: &Certificate| {
        let chain: Vec<_> = cas[..length].iter().map(|ca| &ca.certificate).collect();
        verify_and_count(&Case::new(cas[length - 1].issue(server()), &chain, &[anchor])).0
    };
    assert!(below(22, &root.certificate).valid);
    for length in [23, 30, 40] {
        let problems = below(length, &root.certificate).problems;
        assert!(problems.iter().all(|it| it.code == "too-complex"), "{length}: {problems:?}");
        assert!(problems[0].message.contains("more than 24 certificates"), "{}", problems[0].message);
    }
    // A root that is missing is what is wrong with a chain of any length that is followed.
    let other = TestCa::self_signed(TestCert::ca("Other Root"));
    assert_eq!(below(20, &other.certificate).problems[0].code, "issuer-not-found");
}

#[test]
fn certificates_that_were_issued_by_each_other_are_not_called_missing() {
    let crowd = Crowd::new(2, 2);
    let other = TestCa::self_signed(TestCert::ca("Other Root"));
    let (verdict, _) = verify_and_count(&crowd.case(&other.certificate));
    assert_eq!(verdict.problems[0].code, "untrusted-root");
    assert!(verdict.problems[0].message.contains("below it in the same chain"), "{}", verdict.problems[0].message);
}

#[test]
fn a_fan_of_one_name_and_many_keys_ends() {
    let root = TestCa::root();
    let fan: Vec<_> = (0..600).map(|_| root.issue(TestCert::ca("Issuing CA"))).collect();
    let signer = root.subordinate(TestCert::ca("Issuing CA"));
    let leaf = || signer.issue(server().without(oid::AUTHORITY_KEY_ID));
    let crowd: Vec<_> = fan.iter().collect();
    let (verdict, budget) = verify_and_count(&Case::new(leaf(), &crowd, &[&root.certificate]));
    assert!(!verdict.valid && has(&verdict, "too-complex"), "{:?}", verdict.problems);
    assert_eq!((budget.spent()[0], budget.spent()[6]), (MOST_SIGNATURES, MOST_DIAGNOSES));
    // With its key identifier the issuer is found first, in any position.
    let crowd: Vec<_> = fan.iter().chain([&signer.certificate]).collect();
    let case = Case::new(signer.issue(server()), &crowd, &[&root.certificate]);
    assert!(verify_and_count(&case).0.valid);
    assert_eq!(signatures(&case), 2);
}

#[test]
fn what_was_not_looked_at_any_more_is_not_called_wrong() {
    let cas: Vec<_> = (0..150).map(|_| TestCa::self_signed(TestCert::ca("Same"))).collect();
    let silent = |cert: TestCert| cert.without(oid::AUTHORITY_KEY_ID).without(oid::SUBJECT_KEY_ID);
    let crowd: Vec<_> =
        cas.windows(2).map(|pair| pair[1].issue(silent(TestCert::ca("Same")).with_key(&pair[0].key))).collect();
    let crowd: Vec<_> = crowd.iter().collect();
    let other_ca = TestCa::self_signed(silent(TestCert::ca("Same")));
    let leaf = cas[0].issue(silent(server()));
    let case = Case::new(leaf, &crowd, &[&other_ca.certificate]);
    let (verdict, budget) = verify_and_count(&case);
    assert_eq!(budget.spent()[6], MOST_DIAGNOSES);
    assert_eq!(case.errors(), ["too-complex"], "{:?}", verdict.problems);
}

/// That many DNS subtrees, none of which holds a name of [`names`].
fn subtrees(count: usize) -> NameConstraints {
    let subtree = |index| Subtree::Dns(format!("x{index}.test"));
    NameConstraints { permitted: Vec::new(), excluded: (0..count).map(subtree).collect() }
}

fn names(count: usize) -> Vec<GeneralName> {
    (0..count).map(|index| GeneralName::Dns(format!("y{index}.test"))).collect()
}

#[test]
fn thousands_of_subtrees_and_names_are_refused_and_hundreds_are_compared() {
    let case = |subtree_count: usize, name_count: usize| {
        TestPki::with(TestCert::ca("A").name_constraints(&subtrees(subtree_count)))
            .case(server().general_names(&names(name_count)))
    };
    let (verdict, budget) = verify_and_count(&case(300, 300));
    assert!(verdict.valid && budget.spent()[4] > 90_000, "{:?}", verdict.problems);
    let (verdict, budget) = verify_and_count(&case(3000, 3000));
    assert!(has(&verdict, "name-constraint-unprocessable") && budget.spent()[4] == 0, "{budget:?}");
    // Long names cost more than short ones.
    let long = names(1).into_iter().chain([GeneralName::Dns(format!("{}.test", "a".repeat(60_000)))]);
    let case = TestPki::with(TestCert::ca("A").name_constraints(&subtrees(2000)))
        .case(server().general_names(&long.collect::<Vec<_>>()));
    assert!(has(&verify_and_count(&case).0, "name-constraint-unprocessable"));
}

/// What one path may compare, many paths may not compare each.
#[test]
fn the_comparisons_of_all_paths_count_together() {
    let root = TestCa::root();
    let first = root.subordinate(TestCert::ca("Issuing CA"));
    let again = |index: u8| {
        TestCert::ca("Issuing CA").with_key(&first.key).serial(&[1, index]).name_constraints(&subtrees(300))
    };
    let crowd: Vec<_> = (0..20).map(|index| root.issue(again(index))).collect();
    let leaf = first.issue(server().general_names(&names(300)).extension("1.2.3.4", true, vec![5, 0]));
    let (verdict, budget) = verify_and_count(&Case::new(leaf, &crowd.iter().collect::<Vec<_>>(), &[&root.certificate]));
    assert!(!verdict.valid);
    assert_eq!(budget.spent()[3], 20, "every path is tried");
    assert_eq!(budget.spent()[4] / (300 * 301), 2, "{budget:?}");
}

#[test]
fn policies_are_followed_so_far_and_no_further() {
    let sequence = |parts: Vec<Vec<u8>>| der::sequence(&[&parts.concat()]);
    let policy = |index: usize| object_identifier(&format!("1.2.3.{index}"));
    let policies = |count: usize| sequence((0..count).map(|index| der::sequence(&[&policy(index)])).collect());
    let pair = |from: usize, to: usize| der::sequence(&[&policy(from), &policy(to)]);
    let mappings = |count: usize| {
        sequence((0..count).flat_map(|from| (0..count).map(move |to| (from, to))).map(|(a, b)| pair(a, b)).collect())
    };
    let requirement = der::sequence(&[&der::value(der::context(0), &[0])]);
    let case = |count: usize| {
        let root = TestCa::root();
        let first = TestCert::ca("A0").extension(oid::POLICY_CONSTRAINTS, true, requirement.clone());
        let mut chain = vec![root.subordinate(first.extension(oid::CERTIFICATE_POLICIES, false, policies(count)))];
        for index in 0..8 {
            let cert = TestCert::ca(&format!("A{}", index + 1))
                .extension(oid::CERTIFICATE_POLICIES, false, policies(count))
                .extension(oid::POLICY_MAPPINGS, true, mappings(count));
            let next = chain.last().unwrap().subordinate(cert);
            chain.push(next);
        }
        let leaf = chain.last().unwrap().issue(server().extension(oid::CERTIFICATE_POLICIES, false, policies(count)));
        let certificates: Vec<_> = chain.iter().map(|ca| &ca.certificate).collect();
        Case::new(leaf, &certificates, &[&root.certificate])
    };
    assert!(verify_and_count(&case(20)).0.valid);
    let (verdict, _) = verify_and_count(&case(200));
    assert!(
        verdict.problems.iter().any(|problem| problem.message.contains("policies to follow")),
        "{:?}",
        verdict.problems
    );
}
