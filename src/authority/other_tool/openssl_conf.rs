//! The settings of `openssl ca` in `openssl.cnf` (config(5), openssl-ca(1) "CONFIGURATION FILE OPTIONS"): where its files are.

use std::collections::HashMap;

/// The longest value, with its variables replaced: a file whose variables double each other stays small.
const MOST_VALUE_BYTES: usize = 4096;
/// The most settings that are read.
const MOST_SETTINGS: usize = 10_000;

/// Where `openssl ca` has its files, as written in the file. `None`: it is not said, or depends on the environment.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct CaPlaces {
    pub certificate: Option<String>,
    pub private_key: Option<String>,
    pub database: Option<String>,
    pub crl_number: Option<String>,
}

/// Reads the section of the default CA; `None` when the file has none.
pub fn ca_places(text: &str) -> Option<CaPlaces> {
    let sections = sections(text);
    let name = sections.get("ca")?.get("default_ca")?;
    let section = sections.get(name.as_str())?;
    let value = |key: &str| section.get(key).filter(|value| !value.is_empty()).cloned();
    Some(CaPlaces {
        certificate: value("certificate"),
        private_key: value("private_key"),
        database: value("database"),
        crl_number: value("crlnumber"),
    })
}

type Sections = HashMap<String, HashMap<String, String>>;

fn sections(text: &str) -> Sections {
    let mut sections = Sections::new();
    let (mut current, mut count) = ("default".to_owned(), 0);
    for line in text.lines() {
        let line = without_comment(line).trim();
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.split(']').next()) {
            name.trim().clone_into(&mut current);
            sections.entry(current.clone()).or_default();
            continue;
        }
        let Some((key, value)) = line.split_once('=') else { continue };
        count += 1;
        if count > MOST_SETTINGS {
            break;
        }
        if let Some(value) = replaced(value.trim(), &current, &sections) {
            sections.entry(current.clone()).or_default().insert(key.trim().to_owned(), value);
        }
    }
    sections
}

/// Cuts a comment off, which `#` begins outside of quotes and without a backslash.
fn without_comment(line: &str) -> &str {
    let (mut quote, mut before) = (None, ' ');
    for (at, character) in line.char_indices() {
        match (quote, character) {
            (None, '#') if before != '\\' => return &line[..at],
            (None, '"' | '\'') => quote = Some(character),
            (Some(open), _) if open == character => quote = None,
            _ => {}
        }
        before = character;
    }
    line
}

/// Removes quotes and replaces variables: `$name`, `${name}`, `$section::name`. `None` when one is not known, such as those of
/// the environment.
fn replaced(value: &str, current: &str, sections: &Sections) -> Option<String> {
    let mut out = String::new();
    let mut rest = value;
    while let Some(character) = rest.chars().next() {
        rest = &rest[character.len_utf8()..];
        match character {
            '"' | '\'' => {}
            '\\' => {
                let escaped = rest.chars().next()?;
                rest = &rest[escaped.len_utf8()..];
                out.push(escaped);
            }
            '$' => {
                let (name, after) = variable(rest)?;
                let value = |section: &str, key: &str| sections.get(section).and_then(|section| section.get(key));
                let found = match name.split_once("::") {
                    Some((section, key)) => value(section, key),
                    None => value(current, name).or_else(|| value("default", name)),
                };
                out.push_str(found?);
                rest = after;
            }
            other => out.push(other),
        }
        if out.len() > MOST_VALUE_BYTES {
            return None;
        }
    }
    Some(out)
}

/// Divides a text behind `$` into the name of a variable and the rest.
fn variable(rest: &str) -> Option<(&str, &str)> {
    for (open, close) in [('{', '}'), ('(', ')')] {
        if let Some(braced) = rest.strip_prefix(open) {
            return braced.split_once(close);
        }
    }
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == ':';
    let length = rest.find(|c| !is_part(c)).unwrap_or(rest.len());
    (length > 0).then(|| rest.split_at(length))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_places_of_the_default_ca_are_found_with_their_variables() {
        let text = "HOME = .\nbase = \"my CA\"\n[ ca ]\ndefault_ca = mine # the only one\n[ mine ]\ndir = ./$base\n\
                    certificate = $dir/cacert.pem\nprivate_key = ${dir}/private/cakey.pem\ndatabase=$mine::dir/index.txt\n\
                    crlnumber = $ENV::HOME/crlnumber\n[ other ]\ndatabase = no\n";
        let places = ca_places(text).unwrap();
        assert_eq!(places.certificate.as_deref(), Some("./my CA/cacert.pem"));
        assert_eq!(places.private_key.as_deref(), Some("./my CA/private/cakey.pem"));
        assert_eq!(places.database.as_deref(), Some("./my CA/index.txt"));
        assert_eq!(places.crl_number, None, "the environment is not known");
        assert_eq!(ca_places("[req]\nprompt = no\n"), None);
        assert_eq!(ca_places("[ca]\ndefault_ca = missing\n"), None);
    }

    #[test]
    fn variables_that_double_each_other_end_at_the_limit() {
        let mut text = "[ca]\ndefault_ca = d\n[d]\na0 = 0123456789\n".to_owned();
        for n in 1..60 {
            text.push_str(&format!("a{n} = $a{}$a{}\n", n - 1, n - 1));
        }
        text.push_str("database = $a59\ncertificate = $a1\n");
        let places = ca_places(&text).unwrap();
        assert_eq!((places.database, places.certificate.map(|value| value.len())), (None, Some(20)));
    }

    proptest::proptest! {
        #[test]
        fn no_text_breaks_the_reader(text in "(\\[[a-z ]{0,6}\\]|[a-z]{0,4}=[$a-z:{}()\"'\\\\#]{0,12}|\\PC{0,12}|\n){0,40}") {
            drop(ca_places(&format!("[ca]\ndefault_ca = d\n[d]\n{text}")));
        }
    }
}
