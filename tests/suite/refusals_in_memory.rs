//! What `ca handshake-test` refuses is made in memory: neither the keys of the CA nor its index have any part in it.

use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde_json::Value;

use crate::safety::everything_below;
use crate::support::program::{Place, binary, succeeded};
use crate::support::{fault, process};

/// A CA with an intermediate, a server, a client, one that is revoked, and the list that says so.
fn place() -> Place {
    let place = Place::new();
    place.done("--dir ca init --no-passphrase --key ecdsa-p256 --intermediate");
    place.done("--dir ca issue server localhost");
    place.done("--dir ca issue client alice");
    place.done("--dir ca issue client gone");
    place.done("--dir ca revoke gone");
    place.done("--dir ca crl");
    // The first reader after a change notes in the shared memory of the log how far it reads; later ones note the same.
    place.done("--dir ca list");
    place
}

/// Every file below a folder: what it is and holds, and when it was last changed. What readers of SQLite share among them
/// (`-shm`) is touched by whoever reads; the index itself and its log are not.
fn snapshot(folder: &Path) -> BTreeMap<PathBuf, (u32, i64, i64, Vec<u8>)> {
    let files = everything_below(folder).into_iter().map(|path| {
        let about = std::fs::symlink_metadata(&path).unwrap();
        let octets = if about.is_file() { std::fs::read(&path).unwrap() } else { Vec::new() };
        let is_shared = path.extension().is_some_and(|extension| extension == "db-shm");
        let changed = if is_shared { (0, 0) } else { (about.mtime(), about.mtime_nsec()) };
        (path, (about.mode(), changed.0, changed.1, octets))
    });
    files.collect()
}

fn keys_of_authorities(place: &Place) -> Vec<PathBuf> {
    let keys: Vec<PathBuf> = everything_below(&place.path("ca/authorities"))
        .into_iter()
        .filter(|path| path.file_name().is_some_and(|name| name == "key.pem"))
        .collect();
    assert_eq!(keys.len(), 2, "{keys:?}");
    keys
}

/// As on a machine that holds certificates only, the root and the issuing CA elsewhere.
#[test]
fn every_refusal_is_tried_without_the_keys_of_the_authorities_and_nothing_is_changed() {
    let place = place();
    for key in keys_of_authorities(&place) {
        std::fs::remove_file(key).unwrap();
    }
    let before = snapshot(&place.path("ca"));
    for more in ["", "--resume --hello-retry --trace --repeat 2 --jobs 2", "--no-client-auth"] {
        let client = if more == "--no-client-auth" { "" } else { "--client alice" };
        let words = format!("--dir ca handshake-test --server localhost {client} --json {more}");
        let report: Value = serde_json::from_str(&place.done(&words)).unwrap();
        assert_eq!((&report["passed"], report["refusals"].as_array().unwrap().len()), (&Value::Bool(true), 62));
        let untried = report["refusals"].as_array().unwrap().iter().filter(|one| one["refused"].is_null()).count();
        assert_eq!(untried, if client.is_empty() { 24 } else { 0 }, "{report:#}");
        assert!(snapshot(&place.path("ca")) == before, "'{words}' changed something");
    }
}

/// The server is the program itself, so that this needs nobody else.
#[test]
fn a_visit_with_everything_that_must_be_refused_changes_nothing_either() {
    let place = place();
    for key in keys_of_authorities(&place) {
        std::fs::remove_file(key).unwrap();
    }
    let before = snapshot(&place.path("ca"));
    let said = place.path("said");
    let mut host = place.ca("--dir ca handshake-test --listen 127.0.0.1:0 --server localhost --for 1h");
    host.stdout(Stdio::null()).stderr(std::fs::File::create(&said).unwrap());
    let mut host = host.spawn().unwrap();
    let port: u16 = process::wait_for("the port", || {
        std::fs::read_to_string(&said).unwrap().split_once("127.0.0.1:")?.1.split_once(' ')?.0.parse().ok()
    });
    let words = format!("--dir ca handshake-test --connect localhost:{port} --client alice --json");
    let output = place.ca(&words).output().unwrap();
    host.kill().unwrap();
    host.wait().unwrap();
    let report: Value = serde_json::from_str(&succeeded(&words, &output)).unwrap();
    assert_eq!(report["passed"], true, "{report:#}");
    let refused = report["refusals"].as_array().unwrap().iter().filter(|one| one["refused"] == true).count();
    assert_eq!(refused, 2 * 8, "{report:#}");
    assert!(snapshot(&place.path("ca")) == before, "something was changed");
}

#[test]
fn the_key_of_an_authority_is_never_opened_and_nothing_is_written_below_the_ca_directory() {
    if !fault::are_possible() {
        return;
    }
    let place = place();
    let log = place.path("calls.log");
    let mut command = place.command("strace");
    let which = "trace=open,openat,openat2,creat,rename,renameat,renameat2,unlink,unlinkat,mkdir,mkdirat,link,linkat";
    command.args(["-f", "-qq", "-e", "signal=none", "-e", which, "-o"]).arg(&log).arg(binary());
    command.args("--dir ca handshake-test --server localhost --client alice".split(' '));
    succeeded("handshake-test under strace", &command.output().unwrap());
    let calls = std::fs::read_to_string(&log).unwrap();
    // The path of a call stands in one piece, even where another thread cuts in.
    let below_ca: Vec<&str> = calls.lines().filter(|call| call.contains("/ca/")).collect();
    let any = |part: &str| below_ca.iter().any(|call| call.contains(part));
    assert!(any("issued/localhost/key.pem") && any("issued/alice/key.pem"), "{calls}");
    assert!(any("authorities/root/cert.pem"), "{calls}");
    for call in below_ca {
        assert!(!(call.contains("/authorities/") && call.contains("key.pem")), "{call}");
        // What readers of SQLite share among them is not the index.
        if !call.contains("index.db-") {
            assert!(call.contains("open") && call.contains("O_RDONLY"), "{call}");
        }
    }
}

/// Whoever is issued for the occasion is recorded like any other, and nobody else is.
#[test]
fn a_test_that_issues_its_parties_records_those_two_and_no_copy() {
    let place = Place::new();
    place.done("--dir ca init --no-passphrase --key ecdsa-p256");
    let total = || -> u64 {
        let list: Value = serde_json::from_str(&place.done("--dir ca list --json")).unwrap();
        list["total"].as_u64().unwrap()
    };
    let before = total();
    let report: Value = serde_json::from_str(&place.done("--dir ca handshake-test --json")).unwrap();
    assert_eq!((&report["passed"], report["refusals"].as_array().unwrap().len()), (&Value::Bool(true), 62));
    assert_eq!(total() - before, 2);
}
