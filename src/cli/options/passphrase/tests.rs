//! Where a passphrase comes from, and which are refused.

use std::ffi::OsString;

use proptest::strategy::Strategy;

use super::*;
use crate::cli::testing::CliRun;

const WORDS: [&str; 3] = ["ca", "completions", "bash"];

fn text(passphrase: Result<Passphrase, Failure>) -> Result<String, &'static str> {
    passphrase
        .map(|passphrase| String::from_utf8(passphrase.expose().to_vec()).unwrap())
        .map_err(|failure| failure.code)
}

fn flags() -> PassphraseArguments {
    PassphraseArguments::default()
}

#[test]
fn a_new_passphrase_is_typed_twice_alike_and_not_empty() {
    let choose = |typed: &[&'static str]| {
        let mut run = CliRun { typed: typed.to_vec(), ..CliRun::default() };
        run.with_context(&WORDS, |context| text(flags().choose(context, "? ", FLAGS)))
    };
    assert_eq!(choose(&["secret", "secret"]), Ok("secret".to_owned()));
    assert_eq!(choose(&["secret", "sekret", "right", "right"]), Ok("right".to_owned()));
    assert_eq!(choose(&["1", "2", "3", "4", "5", "6", "7", "7"]), Err("passphrases-differ"));
    assert_eq!(choose(&["", "secret", "", "secret"]), Ok("secret".to_owned()));
    assert_eq!(choose(&["", "", "", "secret", "secret"]), Err("no-passphrase"));
    assert_eq!(choose(&["secret"]), Err("no-passphrase"));
}

#[test]
fn nobody_is_asked_without_a_terminal_or_against_the_users_will() {
    let without_input = ["ca", "--no-input", "completions", "bash"];
    for (typed, words) in [(vec![], &WORDS[..]), (vec!["secret"], &without_input[..])] {
        let mut run = CliRun { typed, ..CliRun::default() };
        let refused = run.with_context(words, |context| ask(context, "? ", FLAGS)).unwrap_err();
        assert_eq!((refused.code, refused.status), ("no-passphrase", crate::report::exit_status::ExitStatus::Usage));
        assert!(refused.hints.iter().any(|hint| hint.contains("--passphrase-file")));
    }
}

#[test]
fn a_flag_comes_before_the_settings_and_the_settings_before_a_person() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("one"), "first line\nsecond line\n").unwrap();
    std::fs::write(folder.path().join("none"), "\n").unwrap();
    let mut run = CliRun {
        typed: vec!["typed"],
        environment: [("VAR".into(), "from the variable".into())].into(),
        working_folder: folder.path().to_owned(),
        ..CliRun::default()
    };
    let home = Home::at(folder.path().to_owned());
    let set =
        |file: &str, env: &str| PassphraseSettings { file: file.to_owned(), env: env.to_owned(), command: Vec::new() };
    let mut open = |flags: PassphraseArguments, settings: PassphraseSettings| {
        run.with_context(&WORDS, |context| text(flags.open_by(&settings, &home, context, "? ")))
    };
    let file = |name: &str| PassphraseArguments { passphrase_file: Some(name.into()), ..flags() };
    let variable = |name: &str| PassphraseArguments { passphrase_env: Some(name.to_owned()), ..flags() };
    assert_eq!(open(file("one"), set("", "VAR")), Ok("first line".to_owned()));
    assert_eq!(open(variable("VAR"), set("one", "")), Ok("from the variable".to_owned()));
    assert_eq!(open(flags(), set("one", "")), Ok("first line".to_owned()));
    assert_eq!(open(flags(), set("", "VAR")), Ok("from the variable".to_owned()));
    assert_eq!(open(flags(), set("", "")), Ok("typed".to_owned()));
    assert_eq!(open(file("none"), set("", "")), Err("no-passphrase"));
    assert_eq!(open(file("missing"), set("", "")), Err("unreadable-input"));
    assert_eq!(open(variable("UNSET"), set("", "")), Err("no-passphrase"));
}

#[test]
fn a_missing_passphrase_of_the_settings_names_the_settings() {
    let mut run = CliRun::default();
    let home = Home::at("/site/ca".into());
    for (file, env) in [("missing", ""), ("", "UNSET")] {
        let settings = PassphraseSettings { file: file.to_owned(), env: env.to_owned(), command: Vec::new() };
        let refused = run.with_context(&WORDS, |context| flags().open_by(&settings, &home, context, "? ")).unwrap_err();
        assert!(refused.hints.iter().any(|hint| hint == "[passphrase] in /site/ca/ca.toml names it"), "{refused:?}");
    }
    let typed = PassphraseArguments { passphrase_env: Some("UNSET".to_owned()), ..flags() };
    let settings = PassphraseSettings::default();
    let refused = run.with_context(&WORDS, |context| typed.open_by(&settings, &home, context, "? ")).unwrap_err();
    assert_eq!(refused.hints, [""; 0]);
}

/// What each source makes of the bytes, by its name: the passphrase, or the code of the failure.
fn by_source(content: &[u8], folder: &Path) -> Vec<(&'static str, Result<Vec<u8>, &'static str>)> {
    use std::os::fd::AsRawFd;
    use std::os::unix::ffi::OsStringExt;

    std::fs::write(folder.join("file"), content).unwrap();
    let mut run = CliRun { working_folder: folder.to_owned(), ..CliRun::default() };
    // No variable, and no line of a terminal, has a NUL byte; and the prompt gives text, without the line ending.
    let variable = OsString::from_vec(content.to_vec());
    run.environment.insert("VAR".into(), variable);
    let open = std::fs::File::open(folder.join("file")).unwrap();
    let home = Home::at(folder.to_owned());
    let setting =
        |file: &str, env: &str| PassphraseSettings { file: file.to_owned(), env: env.to_owned(), command: Vec::new() };
    let none = || setting("", "");
    let descriptor = u32::try_from(open.as_raw_fd()).unwrap();
    let sources = [
        ("--passphrase-file", PassphraseArguments { passphrase_file: Some("file".into()), ..flags() }, none()),
        ("--passphrase-env", PassphraseArguments { passphrase_env: Some("VAR".to_owned()), ..flags() }, none()),
        ("--passphrase-fd", PassphraseArguments { passphrase_fd: Some(descriptor), ..flags() }, none()),
        ("[passphrase] file", flags(), setting("file", "")),
        ("[passphrase] env", flags(), setting("", "VAR")),
    ];
    let shown = |result: Result<Passphrase, Failure>| {
        result.map(|passphrase| passphrase.expose().to_vec()).map_err(|failure| failure.code)
    };
    let mut found: Vec<_> = sources
        .into_iter()
        .map(|(name, flags, settings)| {
            let opened = run.with_context(&WORDS, |context| flags.open_by(&settings, &home, context, "? "));
            (name, shown(opened))
        })
        .collect();
    let of_key_file = |context: &mut Context<'_>| of_key_file(Some(Path::new("file")), "? ", KEY_FLAG, context);
    found.push(("--key-passphrase-file", shown(run.with_context(&WORDS, of_key_file))));
    if let Ok(text) = std::str::from_utf8(content) {
        run.typed = vec![Box::leak(text.to_owned().into_boxed_str())];
        found.push(("the prompt", shown(run.with_context(&WORDS, |context| ask(context, "? ", FLAGS)))));
    }
    found
}

proptest::proptest! {
    #[test]
    fn the_same_bytes_are_the_same_passphrase_whatever_they_came_from(
        line in proptest::prop_oneof![
            proptest::collection::vec(proptest::num::u8::ANY, 0..20),
            "[a-z \0\r]{0,4}".prop_map(String::into_bytes),
        ],
        ending in proptest::sample::select(vec!["", "\n", "\r\n"]),
    ) {
        // A file may go on after its first line.
        let line: Vec<u8> = line.into_iter().filter(|byte| *byte != b'\n').collect();
        let content = [&line[..], ending.as_bytes()].concat();
        let rest = if ending == "\n" && line.last() == Some(&b'\r') { &line[..line.len() - 1] } else { &line[..] };
        let expected = match rest {
            [] => Err("no-passphrase"),
            rest if rest.contains(&0) => Err("bad-passphrase"),
            rest => Ok(rest.to_vec()),
        };
        let folder = tempfile::tempdir().unwrap();
        for (source, found) in by_source(&content, folder.path()) {
            proptest::prop_assert_eq!(&found, &expected, "{}", source);
        }
    }
}

/// What a run of `act` warns of.
fn warnings(run: &mut CliRun, act: impl FnOnce(&mut Context<'_>)) -> Vec<String> {
    run.with_context(&WORDS, |context| {
        act(context);
        context.warnings.take()
    })
}

#[test]
fn a_short_passphrase_is_reported_when_a_new_key_gets_it_and_not_when_a_key_is_opened() {
    let mut run = CliRun { typed: vec!["eleven char", "eleven char"], ..CliRun::default() };
    let found = warnings(&mut run, |context| drop(flags().choose(context, "? ", FLAGS).unwrap()));
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].contains("has 11 characters"), "{found:?}");
    run.typed = vec!["twelve chars", "twelve chars"];
    assert_eq!(warnings(&mut run, |context| drop(flags().choose(context, "? ", FLAGS).unwrap())), [""; 0]);
    run.typed = vec!["x"];
    assert_eq!(warnings(&mut run, |context| drop(ask(context, "? ", FLAGS).unwrap())), [""; 0]);

    let variable = PassphraseArguments { passphrase_env: Some("VAR".to_owned()), ..flags() };
    run.environment.insert("VAR".into(), "x\n".into());
    let (home, mut config) = (Home::at("/nowhere".into()), Config::default());
    let by_flag = |context: &mut Context<'_>| drop(new_ca_passphrase(&variable, &home, &config, context).unwrap());
    assert_eq!(warnings(&mut run, by_flag).len(), 1);
    config.passphrase.env = "VAR".to_owned();
    let by_setting = |context: &mut Context<'_>| drop(new_ca_passphrase(&flags(), &home, &config, context).unwrap());
    assert_eq!(warnings(&mut run, by_setting).len(), 1);
}

#[test]
fn a_passphrase_file_that_other_users_can_read_or_exchange_is_reported_once() {
    use std::os::unix::fs::PermissionsExt;

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("word");
    std::fs::write(&path, "correct horse").unwrap();
    let mut run = CliRun { working_folder: folder.path().to_owned(), ..CliRun::default() };
    let mut read_twice = |mode| {
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        let file = PassphraseArguments { passphrase_file: Some("word".into()), ..flags() };
        warnings(&mut run, |context| {
            file.read(context).unwrap();
            of_key_file(Some(Path::new("word")), "? ", KEY_FLAG, context).unwrap();
        })
    };
    assert_eq!(read_twice(0o600), [""; 0]);
    let found = read_twice(0o640);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].contains("(mode 0640); fix: chmod 600 "), "{found:?}");
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o777)).unwrap();
    let found = read_twice(0o600);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(
        found[0].contains("put another file in the place") && found[0].contains("fix: move it into a folder"),
        "{found:?}"
    );
}

/// A run of the command line in a folder with a CA, whose key has the passphrase `correct horse`.
struct EncryptedCa {
    folder: tempfile::TempDir,
}

/// How a command ended, what was asked at the terminal, and what it wrote on standard error.
type Ended = (crate::report::exit_status::ExitStatus, Vec<String>, String);

impl EncryptedCa {
    fn new() -> Self {
        let ca = Self { folder: tempfile::tempdir().unwrap() };
        let run = CliRun { environment: [("WORD".into(), "correct horse".into())].into(), ..CliRun::default() };
        let (status, _, stderr) = ca.run(run, "init --name Test --passphrase-env WORD");
        assert_eq!(status, crate::report::exit_status::ExitStatus::Done, "{stderr}");
        ca
    }

    fn run(&self, mut run: CliRun, words: &str) -> Ended {
        run.working_folder = self.folder.path().to_owned();
        let words = ["ca"].into_iter().chain(words.split(' ')).map(OsString::from);
        let status = run.with_world(|world| crate::cli::run(words, world));
        (status, run.asked(), run.stderr())
    }

    fn set(&self, setting: &str) {
        let path = self.folder.path().join("ca/ca.toml");
        let text = std::fs::read_to_string(&path).unwrap();
        let (before, rest) = text.split_once("[passphrase]\n").unwrap();
        let (_, after) = rest.split_once("[verify]").unwrap();
        std::fs::write(&path, format!("{before}[passphrase]\n{setting}\n[verify]{after}")).unwrap();
    }
}

#[test]
fn a_user_has_three_attempts_at_a_terminal_and_is_shown_which_key_it_is() {
    let ca = EncryptedCa::new();
    let typed = |typed: &[&'static str]| CliRun { typed: typed.to_vec(), ..CliRun::default() };
    let question = "Passphrase of the key of 'root' (ca/authorities/root/key.pem): ";
    let again = format!("The passphrase is wrong. {question}");
    let (status, asked, stderr) = ca.run(typed(&["wrong", "wrong too", "correct horse"]), "crl");
    assert_eq!(status, ExitStatus::Done, "{stderr}");
    assert_eq!(asked, [question, &again, &again]);
    let (status, asked, stderr) = ca.run(typed(&["wrong", "wrong", "wrong", "correct horse"]), "crl");
    assert_eq!((status, asked.len()), (ExitStatus::Refused, 3), "{stderr}");
    assert!(stderr.contains("wrong passphrase"), "{stderr}");
    // What was not typed is not asked for again.
    let run = CliRun { environment: [("WORD".into(), "wrong".into())].into(), ..typed(&["correct horse"]) };
    let (status, asked, _) = ca.run(run, "crl --passphrase-env WORD");
    assert_eq!((status, asked.len()), (ExitStatus::Refused, 0));
}

#[test]
fn one_wrong_passphrase_ends_the_renewal_of_everything_that_is_due() {
    let ca = EncryptedCa::new();
    let variable = |word: &str| CliRun { environment: [("WORD".into(), word.into())].into(), ..CliRun::default() };
    for name in ["a.test", "b.test", "c.test"] {
        let (status, _, stderr) =
            ca.run(variable("correct horse"), &format!("issue server {name} --passphrase-env WORD"));
        assert_eq!(status, ExitStatus::Done, "{stderr}");
    }
    let all = "renew --due --within 400d --passphrase-env WORD";
    let (status, _, stderr) = ca.run(variable("wrong"), all);
    assert_eq!(status, ExitStatus::Refused);
    assert_eq!(stderr.matches("wrong passphrase").count(), 1, "{stderr}");
    assert!(stderr.contains("; 2 more entries were not tried"), "{stderr}");
    let without = CliRun::default();
    let (_, _, stderr) = ca.run(without, "renew --due --within 400d");
    assert!(stderr.contains("; 2 more entries were not tried"), "{stderr}");
    // At a terminal it is asked for once, and what was wrong is not used for the next entry.
    let typed = CliRun { typed: vec!["wrong", "correct horse"], ..CliRun::default() };
    let (status, asked, stderr) = ca.run(typed, "renew --due --within 400d");
    assert_eq!((status, asked.len()), (ExitStatus::Done, 2), "{stderr}");
}

#[test]
fn the_sources_come_in_their_order_and_each_opens_the_key() {
    let ca = EncryptedCa::new();
    let credentials = ca.folder.path().join("credentials");
    std::fs::create_dir(&credentials).unwrap();
    std::fs::write(credentials.join("ca-passphrase"), "correct horse\n").unwrap();
    let credential = || CliRun {
        environment: [
            ("CREDENTIALS_DIRECTORY".into(), credentials.clone().into()),
            ("PATH".into(), "/usr/bin:/bin".into()),
        ]
        .into(),
        ..CliRun::default()
    };
    let path = || CliRun { environment: [("PATH".into(), "/usr/bin:/bin".into())].into(), ..CliRun::default() };
    let stdin = |stdin: &'static [u8]| CliRun { stdin, ..credential() };
    let done = |ended: Ended| assert_eq!(ended.0, ExitStatus::Done, "{}", ended.2);
    let refused = |ended: Ended, word: &str| {
        assert_ne!(ended.0, ExitStatus::Done);
        assert!(ended.2.contains(word), "{}", ended.2);
    };
    ca.set("command = [\"echo\", \"correct horse\"]");
    done(ca.run(path(), "crl"));
    ca.set("command = [\"printf\", \"correct horse\\nuser: root\\n\"]");
    done(ca.run(path(), "crl"));
    // The credential comes before the settings, a flag before the credential.
    ca.set("command = [\"echo\", \"wrong\"]");
    refused(ca.run(path(), "crl"), "wrong passphrase");
    done(ca.run(credential(), "crl"));
    refused(ca.run(stdin(b"wrong\n"), "crl --passphrase-file -"), "wrong passphrase");
    done(ca.run(stdin(b"correct horse\nsecond line\n"), "crl --passphrase-file -"));
    // One of standard input is good for every key.
    done(ca.run(stdin(b"correct horse\n"), "root rotate start --passphrase-file -"));
    refused(ca.run(stdin(b""), "--dir other init --config - --passphrase-file -"), "both a file and the passphrase");

    std::fs::write(credentials.join("ca-passphrase"), "").unwrap();
    refused(ca.run(credential(), "crl"), "is empty");
    std::fs::remove_file(credentials.join("ca-passphrase")).unwrap();
    refused(ca.run(credential(), "crl"), "wrong passphrase");
}

#[test]
fn a_passphrase_command_that_fails_is_named_with_the_reason_and_not_with_what_it_wrote() {
    let ca = EncryptedCa::new();
    for (command, reason) in [
        ("\"no-such-program\"", "'no-such-program' cannot be started"),
        ("\"sh\", \"-c\", \"echo secret; exit 3\"", "'sh' exited with status 3"),
        ("\"sh\", \"-c\", \"echo secret; kill -9 $$\"", "'sh' was stopped by signal 9"),
        ("\"yes\", \"secret\"", "'yes' wrote more than 65536 bytes"),
        ("\"true\"", "the first line that 'true' printed is empty"),
        ("\"./missing\"", "'./missing' cannot be started"),
    ] {
        ca.set(&format!("command = [{command}]"));
        let run = CliRun { environment: [("PATH".into(), "/usr/bin:/bin".into())].into(), ..CliRun::default() };
        let (status, _, stderr) = ca.run(run, "crl");
        assert_ne!(status, ExitStatus::Done);
        assert!(stderr.contains(reason) && !stderr.contains("secret"), "{stderr}");
        assert!(stderr.contains("ca.toml names it"), "{stderr}");
    }
    for wrong in ["command = [\"\"]", "command = [\"true\"]\nfile = \"x\"", "command = [\"true\"]\nenv = \"X\""] {
        ca.set(wrong);
        assert_eq!(ca.run(CliRun::default(), "crl").0, ExitStatus::Usage, "{wrong}");
    }
}

#[test]
fn a_user_has_three_attempts_for_the_passphrase_of_a_backup_and_for_that_of_the_key_in_it() {
    let ca = EncryptedCa::new();
    let typed = |typed: &[&'static str]| CliRun { typed: typed.to_vec(), ..CliRun::default() };
    let (status, asked, stderr) = ca.run(typed(&["one", "two", "of the backup", "of the backup"]), "backup ca.age");
    assert_eq!((status, asked.len()), (ExitStatus::Done, 4), "{stderr}");
    let (status, asked, stderr) = ca.run(typed(&["wrong", "of the backup"]), "restore ca.age restored");
    assert_eq!(status, ExitStatus::Done, "{stderr}");
    let question = "Passphrase of the backup: ";
    assert_eq!(asked, [question.to_owned(), format!("The passphrase is wrong. {question}")]);
    let words = ["of the backup", "wrong", "wrong too", "correct horse"];
    let (status, asked, stderr) = ca.run(typed(&words), "backup test ca.age");
    assert_eq!((status, asked.len()), (ExitStatus::Done, 4), "{stderr}");
    let (status, asked, stderr) = ca.run(typed(&["wrong"; 4]), "restore ca.age another");
    assert_eq!((status, asked.len()), (ExitStatus::Refused, 3), "{stderr}");
    assert!(stderr.contains("wrong passphrase") && !ca.folder.path().join("another").exists(), "{stderr}");
    // What was not typed is not asked for again.
    let run = CliRun { environment: [("WORD".into(), "wrong".into())].into(), ..typed(&["of the backup"]) };
    let (status, asked, _) = ca.run(run, "restore ca.age another --passphrase-env WORD");
    assert_eq!((status, asked.len()), (ExitStatus::Refused, 0));
}
