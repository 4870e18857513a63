//! What is recorded by serial number alone counts before and after the index has the certificate; and what counts beside it.

use time::Duration;

use crate::store::index::sample::{NOW, Sample, add, context, entry, new_index, tamper};
use crate::store::index::{
    EntryId, EventKind, ImportSource, ImportedRevocation, ImportedSerial, Index, IndexError, NewEntry, Origin,
    Revocation, Transaction,
};
use crate::x509::Certificate;
use crate::x509::crl::RevocationReason;

fn revocation(reason: RevocationReason) -> Revocation {
    Revocation { at: NOW, reason, invalid_since: None, released_at: None }
}

fn change(index: &mut Index, act: impl FnOnce(&mut Transaction<'_>) -> Result<(), IndexError>) {
    let mut transaction = index.transaction(context()).unwrap();
    act(&mut transaction).unwrap();
    transaction.commit().unwrap();
}

fn import(index: &mut Index, certificate: &Certificate) {
    change(index, |transaction| {
        transaction.import_revocation(&ImportedRevocation {
            authority: "root",
            issuer: &certificate.issuer,
            serial: &certificate.serial,
            revocation: &revocation(RevocationReason::KeyCompromise),
            not_after: None,
            source: ImportSource::Crl,
        })
    });
}

fn insert_imported(index: &mut Index, certificate: &Certificate) -> EntryId {
    let mut transaction = index.transaction(context()).unwrap();
    let new = NewEntry { origin: Origin::Imported, event: EventKind::Import, ..entry(certificate, "web") };
    let id = transaction.insert(&new).unwrap();
    transaction.commit().unwrap();
    id
}

#[test]
fn an_imported_revocation_counts_for_its_issuer_before_and_after_the_certificate_is_recorded() {
    let (_folder, _, mut index) = new_index();
    let certificate = Sample::default().certificate();
    let other = Sample { issuer: "Other", ..Sample::default() }.certificate();
    import(&mut index, &certificate);
    let by_serial = |index: &Index, certificate: &Certificate| {
        let found = index.revocation_by_serial(&certificate.issuer, &certificate.serial).unwrap();
        found.map(|revocation| revocation.reason)
    };
    let compromise = Some(RevocationReason::KeyCompromise);
    for is_recorded in [false, true] {
        if is_recorded {
            let id = insert_imported(&mut index, &certificate);
            assert_eq!(index.current_revocation(id).unwrap().map(|found| found.reason), compromise);
        }
        assert_eq!(by_serial(&index, &certificate), compromise);
        assert_eq!(by_serial(&index, &other), None, "another CA can give the same number");
        assert_eq!(index.to_be_listed("root", NOW).unwrap().len(), 1);
        assert_eq!(index.to_be_listed("issuing", NOW).unwrap().len(), 0);
    }
}

#[test]
fn a_forgotten_revocation_does_not_come_back_with_the_certificate() {
    let (_folder, _, mut index) = new_index();
    let certificate = Sample::default().certificate();
    import(&mut index, &certificate);
    change(&mut index, |transaction| {
        transaction.forget_revocation("root", &certificate.issuer, &certificate.serial, NOW)
    });
    let id = insert_imported(&mut index, &certificate);
    assert_eq!(index.current_revocation(id).unwrap(), None);
    assert_eq!(index.to_be_listed("root", NOW).unwrap().len(), 0);
}

#[test]
fn a_release_ends_what_is_in_effect_and_changes_nothing_that_ended_before() {
    let (_folder, _, mut index) = new_index();
    let id = add(&mut index, &Sample::default(), "web");
    for hour in [1, 2] {
        change(&mut index, |transaction| transaction.revoke(id, &revocation(RevocationReason::CertificateHold)));
        change(&mut index, |transaction| transaction.release(id, NOW + Duration::hours(hour)).map(drop));
    }
    let released = index.revocations(id).unwrap().into_iter().map(|found| found.released_at.unwrap() - NOW);
    assert_eq!(released.collect::<Vec<_>>(), [Duration::hours(1), Duration::hours(2)]);
}

#[test]
fn every_row_by_serial_number_has_its_event() {
    let (_folder, _, mut index) = new_index();
    let certificate = Sample::default().certificate();
    import(&mut index, &certificate);
    let id = add(&mut index, &Sample { serial: 2, ..Sample::default() }, "web");
    change(&mut index, |transaction| {
        let (serial, not_after) = (&certificate.serial, NOW);
        transaction.import_serial(&ImportedSerial { authority: "root", serial, not_after, subject: "CN=web" })?;
        // The release of a hold that ended elsewhere is recorded with it.
        let hold = revocation(RevocationReason::CertificateHold);
        transaction.revoke(id, &Revocation { released_at: Some(NOW), ..hold })
    });
    let uncovered: Vec<_> = index.uncovered_rows().unwrap().into_iter().map(|row| row.object).collect();
    assert_eq!(uncovered, [""; 0]);
}

#[test]
fn the_mark_of_one_row_does_not_fit_another() {
    let (_folder, path, mut index) = new_index();
    let ids = [1, 2].map(|serial| add(&mut index, &Sample { serial, ..Sample::default() }, "web"));
    assert_eq!(index.damaged_marks().unwrap(), []);
    let first = ids[0].0;
    tamper(
        &path,
        &format!(
            "UPDATE certificate SET delivered_check = (SELECT delivered_check FROM certificate WHERE id = {first})"
        ),
    );
    assert_eq!(index.damaged_marks().unwrap(), [("certificate", String::new(), ids[1].0)]);
}
