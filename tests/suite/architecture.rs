//! `docs/ARCHITECTURE.md` cannot lie: its tables are read here, and `src/` is held against them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::support::rust_source::{Named, Source};
use crate::support::shipped::{module_path, place, room_of, sources};
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
    for source in sources() {
        let own = room_of(&source.path);
        let allowed = &rooms[&own].may_know;
        for named in &source.paths {
            let Some(other) = room_named(&source.path, &named.path).filter(|other| rooms.contains_key(other)) else {
                continue;
            };
            if other != own && !allowed.contains(&other) {
                let path = named.path.join("::");
                broken.push(format!("{}: `{own}` may not know `{other}` ({path})", place(source, named.line)));
            }
        }
    }
    none("docs/ARCHITECTURE.md, \"Imports between rooms\", has no such arrow", &broken);
}

/// Whoever reads the table believes it: an arrow that no line needs is taken out.
#[test]
fn every_arrow_of_the_table_is_an_import() {
    let rooms = rooms();
    let used: BTreeSet<(String, String)> = sources()
        .iter()
        .flat_map(|source| {
            let own = room_of(&source.path);
            source.paths.iter().filter_map(move |named| Some((own.clone(), room_named(&source.path, &named.path)?)))
        })
        .collect();
    let unused: Vec<String> = rooms
        .iter()
        .filter(|(name, _)| *name != "lib")
        .flat_map(|(name, room)| room.may_know.iter().map(move |other| (name.clone(), other.clone())))
        .filter(|arrow| !used.contains(arrow))
        .map(|(from, to)| format!("no shipped line of `{from}` names `{to}`"))
        .collect();
    none("docs/ARCHITECTURE.md, \"Imports between rooms\", has arrows that are not used; take them out", &unused);
}

#[test]
fn every_room_is_in_the_table_and_every_row_is_a_room() {
    let in_table: BTreeSet<String> = rooms().into_keys().collect();
    let in_source: BTreeSet<String> = sources().iter().map(|source| room_of(&source.path)).collect();
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
    for source in sources() {
        let file = source.path.strip_prefix(repository().join("src")).unwrap().to_string_lossy().into_owned();
        let paths = &source.paths;
        let mut local = BTreeMap::new();
        for named in paths {
            let Some((first, places)) = named.path.first().and_then(|first| doors.get_key_value(first)) else {
                continue;
            };
            if *local.entry(first).or_insert_with(|| is_local(source, paths, first)) {
                continue;
            }
            let behind = |door: &String| *door == file || door.ends_with('/') && file.starts_with(door);
            if !places.is_empty() && !places.iter().any(behind) {
                let path = named.path.join("::");
                broken.push(format!("{}: {path} (its door: {})", place(source, named.line), places.join(", ")));
            }
        }
    }
    none("docs/ARCHITECTURE.md, \"Doors\", knows another place for these libraries", &broken);
}

/// What the SQL of one engine alone has.
const SQL_OF_ONE_ENGINE: &[&str] = &[
    "PRAGMA",
    "pragma_",
    "GLOB",
    "INSERT OR",
    "REPLACE INTO",
    "ifnull(",
    "sqlite_schema",
    "sqlite_master",
    "rowid",
    "group_concat",
    "julianday",
    "ON CONSTRAINT",
    "ILIKE",
    "pg_",
    "::bigint",
];

/// The tables of an engine, and the database of another program.
const OF_ONE_ENGINE: &[&str] = &["cfssl_database.rs", "postgres_schema.rs", "schema.rs"];

/// Each query has one text for all engines, so that what a test shows of one is true of the others.
#[test]
fn the_queries_of_the_index_are_those_of_every_engine() {
    let folder = repository().join("src/store/index");
    let mut broken = Vec::new();
    for source in sources() {
        let Ok(file) = source.path.strip_prefix(&folder) else { continue };
        if file.components().count() > 1 || OF_ONE_ENGINE.iter().any(|name| file == Path::new(name)) {
            continue;
        }
        let text = std::fs::read_to_string(&source.path).unwrap();
        let shipped = text.split("#[cfg(test)]\nmod ").next().unwrap();
        for (number, line) in shipped.lines().enumerate() {
            let line = line.split("//").next().unwrap();
            if let Some(word) = SQL_OF_ONE_ENGINE.iter().find(|word| line.contains(*word)) {
                broken.push(format!("{}: {word}", place(source, number + 1)));
            }
        }
    }
    none("the SQL of one engine is behind its door, in src/store/index/database", &broken);
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
    for source in sources().iter().filter(|source| rooms[&room_of(&source.path)].pure) {
        let asked = |piece: &'static str| source.lines_with(piece).into_iter().map(move |line| (piece, line));
        broken.extend(
            IMPURE
                .iter()
                .flat_map(|piece| asked(piece))
                .map(|(piece, line)| format!("{}: {piece}", place(source, line))),
        );
        for named in &source.paths {
            let path = named.path.join("::");
            if named.is_imported()
                && IMPURE.iter().any(|piece| path == *piece || path.starts_with(&format!("{piece}::")))
            {
                broken.push(format!("{}: {path}", place(source, named.line)));
            }
        }
    }
    none("pure rooms take time, files and environment as arguments", &broken);
}

#[test]
fn shipped_code_never_ends_abruptly() {
    let mut broken = Vec::new();
    for source in sources() {
        for piece in ABRUPT {
            broken.extend(source.lines_with(piece).into_iter().map(|line| format!("{}: {piece}", place(source, line))));
        }
    }
    none("say what was found and what was expected instead", &broken);
}

#[test]
fn only_the_border_prints() {
    let mut broken = Vec::new();
    for source in sources().iter().filter(|source| room_of(&source.path) != "main") {
        for piece in ["println!", "print!", "eprintln!", "eprint!"] {
            broken.extend(source.lines_with(piece).into_iter().map(|line| format!("{}: {piece}", place(source, line))));
        }
    }
    none("commands return a report; cli::run writes it", &broken);
}

#[test]
fn what_is_specific_to_unix_is_named_in_one_place() {
    let mut broken = Vec::new();
    for source in sources().iter().filter(|source| !source.path.starts_with(repository().join("src/system/unix"))) {
        for piece in ["std::os::", "MetadataExt", "PermissionsExt", "OpenOptionsExt", "OsStrExt", "OsStringExt"] {
            broken.extend(source.lines_with(piece).into_iter().map(|line| format!("{}: {piece}", place(source, line))));
        }
    }
    none("src/system/unix/ has a function for what differs between operating systems", &broken);
}

/// docs/decisions/0017-descriptors.md: a path is resolved again by every call, and another user may have changed it.
#[test]
fn nothing_on_the_disk_is_changed_by_a_path() {
    let mut broken = Vec::new();
    for source in sources() {
        for piece in [
            "fs::chown(",
            "lchown(",
            "fs::set_permissions(",
            "fs::rename(",
            "fs::remove_",
            "fs::create_dir",
            "fs::write(",
            "fs::copy(",
            "fs::hard_link(",
            "DirBuilder",
            "File::create",
            ".create_new(",
            ".create(true)",
            ".write(true)",
        ] {
            broken.extend(source.lines_with(piece).into_iter().map(|line| format!("{}: {piece}", place(source, line))));
        }
    }
    none("system::files::Folder changes what is in an open folder", &broken);
}

/// docs/decisions/0007-static-binary.md: what the C library loads for a name can crash the program.
#[test]
fn names_of_hosts_are_looked_up_in_one_place() {
    let mut broken = Vec::new();
    for source in sources().iter().filter(|source| !source.path.ends_with("handshake/host.rs")) {
        for piece in ["to_socket_addrs", "TcpStream::connect(", "UdpSocket::bind("] {
            broken.extend(source.lines_with(piece).into_iter().map(|line| format!("{}: {piece}", place(source, line))));
        }
    }
    none("handshake/host.rs finds the addresses of a host", &broken);
}

/// A reader who follows the page must not end at a name that was moved.
#[test]
fn every_file_that_the_page_names_exists() {
    let known: Vec<String> = ["src", "tests", "docs", "templates", "benches"]
        .iter()
        .flat_map(|folder| files_below(&repository().join(folder), "rs"))
        .map(|path| format!("/{}", path.strip_prefix(repository()).unwrap().display()))
        .collect();
    let missing: Vec<String> = table::code_words(&document())
        .into_iter()
        .filter(|word| word.ends_with(".rs") || word.starts_with("src/") && word.ends_with('/'))
        .filter(|word| {
            let named = format!("/{word}");
            !known.iter().any(|path| path.ends_with(&named) || word.ends_with('/') && path.starts_with(&named))
        })
        .collect();
    none("docs/ARCHITECTURE.md names files that are not there", &missing);
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

fn document() -> String {
    std::fs::read_to_string(repository().join("docs/ARCHITECTURE.md")).unwrap()
}

fn rooms() -> BTreeMap<String, Room> {
    let rows = table::below_heading(&document(), "## Imports between rooms");
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
        named.is_imported()
            && named.path.last().is_some_and(|last| last == name)
            && named.path.first().is_some_and(|root| ["crate", "super", "self"].contains(&root.as_str()))
    };
    let declares = source.code.lines().any(|line| line.trim().trim_start_matches("pub ") == format!("mod {name};"));
    declares || paths.iter().any(imports)
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
