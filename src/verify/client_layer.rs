//! The severity of what is not path validation: it follows from what measured clients do (docs/decisions/0018).
//!
//! Three layers: path validation (RFC 5280 §6, RFC 9525) is always an error. What clients refuse is a warning that names
//! them, and an error when half of the mainstream clients refuse the chain. Form that no client enforces is a warning.

use std::collections::BTreeSet;

use super::candidate::Candidate;
use super::cert_path::CertPath;
use super::code::{Code, Rank};
use super::input::{Purpose, VerifyInput};
use super::rules::baseline::ca_as_leaf::CA_AS_LEAF;
use super::rules::{self, lint_rules};
use super::signature::SignatureProblem;
use super::verdict::{Problem, Role};
use crate::clients::table::Answer;
use crate::clients::{Client, Fact, Signed, Situation, Subject, facts, table};
use crate::lint::Severity;

pub const CLIENT_REFUSES: Code = Code {
    code: "client-refuses",
    rank: Rank::Unranked,
    citation: "docs/reference/clients.md",
    requirement: "The clients that the certificate is for accept its chain",
    example: "python >= 3.13 refuses the chain: root has no key usage",
    fix: "issue the certificate that the sentence names again without this; ca verify --client all shows what each client says",
};

/// Rules that are an error whatever clients do, with the reason.
static SECURITY: [(&str, &str); 3] = [
    ("extension-malformed", "clients read it differently, so a constraint can apply to one of them and not to another"),
    ("signature-algorithms-differ", "the algorithm outside is not signed, and can be exchanged"),
    ("rsa-exponent", "signatures of such a key can be forged"),
];

/// Facts that are an error whatever clients do, by the beginning of their word, with the reason.
static SECURITY_WORDS: [(&str, &str); 3] = [
    ("key:rsa-below-", "such a key can be factored"),
    ("key:rsa-1024", "such a key can be factored"),
    ("version-4", "what the fields of a version mean that does not exist is not defined"),
];

/// The most certificates beside the leaf that are looked at.
const MOST_SENT: usize = 64;

/// The facts of a path, with the clients that refuse them.
struct ClientLayer<'a, 'p> {
    path: &'p CertPath<'a>,
    facts: Vec<Fact>,
    /// The mainstream clients whose newest measured version refuses one of the facts.
    refusing: BTreeSet<&'static str>,
}

/// Gives the problems of a path the severity that follows from the clients, and adds what they refuse and no rule reports.
/// Returns whether a refusal of rustls is known and one of few: then it is not an error by itself.
///
/// Clients of servers were measured. For any purpose, what they do lessens an error and adds nothing: a chain that is valid
/// for a server is valid for any purpose. Other purposes were not measured.
pub(super) fn settle<'a>(path: &CertPath<'a>, input: VerifyInput<'a>, problems: &mut Vec<Problem>) -> bool {
    match path.options.purpose {
        _ if path.options.strict => false,
        Purpose::Server => settle_for_servers(path, input, problems),
        Purpose::Any => {
            let mut errors = problems.iter().filter(|problem| problem.severity == Severity::Error).peekable();
            if errors.peek().is_some()
                && errors.all(|problem| is_form(problem.code))
                && let Some(layer) = ClientLayer::of(path, input)
            {
                layer.lessen(problems);
            }
            false
        }
        _ => false,
    }
}

fn settle_for_servers<'a>(path: &CertPath<'a>, input: VerifyInput<'a>, problems: &mut Vec<Problem>) -> bool {
    if problems.iter().any(|problem| problem.severity == Severity::Error && !is_form(problem.code)) {
        // The path is invalid for every client: its facts are not computed. A rule with a rank names a cause of other problems.
        let stays = |problem: &Problem| {
            problem.rank != Rank::Unranked || SECURITY.iter().any(|(known, _)| *known == problem.code)
        };
        for problem in problems.iter_mut().filter(|problem| is_form(problem.code) && !stays(problem)) {
            problem.severity = Severity::Warning;
        }
        return false;
    }
    let Some(layer) = ClientLayer::of(path, input) else { return false };
    layer.apply(problems);
    layer.explains_rustls()
}

impl<'a, 'p> ClientLayer<'a, 'p> {
    /// Computes the facts of a path; `None` for a path without certificates.
    fn of(path: &'p CertPath<'a>, input: VerifyInput<'a>) -> Option<Self> {
        let der = |candidate: &'a Candidate| candidate.certificate.as_der();
        let leaf_first: Vec<&[u8]> = path.certificates.iter().rev().map(|candidate| der(candidate)).collect();
        let sent = std::iter::once(input.leaf).chain(input.untrusted.iter().take(MOST_SENT).copied());
        let sent: Vec<&[u8]> = sent.map(der).collect();
        let root = path.certificates.first()?;
        // Those above an anchor that is not a root matter too.
        let is_of_path = |anchor: &&Candidate| anchor.subject == root.subject || !root.is_self_issued();
        let anchors: Vec<&[u8]> = input.anchors.iter().filter(is_of_path).map(der).collect();
        let given = |wanted: &[u8]| {
            let all = input.anchors.iter().chain(input.untrusted.iter().copied().take(MOST_SENT));
            all.into_iter().find(|given| given.certificate.as_der() == wanted)
        };
        let is_signed_by = |child: &[u8], issuer: &[u8]| match (given(child), given(issuer)) {
            (Some(child), Some(issuer)) => {
                match input.signatures.certificate(&child.certificate, &issuer.certificate.public_key) {
                    Ok(()) => Signed::Yes,
                    Err(SignatureProblem::Unsupported) => Signed::Unknown,
                    Err(SignatureProblem::Wrong | SignatureProblem::Frame) => Signed::No,
                }
            }
            // The path was found already.
            _ => Signed::Yes,
        };
        let situation = Situation {
            sent: &sent,
            anchors: &anchors,
            path: Some(&leaf_first),
            hosts: &path.options.names,
            at: path.options.at,
            is_signed_by: &is_signed_by,
        };
        let facts = facts(&situation);
        let refuses = |client: &&Client| {
            let newest = client.nearest(None);
            facts.iter().any(|fact| table().answer(fact, client, newest) == Answer::Refuses)
        };
        let refusing = match facts.as_slice() {
            [] => BTreeSet::new(),
            _ => mainstream().filter(refuses).map(|client| client.name.as_str()).collect(),
        };
        Some(Self { path, facts, refusing })
    }

    /// Returns whether half of the mainstream clients or more refuse the chain.
    fn is_refused_by_half(&self) -> bool {
        !self.refusing.is_empty() && self.refusing.len() * 2 >= mainstream().count()
    }

    /// Makes a warning of each error of form that less than half of the mainstream clients share.
    fn lessen(&self, problems: &mut [Problem]) {
        let by_half = self.is_refused_by_half();
        for problem in problems.iter_mut().filter(|problem| is_form(problem.code)) {
            if problem.severity == Severity::Error && !by_half && !self.is_kept(problem) {
                problem.severity = Severity::Warning;
            }
        }
    }

    /// Gives each problem the severity that follows from the clients, and adds what they refuse and no rule reports.
    fn apply(&self, problems: &mut Vec<Problem>) {
        let by_half = self.is_refused_by_half();
        self.lessen(problems);
        // The other oddities of a CA as a server follow from that.
        let is_ca_as_leaf = problems.iter().any(|problem| problem.code == CA_AS_LEAF.code);
        for fact in &self.facts {
            let clients = table().refused_by(&fact.to_string());
            let is_reported = |problem: &Problem| Some(problem.code) == table().rule(fact);
            if clients.is_empty() || is_ca_as_leaf && fact.subject == Subject::Leaf && !problems.iter().any(is_reported)
            {
                continue;
            }
            let clients = clients.join(", ");
            match problems.iter_mut().find(|problem| self.is_about(fact, problem)) {
                Some(problem) => {
                    if !problem.hint.contains("refused by ") {
                        problem.hint = format!("{}; refused by {clients}", problem.hint);
                    }
                    if by_half {
                        problem.severity = Severity::Error;
                    }
                }
                None => {
                    let verb = if clients.contains(',') { "refuse" } else { "refuses" };
                    let message = format!("{clients} {verb} the chain: {}", fact.sentence());
                    let Some(at) = self.candidate(fact.subject) else { continue };
                    let as_problem = if by_half { Problem::error } else { Problem::warning };
                    problems.push(as_problem(&CLIENT_REFUSES, at, message));
                }
            }
        }
    }

    /// Returns whether a refusal of rustls is one among several clients, and known: then it is not an error by itself.
    fn explains_rustls(&self) -> bool {
        !self.is_refused_by_half() && self.refusing.contains("rustls")
    }

    /// Returns whether a problem stays an error although less than half of the clients refuse it: because of what can be done
    /// with the certificate, or because no client was asked.
    fn is_kept(&self, problem: &Problem) -> bool {
        let about = || self.facts.iter().filter(|fact| self.is_about(fact, problem));
        let is_accepted = |fact: &Fact| {
            let accepts = |client: &Client| table().answer(fact, client, client.nearest(None)) == Answer::Accepts;
            table().clients().iter().any(accepts)
        };
        SECURITY.iter().any(|(code, _)| *code == problem.code)
            || about().any(|fact| SECURITY_WORDS.iter().any(|(word, _)| fact.word.code.starts_with(word)))
            || about().next().is_some() && !about().any(is_accepted)
    }

    /// Returns whether a problem reports a fact: by its rule, in a certificate of the fact's role; for a fact about the chain, in
    /// any certificate.
    fn is_about(&self, fact: &Fact, problem: &Problem) -> bool {
        let has_role = |index: usize, candidate: &Candidate| {
            (fact.subject == Subject::Chain || self.path.role(index) == role(fact.subject))
                && candidate.position == problem.certificate
        };
        table().rule(fact) == Some(problem.code)
            && self.path.certificates.iter().enumerate().any(|(index, candidate)| has_role(index, candidate))
    }

    /// Returns the certificate that a fact is about; of several intermediates, the one nearest to the root.
    fn candidate(&self, subject: Subject) -> Option<&'a Candidate> {
        let index = (0..self.path.certificates.len()).find(|index| self.path.role(*index) == role(subject))?;
        self.path.certificates.get(index).copied()
    }
}

/// Returns the role of the certificate that a fact is about; the leaf for a fact about the chain.
fn role(subject: Subject) -> Role {
    match subject {
        Subject::Leaf | Subject::Chain => Role::Leaf,
        Subject::Intermediate => Role::Intermediate,
        Subject::Root => Role::Root,
    }
}

/// The clients whose refusals decide.
fn mainstream() -> impl Iterator<Item = &'static Client> {
    table().clients().iter().filter(|client| client.mainstream)
}

/// Returns whether a code is of a rule about form or about clients, and not of path validation.
pub(super) fn is_form(code: &str) -> bool {
    lint_rules::is_lint_rule(code) || rules::baseline::CODES.contains(&code)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::testing::{TestCa, TestCert};
    use crate::verify::rules::lint_rules;
    use crate::verify::tests::{Case, TestPki, below, server};
    use crate::x509::certificate::oid;
    use crate::x509::{ExtendedKeyUsage, KeyAlgorithm, der};

    const HOST: &str = "web.corp.test";

    /// The problems of a chain as (severity, code, hint or message).
    fn problems(case: Case) -> Vec<(Severity, &'static str, String)> {
        let verdict = case.server(HOST).by_clients().verify();
        let is_error = |problem: &Problem| problem.severity == Severity::Error;
        assert_eq!(verdict.valid, !verdict.problems.iter().any(is_error));
        verdict.problems.into_iter().map(|it| (it.severity, it.code, format!("{} | {}", it.message, it.hint))).collect()
    }

    fn leaf(cert: TestCert) -> Case {
        TestPki::new().case(cert.serial(&[1]))
    }

    #[test]
    fn a_plain_chain_has_no_problem() {
        assert_eq!(problems(leaf(server())), []);
    }

    #[test]
    fn what_no_client_refuses_is_a_warning_and_an_error_when_strict() {
        let any_too = || server().purposes(&[ExtendedKeyUsage::ServerAuth, ExtendedKeyUsage::Any]);
        for (cert, code) in
            [(server().serial(&[0]), "serial-not-positive"), (any_too().serial(&[1]), "extended-key-usage-any")]
        {
            let case = TestPki::new().case(cert).server(HOST);
            let found = |case: &Case| {
                case.verify().problems.iter().map(|problem| (problem.severity, problem.code)).collect::<Vec<_>>()
            };
            assert_eq!(found(&case), [(Severity::Error, code)]);
            assert_eq!(found(&case.by_clients()), [(Severity::Warning, code)]);
        }
    }

    #[test]
    fn what_one_client_refuses_is_a_warning_that_names_it() {
        let found = problems(leaf(server().without(oid::AUTHORITY_KEY_ID)));
        assert!(
            matches!(&found[..], [(Severity::Warning, "authority-key-id-missing", text)] if text.ends_with("refused by python >= 3.13")),
            "{found:?}"
        );
        // No rule of this program is about the key usage of a root.
        let found = problems(below(TestCert::ca("Root").serial(&[2]).without(oid::KEY_USAGE)));
        assert!(
            matches!(&found[..], [(Severity::Warning, "client-refuses", text)] if text.starts_with("python >= 3.13 refuses the chain: root has no key usage")),
            "{found:?}"
        );
        let found = problems(leaf(server().algorithm(KeyAlgorithm::Ed25519)));
        assert!(
            matches!(&found[..], [(Severity::Warning, "client-refuses", text)] if text.starts_with("firefox, chrome refuse")),
            "{found:?}"
        );
    }

    #[test]
    fn what_half_of_the_clients_refuse_is_an_error() {
        let other = der::sequence(&[&der::value(der::context(0), &[7; 20])]);
        let issuing = TestCert::ca("Issuing CA").serial(&[2]).extension(oid::AUTHORITY_KEY_ID, false, other);
        let found = problems(TestPki::with(issuing).case(server().serial(&[1])));
        let refused_by_half = found.iter().any(|(severity, _, text)| {
            *severity == Severity::Error
                && ["openssl", "java", "gnutls", "python", "node"].iter().all(|name| text.contains(name))
        });
        assert!(refused_by_half, "{found:?}");
    }

    #[test]
    fn what_endangers_clients_stays_an_error() {
        const OTHER: [u8; 12] = [0x30, 0x0a, 6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 3];
        let spki = crate::lint::testing::rsa_spki(&[0xff; 128], &[1, 0, 1]);
        for (cert, code) in
            [(server().inner_algorithm(&OTHER), "signature-algorithms-differ"), (server().spki(spki), "rsa-key-size")]
        {
            let found = problems(leaf(cert));
            assert!(
                found.iter().any(|(severity, found, _)| (*severity, *found) == (Severity::Error, code)),
                "{found:?}"
            );
        }
        for (_, reason) in SECURITY.iter().chain(&SECURITY_WORDS) {
            assert!(!reason.is_empty());
        }
        let form = |code: &str| lint_rules::is_lint_rule(code);
        assert!(SECURITY.iter().all(|(code, _)| form(code)), "a rule of the list exists");
    }
    #[test]
    fn path_validation_does_not_ask_clients() {
        let root = TestCa::root();
        let expired = server()
            .validity(time::macros::datetime!(2025-01-01 0:00 UTC), time::macros::datetime!(2025-02-01 0:00 UTC));
        let case = Case::new(root.issue(expired.serial(&[1])), &[], &[&root.certificate]);
        assert_eq!(
            problems(case).iter().map(|(severity, code, _)| (*severity, *code)).collect::<Vec<_>>(),
            [(Severity::Error, "expired")]
        );
    }
    /// Found by the fuzz target of chains.
    #[test]
    fn a_chain_that_is_valid_for_a_server_is_valid_for_any_purpose() {
        let root = TestCa::root();
        let nameless = || server().subject(&crate::lint::testing::empty_name());
        let case = |purpose| {
            let case = Case::new(root.issue(nameless()), &[], &[&root.certificate]);
            case.by_clients().name(HOST).purpose(purpose).verify()
        };
        for purpose in [Purpose::Server, Purpose::Any] {
            let verdict = case(purpose);
            let found = verdict.problems.iter().find(|problem| problem.code == "subject-alt-name-criticality");
            assert_eq!((verdict.valid, found.unwrap().severity), (true, Severity::Warning), "{purpose:?}");
        }
        // No client was asked about the other purposes.
        assert!(!case(Purpose::Client).valid);
    }
}
