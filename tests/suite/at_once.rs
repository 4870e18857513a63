//! Many commands on one CA at the same moment: each does its part, no pair is torn, and the index has every one of them.
//! Elsewhere such runs gave out serial numbers twice and left a broken index (OpenVPN/easy-rsa#1279, openssl/openssl#2867).

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Child, Output, Stdio};

use serde_json::Value;

use crate::replacement::unfinished;
use crate::safety::{INIT, listed, told};
use crate::support::pair::{self, FILES};
use crate::support::program::{Place, succeeded};

const GENERATIONS: &str = "ca/issued/.generations";

#[test]
fn forty_renewals_of_different_names_at_once_all_succeed() {
    let place = place_with(40);
    let before = listed(&place);
    let words = |number: usize| format!("--dir ca {} host-{number}.example --json", ["renew", "rekey"][number % 2]);
    let serials: BTreeSet<String> =
        at_once(&place, (0..40).map(words)).iter().map(|output| serial_of(&succeeded("renew", output))).collect();
    assert_eq!(serials.len(), 40, "serials are shared");
    assert!(serials.is_disjoint(&before), "a serial was given again");
    assert_eq!(listed(&place), &before | &serials, "the index is not what was there and what was made");
    let in_place: BTreeSet<String> = (0..40).map(|number| pair_of(&place, number)).collect();
    assert_eq!(in_place, serials);
    for number in 0..40 {
        assert_eq!(generations_of(&place, number).len(), 1);
    }
    assert_eq!(unfinished(&place.path("ca")), Vec::<std::path::PathBuf>::new());
}

#[test]
fn renewals_of_one_name_at_once_leave_one_pair_and_every_earlier_one() {
    let place = place_with(1);
    let before = listed(&place);
    let words = |number: usize| format!("--dir ca {} host-0.example --json", ["renew", "rekey"][number % 2]);
    let serials: BTreeSet<String> =
        at_once(&place, (0..12).map(words)).iter().map(|output| serial_of(&succeeded("renew", output))).collect();
    assert_eq!(serials.len(), 12);
    assert_eq!(listed(&place), &before | &serials);
    let kept: BTreeSet<String> = generations_of(&place, 0).into_iter().chain([pair_of(&place, 0)]).collect();
    assert_eq!(kept, listed_with_template(&place, "server"), "a generation is lost");
}

#[test]
fn issues_renewals_revocations_lists_and_looks_at_once_do_not_disturb_each_other() {
    let place = place_with(16);
    let before = listed(&place);
    let words = |number: usize| match number % 6 {
        0 => format!("--dir ca issue client user-{number} --json"),
        1 => format!("--dir ca renew host-{}.example --json", number / 6),
        2 => "--dir ca list --limit 10000 --json".to_owned(),
        3 => format!("--dir ca rekey host-{}.example --json", 8 + number / 6),
        4 => "--dir ca crl --json".to_owned(),
        _ => format!("--dir ca revoke host-{}.example --all --json", 8 + number / 6),
    };
    let mut made = BTreeSet::new();
    let mut numbers = Vec::new();
    for (number, output) in at_once(&place, (0..48).map(words)).iter().enumerate() {
        let said: Value = serde_json::from_str(&succeeded("at once", output)).unwrap();
        match number % 6 {
            0 | 1 | 3 => assert!(made.insert(said["serial"].as_str().unwrap().to_owned()), "a serial is shared"),
            2 => {
                // Whatever moment it saw, it saw whole records.
                let seen = said["certificates"].as_array().unwrap();
                assert_eq!(said["total"].as_u64().unwrap(), seen.len() as u64);
                assert!(seen.len() >= before.len() && seen.iter().all(|entry| entry["serial"].is_string()));
            }
            4 => numbers.push(said["number"].as_u64().unwrap()),
            _ => {}
        }
    }
    numbers.sort_unstable();
    assert_eq!(numbers, (1..=8).collect::<Vec<_>>(), "the numbers of the lists");
    assert_eq!(listed(&place), &before | &made);
    for number in 0..16 {
        pair_of(&place, number);
    }
    assert_eq!(unfinished(&place.path("ca")), Vec::<std::path::PathBuf>::new());
}

#[test]
fn two_runs_of_renew_due_at_once_both_succeed_and_leave_nothing_that_was_due() {
    let place = Place::new();
    place.done(INIT);
    for number in 0..10 {
        place.done(&format!("--dir ca issue server host-{number}.example --for 30d"));
    }
    let before = listed(&place);
    // What the first has renewed is due again by this rule: the second may renew it once more, or find it done.
    let words = "--dir ca renew --due --within 31d --json";
    let mut made = BTreeSet::new();
    for output in at_once(&place, (0..2).map(|_| words.to_owned())) {
        let said: Value = serde_json::from_str(&succeeded("renew --due", &output)).unwrap();
        assert_eq!(said["failed"], 0, "{said}");
        let serials = said["entries"].as_array().unwrap().iter().filter_map(|result| result["new"]["serial"].as_str());
        made.extend(serials.map(str::to_owned));
    }
    assert!(listed(&place).is_superset(&before));
    let in_place: BTreeSet<String> = (0..10).map(|number| pair_of(&place, number)).collect();
    assert!(in_place.is_disjoint(&before), "something due was left");
    assert_eq!(unfinished(&place.path("ca")), Vec::<std::path::PathBuf>::new());
    assert!(!made.is_empty());
}

fn place_with(hosts: usize) -> Place {
    let place = Place::new();
    place.done(INIT);
    for number in 0..hosts {
        place.done(&format!("--dir ca issue server host-{number}.example"));
    }
    place
}

/// All are started before the first is waited for.
fn at_once(place: &Place, words: impl Iterator<Item = String>) -> Vec<Output> {
    let start = |words: String| place.ca(&words).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let started: Vec<Child> = words.map(start).collect();
    started.into_iter().map(|child| child.wait_with_output().unwrap()).collect()
}

fn serial_of(report: &str) -> String {
    let report: Value = serde_json::from_str(report).unwrap();
    report["serial"].as_str().unwrap().to_owned()
}

/// The serial number of what is in place, whose key has to be that of its certificate.
fn pair_of(place: &Place, number: usize) -> String {
    pair::in_folder(&place.path(format!("ca/issued/host-{number}.example")), &FILES).unwrap()
}

/// The serial numbers of what is kept, each a pair.
fn generations_of(place: &Place, number: usize) -> Vec<String> {
    let folder = place.path(GENERATIONS).join(format!("host-{number}.example"));
    let whole = |path: &Path| {
        let serial = pair::in_folder(path, &FILES).unwrap();
        assert!(path.ends_with(&serial), "{}", path.display());
        serial
    };
    std::fs::read_dir(folder).unwrap().map(|entry| whole(&entry.unwrap().path())).collect()
}

fn listed_with_template(place: &Place, template: &str) -> BTreeSet<String> {
    let output = place.ca(&format!("--dir ca list --template {template} --json")).output().unwrap();
    assert!(output.status.success(), "{}", told(&output));
    let list: Value = serde_json::from_slice(&output.stdout).unwrap();
    let entries = list["certificates"].as_array().unwrap();
    entries.iter().map(|entry| entry["serial"].as_str().unwrap().to_owned()).collect()
}
