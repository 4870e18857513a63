//! Many at once, killed at any moment, without room, with enemies about: what was promised holds, and nothing needs repair.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

use crate::support::fault::{self, Disk, Fault, Moment};
use crate::support::program::{Place, succeeded};
use crate::support::skip;

pub(crate) const INIT: &str = "--dir ca init --name Root --key ecdsa-p256 --no-passphrase";
/// Of the keys that have one.
const PASSPHRASE: &str = "leaf secret";
const FILES: [&str; 4] = ["cert.pem", "chain.pem", "fullchain.pem", "key.pem"];

#[test]
fn forty_issues_at_once_all_succeed() {
    let place = Place::new();
    place.done(INIT);
    let at_once: Vec<_> = (0..40)
        .map(|number| {
            let mut issue = place.ca(&format!("--dir ca issue server host-{number}.example --json"));
            issue.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
        })
        .collect();
    let mut serials = BTreeSet::new();
    for issue in at_once {
        let said = succeeded("issue", &issue.wait_with_output().unwrap());
        let report: Value = serde_json::from_str(&said).unwrap();
        serials.insert(report["serial"].as_str().unwrap().to_owned());
    }
    assert_eq!(serials.len(), 40, "serials are shared");
    assert!(serials.is_subset(&listed(&place)), "not everything that was issued is in the index");
    for number in 0..40 {
        assert_whole(&place.path(format!("ca/issued/host-{number}.example")));
    }
    assert_tidy(&place);
}

#[test]
fn of_twenty_inits_at_once_one_wins() {
    for _ in 0..3 {
        let place = Place::new();
        let at_once: Vec<_> =
            (0..20).map(|_| place.ca(INIT).stderr(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap()).collect();
        let ended: Vec<Output> = at_once.into_iter().map(|init| init.wait_with_output().unwrap()).collect();
        let mut codes: Vec<i32> = ended.iter().map(|output| output.status.code().unwrap_or(-1)).collect();
        codes.sort_unstable();
        let told = ended.iter().map(|output| String::from_utf8_lossy(&output.stderr)).collect::<String>();
        assert_eq!(codes, [&[0][..], &[3; 19]].concat(), "{told}");
        assert!(pair_matches(&place.path("ca/authorities/root")));
        place.done("--dir ca issue client alice");
        assert_whole(&place.path("ca/issued/alice"));
        assert_tidy(&place);
    }
}

#[test]
fn an_issue_killed_at_any_moment_is_simply_run_again() {
    struck_at_every_moment(Fault::Kill, "--dir ca issue server new.example", "ca/issued/new.example");
}

#[test]
fn an_init_killed_at_any_moment_is_simply_run_again() {
    struck_at_every_moment(Fault::Kill, INIT, "ca/authorities/root");
}

#[test]
fn an_issue_on_a_full_disk_never_pretends() {
    struck_at_every_moment(Fault::NoSpace, "--dir ca issue server new.example", "ca/issued/new.example");
}

#[test]
fn an_issue_on_a_broken_disk_never_pretends() {
    struck_at_every_moment(Fault::DiskError, "--dir ca issue server new.example", "ca/issued/new.example");
}

#[test]
fn an_init_on_a_full_disk_never_pretends() {
    struck_at_every_moment(Fault::NoSpace, INIT, "ca/authorities/root");
}

#[test]
fn an_init_on_a_broken_disk_never_pretends() {
    struck_at_every_moment(Fault::DiskError, INIT, "ca/authorities/root");
}

/// The files come one by one there.
const INTO_A_FOLDER: &str = "--dir ca issue client alice --out out";

#[test]
fn an_issue_into_a_folder_of_the_user_killed_at_any_moment_is_simply_run_again() {
    struck_at_every_moment(Fault::Kill, INTO_A_FOLDER, "out");
}

#[test]
fn an_encrypted_key_in_a_folder_of_the_user_is_no_obstacle_after_a_kill_at_any_moment() {
    // Nobody can look into it to see whose it is.
    let words = format!("{INTO_A_FOLDER} --encrypt-key --key-passphrase-file word");
    struck_at_every_moment(Fault::Kill, &words, "out");
}

#[test]
fn an_issue_into_a_folder_of_the_user_on_a_broken_disk_never_pretends() {
    struck_at_every_moment(Fault::DiskError, INTO_A_FOLDER, "out");
}

/// Strikes a command at each moment at which it changes the disk, and looks at what it left and whether it can be run again.
fn struck_at_every_moment(fault: Fault, words: &str, folder: &str) {
    if !fault::are_possible() || !skip::unless_installed(&["openssl"]) {
        return;
    }
    let begin = || {
        let place = Place::new();
        if words != INIT {
            place.done(INIT);
            place.done("--dir ca issue client earlier");
        }
        if words.starts_with(INTO_A_FOLDER) {
            fs::create_dir(place.path("out")).unwrap();
            fs::write(place.path("out/app.conf"), "mine").unwrap();
            fs::write(place.path("word"), PASSPHRASE).unwrap();
        }
        place
    };
    let mut problems = Vec::new();
    let mut moments = fault::moments(&begin(), words, Disk::Any);
    // The record before the files is that of any other issue.
    moments.retain(|moment| !words.starts_with(INTO_A_FOLDER) || moment.shown.contains("/out"));
    for moment in moments {
        let place = begin();
        let earlier = if words == INIT { BTreeSet::new() } else { listed(&place) };
        let struck = fault::strike(&place, words, &moment, fault, Disk::Any);
        if let Err(problem) = aftermath(&place, words, folder, fault, &struck, &earlier) {
            problems.push(format!("{fault:?} at {}: {problem}\n{}", named(&moment), told(&struck)));
        }
    }
    assert!(problems.is_empty(), "{} moments:\n{}", problems.len(), problems.join("\n"));
}

fn aftermath(
    place: &Place,
    words: &str,
    folder: &str,
    fault: Fault,
    struck: &Output,
    earlier: &BTreeSet<String>,
) -> Result<(), String> {
    let ok = |holds: bool, problem: &str| if holds { Ok(()) } else { Err(problem.to_owned()) };
    let whole = || is_whole(&place.path(folder), words == INIT) && place.path("ca/ca.toml").is_file();
    match struck.status.code() {
        Some(0) => ok(whole(), "exit status 0, but the files are not there or do not match")?,
        Some(3) if fault != Fault::Kill => {}
        _ => ok(fault == Fault::Kill && fault::was_killed(struck), &format!("ended with {}", struck.status))?,
    }
    let had_completed = whole();
    let again = place.ca(words).output().unwrap();
    match again.status.code() {
        Some(0) => {}
        Some(3) if had_completed => {}
        _ => return Err(format!("the same command again: {}\n{}", again.status, told(&again))),
    }
    ok(whole(), "after the second run the files are not there or do not match")?;
    let now = listed(place);
    ok(earlier.is_subset(&now), "earlier certificates are gone from the index")?;
    ok(now.contains(&serial(&place.path(folder).join("cert.pem"))), "the certificate is not in the index")?;
    place.done("--dir ca issue client later");
    ok(is_whole(&place.path("ca/issued/later"), false), "the next certificate is not whole")?;
    if words.starts_with(INTO_A_FOLDER) {
        // What could not even be removed is in nobody's way until the next files come here.
        let passphrase = if words.contains("--encrypt-key") { "--key-passphrase-file word" } else { "" };
        place.done(&format!("--dir ca rekey alice {passphrase}"));
    }
    let mut leftovers = [leftovers(&place.path("ca")), leftovers(&place.path(folder))].concat();
    // What the new key replaced is kept, and there alone.
    leftovers.retain(|path| !words.starts_with(INTO_A_FOLDER) || !path.ends_with("/ca/issued/.generations"));
    ok(leftovers.is_empty(), &format!("left over: {leftovers:?}"))
}

#[test]
fn a_full_disk_loses_nothing_and_works_again_with_room() {
    let Some(disk) = SmallDisk::mount() else { return };
    let place = &disk.place;
    let ballast = place.path("disk/ballast");
    fs::write(&ballast, vec![0; 200 * 1024]).unwrap();
    place.done("--dir disk/ca init --name Root --key ecdsa-p256 --no-passphrase");
    let mut issued = Vec::new();
    let refused = loop {
        let name = format!("host-{}.example", issued.len());
        let output = place.ca(&format!("--dir disk/ca issue server {name}")).output().unwrap();
        if !output.status.success() {
            break (name, output);
        }
        assert!(issued.len() < 2000, "the disk never fills");
        issued.push(name);
    };
    let (name, output) = refused;
    assert_eq!(output.status.code(), Some(3), "{}", told(&output));
    for name in &issued {
        assert_whole(&place.path("disk/ca/issued").join(name));
    }
    // A second time changes nothing either.
    let output = place.ca(&format!("--dir disk/ca issue server {name}")).output().unwrap();
    assert_eq!(output.status.code(), Some(3), "{}", told(&output));
    fs::remove_file(ballast).unwrap();
    place.done(&format!("--dir disk/ca issue server {name}"));
    assert_whole(&place.path("disk/ca/issued").join(&name));
    let listed: Value = serde_json::from_str(&place.done("--dir disk/ca list --limit 10000 --json")).unwrap();
    let names: BTreeSet<&str> =
        listed["certificates"].as_array().unwrap().iter().filter_map(|entry| entry["name"].as_str()).collect();
    assert!(issued.iter().all(|name| names.contains(name.as_str())), "the index has lost certificates");
    assert_eq!(leftovers(&place.path("disk/ca")), Vec::<String>::new());
}

#[test]
fn a_recording_that_finds_no_room_leaves_neither_itself_nor_its_key_log_behind() {
    let Some(disk) = SmallDisk::mount() else { return };
    let place = &disk.place;
    place.done("--dir ca init --name Root --key ecdsa-p256 --no-passphrase");
    // Room for the key log, and not for the recording beside it.
    fs::write(place.path("disk/ballast"), vec![0; 1024 * 1024 - 2 * 4096]).unwrap();
    let words = "--dir ca --json handshake-test --no-refusals --keylog disk/talk.keys --pcap disk/talk.pcapng";
    let output = place.ca(words).output().unwrap();
    let failure: Value = serde_json::from_slice(&output.stderr).unwrap();
    assert_eq!((output.status.code(), &failure["error"]["code"]), (Some(3), &"disk-full".into()), "{}", told(&output));
    let left: Vec<_> = fs::read_dir(place.path("disk")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["ballast"]);
    fs::remove_file(place.path("disk/ballast")).unwrap();
    place.done(words);
}

#[test]
fn a_report_that_cannot_be_printed_is_no_success() {
    let place = Place::new();
    place.done(INIT);
    for words in ["--dir ca issue client alice", "--dir ca list", "--dir ca list --json"] {
        let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let output = place.ca(words).stdout(full).output().unwrap();
        assert_eq!(output.status.code(), Some(3), "{words}: {}", told(&output));
    }
    assert_whole(&place.path("ca/issued/alice"));
}

#[test]
fn modes_are_exact_under_any_umask() {
    for umask in ["000", "022", "077"] {
        let place = Place::new();
        for words in [INIT, "--dir ca issue client alice", "--dir ca issue client bob --out out"] {
            let mut shell = place.command("bash");
            shell.arg("-c").arg(format!("umask {umask}; exec \"$0\" {words}")).arg(crate::support::program::binary());
            succeeded(words, &shell.output().unwrap());
        }
        let mut wrong = Vec::new();
        for path in everything_below(&place.path("ca")).into_iter().chain(everything_below(&place.path("out"))) {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            let wanted = match name.as_str() {
                _ if path.is_dir() => 0o700,
                "key.pem" => 0o600,
                _ if name.starts_with("index.db") => 0o600,
                _ if name.ends_with(".pem") => 0o644,
                _ => continue,
            };
            let mode = fs::metadata(&path).unwrap().permissions().mode() & 0o7777;
            if mode != wanted {
                wrong.push(format!("{}: {mode:04o}, not {wanted:04o}", path.display()));
            }
        }
        assert!(wrong.is_empty(), "umask {umask}: {wrong:#?}");
    }
}

#[test]
fn a_link_in_the_way_of_a_key_is_never_followed() {
    for force in ["", " --force"] {
        for dangling in [true, false] {
            let place = Place::new();
            place.done(INIT);
            fs::create_dir(place.path("out")).unwrap();
            let victim = place.path("victim");
            if !dangling {
                fs::write(&victim, "precious").unwrap();
            }
            for file in FILES {
                let in_the_way = place.path("out").join(file);
                symlink(&victim, &in_the_way).unwrap();
                let output = place.ca(&format!("--dir ca issue client eve --out out{force}")).output().unwrap();
                assert_eq!(victim.exists(), !dangling, "{file}{force}: the link was followed");
                if !dangling {
                    assert_eq!(
                        fs::read_to_string(&victim).unwrap(),
                        "precious",
                        "{file}{force}: the link was followed"
                    );
                }
                // `--force` replaces files of ours, and never a link.
                assert_eq!(output.status.code(), Some(3), "{file}{force}: {}", told(&output));
                assert!(
                    told(&output).contains("it is a symbolic link, and those are not followed"),
                    "{}",
                    told(&output)
                );
                assert!(in_the_way.is_symlink(), "{file}{force}: the link is gone");
                for file in FILES {
                    fs::remove_file(place.path("out").join(file)).ok();
                }
            }
        }
    }
}

/// The serials of everything that the index knows.
pub(crate) fn listed(place: &Place) -> BTreeSet<String> {
    let list: Value = serde_json::from_str(&place.done("--dir ca list --limit 10000 --json")).unwrap();
    list["certificates"].as_array().unwrap().iter().map(|entry| entry["serial"].as_str().unwrap().to_owned()).collect()
}

fn assert_whole(folder: &Path) {
    assert!(is_whole(folder, false), "{} is not whole, or its key does not match", folder.display());
}

/// All files are there and hold something, and the key belongs to the certificate.
fn is_whole(folder: &Path, authority: bool) -> bool {
    let wanted: &[&str] = if authority { &["cert.pem", "key.pem"] } else { &FILES };
    let there =
        |file: &&str| fs::metadata(folder.join(file)).is_ok_and(|found| found.len() > 0 || *file == "chain.pem");
    wanted.iter().all(there) && pair_matches(folder)
}

/// Somebody else says whether key and certificate belong together.
fn pair_matches(folder: &Path) -> bool {
    let public = |words: &[&str], file: &str| {
        let output = Command::new("openssl").args(words).arg("-in").arg(folder.join(file)).output().unwrap();
        output.status.success().then_some(output.stdout)
    };
    let certified = public(&["x509", "-noout", "-pubkey"], "cert.pem");
    certified.is_some()
        && certified == public(&["pkey", "-pubout", "-passin", &format!("pass:{PASSPHRASE}")], "key.pem")
}

/// As the contract writes it: lower case, without colons.
fn serial(cert: &Path) -> String {
    let output = Command::new("openssl").args(["x509", "-noout", "-serial", "-in"]).arg(cert).output().unwrap();
    let said = succeeded("openssl x509 -serial", &output);
    said.trim().trim_start_matches("serial=").to_lowercase()
}

fn assert_tidy(place: &Place) {
    assert_eq!(leftovers(&place.path("ca")), Vec::<String>::new(), "left over");
}

/// What an interrupted command could have left: nothing that people are to see begins with a dot, but for a `.gitignore`.
fn leftovers(folder: &Path) -> Vec<String> {
    everything_below(folder).iter().filter(|path| is_hidden(path)).map(|path| path.display().to_string()).collect()
}

/// Whether nobody is to see this path: its name begins with a dot, and it is no `.gitignore`.
pub(crate) fn is_hidden(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.') && name != ".gitignore")
}

/// A folder and everything in it.
pub(crate) fn everything_below(folder: &Path) -> Vec<std::path::PathBuf> {
    let mut found = vec![folder.to_owned()];
    let mut at = 0;
    while at < found.len() {
        if found[at].is_dir() && !found[at].is_symlink() {
            let entries = fs::read_dir(&found[at]).unwrap();
            found.extend(entries.map(|entry| entry.unwrap().path()).collect::<Vec<_>>());
        }
        at += 1;
    }
    found
}

pub(crate) fn named(moment: &Moment) -> String {
    format!("{} #{}: {}", moment.call, moment.when, moment.shown)
}

pub(crate) fn told(output: &Output) -> String {
    format!("{}\n{}{}", output.status, String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// A file system of a megabyte at `disk/`, unmounted when it goes.
struct SmallDisk {
    place: Place,
}

impl SmallDisk {
    fn mount() -> Option<Self> {
        let place = Place::new();
        let disk = place.path("disk");
        fs::create_dir(&disk).unwrap();
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", "size=1m", "none"]).arg(&disk).output();
        if mounted.is_ok_and(|output| output.status.success()) {
            return Some(Self { place });
        }
        skip::because("a small disk can only be mounted by root, outside most containers");
        None
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        Command::new("umount").arg(self.place.path("disk")).status().ok();
    }
}
