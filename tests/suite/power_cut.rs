//! The power goes: at every moment of a run, with everything that a disk may then have kept and lost.
//!
//! The system calls of one run are recorded and played on a model disk (`support/power.rs`). After each call the model says
//! what can have survived; each survival is laid out in a folder, and looked at:
//!
//! - Once the report is printed, everything is there: key, certificate, chain and record.
//! - Before, no certificate is anywhere that the surviving index does not know, no pair in place that does not match, and
//!   the same command again works.
//!
//! Then the same with syncs left out, one after the other: a test that stays green then would prove nothing.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use ca::store::index::{Filter, Index};
use ca::x509::digest;
use serde_json::Value;
use time::OffsetDateTime;

use crate::safety::told;
use crate::support::fault::{self, Disk};
use crate::support::pair::{self, FILES, OF_AN_AUTHORITY};
use crate::support::power::{self, Model, Tree};
use crate::support::program::Place;
use crate::support::trace::{self, Call};

/// The digest of a survival, and whether the report was out by then.
type Seen = ([u8; 32], bool);

/// One command on one state of a CA.
struct Run {
    words: &'static str,
    /// The folder that the command fills, and the files that it is to hold then.
    folder: &'static str,
    files: &'static [&'static str],
    top: PathBuf,
    /// What was there before.
    before: Tree,
    /// What the index knew before.
    earlier: BTreeSet<String>,
    calls: Vec<Call>,
    /// What is there after it, and what is listed then.
    after: Tree,
    list: Value,
    /// What was found about a survival: the same ones come again and again.
    seen: RefCell<BTreeMap<Seen, Result<(), String>>>,
}

#[test]
fn an_init_survives_a_power_cut_once_it_has_reported() {
    let needed: &[&[&str]] = &[
        &[""],
        &["ca/.staged/authorities/root/key.pem"],
        &["ca/.staged/authorities/root/cert.pem"],
        &["ca/.staged/authorities/issuing/key.pem"],
        &["ca/.staged/authorities/issuing/cert.pem"],
        &["ca/.staged/ca.toml"],
        &["ca/.staged/index.db"],
        &["ca/authorities/issuing"],
        &["ca/authorities/root"],
        &["ca/authorities"],
        &["ca"],
    ];
    check(Run::record(INIT, "ca/authorities/issuing", &OF_AN_AUTHORITY, Disk::Any, |_| {}), needed);
}

#[test]
fn an_issue_survives_a_power_cut_once_it_has_reported() {
    let needed: &[&[&str]] = &[
        &["ca/index.db-wal"],
        &["ca"],
        &["ca/.staged/key.pem"],
        &["ca/.staged/cert.pem"],
        &["ca/.staged/chain.pem"],
        &["ca/.staged/fullchain.pem"],
        &["ca/.staged"],
        &["ca/issued"],
    ];
    check(Run::record(ISSUE, WEB, &FILES, Disk::Any, |place| drop(place.done(INIT))), needed);
}

#[test]
fn an_issue_that_folds_the_log_survives_a_power_cut_once_it_has_reported() {
    let prepare = |place: &Place| {
        place.done(INIT);
        let log = place.path("ca/index.db-wal");
        // 100 pages of 4 KiB and their headers: the next certificate, of about eight pages, makes the log longer than that. The
        // last pages are filled with smaller changes, so that none of these passes the limit.
        let is_shorter = |pages: u64| std::fs::metadata(&log).map_or(0, |log| log.len()) < pages * 4120;
        for number in (0..).take_while(|_| is_shorter(80)) {
            place.done(&format!("--dir ca issue client n{number}"));
        }
        for number in (0..).take_while(|_| is_shorter(93)) {
            place.done(&format!("--dir ca revoke n{number}"));
        }
    };
    check(Run::record(ISSUE, WEB, &FILES, Disk::Any, prepare), &[&["ca/index.db", "ca/index.db-wal"]]);
}

#[test]
fn an_issue_into_a_folder_of_the_user_survives_a_power_cut_once_it_has_reported() {
    let prepare = |place: &Place| {
        place.done(INIT);
        std::fs::create_dir(place.path("out")).unwrap();
        std::fs::write(place.path("out/server.conf"), "mine").unwrap();
    };
    let run = Run::record("--dir ca issue server web.example --out out", "out", &FILES, Disk::Any, prepare);
    check(run, &[&["out"], &["out/.staged"]]);
}

#[test]
fn a_renewal_survives_a_power_cut_once_it_has_reported() {
    check(Run::record("--dir ca renew web.example", WEB, &FILES, Disk::Any, issued), &[&["ca/.staged/key.pem"]]);
}

#[test]
fn a_rekeying_survives_a_power_cut_once_it_has_reported() {
    let needed: &[&[&str]] = &[
        &["ca/index.db-wal"],
        &["ca/.staged/key.pem"],
        &["ca/.staged/cert.pem"],
        &["ca/.staged/chain.pem"],
        &["ca/.staged/fullchain.pem"],
        &["ca/.staged"],
        &["ca/issued/.generations"],
        // Either of them would do: the exchange is one step.
        &["ca/issued", "ca/issued/.generations/web.example"],
    ];
    check(Run::record(REKEY, WEB, &FILES, Disk::Any, issued), needed);
}

#[test]
fn a_rekeying_where_names_cannot_be_exchanged_survives_a_power_cut_once_it_has_reported() {
    let needed: &[&[&str]] = &[&["ca/issued", "ca/issued/.generations/web.example"]];
    check(Run::record(REKEY, WEB, &FILES, Disk::WithoutFlags("EINVAL"), issued), needed);
}

#[test]
fn a_rollback_survives_a_power_cut_once_it_has_reported() {
    let needed: &[&[&str]] = &[&["ca/index.db-wal"], &["ca/issued", "ca/issued/.generations/web.example"]];
    check(Run::record("--dir ca rollback web.example", WEB, &FILES, Disk::Any, rekeyed), needed);
}

#[test]
fn a_rollback_into_an_empty_place_survives_a_power_cut_once_it_has_reported() {
    let emptied = |place: &Place| {
        rekeyed(place);
        std::fs::remove_dir_all(place.path(WEB)).unwrap();
    };
    // Either of them would do: a rename is one step. `syncs.rs` asks for both.
    let needed: &[&[&str]] = &[&["ca/issued", "ca/issued/.generations/web.example"]];
    check(Run::record("--dir ca rollback web.example", WEB, &FILES, Disk::Any, emptied), needed);
}

#[test]
fn files_that_a_dead_run_left_aside_survive_a_power_cut_once_they_are_reported_in_place() {
    // As between two renames, where names cannot be exchanged.
    let aside = |place: &Place| {
        issued(place);
        let serial = pair::in_folder(&place.path(WEB), &FILES).unwrap();
        let generations = place.path("ca/issued/.generations/web.example");
        std::fs::create_dir_all(&generations).unwrap();
        std::fs::rename(place.path(WEB), generations.join(serial)).unwrap();
    };
    // Either of them would do: a rename is one step.
    let needed: &[&[&str]] = &[&["ca/issued", "ca/issued/.generations/web.example"]];
    check(Run::record("--dir ca issue server web.example --if-due", WEB, &FILES, Disk::Any, aside), needed);
}

#[test]
fn a_revocation_survives_a_power_cut_once_it_has_reported() {
    check(Run::record("--dir ca revoke web.example", WEB, &FILES, Disk::Any, issued), &[&["ca/index.db-wal"]]);
}

#[test]
fn a_revocation_list_survives_a_power_cut_once_it_has_reported() {
    let needed: &[&[&str]] = &[&["ca/index.db-wal"], &["ca/authorities/issuing/.staged"], &["ca/authorities/issuing"]];
    let listed = |place: &Place| {
        issued(place);
        place.done("--dir ca crl");
        place.done("--dir ca revoke web.example");
    };
    check(Run::record("--dir ca crl", "ca/authorities/issuing", &OF_AN_AUTHORITY, Disk::Any, listed), needed);
}

#[test]
fn the_renewal_of_a_root_survives_a_power_cut_once_it_has_reported() {
    let needed: &[&[&str]] = &[&["ca/index.db-wal"], &["ca/authorities/root/.staged"], &["ca/authorities/root"]];
    check(Run::record("--dir ca root renew", "ca/authorities/root", &OF_AN_AUTHORITY, Disk::Any, issued), needed);
}

#[test]
fn the_begin_of_a_rotation_survives_a_power_cut_once_it_has_reported() {
    let needed: &[&[&str]] = &[
        &["ca/index.db-wal"],
        &["ca/.staged/key.pem"],
        &["ca/.staged/cert.pem"],
        &["ca/.staged"],
        &["ca/authorities"],
    ];
    check(Run::record(START, "ca/authorities/root-g2", &OF_AN_AUTHORITY, Disk::Any, issued), needed);
}

#[test]
fn the_end_of_a_rotation_survives_a_power_cut_once_it_has_reported() {
    let begun = |place: &Place| {
        issued(place);
        place.done(START);
        place.done("--dir ca renew web.example");
    };
    let words = "--dir ca root rotate finish";
    check(
        Run::record(words, "ca/authorities/root-g2", &OF_AN_AUTHORITY, Disk::Any, begun),
        &[&["ca/retired", "ca/authorities"]],
    );
}

fn rekeyed(place: &Place) {
    issued(place);
    place.done(REKEY);
}

const START: &str = "--dir ca root rotate start";

fn issued(place: &Place) {
    place.done(INIT);
    place.done(ISSUE);
}

/// With an intermediate, so that chains are not empty.
const INIT: &str = "--dir ca init --name Root --key ecdsa-p256 --intermediate --no-passphrase";
const ISSUE: &str = "--dir ca issue server web.example";
const REKEY: &str = "--dir ca rekey web.example";
const WEB: &str = "ca/issued/web.example";

/// Looks at every survival of a run; then leaves out the syncs of each of these groups of files and folders, without which
/// something has to be lost.
fn check(run: Option<Run>, needed: &[&[&str]]) {
    // A named skip.
    let Some(run) = run else { return };
    let problems = run.problems(&[], usize::MAX);
    assert!(problems.is_empty(), "{} survivals of {}:\n{}", problems.len(), run.words, problems.join("\n"));
    let names = run.syncs();
    for group in needed {
        let numbered = (1..).zip(&names).filter(|(_, name)| group.contains(&name.as_str()));
        let omitted: Vec<usize> = numbered.map(|(number, _)| number).collect();
        assert!(omitted.len() >= group.len(), "{}: {group:?} is not synced, but {names:#?}", run.words);
        assert_ne!(
            run.problems(&omitted, 1),
            Vec::<String>::new(),
            "{}: nothing is lost without syncing {group:?}",
            run.words
        );
    }
}

impl Run {
    fn record(
        words: &'static str,
        folder: &'static str,
        files: &'static [&'static str],
        disk: Disk,
        prepare: impl Fn(&Place),
    ) -> Option<Self> {
        if !fault::are_possible() {
            return None;
        }
        let place = Place::new();
        prepare(&place);
        let top = std::fs::canonicalize(place.path("")).unwrap();
        let before = power::tree_below(&top);
        let earlier = if before.is_empty() { BTreeSet::new() } else { known(&place).unwrap() };
        let calls = trace::record(&place, words, disk);
        let after = power::tree_below(&top);
        let list = list(&place).unwrap();
        Some(Self { words, folder, files, top, before, earlier, calls, after, list, seen: RefCell::default() })
    }

    /// What is wrong with the survivals of this run, if this one of its syncs is left out; at most so many problems.
    fn problems(&self, omitted: &[usize], most: usize) -> Vec<String> {
        let mut problems = Vec::new();
        // What has been reported is looked at first: that is where most syncs are missed.
        for wanted in [true, false] {
            let mut model = Model::of(&self.before, &self.top, omitted);
            let mut reported = false;
            for (number, call) in self.calls.iter().enumerate() {
                reported |= call.name == "write" && call.word(0) == "1";
                if !(model.make(call) || reported && call.name == "write") || reported != wanted {
                    continue;
                }
                for tree in model.survivals(number as u64) {
                    if let Err(problem) = self.look(&tree, reported) {
                        problems.push(format!("after {} #{number}: {problem}", call.name));
                        if problems.len() >= most {
                            return problems;
                        }
                    }
                }
            }
            assert!(reported && model.tree() == self.after, "the model does not end where the disk does");
        }
        problems
    }

    /// The names of what was synced, in the order of the syncs.
    fn syncs(&self) -> Vec<String> {
        let mut model = Model::of(&self.before, &self.top, &[]);
        let mut names = Vec::new();
        for call in &self.calls {
            model.make(call);
            if model.syncs() > names.len() {
                names.push(without_chance(&model.name_of(call.number(0))));
            }
        }
        names
    }

    fn look(&self, tree: &Tree, reported: bool) -> Result<(), String> {
        let key = (digest_of(tree), reported);
        if let Some(verdict) = self.seen.borrow().get(&key) {
            return verdict.clone();
        }
        let place = Place::in_memory();
        power::put(tree, &place.path(""));
        let verdict =
            if reported { self.everything_is_there(tree, &place) } else { self.nothing_is_wrong(tree, &place) };
        self.seen.borrow_mut().insert(key, verdict.clone());
        verdict
    }

    fn everything_is_there(&self, tree: &Tree, place: &Place) -> Result<(), String> {
        let is_kept = |path: &&PathBuf| !hidden(path) && !path.to_string_lossy().contains("index.db");
        for path in self.after.keys().filter(is_kept) {
            ok(tree.get(path) == self.after.get(path), || format!("{} is lost", path.display()))?;
        }
        let mut listed = list(place)?;
        // The index names a folder of `--out` by its absolute path, which is another one in this copy, so that the files of
        // this one certificate are not found. They were compared above.
        let mut expected = self.list.clone();
        if self.words.contains("--out") {
            for list in [&mut listed, &mut expected] {
                for certificate in list["certificates"].as_array_mut().into_iter().flatten() {
                    if certificate["name"] == "web.example" {
                        certificate["files"] = Value::Null;
                        if certificate["status"] == "not-delivered" {
                            certificate["status"] = "valid".into();
                            certificate["deployed"] = true.into();
                        }
                    }
                }
            }
        }
        ok(listed == expected, || format!("listed is {listed}"))?;
        known(place).map(drop)
    }

    fn nothing_is_wrong(&self, tree: &Tree, place: &Place) -> Result<(), String> {
        let is_ca = place.path("ca/ca.toml").is_file();
        if is_ca {
            let known = known(place)?;
            ok(self.earlier.is_subset(&known), || "earlier records are lost".to_owned())?;
            for serial in certificates(tree) {
                ok(known.contains(&serial), || format!("the certificate {serial} is there and not recorded"))?;
            }
            for (folder, files) in folders_in_place(place) {
                pair::in_folder(&folder, files).map_err(|problem| format!("{}: {problem}", folder.display()))?;
            }
        }
        self.no_key_is_lost(place)?;
        let again = place.ca(self.words).output().unwrap();
        match again.status.code() {
            Some(0) => {}
            // It says that it is done: then it has to be.
            Some(3) if is_ca => return self.everything_is_there(tree, place),
            _ => return Err(format!("the same command again: {}", told(&again))),
        }
        let serial = pair::in_folder(&place.path(self.folder), self.files)
            .map_err(|problem| format!("after the same command again: {problem}"))?;
        let known = known(place)?;
        ok(known.contains(&serial), || "after the same command again its certificate is not recorded".to_owned())?;
        ok(self.earlier.is_subset(&known), || "the same command again lost records".to_owned())?;
        self.no_key_is_lost(place)
    }

    /// Every key that was in use is still there.
    fn no_key_is_lost(&self, place: &Place) -> Result<(), String> {
        let keys = |tree: &Tree| -> BTreeSet<Vec<u8>> {
            let keys = tree.iter().filter(|(path, _)| path.ends_with("key.pem") && !hidden(path));
            keys.filter_map(|(_, content)| content.clone()).collect()
        };
        let there = keys(&power::tree_below(&place.path("")));
        ok(keys(&self.before).is_subset(&there), || "a key that was in use is lost".to_owned())
    }
}

pub fn ok(holds: bool, problem: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(problem()) }
}

/// A name without the part that is another in every run.
pub fn without_chance(name: &str) -> String {
    let parts = name.split('/').map(|part| if part.starts_with(".staged-") { ".staged" } else { part });
    parts.collect::<Vec<_>>().join("/")
}

/// What nobody looks at: work in progress.
pub fn hidden(path: &Path) -> bool {
    path.iter().any(|name| name.to_string_lossy().starts_with(".staged-"))
}

/// The serial numbers in the index, which has to be sound.
fn known(place: &Place) -> Result<BTreeSet<String>, String> {
    let index = Index::open_to_read(&place.path("ca/index.db")).map_err(|error| error.to_string())?;
    let damage = index.check().map_err(|error| error.to_string())?;
    ok(damage.is_empty(), || format!("the index is damaged: {damage:?}"))?;
    let filter = Filter { limit: Some(1000), ..Filter::default() };
    let (entries, _) = index.query(&filter, OffsetDateTime::now_utc()).map_err(|error| error.to_string())?;
    Ok(entries.iter().map(|entry| entry.serial.to_string()).collect())
}

fn list(place: &Place) -> Result<Value, String> {
    let output = place.ca("--dir ca list --limit 1000 --json").output().unwrap();
    ok(output.status.success(), || format!("ca list: {}", told(&output)))?;
    let text = String::from_utf8(output.stdout).unwrap();
    // The copy is another folder, and it is listed at another second.
    let mut listed: Value = serde_json::from_str(&text.replace(place.path("").to_str().unwrap(), "/copy/")).unwrap();
    for certificate in listed["certificates"].as_array_mut().into_iter().flatten() {
        certificate.as_object_mut().unwrap().remove("expires_in_seconds");
    }
    Ok(listed)
}

/// The serial numbers of all certificates that can be read, wherever they are. The last of a file may be cut off.
fn certificates(tree: &Tree) -> BTreeSet<String> {
    let files = tree.iter().filter(|(path, _)| path.extension().is_some_and(|extension| extension == "pem"));
    let found = files.filter_map(|(_, content)| pair::certificates(content.as_ref()?).ok());
    found.flatten().map(|certificate| certificate.serial.to_string()).collect()
}

/// The folders whose files people use, and what has to be in them.
fn folders_in_place(place: &Place) -> Vec<(PathBuf, &'static [&'static str])> {
    let below = |folder: PathBuf| -> Vec<PathBuf> {
        let entries = std::fs::read_dir(folder).into_iter().flatten();
        entries.map(|entry| entry.unwrap().path()).filter(|path| !path.ends_with(".generations")).collect()
    };
    let generations = below(place.path("ca/issued/.generations")).into_iter().flat_map(below);
    let issued = below(place.path("ca/issued")).into_iter().chain(generations).map(|folder| (folder, &FILES[..]));
    let authorities = below(place.path("ca/authorities")).into_iter().map(|folder| (folder, &OF_AN_AUTHORITY[..]));
    issued.chain(authorities).collect()
}

pub fn digest_of(tree: &Tree) -> [u8; 32] {
    let mut summary = Vec::new();
    for (path, content) in tree {
        summary.extend(path.as_os_str().as_encoded_bytes());
        summary.push(0);
        summary.extend(content.as_ref().map(|content| digest::sha256(content)).unwrap_or_default());
    }
    digest::sha256(&summary)
}
