//! What is built in: versions with known holes, two generations of one library, and the settings that the speed and the
//! randomness hang on. A lock file is data; no outside tool or database is asked.

use std::collections::BTreeMap;
use std::process::Command;

use crate::support::program::{cargo, succeeded};
use crate::support::{repository, skip};

/// The oldest version that may be built in, and why.
const OLDEST: &[(&str, &str, &str)] = &[
    ("rustls-webpki", "0.103.13", "RUSTSEC-2026-0098, -0099, -0104: name constraints, a panic on a CRL"),
    ("rustls", "0.23.18", "RUSTSEC-2024-0336, -0399: endless loop, panic"),
    ("aws-lc-sys", "0.39.0", "RUSTSEC-2026-0044, -0048: name constraints, CRL scope"),
    ("time", "0.3.47", "RUSTSEC-2026-0009: stack exhaustion"),
    ("idna", "1.0.3", "RUSTSEC-2024-0421: an A-label that decodes to plain ASCII"),
    ("libsqlite3-sys", "0.39.1", "SQLite before 3.51.3 can corrupt a WAL"),
];

/// Libraries of which a second generation would mean two kinds of the same thing in one program.
const ONE_GENERATION: &[&str] = &[
    "aws-lc-rs",
    "aws-lc-sys",
    "der",
    "p256",
    "pem",
    "pkcs8",
    "rcgen",
    "ring",
    "rsa",
    "rustls",
    "rustls-pki-types",
    "rustls-webpki",
    "spki",
    "time",
    "x509-parser",
];

#[test]
fn nothing_is_built_in_that_has_a_known_hole() {
    let locked = locked();
    for (name, oldest, why) in OLDEST {
        for version in
            locked.get(*name).unwrap_or_else(|| panic!("{name} is not in Cargo.lock: drop it from this list"))
        {
            assert!(numbers(version) >= numbers(oldest), "{name} {version} is older than {oldest} ({why})");
        }
    }
}

#[test]
fn no_library_is_there_in_two_generations() {
    let locked = locked();
    for name in ONE_GENERATION {
        let versions = locked.get(*name).cloned().unwrap_or_default();
        assert!(versions.len() <= 1, "{name} is locked in several versions: {versions:?}");
    }
}

/// The lock file also holds what no chosen feature asks for; what is really built is asked of cargo.
#[test]
fn one_library_does_the_cryptography() {
    let mut tree = cargo();
    tree.args(["tree", "--locked", "--offline", "--edges", "normal", "--prefix", "none", "--format", "{p}"]);
    let built = succeeded("cargo tree", &tree.output().unwrap());
    let names: Vec<&str> = built.lines().filter_map(|line| line.split(' ').next()).collect();
    assert!(names.contains(&"aws-lc-rs"), "{built}");
    for other in ["ring", "openssl-sys", "openssl", "native-tls", "boring", "graviola"] {
        assert!(!names.contains(&other), "{other} is a second cryptographic library beside aws-lc-rs");
    }
}

/// What a program under `Apache-2.0 OR MIT` may build in without asking anything of whoever passes it on but to keep the notices.
const LICENCES: &[&str] = &[
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "CC0-1.0",
    "ISC",
    "MIT",
    "MIT-0",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

#[test]
fn the_licence_of_every_dependency_is_one_of_the_list() {
    // `cargo metadata` also wants what is not built here, which a fresh machine has not got.
    let mut tree = cargo();
    tree.args([
        "tree",
        "--locked",
        "--offline",
        "--edges",
        "normal,build,dev",
        "--prefix",
        "none",
        "--format",
        "{p}|{l}",
    ]);
    let told = succeeded("cargo tree", &tree.output().unwrap());
    let packages: std::collections::BTreeSet<(&str, &str)> =
        told.lines().filter_map(|line| line.trim_end_matches(" (*)").split_once('|')).collect();
    assert!(packages.len() > 50, "only {} packages are known", packages.len());
    let mut refused = Vec::new();
    let mut used = std::collections::BTreeSet::new();
    for (package, licence) in packages {
        match allowed(licence) {
            Some(parts) => used.extend(parts),
            None => refused.push(format!("{package}: {licence:?}")),
        }
    }
    assert!(refused.is_empty(), "not in the list of licences:\n{}", refused.join("\n"));
    let idle: Vec<_> = LICENCES.iter().filter(|licence| !used.contains(**licence)).collect();
    assert!(idle.is_empty(), "nothing here is under these any more; drop them from the list: {idle:?}");
}

/// The parts of an expression (SPDX) that are in the list, if they are enough: all that stand beside an AND, one beside an OR.
fn allowed(expression: &str) -> Option<Vec<&str>> {
    let expression = expression.trim();
    let inner =
        expression.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')).filter(|inner| !inner.contains('('));
    if let Some(inner) = inner {
        return allowed(inner);
    }
    if let Some(parts) = split_outside(expression, " OR ").or_else(|| split_outside(expression, "/")) {
        let found: Vec<&str> = parts.into_iter().filter_map(allowed).flatten().collect();
        return (!found.is_empty()).then_some(found);
    }
    if let Some(parts) = split_outside(expression, " AND ") {
        return parts.into_iter().map(allowed).collect::<Option<Vec<_>>>().map(|parts| parts.concat());
    }
    LICENCES.contains(&expression).then(|| vec![expression])
}

/// The parts between an operator that stands outside brackets; `None` when it does not occur.
fn split_outside<'a>(expression: &'a str, operator: &str) -> Option<Vec<&'a str>> {
    let (mut parts, mut from, mut depth) = (Vec::new(), 0, 0);
    for (at, c) in expression.char_indices() {
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ if depth == 0 && at >= from && expression[at..].starts_with(operator) => {
                parts.push(&expression[from..at]);
                from = at + operator.len();
            }
            _ => {}
        }
    }
    (!parts.is_empty()).then(|| {
        parts.push(&expression[from..]);
        parts
    })
}

#[test]
fn an_expression_of_licences_is_read_as_spdx_means_it() {
    for allowed_one in [
        "MIT",
        "GPL-2.0 OR MIT",
        "MIT/Apache-2.0",
        "(MIT OR GPL-2.0) AND ISC",
        "MIT OR (ISC AND GPL-2.0)",
        "MIT OR ISC AND GPL-2.0",
    ] {
        assert!(allowed(allowed_one).is_some(), "{allowed_one}");
    }
    for refused in [
        "GPL-3.0",
        "MIT AND GPL-2.0",
        "(MIT OR ISC) AND GPL-2.0",
        "",
        "ISC AND (GPL-2.0 OR AGPL-3.0)",
        "GPL-2.0 OR ISC AND GPL-2.0",
        "mit",
    ] {
        assert!(allowed(refused).is_none(), "{refused}");
    }
}

#[test]
fn every_dependency_comes_from_the_registry_with_a_checksum() {
    for package in packages() {
        let name = package["name"].as_str().unwrap().to_owned();
        if name == "ca" {
            continue;
        }
        let source = package.get("source").and_then(toml::Value::as_str).unwrap_or_default();
        assert!(source.starts_with("registry+"), "{name} comes from {source:?}");
        assert!(package.contains_key("checksum"), "{name} has no checksum");
    }
}

/// docs/decisions/0002-entropy.md: with jitter entropy the first random byte of each process costs 30 ms.
#[test]
fn the_cryptographic_library_is_built_without_jitter_entropy() {
    let text = std::fs::read_to_string(repository().join(".cargo/config.toml")).unwrap();
    let config: toml::Table = toml::from_str(&text).unwrap();
    assert_eq!(config["env"]["AWS_LC_SYS_NO_JITTER_ENTROPY"].as_str(), Some("1"));
    // What was really built: the binary that cargo made for the tests still has the names of its functions.
    let program = std::fs::read(env!("CARGO_BIN_EXE_ca")).unwrap();
    let names = |name: &[u8]| program.windows(name.len()).any(|window| window == name);
    assert!(names(b"RAND_bytes"), "the program has no names, so that nothing can be said");
    assert!(!names(b"jent_entropy_collector_alloc"), "the program collects jitter entropy");
}

#[test]
fn the_program_is_one_static_file_where_the_c_library_can_be_linked_so() {
    let asked =
        Command::new("cc").arg("-print-file-name=libc.a").output().map(|found| found.stdout).unwrap_or_default();
    let library = String::from_utf8(asked).unwrap();
    if !cfg!(target_os = "linux") || !std::path::Path::new(library.trim()).is_file() {
        return skip::because("there is no static C library here");
    }
    let program = std::fs::read(env!("CARGO_BIN_EXE_ca")).unwrap();
    let number = |place: usize, size: usize| {
        program[place..place + size].iter().rev().fold(0_usize, |number, octet| number << 8 | usize::from(*octet))
    };
    assert_eq!(program[..6], *b"\x7fELF\x02\x01", "not a 64-bit little-endian ELF file");
    // ELF-64, file header: e_type at 16, e_phoff at 32, e_phentsize at 54, e_phnum at 56; p_type leads a program header.
    let kinds: Vec<usize> =
        (0..number(56, 2)).map(|header| number(number(32, 8) + header * number(54, 2), 4)).collect();
    let (shared_object, interpreter) = (3, 3);
    assert_eq!(number(16, 2), shared_object, "the program is not position-independent");
    assert!(!kinds.contains(&interpreter), "the program loads shared libraries");
}

fn packages() -> Vec<toml::Table> {
    let text = std::fs::read_to_string(repository().join("Cargo.lock")).unwrap();
    let lock: toml::Table = toml::from_str(&text).unwrap();
    lock["package"].as_array().unwrap().iter().map(|package| package.as_table().unwrap().clone()).collect()
}

fn locked() -> BTreeMap<String, Vec<String>> {
    let mut locked = BTreeMap::<String, Vec<String>>::new();
    for package in packages() {
        let word = |key: &str| package[key].as_str().unwrap().to_owned();
        locked.entry(word("name")).or_default().push(word("version"));
    }
    locked
}

/// `0.103.13` as numbers; what follows a `-` or `+` does not count.
fn numbers(version: &str) -> Vec<u64> {
    version.split(['-', '+']).next().unwrap().split('.').map(|part| part.parse().unwrap()).collect()
}
