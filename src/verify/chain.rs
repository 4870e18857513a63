//! Verification of one leaf: the only place that decides that a chain is valid.

use super::budget::Budget;
use super::candidate::Candidate;
use super::cert_path::CertPath;
use super::client_layer::{self, CLIENT_REFUSES};
use super::code::{Code, Rank};
use super::engine::{self, Opinion};
use super::input::{VerifyInput, VerifyOptions};
use super::path::{Search, SearchEnd};
use super::revocation::RevocationChecker;
use super::verdict::{self, ExpiryCause, Link, Problem, Role, ValidUntil, Verdict};
use super::{diagnosis, rules};
use crate::lint::Severity;
use crate::text::{humanize, rfc3339};

pub static CODES: &[&Code] = &[&RUSTLS_REFUSES, &ENDS_TOO_SOON, &CLIENT_REFUSES];

const RUSTLS_REFUSES: Code = Code {
    code: "rustls-refuses",
    rank: Rank::Unranked,
    citation: "rustls-webpki",
    requirement: "For TLS, the verifier inside rustls accepts the chain too",
    example: "rustls would refuse this chain (NameConstraintViolation): it does not process constraints on mailboxes, URIs and \
        directory names",
    fix: "issue certificates that rustls accepts; --purpose any verifies by RFC 5280 alone",
};

const ENDS_TOO_SOON: Code = Code {
    code: "ends-too-soon",
    rank: Rank::Unranked,
    citation: "--expires-in",
    requirement: "The chain stays valid for the time of --expires-in",
    example: "the chain is valid until 2027-02-21T22:44:35Z (89 days), not until 2027-11-23T23:44:35Z: the leaf web.pem#1 expires \
        first",
    fix: "renew what expires first (ca renew NAME), or give a shorter time",
};

/// Verifies a leaf: it is valid when one path from an anchor to it breaks no rule.
pub fn verify_chain(input: VerifyInput<'_>, options: &VerifyOptions) -> Verdict {
    verify_chain_within(&Budget::default(), input, options)
}

/// [`verify_chain`] with a budget of the caller, which tests read afterwards.
pub(super) fn verify_chain_within(budget: &Budget, input: VerifyInput<'_>, options: &VerifyOptions) -> Verdict {
    let mut search = Search::new(input, budget);
    let checker = Some(RevocationChecker::new(input, options, budget))
        .filter(|_| options.check_revocation || input.revocations.is_some());
    let mut best: Option<Attempt<'_>> = None;
    let end = search.paths(&mut |certificates| {
        let attempt = try_path(certificates, input, options, budget, checker.as_ref());
        let is_valid = attempt.is_valid();
        if best.as_ref().is_none_or(|best| attempt.distance() < best.distance()) {
            best = Some(attempt);
        }
        is_valid
    });
    let Some(mut attempt) = best else {
        return diagnosis::without_path(input, options, &search, end == SearchEnd::OutOfBounds);
    };
    if end == SearchEnd::OutOfBounds {
        attempt.problems.push(diagnosis::out_of_bounds(input.leaf));
    } else if search.has_met_the_length_bound() && !attempt.is_valid() {
        attempt.problems.push(diagnosis::too_long(input.leaf));
    }
    // Only a path that breaks no rule ends the search as found.
    let valid = attempt.is_valid();
    let until = valid.then(|| attempt.until(input, options)).flatten();
    let mut problems = attempt.problems;
    verdict::sort(&mut problems);
    Verdict {
        valid,
        chain: Link::of_path(&attempt.certificates),
        problems,
        until,
        rustls_refuses: attempt.rustls_refuses,
    }
}

/// One path and its problems.
struct Attempt<'a> {
    /// Anchor first.
    certificates: Vec<&'a Candidate>,
    problems: Vec<Problem>,
    rustls_refuses: Option<String>,
    crls: Vec<usize>,
}

fn try_path<'a>(
    certificates: &[&'a Candidate],
    input: VerifyInput<'a>,
    options: &VerifyOptions,
    budget: &Budget,
    checker: Option<&RevocationChecker<'a>>,
) -> Attempt<'a> {
    let path = CertPath { certificates, options, signatures: input.signatures };
    let mut problems = Vec::new();
    rules::check(&path, budget, &mut problems);
    rules::trusted_intermediate::check(&path, input.anchors, &mut problems);
    rules::intermediate_named_as_issuer::check(&path, input, &mut problems);
    let mut crls = Vec::new();
    if let Some(checker) = checker {
        checker.check(&path, &mut problems, &mut crls);
    }
    let explains_rustls = client_layer::settle(&path, input, &mut problems);
    let mut attempt = Attempt { certificates: certificates.to_vec(), problems, rustls_refuses: None, crls };
    if attempt.is_valid() {
        attempt.check_with_webpki(input, options, explains_rustls);
    }
    if attempt.is_valid() {
        attempt.check_end(input, options);
    }
    attempt
}

impl Attempt<'_> {
    fn errors(&self) -> usize {
        self.problems.iter().filter(|problem| problem.severity == Severity::Error).count()
    }

    fn is_valid(&self) -> bool {
        self.errors() == 0
    }

    /// Returns how far the path is from being valid: first by path validation, then by all errors. A path that only clients
    /// refuse is nearer than one that path validation refuses.
    fn distance(&self) -> (usize, usize) {
        let is_of_path = |problem: &&Problem| {
            let is_of_clients = client_layer::is_form(problem.code) || problem.code == CLIENT_REFUSES.code;
            problem.severity == Severity::Error && !is_of_clients && problem.code != RUSTLS_REFUSES.code
        };
        (self.problems.iter().filter(is_of_path).count(), self.errors())
    }

    /// `is_explained` when facts of the chain explain a refusal, and half of the clients do not share it: then it is a warning.
    fn check_with_webpki(&mut self, input: VerifyInput<'_>, options: &VerifyOptions, is_explained: bool) {
        let Some(leaf) = self.certificates.last() else { return };
        match engine::ask(&self.certificates, options, input.signatures) {
            None | Some(Opinion::Accepts) => {}
            Some(Opinion::NotImplemented { error, why }) => {
                let message = format!("rustls would refuse this chain ({error}): {why}");
                self.problems.push(Problem::warning(&RUSTLS_REFUSES, leaf, message));
                self.rustls_refuses = Some(error);
            }
            Some(Opinion::Refuses { error, fault }) => {
                let at_fault = fault.as_ref().and_then(|fault| self.certificates.get(fault.index)).unwrap_or(leaf);
                let why = fault.as_ref().map_or(&error, |fault| &fault.message);
                let message = format!("the verifier inside rustls refuses the chain: {why}");
                // Purpose any is RFC 5280 alone: a refusal of webpki is only a warning.
                let decides = options.purpose.is_tls() && !is_explained;
                let as_problem = if decides { Problem::error } else { Problem::warning };
                self.problems.push(as_problem(&RUSTLS_REFUSES, at_fault, message));
                self.rustls_refuses = Some(error);
            }
        }
    }

    fn check_end(&mut self, input: VerifyInput<'_>, options: &VerifyOptions) {
        let Some(wanted) = options.must_be_valid_until else { return };
        let (Some(until), Some(leaf)) = (self.until(input, options), self.certificates.last()) else { return };
        if until.at < wanted {
            let message = format!(
                "the chain is valid until {} ({}), not until {}: {} expires first",
                rfc3339(until.at),
                humanize(until.at - options.at),
                rfc3339(wanted),
                until.what,
            );
            let what_ends =
                self.certificates.iter().find(|candidate| candidate.position == until.position).unwrap_or(leaf);
            let hint = match until.cause {
                ExpiryCause::Certificate(Role::Leaf) if !leaf.certificate.is_ca() => ENDS_TOO_SOON.fix,
                ExpiryCause::Certificate(_) => "renew this CA first, and then what it issued; or give a shorter time",
                ExpiryCause::Crl => "give a newer CRL (--crl FILE), or a shorter time",
            };
            self.problems.push(Problem::error(&ENDS_TOO_SOON, what_ends, message).hint(hint));
        }
    }

    /// Returns the first second at which a certificate or CRL of this path is no longer valid.
    fn until(&self, input: VerifyInput<'_>, options: &VerifyOptions) -> Option<ValidUntil> {
        let path = CertPath { certificates: &self.certificates, options, signatures: input.signatures };
        // Of several that expire together the certificate nearest to the leaf is named.
        let certificates = self.certificates.iter().enumerate().rev().map(|(index, candidate)| {
            // notAfter itself is the last valid second.
            let at = candidate.certificate.validity.not_after.saturating_add(time::Duration::SECOND);
            (at, ExpiryCause::Certificate(path.role(index)), &candidate.position)
        });
        let crls = self.crls.iter().filter_map(|index| {
            let crl = input.crls.get(*index)?;
            Some((crl.contents.next_update?, ExpiryCause::Crl, &crl.position))
        });
        let (at, cause, position) = certificates.chain(crls).min_by_key(|(at, ..)| *at)?;
        let what = match cause {
            ExpiryCause::Certificate(role) => format!("the {role} {position}"),
            ExpiryCause::Crl => format!("the CRL {position}"),
        };
        Some(ValidUntil { at, what, cause, position: position.clone() })
    }
}
