//! A certificate follows another of its name, and is struck on the way: one of the two is in place, the same command again
//! is the repair, and no key that was ever in use is lost.
//!
//! A renewal that failed lost the certificate elsewhere, left a new key beside the old certificate, or an empty file with which
//! nginx did not start (OpenVPN/easy-rsa#572, nginx/njs-acme#52, acmesh-official/acme.sh#6621, openssl/openssl#6544).

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use crate::safety::{INIT, everything_below, is_hidden, listed, named, told};
use crate::support::fault::{self, Disk, Fault};
use crate::support::pair::{self, FILES};
use crate::support::program::{Place, succeeded};

const RENEW: &str = "--dir ca renew web.example";
const REKEY: &str = "--dir ca rekey web.example";
const IF_DUE: &str = "--dir ca issue server web.example --if-due 90d";
const FOLDER: &str = "ca/issued/web.example";
const GENERATIONS: &str = "ca/issued/.generations/web.example";

#[test]
fn a_renewal_killed_at_any_moment_is_simply_run_again() {
    struck_at_every_moment(Fault::Kill, Disk::Any, RENEW);
}

#[test]
fn a_rekeying_killed_at_any_moment_is_simply_run_again() {
    struck_at_every_moment(Fault::Kill, Disk::Any, REKEY);
}

#[test]
fn what_is_due_and_killed_at_any_moment_is_simply_run_again() {
    struck_at_every_moment(Fault::Kill, Disk::Any, IF_DUE);
}

#[test]
fn a_rekeying_killed_where_names_cannot_be_exchanged_is_simply_run_again() {
    struck_at_every_moment(Fault::Kill, Disk::WithoutFlags("EINVAL"), REKEY);
}

#[test]
fn a_renewal_killed_where_names_cannot_be_exchanged_is_simply_run_again() {
    struck_at_every_moment(Fault::Kill, Disk::WithoutFlags("ENOSYS"), RENEW);
}

#[test]
fn a_rekeying_on_a_full_disk_never_pretends() {
    struck_at_every_moment(Fault::NoSpace, Disk::Any, REKEY);
}

#[test]
fn a_rekeying_on_a_broken_disk_never_pretends() {
    struck_at_every_moment(Fault::DiskError, Disk::Any, REKEY);
    struck_at_every_moment(Fault::DiskError, Disk::WithoutFlags("EINVAL"), REKEY);
}

#[test]
fn a_renewal_on_a_full_disk_never_pretends() {
    struck_at_every_moment(Fault::NoSpace, Disk::Any, RENEW);
}

#[test]
fn what_is_due_on_a_full_or_broken_disk_never_pretends() {
    struck_at_every_moment(Fault::NoSpace, Disk::Any, IF_DUE);
    struck_at_every_moment(Fault::DiskError, Disk::Any, IF_DUE);
}

#[test]
fn a_renewal_on_a_broken_disk_never_pretends() {
    struck_at_every_moment(Fault::DiskError, Disk::Any, RENEW);
}

/// A CA with one certificate, copied for each moment.
struct Before {
    place: Place,
    key: Vec<u8>,
    serial: String,
}

impl Before {
    fn new() -> Self {
        let place = Place::new();
        place.done(INIT);
        place.done("--dir ca issue server web.example");
        let key = fs::read(place.path(FOLDER).join("key.pem")).unwrap();
        let serial = pair::in_folder(&place.path(FOLDER), &FILES).unwrap();
        Self { place, key, serial }
    }

    fn copy(&self) -> Place {
        let place = Place::new();
        let mut copy = place.command("cp");
        succeeded("cp", &copy.arg("-a").arg(self.place.path("ca")).arg(place.path("ca")).output().unwrap());
        place
    }
}

fn struck_at_every_moment(fault: Fault, disk: Disk, words: &str) {
    if !fault::are_possible() {
        return;
    }
    let before = Before::new();
    let mut problems = Vec::new();
    let moments = fault::moments(&before.copy(), words, disk);
    // Where names cannot be exchanged, everything before the replacement is as elsewhere.
    let replaces = |moment: &fault::Moment| disk != Disk::Any && moment.shown.contains(".generations");
    let first = moments.iter().position(replaces).unwrap_or(0);
    for moment in &moments[first..] {
        let place = before.copy();
        let struck = fault::strike(&place, words, moment, fault, disk);
        if let Err(problem) = aftermath(&before, &place, words, fault, disk, &struck) {
            problems.push(format!("{fault:?} at {}: {problem}\n{}", named(moment), told(&struck)));
        }
    }
    assert!(problems.is_empty(), "{} of {} moments:\n{}", problems.len(), moments.len(), problems.join("\n"));
}

fn aftermath(
    before: &Before,
    place: &Place,
    words: &str,
    fault: Fault,
    disk: Disk,
    struck: &Output,
) -> Result<(), String> {
    let ok = |holds: bool, problem: &str| if holds { Ok(()) } else { Err(problem.to_owned()) };
    let folder = place.path(FOLDER);
    let has_ended_well = struck.status.success();
    match struck.status.code() {
        Some(0) => {}
        Some(3) if fault != Fault::Kill => {}
        _ => ok(fault == Fault::Kill && fault::was_killed(struck), &format!("ended with {}", struck.status))?,
    }
    // Between two renames there is nothing for a moment, and the older pair is whole where it is kept.
    let is_between = disk != Disk::Any && fault == Fault::Kill && !folder.exists();
    let in_place = pair::in_folder(&folder, &FILES);
    ok(is_between || in_place.is_ok(), &format!("in place: {in_place:?}"))?;
    ok(keys(place).any(|key| key == before.key), "the older key is lost")?;
    ok(!has_ended_well || in_place.is_ok_and(|serial| serial != before.serial), "exit status 0, but nothing is new")?;

    let again = place.ca(words).output().unwrap();
    ok(again.status.success(), &format!("the same command again: {}\n{}", again.status, told(&again)))?;
    let present = pair::in_folder(&folder, &FILES).map_err(|problem| format!("after the second run: {problem}"))?;
    ok(present != before.serial, "after the second run the older certificate is still in place")?;
    let kept = place.path(GENERATIONS).join(&before.serial).join("key.pem");
    ok(fs::read(kept).is_ok_and(|key| key == before.key), "the older key is not where it is to be kept")?;
    for generation in fs::read_dir(place.path(GENERATIONS)).unwrap().map(|entry| entry.unwrap().path()) {
        let name = generation.file_name().unwrap().to_string_lossy().into_owned();
        let found = pair::in_folder(&generation, &FILES);
        ok(found.as_ref() == Ok(&name), &format!("the generation {name}: {found:?}"))?;
    }
    let known = listed(place);
    ok(known.contains(&before.serial) && known.contains(&present), "the index does not know what is there")?;
    let left = unfinished(&place.path("ca"));
    ok(left.is_empty(), &format!("left over: {left:?}"))
}

/// The content of every key file that people are to find.
fn keys(place: &Place) -> impl Iterator<Item = Vec<u8>> {
    let files = everything_below(&place.path("ca/issued")).into_iter().filter(|path| path.ends_with("key.pem"));
    files.map(|path| fs::read(path).unwrap())
}

pub fn unfinished(folder: &Path) -> Vec<PathBuf> {
    everything_below(folder).into_iter().filter(|path| is_hidden(path) && !path.ends_with(".generations")).collect()
}
