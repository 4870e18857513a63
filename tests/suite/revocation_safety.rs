//! `ca revoke` and `ca crl`, killed or without room at any moment: nothing is lost, no number is given twice, every list is whole.

use std::process::Output;

use serde_json::Value;

use crate::support::fault::{self, Disk, Fault, Moment};
use crate::support::program::{Place, succeeded};
use crate::support::skip;

const REVOKE: &str = "--dir ca revoke alice";
const CRL: &str = "--dir ca crl";
const DISK: Disk = Disk::Any;

fn begin() -> Place {
    let place = Place::new();
    place.done("--dir ca init --name Root --key ecdsa-p256 --no-passphrase");
    for name in ["alice", "bob"] {
        place.done(&format!("--dir ca issue client {name}"));
    }
    place.done("--dir ca revoke bob");
    place.done(CRL);
    place
}

#[test]
fn a_revocation_killed_at_any_moment_is_there_or_simply_run_again() {
    struck(Fault::Kill, REVOKE, revoked_again);
}

#[test]
fn a_revocation_on_a_full_disk_never_pretends() {
    struck(Fault::NoSpace, REVOKE, revoked_again);
}

#[test]
fn a_revocation_on_a_broken_disk_never_pretends() {
    struck(Fault::DiskError, REVOKE, revoked_again);
}

#[test]
fn a_list_killed_at_any_moment_is_whole_and_simply_signed_again() {
    struck(Fault::Kill, CRL, signed_again);
}

#[test]
fn a_list_on_a_full_disk_never_pretends() {
    struck(Fault::NoSpace, CRL, signed_again);
}

#[test]
fn a_list_on_a_broken_disk_never_pretends() {
    struck(Fault::DiskError, CRL, signed_again);
}

fn struck(fault: Fault, words: &str, aftermath: impl Fn(&Place, &Output) -> Result<(), String>) {
    if !fault::are_possible() || !skip::unless_installed(&["openssl"]) {
        return;
    }
    let mut problems = Vec::new();
    for moment in fault::moments(&begin(), words, DISK) {
        let place = begin();
        let output = fault::strike(&place, words, &moment, fault, DISK);
        let ended = match output.status.code() {
            Some(0) => Ok(()),
            Some(3) if fault != Fault::Kill => Ok(()),
            _ if fault == Fault::Kill && fault::was_killed(&output) => Ok(()),
            _ => Err(format!("ended with {}", output.status)),
        };
        let tidy = || match leftovers(&place) {
            left if left.is_empty() => Ok(()),
            left => Err(format!("left over: {left:?}")),
        };
        if let Err(problem) = ended.and_then(|()| aftermath(&place, &output)).and_then(|()| tidy()) {
            let Moment { call, when, shown } = &moment;
            let told = String::from_utf8_lossy(&output.stderr);
            problems.push(format!("{fault:?} at {call} #{when}: {shown}: {problem}\n{told}"));
        }
    }
    assert!(problems.is_empty(), "{} moments:\n{}", problems.len(), problems.join("\n"));
}

fn revoked_again(place: &Place, struck: &Output) -> Result<(), String> {
    let recorded = status(place, "alice") == "revoked";
    if struck.status.success() && !recorded {
        return Err("exit status 0, and not recorded".to_owned());
    }
    let again = place.ca(REVOKE).output().unwrap().status.code();
    if again != Some(if recorded { 3 } else { 0 }) {
        return Err(format!("recorded: {recorded}, the same command again: {again:?}"));
    }
    place.done(CRL);
    let named = |place: &Place| number_and_entries(place, "crl.der").1;
    match (status(place, "alice").as_str(), status(place, "bob").as_str(), named(place)) {
        ("revoked", "revoked", 2) => Ok(()),
        found => Err(format!("{found:?}")),
    }
}

fn signed_again(place: &Place, struck: &Output) -> Result<(), String> {
    // Each file holds a whole list, the old one or the new one.
    let (text, der) = (number_and_entries(place, "crl.pem"), number_and_entries(place, "crl.der"));
    if struck.status.success() && (text != der || der.0 != 2) {
        return Err(format!("exit status 0, but the files hold {text:?} and {der:?}"));
    }
    let report: Value = serde_json::from_str(&place.done(&format!("{CRL} --json"))).unwrap();
    let number = report["number"].as_u64().unwrap_or_default();
    let (new_text, new_der) = (number_and_entries(place, "crl.pem"), number_and_entries(place, "crl.der"));
    let grew = number > text.0 && number > der.0;
    if grew && new_text == (number, 1) && new_der == (number, 1) {
        return Ok(());
    }
    Err(format!("before {text:?} and {der:?}, then number {number}: {new_text:?} and {new_der:?}"))
}

fn status(place: &Place, name: &str) -> String {
    let shown: Value = serde_json::from_str(&place.done(&format!("--dir ca show {name} --json"))).unwrap();
    shown["status"].as_str().unwrap_or_default().to_owned()
}

/// As openssl reads a list: its number, and how many it names.
fn number_and_entries(place: &Place, file: &str) -> (u64, usize) {
    let form = if file.ends_with("der") { "DER" } else { "PEM" };
    let mut openssl = place.command("openssl");
    openssl.args(["crl", "-noout", "-text", "-inform", form, "-in"]).arg(place.path("ca/authorities/root").join(file));
    let said = succeeded(file, &openssl.output().unwrap());
    let number = said.split_once("CRL Number:").and_then(|(_, after)| after.split_whitespace().next()?.parse().ok());
    (number.unwrap_or_default(), said.matches("Revocation Date:").count())
}

/// What an interrupted command could have left: nothing that people are to see begins with a dot.
fn leftovers(place: &Place) -> Vec<String> {
    let (mut found, mut open) = (Vec::new(), vec![place.path("ca")]);
    while let Some(folder) = open.pop() {
        for path in std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()) {
            if crate::safety::is_hidden(&path) {
                found.push(path.display().to_string());
            }
            if path.is_dir() {
                open.push(path);
            }
        }
    }
    found
}
