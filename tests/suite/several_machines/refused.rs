//! What cannot be used is refused with its cause, and nothing is lost.

use super::Machines;

/// The exit status and the error of a command on the first machine.
fn refused(machines: &Machines, words: &str) -> (i32, String) {
    let output = machines.place.ca(&format!("--dir one {words}")).output().unwrap();
    (output.status.code().unwrap(), String::from_utf8_lossy(&output.stderr).into_owned())
}

fn with_location(machines: &Machines, location: &str) {
    let settings = machines.place.path("one/ca.toml");
    let text = std::fs::read_to_string(&settings).unwrap();
    let lines = text.lines().map(|line| match line.starts_with("location = ") {
        true => format!("location = \"{location}\"\n"),
        false => format!("{line}\n"),
    });
    std::fs::write(settings, lines.collect::<String>()).unwrap();
}

#[test]
fn a_location_that_cannot_be_used_is_refused_with_its_cause() {
    let Some(machines) = Machines::start() else { return };
    let url = machines.server.url("postgres");
    for (location, status, expected) in [
        ("postgresql://ca:secret@db.test/pki", 2, "it has a password"),
        ("postgresql://db.test", 2, "it names no database"),
        ("postgresql://db.test/pki?sslmode=require", 2, "does not verify the server"),
        ("postgresql://db.test/pki?sslmod=x", 2, "not known"),
        ("postgresql://ca@/pki?host=/nonexistent", 3, "cannot be reached"),
        (&url.replace("/pki", "/other"), 3, "does not exist"),
        (&url.replace("postgres@", "missing@"), 3, "does not exist"),
        (&format!("{url}&schema=empty"), 3, "there is no index"),
        (&format!("{url}&schema=foreign"), 3, "another program"),
    ] {
        if location.ends_with("=foreign") {
            machines.server.sql("CREATE SCHEMA \"foreign\"; CREATE TABLE \"foreign\".version (number INT)");
        }
        with_location(&machines, location);
        for words in ["list", "issue server web.test", "crl"] {
            let (found, stderr) = refused(&machines, words);
            assert_eq!(found, status, "{location}: {stderr}");
            assert!(stderr.contains(expected) && stderr.contains("fix: "), "{location}: {stderr}");
            assert!(!stderr.contains("secret"), "{stderr}");
        }
        assert!(!machines.place.path("one/issued/web.test").exists());
    }
    // A verification from files says what it could not check.
    with_location(&machines, "postgresql://ca@/pki?host=/nonexistent");
    let (status, stderr) = refused(&machines, "verify one/issued/before.test/fullchain.pem");
    assert_eq!(status, 0, "{stderr}");
    assert!(stderr.contains("only the CRLs of the CA directory were checked"), "{stderr}");
}

/// A server that accepts connections and does not answer.
#[test]
fn a_shell_completes_nothing_when_the_server_does_not_answer() {
    let Some(machines) = Machines::start() else { return };
    let completed = || {
        let mut tab = machines.place.ca("-- ca --dir one show be");
        tab.env("_CA_COMPLETE", "bash").env("_CLAP_COMPLETE_INDEX", "4").env("_CLAP_IFS", " ");
        let output = tab.env("_CLAP_COMPLETE_COMP_TYPE", "9").env("_CLAP_COMPLETE_SPACE", "false").output().unwrap();
        assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    assert_eq!(completed().trim(), "before.test");
    let folder = machines.place.path("silent");
    std::fs::create_dir(&folder).unwrap();
    let _listener = std::os::unix::net::UnixListener::bind(folder.join(".s.PGSQL.5432")).unwrap();
    with_location(&machines, &format!("postgresql://ca@/pki?host={}", folder.display()));
    assert_eq!(completed(), "");
    let (status, stderr) = refused(&machines, "list");
    assert_eq!(status, 3);
    assert!(stderr.contains("did not answer within 10 seconds"), "{stderr}");
}

#[test]
fn another_version_a_server_without_sync_and_a_held_lock_are_refused() {
    let Some(mut machines) = Machines::start() else { return };
    for (version, expected) in [(99, "has version 99"), (1, "ca index migrate"), (0, "its version is 0")] {
        machines.server.sql(&format!("UPDATE ca.version SET version = {version}"));
        for words in ["list", "issue server web.test"] {
            let (status, stderr) = refused(&machines, words);
            assert_eq!(status, 3);
            assert!(stderr.contains(expected), "{stderr}");
        }
    }
    machines.server.sql("UPDATE ca.version SET version = 2");
    for setting in ["fsync", "full_page_writes"] {
        machines.server.sql(&format!("ALTER SYSTEM SET {setting} = off"));
        machines.server.restart();
        let (status, stderr) = refused(&machines, "issue server web.test");
        assert_eq!(status, 3);
        assert!(stderr.contains(&format!("{setting} = off")), "{stderr}");
        machines.server.sql(&format!("ALTER SYSTEM RESET {setting}"));
        machines.server.restart();
    }
    // A commit waits for the disk although the server, or the role, says otherwise.
    machines.server.sql("ALTER ROLE postgres SET synchronous_commit = off");
    machines.server.set("log_statement=all");
    machines.server.restart();
    machines.place.done("--dir one issue server web.test");
    let log = std::fs::read_to_string(machines.server.folder().join("log")).unwrap();
    let (before, after) = log.split_once("SET synchronous_commit = on").unwrap();
    assert!(!before.contains("INSERT INTO certificate") && after.contains("INSERT INTO certificate"), "{log}");
    // Another session has the lock of the writers; it ends with its connection.
    let lock = "SELECT pg_advisory_lock(classid::int, objid::int) FROM (SELECT 1667320152 AS classid, hashtext('ca') AS objid) AS l";
    let mut holder = machines.server.as_user("psql");
    holder.args(["-U", "postgres", "-d", "pki", "-X", "-q", "-At"]).stdin(std::process::Stdio::piped());
    let mut holder = holder.stdout(std::process::Stdio::piped()).spawn().unwrap();
    use std::io::{BufRead, Write};
    writeln!(holder.stdin.as_mut().unwrap(), "{lock};\n\\echo locked").unwrap();
    let mut lines = std::io::BufReader::new(holder.stdout.as_mut().unwrap()).lines();
    while lines.next().unwrap().unwrap() != "locked" {}
    let (status, stderr) = refused(&machines, "--lock-timeout 1s issue server waits.test");
    assert_eq!(status, 3);
    assert!(stderr.contains("another process or machine") && stderr.contains("--lock-timeout"), "{stderr}");
    machines.place.done("--dir two list");
    holder.kill().unwrap();
    holder.wait().unwrap();
    machines.place.done("--dir one issue server waits.test");
    machines.check();
}

#[test]
fn a_copy_is_made_once_and_a_target_with_another_index_is_refused() {
    let Some(machines) = Machines::start() else { return };
    let place = &machines.place;
    place.done("--dir other init --no-passphrase");
    let words = format!("--dir other index copy --to {}", machines.server.url("postgres"));
    let output = place.ca(&words).output().unwrap();
    assert_eq!(output.status.code(), Some(3));
    assert!(String::from_utf8_lossy(&output.stderr).contains("another index"), "{output:?}");
    place.done("--dir other issue server web.test");
    // A copy that was made before ca.toml was written is used by the next run.
    let words = format!("--dir other index copy --to {}&schema=third", machines.server.url("postgres"));
    let settings = place.path("other/ca.toml");
    let before = std::fs::read_to_string(&settings).unwrap();
    place.done(&words);
    std::fs::write(&settings, &before).unwrap();
    place.done(&words);
    assert_ne!(std::fs::read_to_string(&settings).unwrap(), before);
    place.done("--dir other issue server two.test");
    std::fs::write(&settings, &before).unwrap();
    let again = place.ca(&words).output().unwrap();
    assert_eq!(again.status.code(), Some(3), "the server has a certificate that the file does not have");
    let same = place.ca("--dir other index copy --to index.db").output().unwrap();
    assert_eq!(same.status.code(), Some(2));
    machines.check();
}
