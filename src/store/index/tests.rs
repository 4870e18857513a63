//! Tests of the guarantees of the index.

use std::fs;
use std::path::Path;
use std::sync::Barrier;
use std::thread;

use rusqlite::Connection;
use time::Duration;

use crate::store::index::sample::{NOW, Sample, add, context, entry, new_index};
use crate::store::index::*;
use crate::text::{Lifetime, PathText};
use crate::x509::SerialNumber;
use crate::x509::crl::RevocationReason;

fn names(entries: &[Entry]) -> Vec<&str> {
    entries.iter().map(|entry| entry.name.as_str()).collect()
}

#[test]
fn what_goes_in_comes_out() {
    let (_folder, path, mut index) = new_index();
    let sample = Sample { sans: &["web.corp.test", "10.0.0.1", "2001:db8::1", "a@b.test"], ..Sample::default() };
    let certificate = sample.certificate();
    let mut transaction = index.transaction(context()).unwrap();
    let new = NewEntry { place: Some(Path::new("/etc/web tls")), ..entry(&certificate, "web.corp.test") };
    let id = transaction.insert(&new).unwrap();
    transaction.commit().unwrap();

    for index in [index, Index::open_to_read(&path).unwrap()] {
        let found = index.latest_by_name("web.corp.test").unwrap().unwrap();
        assert_eq!(found.id, id);
        assert_eq!((&found.serial, found.validity), (&certificate.serial, certificate.validity));
        assert_eq!(
            (found.name.as_str(), found.template.as_str(), found.authority.as_str()),
            ("web.corp.test", "server", "root")
        );
        assert_eq!((found.subject.as_str(), &found.issuer), ("CN=a", &certificate.issuer));
        let sans: Vec<String> = found.sans.iter().map(|(kind, value)| format!("{kind}:{value}")).collect();
        assert_eq!(sans, ["dns:web.corp.test", "ip:10.0.0.1", "ip:2001:db8::1", "email:a@b.test"]);
        assert_eq!(
            (found.fingerprint, found.key_fingerprint),
            (certificate.fingerprint(), certificate.public_key.fingerprint())
        );
        assert_eq!((found.issued_at, found.origin, found.delivered_at), (NOW, Origin::Issued, None));
        assert_eq!(found.place.as_deref(), Some(Path::new("/etc/web tls")));
        assert_eq!(found.status(NOW), CertificateStatus::NotDelivered);
        assert_eq!(index.certificate(&found).unwrap(), certificate);
        assert!(index.check().unwrap().is_empty());
    }
}

#[test]
fn many_certificates_are_marked_as_delivered_at_once_and_the_others_are_not() {
    let (_folder, _, mut index) = new_index();
    let ids: Vec<EntryId> =
        (1..=5).map(|serial| add(&mut index, &Sample { serial, ..Sample::default() }, &format!("n{serial}"))).collect();
    ids.iter().for_each(|id| index.unmark_delivered(*id).unwrap());
    index.mark_all_delivered(&ids[1..4], NOW).unwrap();
    let marked: Vec<bool> =
        index.query(&Filter::default(), NOW).unwrap().0.iter().map(|it| it.delivered_at.is_some()).collect();
    assert_eq!(marked, [false, true, true, true, false]);
    assert_eq!(index.damaged_marks().unwrap(), []);
}

#[test]
fn a_schema_that_was_tampered_with_does_nothing_but_name_tables() {
    let (_folder, path, mut index) = new_index();
    add(&mut index, &Sample::default(), "first");
    drop(index);
    // The file as an attacker with write access could leave it.
    let planted = Connection::open(&path).unwrap();
    planted
        .execute_batch("CREATE TRIGGER planted AFTER INSERT ON certificate BEGIN DELETE FROM certificate; END")
        .unwrap();
    drop(planted);
    let mut index = Index::open(&path).unwrap();
    add(&mut index, &Sample { serial: 2, key: 2, ..Sample::default() }, "second");
    assert_eq!(index.history("first").unwrap().len() + index.history("second").unwrap().len(), 2);
    use rusqlite::config::DbConfig;
    for (setting, wanted) in [
        (DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false),
        (DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true),
        (DbConfig::SQLITE_DBCONFIG_ENABLE_VIEW, false),
    ] {
        assert_eq!(index.connection.raw().db_config(setting).unwrap(), wanted, "{setting:?}");
    }
}

#[test]
fn a_serial_number_is_recorded_once_per_issuer() {
    let (_folder, _, mut index) = new_index();
    add(&mut index, &Sample::default(), "first");
    let certificate = Sample { key: 2, ..Sample::default() }.certificate();
    assert!(index.serial_is_used(&certificate.serial).unwrap());
    assert!(!index.serial_is_used(&SerialNumber::from_der_content(&[1])).unwrap());
    let mut transaction = index.transaction(context()).unwrap();
    let error = transaction.insert(&entry(&certificate, "second")).unwrap_err();
    assert!(matches!(error, IndexError::SerialUsed { .. }), "{error}");
    transaction.commit().unwrap();
    assert_eq!(index.query(&Filter::default(), NOW).unwrap().1, 1);

    add(&mut index, &Sample { issuer: "Other root", ..Sample::default() }, "adopted");
    assert_eq!(index.by_serial(&certificate.serial).unwrap().len(), 2);
    let error = index.find(&Reference::Serial(certificate.serial)).unwrap_err();
    assert!(matches!(error, IndexError::SeveralIssuers { .. }), "{error}");
}

#[test]
fn a_change_that_is_dropped_never_was() {
    let (_folder, path, mut index) = new_index();
    let certificate = Sample::default().certificate();
    let mut transaction = index.transaction(context()).unwrap();
    transaction.insert(&entry(&certificate, "web")).unwrap();
    assert!(transaction.serial_is_used(&certificate.serial).unwrap(), "a transaction sees its own records");
    assert!(!Index::open_to_read(&path).unwrap().serial_is_used(&certificate.serial).unwrap(), "nobody else does");
    drop(transaction);
    assert!(!index.serial_is_used(&certificate.serial).unwrap());
}

#[test]
fn a_delivery_is_noted() {
    let (_folder, path, mut index) = new_index();
    let id = add(&mut index, &Sample::default(), "web");
    index.mark_delivered(id, NOW).unwrap();
    let synchronous = |connection: &database::Database| -> database::DatabaseResult<i64> {
        connection.query_row("PRAGMA synchronous", &[], |row| row.get(0))
    };
    assert_eq!(synchronous(&index.connection).unwrap(), 2, "the next commit is durable again");
    let mut meanwhile = None;
    index.lightly(|connection| synchronous(connection).map(|level| meanwhile = Some(level))).unwrap();
    assert_eq!(meanwhile, Some(1), "NORMAL: the log is synced before it is written back");
    let reader = Index::open_to_read(&path).unwrap();
    assert_eq!(reader.latest_by_name("web").unwrap().unwrap().delivered_at, Some(NOW));
}

#[test]
fn the_latest_of_a_name_is_meant_and_its_history_is_kept() {
    let (_folder, _, mut index) = new_index();
    for (serial, name) in [(1, "web"), (2, "db"), (3, "web")] {
        add(&mut index, &Sample { serial, ..Sample::default() }, name);
    }
    let history = index.history("web").unwrap();
    assert_eq!(history.iter().map(|entry| entry.serial.to_string()).collect::<Vec<_>>(), ["0100000001", "0100000003"]);
    assert_eq!(index.find(&"web".parse().unwrap()).unwrap(), history[1]);
    assert_eq!(index.find(&"0100000001".parse().unwrap()).unwrap(), history[0]);
    assert_eq!(index.history("WEB").unwrap(), history, "two names that share a folder are one");
    let error = index.find(&"nothing".parse().unwrap()).unwrap_err();
    assert_eq!(error.to_string(), "there is no certificate with the name 'nothing'");
}

#[test]
fn a_host_is_found_by_its_name_as_people_write_it() {
    let (_folder, _, mut index) = new_index();
    add(&mut index, &Sample::default(), "xn--bcher-kva.test");
    add(&mut index, &Sample { serial: 2, ..Sample::default() }, "Müller");
    let found = |given: &str| index.find(&given.parse().unwrap()).map(|entry| entry.name).ok();
    assert_eq!(found("bücher.test").as_deref(), Some("xn--bcher-kva.test"));
    assert_eq!(found("name:BÜCHER.test").as_deref(), Some("xn--bcher-kva.test"));
    assert_eq!(found("Müller").as_deref(), Some("Müller"));
    assert_eq!(found("bucher.test"), None);
}

#[test]
fn a_mistyped_name_is_reported_with_the_nearest_one() {
    let (_folder, _, mut index) = new_index();
    for (serial, name) in [(1, "web.corp.test"), (2, "mail.corp.test"), (3, "alice")] {
        add(&mut index, &Sample { serial, ..Sample::default() }, name);
    }
    let nearest = |given: &str| match index.find(&given.parse().unwrap()) {
        Err(IndexError::NotFound { nearest, .. }) => nearest,
        other => panic!("{other:?}"),
    };
    for (given, expected) in [("web", "web.corp.test"), ("mial.corp.test", "mail.corp.test"), ("Alcie", "alice")] {
        assert_eq!(nearest(given).as_deref(), Some(expected), "{given}");
    }
    assert_eq!(nearest("zzz"), None);
    assert_eq!(nearest("serial:00ff"), None, "a serial number is like no name");
}

#[test]
fn what_is_a_name_and_a_serial_is_not_guessed() {
    let (_folder, _, mut index) = new_index();
    add(&mut index, &Sample::default(), "web");
    add(&mut index, &Sample { serial: 2, ..Sample::default() }, "0100000001");
    let find = |given: &str| index.find(&given.parse().unwrap());
    assert!(matches!(find("0100000001"), Err(IndexError::Ambiguous { .. })));
    assert_eq!(find("serial:0100000001").unwrap().name, "web");
    assert_eq!(find("name:0100000001").unwrap().name, "0100000001");
}

#[test]
fn each_filter_lets_through_what_it_says() {
    let (_folder, _, mut index) = new_index();
    let base = Sample::default;
    add(&mut index, &Sample { serial: 1, sans: &["web.corp.test"], key: 7, ..base() }, "valid");
    add(&mut index, &Sample { serial: 2, not_after: NOW - Duration::SECOND, ..base() }, "expired");
    add(&mut index, &Sample { serial: 3, not_before: NOW + Duration::SECOND, ..base() }, "future");
    let revoked = add(&mut index, &Sample { serial: 4, not_after: NOW - Duration::HOUR, ..base() }, "revoked");
    let held = add(&mut index, &Sample { serial: 5, sans: &["*.corp.test"], ..base() }, "held");
    let soon = Sample { serial: 6, not_after: NOW + Duration::days(10), ..base() }.certificate();
    let mut transaction = index.transaction(context()).unwrap();
    transaction
        .insert(&NewEntry { template: "client", authority: "issuing", delivered_at: Some(NOW), ..entry(&soon, "soon") })
        .unwrap();
    for (id, reason) in [(revoked, RevocationReason::KeyCompromise), (held, RevocationReason::CertificateHold)] {
        let at = NOW - Duration::MINUTE;
        transaction.revoke(id, &Revocation { at, reason, invalid_since: None, released_at: None }).unwrap();
    }
    transaction.commit().unwrap();

    let found = |filter: Filter| {
        let (entries, total) = index.query(&filter, NOW).unwrap();
        assert_eq!(entries.len() as u64, total);
        entries.iter().map(|entry| entry.name.clone()).collect::<Vec<_>>().join(" ")
    };
    let status = |status| found(Filter { status: Some(status), ..Filter::default() });
    assert_eq!(found(Filter::default()), "valid expired future revoked held soon");
    assert_eq!(status(CertificateStatus::Valid), "valid soon");
    assert_eq!(status(CertificateStatus::NotDelivered), "");
    assert_eq!(status(CertificateStatus::Expired), "expired");
    assert_eq!(status(CertificateStatus::NotYetValid), "future");
    assert_eq!(status(CertificateStatus::Revoked), "revoked");
    assert_eq!(status(CertificateStatus::Held), "held");
    assert_eq!(found(Filter { expiring: Some(Lifetime::from_days(10)), ..Filter::default() }), "soon");
    assert_eq!(found(Filter { san: Some("web.corp.test".parse().unwrap()), ..Filter::default() }), "valid");
    assert_eq!(found(Filter { san: Some("uri:urn:web".parse().unwrap()), ..Filter::default() }), "");
    assert_eq!(found(Filter { template: Some("client".to_owned()), ..Filter::default() }), "soon");
    assert_eq!(found(Filter { authority: Some("issuing".to_owned()), ..Filter::default() }), "soon");
    assert_eq!(found(Filter { name: Some("held".to_owned()), ..Filter::default() }), "held");
    let key = Sample { key: 7, ..base() }.certificate().public_key.fingerprint();
    assert_eq!(found(Filter { key_fingerprint: Some(key), ..Filter::default() }), "valid");
    let both =
        Filter { status: Some(CertificateStatus::Valid), template: Some("server".to_owned()), ..Filter::default() };
    assert_eq!(found(both), "valid");
}

#[test]
fn sql_and_the_entry_agree_on_the_status_at_every_boundary() {
    let (_folder, _, mut index) = new_index();
    let ids: Vec<EntryId> =
        (1..=5).map(|serial| add(&mut index, &Sample { serial, ..Sample::default() }, &serial.to_string())).collect();
    index.unmark_delivered(ids[4]).unwrap();
    let (before, after) = (NOW - Duration::DAY, NOW + Duration::days(90));
    let mut transaction = index.transaction(context()).unwrap();
    let mut revoke = |id: usize, at, reason, released_at| {
        transaction.revoke(ids[id], &Revocation { at, reason, invalid_since: None, released_at }).unwrap();
    };
    revoke(1, NOW, RevocationReason::Superseded, None);
    revoke(2, NOW, RevocationReason::CertificateHold, Some(NOW + Duration::DAY));
    revoke(3, NOW, RevocationReason::CertificateHold, Some(NOW + Duration::HOUR));
    revoke(3, NOW + Duration::DAY, RevocationReason::KeyCompromise, None);
    transaction.commit().unwrap();

    for moment in [before, NOW, NOW + Duration::HOUR, NOW + Duration::DAY, after] {
        for at in [moment - Duration::SECOND, moment, moment + Duration::SECOND] {
            for entry in index.query(&Filter::default(), at).unwrap().0 {
                let same =
                    Filter { status: Some(entry.status(at)), name: Some(entry.name.clone()), ..Filter::default() };
                assert_eq!(index.query(&same, at).unwrap().0.first(), Some(&entry), "{} {at}", entry.name);
            }
        }
    }
    let status = |name: &str, at| index.latest_by_name(name).unwrap().unwrap().status(at);
    assert_eq!(status("5", NOW), CertificateStatus::NotDelivered);
    assert_eq!(status("5", after + Duration::DAY), CertificateStatus::Expired);
    assert_eq!(status("1", after), CertificateStatus::Valid, "the last second counts");
    assert_eq!(status("1", after + Duration::SECOND), CertificateStatus::Expired);
    assert_eq!(status("2", after + Duration::DAY), CertificateStatus::Revoked, "a revocation outlives the certificate");
    for at in [NOW - Duration::HOUR, NOW, NOW + Duration::DAY] {
        let all =
            [("2", CertificateStatus::Revoked), ("3", CertificateStatus::Valid), ("4", CertificateStatus::Revoked)];
        for (name, expected) in all {
            assert_eq!(status(name, at), expected, "{name} at {at}: a record counts whatever the clock says");
        }
    }

    // Only the past is shown by the times of the records.
    let reason_at = |id: usize, at| index.revocation_at(ids[id], at).unwrap().map(|revocation| revocation.reason);
    assert_eq!(reason_at(1, NOW - Duration::SECOND), None);
    assert_eq!(reason_at(1, NOW), Some(RevocationReason::Superseded));
    assert_eq!(reason_at(2, NOW), Some(RevocationReason::CertificateHold));
    assert_eq!(reason_at(2, NOW + Duration::DAY), None, "released");
    assert_eq!(reason_at(3, NOW + Duration::DAY), Some(RevocationReason::KeyCompromise));
    assert_eq!(index.revocations(ids[3]).unwrap().len(), 2);
}

#[test]
fn a_limit_keeps_the_latest_and_the_total_counts_all() {
    let (_folder, _, mut index) = new_index();
    for serial in 1..=5 {
        add(&mut index, &Sample { serial, ..Sample::default() }, &serial.to_string());
    }
    let (entries, total) = index.query(&Filter { limit: Some(2), ..Filter::default() }, NOW).unwrap();
    assert_eq!((names(&entries), total), (vec!["4", "5"], 5));
    let none = Filter { limit: Some(0), ..Filter::default() };
    assert_eq!(index.query(&none, NOW).unwrap(), (vec![], 5));
}

#[test]
fn no_text_of_a_user_becomes_part_of_a_question() {
    let (_folder, _, mut index) = new_index();
    add(&mut index, &Sample::default(), "100%");
    let hostile = ["'", "\"", "%", "100_", "' OR 1=1 --", "?1", ":now", "x'); DROP TABLE certificate; --", "\u{0}"];
    for (serial, name) in (2..).zip(hostile) {
        assert!(index.latest_by_name(name).unwrap().is_none(), "{name}");
        add(&mut index, &Sample { serial, ..Sample::default() }, name);
        assert_eq!(names(&index.history(name).unwrap()), [name]);
        let filter = Filter { template: Some(name.to_owned()), authority: Some(name.to_owned()), ..Filter::default() };
        assert_eq!(index.query(&filter, NOW).unwrap().1, 0);
    }
    assert_eq!(index.query(&Filter::default(), NOW).unwrap().1, 1 + hostile.len() as u64);
}

#[test]
fn eight_writers_at_once_all_succeed() {
    let (_folder, path, index) = new_index();
    drop(index);
    let start = Barrier::new(8);
    thread::scope(|scope| {
        for writer in 0..8u32 {
            let (start, path) = (&start, &path);
            scope.spawn(move || {
                start.wait();
                for number in 0..10 {
                    let mut index = Index::open(path).unwrap();
                    let serial = writer * 100 + number;
                    let id = add(&mut index, &Sample { serial, ..Sample::default() }, &serial.to_string());
                    index.mark_delivered(id, NOW).unwrap();
                }
            });
        }
    });
    let index = Index::open_to_read(&path).unwrap();
    let (entries, total) = index.query(&Filter::default(), NOW).unwrap();
    assert_eq!(total, 80);
    assert!(entries.iter().all(|entry| entry.delivered_at == Some(NOW)));
    assert!(index.check().unwrap().is_empty());
}

#[test]
fn a_reader_reads_while_a_writer_is_at_work() {
    let (_folder, path, mut index) = new_index();
    add(&mut index, &Sample::default(), "before");
    let second = Sample { serial: 2, ..Sample::default() }.certificate();
    let mut transaction = index.transaction(context()).unwrap();
    transaction.insert(&entry(&second, "under way")).unwrap();

    let reader = Index::open_to_read(&path).unwrap();
    assert_eq!(names(&reader.query(&Filter::default(), NOW).unwrap().0), ["before"]);
    transaction.commit().unwrap();
    assert_eq!(reader.query(&Filter::default(), NOW).unwrap().1, 2, "and sees what was committed since");
}

#[test]
fn a_reader_cannot_write() {
    let (_folder, path, index) = new_index();
    drop(index);
    let mut reader = Index::open_to_read(&path).unwrap();
    assert!(matches!(reader.mark_delivered(EntryId(1), NOW), Err(IndexError::ReadOnly { .. })));
    let certificate = Sample::default().certificate();
    let refused =
        reader.transaction(context()).and_then(|mut transaction| transaction.insert(&entry(&certificate, "web")));
    assert!(matches!(refused, Err(IndexError::ReadOnly { .. })), "{refused:?}");
}

#[test]
fn the_index_and_its_log_are_for_us_alone() {
    let (_folder, path, mut index) = new_index();
    add(&mut index, &Sample::default(), "web");
    for file in Index::files(&path) {
        assert_eq!(files::mode(&file).unwrap(), files::SECRET, "{}", file.escaped());
    }
    drop(index);
    assert!(Index::files(&path)[1].exists(), "the log is not folded in at the end of a process");
}

#[test]
fn nothing_existing_is_taken_for_a_new_index() {
    let (_folder, path, index) = new_index();
    drop(index);
    assert!(matches!(Index::create(&path), Err(IndexError::File(error)) if error.is_already_there()));
}

#[test]
fn opening_a_present_index_changes_nothing() {
    let (_folder, path, mut index) = new_index();
    add(&mut index, &Sample::default(), "web");
    drop(index);
    let before = Index::files(&path).map(|file| fs::read(file).unwrap());
    let index = Index::open(&path).unwrap();
    assert_eq!(names(&index.history("web").unwrap()), ["web"]);
    drop(index);
    assert_eq!(Index::files(&path).map(|file| fs::read(file).unwrap()), before);
}

#[test]
fn an_index_of_the_first_version_is_brought_to_the_present_form_with_its_revocations() {
    let (_folder, path, mut index) = new_index();
    let id = add(&mut index, &Sample::default(), "web");
    drop(index);
    // The index as the first version wrote it, without the later tables.
    let connection = Connection::open(&path).unwrap();
    connection
        .execute_batch(
            "DROP TABLE event; ALTER TABLE certificate DROP COLUMN delivered_check; DROP TABLE rollback; DROP TABLE hook; DROP TABLE revocation_list; DROP TABLE revocation;
             DROP TABLE imported_revocation; DROP TABLE imported_serial; DROP TABLE file_rules; DROP TABLE export; DROP TABLE declaration; DROP TABLE crl_bundle; PRAGMA user_version = 1;
             CREATE TABLE revocation (id INTEGER PRIMARY KEY, certificate INTEGER NOT NULL, at INTEGER NOT NULL,
                 reason INTEGER NOT NULL, invalid_since INTEGER, released_at INTEGER) STRICT;",
        )
        .unwrap();
    let revoked = "INSERT INTO revocation (certificate, at, reason) VALUES (?1, ?2, 4)";
    connection.execute(revoked, (id.0, NOW.unix_timestamp())).unwrap();
    drop(connection);
    for index in [Index::open_to_read(&path).unwrap(), Index::open(&path).unwrap()] {
        let listed = index.to_be_listed("root", NOW).unwrap();
        assert_eq!(listed.len(), 1);
        assert_eq!(listed[0].serial, index.history("web").unwrap()[0].serial);
        assert_eq!(index.latest_crls().unwrap(), []);
        assert!(index.check().unwrap().is_empty());
    }
}

#[test]
fn what_is_no_index_is_refused_in_words_that_say_what_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    fs::write(path("random"), [0x5a; 5000]).unwrap();
    fs::write(path("short"), "hello").unwrap();
    fs::write(path("empty"), "").unwrap();
    fs::create_dir(path("folder")).unwrap();
    Connection::open(path("foreign")).unwrap().execute_batch("CREATE TABLE certificate (id)").unwrap();
    drop(Index::create(&path("newer")).unwrap());
    Connection::open(path("newer")).unwrap().execute_batch("PRAGMA user_version = 99").unwrap();
    drop(Index::create(&path("zero")).unwrap());
    Connection::open(path("zero")).unwrap().execute_batch("PRAGMA user_version = 0").unwrap();
    for (name, expected) in [
        ("missing", "there is no index at"),
        ("random", "is not an index of this program: it is not a SQLite file"),
        ("short", "is not an index of this program: it is not a SQLite file"),
        ("empty", "is damaged: it is empty"),
        ("folder", "is not an index of this program: it is not a regular file"),
        ("foreign", "is not an index of this program: it is an SQLite file of another program"),
        ("newer", "has version 99, but this program knows only versions up to 11"),
        ("zero", "is damaged: its version is 0"),
    ] {
        for opened in [Index::open(&path(name)), Index::open_to_read(&path(name))] {
            let error = opened.unwrap_err().to_string();
            assert!(error.contains(expected), "{name}: {error}");
        }
    }
    assert_eq!(fs::read(path("random")).unwrap(), [0x5a; 5000]);
    assert!(!path("missing").exists(), "a question makes no index");
}

#[test]
fn an_index_cut_short_is_damaged_not_empty() {
    let (_folder, path, mut index) = new_index();
    for serial in 0..50 {
        add(&mut index, &Sample { serial, ..Sample::default() }, "web");
    }
    index.connection.raw().query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
    drop(index);
    let whole = fs::read(&path).unwrap();
    for kept in [whole.len() / 2, 4096, 5000] {
        fs::write(&path, &whole[..kept]).unwrap();
        let result = Index::open_to_read(&path).and_then(|index| index.query(&Filter::default(), NOW));
        assert!(matches!(result, Err(IndexError::Damaged { .. })), "{kept}: {result:?}");
    }
}

#[test]
fn the_bundled_sqlite_is_one_without_the_bug_that_damages_logs() {
    assert!(rusqlite::version_number() >= 3_051_003, "{}", rusqlite::version());
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig { cases: 60, failure_persistence: None, ..Default::default() })]

    /// What cannot be distinguished from a sound index is for `check` to find; no damage here crashes the program.
    #[test]
    fn no_damage_to_the_file_makes_it_panic(
        changes in proptest::collection::vec((proptest::prelude::any::<proptest::sample::Index>(), 0_u8..), 1..8),
        at_once in 0_usize..64,
    ) {
        static WHOLE: std::sync::LazyLock<Vec<u8>> = std::sync::LazyLock::new(|| {
            let (_folder, path, mut index) = new_index();
            for serial in 0..4 {
                add(&mut index, &Sample { serial, sans: &["web.test"], ..Sample::default() }, "web");
            }
            index.connection.raw().query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
            drop(index);
            fs::read(path).unwrap()
        });
        let mut damaged = WHOLE.clone();
        for (at, byte) in changes {
            let at = at.index(damaged.len());
            let end = (at + at_once).min(damaged.len());
            damaged[at..end].fill(byte);
        }
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("index.db");
        fs::write(&path, &damaged).unwrap();
        for opened in [Index::open_to_read(&path), Index::open(&path)] {
            let Ok(index) = opened else { continue };
            if let Ok((entries, _)) = index.query(&Filter::default(), NOW) {
                for entry in &entries {
                    drop(index.certificate(entry));
                }
            }
            drop(index.history("web"));
            drop(index.to_be_listed("root", NOW));
            drop(index.check());
        }
    }
}
