//! `docs/ARCHITECTURE.md` cannot lie: its tables are read here, and `src/` is held against them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::support::rust_source::{Named, Source};
use crate::support::{files_below, repository, table};

/// What a pure room must not say: each of these asks the world for something, or tells it something.
const IMPURE: &[&str] = &[
    "std::fs",
    "std::env",
    "std::net::Tcp",
    "std::net::Udp",
    "TcpStream",
    "TcpListener",
    "std::process",
    "std::thread",
    "SystemTime",
    "Instant::now",
    "OffsetDateTime::now",
    "UtcDateTime::now",
    "File::open",
    "io::stdin",
    "io::stdout",
    "io::stderr",
    "println!",
    "print!",
    "eprintln!",
    "eprint!",
    "dbg!",
];

/// What no shipped code may say: input must never be able to end the program.
const ABRUPT: &[&str] =
    &[".unwrap()", ".unwrap_err()", "panic!", "todo!", "unimplemented!", "dbg!", "process::exit", "process::abort"];

/// Longer files hold more than one idea.
const MOST_LINES: usize = 600;

struct Room {
    may_know: BTreeSet<String>,
    pure: bool,
}

#[test]
fn every_import_is_an_arrow_of_the_table() {
    let rooms = rooms();
    let mut broken = Vec::new();
    for source in shipped() {
        let own = room_of(&source.path);
        let allowed = &rooms[&own].may_know;
        for named in source.paths() {
            let Some(other) = room_named(&source.path, &named.path).filter(|other| rooms.contains_key(other)) else {
                continue;
            };
            if other != own && !allowed.contains(&other) {
                let path = named.path.join("::");
                broken.push(format!("{}: `{own}` may not know `{other}` ({path})", place(&source, named.line)));
            }
        }
    }
    none("docs/ARCHITECTURE.md, \"Who may know whom\", has no such arrow", &broken);
}

#[test]
fn every_room_is_in_the_table_and_every_row_is_a_room() {
    let in_table: BTreeSet<String> = rooms().into_keys().collect();
    let in_source: BTreeSet<String> = shipped().iter().map(|source| room_of(&source.path)).collect();
    let planned: Vec<_> = in_table.difference(&in_source).collect();
    assert!(planned.is_empty(), "docs/ARCHITECTURE.md speaks of rooms that src/ does not have: {planned:?}");
    let unknown: Vec<_> = in_source.difference(&in_table).collect();
    assert!(unknown.is_empty(), "src/ has rooms that docs/ARCHITECTURE.md does not know: {unknown:?}");
}

#[test]
fn the_arrows_make_no_circle() {
    let mut rooms = rooms();
    while !rooms.is_empty() {
        let known: BTreeSet<String> = rooms.keys().cloned().collect();
        let leaves: Vec<String> =
            rooms.iter().filter(|(_, room)| room.may_know.is_disjoint(&known)).map(|(name, _)| name.clone()).collect();
        assert!(!leaves.is_empty(), "these rooms know each other in a circle: {known:?}");
        rooms.retain(|name, _| !leaves.contains(name));
    }
}

#[test]
fn every_library_is_named_behind_its_door_alone() {
    let doors = doors();
    let mut broken = Vec::new();
    for source in shipped() {
        let file = source.path.strip_prefix(repository().join("src")).unwrap().to_string_lossy().into_owned();
        let paths = source.paths();
        let mut local = BTreeMap::new();
        for named in &paths {
            let Some((first, places)) = named.path.first().and_then(|first| doors.get_key_value(first)) else {
                continue;
            };
            if *local.entry(first).or_insert_with(|| is_local(&source, &paths, first)) {
                continue;
            }
            let behind = |door: &String| *door == file || door.ends_with('/') && file.starts_with(door);
            if !places.is_empty() && !places.iter().any(behind) {
                let path = named.path.join("::");
                broken.push(format!("{}: {path} (its door: {})", place(&source, named.line), places.join(", ")));
            }
        }
    }
    none("docs/ARCHITECTURE.md, \"Doors\", knows another place for these libraries", &broken);
}

#[test]
fn every_dependency_has_a_door_and_a_reason() {
    let text = std::fs::read_to_string(repository().join("Cargo.toml")).unwrap();
    let manifest: toml::Table = toml::from_str(&text).unwrap();
    let wanted: BTreeSet<String> = manifest["dependencies"].as_table().unwrap().keys().cloned().collect();
    let documented: BTreeSet<String> = door_rows().into_iter().map(|(package, _, _)| package).collect();
    assert_eq!(documented, wanted, "left: the doors of docs/ARCHITECTURE.md; right: the dependencies of Cargo.toml");
    for line in
        text.lines().skip_while(|line| *line != "[dependencies]").take_while(|line| !line.starts_with("[profile"))
    {
        if line.contains(" = ") && !line.starts_with('#') {
            assert!(line.contains(" # "), "this dependency has no reason beside it: {line}");
        }
    }
}

#[test]
fn pure_rooms_ask_for_nothing() {
    let rooms = rooms();
    let mut broken = Vec::new();
    for source in shipped().iter().filter(|source| rooms[&room_of(&source.path)].pure) {
        let asked = |piece: &'static str| source.lines_with(piece).into_iter().map(move |line| (piece, line));
        broken.extend(
            IMPURE
                .iter()
                .flat_map(|piece| asked(piece))
                .map(|(piece, line)| format!("{}: {piece}", place(source, line))),
        );
        for named in source.paths() {
            let path = named.path.join("::");
            if named.imported && IMPURE.iter().any(|piece| path == *piece || path.starts_with(&format!("{piece}::"))) {
                broken.push(format!("{}: {path}", place(source, named.line)));
            }
        }
    }
    none("pure rooms take time, files and environment as arguments", &broken);
}

#[test]
fn shipped_code_never_ends_abruptly() {
    let mut broken = Vec::new();
    for source in shipped() {
        for piece in ABRUPT {
            broken
                .extend(source.lines_with(piece).into_iter().map(|line| format!("{}: {piece}", place(&source, line))));
        }
    }
    none("say what was found and what was expected instead", &broken);
}

#[test]
fn only_the_border_prints() {
    let mut broken = Vec::new();
    for source in shipped().iter().filter(|source| room_of(&source.path) != "main") {
        for piece in ["println!", "print!", "eprintln!", "eprint!"] {
            broken.extend(source.lines_with(piece).into_iter().map(|line| format!("{}: {piece}", place(source, line))));
        }
    }
    none("commands return a report; cli::run writes it", &broken);
}

/// docs/decisions/0007-static-binary.md: what the C library loads for a name can crash the program.
#[test]
fn names_of_hosts_are_looked_up_in_one_place() {
    let mut broken = Vec::new();
    for source in shipped().iter().filter(|source| !source.path.ends_with("handshake/host.rs")) {
        for piece in ["to_socket_addrs", "TcpStream::connect(", "UdpSocket::bind("] {
            broken.extend(source.lines_with(piece).into_iter().map(|line| format!("{}: {piece}", place(source, line))));
        }
    }
    none("handshake/host.rs finds the addresses of a host", &broken);
}

#[test]
fn every_file_holds_one_idea_and_says_which() {
    let mut broken = Vec::new();
    for path in files_below(&repository().join("src"), "rs") {
        let text = std::fs::read_to_string(&path).unwrap();
        let shown = path.strip_prefix(repository()).unwrap().display().to_string();
        if text.lines().count() > MOST_LINES {
            broken.push(format!("{shown}: {} lines", text.lines().count()));
        }
        if !text.starts_with("//!") {
            broken.push(format!("{shown}:1: does not begin with what it is (`//!`)"));
        }
        for (number, line) in text.lines().enumerate() {
            if line.contains("TODO") || line.contains("FIXME") || line.contains("XXX") {
                broken.push(format!("{shown}:{}: unfinished", number + 1));
            }
            if line.contains("#[allow(") && !line.contains("reason =") || line.contains("#[ignore]") {
                broken.push(format!("{shown}:{}: an exception without a reason", number + 1));
            }
        }
    }
    none("docs/ARCHITECTURE.md and the house rules", &broken);
}

/// Fails with the places, if there are any.
fn none(rule: &str, broken: &[String]) {
    assert!(broken.is_empty(), "{rule}:\n  {}\n", broken.join("\n  "));
}

fn place(source: &Source, line: usize) -> String {
    format!("{}:{line}", source.path.strip_prefix(repository()).unwrap().display())
}

fn document() -> String {
    std::fs::read_to_string(repository().join("docs/ARCHITECTURE.md")).unwrap()
}

fn rooms() -> BTreeMap<String, Room> {
    let rows = table::below_heading(&document(), "## Who may know whom");
    let room = |row: &Vec<String>| {
        let name = table::code_words(&row[0]).remove(0);
        (name, Room { may_know: table::code_words(&row[1]).into_iter().collect(), pure: row[2] == "yes" })
    };
    let mut rooms: BTreeMap<String, Room> = rows.iter().map(room).collect();
    // The list of rooms knows them all by nature.
    let all = rooms.keys().cloned().collect();
    rooms.insert("lib".to_owned(), Room { may_know: all, pure: false });
    rooms
}

/// Package, the name that code gives it, its places (none: anywhere).
fn door_rows() -> Vec<(String, String, Vec<String>)> {
    let rows = table::below_heading(&document(), "## Doors");
    rows.iter()
        .map(|row| {
            let names = table::code_words(&row[0]);
            let places = table::code_words(&row[1]);
            assert!(!places.is_empty() || row[1] == "anywhere", "the door of {} is unclear: {}", row[0], row[1]);
            (names[0].clone(), names.last().unwrap().replace('-', "_"), places)
        })
        .collect()
}

fn doors() -> BTreeMap<String, Vec<String>> {
    door_rows().into_iter().map(|(_, name, places)| (name, places)).collect()
}

/// Whether a file has a module in scope that is called like a library.
fn is_local(source: &Source, paths: &[Named], name: &str) -> bool {
    let imports = |named: &Named| {
        named.imported
            && named.path.last().is_some_and(|last| last == name)
            && named.path.first().is_some_and(|root| ["crate", "super", "self"].contains(&root.as_str()))
    };
    let declares = source.code.lines().any(|line| line.trim().trim_start_matches("pub ") == format!("mod {name};"));
    declares || paths.iter().any(imports)
}

/// The files that are compiled into the program.
fn shipped() -> Vec<Source> {
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
        |path: &Path| test_files.iter().any(|test| path == test || path.starts_with(test.with_extension("")));
    sources.into_iter().filter(|source| !in_tests(&source.path)).collect()
}

/// The folder in which the child modules of a file lie.
fn module_folder(path: &Path) -> PathBuf {
    let stem = path.file_stem().unwrap().to_string_lossy().into_owned();
    let folder = path.parent().unwrap();
    if ["mod", "lib", "main"].contains(&stem.as_str()) { folder.to_owned() } else { folder.join(stem) }
}

/// The module path of a file below the crate: `src/x509/decode.rs` is `["x509", "decode"]`.
fn module_path(path: &Path) -> Vec<String> {
    let relative = path.strip_prefix(repository().join("src")).unwrap().with_extension("");
    let mut path: Vec<String> = relative.iter().map(|part| part.to_string_lossy().into_owned()).collect();
    if path.last().is_some_and(|last| last == "mod") {
        path.pop();
    }
    path
}

fn room_of(path: &Path) -> String {
    module_path(path).remove(0)
}

/// The room that a path leads to, when it leads to one of ours.
fn room_named(file: &Path, path: &[String]) -> Option<String> {
    match path.first()?.as_str() {
        "crate" | "ca" => path.get(1).cloned(),
        "super" => {
            let climbed = path.iter().take_while(|segment| *segment == "super").count();
            let own = module_path(file);
            if climbed < own.len() { own.first().cloned() } else { path.get(climbed).cloned() }
        }
        _ => None,
    }
}

#[test]
fn the_reader_of_sources_sees_what_rustc_sees() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("sample.rs");
    let text = r##"
use crate::keys::{self, PrivateKey, key_file::{read as r}}; // use crate::cli;
pub(crate) use super::x509;
/* crate::system */ const A: &str = "crate::handshake \" crate::cli"; const B: char = '"';
fn f<'a>(x: &'a str) { crate::verify::judge(x); let _ = r#"crate::cli "quoted""#; }
#[cfg(test)]
mod tests { use crate::authority; fn g() { x.unwrap(); } }
#[cfg(test)]
mod samples;
fn h() { b'"'; crate::lint::run(); }
"##;
    std::fs::write(&file, text).unwrap();
    let source = Source::read(&file);
    let mut paths: Vec<String> =
        source.paths().iter().map(|named| format!("{}:{}", named.line, named.path.join("::"))).collect();
    paths.sort();
    let expected = [
        "10:crate::lint::run",
        "2:crate::keys",
        "2:crate::keys::PrivateKey",
        "2:crate::keys::key_file::read",
        "3:super::x509",
        "5:crate::verify::judge",
    ];
    assert_eq!(paths, expected);
    assert_eq!(source.test_modules, ["samples"]);
    assert!(source.lines_with(".unwrap()").is_empty());
}
