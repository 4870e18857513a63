//! `ca apply` that is killed, or whose disk is full, at any moment, and that runs many times at once: the next run completes it, its
//! hook runs, and a run after that changes nothing.

use std::fs;
use std::process::Output;

use serde_json::Value;

use crate::safety::{INIT, everything_below, is_hidden, named, told};
use crate::support::fault::{self, Disk, Fault};
use crate::support::pair::{self, FILES};
use crate::support::program::{Place, binary, succeeded};
use crate::support::skip;

const APPLY: &str = "--dir ca apply fleet.toml --jobs 1";

const MANIFEST: &str = r#"
[defaults]
template = "server"
hook = "echo done >> log"
[[certificate]]
name = "web.example"
sans = ["www.example"]
export = [{ as = "combined", out = "web.pem" }]
[[certificate]]
name = "db.example"
out = "db"
mode = "0640"
"#;

/// A CA with an earlier certificate of one of the names, which the manifest changes.
fn place() -> Place {
    let place = Place::new();
    place.done(INIT);
    place.done("--dir ca issue server web.example");
    fs::write(place.path("fleet.toml"), MANIFEST).unwrap();
    place
}

#[test]
fn a_killed_run_is_completed_by_the_next_one() {
    struck_at_every_moment(Fault::Kill);
}

#[test]
fn a_run_on_a_full_disk_is_completed_by_the_next_one() {
    struck_at_every_moment(Fault::NoSpace);
}

/// Each path with its type, mode, owner and time, and the content of each file. SQLite notes its readers in the file `-shm`, which is
/// not a part of the index.
fn state(place: &Place) -> String {
    let mut list = place.command("sh");
    let script = "find . ! -name '*-shm' -printf '%p %y %m %u %g %s %T@\\n' | sort
        find . -type f ! -name '*-shm' -exec sha256sum {} + | sort";
    list.args(["-c", script]);
    succeeded("find", &list.output().unwrap())
}

/// `ca` with words, while another process has the lock of the CA directory.
fn while_locked(place: &Place, words: &str) -> Output {
    let mut flock = place.command("flock");
    flock.arg("ca").arg(binary()).args(words.split(' '));
    flock.output().unwrap()
}

#[test]
fn a_plan_changes_no_byte_and_waits_for_no_lock() {
    if !skip::unless_installed(&["flock"]) {
        return;
    }
    let place = place();
    let plan = "--dir ca --lock-timeout 1s apply fleet.toml --plan";
    let before = state(&place);
    let changed = while_locked(&place, plan);
    assert_eq!(changed.status.code(), Some(1), "{}", told(&changed));
    assert_eq!(before, state(&place));

    place.done(APPLY);
    let before = state(&place);
    let unchanged = while_locked(&place, plan);
    assert_eq!(succeeded(plan, &unchanged), "= 2 unchanged\n");
    assert_eq!(before, state(&place));

    // The lock is the one that a change waits for.
    let waited = while_locked(&place, "--dir ca --lock-timeout 1s issue server other.example");
    assert_eq!(waited.status.code(), Some(3), "{}", told(&waited));
}

fn struck_at_every_moment(fault: Fault) {
    if !fault::are_possible() {
        return;
    }
    let before = place();
    let copy = || {
        let copied = Place::new();
        for path in ["ca", "fleet.toml"] {
            let mut copy = copied.command("cp");
            succeeded("cp", &copy.arg("-a").arg(before.path(path)).arg(copied.path(path)).output().unwrap());
        }
        copied
    };
    let mut problems = Vec::new();
    for moment in &fault::moments(&copy(), APPLY, Disk::Any) {
        let place = copy();
        let struck = fault::strike(&place, APPLY, moment, fault, Disk::Any);
        if let Err(problem) = completed(&place) {
            problems.push(format!("{fault:?} at {}: {problem}\n{}", named(moment), told(&struck)));
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

/// Checks that one more run makes everything as declared, and that the next one has nothing to do.
fn completed(place: &Place) -> Result<(), String> {
    let again = place.ca(APPLY).output().unwrap();
    if !again.status.success() {
        return Err(format!("the next run: {}", told(&again)));
    }
    let plan = place.ca(&format!("{APPLY} --plan")).output().unwrap();
    if !plan.status.success() {
        return Err(format!("the plan after the next run: {}", told(&plan)));
    }
    for folder in ["ca/issued/web.example", "db"] {
        pair::in_folder(&place.path(folder), &FILES)?;
    }
    if !place.path("log").exists() {
        return Err("the hook did not run".to_owned());
    }
    if !place.path("web.pem").exists() {
        return Err("the export was not written".to_owned());
    }
    let audit = place.ca("--dir ca audit").output().unwrap();
    if !audit.status.success() {
        return Err(format!("the audit: {}", told(&audit)));
    }
    let top = place.path("");
    let below = everything_below(&top).into_iter().filter(|path| *path != top && is_hidden(path));
    let left: Vec<_> = below.filter(|path| !path.ends_with(".generations")).collect();
    if left.is_empty() { Ok(()) } else { Err(format!("left over: {left:?}")) }
}

#[test]
fn twelve_runs_at_once_issue_each_certificate_once() {
    let place = Place::new();
    place.done(INIT);
    let table = "[[certificate]]\ntemplate = \"server\"\nname = \"n{{ n }}.example\"\ncount = 100\n";
    fs::write(place.path("fleet.toml"), table).unwrap();
    let runs: Vec<_> = (0..12)
        .map(|_| {
            let mut run = place.ca("--dir ca apply fleet.toml --json");
            run.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped()).spawn().unwrap()
        })
        .collect();
    let mut issued = 0;
    for run in runs {
        let document: Value = serde_json::from_str(&succeeded("apply", &run.wait_with_output().unwrap())).unwrap();
        issued += document["entries"].as_array().unwrap().iter().filter(|entry| entry["outcome"] == "issued").count();
    }
    assert_eq!(issued, 100);
    let listed: Value = serde_json::from_str(&place.done("--dir ca list --template server --json")).unwrap();
    assert_eq!(listed["total"], 100);
    place.done("--dir ca apply fleet.toml --plan");
    place.done("--dir ca audit");
}
