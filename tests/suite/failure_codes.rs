//! `docs/reference/exit-codes.md` lists every code that a failure can carry, with its exit status, and no other.

use std::collections::BTreeSet;

use crate::support::{files_below, repository, table};

/// A code, and the exit status that goes with it.
type Code = (String, u8);

#[test]
fn the_list_of_failure_codes_is_the_programs() {
    let page = std::fs::read_to_string(repository().join("docs/reference/exit-codes.md")).unwrap();
    let rows = table::below_heading(&page, "## Failure codes");
    let listed: Vec<Code> = rows
        .iter()
        .flat_map(|row| {
            let status = row[1].parse().unwrap_or_else(|_| panic!("{:?} is no exit status", row[1]));
            table::code_words(&row[0]).into_iter().map(move |code| (code, status))
        })
        .collect();
    let in_order: BTreeSet<Code> = listed.iter().cloned().collect();
    assert!(listed.iter().eq(&in_order), "the table is not sorted by its codes, or has one twice");
    let used = used();
    let missing: Vec<_> = used.difference(&in_order).collect();
    let unknown: Vec<_> = in_order.difference(&used).collect();
    assert!(
        missing.is_empty() && unknown.is_empty(),
        "docs/reference/exit-codes.md does not list {missing:?}; no code of the program is {unknown:?}"
    );
}

#[test]
fn every_failure_code_is_words_in_kebab_case() {
    for (code, _) in used() {
        let is_word = |word: &str| !word.is_empty() && word.bytes().all(|octet| octet.is_ascii_lowercase());
        assert!(code.split('-').all(is_word), "{code:?}");
    }
}

/// What `src/` gives to `Failure` and `Diagnosis`, tests excepted.
fn used() -> BTreeSet<Code> {
    let mut used = BTreeSet::new();
    for path in files_below(&repository().join("src"), "rs") {
        let text = std::fs::read_to_string(&path).unwrap();
        // The tests stand last in every file.
        let shipped = text.split("#[cfg(test)]").next().unwrap_or_default();
        for (call, status) in [
            ("Failure::usage(", 2),
            ("Self::usage(", 2),
            ("Failure::refused(", 3),
            ("Self::refused(", 3),
            ("Diagnosis::usage(", 2),
            ("Diagnosis::refused(", 3),
        ] {
            for after in shipped.split(call).skip(1) {
                let argument = after.trim_start();
                // A code that is handed on was given its name elsewhere.
                if ["code,", "code)", "cause.diagnosis().code"].iter().any(|handed| argument.starts_with(handed)) {
                    continue;
                }
                let literal = argument.strip_prefix('"').and_then(|rest| rest.split_once('"'));
                let Some((code, _)) = literal else {
                    panic!("{}: {call} is not followed by a code that this test can read", path.display())
                };
                used.insert((code.to_owned(), status));
            }
        }
    }
    // Made from the words of the command line, where clap refuses them.
    used.insert(("bad-arguments".to_owned(), 2));
    used
}
