//! Sets what `ca version` reports about a build: commit, date, target and the versions of the libraries.
//!
//! The output does not depend on the time or the folder of the build, so that two builds of one commit are the same file.
//! The date is `SOURCE_DATE_EPOCH` (<https://reproducible-builds.org/specs/source-date-epoch/>) if it is set, else that
//! of the commit. For a source archive, which has no commit, `CA_COMMIT` can name it.

use std::path::Path;
use std::process::Command;

/// The libraries whose version decides how TLS, cryptography and the index behave.
const LIBRARIES: [&str; 4] = ["rustls", "rustls-webpki", "aws-lc-rs", "aws-lc-sys"];

fn main() {
    for file in [".cargo/build.rs", ".cargo/rustc", ".cargo/order.ld", "Cargo.lock"] {
        println!("cargo:rerun-if-changed={file}");
    }
    for variable in ["CA_COMMIT", "SOURCE_DATE_EPOCH"] {
        println!("cargo:rerun-if-env-changed={variable}");
    }
    let commit = variable("CA_COMMIT").or_else(commit_of_the_checkout).unwrap_or_default();
    let seconds = variable("SOURCE_DATE_EPOCH").or_else(time_of_the_commit).unwrap_or_default();
    set("CA_BUILD_COMMIT", &commit);
    set("CA_BUILD_SECONDS", &seconds);
    set("CA_BUILD_TARGET", &variable("TARGET").unwrap_or_default());
    let lock = std::fs::read_to_string("Cargo.lock").unwrap_or_default();
    for library in LIBRARIES {
        let version = locked_version(&lock, library).unwrap_or_default();
        set(&format!("CA_BUILD_{}", library.to_uppercase().replace('-', "_")), &version);
    }
}

/// Sets an environment variable that `env!` reads at compile time.
fn set(name: &str, value: &str) {
    println!("cargo:rustc-env={name}={value}");
}

/// Returns the value of an environment variable; `None` if it is unset, empty or not UTF-8.
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// Returns the commit that is checked out, followed by `-modified` if a tracked file differs from it. Returns `None` for a
/// source archive and for a debug build, because each commit would require another debug build.
fn commit_of_the_checkout() -> Option<String> {
    if !is_release_of_a_checkout() {
        return None;
    }
    for changes_with_a_commit in ["HEAD", "logs/HEAD", "index"] {
        println!("cargo:rerun-if-changed={}", git(&["rev-parse", "--git-path", changes_with_a_commit])?);
    }
    for source in ["src", "templates", "Cargo.toml"] {
        println!("cargo:rerun-if-changed={source}");
    }
    let commit = git(&["rev-parse", "HEAD"])?;
    let changes = git(&["status", "--porcelain", "--untracked-files=no"])?;
    Some(if changes.is_empty() { commit } else { format!("{commit}-modified") })
}

/// Returns the time of the commit in seconds since 1970. Returns `None` in the same cases as the commit.
fn time_of_the_commit() -> Option<String> {
    is_release_of_a_checkout().then(|| git(&["log", "-1", "--format=%ct"]))?
}

fn is_release_of_a_checkout() -> bool {
    variable("PROFILE").is_some_and(|profile| profile == "release") && Path::new(".git").exists()
}

fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").args(arguments).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// Returns the version of a package in Cargo.lock; if it has several versions, the last one, which is the highest.
fn locked_version(lock: &str, package: &str) -> Option<String> {
    let name = format!("name = \"{package}\"");
    let mut lines = lock.lines();
    let mut found = None;
    while let Some(line) = lines.next() {
        if line == name {
            let version = lines.next()?.strip_prefix("version = \"")?.strip_suffix('"')?;
            found = Some(version.to_owned());
        }
    }
    found
}
