//! Search for paths from the leaf to an anchor (RFC 4158), within a budget.
//!
//! Only certificates from which an anchor can be reached by name are tried, the nearest first, and each signature is
//! checked once, when a path needs it. So many cross-signed CAs cost little more than the path among them. [`Budget`]
//! limits the cost.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};

use super::budget::Budget;
use super::candidate::Candidate;
use super::input::VerifyInput;
use super::signature::SignatureProblem;
use crate::x509::CanonicalName;

/// The most certificates of a path, anchor and leaf included.
pub const MOST_CERTIFICATES: usize = 24;

/// Why the search ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SearchEnd {
    /// The visitor accepted a path.
    Found,
    /// No candidate is left.
    Exhausted,
    /// The budget is spent.
    OutOfBounds,
}

/// The search for paths of one leaf.
pub struct Search<'a> {
    input: VerifyInput<'a>,
    /// The number of certificates between this subject and an anchor, by name alone. A subject from which no anchor is
    /// reached is absent.
    distance: HashMap<&'a CanonicalName, usize>,
    by_subject: HashMap<&'a CanonicalName, Vec<&'a Candidate>>,
    signatures: HashMap<(*const Candidate, *const Candidate), Result<(), SignatureProblem>>,
    budget: &'a Budget,
    /// Whether a path was not followed to its end, since it was too long.
    has_met_the_length_bound: bool,
}

impl<'a> Search<'a> {
    pub fn new(input: VerifyInput<'a>, budget: &'a Budget) -> Self {
        let mut by_subject: HashMap<_, Vec<&'a Candidate>> = HashMap::new();
        let mut seen: HashSet<&[u8]> = HashSet::new();
        for candidate in input.untrusted {
            if seen.insert(candidate.certificate.as_der()) {
                by_subject.entry(&candidate.subject).or_default().push(candidate);
            }
        }
        let distance = distances(input, &by_subject);
        Self { input, distance, by_subject, signatures: HashMap::new(), budget, has_met_the_length_bound: false }
    }

    /// Calls `visitor` with every path, anchor first, until it returns true.
    pub fn paths(&mut self, visitor: &mut dyn FnMut(&[&'a Candidate]) -> bool) -> SearchEnd {
        self.extend(&mut vec![self.input.leaf], visitor)
    }

    /// Returns whether some path was longer than [`MOST_CERTIFICATES`], so that it is unknown where it leads.
    pub fn has_met_the_length_bound(&self) -> bool {
        self.has_met_the_length_bound
    }

    /// Returns the trust anchors.
    pub fn anchors(&self) -> impl Iterator<Item = &'a Candidate> {
        self.input.anchors.iter()
    }

    /// Returns the certificates whose subject is the issuer of this one, the most likely first.
    pub fn issuers_by_name(&self, of: &Candidate) -> Vec<&'a Candidate> {
        let anchors = self.input.anchors.iter().filter(|anchor| anchor.subject == of.issuer);
        ranked(of, anchors.chain(self.by_subject.get(&of.issuer).into_iter().flatten().copied()))
    }

    /// Checks a signature to explain why a chain is invalid. Returns `None` when the budget for that is spent.
    pub fn diagnose(&self, child: &Candidate, issuer: &Candidate) -> Option<Result<(), SignatureProblem>> {
        let signatures = self.input.signatures;
        self.budget.may_diagnose().then(|| signatures.certificate(&child.certificate, &issuer.certificate.public_key))
    }

    /// `path` is leaf first here.
    fn extend(
        &mut self,
        path: &mut Vec<&'a Candidate>,
        visitor: &mut dyn FnMut(&[&'a Candidate]) -> bool,
    ) -> SearchEnd {
        let Some(head) = path.last().copied() else { return SearchEnd::Exhausted };
        for anchor in ranked(head, self.input.anchors.iter().filter(|anchor| anchor.subject == head.issuer)) {
            match self.budget.may_step().then(|| self.is_signed_by(head, anchor)).flatten() {
                None => return SearchEnd::OutOfBounds,
                Some(false) => continue,
                Some(true) => {}
            }
            let complete: Vec<_> = std::iter::once(anchor).chain(path.iter().rev().copied()).collect();
            if !self.budget.may_verify_path(complete.iter().map(|candidate| candidate.certificate.as_der().len()).sum())
            {
                return SearchEnd::OutOfBounds;
            }
            if visitor(&complete) {
                return SearchEnd::Found;
            }
        }
        if path.len() + 1 >= MOST_CERTIFICATES {
            let known = self.by_subject.get(&head.issuer).into_iter().flatten();
            self.has_met_the_length_bound |= known.into_iter().any(|it| self.distance.contains_key(&it.issuer));
            return SearchEnd::Exhausted;
        }
        let candidates = self.by_subject.get(&head.issuer).cloned().unwrap_or_default();
        let mut candidates: Vec<_> = candidates
            .into_iter()
            .filter_map(|candidate| Some((*self.distance.get(&candidate.issuer)?, candidate)))
            .collect();
        candidates.sort_by_key(|(distance, _)| *distance);
        for candidate in ranked(head, candidates.into_iter().map(|(_, candidate)| candidate)) {
            if !self.budget.may_step() {
                return SearchEnd::OutOfBounds;
            }
            // RFC 4158 §5.2: the same name with the same key a second time is a loop.
            if path.iter().any(|known| known.is_same_ca(candidate)) {
                continue;
            }
            match self.is_signed_by(head, candidate) {
                None => return SearchEnd::OutOfBounds,
                Some(false) => continue,
                Some(true) => {}
            }
            path.push(candidate);
            let end = self.extend(path, visitor);
            path.pop();
            if end != SearchEnd::Exhausted {
                return end;
            }
        }
        SearchEnd::Exhausted
    }

    /// Returns `None` when the budget for signatures is spent.
    fn is_signed_by(&mut self, child: &'a Candidate, issuer: &'a Candidate) -> Option<bool> {
        let key = (&raw const *child, &raw const *issuer);
        if let Some(known) = self.signatures.get(&key) {
            return Some(known.is_ok());
        }
        if !self.budget.may_check_signature() {
            return None;
        }
        let checked = self.input.signatures.certificate(&child.certificate, &issuer.certificate.public_key);
        self.signatures.insert(key, checked);
        Some(checked.is_ok())
    }
}

/// Returns the distance of each name from the nearest anchor, found breadth first from the anchors down.
fn distances<'a>(
    input: VerifyInput<'a>,
    by_subject: &HashMap<&'a CanonicalName, Vec<&'a Candidate>>,
) -> HashMap<&'a CanonicalName, usize> {
    let mut issued_by: HashMap<&'a CanonicalName, Vec<&'a CanonicalName>> = HashMap::new();
    for candidate in by_subject.values().flatten() {
        issued_by.entry(&candidate.issuer).or_default().push(&candidate.subject);
    }
    let mut distance: HashMap<&'a CanonicalName, usize> = HashMap::new();
    let mut frontier: Vec<&'a CanonicalName> = input.anchors.iter().map(|anchor| &anchor.subject).collect();
    let mut away = 0;
    while !frontier.is_empty() {
        frontier.retain(|name| match distance.entry(name) {
            Entry::Occupied(_) => false,
            Entry::Vacant(entry) => {
                entry.insert(away);
                true
            }
        });
        frontier = frontier.iter().flat_map(|name| issued_by.get(name).into_iter().flatten().copied()).collect();
        away += 1;
    }
    distance
}

/// Puts the candidates first whose key identifier equals the child's authority key identifier (RFC 4158 §3.5.12). It is
/// only a hint, so the others stay, in their order.
fn ranked<'a>(child: &Candidate, candidates: impl Iterator<Item = &'a Candidate>) -> Vec<&'a Candidate> {
    let wanted = child.certificate.authority_key_id.as_ref();
    let (key_id, serial) = (wanted.and_then(|id| id.key_id.as_ref()), wanted.and_then(|id| id.serial.as_ref()));
    let mut candidates: Vec<_> = candidates.collect();
    candidates.sort_by_key(|candidate| {
        let of_key = match (key_id, &candidate.certificate.subject_key_id) {
            (Some(wanted), Some(found)) if wanted == found => 0,
            (Some(_), Some(_)) => 2,
            _ => 1,
        };
        // Of several certificates for one key, OpenSSL accepts only the one that is named (RFC 5280 §4.2.1.1).
        (of_key, serial.is_some_and(|wanted| *wanted != candidate.certificate.serial))
    });
    candidates
}
