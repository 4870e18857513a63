//! What `ca init` asks at a terminal, and what the replies make.

use std::ffi::OsString;
use std::fs;
use std::path::Path;

use crate::cli::testing::CliRun;
use crate::report::exit_status::ExitStatus;
use crate::x509::Certificate;

/// What was printed and asked.
struct Outcome {
    status: ExitStatus,
    stdout: String,
    stderr: String,
    asked: Vec<String>,
}

fn run_in(folder: &Path, mut run: CliRun, words: &str) -> Outcome {
    run.working_folder = folder.to_owned();
    let words = ["ca"].into_iter().chain(words.split(' ')).map(OsString::from);
    let status = run.with_world(|world| crate::cli::run(words, world));
    Outcome { status, stdout: run.stdout(), stderr: run.stderr(), asked: run.asked() }
}

fn typed(typed: &[&'static str]) -> CliRun {
    CliRun { typed: typed.to_vec(), shows_stderr: true, ..CliRun::default() }
}

fn certificate(folder: &Path, authority: &str) -> Certificate {
    let content = fs::read(folder.join("ca/authorities").join(authority).join("cert.pem")).unwrap();
    crate::x509::certificate_file::parse(&content).unwrap().remove(0)
}

fn is_empty(folder: &Path) -> bool {
    fs::read_dir(folder).unwrap().next().is_none()
}

const PASSPHRASE: &str = "correct horse battery";

#[test]
fn enter_at_every_question_makes_a_ca_with_a_name_of_its_own() {
    let mut names = Vec::new();
    for _ in 0..2 {
        let folder = tempfile::tempdir().unwrap();
        let made = run_in(folder.path(), typed(&["", "", "", "", ""]), "init");
        assert_eq!(made.status, ExitStatus::Done, "{}", made.stderr);
        assert_eq!(made.asked.len(), 5, "{:?}", made.asked);
        let summary = &made.asked[4];
        for part in [
            "issues for every name\n",
            "not encrypted\n",
            "a stolen key can impersonate any name",
            "cannot be changed later",
            "note      The same without questions: ca init --name 'Private Root CA ",
            "[Y/n] ",
        ] {
            assert!(summary.contains(part), "{part}: {summary}");
        }
        // What was said before is not said again.
        assert!(!made.stderr.contains("not encrypted") && !made.stderr.contains("impersonate"), "{}", made.stderr);
        let root = certificate(folder.path(), "root");
        let name = root.subject.common_name().unwrap().to_owned();
        assert!(made.asked[0].contains(&format!("[{name}]")), "{:?}", made.asked);
        names.push(name);
    }
    assert!(names[0] != names[1] && names.iter().all(|name| name.starts_with("Private Root CA ")), "{names:?}");
}

#[test]
fn the_replies_are_in_the_certificates_and_the_keys_are_encrypted() {
    let folder = tempfile::tempdir().unwrap();
    let replies = ["Corp Root", "corp.test, 10.0.0.0/8", "Yes", PASSPHRASE, PASSPHRASE, "y"];
    let made = run_in(folder.path(), typed(&replies), "init");
    assert_eq!(made.status, ExitStatus::Done, "{}", made.stderr);
    let summary = &made.asked[5];
    let line = "ca init --name 'Corp Root' --permit dns:corp.test --permit ip:10.0.0.0/8 --intermediate issuing\n";
    assert!(summary.contains("CN=Corp Root issuing\n") && summary.contains(line), "{summary}");
    for (authority, subject) in [("root", "CN=Corp Root"), ("issuing", "CN=Corp Root issuing")] {
        let certificate = certificate(folder.path(), authority);
        assert_eq!(certificate.subject.to_string(), subject);
        let permitted = certificate.name_constraints.unwrap().permitted;
        assert_eq!(permitted.iter().map(ToString::to_string).collect::<Vec<_>>(), ["dns:corp.test", "ip:10.0.0.0/8"]);
        let key = fs::read_to_string(folder.path().join("ca/authorities").join(authority).join("key.pem")).unwrap();
        assert!(key.starts_with("-----BEGIN ENCRYPTED PRIVATE KEY-----"), "{authority}");
    }
}

#[test]
fn the_command_without_questions_has_every_option() {
    let folder = tempfile::tempdir().unwrap();
    let words =
        "--dir own init --organization Acme --country DE --key ed25519 --for 5y --exclude bad.test --no-passphrase";
    let made = run_in(folder.path(), typed(&["Corp", "yes", ""]), words);
    assert_eq!(made.status, ExitStatus::Done, "{}", made.stderr);
    let line = "ca --dir own init --name Corp --organization Acme --country DE --key ed25519 --for 5y --exclude \
                dns:bad.test --intermediate issuing --no-passphrase\n";
    assert!(made.asked[2].contains(line), "{:?}", made.asked);
    // It makes a CA with the same certificates, and asks nothing.
    let again = tempfile::tempdir().unwrap();
    let made = run_in(again.path(), typed(&["unused"]), line.trim_end().strip_prefix("ca ").unwrap());
    assert_eq!((made.status, made.asked.len()), (ExitStatus::Done, 0), "{}", made.stderr);
    let settings = |folder: &Path| fs::read_to_string(folder.join("own/ca.toml")).unwrap();
    assert_eq!(settings(folder.path()), settings(again.path()));
}

#[test]
fn what_the_command_line_says_is_not_asked() {
    for (words, replies, questions) in [
        ("init --no-passphrase", &["", "", "", ""][..], 4),
        ("init --permit corp.test --no-passphrase", &["", "", ""], 3),
        ("init --exclude corp.test --no-passphrase --intermediate", &["", ""], 2),
        ("init --name Corp --no-passphrase", &["unused"], 0),
        ("init --name Corp", &[PASSPHRASE, PASSPHRASE], 2),
        ("init --no-passphrase --quiet", &["unused"], 0),
        ("init --no-passphrase --json", &["unused"], 0),
        ("init --no-passphrase --no-input", &["unused"], 0),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let made = run_in(folder.path(), typed(replies), words);
        assert_eq!((made.status, made.asked.len()), (ExitStatus::Done, questions), "{words}: {}", made.stderr);
        assert!(folder.path().join("ca/ca.toml").exists());
    }
    // Standard error is not a terminal, so the questions would not be seen.
    let folder = tempfile::tempdir().unwrap();
    let run = CliRun { typed: vec!["unused"], ..CliRun::default() };
    let made = run_in(folder.path(), run, "init --no-passphrase");
    assert_eq!((made.status, made.asked.len()), (ExitStatus::Done, 0), "{}", made.stderr);
    // A dry run asks what the CA is, and neither a passphrase nor a confirmation.
    let folder = tempfile::tempdir().unwrap();
    let planned = run_in(folder.path(), typed(&["Corp", "corp.test", ""]), "init --dry-run");
    assert_eq!((planned.status, planned.asked.len()), (ExitStatus::Done, 3), "{}", planned.stderr);
    assert!(planned.stdout.contains("CN=Corp\n") && planned.stdout.contains("encrypted with a passphrase"));
    assert!(is_empty(folder.path()));
}

#[test]
fn a_wrong_answer_is_asked_again_and_the_third_one_makes_nothing() {
    const LONG: &str = "a name of a root certificate that is longer than sixty-four characters";
    let folder = tempfile::tempdir().unwrap();
    let replies = [LONG, "Corp", "a b!", "corp.test", "no such name", "no", "", ""];
    let made = run_in(folder.path(), typed(&replies), "init");
    assert_eq!(made.status, ExitStatus::Done, "{}", made.stderr);
    assert_eq!(made.stderr.matches("This is not possible: ").count(), 3, "{}", made.stderr);
    for (replies, why) in [
        (&[LONG, LONG, LONG][..], "at most 64 are allowed"),
        (&["", "a b!", "10.0.0.0/99", "*.x"], "covers all names below it"),
        (&["", "", "yess", "ja", "issuing"], "the answer is yes or no"),
        (&["", "", "", PASSPHRASE, "x", PASSPHRASE, "y", PASSPHRASE, "z"], "the two passphrases differ"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let refused = run_in(folder.path(), typed(replies), "init");
        assert_eq!((refused.status, refused.asked.len()), (ExitStatus::Usage, replies.len()), "{}", refused.stderr);
        assert!(refused.stderr.contains(why), "{}", refused.stderr);
        assert!(is_empty(folder.path()), "{replies:?}");
    }
}

#[test]
fn a_no_or_a_closed_terminal_at_any_question_makes_nothing() {
    let replies = ["Corp", "corp.test", "yes", PASSPHRASE, PASSPHRASE, "no"];
    for given in 1..=replies.len() {
        let folder = tempfile::tempdir().unwrap();
        let refused = run_in(folder.path(), typed(&replies[..given]), "init");
        assert!(matches!(refused.status, ExitStatus::Refused | ExitStatus::Usage), "{given}");
        assert!(!refused.stderr.contains("--yes"), "{}", refused.stderr);
        assert!(is_empty(folder.path()), "{given}");
        let asked = (given + 1).min(replies.len());
        assert_eq!(refused.asked.len(), asked, "{:?}", refused.asked);
    }
}

#[test]
fn a_user_with_a_name_on_the_command_line_reads_the_notes_before_the_passphrase() {
    let folder = tempfile::tempdir().unwrap();
    let refused = run_in(folder.path(), typed(&["other", "differs"]), "init --name Corp");
    assert_eq!(refused.status, ExitStatus::Usage);
    assert!(refused.stderr.contains("No name constraints limit this CA"), "{}", refused.stderr);
    assert!(is_empty(folder.path()));
}
