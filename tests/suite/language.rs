//! The names of `src/`, and the text of the program and of its documents, keep to the glossary of
//! `docs/contributing/language.md`.

use std::collections::BTreeMap;
use std::path::Path;

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use quote::ToTokens;

use crate::support::rust_source::shipped_items;
use crate::support::shipped::{place, sources};
use crate::support::{files_below, leftovers, repository, table};

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

/// Counts the phrases that text for people avoids: in every string of the program, in the documentation comments that become
/// help, and in its text files.
#[test]
fn the_program_writes_plain_english() {
    let mut texts = Vec::new();
    for source in sources() {
        let name = source.path.strip_prefix(repository()).unwrap().display().to_string();
        // SQL, whose text is part of every index.
        if name != "src/store/index/schema.rs" {
            let (file, _) = shipped_items(&source.path);
            strings(file.to_token_stream(), name.starts_with("src/cli/"), &name, &mut texts);
        }
    }
    for (folder, extension) in [("src", "toml"), ("src", "txt"), ("templates", "toml")] {
        texts.extend(files_below(&repository().join(folder), extension).iter().flat_map(|path| lines(path)));
    }
    texts.extend(lines(&repository().join("ca.example.toml")));
    check("## Phrases in the text of the program", &texts);
}

/// As [`the_program_writes_plain_english`], for README and `docs/`. The page that lists the phrases is left out.
#[test]
fn the_documents_are_plain_english() {
    let mut texts = lines(&repository().join("README.md"));
    for path in files_below(&repository().join("docs"), "md") {
        if !path.ends_with("contributing/language.md") {
            texts.extend(lines(&path));
        }
    }
    check("## Phrases in the documents", &texts);
}

/// A piece of text, and where it is.
type Text = (String, String);

fn check(heading: &str, texts: &[Text]) {
    let page = std::fs::read_to_string(repository().join("docs/contributing/language.md")).unwrap();
    let phrases: Vec<String> =
        table::below_heading(&page, "## Phrases in text").iter().flat_map(|row| table::code_words(&row[0])).collect();
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (text, place) in texts {
        let words = plain_words(text);
        for phrase in &phrases {
            for _ in 0..occurrences(&words, phrase) {
                found.entry(phrase.clone()).or_default().push(format!("{place}: {}", text.trim()));
            }
        }
    }
    let counts = found.iter().map(|(phrase, places)| (phrase.clone(), places.len())).collect();
    leftovers::may_only_shrink(heading, &counts, |phrase| found[phrase].clone());
}

/// The words of a text in lower case, without punctuation; a hyphen is a part of a word.
fn plain_words(text: &str) -> Vec<String> {
    text.split(|c: char| !(c.is_alphanumeric() || "-_'".contains(c)))
        .map(|word| word.trim_matches('\'').to_lowercase())
        .filter(|word| !word.is_empty())
        .collect()
}

/// How often a phrase is among these words. "There is no X" and "is no longer" are plain English, unlike "X is no Y".
fn occurrences(words: &[String], phrase: &str) -> usize {
    let phrase: Vec<&str> = phrase.split(' ').collect();
    let is_negation = phrase.last() == Some(&"no");
    let at = |at: usize| words.get(at).map(String::as_str);
    words
        .windows(phrase.len())
        .enumerate()
        .filter(|(_, window)| window.iter().zip(&phrase).all(|(word, wanted)| word == wanted))
        .filter(|(start, window)| {
            let before = start.checked_sub(1).and_then(at);
            let after = at(start + window.len());
            !(is_negation && (before == Some("there") || after == Some("longer")))
        })
        .count()
}

/// Collects the string literals, with the documentation comments if `with_comments`.
fn strings(tokens: TokenStream, with_comments: bool, file: &str, found: &mut Vec<Text>) {
    for token in tokens {
        match token {
            TokenTree::Group(group) => {
                let first = group.stream().into_iter().next();
                let is_comment = group.delimiter() == Delimiter::Bracket
                    && matches!(&first, Some(TokenTree::Ident(name)) if name == "doc");
                if with_comments || !is_comment {
                    strings(group.stream(), with_comments, file, found);
                }
            }
            TokenTree::Literal(literal) => {
                if let Ok(text) = syn::parse_str::<syn::LitStr>(&literal.to_string()) {
                    found.push((text.value(), format!("{file}:{}", literal.span().start().line)));
                }
            }
            _ => {}
        }
    }
}

fn lines(path: &Path) -> Vec<Text> {
    let name = path.strip_prefix(repository()).unwrap().display();
    let text = std::fs::read_to_string(path).unwrap();
    text.lines().enumerate().map(|(at, line)| (line.to_owned(), format!("{name}:{}", at + 1))).collect()
}

#[test]
fn phrases_are_found_in_any_case_but_not_in_other_words_and_not_in_plain_negations() {
    let count = |text: &str, phrase: &str| occurrences(&plain_words(text), phrase);
    assert_eq!(count("Whoever reads it, whoever.", "whoever"), 2);
    assert_eq!(count("'x' is no CA; there is no CA; it is no longer one", "is no"), 1);
    assert_eq!(count("octets and max-octets", "octets"), 1);
    assert_eq!(count("a revocation\nlist", &["revocation", "list"].join(" ")), 1);
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
