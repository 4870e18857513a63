//! `ca rollback`, and everything that exchanges files in a folder of the user's, struck at any moment: the same command again
//! is the repair, and no key that was ever in use is lost.

use std::collections::BTreeMap;
use std::fs;
use std::process::Output;

use crate::replacement::unfinished;
use crate::safety::{INIT, everything_below, named, told};
use crate::support::fault::{self, Disk, Fault};
use crate::support::pair::{self, FILES};
use crate::support::program::{Place, succeeded};

const ROLLBACK: &str = "--dir ca rollback web.example";
const REKEY: &str = "--dir ca rekey web.example";
const ISSUED: &str = "ca/issued/web.example";
const OUT: &str = "out";

#[test]
fn a_rollback_killed_at_any_moment_is_simply_run_again() {
    struck_at_every_moment(Fault::Kill, Disk::Any, ROLLBACK, ISSUED);
}

#[test]
fn a_rollback_killed_where_names_cannot_be_exchanged_is_simply_run_again() {
    struck_at_every_moment(Fault::Kill, Disk::WithoutFlags("EINVAL"), ROLLBACK, ISSUED);
}

#[test]
fn a_rollback_on_a_full_or_broken_disk_never_pretends() {
    struck_at_every_moment(Fault::NoSpace, Disk::Any, ROLLBACK, ISSUED);
    struck_at_every_moment(Fault::DiskError, Disk::Any, ROLLBACK, ISSUED);
}

#[test]
fn a_rollback_of_a_folder_with_files_of_others_killed_at_any_moment_is_simply_run_again() {
    struck_at_every_moment(Fault::Kill, Disk::Any, ROLLBACK, OUT);
}

#[test]
fn a_rekeying_in_a_folder_with_files_of_others_killed_at_any_moment_is_simply_run_again() {
    struck_at_every_moment(Fault::Kill, Disk::Any, REKEY, OUT);
}

#[test]
fn a_rekeying_in_a_folder_with_files_of_others_on_a_full_disk_never_pretends() {
    struck_at_every_moment(Fault::NoSpace, Disk::Any, REKEY, OUT);
}

/// A CA with two certificates of one name, brought back for each moment.
struct Before {
    place: Place,
    folder: &'static str,
    older: String,
    newer: String,
    /// The content of both key files by the serial number of their certificate.
    keys: BTreeMap<String, Vec<u8>>,
}

impl Before {
    fn new(folder: &'static str) -> Self {
        let place = Place::new();
        place.done(INIT);
        if folder == OUT {
            fs::create_dir(place.path(OUT)).unwrap();
            fs::write(place.path(OUT).join("nginx.conf"), "of somebody else").unwrap();
            place.done("--dir ca issue server web.example --out out");
        } else {
            place.done("--dir ca issue server web.example");
        }
        let mut keys = BTreeMap::new();
        let mut note = || {
            let serial = pair::in_folder(&place.path(folder), &FILES).unwrap();
            keys.insert(serial.clone(), fs::read(place.path(folder).join("key.pem")).unwrap());
            serial
        };
        let older = note();
        place.done(REKEY);
        let newer = note();
        let before = Self { older, newer, keys, place, folder };
        before.copy("", "kept");
        before
    }

    /// Brings everything back to what it was, under the same path: the index names the folder by it.
    fn restore(&self) {
        for name in ["ca", OUT].map(|name| self.place.path(name)) {
            fs::remove_dir_all(name).ok();
        }
        self.copy("kept", "");
    }

    fn copy(&self, from: &str, to: &str) {
        fs::create_dir_all(self.place.path(to)).unwrap();
        for name in ["ca", OUT].iter().filter(|name| self.place.path(from).join(name).exists()) {
            let mut copy = self.place.command("cp");
            copy.arg("-a").arg(self.place.path(from).join(name)).arg(self.place.path(to).join(name));
            succeeded("cp", &copy.output().unwrap());
        }
    }
}

fn struck_at_every_moment(fault: Fault, disk: Disk, words: &str, folder: &'static str) {
    if !fault::are_possible() {
        return;
    }
    let before = Before::new(folder);
    let moments = fault::moments(&before.place, words, disk);
    let replaces = |moment: &fault::Moment| disk == Disk::Any || moment.shown.contains(".generations");
    let first = moments.iter().position(replaces).unwrap_or(0);
    let mut problems = Vec::new();
    for moment in &moments[first..] {
        before.restore();
        let struck = fault::strike(&before.place, words, moment, fault, disk);
        if let Err(problem) = aftermath(&before, words, fault, disk, &struck) {
            problems.push(format!("{fault:?} at {}: {problem}\n{}", named(moment), told(&struck)));
        }
    }
    assert!(problems.is_empty(), "{} of {} moments:\n{}", problems.len(), moments.len(), problems.join("\n"));
}

fn aftermath(before: &Before, words: &str, fault: Fault, disk: Disk, struck: &Output) -> Result<(), String> {
    let ok = |holds: bool, problem: &str| if holds { Ok(()) } else { Err(problem.to_owned()) };
    let has_ended_well = struck.status.success();
    match struck.status.code() {
        Some(0) => {}
        Some(3) if fault != Fault::Kill => {}
        _ => ok(fault == Fault::Kill && fault::was_killed(struck), &format!("ended with {}", struck.status))?,
    }
    let place = &before.place;
    let folder = place.path(before.folder);
    let whole = || pair::in_folder(&folder, &FILES);
    // One by one, or between two renames, there is a moment when it is not whole.
    let may_be_torn = before.folder == OUT || disk != Disk::Any && !folder.exists();
    ok(may_be_torn || whole().is_ok(), &format!("in place: {:?}", whole()))?;
    ok(!has_ended_well || whole().is_ok(), "exit status 0, and not whole")?;
    let all_keys = || {
        let below = [place.path("ca/issued"), place.path(OUT)];
        let files = below.iter().flat_map(|folder| everything_below(folder)).filter(|path| path.ends_with("key.pem"));
        files.map(|path| fs::read(path).unwrap()).collect::<Vec<_>>()
    };
    for (serial, key) in &before.keys {
        ok(all_keys().contains(key), &format!("the key of {serial} is lost"))?;
    }

    let was = whole();
    let again = place.ca(words).output().unwrap();
    let now = whole().map_err(|problem| format!("after the second run: {problem}\n{}", told(&again)))?;
    if words == ROLLBACK {
        // It was killed behind its last step, or it reported: then there is nothing left to go back to.
        let was_done = was == Ok(before.older.clone()) && again.status.code() == Some(3);
        ok(again.status.success() || was_done, &format!("the same command again: {}\n{}", again.status, told(&again)))?;
        ok(now == before.older, "the older certificate is not in place")?;
        let history = place.done("--dir ca history web.example --json");
        ok(history.contains(&format!("\"in_place\": \"{now}\"")), &format!("the index thinks otherwise: {history}"))?;
        ok(!history.contains("\"done_at\": null"), &format!("a rollback is not ended: {history}"))?;
    } else {
        ok(again.status.success(), &format!("the same command again: {}\n{}", again.status, told(&again)))?;
        ok(now != before.newer && now != before.older, "the same command again made nothing new")?;
    }
    for (serial, key) in &before.keys {
        let kept = place.path(format!("ca/issued/.generations/web.example/{serial}"));
        if *serial != now {
            let found = pair::in_folder(&kept, &FILES);
            ok(found.as_ref() == Ok(serial), &format!("the generation {serial}: {found:?}"))?;
            ok(fs::read(kept.join("key.pem")).is_ok_and(|kept| kept == *key), "another key is kept")?;
        }
    }
    if before.folder == OUT {
        let other = fs::read_to_string(folder.join("nginx.conf"));
        ok(other.is_ok_and(|other| other == "of somebody else"), "a file of somebody else was touched")?;
    }
    let left: Vec<_> = [place.path("ca"), folder].iter().flat_map(|folder| unfinished(folder)).collect();
    ok(left.is_empty(), &format!("left over: {left:?}"))
}
