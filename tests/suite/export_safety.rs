//! A remembered export, and a rekeying that is killed or fails on the way: the file is always whole and of one certificate, and
//! `ca renew --due` writes it for the deployed one.

use std::fs;

use ca::keys::Signer;
use ca::keys::key_file::KeyFile;

use crate::safety::{INIT, everything_below, is_hidden, named, told};
use crate::support::fault::{self, Disk, Fault};
use crate::support::pair::{self, FILES};
use crate::support::program::{Place, succeeded};

const REKEY: &str = "--dir ca rekey web.example";
const FOLDER: &str = "ca/issued/web.example";
const EXPORT: &str = "web.pem";

#[test]
fn an_export_is_whole_and_completed_after_a_rekeying_that_was_killed_at_any_moment() {
    struck_at_every_moment(Fault::Kill);
}

#[test]
fn an_export_is_whole_and_completed_after_a_rekeying_on_a_full_disk() {
    struck_at_every_moment(Fault::NoSpace);
}

fn struck_at_every_moment(fault: Fault) {
    if !fault::are_possible() {
        return;
    }
    let before = Place::new();
    before.done(INIT);
    before.done("--dir ca issue server web.example");
    let copy = || {
        let place = Place::new();
        let mut copy = place.command("cp");
        succeeded("cp", &copy.arg("-a").arg(before.path("ca")).arg(place.path("ca")).output().unwrap());
        place.done(&format!("--dir ca export web.example --as combined --out {EXPORT}"));
        place
    };
    let (mut problems, mut stale) = (Vec::new(), 0);
    for moment in &fault::moments(&copy(), REKEY, Disk::Any) {
        let place = copy();
        let struck = fault::strike(&place, REKEY, moment, fault, Disk::Any);
        match completed(&place) {
            Ok(was_stale) => stale += usize::from(was_stale),
            Err(problem) => problems.push(format!("{fault:?} at {}: {problem}\n{}", named(moment), told(&struck))),
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
    assert!(stale > 1, "{stale} moments left an export of the older certificate");
}

/// Checks the export before and after `ca renew --due`; returns whether it was of an older certificate before.
fn completed(place: &Place) -> Result<bool, String> {
    let before = exported(place)?;
    let again = place.ca("--dir ca renew --due").output().unwrap();
    if !again.status.success() {
        return Err(format!("ca renew --due: {}", told(&again)));
    }
    let (after, deployed) = (exported(place)?, pair::in_folder(&place.path(FOLDER), &FILES)?);
    if after != deployed {
        return Err(format!("the export is of {after}, and {deployed} is deployed"));
    }
    let top = place.path("");
    let left = fs::read_dir(&top).unwrap().map(|entry| entry.unwrap().path()).filter(|path| is_hidden(path));
    let left: Vec<_> =
        left.chain(everything_below(&place.path(FOLDER)).into_iter().filter(|path| is_hidden(path))).collect();
    if left.is_empty() { Ok(before != deployed) } else { Err(format!("left over: {left:?}")) }
}

/// Returns the serial number of the certificate in the export, whose key must be its own.
fn exported(place: &Place) -> Result<String, String> {
    let content = fs::read(place.path(EXPORT)).map_err(|error| error.to_string())?;
    let key = KeyFile::parse(&content).and_then(|file| file.open(None)).map_err(|error| error.to_string())?;
    let text = String::from_utf8_lossy(&content);
    let start = text.find("-----BEGIN CERTIFICATE").ok_or("no certificate")?;
    let certificate = pair::certificates(&content[start..])?.into_iter().next().ok_or("no certificate")?;
    if *key.public_key() != certificate.public_key {
        return Err("the key in the export is that of another certificate".to_owned());
    }
    Ok(certificate.serial.to_string())
}
