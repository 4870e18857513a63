//! Documents are tests: every `console` block that a reader could type is typed, and prints what it says.
//! How such a script is written: `support/script.rs`.

use std::path::{Path, PathBuf};
use std::sync::Mutex;

use crate::support::{files_below, repository, script, skip};

#[test]
fn the_command_line_does_what_its_scripts_say() {
    run_all(files_below(&repository().join("tests/cli"), "md"));
}

#[test]
fn the_documents_say_what_the_program_does() {
    let mut documents: Vec<PathBuf> = ["docs/guide", "docs/reference", "docs/decisions"]
        .iter()
        .flat_map(|folder| files_below(&repository().join(folder), "md"))
        .collect();
    documents.push(repository().join("README.md"));
    documents.retain(|document| document.is_file());
    run_all(documents);
}

/// Runs them side by side and fails with everything that differs. `CA_TEST_SCRIPT=word` picks those with it in their path.
fn run_all(mut scripts: Vec<PathBuf>) {
    assert!(!scripts.is_empty(), "there is nothing to run");
    if let Ok(word) = std::env::var("CA_TEST_SCRIPT") {
        scripts.retain(|script| script.to_string_lossy().contains(&word));
    }
    scripts.retain(|script| !is_left_out(script));
    let queue = Mutex::new(scripts);
    let problems = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                loop {
                    let Some(script) = queue.lock().unwrap().pop() else { break };
                    if let Err(problem) = script::run(&script) {
                        problems.lock().unwrap().push(problem);
                    }
                }
            });
        }
    });
    let mut problems = problems.into_inner().unwrap();
    problems.sort();
    assert!(problems.is_empty(), "\n{}\nCA_TEST_UPDATE=1 writes what was found into the files", problems.join("\n"));
}

/// Whether a script needs a program that `tests/run fast` does without: then it is named as skipped.
fn is_left_out(script: &Path) -> bool {
    let missing = std::env::var("CA_TEST_MISSING").unwrap_or_default();
    let program = script::first_program_of(script, &missing.split_whitespace().collect::<Vec<_>>());
    if let Some(program) = &program {
        let shown = script.strip_prefix(repository()).unwrap_or(script).display().to_string();
        skip::record(&shown, &format!("no {program}"));
    }
    program.is_some()
}
