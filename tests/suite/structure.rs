//! What makes a room hard to read, counted: files that import each other in circles, and shipped files whose names
//! say that they are tests.
//!
//! `CA_TEST_SHOW=1 cargo test --test suite structure:: -- --nocapture` prints the circles, file by file.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::support::modules::{Imports, Module};
use crate::support::rust_source::Source;
use crate::support::shipped::{module_path, sources};
use crate::support::{leftovers, repository};

/// A file in a circle cannot be read, moved or tested without all others of the circle.
#[test]
fn no_files_of_a_room_import_each_other_in_a_circle() {
    let circles = circles();
    let show = std::env::var_os("CA_TEST_SHOW").is_some();
    if show {
        println!("{:<12} {:>8}  {:>5}", "room", "circles", "files");
        for (room, circles) in &circles {
            println!("{room:<12} {:>8}  {:>5}", circles.len(), circles.iter().map(BTreeSet::len).sum::<usize>());
        }
        for room in circles.keys() {
            println!("\n{}", shown(&circles[room]).join("\n"));
        }
    }
    let counts: BTreeMap<String, usize> =
        circles.iter().map(|(room, circles)| (room.clone(), circles.iter().map(BTreeSet::len).sum())).collect();
    leftovers::may_only_shrink("## Import cycles", &counts, |room| shown(&circles[room]));
}

/// `Path::display` writes the control characters of a name as they are, to a terminal, too.
#[test]
fn a_path_is_shown_escaped_everywhere() {
    let raw: Vec<String> = sources()
        .iter()
        .flat_map(|source| {
            let text = std::fs::read_to_string(&source.path).unwrap();
            let lines = text.lines().enumerate().filter(|(_, line)| line.contains(".display()"));
            lines.map(|(at, line)| format!("{}:{}: {line}", source.path.display(), at + 1)).collect::<Vec<_>>()
        })
        .collect();
    assert!(raw.is_empty(), "use text::PathText:\n{}", raw.join("\n"));
}

/// Tools that go by names would pass them over, and so would readers.
#[test]
fn no_shipped_file_is_called_like_a_test() {
    let called: BTreeMap<String, usize> = sources()
        .iter()
        .filter(|source| is_called_like_a_test(&source.path))
        .map(|source| (source.path.strip_prefix(repository()).unwrap().display().to_string(), 1))
        .collect();
    leftovers::may_only_shrink("## Files named like tests", &called, |path| vec![path.to_owned()]);
}

fn is_called_like_a_test(path: &Path) -> bool {
    let relative = path.strip_prefix(repository()).unwrap_or(path).with_extension("");
    relative.iter().any(|part| {
        let part = part.to_string_lossy();
        let first = part.split('_').next().unwrap_or_default();
        let last = part.split('_').next_back().unwrap_or_default();
        [first, last].iter().any(|word| ["test", "tests"].contains(word))
    })
}

#[test]
fn names_of_tests_are_known() {
    for name in ["handshake_test.rs", "test_handshake.rs", "tests.rs", "a/tests/b.rs", "a/test.rs", "kill_tests.rs"] {
        assert!(is_called_like_a_test(&repository().join("src").join(name)), "{name}");
    }
    for name in ["handshake.rs", "testing.rs", "latest.rs", "attested/b.rs"] {
        assert!(!is_called_like_a_test(&repository().join("src").join(name)), "{name}");
    }
}

/// The circles of each room that has some. Imports between rooms are the business of the table of docs/ARCHITECTURE.md, so
/// only those inside a room count here.
fn circles() -> BTreeMap<String, Vec<BTreeSet<Module>>> {
    let all: Vec<(Module, &Source)> = sources().iter().map(|source| (module_path(&source.path), source)).collect();
    let mut imports = Imports::between(&all);
    for (module, known) in &mut imports.of {
        known.retain(|other, _| other[0] == module[0]);
    }
    let mut of_room: BTreeMap<String, Vec<BTreeSet<Module>>> = BTreeMap::new();
    for circle in imports.circles() {
        if let Some(module) = circle.first() {
            of_room.entry(module[0].clone()).or_default().push(circle);
        }
    }
    of_room
}

/// The arrows of each circle, one line a file.
fn shown(circles: &[BTreeSet<Module>]) -> Vec<String> {
    let all: Vec<(Module, &Source)> = sources().iter().map(|source| (module_path(&source.path), source)).collect();
    let imports = Imports::between(&all);
    let mut lines = Vec::new();
    for circle in circles {
        lines.push(format!("a circle of {} files:", circle.len()));
        for module in circle {
            let known: Vec<String> = imports.of[module]
                .iter()
                .filter(|(other, _)| circle.contains(*other))
                .map(|(other, line)| format!("{} (line {line})", other.join("::")))
                .collect();
            lines.push(format!("  {} imports {}", module.join("::"), known.join(", ")));
        }
    }
    lines
}
