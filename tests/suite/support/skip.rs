//! Named skips: a test that cannot run here says so, and never looks like one that passed.

use std::io::Write;
use std::path::PathBuf;

/// Whether all the programs are installed. If not, the test returns: a named skip when `tests/run` collects them
/// (`CA_TEST_SKIPS` names its list), a failure otherwise.
#[must_use]
pub fn unless_installed(programs: &[&str]) -> bool {
    match programs.iter().find(|program| !is_installed(program)) {
        Some(missing) => {
            because(&format!("no {missing}"));
            false
        }
        None => true,
    }
}

/// Whether the test is run by root; as [`unless_installed`].
#[must_use]
pub fn unless_root() -> bool {
    let is_root = rustix::process::geteuid().is_root();
    if !is_root {
        because("it starts a program that only root can start");
    }
    is_root
}

/// The Python of the tests' own environment, which tests/run makes: with pkilint and `cryptography`. Nothing when it could
/// not be had: then the test returns, as with [`unless_installed`].
#[must_use]
pub fn unless_python() -> Option<PathBuf> {
    let python = super::repository().join("target/venv/bin/python");
    if python.is_file() {
        return Some(python);
    }
    because("no Python environment with pkilint and cryptography");
    None
}

/// A folder that a package of that environment brought along; as [`unless_python`].
#[must_use]
pub fn unless_python_package(folder: &str) -> Option<PathBuf> {
    unless_python()?;
    let library = super::repository().join("target/venv/lib");
    let pythons = std::fs::read_dir(&library).unwrap();
    let found =
        pythons.map(|python| python.unwrap().path().join("site-packages").join(folder)).find(|path| path.is_dir());
    if found.is_none() {
        because(&format!("no {folder} in {}", library.display()));
    }
    found
}

/// A program that a package of that environment brought along; as [`unless_python`].
#[must_use]
pub fn unless_python_program(program: &str) -> Option<PathBuf> {
    let file = super::repository().join("target/venv/bin").join(program);
    if file.is_file() {
        return Some(file);
    }
    because(&format!("no {program} in {}", file.display()));
    None
}

/// Records that this test was skipped.
pub fn because(reason: &str) {
    let test = std::thread::current().name().unwrap_or("a test").to_owned();
    record(&test, reason);
}

/// Records that something was skipped: a test, or a script of one.
pub fn record(what: &str, reason: &str) {
    let Some(list) = std::env::var_os("CA_TEST_SKIPS") else {
        panic!("{what} cannot run: {reason}. tests/run installs what is missing, or names this as skipped");
    };
    let mut list = std::fs::OpenOptions::new().create(true).append(true).open(list).unwrap();
    list.write_all(format!("{what} ({reason})\n").as_bytes()).unwrap();
}

pub fn is_installed(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain(super::program::OTHER_FOLDERS.map(PathBuf::from));
    folders.into_iter().any(|folder| folder.join(program).is_file())
}
