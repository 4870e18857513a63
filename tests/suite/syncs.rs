//! Every command that writes, on the model of a disk (`support/power.rs`): whatever stands under its name has its whole content
//! on the disk, a certificate stands nowhere before its record is durable and before its key is there, and what was reported is
//! there after a power cut.
//!
//! Each command runs once, so that this costs little and has all of them. `power_cut.rs` looks at every survival of those that
//! are run most.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use ca::store::index::{Filter, Index, IndexError};
use time::OffsetDateTime;

use crate::other_users::TO_AN_OLDER_VERSION;
use crate::power_cut::hidden;
use crate::support::fault::{self, Disk};
use crate::support::pair;
use crate::support::power::{self, Model, Tree};
use crate::support::program::Place;
use crate::support::trace::{self, Argument, Call};

/// Commands that run one after the other in the same place.
struct Session {
    place: Place,
    top: PathBuf,
    problems: Vec<String>,
}

#[test]
fn a_command_that_makes_certificates_or_revokes_them_syncs_what_it_reports() {
    let Some(mut session) = Session::begin() else { return };
    session.run("--dir new/ca init --name Root --key ecdsa-p256 --intermediate --no-passphrase");
    let elsewhere = session.top.join("elsewhere/index.db");
    session.write("moved.toml", &format!("[index]\nlocation = '{}'\n", elsewhere.display()));
    session.run("--dir moved init --config moved.toml --name Root --key ecdsa-p256 --no-passphrase");
    session.run(INIT);
    session.run("--dir ca issue server web.example");
    session.run("--dir ca issue server out.example --out new/er/out");
    session.folder("out");
    session.run("--dir ca issue server mine.example --out out");
    for name in ["web.example", "mine.example"] {
        session.run(&format!("--dir ca renew {name}"));
        session.run(&format!("--dir ca rekey {name}"));
        session.run(&format!("--dir ca rollback {name}"));
    }
    session.remove("ca/issued/web.example");
    session.run("--dir ca rollback web.example");
    // As a rekeying leaves it that was killed between two renames.
    session.rename("ca/issued/web.example", &session.in_place("web.example"));
    session.run("--dir ca issue server web.example --if-due");
    session.run("--dir ca rekey web.example");
    // As it leaves it when the names were exchanged already.
    let (older, present) = (session.only_generation("web.example"), session.in_place("web.example"));
    session.rename(&older, &present);
    session.run("--dir ca rekey web.example");
    let table = "[[certificate]]\ntemplate = \"server\"\nname = \"n{{ n }}.example\"\ncount = 9\n";
    session.write("fleet.toml", table);
    session.run("--dir ca apply fleet.toml --jobs 1");
    session.run("--dir ca renew --all --yes --jobs 1");
    session.run("--dir ca revoke web.example --all");
    session.run("--dir ca crl");
    session.run("--dir ca crl --out copy.pem");
    session.run("--dir ca crl --authority root --out copy.der");
    session.run_on(Disk::WithoutLinks, "--dir copied init --name Root --key ecdsa-p256 --no-passphrase");
    session.end();
}

#[test]
fn a_command_about_requests_and_authorities_syncs_what_it_reports() {
    let Some(mut session) = Session::begin() else { return };
    session.run(INIT);
    session.run("--dir ca issue client alice");
    session.run("request asked.example --out new/er/asked");
    session.folder("there");
    session.run("request there.example --out there");
    session.run("request there.example --out there --force");
    session.run("--dir ca sign new/er/asked/request.pem");
    session.run("--dir ca sign there/request.pem --out there");
    session.run("--dir ca intermediate request branch --no-passphrase");
    session.run("--dir corporate init --name Corporate --key ecdsa-p256 --no-passphrase");
    session.run(
        "--dir corporate sign ca/authorities/branch/request.pem --template intermediate --name branch --out signed",
    );
    session.run(
        "--dir ca intermediate install branch signed/cert.pem --chain corporate/authorities/root/cert.pem --add-root corporate",
    );
    session.write("first-passphrase", "first passphrase\n");
    session.write("second-passphrase", "second passphrase\n");
    session.run("--dir ca key passphrase issuing --new-passphrase-file first-passphrase");
    session.run(
        "--dir ca key passphrase issuing --passphrase-file first-passphrase --new-passphrase-file second-passphrase",
    );
    session.write("corporate/templates/policy.toml", POLICY);
    session.run("--dir corporate issue policy policy");
    session.run("--dir corporate issue intermediate issuing --issuer policy");
    session.run("--dir corporate root renew");
    session.run("--dir corporate root rotate start");
    session.run("--dir corporate root rotate finish --force");
    session.run("--dir corporate roots --out roots.pem");
    session.run("man man/pages");
    session.end();
}

#[test]
fn a_command_that_restores_or_repairs_a_ca_syncs_what_it_reports() {
    let Some(mut session) = Session::begin() else { return };
    session.run(INIT);
    session.run("--dir ca issue client alice");
    session.run("--dir ca crl");
    session.write("identity", IDENTITY);
    session.run(&format!("--dir ca backup kept.age --recipient {RECIPIENT}"));
    session.run(&format!("--dir ca backup kept.age --recipient {RECIPIENT} --force"));
    session.run("restore kept.age new/er/restored --identity identity");
    session.run("--dir new/er/restored crl --compare ca/authorities/issuing/crl.pem");
    session.run("--dir new/er/restored audit --scan ca/issued");
    session.remove("ca/issued/alice/chain.pem");
    session.remove("ca/authorities/issuing/cert.pem");
    session.run("--dir ca audit --fix");
    // A migration records events of its own.
    let index = rusqlite::Connection::open(session.place.path("ca/index.db")).unwrap();
    index.execute_batch(TO_AN_OLDER_VERSION).unwrap();
    drop(index);
    session.run("--dir ca audit head");
    session.end();
}

/// With an intermediate, so that chains are not empty.
const INIT: &str = "--dir ca init --name Root --key ecdsa-p256 --intermediate --no-passphrase";
/// A CA below which there can be another.
const POLICY: &str = "summary = \"policy CA\"\nkey = [\"ecdsa-p256\"]\nlifetime = \"6y\"\n[subject]\ncommon-name = \"name\"\n\
                      [usage]\nkey = [\"key-cert-sign\", \"crl-sign\"]\n[authority]\npath-length = 1\n";
/// A key pair of the age format that is used nowhere else.
const RECIPIENT: &str = "age12jzraqktl6q5kc302g03gu8gaz0q4j8tdl4lmv72t24v3m39gufqya6t03";
const IDENTITY: &str = "AGE-SECRET-KEY-13C5W825SXQNN2R7UK97P57HAWPMEFUXTPKKKZGG9WPNCH2EXM32QXR5LXU\n";

impl Session {
    /// `None` after a named skip.
    fn begin() -> Option<Self> {
        if !fault::are_possible() {
            return None;
        }
        let place = Place::new();
        let top = fs::canonicalize(place.path("")).unwrap();
        Some(Self { place, top, problems: Vec::new() })
    }

    fn end(self) {
        assert!(self.problems.is_empty(), "{} problems:\n{}", self.problems.len(), self.problems.join("\n"));
    }

    fn run(&mut self, words: &str) {
        self.run_on(Disk::Any, words);
    }

    fn run_on(&mut self, disk: Disk, words: &str) {
        let before = power::tree_below(&self.top);
        let calls = trace::record(&self.place, words, disk);
        let after = power::tree_below(&self.top);
        for problem in problems(&before, &calls, &after, &self.top) {
            self.problems.push(format!("ca {words}: {problem}"));
        }
    }

    fn write(&self, file: &str, text: &str) {
        fs::write(self.place.path(file), text).unwrap();
    }

    fn folder(&self, name: &str) {
        fs::create_dir(self.place.path(name)).unwrap();
    }

    fn remove(&self, name: &str) {
        let path = self.place.path(name);
        if path.is_dir() { fs::remove_dir_all(path).unwrap() } else { fs::remove_file(path).unwrap() }
    }

    fn rename(&self, from: &str, to: &str) {
        fs::rename(self.place.path(from), self.place.path(to)).unwrap();
    }

    /// Where the files that are in place are kept when they are replaced.
    fn in_place(&self, name: &str) -> String {
        let file = fs::read(self.place.path(format!("ca/issued/{name}/cert.pem"))).unwrap();
        let serial = &pair::certificates(&file).unwrap()[0].serial;
        format!("ca/issued/.generations/{name}/{serial}")
    }

    fn only_generation(&self, name: &str) -> String {
        let folder = format!("ca/issued/.generations/{name}");
        let mut names = fs::read_dir(self.place.path(&folder)).unwrap();
        format!("{folder}/{}", names.next().unwrap().unwrap().file_name().to_str().unwrap())
    }
}

/// What is wrong with the syncs of one run.
fn problems(before: &Tree, calls: &[Call], after: &Tree, top: &Path) -> BTreeSet<String> {
    let mut problems = BTreeSet::new();
    let mut model = Model::of(before, top, &[]).with_two_steps();
    let mut known_files = certificate_files(before);
    let mut reported = false;
    for call in calls {
        let is_first_report = !reported && call.name == "write" && call.word(0) == "1";
        reported |= is_first_report;
        let has_changed = model.make(call);
        if is_first_report {
            problems.extend(lost(&model));
        }
        // SQLite writes in place, and takes care of its own files.
        if !has_changed || call.name == "pwrite64" {
            continue;
        }
        let (names, whole) = (visible(&model.names_alone()), visible(&model.tree()));
        for path in whole.keys().filter(|path| names.get(*path) != whole.get(*path)) {
            problems.insert(format!("{} has its name before its content is on the disk", path.display()));
        }
        // A folder that gets its name with everything in it has both or none of them.
        let is_of_a_file = |argument: &Argument| matches!(argument, Argument::Octets(name) if name.ends_with(b".pem"));
        if call.name.starts_with("rename") && call.arguments.iter().any(is_of_a_file) {
            problems.extend(without_key(&whole, &model.least()));
        }
        let files = certificate_files(&whole);
        let new = files.iter().filter(|(path, content)| known_files.get(*path) != Some(content));
        let new: BTreeMap<_, _> = new.map(|(path, content)| (path.clone(), content.clone())).collect();
        problems.extend(unrecorded(&new, &model.least()));
        known_files = files;
    }
    assert!(reported && model.tree() == *after, "the model does not end where the disk does");
    problems.extend(lost(&model));
    problems
}

/// Certificates and requests that are there, and whose key a power cut would take away.
fn without_key(whole: &Tree, least: &Tree) -> Vec<String> {
    let keys = whole.keys().filter(|path| path.ends_with("key.pem"));
    let lost = keys.filter(|key| least.contains_key(key.parent().unwrap()) && least.get(*key) != whole.get(*key));
    let public = lost.flat_map(|key| ["cert.pem", "fullchain.pem", "request.pem"].map(|name| key.with_file_name(name)));
    let new = public.filter(|path| whole.contains_key(path) && whole.get(path) != least.get(path));
    new.map(|path| format!("{} has its name before that of its key is durable", path.display())).collect()
}

/// What a power cut would take away now.
fn lost(model: &Model) -> Vec<String> {
    let (least, whole) = (model.least(), model.tree());
    let (kept, wanted) = (visible(&least), visible(&whole));
    let paths: BTreeSet<&PathBuf> = kept.keys().chain(wanted.keys()).collect();
    let different = paths.into_iter().filter(|path| kept.get(*path) != wanted.get(*path));
    let mut lost: Vec<String> =
        different.map(|path| format!("{} is reported and not durable", path.display())).collect();
    let heads = |tree: &Tree| {
        let named = indexes(tree).into_iter().filter(|(path, _)| !hidden(path));
        named.map(|(path, index)| (path, index.head)).collect::<BTreeMap<_, _>>()
    };
    if heads(&least) != heads(&whole) {
        lost.push("the last events of the index are reported and not durable".to_owned());
    }
    lost
}

/// Certificates that are there, and in no index that survives a power cut.
fn unrecorded(files: &BTreeMap<PathBuf, Vec<u8>>, least: &Tree) -> Vec<String> {
    if files.is_empty() {
        return Vec::new();
    }
    let known: BTreeSet<String> = indexes(least).into_values().flat_map(|index| index.serials).collect();
    let there = files.iter().flat_map(|(path, content)| {
        let certificates = pair::certificates(content).unwrap_or_default();
        certificates.into_iter().map(move |certificate| (path, certificate.serial.to_string()))
    });
    let unknown = there.filter(|(_, serial)| !known.contains(serial));
    unknown.map(|(path, serial)| format!("{} has {serial} before its record is durable", path.display())).collect()
}

/// What an index has.
struct Content {
    head: Option<[u8; 32]>,
    serials: Vec<String>,
}

/// Every index of a tree; those that are being made have a hidden name, and are left out as long as they cannot be opened.
fn indexes(tree: &Tree) -> BTreeMap<PathBuf, Content> {
    let place = Place::in_memory();
    let files = tree.iter().filter(|(path, content)| content.is_none() || is_index(path));
    power::put(&files.map(|(path, content)| (path.clone(), content.clone())).collect(), &place.path(""));
    let content = |path: &PathBuf| -> Result<Content, IndexError> {
        let index = Index::open_to_read(&place.path(path))?;
        let filter = Filter { limit: Some(1000), ..Filter::default() };
        let (entries, _) = index.query(&filter, OffsetDateTime::now_utc())?;
        let serials = entries.iter().map(|entry| entry.serial.to_string()).collect();
        Ok(Content { head: index.log_head()?.map(|head| head.hash), serials })
    };
    let found = tree.iter().filter(|(path, content)| content.is_some() && path.ends_with("index.db"));
    let opened = found.map(|(path, _)| (path, content(path))).filter(|(path, opened)| opened.is_ok() || !hidden(path));
    opened.map(|(path, opened)| (path.clone(), opened.unwrap())).collect()
}

fn is_index(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("index.db"))
}

/// What users see, without the indexes.
fn visible(tree: &Tree) -> Tree {
    let seen = tree.iter().filter(|(path, _)| !hidden(path) && !is_index(path));
    seen.map(|(path, content)| (path.clone(), content.clone())).collect()
}

fn certificate_files(tree: &Tree) -> BTreeMap<PathBuf, Vec<u8>> {
    let names = ["cert.pem", "fullchain.pem", "chain.pem"];
    let files = tree.iter().filter(|(path, _)| names.iter().any(|name| path.ends_with(name)) && !hidden(path));
    files.filter_map(|(path, content)| Some((path.clone(), content.clone()?))).collect()
}
