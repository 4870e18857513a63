//! `ca backup` and `ca restore`, struck at any moment and beside other commands: a backup that was reported can be restored,
//! and what is not whole has no name.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::{Output, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};

use crate::safety::{INIT, everything_below, listed, named, told};
use crate::support::fault::{self, Disk, Fault};
use crate::support::pair::{self, FILES, OF_AN_AUTHORITY};
use crate::support::program::Place;

/// A key pair of the age format that is used nowhere else.
const RECIPIENT: &str = "age12jzraqktl6q5kc302g03gu8gaz0q4j8tdl4lmv72t24v3m39gufqya6t03";
const IDENTITY: &str = "AGE-SECRET-KEY-13C5W825SXQNN2R7UK97P57HAWPMEFUXTPKKKZGG9WPNCH2EXM32QXR5LXU\n";

pub const RESTORE: &str = "restore one.age restored --identity identity";

pub fn backup(file: &str) -> String {
    format!("--dir ca backup {file} --recipient {RECIPIENT}")
}

/// A CA with two certificates, and a backup of it.
pub fn begin() -> Place {
    let place = Place::new();
    place.done(INIT);
    place.done("--dir ca issue client alice");
    place.done("--dir ca issue client bob");
    fs::write(place.path("identity"), IDENTITY).unwrap();
    place.done(&backup("one.age"));
    place
}

#[test]
fn a_backup_killed_at_any_moment_leaves_no_file_and_is_simply_run_again() {
    backup_struck(Fault::Kill, "new.age", "");
    backup_struck(Fault::Kill, "one.age", " --force");
}

#[test]
fn a_backup_on_a_full_or_broken_disk_never_pretends() {
    backup_struck(Fault::NoSpace, "new.age", "");
    backup_struck(Fault::DiskError, "one.age", " --force");
}

fn backup_struck(fault: Fault, file: &str, force: &str) {
    if !fault::are_possible() {
        return;
    }
    let words = backup(file) + force;
    let place = begin();
    let moments = fault::moments(&place, &words, Disk::Any);
    if force.is_empty() {
        fs::remove_file(place.path(file)).unwrap();
    }
    let before = listed(&place);
    let mut problems = Vec::new();
    for moment in moments {
        let struck = fault::strike(&place, &words, &moment, fault, Disk::Any);
        let ok = |holds: bool, problem: &str| if holds { Ok(()) } else { Err(problem.to_owned()) };
        let aftermath = || {
            check_status(&struck, fault)?;
            let is_there = place.path(file).exists();
            let must_be_there = struck.status.success() || !force.is_empty();
            ok(is_there || !must_be_there, "the backup is not there")?;
            ok(!is_there || is_good(&place, file), "there is a backup that cannot be restored")?;
            // Only the last sync can fail after the file has its name.
            let again = place.ca(&words).output().unwrap();
            ok(again.status.success() || is_there && force.is_empty(), &format!("again: {}", told(&again)))?;
            ok(is_good(&place, file), "the second backup cannot be restored")?;
            ok(listed(&place) == before, "the index has changed")?;
            ok(unfinished(&place).is_empty(), &format!("left over: {:?}", unfinished(&place)))
        };
        if let Err(problem) = aftermath() {
            problems.push(format!("{fault:?} at {}: {problem}\n{}", named(&moment), told(&struck)));
        }
        if force.is_empty() {
            fs::remove_file(place.path(file)).ok();
        }
    }
    assert!(problems.is_empty(), "{} moments:\n{}", problems.len(), problems.join("\n"));
}

#[test]
fn a_restore_killed_at_any_moment_leaves_no_ca_and_is_simply_run_again() {
    restore_struck(Fault::Kill);
}

#[test]
fn a_restore_on_a_full_or_broken_disk_never_pretends() {
    restore_struck(Fault::NoSpace);
    restore_struck(Fault::DiskError);
}

fn restore_struck(fault: Fault) {
    if !fault::are_possible() {
        return;
    }
    let place = begin();
    let known = listed(&place);
    let moments = fault::moments(&place, RESTORE, Disk::Any);
    let restored = place.path("restored");
    let mut problems = Vec::new();
    for moment in moments {
        fs::remove_dir_all(&restored).ok();
        let struck = fault::strike(&place, RESTORE, &moment, fault, Disk::Any);
        let ok = |holds: bool, problem: &str| if holds { Ok(()) } else { Err(problem.to_owned()) };
        let aftermath = || {
            check_status(&struck, fault)?;
            ok(!told(&struck).contains("damaged"), "the disk failed, and the backup is called damaged")?;
            ok(restored.exists() || !struck.status.success(), "exit status 0, but no CA is there")?;
            if restored.exists() {
                is_restored(&place, "restored", &known)?;
            }
            for unfinished in unfinished(&place) {
                let is_ca = Path::new(&unfinished).join("ca.toml").exists();
                ok(!is_ca || is_restored(&place, &unfinished, &known).is_ok(), "a part of a CA looks like one")?;
            }
            fs::remove_dir_all(&restored).ok();
            let again = place.ca(RESTORE).output().unwrap();
            ok(again.status.success(), &format!("again: {}", told(&again)))?;
            is_restored(&place, "restored", &known)?;
            ok(unfinished(&place).is_empty(), &format!("left over: {:?}", unfinished(&place)))
        };
        if let Err(problem) = aftermath() {
            problems.push(format!("{fault:?} at {}: {problem}\n{}", named(&moment), told(&struck)));
        }
    }
    assert!(problems.is_empty(), "{} moments:\n{}", problems.len(), problems.join("\n"));
}

/// Other commands wait for a backup, and a backup for them: what it has of one certificate, it has whole.
#[test]
fn every_backup_beside_commands_that_change_the_ca_is_one_state_of_it() {
    let place = begin();
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for worker in 0..2 {
            let (place, stop) = (&place, &stop);
            scope.spawn(move || {
                for number in 0.. {
                    if stop.load(Ordering::Relaxed) {
                        break;
                    }
                    place.done(&format!("--dir ca issue client n{worker}-{number}"));
                    place.done("--dir ca rekey alice");
                }
            });
        }
        let backups: Vec<_> = (0..20)
            .map(|number| {
                let file = format!("{number}.age");
                place.done(&backup(&file));
                file
            })
            .collect();
        stop.store(true, Ordering::Relaxed);
        let mut before = BTreeSet::new();
        for file in backups {
            assert!(is_good(&place, &file), "{file}");
            fs::remove_dir_all(place.path("restored")).ok();
            place.done(&format!("restore {file} restored --identity identity"));
            let known = of(&place, "restored");
            assert!(before.is_subset(&known), "{file} has less than the backup before it");
            is_restored(&place, "restored", &known).unwrap_or_else(|problem| panic!("{file}: {problem}"));
            before = known;
        }
    });
}

#[test]
fn of_restores_to_one_folder_at_once_one_wins() {
    let place = begin();
    let known = listed(&place);
    let restores: Vec<_> =
        (0..8).map(|_| place.ca(RESTORE).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()).collect();
    let ended: Vec<Output> = restores.into_iter().map(|restore| restore.wait_with_output().unwrap()).collect();
    let mut codes: Vec<_> = ended.iter().map(|output| output.status.code().unwrap_or(-1)).collect();
    codes.sort_unstable();
    assert_eq!(codes, [&[0][..], &[3; 7]].concat(), "{}", ended.iter().map(told).collect::<String>());
    is_restored(&place, "restored", &known).unwrap();
    assert_eq!(unfinished(&place), Vec::<String>::new());
}

fn check_status(struck: &Output, fault: Fault) -> Result<(), String> {
    match struck.status.code() {
        Some(0) => Ok(()),
        Some(2 | 3) if fault != Fault::Kill => Ok(()),
        _ if fault == Fault::Kill && fault::was_killed(struck) => Ok(()),
        _ => Err(format!("ended with {}", struck.status)),
    }
}

pub fn is_good(place: &Place, file: &str) -> bool {
    place.ca(&format!("backup test {file} --identity identity")).output().unwrap().status.success()
}

fn of(place: &Place, folder: &str) -> BTreeSet<String> {
    let list = place.done(&format!("--dir {folder} list --limit 10000 --json"));
    let list: serde_json::Value = serde_json::from_str(&list).unwrap();
    let serial = |entry: &serde_json::Value| entry["serial"].as_str().unwrap().to_owned();
    list["certificates"].as_array().unwrap().iter().map(serial).collect()
}

/// The folder has a whole CA with these certificates, and the files of each name that is deployed belong together.
pub fn is_restored(place: &Place, folder: &str, known: &BTreeSet<String>) -> Result<(), String> {
    if of(place, folder) != *known {
        return Err("the index is not that of the backup".to_owned());
    }
    pair::in_folder(&place.path(folder).join("authorities/root"), &OF_AN_AUTHORITY)?;
    for entry in fs::read_dir(place.path(folder).join("issued")).map_err(|error| error.to_string())? {
        let path = entry.unwrap().path();
        if !path.ends_with(".generations") {
            let serial = pair::in_folder(&path, &FILES).map_err(|error| format!("{}: {error}", path.display()))?;
            if !known.contains(&serial) {
                return Err(format!("{}: {serial} is not in the index", path.display()));
            }
        }
    }
    Ok(())
}

/// What an interrupted command could have left beside or in the CA.
fn unfinished(place: &Place) -> Vec<String> {
    let is_unfinished = |path: &Path| path.file_name().unwrap().to_string_lossy().starts_with(".staged-");
    let all = everything_below(&place.path(""));
    all.iter().filter(|path| is_unfinished(path)).map(|path| path.display().to_string()).collect()
}
