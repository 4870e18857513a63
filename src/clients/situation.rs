//! What a client sees: the certificates that the server sends, and those that the client trusts.

use time::OffsetDateTime;

use super::raw::{RawCertificate, extension};
use super::raw_der::{expect, values};
use crate::x509::{GeneralName, der};

/// Whether a certificate is signed with the key of another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signed {
    Yes,
    No,
    /// The algorithm is not supported, or there is no time for it.
    Unknown,
}

/// A chain under the eyes of a client.
#[derive(Clone, Copy)]
pub struct Situation<'a> {
    /// The DER of the certificates in the order in which the server sends them, the leaf first.
    pub sent: &'a [&'a [u8]],
    /// The DER of the trust anchors, in their order.
    pub anchors: &'a [&'a [u8]],
    /// The path that is used, leaf first, anchor last; `None` when it is to be looked for.
    pub path: Option<&'a [&'a [u8]]>,
    /// The names that the client wants, each of them.
    pub hosts: &'a [GeneralName],
    pub at: OffsetDateTime,
    /// Answers whether the first certificate is signed with the key of the second one.
    pub is_signed_by: &'a dyn Fn(&[u8], &[u8]) -> Signed,
}

/// The certificates of a situation, split into their fields, and the path through them.
#[derive(Debug)]
pub struct Chain<'a> {
    pub sent: Vec<RawCertificate<'a>>,
    pub anchors: Vec<RawCertificate<'a>>,
    /// Leaf first. When there is no path to an anchor, as far as it goes.
    pub path: Vec<RawCertificate<'a>>,
    /// Whether the last certificate of the path is a trust anchor.
    pub is_complete: bool,
    /// Whether a signature in the path is wrong.
    pub has_wrong_signature: bool,
    /// Whether the last certificate of the path is signed with its own key.
    pub ends_self_signed: bool,
    /// Whether the trust anchors include the issuers of the last certificate of the path, up to a self-signed one.
    pub has_anchors_above: bool,
}

/// The most certificates of a path, and the most certificates that are looked at for it.
const MOST_CERTIFICATES: usize = 24;
const MOST_STEPS: usize = 400;

impl<'a> Chain<'a> {
    /// Returns `None` when the leaf does not have the frame of a certificate.
    pub fn read(situation: &Situation<'a>) -> Option<Self> {
        let sent: Vec<_> = situation.sent.iter().filter_map(|der| RawCertificate::read(der)).collect();
        let anchors: Vec<_> = situation.anchors.iter().filter_map(|der| RawCertificate::read(der)).collect();
        let leaf = sent.first()?;
        let (path, is_complete, has_wrong_signature) = match situation.path {
            Some(path) => (path.to_vec(), true, false),
            None => {
                let mut search =
                    Search { situation, sent: &sent, anchors: &anchors, best: vec![leaf.der], steps: MOST_STEPS };
                let mut path = vec![leaf];
                match search.extend(&mut path, false) {
                    true => (path.iter().map(|it| it.der).collect(), true, false),
                    // Without the signatures: the path that was meant.
                    false => {
                        let proper = std::mem::take(&mut search.best);
                        search.steps = MOST_STEPS;
                        let mut path = vec![leaf];
                        match search.extend(&mut path, true) {
                            true => (path.iter().map(|it| it.der).collect(), true, true),
                            false => (proper, false, false),
                        }
                    }
                }
            }
        };
        let path: Vec<_> = path.into_iter().filter_map(RawCertificate::read).collect();
        let last = path.last();
        let ends_self_signed = last.is_some_and(|last| is_self_signed(last, situation));
        let has_anchors_above = last.is_some_and(|last| has_anchors_above(last, &anchors, situation));
        Some(Self { sent, anchors, path, is_complete, has_wrong_signature, ends_self_signed, has_anchors_above })
    }

    /// Returns the anchor of a complete path of two or more certificates.
    pub fn root(&self) -> Option<&RawCertificate<'a>> {
        self.path.last().filter(|_| self.is_complete && self.path.len() > 1)
    }
}

struct Search<'s, 'a> {
    situation: &'s Situation<'a>,
    sent: &'s [RawCertificate<'a>],
    anchors: &'s [RawCertificate<'a>],
    /// The longest path that did not reach an anchor.
    best: Vec<&'a [u8]>,
    steps: usize,
}

impl<'s, 'a> Search<'s, 'a> {
    /// Extends the path until it ends at an anchor, the most likely issuer first.
    fn extend(&mut self, path: &mut Vec<&'s RawCertificate<'a>>, despite_signatures: bool) -> bool {
        let Some(head) = path.last().copied() else { return false };
        if path.len() == 1 && self.anchors.iter().any(|anchor| anchor.der == head.der) {
            return true;
        }
        if path.len() > self.best.len() {
            self.best = path.iter().map(|it| it.der).collect();
        }
        if path.len() >= MOST_CERTIFICATES {
            return false;
        }
        for (issuer, is_anchor) in self.issuers(head) {
            let Some(left) = self.steps.checked_sub(1) else { return false };
            self.steps = left;
            let is_loop = path.iter().any(|known| known.der == issuer.der);
            if is_loop || !despite_signatures && (self.situation.is_signed_by)(head.der, issuer.der) == Signed::No {
                continue;
            }
            path.push(issuer);
            if is_anchor || self.extend(path, despite_signatures) {
                return true;
            }
            path.pop();
        }
        false
    }

    /// Returns the certificates that may have issued this one, each with whether it is an anchor: those of the issuer's name
    /// before those of the key identifier alone, anchors before others, valid ones before expired ones.
    fn issuers(&self, child: &RawCertificate<'a>) -> Vec<(&'s RawCertificate<'a>, bool)> {
        let wanted = authority_key_id(child);
        let anchors = self.anchors.iter().map(|anchor| (anchor, true));
        let mut found: Vec<_> = anchors.chain(self.sent.iter().skip(1).map(|sent| (sent, false))).collect();
        let rank = |(issuer, is_anchor): &(&RawCertificate<'a>, bool)| {
            let has_key_id = wanted.is_some() && issuer.key_id() == wanted;
            let has_name = child.issuer.is_same(&issuer.subject);
            let is_candidate = has_name || has_key_id || child.issuer.form(&issuer.subject).is_some();
            let is_valid = is_valid(issuer, self.situation.at);
            is_candidate.then_some((!has_name, !is_valid, !is_anchor, wanted.is_some() && !has_key_id))
        };
        found.retain(|candidate| rank(candidate).is_some() && candidate.0.der != child.der);
        found.sort_by_cached_key(rank);
        found
    }
}

/// Returns whether a certificate is signed with its own key. A cross-certificate of a CA for its next key has one name too, so
/// the signature decides where the key identifiers differ.
fn is_self_signed(certificate: &RawCertificate<'_>, situation: &Situation<'_>) -> bool {
    let names_another_key = match (authority_key_id(certificate), certificate.key_id()) {
        (Some(wanted), Some(own)) => wanted != own,
        _ => false,
    };
    certificate.is_self_issued()
        && (!names_another_key || (situation.is_signed_by)(certificate.der, certificate.der) != Signed::No)
}

/// Returns whether the issuers of an anchor are anchors too, up to a self-signed one: then clients that want a root find it.
fn has_anchors_above(anchor: &RawCertificate<'_>, anchors: &[RawCertificate<'_>], situation: &Situation<'_>) -> bool {
    let mut head = anchor;
    for _ in 0..MOST_CERTIFICATES {
        let issuer = anchors.iter().find(|issuer| {
            issuer.der != head.der
                && head.issuer.is_same(&issuer.subject)
                && (situation.is_signed_by)(head.der, issuer.der) != Signed::No
        });
        match issuer {
            Some(issuer) if is_self_signed(issuer, situation) => return true,
            Some(issuer) => head = issuer,
            None => return false,
        }
    }
    false
}

fn is_valid(certificate: &RawCertificate<'_>, at: OffsetDateTime) -> bool {
    certificate.not_before.instant().is_none_or(|from| from <= at)
        && certificate.not_after.instant().is_none_or(|until| at <= until)
}

/// Returns the key identifier of the authority key identifier.
pub fn authority_key_id<'a>(certificate: &RawCertificate<'a>) -> Option<&'a [u8]> {
    let (fields, _) = expect(der::SEQUENCE, certificate.extension(extension::AKI)?.value)?;
    values(fields).into_iter().find(|(tag, _)| *tag == der::context(0)).map(|(_, id)| id)
}
