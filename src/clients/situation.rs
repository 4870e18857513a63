//! What a client sees: the certificates that the server sends, and those that the client trusts.

use std::rc::Rc;

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

/// The certificates of a situation, split into their fields, and the path through them. A certificate of the path is one of those
/// that were sent, or an anchor: each is split once.
#[derive(Debug)]
pub struct Chain<'a> {
    pub sent: Vec<Rc<RawCertificate<'a>>>,
    pub anchors: Vec<Rc<RawCertificate<'a>>>,
    /// Leaf first. When there is no path to an anchor, as far as it goes.
    pub path: Vec<Rc<RawCertificate<'a>>>,
    /// Whether the last certificate of the path is a trust anchor.
    pub is_complete: bool,
    /// Whether a signature in the path is wrong.
    pub has_wrong_signature: bool,
    /// Whether the last certificate of the path is signed with its own key.
    pub ends_self_signed: bool,
    /// Further certificates of the CAs of the path, with their name and key, that the server sends.
    pub twins: Vec<Twin<'a>>,
    /// Whether the trust anchors include the issuers of the last certificate of the path, up to a self-signed one.
    pub has_anchors_above: bool,
}

/// A second certificate of a CA of the path.
#[derive(Debug)]
pub struct Twin<'a> {
    /// The place of the CA in the path.
    pub place: usize,
    /// Whether the server sends it before the one that is used, or that one is not sent.
    pub is_first: bool,
    /// The path over the second certificate; `None` when it leads to no anchor.
    pub path: Option<Vec<Rc<RawCertificate<'a>>>>,
}

/// The most certificates of a path, and the most certificates that are looked at for it.
const MOST_CERTIFICATES: usize = 24;
const MOST_STEPS: usize = 400;
/// The most second certificates of CAs that are looked at.
const MOST_TWINS: usize = 8;

impl<'a> Chain<'a> {
    /// Returns `None` when the leaf does not have the frame of a certificate.
    pub fn read(situation: &Situation<'a>) -> Option<Self> {
        let read = |der: &&'a [u8]| RawCertificate::read(der).map(Rc::new);
        let sent: Vec<_> = situation.sent.iter().filter_map(read).collect();
        let anchors: Vec<_> = situation.anchors.iter().filter_map(read).collect();
        let leaf = sent.first()?.as_ref();
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
        Some(Self::over(path, is_complete, has_wrong_signature, sent, anchors, situation))
    }

    fn over(
        path: Vec<&'a [u8]>,
        is_complete: bool,
        has_wrong_signature: bool,
        sent: Vec<Rc<RawCertificate<'a>>>,
        anchors: Vec<Rc<RawCertificate<'a>>>,
        situation: &Situation<'a>,
    ) -> Self {
        let path: Vec<_> = path.into_iter().filter_map(|der| known(der, &sent, &anchors)).collect();
        let last = path.last().map(Rc::as_ref);
        let ends_self_signed = last.is_some_and(|last| is_self_signed(last, situation));
        let has_anchors_above = last.is_some_and(|last| has_anchors_above(last, &anchors, situation));
        let twins = if is_complete { twins(&path, &sent, &anchors, situation) } else { Vec::new() };
        Self { sent, anchors, path, is_complete, has_wrong_signature, ends_self_signed, twins, has_anchors_above }
    }

    /// Returns the same certificates with another complete path through them.
    pub fn with_path(self, path: Vec<&'a [u8]>, situation: &Situation<'a>) -> Self {
        Self::over(path, true, false, self.sent, self.anchors, situation)
    }

    /// Returns the anchor of a complete path of two or more certificates.
    pub fn root(&self) -> Option<&RawCertificate<'a>> {
        self.path.last().filter(|_| self.is_complete && self.path.len() > 1).map(Rc::as_ref)
    }
}

/// Returns the certificate with this DER: one of those that were read already, or read now.
fn known<'a>(
    der: &'a [u8],
    sent: &[Rc<RawCertificate<'a>>],
    anchors: &[Rc<RawCertificate<'a>>],
) -> Option<Rc<RawCertificate<'a>>> {
    let known = sent.iter().chain(anchors).find(|known| known.der == der);
    known.cloned().or_else(|| RawCertificate::read(der).map(Rc::new))
}

/// Finds the twins of the CAs of a path. Most servers send none, and then nothing is looked for.
fn twins<'s, 'a>(
    path: &'s [Rc<RawCertificate<'a>>],
    sent: &'s [Rc<RawCertificate<'a>>],
    anchors: &'s [Rc<RawCertificate<'a>>],
    situation: &'s Situation<'a>,
) -> Vec<Twin<'a>> {
    let mut found = Vec::new();
    for (position, second) in sent.iter().enumerate().skip(1) {
        let is_twin = |ca: &Rc<RawCertificate<'_>>| {
            ca.der != second.der && ca.key.spki == second.key.spki && ca.subject.is_same(&second.subject)
        };
        let Some(place) = path.iter().skip(1).position(is_twin).map(|it| it + 1) else { continue };
        let is_used = path.iter().any(|used| used.der == second.der);
        if is_used || !is_valid(second, situation.at) || found.len() == MOST_TWINS {
            continue;
        }
        let used = path.get(place).and_then(|ca| sent.iter().skip(1).position(|it| it.der == ca.der));
        let is_first = used.is_none_or(|used| position <= used);
        let mut search = Search { situation, sent, anchors, best: vec![second.der], steps: MOST_STEPS };
        // The certificates below the twin, so that a circle is none of its paths.
        let mut over: Vec<&'s RawCertificate<'a>> = path.iter().take(place).map(Rc::as_ref).collect();
        over.push(second);
        let leads_up = search.extend(&mut over, false);
        let over = leads_up.then(|| over.iter().filter_map(|it| known(it.der, sent, anchors)).collect());
        found.push(Twin { place, is_first, path: over });
    }
    found
}

struct Search<'s, 'a> {
    situation: &'s Situation<'a>,
    sent: &'s [Rc<RawCertificate<'a>>],
    anchors: &'s [Rc<RawCertificate<'a>>],
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
    /// before those of the key identifier alone, anchors before others, valid ones before expired ones. Of several certificates for
    /// one key, the one whose serial number is named comes first (RFC 5280 §4.2.1.1).
    fn issuers(&self, child: &RawCertificate<'a>) -> Vec<(&'s RawCertificate<'a>, bool)> {
        let (wanted, serial) = (authority_key_id(child), authority_serial(child));
        let anchors = self.anchors.iter().map(|anchor| (anchor.as_ref(), true));
        let sent = self.sent.iter().skip(1).map(|sent| (sent.as_ref(), false));
        let mut found: Vec<(&'s RawCertificate<'a>, bool)> = anchors.chain(sent).collect();
        let rank = |(issuer, is_anchor): &(&RawCertificate<'a>, bool)| {
            let has_key_id = wanted.is_some() && issuer.key_id() == wanted;
            let has_name = child.issuer.is_same(&issuer.subject);
            let is_candidate = has_name || has_key_id || child.issuer.form(&issuer.subject).is_some();
            let is_valid = is_valid(issuer, self.situation.at);
            let has_other_serial = serial.is_some_and(|serial| serial != issuer.serial);
            is_candidate.then_some((
                !has_name,
                !is_valid,
                !is_anchor,
                wanted.is_some() && !has_key_id,
                has_other_serial,
            ))
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
fn has_anchors_above(
    anchor: &RawCertificate<'_>,
    anchors: &[Rc<RawCertificate<'_>>],
    situation: &Situation<'_>,
) -> bool {
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
    authority_field(certificate, 0)
}

/// Returns the serial number of the issuer in the authority key identifier.
fn authority_serial<'a>(certificate: &RawCertificate<'a>) -> Option<&'a [u8]> {
    authority_field(certificate, 2)
}

/// Returns a field of the authority key identifier (RFC 5280 §4.2.1.1).
fn authority_field<'a>(certificate: &RawCertificate<'a>, number: u8) -> Option<&'a [u8]> {
    let (fields, _) = expect(der::SEQUENCE, certificate.extension(extension::AKI)?.value)?;
    values(fields).find(|(tag, _)| *tag == der::context(number)).map(|(_, content)| content)
}
