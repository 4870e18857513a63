//! Many certificates at once, in one transaction and with shared syncs: a run that is killed, or whose disk is full or broken, at any
//! moment leaves what the next one completes. No certificate is anywhere that the index does not know, no pair is mixed, no older
//! key is lost.

use std::fs;

use crate::safety::{INIT, everything_below, is_hidden, listed, named, told};
use crate::support::fault::{self, Disk, Fault, Moment};
use crate::support::pair::{self, FILES};
use crate::support::program::{Place, succeeded};

/// So many folders share one sync of their file system; fewer are synced file by file.
const NAMES: usize = 9;
const APPLY: &str = "--dir ca apply fleet.toml --jobs 1";
const RENEW: &str = "--dir ca renew --all --yes --jobs 1";
const RENEW_DUE: &str = "--dir ca renew --due --within 365d --jobs 1";

#[test]
fn a_killed_run_for_new_names_is_completed_by_the_next_one() {
    struck(Fault::Kill, APPLY, declared, &[APPLY]);
}

#[test]
fn a_run_for_new_names_on_a_full_disk_is_completed_by_the_next_one() {
    struck(Fault::NoSpace, APPLY, declared, &[APPLY]);
}

#[test]
fn a_run_for_new_names_on_a_broken_disk_is_completed_by_the_next_one() {
    struck(Fault::DiskError, APPLY, declared, &[APPLY]);
}

#[test]
fn a_killed_renewal_of_many_is_completed_by_the_next_one() {
    struck(Fault::Kill, RENEW_DUE, issued, &[RENEW_DUE, APPLY]);
}

#[test]
fn a_renewal_of_many_on_a_full_or_broken_disk_is_completed_by_the_next_one() {
    struck(Fault::NoSpace, RENEW_DUE, issued, &[RENEW_DUE, APPLY]);
    struck(Fault::DiskError, RENEW, issued, &[RENEW, APPLY]);
}

/// A CA, and a manifest that declares certificates that it does not have.
fn declared() -> Place {
    let place = Place::new();
    place.done(INIT);
    let table = format!("[[certificate]]\ntemplate = \"server\"\nname = \"n{{{{ n }}}}.example\"\ncount = {NAMES}\n");
    fs::write(place.path("fleet.toml"), table).unwrap();
    place
}

/// The same, with the certificates.
fn issued() -> Place {
    let place = declared();
    place.done(APPLY);
    place
}

/// Of calls that are alike for each certificate, one in five is struck; of the others, each.
fn sampled(moments: Vec<Moment>) -> Vec<Moment> {
    let is_for_each = |moment: &Moment| ["openat", "write", "fchmod", "mkdirat", "renameat2"].contains(&moment.call);
    let mut count = 0;
    let mut is_wanted = |moment: &Moment| {
        count += usize::from(is_for_each(moment));
        !is_for_each(moment) || count % 5 == 1
    };
    moments.into_iter().filter(|moment| is_wanted(moment)).collect()
}

/// `next` are the commands that complete it. The copies of the CA are elsewhere, so that another `ca apply` records their manifest.
fn struck(fault: Fault, words: &str, begin: impl Fn() -> Place, next: &[&str]) {
    if !fault::are_possible() {
        return;
    }
    let before = begin();
    let copy = || {
        let copied = Place::new();
        for path in ["ca", "fleet.toml"] {
            let mut copy = copied.command("cp");
            succeeded("cp", &copy.arg("-a").arg(before.path(path)).arg(copied.path(path)).output().unwrap());
        }
        copied
    };
    let older = keys(&before);
    let moments = fault::moments(&copy(), words, Disk::Any);
    assert!(moments.iter().any(|moment| moment.call == "syncfs"), "the file system is synced as a whole");
    let mut problems = Vec::new();
    for moment in &sampled(moments) {
        let place = copy();
        let struck = fault::strike(&place, words, moment, fault, Disk::Any);
        if let Err(problem) = left(&place, &older).and_then(|()| completed(&place, next)) {
            problems.push(format!("{fault:?} at {}: {problem}\n{}", named(moment), told(&struck)));
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

/// The content of every private key of a leaf that is not under construction.
fn keys(place: &Place) -> Vec<Vec<u8>> {
    let files = everything_below(&place.path("ca/issued")).into_iter().filter(|path| path.ends_with("key.pem"));
    files.map(|path| fs::read(path).unwrap()).collect()
}

/// Checks what a run left that did not end: every folder under its name has matching files that the index knows, and the older keys
/// are there.
fn left(place: &Place, older: &[Vec<u8>]) -> Result<(), String> {
    let known = listed(place);
    for number in 1..=NAMES {
        let folder = place.path(format!("ca/issued/n{number}.example"));
        if folder.exists() {
            let serial = pair::in_folder(&folder, &FILES)?;
            if !known.contains(&serial) {
                return Err(format!("{serial} is in its folder and not in the index"));
            }
        }
    }
    let kept = keys(place);
    match older.iter().all(|key| kept.contains(key)) {
        true => Ok(()),
        false => Err("an older key is lost".to_owned()),
    }
}

/// Checks that the next run has certificates in all folders, and that nothing is left over.
fn completed(place: &Place, next: &[&str]) -> Result<(), String> {
    for words in next {
        let again = place.ca(words).output().unwrap();
        if !again.status.success() {
            return Err(format!("the next run: {}", told(&again)));
        }
    }
    left(place, &[])?;
    let missing = (1..=NAMES).find(|number| !place.path(format!("ca/issued/n{number}.example")).exists());
    if let Some(number) = missing {
        return Err(format!("n{number}.example has no files"));
    }
    let plan = place.ca(&format!("{APPLY} --plan")).output().unwrap();
    if !plan.status.success() {
        return Err(format!("the plan after the next run: {}", told(&plan)));
    }
    let audit = place.ca("--dir ca audit").output().unwrap();
    if !audit.status.success() {
        return Err(format!("the audit: {}", told(&audit)));
    }
    let hidden = everything_below(&place.path("ca")).into_iter().filter(|path| is_hidden(path));
    let left: Vec<_> = hidden.filter(|path| !path.ends_with(".generations")).collect();
    if left.is_empty() { Ok(()) } else { Err(format!("left over: {left:?}")) }
}
