//! One rule per file, with its citation and its own good and bad certificates, made in its own test.

use crate::support::{files_below, repository};

/// What is no rule but a table of rules.
const TABLES: &[&str] = &["mod.rs"];

#[test]
fn every_rule_has_a_citation_and_tests_of_its_own_for_good_and_for_bad() {
    let mut lacking = Vec::new();
    for room in ["src/lint/rules", "src/verify/rules"] {
        for file in files_below(&repository().join(room), "rs") {
            if TABLES.contains(&&*file.file_name().unwrap().to_string_lossy()) {
                continue;
            }
            let shown = file.strip_prefix(repository()).unwrap().display().to_string();
            let text = std::fs::read_to_string(&file).unwrap();
            let (code, tests) = text.split_once("#[cfg(test)]").unwrap_or((&text, ""));
            let declared = code.matches(": Code = Code {").count() + code.matches(": Rule = Rule {").count();
            let cited = code.matches("citation: \"").count() - code.matches("citation: \"\"").count();
            // `lint_rules.rs` cites nothing of its own: it says which rules of the lint table decide.
            if declared != cited || declared == 0 && !shown.ends_with("lint_rules.rs") {
                lacking.push(format!("{shown}: {declared} rules, {cited} citations"));
            }
            let names: Vec<&str> =
                tests.split("#[test]").skip(1).filter_map(|test| test.trim_start().strip_prefix("fn ")).collect();
            let bad = names.iter().any(|name| ["found", "refused", "too_", "worth"].iter().any(|it| says(name, it)));
            let good = names.iter().any(|name| ["right", "may_", "tolerated"].iter().any(|it| says(name, it)));
            if !bad || !good {
                lacking
                    .push(format!("{shown}: its tests do not show a certificate that breaks it and one that keeps it"));
            }
        }
    }
    assert!(lacking.is_empty(), "{}", lacking.join("\n"));
}

/// Whether the name of a test, not its body, holds the word.
fn says(test: &str, word: &str) -> bool {
    test.split_once('(').is_some_and(|(name, _)| name.contains(word))
}
