//! The names of `src/` keep to the glossary of `docs/contributing/language.md`.

use std::collections::BTreeMap;

use crate::support::shipped::{place, sources};
use crate::support::{leftovers, repository, table};

/// Counts the declarations whose name has a word that the glossary replaces.
#[test]
fn names_use_the_words_of_the_glossary() {
    let avoided = avoided();
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for source in sources() {
        for declared in &source.names {
            for word in avoided.iter().filter(|word| has_word(&declared.name, word)) {
                found.entry(word.clone()).or_default().push(format!(
                    "{}: {}",
                    place(source, declared.line),
                    declared.name
                ));
            }
        }
    }
    let counts = found.iter().map(|(word, places)| (word.clone(), places.len())).collect();
    leftovers::may_only_shrink("## Words of the glossary", &counts, |word| found[word].clone());
}

/// The third column of the glossary.
fn avoided() -> Vec<String> {
    let page = std::fs::read_to_string(repository().join("docs/contributing/language.md")).unwrap();
    let rows = table::below_heading(&page, "## Glossary");
    let mut words = Vec::new();
    for row in rows {
        let named = table::code_words(&row[2]);
        assert!(!named.is_empty() || row[2] == "–", "{row:?} says neither which words nor that there are none");
        words.extend(named);
    }
    words
}

/// Whether the words of a name, in any case, have these words among them, one after the other.
fn has_word(name: &str, wanted: &str) -> bool {
    let words = words_of(name);
    let wanted = words_of(wanted);
    words.windows(wanted.len()).any(|window| window == wanted)
}

/// `snake_case`, `CamelCase` and `UPPER_CASE` in lower-case words.
fn words_of(name: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut before = '_';
    for character in name.chars() {
        if character != '_' {
            if before == '_' || character.is_uppercase() && before.is_lowercase() {
                words.push(String::new());
            }
            if let Some(word) = words.last_mut() {
                word.extend(character.to_lowercase());
            }
        }
        before = character;
    }
    words
}

#[test]
fn words_are_found_in_every_kind_of_name() {
    for name in ["throw_away", "ThrowAway", "THROW_AWAY", "a_throw_away_ca", "NewThrowAwayCa"] {
        assert!(has_word(name, "throw_away"), "{name}");
    }
    for name in ["throw", "away_throw", "throw_a_way", "throwaway"] {
        assert!(!has_word(name, "throw_away"), "{name}");
    }
    assert!(has_word("is_told", "told") && !has_word("toldest", "told") && !has_word("ToldestMan", "told"));
}
