//! Whatever tells people what to type names a command that exists: hints in the program, and words in the documents.

use std::path::Path;
use std::sync::LazyLock;

use ca::cli::command_line::CommandLine;

use crate::support::{files_below, repository};

#[test]
fn every_command_that_a_hint_names_exists() {
    let shipped = files_below(&repository().join("src"), "rs").into_iter().flat_map(|path| {
        let text = std::fs::read_to_string(&path).unwrap();
        let code: Vec<(usize, String)> = lines(text.split("#[cfg(test)]").next().unwrap_or_default());
        code.into_iter().map(move |(number, line)| (path.clone(), number, line))
    });
    let mut wrong = Vec::new();
    // Comments may speak of what is to come; what stands in quotes is said to people.
    for (path, number, line) in shipped.filter(|(.., line)| !line.trim_start().starts_with("//") && line.contains('"'))
    {
        check(&path, number, &line, &mut wrong);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_command_that_a_document_names_exists() {
    let repository = repository();
    let mut documents = files_below(&repository.join("docs"), "md");
    documents.extend(["README.md", "ca.example.toml"].map(|name| repository.join(name)));
    let mut wrong = Vec::new();
    for path in documents {
        let text = std::fs::read_to_string(&path).unwrap();
        for (number, line) in lines(&text) {
            check(&path, number, &line, &mut wrong);
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn lines(text: &str) -> Vec<(usize, String)> {
    (1..).zip(text.lines()).map(|(number, line)| (number, line.to_owned())).collect()
}

/// Notes every `ca WORD` whose word is no command.
fn check(path: &Path, number: usize, line: &str, wrong: &mut Vec<String>) {
    static COMMAND_LINE: LazyLock<clap::Command> = LazyLock::new(CommandLine::whole);
    for (at, _) in line.match_indices("ca ") {
        let before = line[..at].chars().next_back();
        let begins = before.is_none_or(|c| " (`'\"$:".contains(c));
        let word: String = line[at + 3..].chars().take_while(|c| c.is_ascii_lowercase() || *c == '-').collect();
        // `ca --dir …`, `ca {…}` and `ca COMMAND` name none.
        let names_one = begins && word.starts_with(|c: char| c.is_ascii_lowercase());
        if names_one && COMMAND_LINE.find_subcommand(word.trim_end_matches('-')).is_none() {
            wrong.push(format!("{}:{number}: 'ca {word}' is no command: {}", path.display(), line.trim()));
        }
    }
}
