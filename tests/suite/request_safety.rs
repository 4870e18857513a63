//! `ca sign` and `ca request` are struck at every moment at which they change the disk: the same command again is the repair,
//! no key is lost, and nothing is left over.

use std::fs;
use std::path::Path;
use std::process::Output;

use ca::keys::Signer;
use ca::keys::key_file::KeyFile;
use ca::x509::signing_request::der_of_file;
use ca::x509::{Certificate, SigningRequest, pem};

use crate::safety::{INIT, everything_below, is_hidden, listed, named, told};
use crate::support::fault::{self, Disk, Fault};
use crate::support::program::{Place, succeeded};

const SIGN: &str = "--dir ca sign web.example/request.pem";
const SIGN_BESIDE: &str = "--dir ca sign web.example/request.pem --out web.example";
const REQUEST: &str = "request web.example";
const REQUEST_BESIDE: &str = "request web.example --out there";

#[test]
fn a_signing_killed_at_any_moment_is_simply_run_again() {
    struck_at_every_moment(Fault::Kill, SIGN, "ca/issued/web.example");
    struck_at_every_moment(Fault::Kill, SIGN_BESIDE, "web.example");
}

#[test]
fn a_signing_on_a_full_or_broken_disk_never_pretends() {
    struck_at_every_moment(Fault::NoSpace, SIGN, "ca/issued/web.example");
    struck_at_every_moment(Fault::DiskError, SIGN, "ca/issued/web.example");
}

#[test]
fn a_request_killed_at_any_moment_is_simply_run_again() {
    struck_at_every_moment(Fault::Kill, REQUEST, "web.example");
    struck_at_every_moment(Fault::Kill, REQUEST_BESIDE, "there");
}

#[test]
fn a_request_on_a_full_or_broken_disk_never_pretends() {
    for fault in [Fault::NoSpace, Fault::DiskError] {
        struck_at_every_moment(fault, REQUEST, "web.example");
        struck_at_every_moment(fault, REQUEST_BESIDE, "there");
    }
}

fn signs(words: &str) -> bool {
    words.contains(" sign ")
}

/// What there is before: a CA and a request for it, or a folder that holds something else.
fn before(words: &str) -> Place {
    let place = Place::new();
    if signs(words) {
        place.done(INIT);
        place.done("request web.example");
    } else {
        fs::create_dir(place.path("there")).unwrap();
        fs::write(place.path("there/note"), "mine").unwrap();
    }
    place
}

fn copy(of: &Place) -> Place {
    let place = Place::new();
    let mut copy = place.command("cp");
    succeeded("cp", &copy.arg("-aT").arg(of.path("")).arg(place.path("")).output().unwrap());
    place
}

fn struck_at_every_moment(fault: Fault, words: &str, folder: &str) {
    if !fault::are_possible() {
        return;
    }
    let before = before(words);
    let mut problems = Vec::new();
    for moment in fault::moments(&copy(&before), words, Disk::Any) {
        let place = copy(&before);
        let struck = fault::strike(&place, words, &moment, fault, Disk::Any);
        if let Err(problem) = aftermath(&place, words, folder, fault, &struck) {
            problems.push(format!("{fault:?} at {}: {problem}\n{}", named(&moment), told(&struck)));
        }
    }
    assert!(problems.is_empty(), "{words}: {} moments:\n{}", problems.len(), problems.join("\n"));
}

fn aftermath(place: &Place, words: &str, folder: &str, fault: Fault, struck: &Output) -> Result<(), String> {
    let ok = |holds: bool, problem: &str| if holds { Ok(()) } else { Err(problem.to_owned()) };
    let folder = place.path(folder);
    let whole = || if signs(words) { signed(&folder, &place.path("web.example")) } else { requested(&folder) };
    match struck.status.code() {
        Some(0) => whole().map_err(|problem| format!("exit status 0, but {problem}"))?,
        Some(3) if fault != Fault::Kill => {}
        _ => ok(fault == Fault::Kill && fault::was_killed(struck), &format!("ended with {}", struck.status))?,
    }
    let key_before = fs::read(folder.join("key.pem")).ok();
    let had_completed = whole().is_ok();
    let again = place.ca(words).output().unwrap();
    match again.status.code() {
        Some(0) => {}
        Some(3) if had_completed => {}
        _ => return Err(format!("the same command again: {}", told(&again))),
    }
    whole().map_err(|problem| format!("after the second run: {problem}"))?;
    if let Some(key) = key_before {
        ok(fs::read(folder.join("key.pem")).is_ok_and(|now| now == key), "a key that was in place is lost")?;
    }
    if signs(words) {
        let certificate = certificate(&folder)?;
        ok(listed(place).contains(&certificate.serial.to_string()), "the certificate is not in the index")?;
    }
    let left: Vec<_> = everything_below(&place.path("")).into_iter().skip(1).filter(|path| is_hidden(path)).collect();
    ok(left.is_empty(), &format!("left over: {left:?}"))
}

fn certificate(folder: &Path) -> Result<Certificate, String> {
    let content = fs::read(folder.join("cert.pem")).map_err(|error| format!("cert.pem: {error}"))?;
    let block = pem::parse_all(&content).ok().and_then(|blocks| blocks.into_iter().next());
    block.and_then(|block| Certificate::from_der(&block.content).ok()).ok_or_else(|| "cert.pem is not whole".to_owned())
}

fn request(folder: &Path) -> Result<SigningRequest, String> {
    let content = fs::read(folder.join("request.pem")).map_err(|error| format!("request.pem: {error}"))?;
    let der = der_of_file(&content).map_err(|error| error.to_string())?;
    SigningRequest::from_der(&der).map_err(|error| error.to_string())
}

/// The certificate in a folder is for the key of the request.
fn signed(folder: &Path, of: &Path) -> Result<(), String> {
    let is_whole = ["chain.pem", "fullchain.pem"].iter().all(|name| folder.join(name).is_file());
    let is_its = certificate(folder)?.public_key == request(of)?.public_key;
    if is_whole && is_its { Ok(()) } else { Err("the files are not all there, or of another key".to_owned()) }
}

/// Key and request belong together.
fn requested(folder: &Path) -> Result<(), String> {
    let key = fs::read(folder.join("key.pem")).map_err(|error| format!("key.pem: {error}"))?;
    let key = KeyFile::parse(&key).and_then(|file| file.open(None)).map_err(|error| error.to_string())?;
    if *key.public_key() == request(folder)?.public_key {
        Ok(())
    } else {
        Err("they do not belong together".to_owned())
    }
}
