//! The facts of a chain: what is unusual about it. One file for each idea, each with its words.

mod basic_constraints;
mod by_itself;
mod chain;
mod constraint_match;
mod constraints;
mod dates;
mod directory_names;
mod extensions;
mod form;
mod host_match;
mod host_names;
mod item;
mod key_ids;
mod key_usage;
mod keys;
mod policies;
mod purposes;
mod sent;
mod signatures;
mod subject_alt_names;
mod twins;

use std::rc::Rc;

use time::OffsetDateTime;

use self::item::Item;
use super::fact::{Fact, Found, Subject, Word};
use super::raw::RawCertificate;
use super::situation::{Chain, Situation};

/// Returns the facts of a chain that a TLS server sends, in the order of the path; none when its leaf is not a certificate.
pub fn facts(situation: &Situation<'_>) -> Vec<Fact> {
    find(situation, usize::MAX)
}

/// Returns the facts of a chain, but of the certificates above the leaf only what depends on the leaf.
pub fn leaf_facts(situation: &Situation<'_>) -> Vec<Fact> {
    find(situation, 1)
}

/// Returns the facts of a chain; each of the first `certificates` of its path is looked at by itself too.
fn find(situation: &Situation<'_>, certificates: usize) -> Vec<Fact> {
    let Some(mut chain) = Chain::read(situation) else { return Vec::new() };
    if situation.path.is_none()
        && let Some(path) = twins::fit_path(&chain, situation.at)
    {
        chain = chain.with_path(path, situation);
    }
    let mut found = Found::default();
    let last = chain.path.len().saturating_sub(1);
    for (index, certificate) in chain.path.iter().enumerate().take(certificates) {
        let subject = match index {
            0 => Subject::Leaf,
            index if index == last && chain.is_complete => Subject::Root,
            _ => Subject::Intermediate,
        };
        let is_trusted_leaf = chain.is_complete && last == 0;
        let is_self_signed = index == last && chain.ends_self_signed;
        let issuer = chain.path.get(index + 1).map(Rc::as_ref);
        let item = Item { subject, certificate, issuer, is_trusted_leaf, is_self_signed };
        by_itself::find(&item, situation.at, &mut found);
    }
    if let Some(leaf) = chain.path.first() {
        subject_alt_names::find(leaf, &mut found);
        host_names::find(leaf, situation.hosts, &mut found);
    }
    chain::find(&chain, &mut found);
    constraints::find(&chain, &mut found);
    sent::find(&chain, situation.at, &mut found);
    twins::find(&chain, situation.at, &mut found);
    found.into_facts()
}

/// Returns the facts of a certificate by itself, as a leaf, an intermediate or a root: those of a chain, of a host name and of the
/// current time are not among them, and what only servers need is no fact of a certificate that is for something else. None when it does not have the frame of a certificate. `issuer` is the certificate of the
/// signer, itself when it is self-signed; `None` when it is not known.
pub fn certificate_facts(certificate: &[u8], issuer: Option<&[u8]>) -> Vec<Fact> {
    let Some(certificate) = RawCertificate::read(certificate) else { return Vec::new() };
    let is_self_signed = issuer == Some(certificate.der);
    let issuer = issuer.filter(|_| !is_self_signed).and_then(RawCertificate::read);
    let is_self_issued = certificate.is_self_issued();
    let subject = match (certificate.is_ca(), is_self_issued) {
        (false, _) => Subject::Leaf,
        (true, false) => Subject::Intermediate,
        (true, true) => Subject::Root,
    };
    let item = Item {
        subject,
        certificate: &certificate,
        // Of the issuer of a root nothing is said.
        issuer: issuer.as_ref().filter(|_| subject != Subject::Root),
        is_trusted_leaf: subject == Subject::Leaf && is_self_issued,
        is_self_signed,
    };
    let mut found = Found::default();
    // At its first moment it is neither expired nor not yet valid.
    by_itself::find(&item, certificate.not_before.instant().unwrap_or(OffsetDateTime::UNIX_EPOCH), &mut found);
    if subject == Subject::Leaf {
        subject_alt_names::find(&certificate, &mut found);
    }
    constraints::of_certificate(subject, &certificate, &mut found);
    let is_of_server = !found.has(subject, &purposes::CLIENT_ONLY) && !found.has(subject, &purposes::WITHOUT_SERVER);
    let applies = |fact: &Fact| !constraints::is_about_names(fact.word) && (is_of_server || !is_about_servers(fact));
    found.into_facts().into_iter().filter(applies).collect()
}

/// Returns whether a fact is about what only a server, or a CA of servers, has to have: its purpose, its names, the key usages of a
/// key exchange and the lifetimes that makers of browsers set.
fn is_about_servers(fact: &Fact) -> bool {
    let code = fact.word.code;
    let of_leaf = [
        "ku:ka-only",
        "ku:ke-",
        "ku:no-encipherment-rsa",
        "ku:no-signature",
        "ku:no-tls-use",
        "nscerttype:",
        "life-over-",
    ];
    code.starts_with("eku:")
        || fact.subject == Subject::Leaf && (code == "san:missing" || of_leaf.iter().any(|word| code.starts_with(word)))
}

/// Returns whether a fact is about the algorithm of the certificate's signature, which its issuer chooses.
pub fn is_signature(fact: &Fact) -> bool {
    signatures::WORDS.iter().any(|known| known.code == fact.word.code)
}

/// Returns whether a fact about a chain holds for everything that the issuer of the leaf signs, whatever the leaf is.
pub fn is_of_issuer(fact: &Fact) -> bool {
    match fact.subject {
        Subject::Leaf => is_signature(fact),
        Subject::Intermediate | Subject::Root => !constraints::is_about_names(fact.word),
        Subject::Chain => false,
    }
}

/// Returns every word that [`facts`] can give.
pub fn words() -> impl Iterator<Item = &'static Word> {
    let files = [
        form::WORDS,
        signatures::WORDS,
        keys::WORDS,
        dates::WORDS,
        directory_names::WORDS,
        basic_constraints::WORDS,
        key_usage::WORDS,
        purposes::WORDS,
        key_ids::WORDS,
        policies::WORDS,
        extensions::WORDS,
        subject_alt_names::WORDS,
        host_names::WORDS,
        chain::WORDS,
        constraints::WORDS,
        sent::WORDS,
        twins::WORDS,
    ];
    files.into_iter().flatten().copied().chain(constraints::kind_words())
}

#[cfg(test)]
mod tests;
