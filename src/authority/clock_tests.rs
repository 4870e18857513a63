//! Tests of what a wrong clock does to the acts: it hides no revocation, and what it made too early is due.

use std::collections::BTreeMap;

use time::Duration;

use super::testing::{Ca, order};
use crate::authority::leaf::due;
use crate::authority::leaf::error::IssueError;
use crate::authority::leaf::follow::FollowError;
use crate::authority::leaf::order::{DueRule, IfNameExists, IssueOrder, IssueStatus};
use crate::authority::leaf::renew::{NextKey, RenewError};
use crate::authority::leaf::request::{self, CsrOrder};
use crate::authority::leaf::rollback::RollbackError;
use crate::authority::leaf::sign::SignError;
use crate::authority::leaf::subject_key_checks::SubjectKeyError;
use crate::authority::revocation::publish_crl::{CrlOrder, CrlReason, CrlStatus};
use crate::store::index::{CertificateStatus, Filter};
use crate::x509::crl::RevocationReason::{CertificateHold, KeyCompromise, RemoveFromCrl};

/// Returns a CA whose clock is behind its latest record by `behind`.
fn with_clock_behind(behind: Duration, act: impl FnOnce(&mut Ca)) -> Ca {
    let mut ca = Ca::new();
    ca.now += Duration::days(2);
    act(&mut ca);
    ca.now -= behind;
    ca
}

#[test]
fn a_clock_that_is_behind_does_not_make_a_compromised_key_good_again() {
    for behind in [Duration::SECOND, Duration::HOUR, Duration::DAY] {
        let ca = with_clock_behind(behind, |ca| {
            ca.issue(order("server", "web.test")).unwrap();
            ca.revoke("web.test", KeyCompromise).unwrap();
        });
        assert_eq!(ca.history("web.test")[0].status(ca.now), CertificateStatus::Revoked);
        let revoked = Filter { status: Some(CertificateStatus::Revoked), ..Filter::default() };
        assert_eq!(ca.index().query(&revoked, ca.now).unwrap().1, 1);

        assert!(matches!(
            ca.renew("web.test", NextKey::Same),
            Err(RenewError::Issue(IssueError::Follow(FollowError::Revoked(_))))
        ));
        let request = request_with_key_of(&ca, "web.test");
        assert!(matches!(
            ca.sign(&request),
            Err(SignError::Issue(IssueError::SubjectKey(SubjectKeyError::KeyCompromised { .. })))
        ));
        // It is replaced, by a certificate for another key.
        let kept = IfNameExists::KeepUnlessDue(DueRule::LastThird);
        let replaced = ca.issue(IssueOrder { existing: kept, ..order("server", "web.test") }).unwrap();
        assert_eq!(replaced.status, IssueStatus::Issued);
        assert!(matches!(ca.roll_back("web.test"), Err(RollbackError::Revoked { .. })));
    }
}

/// Returns a request for another name with the key of an issued certificate.
fn request_with_key_of(ca: &Ca, name: &str) -> Vec<u8> {
    let folder = ca.top.path().join("request");
    std::fs::create_dir(&folder).unwrap();
    std::fs::copy(ca.path(&format!("issued/{name}/key.pem")), folder.join("key.pem")).unwrap();
    let wanted = CsrOrder {
        template: "server".to_owned(),
        name: "other.test".parse().unwrap(),
        names: Vec::new(),
        key: None,
        subject: Vec::new(),
        set: BTreeMap::new(),
        folder,
        replace: false,
        encrypted: false,
        protection: None,
    };
    let mut ask = |_: &crate::store::passphrase_prompt::EncryptedKey| panic!("the key is not encrypted");
    let made = ca.with_effects(|effects| request::request(Some(&ca.store()), wanted, &mut ask, effects)).unwrap();
    made.request.as_der().to_vec()
}

#[test]
fn a_hold_and_its_release_count_from_their_records_on() {
    let held = with_clock_behind(Duration::HOUR, |ca| {
        ca.issue(order("server", "web.test")).unwrap();
        ca.revoke("web.test", CertificateHold).unwrap();
    });
    assert!(matches!(
        held.renew("web.test", NextKey::Same),
        Err(RenewError::Issue(IssueError::Follow(FollowError::OnHold(_))))
    ));
    assert!(matches!(
        held.renew("web.test", NextKey::New(None)),
        Err(RenewError::Issue(IssueError::Follow(FollowError::OnHold(_))))
    ));

    let released = with_clock_behind(Duration::HOUR, |ca| {
        ca.issue(order("server", "web.test")).unwrap();
        ca.revoke("web.test", CertificateHold).unwrap();
        ca.revoke("web.test", RemoveFromCrl).unwrap();
    });
    assert_eq!(released.history("web.test")[0].status(released.now), CertificateStatus::Valid);
    released.renew("web.test", NextKey::Same).unwrap();
}

#[test]
fn an_authority_that_was_revoked_signs_nothing_while_the_clock_is_behind() {
    let ca = with_clock_behind(Duration::HOUR, |ca| {
        ca.revoke("issuing", KeyCompromise).unwrap();
    });
    assert!(ca.issue(order("server", "web.test")).is_err());
}

/// Returns a CA whose clock was `ahead` of the right time while `act` ran.
fn with_clock_ahead(ahead: Duration, act: impl FnOnce(&Ca)) -> Ca {
    with_clock_behind(ahead, |ca| {
        ca.now += ahead;
        act(ca);
    })
}

#[test]
fn a_certificate_of_the_future_is_due_and_replaced_by_one_that_is_valid_now() {
    let within = DueRule::Within("1d".parse().unwrap());
    for (rule, ahead) in [(DueRule::LastThird, Duration::days(36)), (within, Duration::hours(2))] {
        let mut ca = with_clock_behind(Duration::ZERO, |ca| {
            ca.now += ahead;
            ca.issue(order("server", "web.test")).unwrap();
            ca.now -= ahead;
        });
        let due = || ca.with_effects(|effects| due::due(&ca.store(), rule, effects)).unwrap();
        let found = due();
        assert_eq!(found.len(), 1, "{found:?}");
        let note = found[0].clock_note(ca.now).unwrap();
        assert!(note.starts_with("web.test is not valid before 2026-") && note.contains("clock"), "{note}");

        let kept = || IssueOrder { existing: IfNameExists::KeepUnlessDue(rule), ..order("server", "web.test") };
        assert_eq!(ca.issue(kept()).unwrap().status, IssueStatus::Issued);
        assert_eq!(due().len(), 0);
        assert_eq!(ca.issue(kept()).unwrap().status, IssueStatus::Unchanged);
        assert_eq!(ca.history("web.test").last().unwrap().status(ca.now), CertificateStatus::Valid);
        ca.now += Duration::HOUR;
        assert_eq!(ca.issue(kept()).unwrap().status, IssueStatus::Unchanged);
    }
}

#[test]
fn a_crl_of_the_future_is_due_and_followed_by_one_that_counts_now() {
    let ca = with_clock_ahead(Duration::days(365), |ca| drop(ca.publish(&CrlOrder::default()).unwrap()));
    for rule in [DueRule::LastThird, DueRule::Within("1d".parse().unwrap())] {
        let found = ca.with_effects(|effects| due::due(&ca.store(), rule, effects)).unwrap();
        assert!(matches!(found[..], [due::DueEntry { what: due::DueItem::List { .. }, .. }]), "{found:?}");
        assert!(found[0].clock_note(ca.now).is_some());
    }
    let ensured = CrlOrder { ensure: true, ..CrlOrder::default() };
    let next = ca.publish(&ensured).unwrap();
    assert_eq!((next.status, next.number), (CrlStatus::Signed(CrlReason::NotYetValid), 2));
    assert!(next.this_update <= ca.now);
    assert_eq!(ca.publish(&ensured).unwrap().status, CrlStatus::Unchanged);
}

#[test]
fn the_newest_event_is_the_latest_in_time_and_not_the_last_that_was_recorded() {
    let ca = with_clock_ahead(Duration::days(30), |ca| drop(ca.issue(order("server", "ahead.test")).unwrap()));
    ca.issue(order("server", "web.test")).unwrap();
    assert_eq!(ca.index().newest_event().unwrap(), Some(ca.now + Duration::days(30)));
}
