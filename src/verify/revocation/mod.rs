//! RFC 5280 §6.3: revocation by CRLs. Every CRL of the issuer is checked; one that cannot be used proves nothing, and a
//! certificate without a current CRL that covers it is not valid.
//!
//! Supported: CRLs limited to a distribution point, to kinds of certificates or to reasons ([`scope`]); delta CRLs with
//! their base; CRLs signed with another key of the CA, and indirect CRLs, of an issuer that the certificate names
//! ([`signer`]).

mod scope;
mod signer;
mod usable;

use std::cell::RefCell;
use std::collections::HashMap;

use time::OffsetDateTime;

use self::scope::CrlScope;
use self::usable::{CRL_EXPIRED, CRL_UNUSABLE, CRL_WITHOUT_NUMBER};
use super::budget::Budget;
use super::candidate::{Candidate, CandidateCrl};
use super::cert_path::CertPath;
use super::code::{Code, Rank};
use super::input::{VerifyInput, VerifyOptions};
use super::signature::SignatureProblem;
use super::verdict::Problem;
use crate::lint::Severity;
use crate::text::rfc3339;
use crate::x509::crl::{RevocationReason, RevokedEntry};
use crate::x509::{Certificate, ReasonFlags};

pub static CODES: &[&Code] = &[&REVOKED, &REVOCATION_UNKNOWN, &CRL_EXPIRED, &CRL_UNUSABLE, &CRL_WITHOUT_NUMBER];

const REVOKED: Code = Code {
    code: "revoked",
    rank: Rank::Revoked,
    citation: "RFC 5280 §5.3, §6.3.3",
    requirement: "No CRL of the issuer contains the serial number of the certificate",
    example: "CN=web.corp.test (serial 11223344) was revoked at 2026-01-15T12:00:00Z for key-compromise, says issuing.crl#1 \
        of 2026-01-31T00:00:00Z",
    fix: "replace the certificate (ca issue TEMPLATE NAME --force)",
};

const REVOCATION_UNKNOWN: Code = Code {
    code: "revocation-unknown",
    rank: Rank::Unranked,
    citation: "RFC 5280 §6.3.3",
    requirement: "With --crl, every certificate below the root is covered by a current CRL of its issuer",
    example: "no CRL of CN=Corp Root CA issuing was given: root.crl#1 is of CN=Corp Root CA",
    fix: "give the issuer's current CRL too (--crl FILE)",
};

/// The CRLs of one verification, checked for the certificates of any path.
pub struct RevocationChecker<'a> {
    input: VerifyInput<'a>,
    options: &'a VerifyOptions,
    budget: &'a Budget,
    /// Whether the signer's key verifies the CRL.
    verified: RefCell<HashMap<CrlAndSigner, Result<(), SignatureProblem>>>,
}

/// By their places in memory.
type CrlAndSigner = (*const CandidateCrl, *const Candidate);

/// A certificate whose status is wanted, the path from the anchor to its issuer, and the CRL signers whose own status
/// depends on it.
#[derive(Clone, Copy)]
struct StatusQuery<'b, 'a> {
    candidate: &'a Candidate,
    above: &'b [&'a Candidate],
    on_behalf_of: &'b [&'a Candidate],
}

enum RevocationStatus {
    /// Not revoked according to the CRLs with these indices; and warnings.
    Good(Vec<usize>, Vec<Problem>),
    Revoked(Box<Problem>),
    Unknown(Vec<Problem>),
}

/// A CRL that covers a certificate, and the revocation reasons that it covers.
struct CoveringCrl<'a> {
    index: usize,
    crl: &'a CandidateCrl,
    reasons: ReasonFlags,
}

impl<'a> RevocationChecker<'a> {
    pub fn new(input: VerifyInput<'a>, options: &'a VerifyOptions, budget: &'a Budget) -> Self {
        Self { input, options, budget, verified: RefCell::default() }
    }

    /// Adds the problems that the CRLs and the other source show in a path. `used` gets the indices of the CRLs that prove
    /// that it is not revoked.
    pub fn check(&self, path: &CertPath<'a>, problems: &mut Vec<Problem>, used: &mut Vec<usize>) {
        for index in 1..path.certificates.len() {
            let (above, rest) = path.certificates.split_at(index);
            let Some(candidate) = rest.first() else { return };
            if let Some(problem) = self.known_elsewhere(candidate) {
                problems.push(problem);
                continue;
            }
            if !self.options.check_revocation {
                continue;
            }
            match self.status(StatusQuery { candidate, above, on_behalf_of: &[] }) {
                RevocationStatus::Good(crls, remarks) => {
                    used.extend(crls);
                    problems.extend(remarks);
                }
                RevocationStatus::Revoked(problem) => problems.push(*problem),
                RevocationStatus::Unknown(reasons) => problems.extend(reasons),
            }
        }
    }

    /// Returns the problem when a source other than a CRL has a revocation of the certificate, or cannot be read.
    fn known_elsewhere(&self, candidate: &Candidate) -> Option<Problem> {
        match self.input.revocations?.revocation_of(candidate) {
            Ok(None) => None,
            Ok(Some(known)) => Some(revoked_problem(candidate, known.at, known.reason, &known.source)),
            Err(why) => Some(Problem::error(&REVOCATION_UNKNOWN, candidate, why)),
        }
    }

    fn status(&self, query: StatusQuery<'_, 'a>) -> RevocationStatus {
        let candidate = query.candidate;
        let mut unusable = Vec::new();
        let mut covering: Vec<CoveringCrl<'_>> = Vec::new();
        let mut used = Vec::new();
        for (index, crl) in self.input.crls.iter().enumerate() {
            let scope = scope::of(crl, candidate);
            let mut entries = crl.entries_of(candidate).peekable();
            match scope {
                CrlScope::Unrelated => continue,
                CrlScope::Beyond(why) if entries.peek().is_none() => {
                    unusable.push(Problem::error(&REVOCATION_UNKNOWN, candidate, format!("{} {why}", crl.position)));
                    continue;
                }
                CrlScope::Beyond(_) | CrlScope::Covers(_) => {}
            }
            if let Err(why) = self.check_signature(crl, query) {
                unusable.push(Problem::error(&CRL_UNUSABLE, candidate, format!("{} {why}", crl.position)));
                continue;
            }
            // The issuer revoked the certificate, even if the CRL has other faults or another scope.
            for entry in entries.filter(|entry| entry.reason != Some(RevocationReason::RemoveFromCrl)) {
                match self.lifted_by(entry, crl, query) {
                    Some(newer) => used.push(newer),
                    None => {
                        let source = format!("{} of {}", crl.position, rfc3339(crl.contents.this_update));
                        let problem = revoked_problem(candidate, entry.revoked_at, entry.reason, &source);
                        return RevocationStatus::Revoked(Box::new(problem));
                    }
                }
            }
            let takes_off = |entry: &RevokedEntry| entry.reason == Some(RevocationReason::RemoveFromCrl);
            if crl.contents.delta_base.is_none() && crl.entries_of(candidate).any(takes_off) {
                let why = "removes the certificate from the CRL (removeFromCRL), which only a delta CRL can (RFC 5280 \
                         §5.3.1)";
                unusable.push(Problem::error(&CRL_UNUSABLE, candidate, format!("{} {why}", crl.position)));
                continue;
            }
            match scope {
                CrlScope::Covers(reasons) => {
                    let faults = usable::faults(crl, self.options);
                    if faults.is_empty() {
                        covering.push(CoveringCrl { index, crl, reasons });
                    }
                    let problem = |(code, why)| Problem::error(code, candidate, format!("{} {why}", crl.position));
                    unusable.extend(faults.into_iter().map(problem));
                }
                CrlScope::Beyond(why) => {
                    unusable.push(Problem::error(&REVOCATION_UNKNOWN, candidate, format!("{} {why}", crl.position)));
                }
                CrlScope::Unrelated => {}
            }
        }
        let (deltas, complete): (Vec<_>, Vec<_>) =
            covering.iter().partition(|covering| covering.crl.contents.delta_base.is_some());
        // The CRL that is current for longest, where one covers every reason; all CRLs where only together they do.
        let full = complete.iter().filter(|it| it.reasons.contains(ReasonFlags::ALL));
        let together = complete.iter().fold(ReasonFlags::NONE, |all, it| all.union(it.reasons));
        if let Some(longest) = full.max_by_key(|it| it.crl.contents.next_update) {
            used.push(longest.index);
        } else if together.contains(ReasonFlags::ALL) {
            used.extend(complete.iter().map(|it| it.index));
        } else {
            unusable.extend(self.uncovered(query, together, &deltas, unusable.is_empty()));
            return RevocationStatus::Unknown(unusable);
        }
        let unnumbered = |index: &usize| {
            let crl = self.input.crls.get(*index).filter(|crl| usable::lacks_number(crl, self.options))?;
            let message = format!("{} has no CRL number, which RFC 5280 requires; it is used anyway", crl.position);
            Some(Problem::warning(&CRL_WITHOUT_NUMBER, candidate, message))
        };
        unusable.extend(used.iter().filter_map(unnumbered));
        // The other CRLs prove nothing, which is a warning for a certificate that is not revoked.
        for problem in &mut unusable {
            problem.severity = Severity::Warning;
        }
        RevocationStatus::Good(used, unusable)
    }

    /// Returns the index of the CRL that removes a certificate from hold: a newer one of the same scope (RFC 5280
    /// §5.3.1).
    fn lifted_by(&self, entry: &RevokedEntry, crl: &CandidateCrl, query: StatusQuery<'_, 'a>) -> Option<usize> {
        if entry.reason != Some(RevocationReason::CertificateHold) {
            return None;
        }
        self.input.crls.iter().position(|newer| {
            let is_newer = number(newer) > number(crl) && newer.contents.this_update >= crl.contents.this_update;
            // §5.2.4: a delta CRL applies to CRLs from its base number on.
            let continues = newer.contents.delta_base.as_ref().is_none_or(|base| numeric(base) <= number(crl));
            let mut entries = newer.entries_of(query.candidate).peekable();
            let says_so = match entries.peek() {
                None => newer.contents.delta_base.is_none(),
                Some(_) => {
                    newer.contents.delta_base.is_some()
                        && entries.all(|entry| entry.reason == Some(RevocationReason::RemoveFromCrl))
                }
            };
            newer.issuer == crl.issuer
                && newer.contents.scope == crl.contents.scope
                && newer.contents.authority_key_id == crl.contents.authority_key_id
                && is_newer
                && continues
                && says_so
                && usable::faults(newer, self.options).is_empty()
                && self.check_signature(newer, query).is_ok()
        })
    }

    /// Returns the problem when the usable CRLs do not cover every reason; `None` when other problems explain it.
    fn uncovered(
        &self,
        query: StatusQuery<'_, 'a>,
        together: ReasonFlags,
        deltas: &[&CoveringCrl<'_>],
        nothing_else_is_said: bool,
    ) -> Option<Problem> {
        let candidate = query.candidate;
        let issuer = &candidate.certificate.issuer;
        let message = match (deltas, nothing_else_is_said) {
            _ if !together.is_empty() => format!("the given CRLs of {issuer} do not cover every reason"),
            ([delta, ..], _) => format!(
                "{} is a delta CRL, which adds to a complete one; no complete CRL of {issuer} can be used",
                delta.crl.position
            ),
            ([], true) => return Some(self.of_other_issuers(query)),
            ([], false) => return None,
        };
        Some(Problem::error(&REVOCATION_UNKNOWN, candidate, message))
    }

    /// Returns the problem of a certificate for whose issuer there is no CRL, with the issuers of those that were given.
    fn of_other_issuers(&self, query: StatusQuery<'_, 'a>) -> Problem {
        const MOST_NAMED: usize = 3;
        let (candidate, crls) = (query.candidate, self.input.crls);
        let issuer = &candidate.certificate.issuer;
        let problem = |message: String| Problem::error(&REVOCATION_UNKNOWN, candidate, message);
        if let Some(crl) = query.above.last().and_then(|ca| self.renamed(ca)) {
            let message = format!(
                "no CRL of {issuer} was given: {} is signed with its key, but names {} as its issuer, which is another name \
                 (RFC 5280 §7.1)",
                crl.position, crl.contents.issuer
            );
            return problem(message).hint(format!(
                "have the CA sign its CRL under its own name, {issuer}: the same attributes in the same order"
            ));
        }
        let named: Vec<_> =
            crls.iter().take(MOST_NAMED).map(|crl| format!("{} is of {}", crl.position, crl.contents.issuer)).collect();
        let more = crls.len().saturating_sub(named.len());
        let more = if more > 0 { format!(", and {more} more are of others") } else { String::new() };
        match named.is_empty() {
            true => problem(format!("no CRL of {issuer} was given")),
            false => problem(format!("no CRL of {issuer} was given: {}{more}", named.join(", "))),
        }
    }

    /// Returns a CRL that this CA signed under another name than its own.
    fn renamed(&self, ca: &'a Candidate) -> Option<&'a CandidateCrl> {
        /// Of CRLs without a key identifier, so many are tried.
        const MOST_TRIED: usize = 3;
        let own = ca.certificate.subject_key_id.as_ref();
        let others = || self.input.crls.iter().filter(|crl| crl.issuer != ca.subject);
        let key_id = |crl: &CandidateCrl| crl.contents.authority_key_id.as_ref().and_then(|id| id.key_id.clone());
        let named = others().filter(|crl| own.is_some() && key_id(crl).as_ref() == own);
        let unnamed = others().filter(|crl| key_id(crl).is_none());
        named.take(MOST_TRIED).chain(unnamed.take(MOST_TRIED)).find(|crl| matches!(self.verifies(crl, ca), Ok(Ok(()))))
    }
}

fn revoked_problem(
    candidate: &Candidate,
    at: OffsetDateTime,
    reason: Option<RevocationReason>,
    source: &str,
) -> Problem {
    let reason = reason.map_or_else(|| "without a reason".to_owned(), |reason| format!("for {}", reason.name()));
    let Certificate { subject, serial, .. } = &candidate.certificate;
    let message = format!("{subject} (serial {serial}) was revoked at {} {reason}, says {source}", rfc3339(at));
    Problem::error(&REVOKED, candidate, message)
}

/// Returns a CRL number in a form that compares by size.
fn number(crl: &CandidateCrl) -> (usize, &[u8]) {
    crl.contents.number.as_deref().map_or((0, &[]), numeric)
}

fn numeric(magnitude: &[u8]) -> (usize, &[u8]) {
    let first = magnitude.iter().position(|byte| *byte != 0).unwrap_or(magnitude.len());
    magnitude.get(first..).map_or((0, &[]), |significant| (significant.len(), significant))
}
