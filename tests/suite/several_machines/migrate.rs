//! `ca index migrate`, and tables of another version.

use super::{Machines, said};

/// Makes tables of version 1: they have another collation.
const TO_VERSION_1: &str = "
    SET search_path = ca; ALTER COLLATION nocase RENAME TO later;
    CREATE COLLATION nocase (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
    ALTER TABLE certificate ALTER name TYPE TEXT COLLATE nocase; ALTER TABLE rollback ALTER name TYPE TEXT COLLATE nocase;
    ALTER TABLE hook ALTER name TYPE TEXT COLLATE nocase; ALTER TABLE event ALTER name TYPE TEXT COLLATE nocase;
    ALTER TABLE file_rules ALTER name TYPE TEXT COLLATE nocase; ALTER TABLE export ALTER name TYPE TEXT COLLATE nocase;
    ALTER TABLE declaration ALTER name TYPE TEXT COLLATE nocase; DROP COLLATION later; UPDATE version SET version = 1";

/// The exit status and the error of a command.
fn refused(machines: &Machines, words: &str) -> String {
    let output = machines.place.ca(words).output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(3), "{words}: {stderr}");
    stderr
}

#[test]
fn older_tables_are_refused_until_their_owner_migrates_them() {
    let Some(machines) = Machines::start() else { return };
    let Machines { place, server } = &machines;
    server.sql("CREATE ROLE ca_issuer LOGIN");
    server.sql(&place.done("--dir one index grants --role ca_issuer"));
    let settings = place.path("two/ca.toml");
    let text = std::fs::read_to_string(&settings).unwrap();
    std::fs::write(&settings, text.replace("postgres@", "ca_issuer@")).unwrap();
    server.sql(TO_VERSION_1);
    let version = || server.sql("SELECT version FROM ca.version").trim().to_owned();
    for words in ["--dir one list", "--dir two issue server web.test", "--dir two crl", "--dir one audit head"] {
        let stderr = refused(&machines, words);
        assert!(stderr.contains("has version 1") && stderr.contains("ca index migrate"), "{words}: {stderr}");
    }
    let planned = place.done("--dir one index migrate --dry-run");
    assert!(planned.contains("Would migrate the index from version 1 to 2"), "{planned}");
    assert!(refused(&machines, "--dir two index migrate").contains("must be owner"));
    // A step that fails is undone.
    server.sql("CREATE COLLATION ca.nocase_of_version_1 FROM \"C\"");
    assert!(refused(&machines, "--dir one index migrate").contains("already exists"));
    server.sql("DROP COLLATION ca.nocase_of_version_1");
    assert_eq!(version(), "1");
    let migrated = said(&place.ca("--dir one index migrate --json").output().unwrap());
    assert_eq!((&migrated["migrated"], &migrated["tables_version_before"]), (&true.into(), &1.into()));
    assert_eq!(version(), "2");
    place.done("--dir two issue server web.test");
    assert!(place.done("--dir one show WEB.test").contains("web.test"));
    for machine in ["one", "two"] {
        for option in ["", " --dry-run"] {
            let stdout = place.done(&format!("--dir {machine} index migrate{option}"));
            assert!(stdout.contains("Nothing to migrate") && stdout.contains("has version 2 already"), "{stdout}");
        }
    }
    for (version, expected) in [(3, "has version 3"), (0, "its version is 0")] {
        server.sql(&format!("UPDATE ca.version SET version = {version}"));
        for option in ["", " --dry-run"] {
            let stderr = refused(&machines, &format!("--dir one index migrate{option}"));
            assert!(stderr.contains(expected), "{stderr}");
        }
    }
    server.sql("UPDATE ca.version SET version = 2");
    machines.check();
}

#[test]
fn machines_that_migrate_at_once_run_each_step_once() {
    let Some(machines) = Machines::start() else { return };
    machines.server.sql(TO_VERSION_1);
    for output in
        machines.at_once(["one", "two", "one", "two"].map(|machine| format!("--dir {machine} index migrate --json")))
    {
        assert_eq!(said(&output)["tables_version"], 2);
    }
    machines.check();
}
