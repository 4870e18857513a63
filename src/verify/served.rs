//! RFC 8446 §4.4.2, RFC 5246 §7.4.2: the certificates that a TLS server sends. Its own comes first, each further one
//! certifies the one before it, no others are sent, and the root, which clients have, is left out.
//!
//! Whether the chain is complete is decided by [`super::verify_chain`], with the sent certificates and the roots as its
//! only input.

use std::cell::Cell;
use std::collections::HashMap;

use super::candidate::Candidate;
use super::code::{Code, Rank};
use super::input::VerifyOptions;
use super::signature;
use super::verdict::{Problem, Role, Verdict};
use crate::clients::table;
use crate::text::rfc3339;

pub static CODES: &[&Code] = &[
    &LEAF_NOT_FIRST,
    &OUT_OF_ORDER,
    &ROOT_SENT,
    &UNRELATED_SENT,
    &DUPLICATE_SENT,
    &EXPIRED_SENT,
    &OTHERS_UNUSED,
    &OTHER_CERTIFICATE_SERVED,
    &KEY_NOT_PROVED,
    &SUPERSEDED,
];

const LEAF_NOT_FIRST: Code = Code {
    code: "leaf-not-first",
    rank: Rank::LeafNotFirst,
    citation: "RFC 8446 §4.4.2; RFC 5246 §7.4.2",
    requirement: "The certificate of the server is first, before those of CAs",
    example: "CN=Corp Root CA issuing is first, but is a CA certificate; CN=web.corp.test is number 2",
    fix: "put the certificate of the server first: cat cert.pem chain.pem > fullchain.pem",
};

const OUT_OF_ORDER: Code = Code {
    code: "out-of-order",
    rank: Rank::OutOfOrder,
    citation: "RFC 8446 §4.4.2; RFC 5246 §7.4.2",
    requirement: "Each certificate that a server sends certifies one that was sent before it",
    example: "CN=Corp Root CA is number 2, before CN=Corp Root CA issuing, number 3, which it issued",
    fix: "put the certificates in the order leaf, its issuer, and so on upwards",
};

const ROOT_SENT: Code = Code {
    code: "root-sent",
    rank: Rank::RootSent,
    citation: "RFC 8446 §4.4.2; RFC 5246 §7.4.2",
    requirement: "A server does not send the root: clients trust their own copy of it, and no other",
    example: "number 3, CN=Corp Root CA, is a root: it is signed with its own key",
    fix: "take the root out of the file",
};

const UNRELATED_SENT: Code = Code {
    code: "stranger-sent",
    rank: Rank::UnrelatedSent,
    citation: "RFC 8446 §4.4.2; RFC 5246 §7.4.2",
    requirement: "A server sends no certificate that has nothing to do with its own",
    example: "number 3, CN=Other CA, issued no certificate that was sent before or after it",
    fix: "take the certificate out of the file",
};

const DUPLICATE_SENT: Code = Code {
    code: "duplicate-sent",
    rank: Rank::DuplicateSent,
    citation: "RFC 8446 §4.4.2; RFC 5246 §7.4.2",
    requirement: "A server sends each certificate once",
    example: "number 3 is the same certificate as number 2, CN=Corp Root CA issuing",
    fix: "take the second one out of the file",
};

const EXPIRED_SENT: Code = Code {
    code: "expired-sent",
    rank: Rank::DuplicateSent,
    citation: "RFC 8446 §4.4.2; RFC 4158 §2.4",
    requirement: "A server sends no expired certificate beside the current one of the same CA",
    example: "number 2, CN=Corp Root CA issuing, expired at 2026-11-19T17:04:12Z, and the chain does without it",
    fix: "take the certificate out of the file",
};

const OTHERS_UNUSED: Code = Code {
    code: "others-unused",
    rank: Rank::Unranked,
    citation: "ca verify --help",
    requirement: "The first certificate of a file is the one that is verified, and the others belong to its chain",
    example: "CN=Corp Root CA is first and is a CA certificate: it was verified, and 2 other certificates of the file were \
        not used, among them CN=web.corp.test (number 3)",
    fix: "put the certificate of the server first (cat cert.pem chain.pem > fullchain.pem), and check the file of a server with \
        --as-served; verify several CAs in one file each",
};

/// The code that fetches the chain of a server reports these three.
pub const OTHER_CERTIFICATE_SERVED: Code = Code {
    code: "other-certificate-served",
    rank: Rank::OtherCertificateServed,
    citation: "--connect HOST:PORT FILE",
    requirement: "The server shows the certificate of the file that was named",
    example: "the server shows the certificate with the serial 4cb89571f3bf, web.pem#1 has 18b8dc7fceac",
    fix: "let the server load the file again (reload or restart it), or deploy the file to it",
};

pub const KEY_NOT_PROVED: Code = Code {
    code: "key-not-proved",
    rank: Rank::KeyNotProved,
    citation: "RFC 8446 §4.4.3; RFC 5246 §7.4.3",
    requirement: "The server proves in the handshake that it has the key of its certificate",
    example: "the server's signature in the handshake does not verify with the key of CN=web.corp.test",
    fix: "give the server the key that belongs to its certificate (ca verify FILE --key KEY compares them)",
};

pub const SUPERSEDED: Code = Code {
    code: "superseded",
    rank: Rank::Unranked,
    citation: "the index of the CA directory",
    requirement: "The latest certificate of a name is the one in use",
    example: "the index has a newer certificate of web.corp.test, with the serial 4cb89571f3bf; this one is 18b8dc7fceac",
    fix: "deploy the newer one (ca show NAME shows where it is), and let the server load it",
};

/// The most signatures that are checked among the certificates of one file: more than any server needs.
const MOST_SIGNATURES: usize = 500;

/// Returns the problems of certificates in the order in which a server would send them; `verdict` is that of their chain.
pub fn check(sent: &[Candidate], verdict: &Verdict, options: &VerifyOptions) -> Vec<Problem> {
    let mut problems = of_order(sent);
    // In a chain that does not reach a root, an expired certificate may be the one that matters.
    if verdict.chain.last().is_some_and(|link| link.role == Role::Root) {
        let known: Vec<_> = problems.iter().map(|problem| problem.certificate.clone()).collect();
        let superfluous = sent.iter().enumerate().skip(1).filter(|(_, candidate)| {
            candidate.certificate.validity.not_after < options.at
                && !is_used(candidate, verdict)
                && !known.contains(&candidate.position)
        });
        problems.extend(superfluous.map(|(index, candidate)| expired_sent(index + 1, candidate)));
    }
    problems
}

fn expired_sent(number: usize, candidate: &Candidate) -> Problem {
    let certificate = &candidate.certificate;
    let message = format!(
        "number {number}, {}, expired at {}, and the chain does without it",
        certificate.subject,
        rfc3339(certificate.validity.not_after)
    );
    let refused_by = table().refused_by("sent:expired-twin-of-the-issuer").join(", ");
    let hint = format!(
        "{}; beside the current certificate of the leaf's issuer it is refused by {refused_by}",
        take_out(number)
    );
    Problem::error(&EXPIRED_SENT, candidate, message).hint(hint)
}

/// Returns whether a certificate is in the chain of a verdict.
fn is_used(candidate: &Candidate, verdict: &Verdict) -> bool {
    let certificate = &candidate.certificate;
    verdict.chain.iter().any(|link| {
        link.source == candidate.position
            || link.serial == certificate.serial
                && link.subject == certificate.subject
                && link.issuer == certificate.issuer
    })
}

/// Returns a warning for a valid chain of a CA certificate that stands first, when others of the file are not part of it: the
/// certificate that was meant may be one of them.
pub fn others_unused(sent: &[Candidate], verdict: &Verdict) -> Option<Problem> {
    let first = sent.first().filter(|first| first.certificate.is_ca())?;
    let unused = || sent.iter().enumerate().skip(1).filter(|(_, candidate)| !is_used(candidate, verdict));
    let count = unused().count();
    if count == 0 {
        return None;
    }
    let leaf = unused().find(|(_, candidate)| !candidate.certificate.is_ca());
    let leaf = leaf.map(|(index, leaf)| format!(", among them {} (number {})", leaf.certificate.subject, index + 1));
    let message = format!(
        "{} is first and is a CA certificate: it was verified, and {count} other certificate{} of the file {} \
             not used{}",
        first.certificate.subject,
        if count == 1 { "" } else { "s" },
        if count == 1 { "was" } else { "were" },
        leaf.unwrap_or_default()
    );
    Some(Problem::warning(&OTHERS_UNUSED, first, message))
}

/// Returns the problems of the order of certificates, and of those that do not belong among them.
fn of_order(sent: &[Candidate]) -> Vec<Problem> {
    if let Some(problem) = leaf_not_first(sent) {
        // All other problems would follow from this one.
        return vec![problem];
    }
    check_chain(&SentChain { sent, signatures: Cell::new(0) })
}

fn check_chain(chain: &SentChain<'_>) -> Vec<Problem> {
    let sent = chain.sent;
    let mut seen = HashMap::new();
    let copies = sent.iter().enumerate();
    let first_copy: Vec<usize> =
        copies.map(|(index, candidate)| *seen.entry(candidate.certificate.as_der()).or_insert(index)).collect();
    let related = chain.related(&first_copy);
    let mut problems = Vec::new();
    for (index, candidate) in sent.iter().enumerate().skip(1) {
        let (number, subject) = (index + 1, &candidate.certificate.subject);
        let original = first_copy[index];
        if original != index {
            let message = format!("number {number} is the same certificate as number {}, {subject}", original + 1);
            problems.push(Problem::error(&DUPLICATE_SENT, candidate, message).hint(take_out(number)));
        } else if !related[index] {
            let message = format!("number {number}, {subject}, issued no certificate that was sent before or after it");
            problems.push(Problem::error(&UNRELATED_SENT, candidate, message).hint(take_out(number)));
        } else if chain.is_root(index) {
            let message = format!("number {number}, {subject}, is a root: it is signed with its own key");
            problems.push(Problem::error(&ROOT_SENT, candidate, message).hint(take_out(number)));
        } else if let Some(later) = chain.issued_later(index, &related) {
            let message = format!(
                "{subject} is number {number}, before {}, number {}, which it issued",
                sent[later].certificate.subject,
                later + 1
            );
            let hint = format!("put the certificates in this order: {}", chain.right_order(&first_copy));
            problems.push(Problem::error(&OUT_OF_ORDER, candidate, message).hint(hint));
        }
    }
    problems
}

/// Returns the problem of a CA certificate in the first place, when the leaf comes later.
pub fn leaf_not_first(sent: &[Candidate]) -> Option<Problem> {
    let first = sent.first().filter(|first| first.certificate.is_ca())?;
    let at = sent.iter().position(|candidate| !candidate.certificate.is_ca())?;
    let message = format!(
        "{} is first, but is a CA certificate; {} is number {}",
        first.certificate.subject,
        sent.get(at)?.certificate.subject,
        at + 1
    );
    Some(Problem::error(&LEAF_NOT_FIRST, first, message))
}

fn take_out(number: usize) -> String {
    format!("take certificate {number} out of what is sent")
}

/// The certificates that a server sends, and the number of signatures checked. A signature is checked only when the
/// names match.
struct SentChain<'a> {
    sent: &'a [Candidate],
    signatures: Cell<usize>,
}

impl SentChain<'_> {
    fn issued(&self, issuer: usize, child: usize) -> bool {
        let (issuer, child) = (&self.sent[issuer], &self.sent[child]);
        if issuer.subject != child.issuer || self.signatures.get() >= MOST_SIGNATURES {
            return false;
        }
        self.signatures.set(self.signatures.get() + 1);
        signature::certificate(&child.certificate, &issuer.certificate.public_key).is_ok()
    }

    fn is_root(&self, index: usize) -> bool {
        self.issued(index, index)
    }

    /// Returns for each certificate whether it is the leaf or, directly or through others, an issuer of it; of copies
    /// only the first.
    fn related(&self, first_copy: &[usize]) -> Vec<bool> {
        let mut related = vec![false; self.sent.len()];
        let mut heads = vec![0];
        while let Some(head) = heads.pop() {
            if std::mem::replace(&mut related[head], true) {
                continue;
            }
            let left = (0..self.sent.len()).filter(|index| first_copy[*index] == *index && !related[*index]);
            heads.extend(left.filter(|index| self.issued(*index, head)).collect::<Vec<_>>());
        }
        related
    }

    /// Returns the first later certificate that this one issued, or `None` when it issued an earlier one too.
    fn issued_later(&self, index: usize, related: &[bool]) -> Option<usize> {
        if (0..index).any(|earlier| related[earlier] && self.issued(index, earlier)) {
            return None;
        }
        (index + 1..self.sent.len()).find(|later| related[*later] && self.issued(index, *later))
    }

    /// Returns the right order as `1, 3, 2`: the leaf first, each issuer after a certificate that it issued, without
    /// roots.
    fn right_order(&self, first_copy: &[usize]) -> String {
        let mut order = vec![0];
        let mut left: Vec<usize> =
            (1..self.sent.len()).filter(|index| first_copy[*index] == *index && !self.is_root(*index)).collect();
        while let Some(at) = left.iter().position(|index| order.iter().any(|placed| self.issued(*index, *placed))) {
            order.push(left.remove(at));
        }
        let numbers: Vec<_> = order.iter().map(|index| (index + 1).to_string()).collect();
        numbers.join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::testing::{NOW, TestCa, TestCert};
    use crate::verify::{InputPosition, SignatureCache, VerifyInput, verify_chain};
    use crate::x509::Certificate;

    fn candidates(sent: &[&Certificate]) -> Vec<Candidate> {
        let position = |(index, it): (usize, &&Certificate)| {
            Candidate::new((*it).clone(), InputPosition::new("sent.pem", index + 1))
        };
        sent.iter().enumerate().map(position).collect()
    }

    fn seen(sent: &[&Certificate]) -> Vec<(&'static str, String)> {
        of_order(&candidates(sent)).into_iter().map(|problem| (problem.code, problem.hint)).collect()
    }

    /// The verdict for the first certificate below this root, and the codes beside it.
    fn beside(sent: &[&Certificate], root: &Certificate) -> (Verdict, Vec<Problem>) {
        let sent = candidates(sent);
        let anchors = [Candidate::new(root.clone(), InputPosition::new("roots.pem", 1))];
        let untrusted: Vec<_> = sent[1..].iter().collect();
        let input = VerifyInput {
            leaf: &sent[0],
            untrusted: &untrusted,
            anchors: &anchors,
            crls: &[],
            revocations: None,
            signatures: &SignatureCache::default(),
        };
        let options = VerifyOptions::path_alone(NOW);
        let verdict = verify_chain(input, &options);
        let problems = check(&sent, &verdict, &options).into_iter().chain(others_unused(&sent, &verdict)).collect();
        (verdict, problems)
    }

    /// An intermediate that was renewed with its key, and its certificate before.
    #[test]
    fn an_expired_certificate_that_the_chain_does_without_is_refused() {
        let root = TestCa::root();
        let begin = time::macros::datetime!(2020-01-01 0:00 UTC);
        let past = |cert: TestCert| cert.validity(begin, begin + time::Duration::days(30));
        let issuing = root.subordinate(TestCert::ca("Issuing CA").serial(&[2]));
        let old = root.issue(past(TestCert::ca("Issuing CA").serial(&[3]).with_key(&issuing.key)));
        let leaf = issuing.issue(TestCert::server("web.corp.test"));
        let found = |sent: &[&Certificate]| -> Vec<_> {
            beside(sent, &root.certificate).1.into_iter().map(|it| (it.code, it.certificate.number)).collect()
        };
        assert_eq!(found(&[&leaf, &issuing.certificate]), []);
        assert_eq!(found(&[&leaf, &old, &issuing.certificate]), [("expired-sent", 2)]);
        assert_eq!(found(&[&leaf, &issuing.certificate, &old]), [("expired-sent", 3)]);
        assert_eq!(found(&[&leaf, &old, &issuing.certificate, &old]), [("duplicate-sent", 4), ("expired-sent", 2)]);
        // The only certificate of the CA: that it has expired is the problem of the chain.
        let (verdict, problems) = beside(&[&leaf, &old], &root.certificate);
        assert!(!verdict.valid && problems.is_empty(), "{problems:?}");
        let unrelated = TestCa::self_signed(past(TestCert::ca("Other"))).certificate;
        assert_eq!(found(&[&leaf, &issuing.certificate, &unrelated]), [("stranger-sent", 3)]);
    }

    #[test]
    fn a_ca_that_stands_first_is_said_where_others_are_not_used() {
        let (leaf, lower, upper, root) = chain();
        let found = |sent: &[&Certificate]| {
            let problems = beside(sent, &root).1;
            problems.into_iter().find(|it| it.code == "others-unused").map(|it| it.message)
        };
        let reversed = found(&[&root, &upper, &lower, &leaf]).unwrap();
        assert!(
            reversed
                .ends_with("3 other certificates of the file were not used, among them CN=web.corp.test (number 4)")
        );
        let of_cas = found(&[&upper, &lower]).unwrap();
        assert!(of_cas.ends_with("it was verified, and 1 other certificate of the file was not used"), "{of_cas}");
        // An intermediate with what stands above it, and a leaf with anything.
        assert_eq!(found(&[&lower, &upper, &root]), None);
        assert_eq!(found(&[&leaf, &lower, &upper, &TestCa::root().certificate]), None);
    }

    fn codes(sent: &[&Certificate]) -> Vec<&'static str> {
        seen(sent).into_iter().map(|(code, _)| code).collect()
    }

    /// A leaf below two intermediates below a root.
    fn chain() -> (Certificate, Certificate, Certificate, Certificate) {
        let root = TestCa::root();
        let upper = root.subordinate(TestCert::ca("Upper CA"));
        let lower = upper.subordinate(TestCert::ca("Lower CA"));
        let leaf = lower.issue(TestCert::server("web.corp.test"));
        (leaf, lower.certificate, upper.certificate, root.certificate)
    }

    #[test]
    fn a_leaf_with_its_issuers_upwards_is_right() {
        let (leaf, lower, upper, _) = chain();
        assert_eq!(codes(&[&leaf, &lower, &upper]), [""; 0]);
        assert_eq!(codes(&[&leaf]), [""; 0]);
    }

    #[test]
    fn the_wrong_order_is_told_with_the_right_one() {
        let (leaf, lower, upper, _) = chain();
        let found = seen(&[&leaf, &upper, &lower]);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].0, "out-of-order");
        assert!(found[0].1.ends_with(": 1, 3, 2"), "{}", found[0].1);
    }

    /// The advised order leaves out the root, unrelated certificates and second copies.
    #[test]
    fn the_right_order_leaves_out_what_is_not_to_be_sent() {
        let (leaf, lower, upper, root) = chain();
        let advised = |sent: &[&Certificate]| {
            let found = seen(sent).into_iter().find(|(code, _)| *code == "out-of-order").unwrap();
            found.1.rsplit_once(": ").unwrap().1.to_owned()
        };
        assert_eq!(advised(&[&leaf, &upper, &root, &lower]), "1, 4, 2");
        assert_eq!(advised(&[&leaf, &upper, &upper, &lower, &lower]), "1, 4, 2");
        let unrelated = TestCa::root().subordinate(TestCert::ca("Stranger CA")).certificate;
        assert_eq!(advised(&[&leaf, &upper, &unrelated, &lower]), "1, 4, 2");
    }

    /// A sibling is unrelated too, and does not change the problems of the certificates around it.
    #[test]
    fn what_a_ca_issued_besides_decides_no_order() {
        let root = TestCa::root();
        let top = root.subordinate(TestCert::ca("Top CA"));
        let upper = top.subordinate(TestCert::ca("Upper CA"));
        let lower = upper.subordinate(TestCert::ca("Lower CA"));
        let sibling = upper.issue(TestCert::ca("Sibling CA"));
        let leaf = lower.issue(TestCert::server("web.corp.test"));
        let [top, upper, lower] = [top, upper, lower].map(|ca| ca.certificate);
        assert_eq!(codes(&[&leaf, &sibling, &upper, &lower]), ["stranger-sent", "out-of-order"]);
        let message = |sent: &[&Certificate]| of_order(&candidates(sent)).remove(0).message;
        assert!(message(&[&leaf, &upper, &sibling, &lower]).ends_with("before CN=Lower CA, number 4, which it issued"));
        assert!(message(&[&leaf, &top, &lower, &upper]).ends_with("before CN=Upper CA, number 4, which it issued"));
    }

    #[test]
    fn the_key_of_an_issuer_under_another_name_is_a_stranger_and_a_ca_under_a_new_key_is_no_root() {
        let (root, other) = (TestCa::root(), TestCa::self_signed(TestCert::ca("Other Root")));
        let renamed = other.issue(TestCert::ca("Renamed").with_key(&root.key));
        assert_eq!(codes(&[&root.issue(TestCert::server("web.corp.test")), &renamed]), ["stranger-sent"]);
        let renewed = root.subordinate(TestCert::ca("Test Root"));
        let leaf = renewed.issue(TestCert::server("web.corp.test"));
        assert_eq!(codes(&[&leaf, &renewed.certificate]), [""; 0]);
        assert_eq!(codes(&[&leaf, &renewed.certificate, &root.certificate]), ["root-sent"]);
    }

    /// One for each pair whose names fit, however often the same pair is asked for on the way up: a few for each certificate.
    #[test]
    fn a_sound_chain_costs_few_signatures_and_copies_cost_none() {
        let (leaf, lower, upper, _) = chain();
        let cost = |sent: &[&Certificate]| {
            let chain = SentChain { sent: &candidates(sent), signatures: Cell::new(0) };
            check_chain(&chain);
            chain.signatures.get()
        };
        let sound = cost(&[&leaf, &lower, &upper]);
        assert_eq!(sound, 4);
        let copies = [[&leaf, &lower, &upper].as_slice(), &[&upper; 50], &[&lower; 50]].concat();
        assert_eq!(cost(&copies), sound);
        // Two CAs that certify each other are a ring, which is walked once.
        let (one, other) = (TestCa::self_signed(TestCert::ca("One")), TestCa::self_signed(TestCert::ca("Other")));
        let by_other = other.issue(TestCert::ca("One").with_key(&one.key));
        let by_one = one.issue(TestCert::ca("Other").with_key(&other.key));
        assert_eq!(cost(&[&one.issue(TestCert::server("web.corp.test")), &by_other, &by_one]), 4);
    }

    #[test]
    fn a_ca_in_front_of_the_leaf_is_the_one_thing_that_is_told() {
        let (leaf, lower, upper, root) = chain();
        assert_eq!(codes(&[&lower, &leaf, &upper]), ["leaf-not-first"]);
        assert_eq!(codes(&[&root, &upper, &lower, &leaf, &leaf]), ["leaf-not-first"]);
        assert_eq!(codes(&[&lower, &upper]), [""; 0]);
    }

    #[test]
    fn the_root_a_stranger_and_a_second_copy_are_found() {
        let (leaf, lower, upper, root) = chain();
        let unrelated = TestCa::root().subordinate(TestCert::ca("Stranger CA")).certificate;
        assert_eq!(codes(&[&leaf, &lower, &upper, &root]), ["root-sent"]);
        assert_eq!(codes(&[&leaf, &unrelated, &lower, &upper]), ["stranger-sent"]);
        assert_eq!(codes(&[&leaf, &lower, &upper, &lower, &leaf]), ["duplicate-sent"; 2]);
        assert_eq!(codes(&[&leaf, &TestCa::root().certificate]), ["stranger-sent"]);
    }

    #[test]
    fn two_certificates_of_one_ca_may_both_come_along() {
        let (one, other) = (TestCa::root(), TestCa::self_signed(TestCert::ca("Other Root")));
        let issuing = one.subordinate(TestCert::ca("Issuing CA"));
        let crossed = other.issue(TestCert::ca("Issuing CA").with_key(&issuing.key));
        let leaf = issuing.issue(TestCert::server("web.corp.test"));
        assert_eq!(codes(&[&leaf, &issuing.certificate, &crossed]), [""; 0]);
    }

    #[test]
    fn a_ca_may_follow_what_it_issued_and_be_followed_by_another() {
        let (root, upper) = (TestCa::root(), TestCa::self_signed(TestCert::ca("Upper CA")));
        let issuing = upper.subordinate(TestCert::ca("Issuing CA"));
        let again = upper.issue(TestCert::ca("Issuing CA").with_key(&issuing.key).serial(&[9]));
        let above = root.issue(TestCert::ca("Upper CA").with_key(&upper.key));
        let leaf = issuing.issue(TestCert::server("web.corp.test"));
        assert_eq!(codes(&[&leaf, &issuing.certificate, &above, &again]), [""; 0]);
    }

    #[test]
    fn a_crowd_of_one_name_costs_no_more_signatures_than_its_bound() {
        let [ca, other] = [0, 1].map(|_| TestCa::self_signed(TestCert::ca("Same")));
        let again = |number: u16| other.issue(TestCert::ca("Same").with_key(&other.key).serial(&number.to_be_bytes()));
        let crowd = (300..900).map(again);
        let sent: Vec<Candidate> = std::iter::once(ca.issue(TestCert::server("web.corp.test")))
            .chain(crowd)
            .map(|certificate| Candidate::new(certificate, InputPosition::new("a", 1)))
            .collect();
        let chain = SentChain { sent: &sent, signatures: Cell::new(0) };
        assert_eq!(check_chain(&chain).len(), 600);
        assert_eq!(chain.signatures.get(), MOST_SIGNATURES);
    }
}
