//! What the server sends beside the path, and what else the client trusts (RFC 8446 §4.4.2).

use std::rc::Rc;

use time::OffsetDateTime;

use super::{dates, key_ids};
use crate::clients::fact::{Found, Subject, words};
use crate::clients::raw::RawCertificate;
use crate::clients::situation::{Chain, authority_key_id};

words! {
    ROOT_SENT = "sent:root", CHAIN, "the server sends the root too", "RFC 8446 §4.4.2";
    TWICE = "sent:twice", CHAIN, "the server sends a certificate twice", "RFC 8446 §4.4.2";
    UNUSED = "sent:unused", CHAIN, "the server sends a certificate that is not part of the path", "RFC 8446 §4.4.2";
    UNUSED_SAME_NAME = "sent:unused-same-name", CHAIN, "the server sends a second certificate of a CA of the path", "RFC 4158 §2.4";
    UNUSED_EXPIRED = "sent:unused-expired-same-name", CHAIN, "the server sends an expired second certificate of a CA of the path",
        "RFC 4158 §2.4";
    EXPIRED_TWIN = "sent:expired-twin-of-the-issuer", CHAIN, "the server sends an expired certificate of the leaf's issuer beside the valid one",
        "RFC 4158 §2.4";
    EXPIRED_TWIN_WITHOUT_KEY_ID = "sent:expired-twin-without-ski", CHAIN,
        "the server sends an expired certificate of the leaf's issuer first, and the valid one has no key identifier", "RFC 4158 §2.4";
    GAP_FIRST = "sent:gap-first", CHAIN, "the certificate after the leaf is not its issuer", "RFC 5246 §7.4.2";
    WRONG_ORDER = "sent:wrong-order", CHAIN, "the server sends the intermediates in the wrong order", "RFC 5246 §7.4.2";
    MANY = "sent:many", CHAIN, "the server sends more than 20 certificates", "RFC 8446 §4.4.2";
    OVER_32K = "sent:over-32k", CHAIN, "the server sends certificates of more than 32 kilobytes together", "RFC 8446 §4.4.2";
    OVER_64K = "sent:over-64k", CHAIN, "the server sends certificates of more than 64 kilobytes together", "RFC 8446 §4.4.2";
    OVER_100K = "sent:over-100k", CHAIN, "the server sends certificates of more than 100 kilobytes together", "RFC 8446 §4.4.2";
    WRONG_KEY_FIRST = "sent:wrong-key-first", CHAIN,
        "the server sends a CA of the issuer's name with another key first, and the leaf names no key", "RFC 4158 §3.5.12";
    MISMATCH_AND_MORE = "aki:mismatch-and-more-sent", CA,
        "has an authority key identifier that is not the key identifier of its issuer, and the server sends more than the path",
        "RFC 5280 §4.2.1.1";
    ROOT_EXPIRED_AND_MORE = "sent:more-and-root-expired", CHAIN,
        "the root has expired, and the server sends more than the path, or in another order", "RFC 5280 §6.1.1 (d)";
    ROOTS_TWO = "roots:two", CHAIN, "the client trusts two roots of one name with different keys", "RFC 4158 §2.4";
    ROOTS_WRONG_FIRST = "roots:two-wrong-first", CHAIN,
        "the client trusts two roots of one name, and the first one did not sign", "RFC 4158 §2.4";
    ROOTS_FIRST_EXPIRED = "roots:two-first-expired", CHAIN, "the client trusts two certificates of the root, and the first one has expired",
        "RFC 4158 §2.4";
    ROOTS_SECOND_EXPIRED = "roots:two-second-expired", CHAIN,
        "the client trusts two certificates of the root, and the second one has expired", "RFC 4158 §2.4";
}

pub fn find<'a>(chain: &Chain<'a>, at: OffsetDateTime, found: &mut Found) {
    roots(chain, at, found);
    let mut add = |condition: bool, word| found.add_if(condition, Subject::Chain, word);
    let root = chain.root();
    let below = &chain.path[..chain.path.len() - usize::from(root.is_some())];
    let intermediates = below.get(1..).unwrap_or_default();
    let is_expired = |certificate: &RawCertificate<'_>| certificate.not_after.instant().is_some_and(|end| end < at);
    add(chain.sent.len() > 20, &MANY);
    // Each certificate of the message has its length and its extensions beside it.
    let size: usize = chain.sent.iter().map(|certificate| certificate.der.len() + 5).sum();
    for (kilobytes, word) in [(32, &OVER_32K), (64, &OVER_64K), (100, &OVER_100K)] {
        add(size > kilobytes * 1024, word);
    }
    let mut positions = Vec::new();
    for (index, sent) in chain.sent.iter().enumerate().skip(1) {
        if chain.sent.iter().take(index).any(|earlier| earlier.der == sent.der) {
            add(true, &TWICE);
        } else if let Some(position) = intermediates.iter().position(|it| it.der == sent.der) {
            positions.push(position);
        } else if root.is_some_and(|root| root.der == sent.der) {
            add(sent.is_self_issued(), &ROOT_SENT);
        } else {
            let is_second = chain.path.iter().skip(1).any(|ca| ca.subject.is_same(&sent.subject));
            match (is_second, is_expired(sent)) {
                (false, _) => add(true, &UNUSED),
                (true, false) => add(true, &UNUSED_SAME_NAME),
                (true, true) => add(true, &UNUSED_EXPIRED),
            }
            let is_twin = |issuer: &Rc<RawCertificate<'_>>| issuer.subject.is_same(&sent.subject) && is_expired(sent);
            add(intermediates.first().is_some_and(is_twin), &EXPIRED_TWIN);
            let is_twin_first =
                |issuer: &Rc<RawCertificate<'_>>| index == 1 && is_twin(issuer) && issuer.key_id().is_none();
            add(intermediates.first().is_some_and(is_twin_first), &EXPIRED_TWIN_WITHOUT_KEY_ID);
        }
    }
    let is_wrong_key = |issuer: &Rc<RawCertificate<'_>>| {
        let leaf = chain.path.first().filter(|leaf| authority_key_id(leaf).is_none());
        let of_name =
            |leaf: &Rc<RawCertificate<'_>>| chain.sent.iter().skip(1).find(|sent| leaf.issuer.is_same(&sent.subject));
        leaf.and_then(of_name).is_some_and(|first| first.key.spki != issuer.key.spki)
    };
    add(intermediates.first().is_some_and(is_wrong_key), &WRONG_KEY_FIRST);
    add(!positions.is_sorted(), &WRONG_ORDER);
    let second_is_of_path =
        chain.sent.get(1).is_none_or(|second| intermediates.iter().any(|intermediate| intermediate.der == second.der));
    add(!intermediates.is_empty() && !second_is_of_path, &GAP_FIRST);
    let sent = || chain.sent.iter().map(|certificate| certificate.der);
    let der = |certificate: &Rc<RawCertificate<'a>>| certificate.der;
    let is_alone = sent().eq(below.iter().map(der)) || sent().eq(chain.path.iter().map(der));
    if !is_alone {
        // Java then looks for a path, and does not check the one that was sent.
        found.replace(Subject::Intermediate, &key_ids::MISMATCH, &MISMATCH_AND_MORE);
        let is_expired = found.has(Subject::Root, &dates::EXPIRED);
        found.add_if(is_expired, Subject::Chain, &ROOT_EXPIRED_AND_MORE);
    }
}

fn roots(chain: &Chain<'_>, at: OffsetDateTime, found: &mut Found) {
    let Some(root) = chain.root() else { return };
    let anchors = chain.anchors.iter().map(Rc::as_ref);
    let same: Vec<_> = anchors.filter(|anchor| anchor.subject.is_same(&root.subject)).collect();
    let [first, rest @ ..] = same.as_slice() else { return };
    let is_expired = |certificate: &RawCertificate<'_>| certificate.not_after.instant().is_some_and(|end| end < at);
    let is_same_key = |other: &&RawCertificate<'_>| other.key.spki == first.key.spki;
    if rest.iter().any(|other| !is_same_key(other)) {
        found.add(Subject::Chain, &ROOTS_TWO);
        return found.add_if(first.key.spki != root.key.spki, Subject::Chain, &ROOTS_WRONG_FIRST);
    }
    if let Some(second) = rest.iter().find(|other| other.der != first.der) {
        found.add_if(is_expired(first) && !is_expired(second), Subject::Chain, &ROOTS_FIRST_EXPIRED);
        found.add_if(is_expired(second) && !is_expired(first), Subject::Chain, &ROOTS_SECOND_EXPIRED);
    }
}
