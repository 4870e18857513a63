//! RFC 5280 §6.3: revocation by lists. Every list of the issuer counts; one that cannot be used proves nothing, and a
//! certificate without a current list that covers it is not valid.
//!
//! Handled: lists limited to a distribution point, to kinds of certificates or to reasons; delta lists beside their base;
//! lists signed with another key of the CA. Indirect lists (of another issuer) are refused: they prove nothing here.

use std::cell::Cell;

use super::name::Canonical;
use super::question::{Evidence, Exhibit, ListExhibit, Question};
use super::rules::Path;
use super::signature;
use super::verdict::{Code, Problem};
use crate::x509::certificate::oid;
use crate::x509::distribution_point::{complete_relative_name, directory_name};
use crate::x509::revocation_list::{RevocationReason, RevokedEntry};
use crate::x509::validity::{distance, rfc3339};
use crate::x509::{IssuingDistributionPoint, KeyUsage, PointName, ReasonFlags};

pub static CODES: &[&Code] = &[&REVOKED, &REVOCATION_UNKNOWN, &CRL_EXPIRED, &CRL_UNUSABLE];

const REVOKED: Code = Code {
    code: "revoked",
    citation: "RFC 5280 §5.3, §6.3.3",
    demand: "No list of the issuer names the serial number of the certificate",
    example: "CN=web.corp.test (serial 11223344) was revoked at 2026-01-15T12:00:00Z for key-compromise, says issuing.crl#1 \
        of 2026-01-31T00:00:00Z",
    cure: "replace the certificate (ca issue TEMPLATE NAME --force)",
};

const REVOCATION_UNKNOWN: Code = Code {
    code: "revocation-unknown",
    citation: "RFC 5280 §6.3.3",
    demand: "With --crl, every certificate below the root is covered by a current list of its issuer",
    example: "no revocation list of CN=Corp Root CA was given",
    cure: "give the issuer's current revocation list too (--crl FILE)",
};

const CRL_EXPIRED: Code = Code {
    code: "crl-expired",
    citation: "RFC 5280 §5.1.2.5, §6.3.3",
    demand: "A revocation list is used until its nextUpdate",
    example: "issuing.crl#1 expired at 2026-12-23T23:44:35Z, 12 days before 2027-01-05T00:00:00Z",
    cure: "fetch the issuer's current list",
};

const CRL_UNUSABLE: Code = Code {
    code: "crl-unusable",
    citation: "RFC 5280 §5, §6.3.3",
    demand: "A revocation list counts only when all of it is understood, and its issuer signed it",
    example: "issuing.crl#1 is not signed with a key of CN=Corp Root CA issuing",
    cure: "give a complete list that the issuer of the certificate signed",
};

/// The most signatures over lists that are checked for one path.
const MOST_SIGNATURES: usize = 300;
/// How far a list may be signed by a key whose certificate needs a list itself.
const MOST_DEPTH: usize = 2;

/// Adds what the lists say against a path; `used` gets the lists on which a yes rests.
pub fn check(path: &Path<'_>, evidence: Evidence<'_>, problems: &mut Vec<Problem>, used: &mut Vec<usize>) {
    let inquiry = Inquiry { evidence, question: path.question, signatures: Cell::new(0) };
    for index in 1..path.exhibits.len() {
        let (above, rest) = path.exhibits.split_at(index);
        let Some(exhibit) = rest.first() else { return };
        match inquiry.status(exhibit, above, 0) {
            Status::Good(lists) => used.extend(lists),
            Status::Revoked(problem) => problems.push(*problem),
            Status::Unknown(reasons) => problems.extend(reasons),
        }
    }
}

enum Status {
    Good(Vec<usize>),
    Revoked(Box<Problem>),
    Unknown(Vec<Problem>),
}

struct Inquiry<'a> {
    evidence: Evidence<'a>,
    question: &'a Question,
    signatures: Cell<usize>,
}

/// A list that counts for a certificate, and the reasons for which it does.
struct Covering<'a> {
    index: usize,
    exhibit: &'a ListExhibit,
    reasons: ReasonFlags,
}

impl Inquiry<'_> {
    /// `above` is the path from the anchor to the issuer of `exhibit`.
    fn status(&self, exhibit: &Exhibit, above: &[&Exhibit], depth: usize) -> Status {
        let mut unusable = Vec::new();
        let mut covering: Vec<Covering<'_>> = Vec::new();
        let mut revoked = None;
        for (index, list) in self.evidence.lists.iter().enumerate().filter(|(_, list)| list.issuer == exhibit.issuer) {
            let reasons = match scope(list, exhibit) {
                Ok(reasons) => reasons,
                Err(why) => {
                    unusable.push(Problem::error(&REVOCATION_UNKNOWN, exhibit, format!("{} {why}", list.place)));
                    continue;
                }
            };
            if let Err(why) = self.check_signature(list, above, depth) {
                unusable.push(Problem::error(&CRL_UNUSABLE, exhibit, format!("{} {why}", list.place)));
                continue;
            }
            // Whatever else is wrong with it: the issuer said so.
            if let Some(entry) = list.list.find(&exhibit.certificate.serial)
                && entry.reason != Some(RevocationReason::RemoveFromCrl)
                && !self.is_lifted(entry, list, exhibit)
            {
                revoked = Some(revoked_problem(exhibit, list, entry));
            }
            match usable(list, self.question) {
                Ok(()) => covering.push(Covering { index, exhibit: list, reasons }),
                Err((code, why)) => unusable.push(Problem::error(code, exhibit, format!("{} {why}", list.place))),
            }
        }
        if let Some(problem) = revoked {
            return Status::Revoked(Box::new(problem));
        }
        let complete: Vec<_> = covering.iter().filter(|it| it.exhibit.list.delta_base.is_none()).collect();
        // The list that holds longest, where one covers everything; all of them where only together they do.
        let full = complete.iter().filter(|it| it.reasons.contains(ReasonFlags::ALL));
        if let Some(longest) = full.max_by_key(|it| it.exhibit.list.next_update) {
            return Status::Good(vec![longest.index]);
        }
        let together = complete.iter().fold(ReasonFlags::NONE, |all, it| all.union(it.reasons));
        if together.contains(ReasonFlags::ALL) {
            return Status::Good(complete.iter().map(|it| it.index).collect());
        }
        if unusable.is_empty() {
            let message = if together.is_empty() {
                format!("no revocation list of {} was given", exhibit.certificate.issuer)
            } else {
                format!("the lists of {} that were given do not cover every reason", exhibit.certificate.issuer)
            };
            unusable.push(Problem::error(&REVOCATION_UNKNOWN, exhibit, message));
        }
        Status::Unknown(unusable)
    }

    /// A certificate on hold is free again when a newer list of the same scope says so (RFC 5280 §5.3.1).
    fn is_lifted(&self, entry: &RevokedEntry, list: &ListExhibit, exhibit: &Exhibit) -> bool {
        entry.reason == Some(RevocationReason::CertificateHold)
            && self.evidence.lists.iter().any(|newer| {
                let is_newer = number(newer) > number(list) && newer.list.this_update >= list.list.this_update;
                let fits = newer.list.delta_base.as_ref().is_none_or(|base| numeric(base) <= number(list));
                let says_so = match newer.list.find(&exhibit.certificate.serial) {
                    None => newer.list.delta_base.is_none(),
                    Some(entry) => entry.reason == Some(RevocationReason::RemoveFromCrl),
                };
                newer.issuer == list.issuer
                    && newer.list.scope == list.list.scope
                    && newer.list.authority_key_id == list.list.authority_key_id
                    && is_newer
                    && fits
                    && says_so
                    && usable(newer, self.question).is_ok()
                    && self.is_signed_alike(newer, list)
            })
    }

    /// A list lifts only what a list of the same key imposed; both were found under the same issuer name.
    fn is_signed_alike(&self, newer: &ListExhibit, list: &ListExhibit) -> bool {
        let signers = self.evidence.anchors.iter().chain(self.evidence.untrusted.iter().copied());
        signers.filter(|signer| signer.subject == list.issuer).any(|signer| {
            [newer, list].into_iter().all(|list| {
                self.count_signature() && signature::revocation_list(&list.list, &signer.certificate.public_key).is_ok()
            })
        })
    }

    fn check_signature(&self, list: &ListExhibit, above: &[&Exhibit], depth: usize) -> Result<(), String> {
        let Some(issuer) = above.last() else { return Err("has no issuer".to_owned()) };
        let verifies = |signer: &Exhibit| {
            self.count_signature() && signature::revocation_list(&list.list, &signer.certificate.public_key).is_ok()
        };
        if verifies(issuer) {
            return match issuer.certificate.key_usage {
                Some(usage) if !usage.contains(KeyUsage::CRL_SIGN) => Err(format!(
                    "is signed by {}, whose key usage is {usage}, without crl-sign",
                    issuer.certificate.subject
                )),
                _ => Ok(()),
            };
        }
        let mut others = self.other_signers(issuer);
        if depth < MOST_DEPTH && others.any(|signer| verifies(signer) && self.is_authorised(signer, above, depth)) {
            return Ok(());
        }
        Err(format!("is not signed with a key of {}", issuer.certificate.subject))
    }

    /// Other certificates of the same CA, made for signing lists (RFC 5280 §6.3.3 (f)).
    fn other_signers<'s>(&'s self, issuer: &'s Exhibit) -> impl Iterator<Item = &'s Exhibit> {
        let all = self.evidence.anchors.iter().chain(self.evidence.untrusted.iter().copied());
        all.filter(move |signer| {
            let certificate = &signer.certificate;
            signer.subject == issuer.subject
                && certificate.public_key.spki() != issuer.certificate.public_key.spki()
                && certificate.key_usage.is_some_and(|usage| usage.contains(KeyUsage::CRL_SIGN))
                && certificate.validity.contains(self.question.at)
                && certificate.malformed.is_empty()
        })
    }

    /// The signer is the CA under another key: part of the path itself, or certified by somebody in it and not revoked.
    fn is_authorised(&self, signer: &Exhibit, above: &[&Exhibit], depth: usize) -> bool {
        let same = |known: &Exhibit| known.certificate.as_der() == signer.certificate.as_der();
        if above.iter().any(|known| same(known)) || self.evidence.anchors.iter().any(same) {
            return true;
        }
        let certified_by = |by: &Exhibit| {
            by.subject == signer.issuer
                && by.certificate.is_ca()
                && self.count_signature()
                && signature::certificate(&signer.certificate, &by.certificate.public_key).is_ok()
        };
        // The nearest first: the CA itself, then its own issuer.
        let certifier = above.iter().rposition(|by| certified_by(by));
        certifier
            .and_then(|index| above.get(..=index))
            .is_some_and(|path| matches!(self.status(signer, path, depth + 1), Status::Good(_)))
    }

    fn count_signature(&self) -> bool {
        self.signatures.set(self.signatures.get() + 1);
        self.signatures.get() <= MOST_SIGNATURES
    }
}

fn revoked_problem(exhibit: &Exhibit, list: &ListExhibit, entry: &RevokedEntry) -> Problem {
    let reason = entry.reason.map_or_else(|| "without a reason".to_owned(), |reason| format!("for {}", reason.name()));
    Problem::error(
        &REVOKED,
        exhibit,
        format!(
            "{} (serial {}) was revoked at {} {reason}, says {} of {}",
            exhibit.certificate.subject,
            exhibit.certificate.serial,
            rfc3339(entry.revoked_at),
            list.place,
            rfc3339(list.list.this_update)
        ),
    )
}

/// Whether a list can be relied on at all.
fn usable(exhibit: &ListExhibit, question: &Question) -> Result<(), (&'static Code, String)> {
    let list = &exhibit.list;
    let unusable = |why: String| Err((&CRL_UNUSABLE, why));
    if let Some((oid, reason)) = list.malformed.first() {
        return unusable(format!("has a damaged extension {oid}: {reason}"));
    }
    if list.tbs_signature_algorithm.der != list.signature_algorithm.der {
        return unusable("names two different signature algorithms".to_owned());
    }
    const PROCESSED: [&str; 4] =
        [oid::ISSUING_DISTRIBUTION_POINT, oid::DELTA_CRL_INDICATOR, oid::AUTHORITY_KEY_ID, oid::CRL_NUMBER];
    let mut unknown = list.extensions.iter().filter(|it| it.critical && !PROCESSED.contains(&it.oid.as_str()));
    if let Some(extension) = unknown.next() {
        return unusable(format!("has the critical extension {}, which nothing here processes", extension.oid));
    }
    if let Some(oid) = list.entries.iter().find_map(|entry| entry.unknown_critical.first()) {
        return unusable(format!("has an entry with the critical extension {oid}, which nothing here processes"));
    }
    if list.number.is_none() {
        return unusable("has no CRL number (RFC 5280 §5.2.3)".to_owned());
    }
    if list.this_update > question.at {
        return unusable(format!("is of {}, after {}", rfc3339(list.this_update), rfc3339(question.at)));
    }
    match list.next_update {
        None => unusable("has no nextUpdate (RFC 5280 §5.1.2.5)".to_owned()),
        Some(next) if next <= question.at => Err((
            &CRL_EXPIRED,
            format!("expired at {}, {} before {}", rfc3339(next), distance(question.at - next), rfc3339(question.at)),
        )),
        Some(_) => Ok(()),
    }
}

/// RFC 5280 §6.3.3 (b): the reasons for which a list covers a certificate, or why it does not cover it.
fn scope(list: &ListExhibit, exhibit: &Exhibit) -> Result<ReasonFlags, &'static str> {
    let Some(scope) = &list.list.scope else {
        return if list.list.extension(oid::ISSUING_DISTRIBUTION_POINT).is_some() {
            Err("has a scope that cannot be read")
        } else {
            Ok(ReasonFlags::ALL)
        };
    };
    let is_ca = exhibit.certificate.is_ca();
    if scope.indirect {
        return Err("is an indirect list; such are not processed");
    }
    if scope.only_attribute_certificates {
        return Err("covers attribute certificates only");
    }
    if scope.only_user_certificates && is_ca {
        return Err("covers certificates that are no CA only");
    }
    if scope.only_ca_certificates && !is_ca {
        return Err("covers CA certificates only");
    }
    let own = scope.only_some_reasons.unwrap_or(ReasonFlags::ALL);
    if scope.name.is_none() {
        return Ok(own);
    }
    points_reasons(scope, list, exhibit)
        .map(|reasons| own.intersection(reasons))
        .ok_or("covers another distribution point than those of the certificate")
}

fn points_reasons(scope: &IssuingDistributionPoint, list: &ListExhibit, exhibit: &Exhibit) -> Option<ReasonFlags> {
    let published = names_of_point(scope.name.as_ref()?, list);
    let mut reasons = None;
    for point in exhibit.certificate.distribution_points.iter().filter(|point| point.crl_issuer.is_none()) {
        let Some(name) = &point.name else { continue };
        let matches = names_of_point(name, list).iter().any(|name| published.iter().any(|other| same(name, other)));
        if matches {
            let own = point.reasons.unwrap_or(ReasonFlags::ALL);
            reasons = Some(reasons.unwrap_or(ReasonFlags::NONE).union(own));
        }
    }
    reasons
}

/// The full names of a point; a relative one is completed with the name of the list's issuer.
fn names_of_point(name: &PointName, list: &ListExhibit) -> Vec<Vec<u8>> {
    match name {
        PointName::Full(names) => names.clone(),
        PointName::Relative(attributes) => complete_relative_name(&list.list.issuer, attributes).into_iter().collect(),
    }
}

fn same(one: &[u8], other: &[u8]) -> bool {
    one == other
        || match (directory_name(one), directory_name(other)) {
            (Some(one), Some(other)) => Canonical::of(&one) == Canonical::of(&other),
            _ => false,
        }
}

/// CRL numbers in an order of their size.
fn number(list: &ListExhibit) -> (usize, &[u8]) {
    list.list.number.as_deref().map_or((0, &[]), numeric)
}

fn numeric(magnitude: &[u8]) -> (usize, &[u8]) {
    let first = magnitude.iter().position(|octet| *octet != 0).unwrap_or(magnitude.len());
    magnitude.get(first..).map_or((0, &[]), |significant| (significant.len(), significant))
}
