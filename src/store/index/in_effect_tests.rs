//! A final revocation counts, whatever another program made of the ids and the order of the rows, and whatever was inserted
//! before it.

use rusqlite::Connection;
use time::Duration;

use crate::store::index::placement::{in_place, unfinished};
use crate::store::index::sample::{NOW, Sample, add, context, entry, new_index, tamper};
use crate::store::index::*;
use crate::x509::crl::RevocationReason;

/// A row of a table of revocations: id, reason, and whether it has the time of a release.
type Row = (i64, u8, bool);

const HOLD: u8 = 6;
const FORGET: u8 = 8;
const FINAL: u8 = 1;

fn revocation(reason: RevocationReason) -> Revocation {
    Revocation { at: NOW, reason, invalid_since: None, released_at: None }
}

/// Returns every order of some rows, with ids at both ends of the range and without a gap.
fn orders(rows: &[(u8, bool)]) -> Vec<Vec<Row>> {
    let ids = [vec![1, 2, 3], vec![i64::MIN, -1, i64::MAX], vec![0, i64::MAX - 1, i64::MAX]];
    let mut orders = Vec::new();
    for ids in ids {
        for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
            let chosen = rows.iter().zip(order).map(|((reason, released), place)| (ids[place], *reason, *released));
            orders.push(chosen.collect());
        }
    }
    orders
}

/// Returns an index whose certificate of this name has these rows, and what each of its queries says of it.
fn with_rows(rows: &[Row]) -> Vec<Option<RevocationReason>> {
    let (_folder, path, mut index) = new_index();
    let sample = Sample::default();
    let id = add(&mut index, &sample, "web");
    for (row, reason, is_released) in rows {
        let released = if *is_released { "at" } else { "NULL" };
        tamper(
            &path,
            &format!(
                "INSERT INTO revocation (id, certificate, at, reason, authority, serial, not_after)
                 SELECT {row}, id, issued_at + {reason}, {reason}, authority, serial, not_after FROM certificate;
                 UPDATE revocation SET released_at = {released} WHERE id = {row}"
            ),
        );
    }
    let certificate = sample.certificate();
    let reason = |found: Option<Revocation>| found.map(|revocation| revocation.reason);
    let of_serial = index.revocations_of_serial("root", &certificate.serial).unwrap();
    let in_effect = of_serial.into_iter().filter(|recorded| recorded.is_in_effect).map(|recorded| recorded.revocation);
    let listed = index.to_be_listed("root", NOW).unwrap();
    assert!(listed.len() <= 1, "{rows:?}: {listed:?}");
    let status = index.latest_by_name("web").unwrap().unwrap().status(NOW);
    let filter = Filter { status: Some(status), ..Filter::default() };
    assert_eq!(index.query(&filter, NOW).unwrap().1, 1, "{rows:?}: {status}");
    vec![
        reason(index.current_revocation(id).unwrap()),
        reason(index.current_revocation_of(&certificate).unwrap().map(|(_, revocation)| revocation)),
        reason(index.revocation_by_serial(&certificate.issuer, &certificate.serial).unwrap()),
        reason(index.by_serial(&certificate.serial).unwrap()[0].revocation.clone()),
        reason(in_effect.min_by_key(|revocation| revocation.reason == RevocationReason::CertificateHold)),
        listed.first().and_then(|entry| entry.reason),
    ]
}

#[test]
fn a_final_revocation_counts_before_every_hold_and_release_in_any_order_of_the_rows() {
    let final_one = Some(RevocationReason::KeyCompromise);
    let hold = Some(RevocationReason::CertificateHold);
    for (rows, expected) in [
        ([(HOLD, false), (FINAL, false), (HOLD, true)], final_one),
        ([(HOLD, false), (FINAL, true), (HOLD, false)], final_one),
        ([(FINAL, true), (HOLD, true), (HOLD, true)], final_one),
        ([(HOLD, false), (HOLD, true), (HOLD, true)], hold),
        ([(HOLD, true), (HOLD, true), (HOLD, true)], None),
    ] {
        for rows in orders(&rows) {
            assert_eq!(with_rows(&rows), vec![expected; 6], "{rows:?}");
        }
    }
}

#[test]
fn a_revocation_is_recorded_and_counts_beside_a_row_after_which_none_can_follow() {
    let (_folder, path, mut index) = new_index();
    let id = add(&mut index, &Sample::default(), "web");
    let mut transaction = index.transaction(context()).unwrap();
    transaction.revoke(id, &revocation(RevocationReason::CertificateHold)).unwrap();
    transaction.commit().unwrap();
    tamper(&path, &format!("UPDATE revocation SET id = {}", i64::MAX));
    let mut transaction = index.transaction(context()).unwrap();
    transaction.revoke(id, &revocation(RevocationReason::KeyCompromise)).unwrap();
    transaction.commit().unwrap();
    assert_eq!(index.current_revocation(id).unwrap().unwrap().reason, RevocationReason::KeyCompromise);
    assert_eq!(index.to_be_listed("root", NOW).unwrap()[0].reason, Some(RevocationReason::KeyCompromise));
}

#[test]
fn nothing_whose_order_counts_is_recorded_after_a_row_after_which_none_can_follow() {
    type Record = fn(&mut Transaction<'_>) -> Result<(), IndexError>;
    let records: [(&str, Record); 4] = [
        ("certificate", |transaction| {
            let certificate = Sample { serial: 9, ..Sample::default() }.certificate();
            transaction.insert(&entry(&certificate, "new")).map(drop)
        }),
        ("rollback", |transaction| {
            let [one, other] = [EntryId(1), EntryId(2)];
            let rollback = Rollback { id: 0, certificate: one, replaced: other, newest: other, at: NOW, done_at: None };
            transaction.roll_back(&rollback, "web").map(drop)
        }),
        ("imported_revocation", |transaction| {
            let certificate = Sample { serial: 9, ..Sample::default() }.certificate();
            transaction.import_revocation(&ImportedRevocation {
                authority: "root",
                issuer: &certificate.issuer,
                serial: &certificate.serial,
                revocation: &revocation(RevocationReason::KeyCompromise),
                not_after: None,
                source: ImportSource::Crl,
            })
        }),
        ("event", |transaction| {
            transaction.record_event(EventKind::KeyPassphrase, "root", None);
            Ok(())
        }),
    ];
    for (table, record) in records {
        let (_folder, path, mut index) = new_index();
        for serial in [1, 2] {
            add(&mut index, &Sample { serial, ..Sample::default() }, "web");
        }
        let mut transaction = index.transaction(context()).unwrap();
        record(&mut transaction).unwrap();
        transaction.commit().unwrap();
        let number = if table == "event" { "number" } else { "id" };
        let greatest = format!("(SELECT max({number}) FROM {table})");
        tamper(&path, &format!("UPDATE {table} SET {number} = {} WHERE {number} = {greatest}", i64::MAX));
        if table == "certificate" {
            tamper(&path, "UPDATE certificate SET serial = x'55' WHERE id > 2");
        }
        let mut transaction = index.transaction(context()).unwrap();
        let recorded = record(&mut transaction).and_then(|()| transaction.commit());
        let Err(IndexError::Damaged { reason, .. }) = recorded else { panic!("{table}: {recorded:?}") };
        assert!(reason.contains(table), "{table}: {reason}");
    }
}

/// Imported revocations: a final one counts before a hold, and what was forgotten does not.
#[test]
fn an_imported_final_revocation_counts_before_a_hold_until_it_is_forgotten() {
    let (final_one, hold) = (Some(RevocationReason::KeyCompromise), Some(RevocationReason::CertificateHold));
    for (rows, expected) in [
        (vec![(1, HOLD), (2, FINAL)], final_one),
        (vec![(1, FINAL), (2, HOLD)], final_one),
        (vec![(1, FINAL), (i64::MAX, HOLD)], final_one),
        (vec![(1, FINAL), (2, FORGET)], None),
        (vec![(1, FINAL), (2, FORGET), (3, HOLD)], hold),
        (vec![(1, HOLD), (2, FORGET), (3, FINAL), (4, HOLD)], final_one),
        (vec![(1, FINAL), (2, HOLD), (3, FORGET)], None),
    ] {
        let (_folder, path, mut index) = new_index();
        let certificate = Sample::default().certificate();
        let hex = |octets: &[u8]| crate::text::hex(octets);
        let (serial, issuer) = (hex(certificate.serial.as_der_content()), hex(certificate.issuer.as_der()));
        for (id, reason) in &rows {
            tamper(
                &path,
                &format!(
                    "INSERT INTO imported_revocation (id, authority, serial, issuer, at, reason, source, recorded_at)
                     VALUES ({id}, 'root', x'{serial}', x'{issuer}', {reason}, {reason}, 'crl', {reason})"
                ),
            );
        }
        let listed = index.to_be_listed("root", NOW).unwrap();
        assert_eq!((listed.len(), listed.first().and_then(|entry| entry.reason)), (expected.iter().len(), expected));
        let of_serial = index.revocations_of_serial("root", &certificate.serial).unwrap();
        let in_effect: Vec<_> = of_serial.iter().filter(|recorded| recorded.is_in_effect).collect();
        assert_eq!(in_effect.first().map(|recorded| recorded.revocation.reason), expected, "{rows:?}");
        let of_issuer = index.revocation_by_serial(&certificate.issuer, &certificate.serial).unwrap();
        assert_eq!(of_issuer.map(|revocation| revocation.reason), expected, "{rows:?}");
        // The certificate gets it when it is recorded.
        let mut transaction = index.transaction(context()).unwrap();
        let id = transaction.insert(&NewEntry { origin: Origin::Imported, ..entry(&certificate, "web") }).unwrap();
        transaction.commit().unwrap();
        let current = index.current_revocation(id).unwrap();
        assert_eq!(current.map(|revocation| revocation.reason), expected, "{rows:?}");
    }
}

#[test]
fn an_expired_certificate_is_on_the_next_crl_when_only_a_crl_of_the_future_or_of_no_end_had_it() {
    let listed = |change: &str| {
        let (_folder, path, mut index) = new_index();
        let id = add(&mut index, &Sample { not_after: NOW + Duration::DAY, ..Sample::default() }, "web");
        let mut transaction = index.transaction(context()).unwrap();
        transaction.revoke(id, &revocation(RevocationReason::KeyCompromise)).unwrap();
        let signed_at = NOW + Duration::days(2);
        let (last_revocation, content, fingerprint) = (transaction.last_revocation().unwrap(), [1; 32], [2; 32]);
        let crl = NewCrl {
            authority: "root",
            number: 1,
            signed_at,
            this_update: signed_at,
            next_update: signed_at,
            entries: 1,
            last_revocation,
            content,
            fingerprint,
        };
        transaction.record_crl(&crl).unwrap();
        transaction.commit().unwrap();
        index.mark_published("root", 1, NOW).unwrap();
        tamper(&path, change);
        index.to_be_listed("root", NOW + Duration::days(3)).unwrap().len()
    };
    assert_eq!(listed("SELECT 1"), 0);
    assert_eq!(listed(&format!("UPDATE revocation_list SET last_revocation = {}", i64::MAX)), 1);
    assert_eq!(listed("UPDATE revocation_list SET signed_at = signed_at + 864000"), 1);
}

#[test]
fn a_rollback_to_a_newest_certificate_that_does_not_exist_hides_no_later_one() {
    let (_folder, path, mut index) = new_index();
    let ids = [1, 2].map(|serial| add(&mut index, &Sample { serial, ..Sample::default() }, "web"));
    let rollback = Rollback { id: 0, certificate: ids[0], replaced: ids[1], newest: ids[1], at: NOW, done_at: None };
    let mut transaction = index.transaction(context()).unwrap();
    let id = transaction.roll_back(&rollback, "web").unwrap();
    transaction.commit().unwrap();
    add(&mut index, &Sample { serial: 3, ..Sample::default() }, "web");
    for (is_done, newest) in [(false, i64::MAX), (true, i64::MAX), (true, 4)] {
        if is_done {
            index.mark_rolled_back(id, NOW).unwrap();
        }
        tamper(&path, &format!("UPDATE rollback SET newest = {newest}"));
        let (history, rollbacks) = (index.history("web").unwrap(), index.rollbacks("web").unwrap());
        assert_eq!(in_place(&history, &rollbacks), history.last());
        assert_eq!(unfinished(&history, &rollbacks), None);
    }
}

/// The condition of a row in effect costs a query of many certificates no more than a sort of their own rows.
#[test]
fn the_revocations_of_a_certificate_are_found_by_their_index() {
    let (_folder, path, _index) = new_index();
    let raw = Connection::open(path).unwrap();
    let sql = format!("EXPLAIN QUERY PLAN SELECT {}", super::in_effect::current("?1"));
    let mut statement = raw.prepare(&sql).unwrap();
    let plan: Vec<String> = statement.query_map([1], |row| row.get(3)).unwrap().map(Result::unwrap).collect();
    assert!(plan.iter().any(|line| line.contains("revocation_certificate (certificate=?)")), "{plan:?}");
    assert!(!plan.iter().any(|line| line.starts_with("SCAN") && !line.contains("CONSTANT")), "{plan:?}");
}
