//! What an audit says of a CRL and an index that do not agree, in both directions.

use std::fs;

use time::Duration;

use super::tests::{eventful, found};
use super::*;
use crate::authority::revocation::publish_crl::CrlOrder;
use crate::authority::testing::{Ca, order};
use crate::store::index::sample::tamper;
use crate::x509::crl::RevocationReason;

/// Returns the messages about differences between a CRL and the index.
fn differences(ca: &Ca) -> Vec<String> {
    let report = ca.with_effects(|effects| audit(&ca.store(), &AuditOptions::default(), effects));
    let wrong = report.findings.into_iter().filter(|finding| finding.code == "crl-differs");
    wrong.map(|finding| finding.message).collect()
}

fn publish(ca: &Ca) {
    ca.publish(&CrlOrder::default()).unwrap();
}

#[test]
fn every_difference_between_a_crl_and_the_index_is_named() {
    let forged = "INSERT INTO revocation (id, certificate, at, reason, authority, serial, not_after)
                  SELECT 0, id, issued_at, 1, authority, serial, not_after FROM certificate WHERE name = 'web.test' LIMIT 1";
    let changes = [
        ("UPDATE revocation SET at = at - 60 WHERE reason = 1", "is not what the index has (2026-06-01T11:59:00Z"),
        (
            "UPDATE revocation SET reason = 4 WHERE reason = 1",
            "is not what the index has (2026-06-01T12:00:00Z, superseded)",
        ),
        ("UPDATE revocation SET reason = 1 WHERE reason = 6", "certificate-hold) is not what"),
        ("UPDATE revocation SET invalid_since = at WHERE reason = 1", "invalid since"),
        ("DELETE FROM revocation WHERE reason = 1", "but the index has no such revocation"),
        ("UPDATE revocation SET serial = x'55' WHERE reason = 1", "it lacks the revocation of serial number 55"),
        (
            "UPDATE revocation SET id = id + 10 WHERE reason = 1",
            "no revocation of it was in effect when the CRL was signed",
        ),
        (forged, "it lacks the revocation of serial number"),
        ("UPDATE revocation_list SET number = 5", "its CRL number is not"),
        ("UPDATE revocation_list SET next_update = next_update + 1", "its nextUpdate is not"),
        ("UPDATE revocation_list SET this_update = this_update + 1", "its time (thisUpdate) is not"),
        ("UPDATE revocation_list SET entries = 3", "its number of entries is not"),
    ];
    for (change, expected) in changes {
        let ca = eventful();
        assert_eq!(differences(&ca), [""; 0]);
        tamper(&ca.path("index.db"), change);
        let found = differences(&ca);
        assert!(found.iter().any(|message| message.contains(expected)), "{change}: {found:?}");
    }
}

#[test]
fn a_crl_has_what_was_in_effect_when_it_was_signed_and_nothing_else() {
    let mut ca = eventful();
    // Later than the CRL, so that it is right without them.
    ca.issue(order("server", "late.test")).unwrap();
    ca.issue(order("server", "later.test")).unwrap();
    ca.revoke("late.test", RevocationReason::Superseded).unwrap();
    ca.revoke("held.test", RevocationReason::RemoveFromCrl).unwrap();
    assert_eq!(found(&ca), [""; 0]);
    let old = fs::read(ca.path("authorities/issuing/crl.der")).unwrap();
    publish(&ca);
    assert_eq!(found(&ca), [""; 0]);
    // An older CRL is compared with the state of its time.
    fs::write(ca.path("authorities/issuing/crl.der"), old).unwrap();
    assert_eq!(found(&ca), ["crl-outdated"]);
    publish(&ca);
    ca.revoke("held.test", RevocationReason::CertificateHold).unwrap();
    ca.revoke("held.test", RevocationReason::KeyCompromise).unwrap();
    publish(&ca);
    assert_eq!(found(&ca), [""; 0]);
    // A clock that goes back changes no order.
    ca.now -= Duration::days(3);
    ca.revoke("later.test", RevocationReason::Superseded).unwrap();
    assert_eq!(found(&ca), [""; 0]);
    publish(&ca);
    assert_eq!(found(&ca), [""; 0]);
    // On one CRL after the expiry, and then on none.
    ca.now += Duration::days(400);
    publish(&ca);
    assert_eq!(ca.index().latest_crl("issuing").unwrap().unwrap().entries, 4);
    assert_eq!(differences(&ca), [""; 0]);
    ca.now += Duration::DAY;
    publish(&ca);
    assert_eq!(ca.index().latest_crl("issuing").unwrap().unwrap().entries, 0);
    assert_eq!(differences(&ca), [""; 0]);
    tamper(&ca.path("index.db"), "UPDATE revocation SET not_after = not_after + 900 * 86400 WHERE reason = 4");
    assert!(differences(&ca)[0].starts_with("it lacks the revocation"), "{:?}", differences(&ca));
}

#[test]
fn a_crl_that_another_copy_of_the_ca_signed_is_compared_by_its_time() {
    let mut ca = eventful();
    let keep = |ca: &Ca| {
        ca.index().close_folded().unwrap();
        fs::read(ca.path("index.db")).unwrap()
    };
    ca.issue(order("server", "late.test")).unwrap();
    let before = keep(&ca);
    ca.revoke("late.test", RevocationReason::KeyCompromise).unwrap();
    let revoked = keep(&ca);
    fs::write(ca.path("index.db"), before).unwrap();
    ca.now += Duration::HOUR;
    for _ in 0..2 {
        publish(&ca);
    }
    ca.index().close_folded().unwrap();
    fs::write(ca.path("index.db"), revoked).unwrap();
    let report = ca.with_effects(|effects| audit(&ca.store(), &AuditOptions::default(), effects));
    let of = |code: &str| -> Vec<String> {
        report.findings.iter().filter(|finding| finding.code == code).map(|finding| finding.message.clone()).collect()
    };
    assert!(
        of("crl-unknown")[0].ends_with("the index ends with number 0x1: the index is older"),
        "{:?}",
        report.findings
    );
    assert!(of("crl-differs")[0].starts_with("it lacks the revocation"), "{:?}", report.findings);
}

#[test]
fn an_imported_revocation_is_missed_in_a_crl_that_lacks_it() {
    let ca = Ca::new();
    ca.issue(order("server", "web.test")).unwrap();
    publish(&ca);
    tamper(
        &ca.path("index.db"),
        "INSERT INTO imported_revocation (authority, serial, issuer, at, reason, source, recorded_at)
         SELECT 'issuing', x'1234', issuer, issued_at, 1, 'crl', issued_at FROM certificate WHERE name = 'web.test'",
    );
    assert_eq!(differences(&ca), [""; 0], "without an event it is a forged record, and not a part of the state");
    tamper(
        &ca.path("index.db"),
        "UPDATE event SET object = 'imported-revocation', row = 1 WHERE kind = 'issue' AND name = 'web.test'",
    );
    assert!(differences(&ca)[0].starts_with("it lacks the revocation of serial number 1234"), "{:?}", differences(&ca));
}
