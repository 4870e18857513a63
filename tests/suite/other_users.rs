//! Another user on the same machine: a CA directory that he planted, a folder of his, a lock that he holds; and a colleague
//! who may read, and not write.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

use crate::safety::{INIT, everything_below, told};
use crate::support::program::{Place, binary};
use crate::support::skip;

/// Makes an index of version 3.
pub const TO_AN_OLDER_VERSION: &str =
    "DROP TABLE imported_revocation; DROP TABLE imported_serial; DROP TABLE file_rules; DROP TABLE crl_bundle;
     DROP TABLE export; DROP TABLE declaration; DROP TABLE event; ALTER TABLE certificate DROP COLUMN delivered_check;
     ALTER TABLE revocation_list DROP COLUMN published_check; ALTER TABLE rollback DROP COLUMN done_check; PRAGMA user_version = 3";

/// What is done to a copy of a CA directory, which is named.
type Change<'a> = &'a dyn Fn(&str);

/// The user id and group id of the other user.
const OTHER: u32 = 65_534;

/// A place in which another user can run `ca`; `None` when this process is not root's, which only can be several users.
fn with_other_user() -> Option<Place> {
    if !skip::unless_installed(&["setpriv"]) {
        return None;
    }
    let place = Place::new();
    if chown(place.path(""), Some(0), None).is_err() {
        skip::because("only root can be another user");
        return None;
    }
    fs::set_permissions(place.path(""), Permissions::from_mode(0o755)).unwrap();
    fs::copy(binary(), place.path("ca-of-others")).unwrap();
    fs::set_permissions(place.path("ca-of-others"), Permissions::from_mode(0o755)).unwrap();
    Some(place)
}

/// `ca` of the other user.
fn other_ca(place: &Place, words: &str) -> Command {
    let mut command = place.command("setpriv");
    command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]).arg(place.path("ca-of-others"));
    command.args(words.split_whitespace());
    command
}

fn give(folder: &Path) {
    everything_below(folder).iter().for_each(|path| chown(path, Some(OTHER), Some(OTHER)).unwrap());
}

fn code(output: &Output) -> Option<String> {
    let failure: Value = serde_json::from_slice(&output.stderr).ok()?;
    Some(failure["error"]["code"].as_str()?.to_owned())
}

#[test]
fn a_ca_directory_that_this_user_cannot_read_is_named_whether_it_is_found_or_given() {
    let Some(place) = with_other_user() else { return };
    place.done(INIT);
    for words in ["--json list", "--json --dir ca list"] {
        let output = other_ca(&place, words).output().unwrap();
        assert_eq!(output.status.code(), Some(3), "{words}: {}", told(&output));
        assert_eq!(code(&output).as_deref(), Some("permission-denied"), "{words}: {}", told(&output));
        assert!(told(&output).contains("you are user 65534"), "{words}: {}", told(&output));
    }
}

/// The attacker's directory lies above the working folder of root, and its `ca.toml` is a link to a file of root's.
#[test]
fn a_planted_ca_directory_is_not_used_by_root() {
    let Some(place) = with_other_user() else { return };
    place.done(INIT);
    place.done("--dir ca issue server web.test");
    let issue = ["issue", "server", "hooked.test", "--hook", "touch hook-ran"];
    assert!(place.command(binary()).args(["--dir", "ca"]).args(issue).status().unwrap().success());
    place.done("--dir ca rekey hooked.test --no-hook");
    fs::remove_file(place.path("hook-ran")).unwrap();
    give(&place.path("ca"));
    fs::rename(place.path("ca/ca.toml"), place.path("harmless.toml")).unwrap();
    chown(place.path("harmless.toml"), Some(0), Some(0)).unwrap();
    symlink(place.path("harmless.toml"), place.path("ca/ca.toml")).unwrap();
    fs::create_dir(place.path("work")).unwrap();
    for words in
        ["verify ../ca/issued/web.test/fullchain.pem", "roots", "list", "renew hooked.test", "rollback hooked.test"]
    {
        let output = place.ca(&format!("--json {words}")).current_dir(place.path("work")).output().unwrap();
        assert_eq!(output.status.code(), Some(3), "{words}: {}", told(&output));
        assert_eq!(code(&output).as_deref(), Some("foreign-ca"), "{words}: {}", told(&output));
    }
    assert!(!place.path("hook-ran").exists() && !place.path("work/hook-ran").exists());
}

#[test]
fn a_directory_of_another_user_is_used_when_it_is_named_and_not_when_a_third_user_is_in_it() {
    let Some(place) = with_other_user() else { return };
    place.done(INIT);
    give(&place.path("ca"));
    assert_eq!(code(&place.ca("--json list").output().unwrap()).as_deref(), Some("foreign-ca"));
    place.done("--dir ca list");
    // Its key, too.
    place.done("--dir ca issue server web.test");
    other_ca(&place, "list").current_dir(place.path("ca")).status().unwrap();
    chown(place.path("ca/authorities/root/cert.pem"), Some(OTHER - 1), None).unwrap();
    assert_eq!(code(&place.ca("--json --dir ca list").output().unwrap()).as_deref(), Some("foreign-ca"));
}

#[test]
fn no_ca_is_made_in_a_folder_of_another_user() {
    let Some(place) = with_other_user() else { return };
    for mode in [0o777, 0o755, 0o700] {
        let folder = place.path(format!("own-{mode:o}"));
        fs::create_dir(&folder).unwrap();
        fs::set_permissions(&folder, Permissions::from_mode(mode)).unwrap();
        chown(&folder, Some(OTHER), Some(OTHER)).unwrap();
        let output = place.ca(&format!("--json --dir own-{mode:o} init --no-passphrase")).output().unwrap();
        assert_eq!(code(&output).as_deref(), Some("foreign-ca"), "{}", told(&output));
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 0);
    }
}

/// A copy of a CA that another user can read and not write: with its log and without, of this version and of an older one.
#[test]
fn a_ca_that_can_be_read_and_not_written_is_shown() {
    let Some(place) = with_other_user() else { return };
    place.done(INIT);
    place.done("--dir ca issue server web.test");
    place.done("--dir ca crl");
    let index = |name: &str| rusqlite::Connection::open(place.path(name).join("index.db")).unwrap();
    let kinds: [(&str, Change<'_>); 5] = [
        ("whole", &|_| {}),
        ("without-shared-memory", &|name| fs::remove_file(place.path(name).join("index.db-shm")).unwrap()),
        ("folded", &|name| {
            index(name).query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
            for side in ["index.db-wal", "index.db-shm"] {
                fs::remove_file(place.path(name).join(side)).ok();
            }
        }),
        ("older", &|name| index(name).execute_batch(TO_AN_OLDER_VERSION).unwrap()),
        ("older-with-log", &|name| {
            let index = index(name);
            index.set_db_config(rusqlite::config::DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true).unwrap();
            index.execute_batch(TO_AN_OLDER_VERSION).unwrap();
            drop(index);
            fs::remove_file(place.path(name).join("index.db-shm")).unwrap();
        }),
    ];
    for (name, change) in kinds {
        let folder = place.path(name);
        assert!(Command::new("cp").arg("-a").arg(place.path("ca")).arg(&folder).status().unwrap().success());
        change(name);
        give(&folder);
        assert!(Command::new("chmod").arg("-R").arg("a-w").arg(&folder).status().unwrap().success());
        let before = everything_below(&folder);
        for words in [
            "list",
            "show web.test",
            "history web.test",
            "due",
            "roots",
            "crl --ensure",
            "log",
            "audit head",
            "verify FOLDER/issued/web.test/cert.pem",
        ] {
            let words = words.replace("FOLDER", name);
            let output = other_ca(&place, &format!("--dir {name} {words}")).output().unwrap();
            assert!(output.status.success(), "{name}: {words}: {}", told(&output));
            assert!(!told(&output).contains("warning"), "{name}: {words}: {}", told(&output));
        }
        // An older version has no event log.
        if !name.starts_with("older") {
            let audited = other_ca(&place, &format!("--dir {name} audit")).output().unwrap();
            assert!(audited.status.success(), "{name}: {}", told(&audited));
        }
        let listed = other_ca(&place, &format!("--dir {name} list")).output().unwrap();
        assert!(told(&listed).contains("web.test"), "{name}: {}", told(&listed));
        for words in ["issue server x.test", "revoke web.test", "renew web.test", "crl"] {
            let output = other_ca(&place, &format!("--json --dir {name} {words}")).output().unwrap();
            assert_eq!(output.status.code(), Some(3), "{name}: {words}: {}", told(&output));
            assert!(told(&output).contains("is read-only: cannot write into"), "{name}: {words}: {}", told(&output));
            assert_eq!(code(&output).as_deref(), Some("permission-denied"), "{name}: {words}");
        }
        assert_eq!(everything_below(&folder), before, "{name}: a file was created or removed");
    }
}

#[test]
fn an_index_whose_log_cannot_be_read_is_refused_with_the_name_of_the_file() {
    let Some(place) = with_other_user() else { return };
    place.done(INIT);
    place.done("--dir ca issue server web.test");
    give(&place.path("ca"));
    fs::remove_file(place.path("ca/index.db-shm")).unwrap();
    fs::set_permissions(place.path("ca"), Permissions::from_mode(0o500)).unwrap();
    for file in ["index.db-wal", "index.db"] {
        fs::set_permissions(place.path("ca").join(file), Permissions::from_mode(0o000)).unwrap();
        let output = other_ca(&place, "--dir ca list").output().unwrap();
        assert_eq!(output.status.code(), Some(3), "{}", told(&output));
        assert!(told(&output).contains(&format!("ca/{file}: permission denied")), "{}", told(&output));
    }
}
