//! `tests/suite/leftovers.md`: what `src/` still has of what it should not have, counted. A count may only go down.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use super::{repository, table};

const FILE: &str = "tests/suite/leftovers.md";

/// Compares what was found with the table below a heading, and fails on each difference: more is a step back, and less
/// is to be written down so that it stays. `CA_TEST_UPDATE=1` lowers the counts; it never raises one.
///
/// `places` says for a name where it was found.
pub fn may_only_shrink(heading: &str, found: &BTreeMap<String, usize>, places: impl Fn(&str) -> Vec<String>) {
    let file = repository().join(FILE);
    // Several tests keep their counts in this file.
    static WRITER: Mutex<()> = Mutex::new(());
    let writer = WRITER.lock().unwrap_or_else(PoisonError::into_inner);
    let mut document = std::fs::read_to_string(&file).unwrap();
    if std::env::var_os("CA_TEST_UPDATE").is_some() {
        document = lowered(&document, heading, found);
        std::fs::write(&file, &document).unwrap();
    }
    drop(writer);
    let problems = differences(&recorded(&document, heading), found, places);
    assert!(
        problems.is_empty(),
        "{FILE}, {heading:?}:\n  {}\nWhat has become fewer is recorded by CA_TEST_UPDATE=1.\n",
        problems.join("\n  ")
    );
}

fn recorded(document: &str, heading: &str) -> BTreeMap<String, usize> {
    table::below_heading_if_any(document, heading)
        .into_iter()
        .map(|row| {
            assert!(row.len() == 3 && !row[2].is_empty(), "{FILE}: {row:?} has no reason");
            let count = row[1].parse().unwrap_or_else(|_| panic!("{FILE}: {:?} is not a number", row[1]));
            (table::code_words(&row[0]).remove(0), count)
        })
        .collect()
}

fn differences(
    recorded: &BTreeMap<String, usize>,
    found: &BTreeMap<String, usize>,
    places: impl Fn(&str) -> Vec<String>,
) -> Vec<String> {
    let mut problems = Vec::new();
    for (name, count) in found {
        let allowed = recorded.get(name).copied().unwrap_or_default();
        if *count > allowed {
            problems
                .push(format!("`{name}`: {count}, and {allowed} are allowed:\n    {}", places(name).join("\n    ")));
        }
    }
    for (name, allowed) in recorded {
        let count = found.get(name).copied().unwrap_or_default();
        if count < *allowed {
            problems.push(format!("`{name}`: {count}, and {allowed} are recorded: lower it"));
        }
    }
    problems
}

/// The document with lower counts; a row whose count is zero goes.
fn lowered(document: &str, heading: &str, found: &BTreeMap<String, usize>) -> String {
    let mut inside = false;
    let mut text = String::new();
    for line in document.lines() {
        if line.starts_with("## ") {
            inside = line == heading;
        }
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        if let ([name, count, reason], true) = (cells.as_slice(), inside && line.starts_with('|'))
            && let (Some(word), Ok(count)) = (table::code_words(name).first(), count.parse::<usize>())
        {
            let now = found.get(word).copied().unwrap_or_default().min(count);
            if now > 0 {
                text.push_str(&format!("| {name} | {now} | {reason} |\n"));
            }
        } else {
            text.push_str(line);
            text.push('\n');
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOCUMENT: &str = "# Title\n\n## A\n\n| what | count | reason |\n| --- | --- | --- |\n| `x` | 3 | old |\n| `y` | 1 | old |\n\n\
                            ## B\n\n| what | count | reason |\n| --- | --- | --- |\n| `x` | 9 | other |\n";

    fn found(pairs: &[(&str, usize)]) -> BTreeMap<String, usize> {
        pairs.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect()
    }

    #[test]
    fn more_and_fewer_than_recorded_are_both_found() {
        let differences = |pairs: &[(&str, usize)]| {
            differences(&recorded(DOCUMENT, "## A"), &found(pairs), |name| vec![format!("at {name}")])
        };
        assert!(differences(&[("x", 3), ("y", 1)]).is_empty());
        assert_eq!(differences(&[("x", 4), ("y", 1)]), ["`x`: 4, and 3 are allowed:\n    at x"]);
        assert_eq!(differences(&[("x", 2), ("y", 1)]), ["`x`: 2, and 3 are recorded: lower it"]);
        assert_eq!(differences(&[("x", 3)]), ["`y`: 0, and 1 are recorded: lower it"]);
        assert_eq!(differences(&[("x", 3), ("y", 1), ("z", 1)]).len(), 1);
    }

    #[test]
    fn an_update_lowers_and_never_raises() {
        let text = lowered(DOCUMENT, "## A", &found(&[("x", 2), ("y", 5), ("z", 1)]));
        assert_eq!(text, DOCUMENT.replace("| `x` | 3 |", "| `x` | 2 |"));
        let text = lowered(DOCUMENT, "## A", &found(&[]));
        assert_eq!(text, DOCUMENT.replace("| `x` | 3 | old |\n| `y` | 1 | old |\n", ""));
        assert!(recorded(&text, "## A").is_empty() && recorded(&text, "## B")["x"] == 9);
    }
}
