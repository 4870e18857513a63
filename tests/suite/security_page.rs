//! The tests that docs/SECURITY.md names exist, so that no promise stands without its test.

use std::fs;
use std::path::Path;

use crate::support::repository;

#[test]
fn every_test_that_the_page_names_exists() {
    let page = fs::read_to_string(repository().join("docs/SECURITY.md")).unwrap();
    let rows = page.lines().filter(|line| line.starts_with("| "));
    let (mut missing, mut named) = (Vec::new(), 0);
    for word in rows.flat_map(|row| row.split('`').skip(1).step_by(2)) {
        let is_there = match word.strip_prefix("tests/cli/") {
            Some(_) => repository().join(word).exists(),
            None if word.contains("::") => is_test(word),
            None => continue,
        };
        named += 1;
        if !is_there {
            missing.push(word.to_owned());
        }
    }
    assert!(named > 30, "{named}: the page has another form than this test reads");
    assert!(missing.is_empty(), "docs/SECURITY.md names tests that do not exist: {missing:#?}");
}

/// Finds `room::file::tests::name` below src/, and `file::name` below tests/suite/. `file::` stands for every test of a file.
fn is_test(word: &str) -> bool {
    let parts: Vec<&str> = word.split("::").collect();
    let Some((name, folders)) = parts.split_last() else { return false };
    let has_it = |path: &Path| {
        let text = fs::read_to_string(path).unwrap_or_default();
        if name.is_empty() { text.contains("#[test]") } else { text.contains(&format!("fn {name}()")) }
    };
    let suite = repository().join("tests/suite").join(folders.join("/")).with_extension("rs");
    let without_tests: Vec<&str> = folders.iter().copied().filter(|part| *part != "tests").collect();
    let source = repository().join("src").join(without_tests.join("/"));
    let beside = repository().join("src").join(folders.join("/"));
    [suite, source.with_extension("rs"), source.join("tests.rs"), beside.with_extension("rs")]
        .iter()
        .any(|path| has_it(path))
}
