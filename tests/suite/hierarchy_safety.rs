//! Roots that are renewed and rotated, authorities that are asked for and installed, keys that get another passphrase: struck
//! at any moment, the same command completes what it left, and nothing that was there is lost.

use std::fs;
use std::path::Path;
use std::process::Output;

use ca::store::index::{Filter, Index};
use serde_json::Value;
use time::OffsetDateTime;

use crate::safety::{everything_below, listed, named, told};
use crate::support::fault::{self, Disk, Fault};
use crate::support::program::{Place, succeeded};
use crate::support::skip;

const INIT: &str = "--dir ca init --name Root --key ecdsa-p256 --no-passphrase --intermediate";
const START: &str = "--dir ca root rotate start";
const FINISH: &str = "--dir ca root rotate finish";
const RENEW: &str = "--dir ca root renew";
const RENEW_AUTHORITY: &str = "--dir ca renew policy --for 5y";
const REKEY_AUTHORITY: &str = "--dir ca rekey issuing";
const REQUEST: &str = "--dir ca intermediate request branch --no-passphrase";
const INSTALL: &str = "--dir ca intermediate install branch branch.pem --chain corporate.pem --add-root corporate";
const PASSPHRASE: &str = "--dir ca key passphrase root --passphrase-file old --new-passphrase-file new";

type Aftermath = fn(&Place, &Output) -> Result<(), String>;

#[test]
fn a_rotation_killed_at_any_moment_is_begun_by_the_same_command() {
    struck(&two_deep(), START, Fault::Kill, started);
}

#[test]
fn a_rotation_on_a_full_disk_never_pretends() {
    struck(&two_deep(), START, Fault::NoSpace, started);
}

#[test]
fn a_rotation_of_a_root_alone_killed_at_any_moment_leaves_no_row_that_the_same_command_does_not_settle() {
    let place = Place::new();
    place.done(&INIT.replace(" --intermediate", ""));
    place.done("--dir ca issue server web.test");
    for fault in [Fault::Kill, Fault::NoSpace] {
        struck(&place, START, fault, started_alone);
    }
}

#[test]
fn the_end_of_a_rotation_killed_at_any_moment_is_there_or_not() {
    let place = two_deep();
    place.done(START);
    place.done("--dir ca renew web.test");
    for fault in [Fault::Kill, Fault::NoSpace] {
        struck(&place, FINISH, fault, finished);
    }
}

#[test]
fn a_root_whose_renewal_is_killed_at_any_moment_is_the_old_or_the_new_one() {
    for fault in [Fault::Kill, Fault::NoSpace] {
        struck(&two_deep(), RENEW, fault, renewed);
    }
}

#[test]
fn an_intermediate_whose_renewal_is_struck_at_any_moment_is_renewed_by_the_same_command() {
    for fault in [Fault::Kill, Fault::NoSpace] {
        struck(&two_deep(), RENEW_AUTHORITY, fault, authority_renewed);
    }
}

#[test]
fn an_intermediate_whose_new_key_is_struck_at_any_moment_is_replaced_by_the_same_command() {
    for fault in [Fault::Kill, Fault::NoSpace] {
        struck(&two_deep(), REKEY_AUTHORITY, fault, authority_rekeyed);
    }
}

#[test]
fn an_authority_whose_request_is_killed_at_any_moment_is_asked_for_whole_or_not_at_all() {
    struck(&two_deep(), REQUEST, Fault::Kill, requested);
}

#[test]
fn an_authority_whose_installation_is_struck_at_any_moment_is_installed_by_the_same_command() {
    if !skip::unless_installed(&["openssl"]) {
        return;
    }
    let place = two_deep();
    place.done(REQUEST);
    let extensions = "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\n\
                      subjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n";
    fs::write(place.path("ext"), extensions).unwrap();
    let root = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout corporate.key -out corporate.pem \
                -subj /CN=Corporate -days 3650 -addext keyUsage=critical,keyCertSign,cRLSign";
    let sign = "x509 -req -in ca/authorities/branch/request.pem -CA corporate.pem -CAkey corporate.key -out branch.pem \
                -days 365 -extfile ext";
    for words in [root, sign] {
        openssl(&place, words).unwrap();
    }
    for fault in [Fault::Kill, Fault::NoSpace] {
        struck(&place, INSTALL, fault, installed);
    }
}

#[test]
fn a_key_whose_passphrase_is_changed_is_never_lost_and_never_lies_there_unencrypted() {
    let place = Place::new();
    fs::write(place.path("old"), "old passphrase\n").unwrap();
    fs::write(place.path("new"), "new passphrase\n").unwrap();
    place.done("--dir ca init --name Root --key ecdsa-p256 --passphrase-file old");
    for fault in [Fault::Kill, Fault::NoSpace] {
        struck(&place, PASSPHRASE, fault, under_one_passphrase);
    }
}

/// A CA whose root signed one that signed the one that issues, and a certificate of that.
fn two_deep() -> Place {
    let place = Place::new();
    place.done(&INIT.replace(" --intermediate", ""));
    let policy = "summary = \"policy CA\"\nkey = [\"ecdsa-p256\"]\nlifetime = \"6y\"\n[subject]\ncommon-name = \"name\"\n\
                  [usage]\nkey = [\"key-cert-sign\", \"crl-sign\"]\n[authority]\npath-length = 1\n";
    fs::write(place.path("ca/templates/policy.toml"), policy).unwrap();
    place.done("--dir ca issue policy policy");
    place.done("--dir ca issue intermediate issuing --issuer policy");
    place.done("--dir ca issue server web.test");
    place
}

/// Strikes a command at each moment at which it changes the disk, each time in a copy of the place.
fn struck(prepared: &Place, words: &str, fault: Fault, aftermath: Aftermath) {
    if !fault::are_possible() || !skip::unless_installed(&["openssl"]) {
        return;
    }
    let mut problems = Vec::new();
    for moment in fault::moments(&copy(prepared), words, Disk::Any) {
        let place = copy(prepared);
        let before = listed(&place);
        let output = fault::strike(&place, words, &moment, fault, Disk::Any);
        let ended = match output.status.code() {
            Some(0) => Ok(()),
            Some(3) if fault != Fault::Kill => Ok(()),
            _ if fault == Fault::Kill && fault::was_killed(&output) => Ok(()),
            _ => Err(format!("ended with {}", output.status)),
        };
        let checked = ended.and_then(|()| aftermath(&place, &output)).and_then(|()| {
            let tidy = everything_below(&place.path("ca")).into_iter().filter(|path| is_unfinished(path));
            match tidy.collect::<Vec<_>>() {
                left if !left.is_empty() => Err(format!("left over: {left:?}")),
                _ if !before.is_subset(&listed(&place)) => Err("the index has lost certificates".to_owned()),
                _ => Ok(()),
            }
        });
        if let Err(problem) = checked {
            problems.push(format!("{fault:?} at {}: {problem}\n{}", named(&moment), told(&output)));
        }
    }
    assert!(problems.is_empty(), "{} moments:\n{}", problems.len(), problems.join("\n"));
}

fn copy(prepared: &Place) -> Place {
    let place = Place::new();
    let from = prepared.path(".");
    succeeded("cp", &place.command("cp").arg("-a").arg(from).arg(place.path(".")).output().unwrap());
    place
}

fn is_unfinished(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(".staged"))
}

fn openssl(place: &Place, words: &str) -> Result<String, String> {
    let output = place.command("openssl").args(words.split_whitespace()).output().unwrap();
    if output.status.success() { Ok(String::from_utf8_lossy(&output.stdout).into_owned()) } else { Err(told(&output)) }
}

fn ok(holds: bool, problem: &str) -> Result<(), String> {
    if holds { Ok(()) } else { Err(problem.to_owned()) }
}

/// The same command again: done, or refused because it had been done.
fn again(place: &Place, words: &str, struck: &Output, had_completed: bool) -> Result<(), String> {
    ok(!struck.status.success() || had_completed, "exit status 0, but it is not done")?;
    let output = place.ca(words).output().unwrap();
    match output.status.code() {
        Some(0) => Ok(()),
        Some(3) if had_completed => Ok(()),
        _ => Err(format!("the same command again: {}", told(&output))),
    }
}

fn status(place: &Place) -> Value {
    serde_json::from_str(&place.done("--dir ca root rotate status --json")).unwrap()
}

/// Whether a certificate holds for whoever trusts these roots alone.
fn verifies(place: &Place, name: &str, root: &str) -> Result<(), String> {
    let folder = format!("ca/issued/{name}");
    let words = format!("verify -x509_strict -CAfile {root} -untrusted {folder}/chain.pem {folder}/cert.pem");
    openssl(place, &words).map(drop)
}

fn started(place: &Place, struck: &Output) -> Result<(), String> {
    // At any moment there is a CA that issues, for whoever trusts the root that was there.
    place.done("--dir ca issue server meanwhile.test");
    verifies(place, "meanwhile.test", "ca/authorities/root/cert.pem")?;
    let is_whole = |place: &Place| {
        let state = status(place);
        let is_moved = openssl(place, "x509 -in ca/authorities/policy/cert.pem -noout -issuer").unwrap().contains("G2");
        let policy = fs::read(place.path("ca/authorities/policy/cert.pem")).unwrap();
        let chain = fs::read(place.path("ca/authorities/issuing/chain.pem")).unwrap();
        state["state"] == "started" && is_moved && policy == chain
    };
    again(place, START, struck, is_whole(place))?;
    ok(is_whole(place), "after the second run the rotation has not begun")?;
    place.done("--dir ca issue server new.test");
    for root in ["root", "root-g2"] {
        verifies(place, "new.test", &format!("ca/authorities/{root}/cert.pem"))?;
    }
    verifies(place, "web.test", "ca/authorities/root/cert.pem")?;
    // What the index says of the one in between is what its chain says.
    let state = status(place);
    let names: Vec<_> = state["certificates"].as_array().unwrap().iter().map(|entry| entry["name"].clone()).collect();
    let meanwhile_is_new = verifies(place, "meanwhile.test", "ca/authorities/root-g2/cert.pem").is_ok();
    ok(names.contains(&"web.test".into()) && !names.contains(&"new.test".into()), &format!("{names:?} hang"))?;
    ok(meanwhile_is_new || names.contains(&"meanwhile.test".into()), "what hangs on the old root is not listed")?;
    let key = "pkey -in ca/authorities/root-g2/key.pem -pubout";
    ok(
        openssl(place, key)? == openssl(place, "x509 -in ca/authorities/root-g2/cert.pem -noout -pubkey")?,
        "another key",
    )?;
    let folders = fs::read_dir(place.path("ca/authorities")).unwrap().count();
    ok(folders == 4, "more or less than root, root-g2, policy and issuing")
}

fn started_alone(place: &Place, struck: &Output) -> Result<(), String> {
    place.done("--dir ca issue server meanwhile.test --issuer root");
    let is_there = |place: &Place| place.path("ca/authorities/root-g2/cert.pem").is_file();
    again(place, START, struck, is_there(place))?;
    ok(is_there(place), "after the second run there is no new root")?;
    // What a run signed that died before the files were there was never in use, and is no row of a certificate that is.
    let index = Index::open_to_read(&place.path("ca/index.db")).map_err(|error| error.to_string())?;
    let (rows, _) = index.query(&Filter::default(), OffsetDateTime::now_utc()).map_err(|error| error.to_string())?;
    for file in ["cert.pem", "new-with-old.pem", "old-with-new.pem"] {
        let serial = openssl(place, &format!("x509 -in ca/authorities/root-g2/{file} -noout -serial"))?.to_lowercase();
        let row = rows.iter().find(|row| serial.trim_end() == format!("serial={}", row.serial));
        ok(row.is_some_and(|row| row.delivered_at.is_some()), &format!("the row of {file} is not marked"))?;
    }
    Ok(())
}

fn finished(place: &Place, struck: &Output) -> Result<(), String> {
    let is_done = |place: &Place| {
        let roots: Value = serde_json::from_str(&place.done("--dir ca roots --json")).unwrap();
        let names: Vec<_> = roots["roots"].as_array().unwrap().iter().map(|root| root["authority"].clone()).collect();
        names == ["root-g2"] && place.path("ca/retired/root/key.pem").is_file()
    };
    says_what_is_in_force(struck, is_done(place))?;
    again(place, FINISH, struck, is_done(place))?;
    ok(is_done(place), "the old root is still trusted, or its key is gone")?;
    place.done("--dir ca issue client later");
    verifies(place, "later", "ca/authorities/root-g2/cert.pem")
}

/// A failure after the change is in force names it.
fn says_what_is_in_force(struck: &Output, is_in_force: bool) -> Result<(), String> {
    let sentences = ["but a power cut may take that back", "the command itself succeeded"];
    let is_told = sentences.iter().any(|sentence| told(struck).contains(sentence));
    ok(struck.status.code() != Some(3) || is_told == is_in_force, "the failure does not say what is in force")
}

fn renewed(place: &Place, struck: &Output) -> Result<(), String> {
    let root = "ca/authorities/root/cert.pem";
    verifies(place, "web.test", root)?;
    let serial = |place: &Place| openssl(place, &format!("x509 -in {root} -noout -serial"));
    let found = serial(place)?;
    let rows: Value = serde_json::from_str(&place.done("--dir ca list --template root --json")).unwrap();
    let rows = rows["certificates"].as_array().unwrap().clone();
    let is_new = found.to_lowercase().trim_end() != format!("serial={}", rows[0]["serial"].as_str().unwrap());
    ok(!struck.status.success() || is_new, "exit status 0, and the old certificate in place")?;
    place.done(RENEW);
    ok(serial(place)? != found, "after the second run it is still the same")?;
    place.done("--dir ca issue server new.test");
    for name in ["web.test", "new.test"] {
        verifies(place, name, root)?;
    }
    Ok(())
}

/// No error of an audit.
fn audited(place: &Place) -> Result<(), String> {
    let report: Value = serde_json::from_slice(&place.ca("--dir ca audit --json").output().unwrap().stdout).unwrap();
    let errors: Vec<_> =
        report["findings"].as_array().unwrap().iter().filter(|finding| finding["severity"] == "error").collect();
    ok(errors.is_empty(), &format!("{errors:?}"))
}

fn authority_renewed(place: &Place, struck: &Output) -> Result<(), String> {
    let root = "ca/authorities/root/cert.pem";
    place.done("--dir ca issue server meanwhile.test");
    let is_whole = |place: &Place| {
        let end = openssl(place, "x509 -in ca/authorities/policy/cert.pem -noout -checkend 160000000");
        let policy = fs::read(place.path("ca/authorities/policy/cert.pem")).unwrap();
        end.is_err() && policy == fs::read(place.path("ca/authorities/issuing/chain.pem")).unwrap()
    };
    ok(!struck.status.success() || is_whole(place), "exit status 0, and the old certificate or chain in place")?;
    audited(place)?;
    place.done(RENEW_AUTHORITY);
    ok(is_whole(place), "after the second run it is not renewed, or the chain below it is the old one")?;
    place.done("--dir ca issue server new.test");
    for name in ["web.test", "meanwhile.test", "new.test"] {
        verifies(place, name, root)?;
    }
    audited(place)
}

fn authority_rekeyed(place: &Place, struck: &Output) -> Result<(), String> {
    let root = "ca/authorities/root/cert.pem";
    place.done("--dir ca issue server meanwhile.test");
    let is_there = |place: &Place| place.path("ca/authorities/issuing-g2/cert.pem").is_file();
    again(place, REKEY_AUTHORITY, struck, is_there(place))?;
    let key = openssl(place, "pkey -in ca/authorities/issuing-g2/key.pem -pubout")?;
    let certified = openssl(place, "x509 -in ca/authorities/issuing-g2/cert.pem -noout -pubkey")?;
    ok(key == certified, "another key")?;
    place.done("--dir ca issue server new.test");
    place.done("--dir ca renew web.test");
    for name in ["new.test", "web.test"] {
        let issuer = openssl(place, &format!("x509 -in ca/issued/{name}/cert.pem -noout -issuer"))?;
        ok(issuer.contains("issuing G2"), &issuer)?;
    }
    for name in ["web.test", "meanwhile.test", "new.test"] {
        verifies(place, name, root)?;
    }
    for authority in ["issuing", "issuing-g2"] {
        place.done(&format!("--dir ca crl --authority {authority}"));
    }
    let folders = fs::read_dir(place.path("ca/authorities")).unwrap().count();
    ok(folders == 4, "more or less than root, policy, issuing and issuing-g2")?;
    audited(place)
}

fn requested(place: &Place, struck: &Output) -> Result<(), String> {
    let is_there = place.path("ca/authorities/branch/request.pem").is_file();
    again(place, REQUEST, struck, is_there)?;
    let key = openssl(place, "pkey -in ca/authorities/branch/key.pem -pubout")?;
    let asked = openssl(place, "req -in ca/authorities/branch/request.pem -noout -pubkey")?;
    ok(key == asked, "the request is for another key")?;
    place.done("--dir ca issue client later");
    Ok(())
}

fn installed(place: &Place, struck: &Output) -> Result<(), String> {
    let is_there = |place: &Place| {
        let same = |file: &str, other: &str| fs::read(place.path(file)).ok() == fs::read(place.path(other)).ok();
        same("branch.pem", "ca/authorities/branch/cert.pem")
            && same("corporate.pem", "ca/authorities/corporate/cert.pem")
    };
    place.done("--dir ca issue client meanwhile");
    ok(!struck.status.success() || is_there(place), "exit status 0, but it is not there")?;
    place.done(INSTALL);
    ok(is_there(place), "after the second run it is not there")?;
    let report: Value = serde_json::from_str(&place.done(&format!("{INSTALL} --json"))).unwrap();
    ok(report["status"] == "unchanged", "a third run changes something")?;
    let rows: Value = serde_json::from_str(&place.done("--dir ca list --issuer corporate --json")).unwrap();
    ok(rows["total"] == 2, "recorded more or less than once")?;
    place.done("--dir ca issue server branch.test --issuer branch");
    verifies(place, "branch.test", "corporate.pem")
}

fn under_one_passphrase(place: &Place, struck: &Output) -> Result<(), String> {
    let opens = |passphrase: &str| {
        openssl(place, &format!("pkey -in ca/authorities/root/key.pem -passin file:{passphrase} -noout")).is_ok()
    };
    let (old, new) = (opens("old"), opens("new"));
    ok(old != new, "neither or both passphrases open the key")?;
    for path in everything_below(&place.path("ca")).into_iter().filter(|path| path.is_file()) {
        let is_plain = String::from_utf8_lossy(&fs::read(&path).unwrap()).contains("BEGIN PRIVATE KEY");
        ok(!is_plain, &format!("an unencrypted key lies in {}", path.display()))?;
    }
    says_what_is_in_force(struck, new)?;
    again(place, PASSPHRASE, struck, new)?;
    place.done("--dir ca issue client later --passphrase-file new");
    Ok(())
}
