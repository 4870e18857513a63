//! Tests of the event log: its hashes, the rows that its events cover, and the migration of an index without a log.

use std::num::NonZeroUsize;
use std::sync::Mutex;

use rusqlite::Connection;
use time::Duration;

use crate::store::index::event::{empty_hash, next_hash};
use crate::store::index::event_object::EventObject;
use crate::store::index::sample::{NOW, Sample, add, context, entry, new_index};
use crate::store::index::*;
use crate::x509::crl::RevocationReason;
use crate::x509::{SerialNumber, digest};

/// Returns all events; the hash of each follows from the one before.
fn events(index: &Index) -> Vec<Event> {
    let mut events: Vec<Event> = Vec::new();
    let mut head = empty_hash();
    index
        .each_event::<IndexError>(|event, encoded| {
            head = next_hash(&head, encoded);
            assert_eq!((event.number as usize, event.head.as_slice()), (events.len() + 1, head.as_slice()));
            events.push(event);
            Ok(())
        })
        .unwrap();
    events
}

/// Makes every kind of record.
fn every_record(index: &mut Index) {
    let first = add(index, &Sample::default(), "web");
    let second = add(index, &Sample { serial: 2, sans: &["web.test"], ..Sample::default() }, "Web");
    let hook = StoredHook { command: "true".to_owned(), timeout: 30, on_failure: "keep".to_owned() };
    let hold =
        Revocation { at: NOW, reason: RevocationReason::CertificateHold, invalid_since: None, released_at: None };
    let mut transaction = index.transaction(context()).unwrap();
    transaction.revoke(first, &hold).unwrap();
    assert!(transaction.release(first, NOW + Duration::HOUR).unwrap());
    assert!(!transaction.release(second, NOW).unwrap());
    let revoked = Revocation { reason: RevocationReason::KeyCompromise, ..hold };
    transaction.revoke(second, &revoked).unwrap();
    let crl = NewCrl {
        authority: "root",
        number: 1,
        signed_at: NOW,
        this_update: NOW,
        next_update: NOW + Duration::DAY,
        entries: 1,
        last_revocation: 2,
        content: [1; 32],
        fingerprint: [2; 32],
    };
    transaction.record_crl(&crl).unwrap();
    let rollback = Rollback { id: 0, certificate: first, replaced: second, newest: second, at: NOW, done_at: None };
    transaction.roll_back(&rollback, "web").unwrap();
    transaction.set_hook("web", Some(&hook)).unwrap();
    transaction.record_event(EventKind::KeyPassphrase, "root", None);
    transaction.commit().unwrap();
}

#[test]
fn every_record_has_its_event_with_the_digest_of_its_row() {
    let (_folder, _, mut index) = new_index();
    every_record(&mut index);
    let events = events(&index);
    let told: Vec<_> = events.iter().map(|event| (event.kind.as_str(), event.object.as_deref(), event.row)).collect();
    assert_eq!(
        told,
        [
            ("issue", Some("certificate"), Some(1)),
            ("issue", Some("certificate"), Some(2)),
            ("hold", Some("revocation"), Some(1)),
            ("release", Some("release"), Some(1)),
            ("revoke", Some("revocation"), Some(2)),
            ("crl", Some("crl"), Some(1)),
            ("rollback", Some("rollback"), Some(1)),
            ("hook-set", Some("hook"), None),
            ("key-passphrase", None, None),
        ]
    );
    for event in &events {
        let object = EventObject::ALL.into_iter().find(|object| Some(object.name()) == event.object.as_deref());
        let now = object.and_then(|object| object.digest(&index.connection, event.row, &event.name).unwrap());
        assert_eq!(now.map(|digest| digest.to_vec()), event.content, "{event:?}");
        assert_eq!((event.at, event.actor.as_ref()), (NOW, Some(&context().actor)));
    }
    let head = index.log_head().unwrap().unwrap();
    assert_eq!((head.count, head.hash.as_slice(), head.at), (9, events[8].head.as_slice(), NOW));
    assert_eq!(index.signed_head().unwrap(), None);
}

#[test]
fn a_digest_covers_every_column_but_the_marks_that_are_not_durable() {
    let (_folder, path, mut index) = new_index();
    every_record(&mut index);
    let connection = Connection::open(&path).unwrap();
    let marks = [
        "id",
        "delivered_at",
        "published_at",
        "done_at",
        "released_at",
        "delivered_check",
        "published_check",
        "done_check",
    ];
    // The end of an export has an object of its own, as the release of a hold.
    let of_export = ["removed_at", "certificate", "certificate_check", "crls", "crls_check"];
    let ends = [EventObject::Release, EventObject::ExportEnd];
    for object in EventObject::ALL.into_iter().filter(|object| !ends.contains(object)) {
        let table = object.table();
        let pragma = format!("SELECT name FROM pragma_table_info('{table}')");
        let columns: Vec<String> =
            connection.prepare(&pragma).unwrap().query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
        let covered: Vec<_> = object.columns().split(',').map(str::trim).collect();
        let is_mark =
            |column: &str| marks.contains(&column) || object == EventObject::Export && of_export.contains(&column);
        for column in columns.iter().filter(|column| !is_mark(column)) {
            assert!(covered.contains(&column.as_str()), "{table}.{column} is not covered");
        }
    }
}

#[test]
fn a_transaction_that_is_dropped_leaves_no_event_and_the_head_is_signed_only_when_there_is_one() {
    let (_folder, _, mut index) = new_index();
    let mut transaction = index.transaction(context()).unwrap();
    transaction.record_event(EventKind::KeyPassphrase, "root", None);
    drop(transaction);
    let nothing = index.transaction(context()).unwrap();
    nothing.commit_signed::<IndexError>(NonZeroUsize::MIN, |_| panic!("there is nothing to sign")).unwrap();
    assert_eq!(index.log_head().unwrap(), None);

    let mut transaction = index.transaction(context()).unwrap();
    transaction.record_event(EventKind::KeyPassphrase, "root", None);
    let signature = HeadSignature { authority: "root".to_owned(), signature: vec![1, 2, 3] };
    let signed = Mutex::new(None);
    transaction
        .commit_signed::<IndexError>(NonZeroUsize::MIN, |head| {
            *signed.lock().unwrap() = Some(*head);
            Ok(Some(signature.clone()))
        })
        .unwrap();
    let signed = signed.into_inner().unwrap();
    assert_eq!(index.log_head().unwrap(), signed);
    assert_eq!(index.signed_head().unwrap(), Some((signed.unwrap(), signature)));
}

#[test]
fn heads_that_several_threads_sign_are_in_the_log_with_their_own_signatures() {
    let stored = |jobs: usize, count: u32| {
        let (_folder, _, mut index) = new_index();
        let mut transaction = index.transaction(context()).unwrap();
        for serial in 1..=count {
            let certificate = Sample { serial, ..Sample::default() }.certificate();
            transaction.insert(&entry(&certificate, "web")).unwrap();
            transaction.record_event(EventKind::KeyPassphrase, "root", None);
        }
        let sign =
            |head: &LogHead| Ok(Some(HeadSignature { authority: "root".to_owned(), signature: head.hash.to_vec() }));
        transaction.commit_signed::<IndexError>(NonZeroUsize::new(jobs).unwrap(), sign).unwrap();
        let events = events(&index);
        let is_signed = |event: &Event| event.kind == "issue" || event.number == 2 * u64::from(count);
        for event in &events {
            let signature = event.signature.as_ref().map(|signature| &signature.signature);
            assert_eq!(signature, is_signed(event).then_some(&event.head), "{}", event.number);
        }
        events.len()
    };
    for (jobs, count) in [(1, 50), (2, 50), (3, 1)] {
        assert_eq!(stored(jobs, count), 2 * count as usize);
    }
}

#[test]
fn a_head_that_cannot_be_signed_leaves_no_record() {
    let (_folder, _, mut index) = new_index();
    for jobs in [1, 2] {
        let mut transaction = index.transaction(context()).unwrap();
        (0..100).for_each(|_| transaction.record_event(EventKind::Issue, "web", None));
        let refuse = |head: &LogHead| match head.count {
            70 => Err(IndexError::SerialUsed { serial: SerialNumber::from_der_content(&[1]) }),
            _ => Ok(None),
        };
        let failed = transaction.commit_signed(NonZeroUsize::new(jobs).unwrap(), refuse);
        assert!(matches!(failed, Err(IndexError::SerialUsed { .. })), "{failed:?}");
        assert_eq!(index.log_head().unwrap(), None);
    }
}

#[test]
fn a_row_that_was_there_before_the_log_is_covered_from_the_migration_on() {
    let (_folder, path, mut index) = new_index();
    every_record(&mut index);
    drop(index);
    let old = Connection::open(&path).unwrap();
    old.execute_batch(
        "
            DROP TABLE event; ALTER TABLE certificate DROP COLUMN delivered_check;
            ALTER TABLE revocation_list DROP COLUMN published_check; ALTER TABLE rollback DROP COLUMN done_check;
            DROP TABLE imported_revocation; DROP TABLE imported_serial; DROP TABLE file_rules; DROP TABLE export; DROP TABLE declaration; DROP TABLE crl_bundle; PRAGMA user_version = 3",
    )
    .unwrap();
    drop(old);
    let mut index = Index::open(&path).unwrap();
    let migrated = events(&index);
    let told: Vec<_> = migrated.iter().map(|event| (event.object.as_deref(), event.row, event.name.as_str())).collect();
    assert_eq!(
        told,
        [
            (Some("certificate"), Some(1), "web"),
            (Some("certificate"), Some(2), "Web"),
            (Some("revocation"), Some(1), "web"),
            (Some("revocation"), Some(2), "Web"),
            (Some("release"), Some(1), "web"),
            (Some("crl"), Some(1), "root"),
            (Some("rollback"), Some(1), "web"),
            (Some("hook"), None, "web"),
        ]
    );
    assert!(migrated.iter().all(|event| event.kind == "migrate" && event.actor.is_none()));
    assert!(migrated.iter().all(|event| event.content.is_some()));
    // The log goes on after them, and a second opening changes nothing.
    add(&mut index, &Sample { serial: 3, ..Sample::default() }, "web");
    drop(index);
    assert_eq!(events(&Index::open(&path).unwrap()).len(), 9);
}

#[test]
fn the_encoding_that_the_documentation_describes_gives_the_stored_hash() {
    let (_folder, _, mut index) = new_index();
    let mut transaction = index.transaction(context()).unwrap();
    transaction.record_event(EventKind::HookRemove, "web", Some("a".to_owned()));
    transaction.commit().unwrap();
    let text = |text: &str| [b"T", &u32::try_from(text.len()).unwrap().to_be_bytes()[..], text.as_bytes()].concat();
    let integer = |number: i64| [b"I", &number.to_be_bytes()[..]].concat();
    let null = || b"N".to_vec();
    let fields = [
        integer(1),
        integer(NOW.unix_timestamp()),
        text("hook-remove"),
        null(),
        null(),
        text("web"),
        null(),
        null(),
        text("a"),
        integer(1000),
        text("alice"),
        null(),
        text("host.test"),
    ];
    let leaf = digest::sha256(&[&[0], &fields.concat()[..]].concat());
    let head = digest::sha256(&[&[1], &digest::sha256(b"")[..], &leaf].concat());
    assert_eq!(index.log_head().unwrap().unwrap().hash, head);
}
