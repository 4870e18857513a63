//! RFC 5280 §5, §6.3.3: whether a CRL is well-formed, understood and current.

use crate::lint::crl::rules::number;
use crate::text::{humanize, rfc3339};
use crate::verify::candidate::CandidateCrl;
use crate::verify::code::{Code, Rank};
use crate::verify::input::VerifyOptions;
use crate::x509::certificate::oid;

pub(super) const CRL_EXPIRED: Code = Code {
    code: "crl-expired",
    rank: Rank::Unranked,
    citation: "RFC 5280 §5.1.2.5, §6.3.3",
    requirement: "A CRL is used until its nextUpdate",
    example: "issuing.crl#1 expired at 2026-12-23T23:44:35Z, 12 days before 2027-01-05T00:00:00Z",
    fix: "fetch the issuer's current list",
};

pub(super) const CRL_UNUSABLE: Code = Code {
    code: "crl-unusable",
    rank: Rank::Unranked,
    citation: "RFC 5280 §5, §6.3.3",
    requirement: "A CRL is used only if every part of it is understood, and its issuer signed it",
    example: "issuing.crl#1 is not signed with a key of CN=Corp Root CA issuing",
    fix: "give a complete CRL that the issuer of the certificate signed",
};

/// The rule of `ca lint`, which is a warning here.
pub(super) const CRL_WITHOUT_NUMBER: Code = Code {
    code: number::RULE.code,
    rank: Rank::Unranked,
    citation: number::RULE.citation,
    requirement: number::RULE.requirement,
    example: number::RULE.example,
    fix: number::RULE.fix,
};

/// Why a CRL cannot be used: the code, and the predicate of a sentence whose subject is the CRL.
pub(super) type Reason = (&'static Code, String);

/// Returns the reasons why a CRL cannot be used at this time, the most useful first; none for one that can be used.
pub(super) fn faults(crl: &CandidateCrl, options: &VerifyOptions) -> Vec<Reason> {
    let contents = &crl.contents;
    let mut faults = Vec::new();
    // A CRL that has expired is replaced by a newer one whatever else is wrong with it.
    if let Some(next) = contents.next_update.filter(|next| *next <= options.at) {
        let ago = humanize(options.at - next);
        faults.push((&CRL_EXPIRED, format!("expired at {}, {ago} before {}", rfc3339(next), rfc3339(options.at))));
    }
    if let Some(why) = defect(crl, options) {
        faults.push((&CRL_UNUSABLE, why));
    }
    faults
}

/// Returns whether the CRL lacks a number, and is used all the same: OpenSSL and what is built on it write such CRLs.
pub(super) fn lacks_number(crl: &CandidateCrl, options: &VerifyOptions) -> bool {
    !options.strict && crl.contents.number.is_none() && crl.contents.delta_base.is_none()
}

fn defect(crl: &CandidateCrl, options: &VerifyOptions) -> Option<String> {
    let contents = &crl.contents;
    if let Some((oid, reason)) = contents.malformed.first() {
        return Some(format!("has a damaged extension {}: {reason}", oid::with_name(oid)));
    }
    if contents.tbs_signature_algorithm.der != contents.signature_algorithm.der {
        return Some("names two different signature algorithms".to_owned());
    }
    const PROCESSED: [&str; 4] =
        [oid::ISSUING_DISTRIBUTION_POINT, oid::DELTA_CRL_INDICATOR, oid::AUTHORITY_KEY_ID, oid::CRL_NUMBER];
    let mut unknown = contents.extensions.iter().filter(|it| it.critical && !PROCESSED.contains(&it.oid.as_str()));
    if let Some(extension) = unknown.next() {
        let named = oid::with_name(&extension.oid);
        return Some(format!("has the critical extension {named}, which nothing here processes"));
    }
    let is_indirect = contents.scope.as_ref().is_some_and(|scope| scope.indirect);
    if !is_indirect && contents.entries.iter().any(|entry| entry.certificate_issuer.is_some()) {
        return Some("names other issuers in its entries, but is not marked as indirect (§5.3.3)".to_owned());
    }
    if let Some(oid) = contents.entries.iter().find_map(|entry| entry.unknown_critical.first()) {
        return Some(format!("has an entry with the critical extension {oid}, which nothing here processes"));
    }
    if contents.this_update > options.at {
        return Some(format!("is of {}, after {}", rfc3339(contents.this_update), rfc3339(options.at)));
    }
    if contents.next_update.is_none() {
        return Some("has no nextUpdate (RFC 5280 §5.1.2.5)".to_owned());
    }
    let needs_number = contents.number.is_none() && !lacks_number(crl, options);
    needs_number.then(|| "has no CRL number (RFC 5280 §5.2.3)".to_owned())
}
