//! What the questions share: where things are, the program under test, and peers.

pub mod fault;
pub mod hierarchy;
pub mod leftovers;
pub mod modules;
pub mod pair;
pub mod postgres;
pub mod power;
pub mod process;
pub mod program;
pub mod rust_source;
pub mod script;
pub mod shipped;
pub mod skip;
pub mod strict_schema;
pub mod table;
pub mod trace;

use std::path::{Path, PathBuf};

/// The top of the repository.
pub fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// All files below a folder with this extension, sorted, so that failures come in the same order everywhere.
pub fn files_below(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(folder) = open.pop() {
        let Ok(entries) = std::fs::read_dir(&folder) else { continue };
        for path in entries.map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|found| found == extension) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}
