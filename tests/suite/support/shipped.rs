//! The files of `src/` that are compiled into the program, each with its module path.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use super::modules::Module;
use super::rust_source::Source;
use super::{files_below, repository};

/// The shipped files, read once for all tests.
pub fn sources() -> &'static [Source] {
    static SOURCES: LazyLock<Vec<Source>> = LazyLock::new(|| {
        let sources: Vec<Source> =
            files_below(&repository().join("src"), "rs").iter().map(|path| Source::read(path)).collect();
        let test_files: BTreeSet<PathBuf> = sources
            .iter()
            .flat_map(|source| {
                let folder = module_folder(&source.path);
                source
                    .test_modules
                    .iter()
                    .flat_map(move |name| [folder.join(format!("{name}.rs")), folder.join(name).join("mod.rs")])
            })
            .collect();
        let in_tests =
            |path: &Path| test_files.iter().any(|test| path == test || path.starts_with(module_folder(test)));
        sources.into_iter().filter(|source| !in_tests(&source.path)).collect()
    });
    &SOURCES
}

/// The folder in which the child modules of a file are.
fn module_folder(path: &Path) -> PathBuf {
    let stem = path.file_stem().unwrap().to_string_lossy().into_owned();
    let folder = path.parent().unwrap();
    if ["mod", "lib", "main"].contains(&stem.as_str()) { folder.to_owned() } else { folder.join(stem) }
}

/// The module path of a file below the crate: `src/x509/decode.rs` is `["x509", "decode"]`.
pub fn module_path(path: &Path) -> Module {
    let relative = path.strip_prefix(repository().join("src")).unwrap().with_extension("");
    let mut path: Module = relative.iter().map(|part| part.to_string_lossy().into_owned()).collect();
    if path.last().is_some_and(|last| last == "mod") {
        path.pop();
    }
    path
}

/// The room of a file: its top-level module.
pub fn room_of(path: &Path) -> String {
    module_path(path).remove(0)
}

/// A place as failures show it: `src/x509/decode.rs:12`.
pub fn place(source: &Source, line: usize) -> String {
    format!("{}:{line}", source.path.strip_prefix(repository()).unwrap().display())
}
