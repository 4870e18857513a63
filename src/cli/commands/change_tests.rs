//! Dry runs change no byte, a user at a terminal confirms what cannot be undone, and `--exit-changed` says what happened.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::cli::testing::CliRun;
use crate::report::exit_status::ExitStatus;

/// Every path, with its inode, mode, time of change and content.
type Found = BTreeMap<PathBuf, (u64, u32, i64, Vec<u8>)>;

/// A working folder, with a CA in `ca` whose keys are not encrypted.
struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        let place = Self(tempfile::tempdir().unwrap());
        place.done("init --no-passphrase --name Test");
        place
    }

    fn run(&self, mut run: CliRun, words: &str) -> (ExitStatus, String, String, Vec<String>) {
        run.working_folder = self.0.path().to_owned();
        let words = ["ca"].into_iter().chain(words.split(' ')).map(OsString::from);
        let status = run.with_world(|world| crate::cli::run(words, world));
        (status, run.stdout(), run.stderr(), run.asked())
    }

    fn done(&self, words: &str) -> String {
        let (status, stdout, stderr, _) = self.run(CliRun::default(), words);
        assert_eq!(status, ExitStatus::Done, "{words}: {stderr}");
        stdout
    }

    fn status(&self, words: &str) -> ExitStatus {
        self.run(CliRun::default(), words).0
    }

    /// Every path below the working folder, with its inode, mode, time of change and content.
    fn everything(&self) -> Found {
        let mut found = BTreeMap::new();
        let mut left = vec![self.0.path().to_owned()];
        while let Some(path) = left.pop() {
            let about = path.symlink_metadata().unwrap();
            if about.is_dir() {
                left.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
            }
            // The locks of SQLite's readers are in this file; every look-up changes them, and it is made again when it is missing.
            if path.ends_with("index.db-shm") {
                continue;
            }
            let content = if about.is_file() { fs::read(&path).unwrap() } else { Vec::new() };
            found.insert(path, (about.ino(), about.mode(), about.mtime_nsec(), content));
        }
        found
    }

    fn path(&self, path: &str) -> PathBuf {
        self.0.path().join(path)
    }
}

fn serial_at(path: &Path) -> String {
    let content = fs::read(path).unwrap();
    crate::x509::certificate_file::parse(&content).unwrap()[0].serial.to_string()
}

/// Command lines that change something.
const DRY_RUNS: &[&str] = &[
    "issue server new.test",
    "issue server web.test --force",
    "sign csr.test/request.pem",
    "renew web.test",
    "rekey web.test",
    "renew --due --within 400d",
    "renew web.test --due --within 400d",
    "renew --all",
    "rollback old.test",
    "revoke web.test",
    "revoke web.test --crl",
    "revoke ca/issued/web.test/cert.pem",
    "revoke lost.test --reason release",
    "crl",
    "crl --out copy.der",
    "crl --all --bundle crls.pem --hook true",
    "root renew",
    "root rotate start",
    "key passphrase root --new-passphrase-file word",
    "index copy --to other.db",
    "intermediate request another",
    "request another.test",
    "request csr.test --force",
    "roots --out other.pem",
    "backup other.age --passphrase-file word",
    "restore ca.age restored --passphrase-file word",
    "audit --fix",
    "--dir second init",
    "--dir second init --intermediate",
    "--dir second import other --no-passphrase",
    "template new mine",
    "man pages",
    "completions bash --install",
    "quickstart started",
    "export web.test --as der --out web.der",
    "trust install --java-keystore store.p12",
];

fn check_dry_run(place: &Place, before: &Found, words: &str) {
    let home =
        || CliRun { environment: [("HOME".into(), place.0.path().as_os_str().to_owned())].into(), ..CliRun::default() };
    let (status, stdout, stderr, _) = place.run(home(), words);
    assert_eq!(status, ExitStatus::Done, "{words}: {stderr}");
    assert!(stdout.to_lowercase().contains("would "), "{words}: {stdout}");
    let (_, json, ..) = place.run(home(), &format!("{words} --json"));
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert!(json["schema"].is_string(), "{words}");
    let after = place.everything();
    assert!(before.keys().eq(after.keys()), "{words}: {:?}", after.keys().collect::<Vec<_>>());
    for (path, found) in &after {
        assert!(before[path] == *found, "{words} changed {}", path.display());
    }
}

/// The commands without `--dry-run`, each with the reason.
const WITHOUT_DRY_RUN: &[(&str, &str)] = &[
    ("handshake-test", "it is a test: it issues nothing but certificates for an hour, in memory"),
    ("status", ONLY_READS),
    ("due", ONLY_READS),
    ("index show", ONLY_READS),
    ("index grants", ONLY_READS),
    ("history", ONLY_READS),
    ("root rotate status", ONLY_READS),
    ("backup test", "it works in a private copy, which it removes"),
    ("audit head", ONLY_READS),
    ("trust check", ONLY_READS),
    ("apply", "--plan shows what would be changed"),
    ("log", ONLY_READS),
    ("tree", ONLY_READS),
    ("list", ONLY_READS),
    ("show", ONLY_READS),
    ("inspect", ONLY_READS),
    ("verify", ONLY_READS),
    ("lint", ONLY_READS),
    ("explain", ONLY_READS),
    ("schema", ONLY_READS),
    ("settings show", ONLY_READS),
    ("settings check", ONLY_READS),
    ("help", ONLY_READS),
    ("version", ONLY_READS),
    ("recipe list", ONLY_READS),
    ("recipe show", ONLY_READS),
    ("recipe check", ONLY_READS),
    ("template list", ONLY_READS),
    ("template show", ONLY_READS),
    ("template check", ONLY_READS),
    ("template try", ONLY_READS),
];

const ONLY_READS: &str = "it only reads";

/// Those whose dry run needs another CA than the one of [`DRY_RUNS`].
const TESTED_ELSEWHERE: &[&str] = &["root rotate finish", "intermediate install", "trust uninstall", "index migrate"];

/// Every command that does something itself, and whether it has `--dry-run`.
fn commands(command: &clap::Command, path: &str, found: &mut Vec<(String, bool)>) {
    if !path.is_empty() && !command.is_subcommand_required_set() {
        let has = command.get_arguments().any(|argument| argument.get_long() == Some("dry-run"));
        found.push((path.to_owned(), has));
    }
    for below in command.get_subcommands() {
        commands(below, format!("{path} {}", below.get_name()).trim(), found);
    }
}

#[test]
fn every_command_that_changes_something_has_a_dry_run_that_is_tested() {
    let mut found = Vec::new();
    commands(&crate::cli::command_line::CommandLine::whole(), "", &mut found);
    let exempt: Vec<&str> = WITHOUT_DRY_RUN.iter().map(|(command, _)| *command).collect();
    for (command, has_dry_run) in &found {
        let is_exempt = exempt.contains(&command.as_str());
        assert!(*has_dry_run != is_exempt, "{command} changes something and has no --dry-run, or is exempt and has it");
        let is_tested = DRY_RUNS.iter().any(|words| format!("{words} ").contains(&format!("{command} ")))
            || TESTED_ELSEWHERE.contains(&command.as_str());
        assert!(is_tested || is_exempt, "no test has a dry run of {command}");
    }
    let unknown: Vec<_> = exempt.iter().filter(|name| !found.iter().any(|(command, _)| command == **name)).collect();
    assert!(unknown.is_empty(), "there is no command {unknown:?}");
}

#[test]
fn a_dry_run_reports_the_change_and_leaves_every_byte_as_it_was() {
    let place = Place::new();
    place.done("issue server web.test");
    place.done("issue server old.test");
    place.done("renew old.test");
    place.done("issue client lost.test");
    place.done("revoke lost.test --reason hold");
    place.done("crl");
    place.done("roots --out roots.pem");
    place.done("request csr.test");
    place.done("intermediate request branch --no-passphrase");
    fs::write(place.path("word"), "correct horse battery").unwrap();
    place.done("backup ca.age --passphrase-file word");
    fs::remove_file(place.path("ca/issued/web.test/chain.pem")).unwrap();
    // A CA as mkcert leaves it.
    fs::create_dir(place.path("other")).unwrap();
    fs::copy(place.path("ca/authorities/root/cert.pem"), place.path("other/rootCA.pem")).unwrap();
    fs::copy(place.path("ca/authorities/root/key.pem"), place.path("other/rootCA-key.pem")).unwrap();
    let before = place.everything();
    for words in DRY_RUNS {
        let words = format!("{words} --dry-run");
        check_dry_run(&place, &before, &words);
    }
    // A rotation, and what a dry run of its end says.
    place.done("root rotate start --name Next");
    let before = place.everything();
    let stdout = place.done("root rotate finish --force --dry-run");
    assert!(stdout.contains("refuse 3 certificates that depend on it"), "{stdout}");
    assert!(place.everything() == before);
}

#[test]
fn a_dry_run_refuses_what_the_command_itself_would_refuse() {
    let place = Place::new();
    place.done("issue server web.test");
    place.done("revoke web.test");
    fs::write(place.path("roots.pem"), "something else").unwrap();
    fs::create_dir_all(place.path("full/of")).unwrap();
    for words in [
        "revoke web.test",
        "revoke missing.test",
        "crl --number 0",
        "crl --authority nothing",
        "rollback web.test",
        "renew missing.test",
        "root renew issuing",
        "root rotate finish",
        "key passphrase nothing --remove",
        "intermediate install nothing roots.pem",
        "roots --out roots.pem",
        "restore roots.pem full",
        "init",
    ] {
        let (status, _, wanted, _) = place.run(CliRun::default(), words);
        let (dry, _, found, _) = place.run(CliRun::default(), &format!("{words} --dry-run"));
        assert!(!matches!(status, ExitStatus::Done), "{words}");
        assert_eq!((dry, found), (status, wanted), "{words}");
    }
}

#[test]
fn what_cannot_be_undone_is_confirmed_at_a_terminal_and_only_there() {
    let place = Place::new();
    place.done("issue server web.test");
    let typed = |typed: &[&'static str]| CliRun { typed: typed.to_vec(), ..CliRun::default() };
    let serial = serial_at(&place.path("ca/issued/web.test/cert.pem"));
    for answer in ["", "n", "no", "yess"] {
        let before = place.everything();
        let (status, _, stderr, asked) = place.run(typed(&[answer]), "revoke web.test");
        assert_eq!(status, ExitStatus::Refused, "{answer}");
        assert!(stderr.contains("not confirmed: nothing was changed") && stderr.contains("--yes"), "{stderr}");
        assert!(asked[0].starts_with("This will revoke web.test.\n") && asked[0].contains(&serial), "{asked:?}");
        assert!(asked[0].contains("expires") && asked[0].contains("a revocation is final"), "{asked:?}");
        assert!(place.everything() == before);
    }
    // What is replaced by force, and what is not asked.
    let (status, _, _, asked) = place.run(typed(&["no"]), "issue server web.test --force");
    assert_eq!(status, ExitStatus::Refused);
    assert!(asked[0].contains("replace the certificate of 'web.test'") && asked[0].contains(&serial), "{asked:?}");
    fs::write(place.path("roots.pem"), "mine").unwrap();
    assert_eq!(place.run(typed(&["no"]), "roots --out roots.pem --force").0, ExitStatus::Refused);
    assert_eq!(fs::read(place.path("roots.pem")).unwrap(), b"mine");
    for words in ["issue server web.test --force --yes", "roots --out roots.pem --force --no-input", "renew web.test"] {
        let (status, _, stderr, asked) = place.run(typed(&["no"]), words);
        assert_eq!((status, asked.len()), (ExitStatus::Done, 0), "{words}: {stderr}");
    }
    let before = place.everything();
    let (status, _, _, asked) = place.run(typed(&["no"]), "renew --all");
    assert_eq!(status, ExitStatus::Refused);
    assert!(asked[0].starts_with("This will renew 1 certificate.\n") && asked[0].contains("web.test"), "{asked:?}");
    assert!(place.everything() == before);
    for (answer, words) in [("yes", "renew --all"), ("no", "renew --all --yes"), ("no", "renew --due")] {
        assert_eq!(place.run(typed(&[answer]), words).0, ExitStatus::Done, "{words}");
    }
    let hold = place.run(typed(&["no"]), "revoke web.test --all --reason hold");
    assert_eq!((hold.0, hold.3.len()), (ExitStatus::Done, 0), "a hold can be released: {}", hold.2);
    let (status, _, stderr, asked) = place.run(typed(&["Yes"]), "revoke web.test --all");
    assert_eq!((status, asked.len()), (ExitStatus::Done, 1), "{stderr}");
    place.done("issue server other.test");
    assert_eq!(place.run(CliRun::default(), "revoke other.test").0, ExitStatus::Done, "without a terminal");
    place.done("root rotate start --name Next");
    assert_eq!(place.run(typed(&["no"]), "root rotate finish").0, ExitStatus::Refused);
    assert_eq!(place.run(typed(&["yes"]), "root rotate finish").0, ExitStatus::Done);
}

#[test]
fn an_exit_status_of_10_says_that_something_was_changed() {
    let place = Place::new();
    for (words, first, second) in [
        ("issue server web.test --if-due --exit-changed", ExitStatus::Changed, ExitStatus::Done),
        ("renew web.test --exit-changed", ExitStatus::Changed, ExitStatus::Changed),
        ("renew --due --exit-changed", ExitStatus::Done, ExitStatus::Done),
        ("crl --ensure --exit-changed", ExitStatus::Changed, ExitStatus::Done),
        ("roots --out roots.pem --exit-changed", ExitStatus::Changed, ExitStatus::Done),
        ("issue server web.test --exit-changed", ExitStatus::Refused, ExitStatus::Refused),
        ("roots --exit-changed", ExitStatus::Usage, ExitStatus::Usage),
        ("crl --dry-run --exit-changed", ExitStatus::Usage, ExitStatus::Usage),
        ("crl", ExitStatus::Done, ExitStatus::Done),
        ("renew --due --within 400d --exit-changed", ExitStatus::Changed, ExitStatus::Changed),
    ] {
        assert_eq!((place.status(words), place.status(words)), (first, second), "{words}");
    }
    assert_eq!(ExitStatus::Changed as i32, 10);
}
