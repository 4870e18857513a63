//! The facts of a chain: what is unusual about it. One file for each idea, each with its words.

mod basic_constraints;
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

use self::item::Item;
use super::fact::{Fact, Found, Subject, Word};
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
    let Some(chain) = Chain::read(situation) else { return Vec::new() };
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
        let item = Item { subject, certificate, issuer: chain.path.get(index + 1), is_trusted_leaf, is_self_signed };
        form::find(&item, &mut found);
        signatures::find(&item, &mut found);
        keys::find(&item, &mut found);
        dates::find(&item, situation.at, &mut found);
        directory_names::find(&item, &mut found);
        basic_constraints::find(&item, &mut found);
        key_usage::find(&item, &mut found);
        purposes::find(&item, &mut found);
        key_ids::find(&item, &mut found);
        policies::find(&item, &mut found);
        extensions::find(&item, &mut found);
    }
    if let Some(leaf) = chain.path.first() {
        subject_alt_names::find(leaf, &mut found);
        host_names::find(leaf, situation.hosts, &mut found);
    }
    chain::find(&chain, &mut found);
    constraints::find(&chain, &mut found);
    sent::find(&chain, situation.at, &mut found);
    found.into_facts()
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
    ];
    files.into_iter().flatten().copied().chain(constraints::kind_words())
}

#[cfg(test)]
mod tests;
