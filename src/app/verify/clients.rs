//! What the clients of `--client` say of a chain.

use std::collections::HashMap;

use crate::app::verify::input::Blocks;
use crate::app::verify::verified_file::VerifiedFile;
use crate::clients::predict::Outcome;
use crate::clients::{ClientChoice, Fact, Prediction, Signed, Situation, Subject, facts, predict, table};
use crate::lint::Severity;
use crate::verify::{
    CLIENT_REFUSES, Candidate, InputPosition, Problem, Role, SignatureCache, SignatureProblem, VerifyOptions,
};

/// The most certificates beside the leaf that are looked at: a server that sends more is refused for that.
const MOST_SENT: usize = 64;

/// The clients of one call, and what they see beside the file.
#[derive(Clone, Copy)]
pub struct Clients<'a> {
    pub choices: &'a [ClientChoice<'static>],
    /// Certificates that are used like those that the server sends.
    pub untrusted: &'a [Candidate],
    pub anchors: &'a [Candidate],
    pub options: &'a VerifyOptions,
    pub signatures: &'a SignatureCache,
}

/// Predicts what each client says of a file, and adds the refusals as errors.
pub fn ask(clients: Clients<'_>, blocks: &Blocks, verified: &mut VerifiedFile) {
    if clients.choices.is_empty() {
        return;
    }
    let untrusted = clients.untrusted.iter().map(|it| it.certificate.as_der());
    let sent: Vec<&[u8]> = blocks.certificates.iter().map(Vec::as_slice).chain(untrusted).take(MOST_SENT).collect();
    let anchors: Vec<&[u8]> = clients.anchors.iter().map(|anchor| anchor.certificate.as_der()).collect();
    let candidates = verified.sent.iter().chain(clients.untrusted).chain(clients.anchors);
    let candidates: HashMap<&[u8], &Candidate> = candidates.map(|it| (it.certificate.as_der(), it)).collect();
    let is_signed_by = |child: &[u8], issuer: &[u8]| match (candidates.get(child), candidates.get(issuer)) {
        (Some(child), Some(issuer)) => {
            match clients.signatures.certificate(&child.certificate, &issuer.certificate.public_key) {
                Ok(()) => Signed::Yes,
                Err(SignatureProblem::Unsupported) => Signed::Unknown,
                Err(SignatureProblem::Wrong | SignatureProblem::Frame) => Signed::No,
            }
        }
        _ => Signed::Unknown,
    };
    let options = clients.options;
    let situation = Situation {
        sent: &sent,
        anchors: &anchors,
        path: None,
        hosts: &options.names,
        at: options.at,
        is_signed_by: &is_signed_by,
    };
    let facts = facts(&situation);
    verified.clients = clients.choices.iter().map(|choice| predict(table(), &facts, choice)).collect();
    add_refusals(verified);
}

/// Makes an error of each fact that a client refuses first: of the problem that reports it already, or of a new one.
fn add_refusals(verified: &mut VerifiedFile) {
    let mut by_fact: Vec<(Fact, Vec<String>)> = Vec::new();
    for prediction in &verified.clients {
        let Outcome::No(refusals) = &prediction.outcome else { continue };
        let Some(first) = refusals.first() else { continue };
        match by_fact.iter_mut().find(|(fact, _)| *fact == first.fact) {
            Some((_, clients)) => clients.push(prediction.label()),
            None => by_fact.push((first.fact, vec![prediction.label()])),
        }
    }
    let mut added = Vec::new();
    for (fact, clients) in by_fact {
        let (place, rule) = (place(verified, fact.subject), table().rule(&fact));
        let refuse = if clients.len() == 1 { "refuses" } else { "refuse" };
        let message = format!("{} {refuse} the chain: {}", clients.join(", "), fact.sentence());
        let is_about = |problem: &&mut Problem| {
            (problem.certificate == place || fact.subject == Subject::Chain)
                && (Some(problem.code) == rule
                    || problem.code == CLIENT_REFUSES.code && problem.message.ends_with(&fact.sentence()))
        };
        match verified.verdict.as_mut().ok().and_then(|verdict| verdict.problems.iter_mut().find(is_about)) {
            Some(problem) if problem.code == CLIENT_REFUSES.code => {
                problem.severity = Severity::Error;
                problem.message = message;
            }
            Some(problem) => {
                problem.severity = Severity::Error;
                if !problem.hint.contains("refused by ") {
                    problem.hint = format!("{}; refused by {}", problem.hint, clients.join(", "));
                }
            }
            None => added.push(Problem::at(&CLIENT_REFUSES, place, message)),
        }
    }
    verified.add_problems(added);
}

/// Returns the certificate that a fact is about; the leaf for a fact about the chain.
fn place(verified: &VerifiedFile, subject: Subject) -> InputPosition {
    let role = match subject {
        Subject::Leaf | Subject::Chain => Role::Leaf,
        Subject::Intermediate => Role::Intermediate,
        Subject::Root => Role::Root,
    };
    let link = verified.chain().iter().find(|link| link.role == role);
    link.map_or_else(|| InputPosition::new(verified.file.as_str(), 1), |link| link.source.clone())
}

/// Returns the sentence about a client for people: its verdict, its name and the reason.
pub fn line(prediction: &Prediction<'_>) -> String {
    let (label, version) = (prediction.label(), prediction.version);
    let basis = prediction.client.basis.name();
    match &prediction.outcome {
        Outcome::No(refusals) => {
            let reasons: Vec<_> = refusals.iter().map(|refusal| refusal.fact.sentence()).collect();
            format!("no  {label}  {} ({basis} {version})", reasons.join("; "))
        }
        Outcome::NoReasonKnown => format!("no reason known  {label}  ({basis} {version})"),
        Outcome::NotMeasured(facts) => match facts.as_slice() {
            [] => format!("not measured  {label}  (what its makers document is checked)"),
            facts => {
                let facts: Vec<_> = facts.iter().map(|fact| fact.sentence()).collect();
                format!("not measured: {}  {label}  ({basis} {version})", facts.join("; "))
            }
        },
    }
}
