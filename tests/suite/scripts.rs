//! Documents are tests: every `console` block that a reader could type is typed, and prints what it says.
//! How such a script is written: `support/script.rs`.

use std::path::PathBuf;
use std::sync::Mutex;

use crate::support::{files_below, repository, script};

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
