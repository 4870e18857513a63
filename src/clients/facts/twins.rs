//! Second certificates of a CA of the path, with its name and key: clients that take the first issuer that fits, and do not look
//! further when the path over it fails, refuse the chain (RFC 4158 §2.4).

use std::rc::Rc;

use time::OffsetDateTime;

use super::item::Item;
use super::{by_itself, chain, constraints};
use crate::clients::fact::{Fact, Found, Subject, words};
use crate::clients::raw::RawCertificate;
use crate::clients::situation::Chain;

words! {
    DEAD_END_FIRST = "sent:dead-end-first", CHAIN,
        "the server sends a certificate of an intermediate that leads to no trusted root before the one that does", "RFC 4158 §2.4";
    DEAD_END_LATER = "sent:dead-end-later", CHAIN,
        "the server sends a second certificate of an intermediate that leads to no trusted root", "RFC 4158 §2.4";
    UNFIT_FIRST = "sent:unfit-twin-first", CHAIN,
        "the server sends a certificate of an intermediate that does not allow the leaf before the one that does", "RFC 4158 §2.4";
    UNFIT_LATER = "sent:unfit-twin-later", CHAIN,
        "the server sends a second certificate of an intermediate that does not allow the leaf", "RFC 4158 §2.4";
}

pub fn find(chain: &Chain<'_>, at: OffsetDateTime, found: &mut Found) {
    for twin in &chain.twins {
        // A client that trusts the root does not look further.
        if twin.place + 1 == chain.path.len() {
            continue;
        }
        let word = match (&twin.path, twin.is_first) {
            (None, true) => &DEAD_END_FIRST,
            (None, false) => &DEAD_END_LATER,
            (Some(path), is_first) if is_unfit(path, twin.place, at, found) => {
                if is_first {
                    &UNFIT_FIRST
                } else {
                    &UNFIT_LATER
                }
            }
            _ => continue,
        };
        found.add(Subject::Chain, word);
    }
}

/// Returns the path over a twin when that of the chain is forbidden and this one is not: clients that look further find it.
pub fn fit_path<'a>(chain: &Chain<'a>, at: OffsetDateTime) -> Option<Vec<&'a [u8]>> {
    if chain.twins.is_empty() || forbidding(&chain.path, 1, at).is_empty() {
        return None;
    }
    let fit =
        chain.twins.iter().filter_map(|twin| twin.path.as_ref()).find(|path| forbidding(path, 1, at).is_empty())?;
    Some(fit.iter().map(|certificate| certificate.der).collect())
}

/// Returns whether the path over a twin is forbidden by something that the path of the chain does not have.
fn is_unfit(path: &[Rc<RawCertificate<'_>>], place: usize, at: OffsetDateTime, known: &Found) -> bool {
    forbidding(path, place, at).iter().any(|fact| !known.has(fact.subject, fact.word))
}

/// Returns what forbids a path, of its certificates from this place on, and of the names below them.
fn forbidding(path: &[Rc<RawCertificate<'_>>], place: usize, at: OffsetDateTime) -> Vec<Fact> {
    let mut over = Found::default();
    for (index, certificate) in path.iter().enumerate().skip(place).take(path.len().saturating_sub(place + 1)) {
        let item = Item {
            subject: Subject::Intermediate,
            certificate,
            issuer: path.get(index + 1).map(Rc::as_ref),
            is_trusted_leaf: false,
            is_self_signed: false,
        };
        by_itself::find(&item, at, &mut over);
    }
    constraints::of_path(path, true, &mut over);
    chain::path_lengths(path, true, &mut over);
    over.into_facts().into_iter().filter(is_forbidding).collect()
}

fn is_forbidding(fact: &Fact) -> bool {
    let code = fact.word.code;
    code.ends_with(":violated")
        || matches!(code, "eku:client-only" | "eku:without-server" | "bc:false" | "bc:missing" | "ku:no-cert-sign")
}
