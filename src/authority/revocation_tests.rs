//! Tests of revocation and of the CRLs that report it, with real files.

use crate::authority::error::CertifyError;
use crate::authority::leaf::error::IssueError;
use crate::authority::leaf::follow::FollowError;
use crate::authority::leaf::sign::SignError;
use crate::authority::leaf::subject_key_checks::SubjectKeyError;
use crate::store::StoreError;
use std::fs;

use time::Duration;

use super::testing::{Ca, files_below, order};
use crate::authority::leaf::order::IssueOrder;
use crate::authority::leaf::renew::{NextKey, RenewError};
use crate::authority::revocation::publish_crl::{self, CrlError, CrlOrder, CrlOutcome, CrlReason, CrlStatus};
use crate::authority::revocation::revoke::{self, RevokeAction, RevokeError, RevokeTarget};
use crate::issuance::{Expiry, IssuerError};
use crate::keys::{PrivateKey, key_file};
use crate::store::ca_certificates::read_certificate;
use crate::store::index::sample::context;
use crate::store::index::{CertificateStatus, ImportSource, ImportedRevocation, Index, Revocation};
use crate::system::files;
use crate::text::Lifetime;
use crate::x509::crl::{RevocationReason, RevokedEntry};
use crate::x509::{Certificate, Crl, KeyAlgorithm, pem};

const STOLEN: RevocationReason = RevocationReason::KeyCompromise;
const HOLD: RevocationReason = RevocationReason::CertificateHold;
const RELEASE: RevocationReason = RevocationReason::RemoveFromCrl;

fn refused(result: Result<revoke::RevokeOutcome, RevokeError>) -> RevokeError {
    match result {
        Err(error) => error,
        other => panic!("{other:?}"),
    }
}

fn list_refused(result: Result<CrlOutcome, CrlError>) -> CrlError {
    match result {
        Err(error) => error,
        other => panic!("{other:?}"),
    }
}

fn status(ca: &Ca, name: &str) -> CertificateStatus {
    ca.index().latest_by_name(name).unwrap().unwrap().status(ca.now)
}

fn of(authority: &str) -> CrlOrder {
    CrlOrder { authority: Some(authority.to_owned()), ..CrlOrder::default() }
}

fn ensured() -> CrlOrder {
    CrlOrder { ensure: true, ..CrlOrder::default() }
}

fn published(ca: &Ca, authority: &str) -> Crl {
    let list = Crl::from_der(&fs::read(ca.home.crl_der(authority)).unwrap()).unwrap();
    let text = fs::read_to_string(ca.home.crl_pem(authority)).unwrap();
    assert_eq!(text, pem::encode("X509 CRL", list.as_der()));
    list
}

fn serials(entries: &[RevokedEntry]) -> Vec<String> {
    entries.iter().map(|entry| entry.serial.to_string()).collect()
}

fn certificate(ca: &Ca, below: &str) -> Certificate {
    read_certificate(&ca.path(below)).unwrap()
}

#[test]
fn a_revoked_certificate_is_known_as_one_and_followed_by_another() {
    let ca = Ca::new();
    ca.issue(order("server", "web.test")).unwrap();
    let outcome = ca.revoke("web.test", STOLEN).unwrap();
    assert_eq!((outcome.action, outcome.authorities.as_slice()), (RevokeAction::Revoked, &["issuing".to_owned()][..]));
    let revocation = outcome.certificates[0].revocation.clone().unwrap();
    assert_eq!((revocation.at, revocation.reason), (ca.now, STOLEN));
    assert_eq!(status(&ca, "web.test"), CertificateStatus::Revoked);
    assert!(matches!(
        ca.renew("web.test", NextKey::Same),
        Err(RenewError::Issue(IssueError::Follow(FollowError::Revoked(name)))) if name == "web.test"
    ));
    ca.issue(crate::authority::leaf::order::IssueOrder {
        existing: crate::authority::leaf::order::IfNameExists::Replace,
        ..order("server", "web.test")
    })
    .unwrap();
    assert_eq!(status(&ca, "web.test"), CertificateStatus::Valid);
    // A stolen key is followed by a new key; a hold is released first.
    ca.revoke("web.test", STOLEN).unwrap();
    ca.renew("web.test", NextKey::New(None)).unwrap();
    assert_eq!(status(&ca, "web.test"), CertificateStatus::Valid);
    let present = serial_in_place(&ca, "web.test");
    ca.revoke(&format!("serial:{present}"), HOLD).unwrap();
    for key in [NextKey::Same, NextKey::New(None)] {
        assert!(matches!(
            ca.renew("web.test", key),
            Err(RenewError::Issue(IssueError::Follow(FollowError::OnHold(_))))
        ));
    }
}

fn serial_in_place(ca: &Ca, name: &str) -> String {
    certificate(ca, &format!("issued/{name}/cert.pem")).serial.to_string()
}

#[test]
fn a_stolen_key_is_kept_by_no_renewal_whichever_certificate_of_it_was_revoked() {
    let ca = Ca::new();
    ca.issue(order("server", "web.test")).unwrap();
    let first = serial_in_place(&ca, "web.test");
    ca.renew("web.test", NextKey::Same).unwrap();
    ca.revoke(&format!("serial:{first}"), RevocationReason::Superseded).unwrap();
    ca.renew("web.test", NextKey::Same).unwrap();
    let second = ca.history("web.test")[1].serial.to_string();
    ca.revoke(&format!("serial:{second}"), STOLEN).unwrap();
    let before = files_below(ca.home.folder());
    let refused = ca.renew("web.test", NextKey::Same);
    assert!(
        matches!(refused, Err(RenewError::Issue(IssueError::SubjectKey(SubjectKeyError::KeyCompromised { serial, .. }))) if serial == second)
    );
    assert_eq!((files_below(ca.home.folder()), ca.history("web.test").len()), (before, 3));
    ca.renew("web.test", NextKey::New(None)).unwrap();
    ca.renew("web.test", NextKey::Same).unwrap();
}

#[test]
fn what_cannot_be_done_to_a_certificate_is_said_and_nothing_changes() {
    let ca = Ca::new();
    ca.issue(order("server", "web.test")).unwrap();
    assert!(matches!(refused(ca.revoke("web.test", RELEASE)), RevokeError::NotHeld { .. }));
    assert_eq!(ca.revoke("web.test", HOLD).unwrap().action, RevokeAction::Held);
    assert_eq!(status(&ca, "web.test"), CertificateStatus::Held);
    assert!(matches!(refused(ca.revoke("web.test", HOLD)), RevokeError::AlreadyHeld { .. }));
    assert_eq!(ca.revoke("web.test", RELEASE).unwrap().action, RevokeAction::Released);
    assert_eq!(status(&ca, "web.test"), CertificateStatus::Valid);
    assert!(matches!(refused(ca.revoke("web.test", RELEASE)), RevokeError::NotHeld { .. }));

    ca.revoke("web.test", STOLEN).unwrap();
    assert!(matches!(refused(ca.revoke("web.test", STOLEN)), RevokeError::AlreadyRevoked { .. }));
    assert!(matches!(refused(ca.revoke("web.test", HOLD)), RevokeError::AlreadyRevoked { .. }));
    assert!(matches!(refused(ca.revoke("web.test", RELEASE)), RevokeError::Final { .. }));
    let id = ca.history("web.test")[0].id;
    assert_eq!(ca.index().revocations(id).unwrap().len(), 2);
    assert!(matches!(ca.revoke("nobody.test", STOLEN), Err(RevokeError::Store(StoreError::Index(_)))));
    assert!(matches!(refused(ca.revoke("root", STOLEN)), RevokeError::Root(name) if name == "root"));
}

#[test]
fn a_clock_that_went_back_does_not_hide_what_was_revoked() {
    let mut ca = Ca::new();
    ca.issue(order("server", "web.test")).unwrap();
    ca.now += Duration::HOUR;
    ca.revoke("web.test", STOLEN).unwrap();
    ca.now -= Duration::HOUR;
    assert!(matches!(refused(ca.revoke("web.test", STOLEN)), RevokeError::AlreadyRevoked { .. }));
    ca.publish(&CrlOrder::default()).unwrap();
    assert_eq!(published(&ca, "issuing").entries.len(), 1);
}

#[test]
fn of_several_live_certificates_the_caller_has_to_select_one() {
    let mut ca = Ca::new();
    ca.issue(crate::authority::leaf::order::IssueOrder {
        expiry: Expiry::For(Lifetime::from_days(1)),
        ..order("client", "alice")
    })
    .unwrap();
    ca.now += Duration::days(2);
    assert!(matches!(refused(ca.revoke("alice", STOLEN)), RevokeError::Ended { .. }));
    for _ in 0..3 {
        ca.renew("alice", NextKey::New(None)).unwrap();
    }
    let RevokeError::Several { entries, .. } = refused(ca.revoke("alice", STOLEN)) else { panic!("not asked") };
    let history = ca.history("alice");
    assert_eq!(entries, history[1..], "the one that has ended is not asked about");

    let second = format!("serial:{}", history[2].serial);
    assert_eq!(ca.revoke(&second, STOLEN).unwrap().certificates[0].id, history[2].id);
    let target = RevokeTarget::Reference("alice".parse().unwrap());
    let all = revoke::RevokeOrder { target, all: true, reason: STOLEN, invalid_since: None };
    let revoked = ca.revoke_as(&all).unwrap().certificates;
    assert_eq!(revoked.iter().map(|entry| entry.id).collect::<Vec<_>>(), [history[1].id, history[3].id]);
    assert!(matches!(refused(ca.revoke_as(&all)), RevokeError::AlreadyRevoked { .. }));
    // A certificate that is selected by its serial number is recorded as revoked even when it has expired.
    assert_eq!(ca.revoke(&format!("serial:{}", history[0].serial), STOLEN).unwrap().certificates.len(), 1);
}

#[test]
fn everything_for_a_key_is_revoked_at_once() {
    let ca = Ca::new();
    ca.issue(order("client", "alice")).unwrap();
    ca.renew("alice", NextKey::Same).unwrap();
    ca.renew("alice", NextKey::New(None)).unwrap();
    let history = ca.history("alice");
    let key = |fingerprint| RevokeTarget::Key { path: "key.pem".into(), fingerprint };
    let order = |target| revoke::RevokeOrder { target, all: false, reason: STOLEN, invalid_since: None };
    let outcome = ca.revoke_as(&order(key(history[0].key_fingerprint))).unwrap();
    assert_eq!(outcome.certificates.len(), 2);
    assert_eq!(ca.history("alice").last().unwrap().status(ca.now), CertificateStatus::Valid, "it has another key");
    assert!(matches!(refused(ca.revoke_as(&order(key([0; 32])))), RevokeError::UnknownKey(_)));

    let stranger = Ca::new();
    let own = certificate(&ca, "issued/alice/cert.pem");
    let file = || RevokeTarget::Certificate { path: "a.pem".into(), certificate: Box::new(own.clone()) };
    assert!(matches!(refused(stranger.revoke_as(&order(file()))), RevokeError::Unknown { .. }));
    assert_eq!(ca.revoke_as(&order(file())).unwrap().certificates[0].serial, own.serial);
}

#[test]
fn a_list_is_that_of_its_authority_byte_for_byte() {
    let ca = Ca::new();
    for name in ["a.test", "b.test", "c.test", "d.test"] {
        ca.issue(order("server", name)).unwrap();
    }
    let suspected = ca.now - Duration::days(3);
    let target = RevokeTarget::Reference("a.test".parse().unwrap());
    ca.revoke_as(&revoke::RevokeOrder { target, all: false, reason: STOLEN, invalid_since: Some(suspected) }).unwrap();
    ca.revoke("b.test", RevocationReason::Unspecified).unwrap();
    ca.revoke("c.test", HOLD).unwrap();
    ca.revoke("issuing", RevocationReason::CessationOfOperation).unwrap();
    let outcome = ca.publish(&CrlOrder::default()).unwrap();
    assert_eq!((outcome.authority.as_str(), outcome.number, outcome.revoked), ("issuing", 1, 3));
    let list = published(&ca, "issuing");
    let issuing = certificate(&ca, "authorities/issuing/cert.pem");
    assert_eq!(list.issuer.as_der(), issuing.subject.as_der());
    assert_eq!(list.authority_key_id.as_ref().unwrap().key_id, issuing.subject_key_id);
    assert_eq!((list.number.as_deref(), list.version), (Some(&[1][..]), 2));
    assert_eq!(list.this_update, ca.now - Duration::minutes(10), "for clocks that are slow");
    assert_eq!(list.next_update, Some(ca.now + Duration::days(30)), "the setting of ca.toml");
    let reported: Vec<_> =
        list.entries.iter().map(|entry| (entry.revoked_at, entry.reason, entry.invalid_since)).collect();
    assert_eq!(
        reported,
        [(ca.now, Some(STOLEN), Some(suspected)), (ca.now, None, None), (ca.now, Some(HOLD), None)],
        "in the order of the revocations; 'unspecified' is not written"
    );

    // The intermediate is in the CRL of its issuer.
    ca.publish(&of("root")).unwrap();
    assert_eq!(serials(&published(&ca, "root").entries), [issuing.serial.to_string()]);
    assert!(matches!(ca.publish(&of("nobody")), Err(CrlError::Store(StoreError::UnknownAuthority { .. }))));
}

#[test]
fn a_hold_that_becomes_final_keeps_its_date_and_a_release_leaves_no_trace_in_the_list() {
    let mut ca = Ca::new();
    for name in ["a.test", "b.test"] {
        ca.issue(order("server", name)).unwrap();
        ca.revoke(name, HOLD).unwrap();
    }
    let held_at = ca.now;
    ca.now += Duration::DAY;
    ca.revoke("a.test", STOLEN).unwrap();
    ca.revoke("b.test", RELEASE).unwrap();
    ca.publish(&CrlOrder::default()).unwrap();
    let list = published(&ca, "issuing");
    assert_eq!(list.entries.len(), 1);
    assert_eq!((list.entries[0].revoked_at, list.entries[0].reason), (held_at, Some(STOLEN)));
}

#[test]
fn numbers_grow_and_never_go_back() {
    let ca = Ca::new();
    assert_eq!(ca.publish(&CrlOrder::default()).unwrap().number, 1);
    let old_index = fs::read(ca.path("index.db")).unwrap();
    let old_log = fs::read(ca.path("index.db-wal")).unwrap();
    assert_eq!(ca.publish(&CrlOrder::default()).unwrap().number, 2);
    assert_eq!(ca.publish(&CrlOrder { number: Some(9), ..CrlOrder::default() }).unwrap().number, 9);
    assert_eq!(ca.publish(&CrlOrder::default()).unwrap().number, 10);
    let again = ca.publish(&CrlOrder { number: Some(10), ..CrlOrder::default() });
    assert!(matches!(list_refused(again), CrlError::NumberUsed { latest: 10, .. }));
    assert_eq!(published(&ca, "issuing").number.as_deref(), Some(&[10][..]));

    // An index from an old backup has neither these CRLs nor the later revocations.
    fs::remove_file(ca.path("index.db-shm")).unwrap();
    fs::write(ca.path("index.db"), old_index).unwrap();
    fs::write(ca.path("index.db-wal"), old_log).unwrap();
    let back = list_refused(ca.publish(&CrlOrder::default()));
    assert!(matches!(&back, CrlError::NumberGoesBack { next: 2, found, .. } if found == "10"), "{back}");
    let same = list_refused(ca.publish(&CrlOrder { number: Some(10), ..CrlOrder::default() }));
    assert!(matches!(&same, CrlError::NumberGoesBack { next: 10, .. }), "{same}");
    assert_eq!(published(&ca, "issuing").number.as_deref(), Some(&[10][..]), "the file is left alone");
    assert_eq!(ca.publish(&CrlOrder { number: Some(11), ..CrlOrder::default() }).unwrap().number, 11);
}

#[test]
fn a_crl_is_signed_again_only_when_it_is_due() {
    let mut ca = Ca::new();
    ca.issue(order("server", "web.test")).unwrap();
    let ensure = |ca: &Ca| {
        let outcome = ca.publish(&ensured()).unwrap();
        (outcome.status, outcome.number)
    };
    assert_eq!(ensure(&ca), (CrlStatus::Signed(CrlReason::First), 1));
    assert_eq!(ensure(&ca), (CrlStatus::Unchanged, 1));
    ca.revoke("web.test", HOLD).unwrap();
    assert_eq!(ensure(&ca), (CrlStatus::Signed(CrlReason::Changed), 2));
    ca.revoke("web.test", RELEASE).unwrap();
    assert_eq!(ensure(&ca), (CrlStatus::Signed(CrlReason::Changed), 3));
    ca.now += Duration::days(20);
    assert_eq!(ensure(&ca), (CrlStatus::Unchanged, 3), "exactly a third is left");
    ca.now += Duration::SECOND;
    assert_eq!(ensure(&ca), (CrlStatus::Signed(CrlReason::Due), 4));
    fs::remove_file(ca.home.crl_pem("issuing")).unwrap();
    assert_eq!(ensure(&ca), (CrlStatus::Signed(CrlReason::Files), 5));
    fs::write(ca.home.crl_der("issuing"), "not a list").unwrap();
    assert_eq!(ensure(&ca), (CrlStatus::Signed(CrlReason::Files), 6));
    assert_eq!(published(&ca, "issuing").number.as_deref(), Some(&[6][..]));
    // Both files of an older CRL, as a user puts them back.
    let older = [ca.home.crl_pem("issuing"), ca.home.crl_der("issuing")].map(|path| (fs::read(&path).unwrap(), path));
    ca.publish(&CrlOrder::default()).unwrap();
    for (content, path) in older {
        fs::write(path, content).unwrap();
    }
    assert_eq!(ensure(&ca), (CrlStatus::Signed(CrlReason::Files), 8));
}

#[test]
fn a_crl_is_current_without_a_look_at_its_entries_only_while_the_next_one_would_have_the_same() {
    let mut ca = Ca::new();
    ca.issue(IssueOrder { expiry: Expiry::For(Lifetime::from_days(10)), ..order("server", "a.test") }).unwrap();
    ca.issue(order("server", "b.test")).unwrap();
    let is_current = |ca: &Ca| {
        let index = ca.index();
        index.has_same_entries(&index.latest_crl("issuing").unwrap().unwrap()).unwrap()
    };
    let sign = |ca: &Ca| ca.publish(&CrlOrder::default()).unwrap();
    sign(&ca);
    ca.issue(order("server", "c.test")).unwrap();
    assert!(is_current(&ca));
    for (name, reason) in [("a.test", STOLEN), ("b.test", HOLD), ("b.test", RELEASE)] {
        ca.revoke(name, reason).unwrap();
        assert!(!is_current(&ca), "{name} {reason:?}");
        sign(&ca);
        assert!(is_current(&ca), "{name} {reason:?}");
    }
    // The next CRL has a.test once more, and then no longer.
    ca.now += Duration::days(11);
    assert!(is_current(&ca));
    sign(&ca);
    assert!(!is_current(&ca), "the next one leaves it out");
    assert_eq!(ca.publish(&ensured()).unwrap().status, CrlStatus::Signed(CrlReason::Changed));
    assert!(is_current(&ca));
    let mut index = ca.index();
    let mut transaction = index.transaction(context()).unwrap();
    let imported = ImportedRevocation {
        authority: "issuing",
        issuer: &published(&ca, "issuing").issuer,
        serial: &certificate(&ca, "authorities/root/cert.pem").serial,
        revocation: &Revocation { at: ca.now, reason: STOLEN, invalid_since: None, released_at: None },
        not_after: None,
        source: ImportSource::Crl,
    };
    transaction.import_revocation(&imported).unwrap();
    transaction.commit().unwrap();
    assert!(!is_current(&ca));
}

#[test]
fn a_copy_of_a_newer_list_stays_when_the_ca_was_brought_back_from_an_old_copy() {
    let ca = Ca::new();
    ca.publish(&CrlOrder::default()).unwrap();
    let old = ["index.db", "index.db-wal"].map(|name| (name, fs::read(ca.path(name)).unwrap()));
    let copy = |number| CrlOrder { copy: Some(ca.path("copy.pem")), number, ..CrlOrder::default() };
    ca.publish(&copy(Some(7))).unwrap();
    let newest = fs::read(ca.path("copy.pem")).unwrap();
    fs::remove_file(ca.path("index.db-shm")).unwrap();
    for (name, content) in old {
        fs::write(ca.path(name), content).unwrap();
    }
    fs::remove_file(ca.home.crl_der("issuing")).unwrap();
    fs::remove_file(ca.home.crl_pem("issuing")).unwrap();
    for (number, would_be) in [(None, 2), (Some(7), 7)] {
        let refused = list_refused(ca.publish(&copy(number)));
        let CrlError::NumberGoesBack { next, found, path, .. } = &refused else { panic!("{refused}") };
        assert_eq!((*next, found.as_str(), path), (would_be, "7", &ca.path("copy.pem")));
        assert_eq!(fs::read(ca.path("copy.pem")).unwrap(), newest);
    }
    assert_eq!(ca.publish(&copy(Some(8))).unwrap().number, 8);
}

#[test]
fn a_copy_that_cannot_be_written_is_found_before_a_number_is_given() {
    let ca = Ca::new();
    fs::write(ca.path("other"), "").unwrap();
    std::os::unix::fs::symlink("other", ca.path("link.pem")).unwrap();
    let refused = ca.publish(&CrlOrder { copy: Some(ca.path("link.pem")), ..CrlOrder::default() });
    assert!(matches!(refused, Err(CrlError::Store(StoreError::File(_)))), "{refused:?}");
    assert_eq!(ca.index().latest_crl("issuing").unwrap(), None);
    assert!(!ca.home.crl_der("issuing").exists());
}

#[test]
fn a_certificate_that_has_ended_is_named_once_more() {
    let mut ca = Ca::new();
    ca.issue(IssueOrder { expiry: Expiry::For(Lifetime::from_days(10)), ..order("server", "web.test") }).unwrap();
    ca.revoke("web.test", STOLEN).unwrap();
    let named = |ca: &Ca| {
        ca.publish(&CrlOrder::default()).unwrap();
        published(ca, "issuing").entries.len()
    };
    assert_eq!(named(&ca), 1);
    ca.now += Duration::days(11);
    // A CRL whose files were never written does not count as published.
    fs::remove_file(ca.home.crl_pem("issuing")).unwrap();
    fs::create_dir(ca.home.crl_pem("issuing")).unwrap();
    let failed = list_refused(ca.publish(&CrlOrder::default()));
    assert!(matches!(&failed, CrlError::NotPublished { number: 2, .. }), "{failed}");
    fs::remove_dir(ca.home.crl_pem("issuing")).unwrap();
    assert_eq!(named(&ca), 1, "one list issued beyond the validity period (RFC 5280 §3.3)");
    assert_eq!(named(&ca), 0);
}

#[test]
fn a_copy_replaces_nothing_but_an_older_list() {
    let ca = Ca::new();
    let copy = |name: &str| CrlOrder { copy: Some(ca.path(name)), ..CrlOrder::default() };
    ca.publish(&copy("copy.pem")).unwrap();
    assert_eq!(fs::read(ca.path("copy.pem")).unwrap(), fs::read(ca.home.crl_pem("issuing")).unwrap());
    ca.publish(&copy("copy.der")).unwrap();
    assert_eq!(fs::read(ca.path("copy.der")).unwrap(), fs::read(ca.home.crl_der("issuing")).unwrap());
    assert_eq!(files::mode(&ca.path("copy.der")).unwrap(), files::PUBLIC);
    // A run that has no CRL to sign updates an old copy.
    let ensured = ca.publish(&CrlOrder { ensure: true, ..copy("copy.pem") }).unwrap();
    assert_eq!((ensured.status, ensured.number), (CrlStatus::Unchanged, 2));
    assert_eq!(fs::read(ca.path("copy.pem")).unwrap(), fs::read(ca.home.crl_pem("issuing")).unwrap());

    let two = fs::read_to_string(ca.path("copy.pem")).unwrap().repeat(2);
    for (name, content) in [("two.pem", two.as_str()), ("note", "hello"), ("none.der", "")] {
        fs::write(ca.path(name), content).unwrap();
        let error = list_refused(ca.publish(&copy(name)));
        assert!(matches!(error, CrlError::CopyTaken(_)), "{name}");
        assert_eq!(fs::read_to_string(ca.path(name)).unwrap(), content);
    }
    // The same authority in another copy of the CA directory has a higher CRL number.
    ca.publish(&CrlOrder { number: Some(100), ..copy("newer.pem") }).unwrap();
    let stale = Ca::new();
    let other = fs::read(ca.path("newer.pem")).unwrap();
    fs::write(stale.path("newer.pem"), &other).unwrap();
    stale.publish(&CrlOrder { copy: Some(stale.path("newer.pem")), ..CrlOrder::default() }).unwrap();
    assert_ne!(fs::read(stale.path("newer.pem")).unwrap(), other, "the list of another CA's key may be replaced");
    fs::remove_dir_all(stale.path("")).unwrap();
    assert_eq!(ca.index().latest_crl("issuing").unwrap().unwrap().number, 100);
}

#[test]
fn a_list_needs_the_authoritys_own_key_and_its_leave() {
    let ca = Ca::new();
    let right = fs::read(ca.path("authorities/issuing/key.pem")).unwrap();
    let other = PrivateKey::generate(KeyAlgorithm::EcdsaP384).unwrap();
    fs::write(ca.path("authorities/issuing/key.pem"), key_file::write(&other, None).unwrap().as_bytes()).unwrap();
    let refused = ca.publish(&CrlOrder::default());
    assert!(matches!(refused, Err(CrlError::Store(StoreError::Issuer(IssuerError::KeyMismatch(_))))), "{refused:?}");
    fs::remove_file(ca.path("authorities/issuing/key.pem")).unwrap();
    assert!(matches!(ca.publish(&CrlOrder::default()), Err(CrlError::Store(StoreError::KeyAway { .. }))));
    assert_eq!(ca.index().latest_crl("issuing").unwrap(), None, "no number was taken");
    fs::write(ca.path("authorities/issuing/key.pem"), right).unwrap();
    // The caller is not asked for a passphrase when there is no CRL to sign.
    let restore = std::os::unix::fs::PermissionsExt::from_mode(0o600);
    fs::set_permissions(ca.path("authorities/issuing/key.pem"), restore).unwrap();
    assert_eq!(ca.publish(&ensured()).unwrap().number, 1);
    fs::remove_file(ca.path("authorities/issuing/key.pem")).unwrap();
    assert_eq!(ca.publish(&ensured()).unwrap().status, publish_crl::CrlStatus::Unchanged);
}

#[test]
fn many_at_once_revoke_and_sign_without_losing_a_revocation_or_a_number() {
    let ca = Ca::new();
    let names: Vec<String> = (0..8).map(|number| format!("host-{number}.test")).collect();
    for name in &names {
        ca.issue(order("server", name)).unwrap();
    }
    let mut numbers: Vec<u64> = std::thread::scope(|scope| {
        let work = |name: &'_ String| {
            let (ca, name) = (&ca, name.clone());
            scope.spawn(move || {
                ca.revoke(&name, STOLEN).unwrap();
                ca.publish(&CrlOrder::default()).unwrap().number
            })
        };
        let threads: Vec<_> = names.iter().map(work).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    numbers.sort_unstable();
    assert_eq!(numbers, (1..=8).collect::<Vec<u64>>());
    let list = published(&ca, "issuing");
    assert_eq!((list.number.as_deref(), list.entries.len()), (Some(&[8][..]), 8));
    assert!(Index::open_to_read(&ca.path("index.db")).unwrap().check().unwrap().is_empty());
}

#[test]
fn a_revoked_authority_signs_no_certificates_and_what_it_signed_is_due() {
    let ca = Ca::new();
    ca.issue(order("server", "web.test")).unwrap();
    let refused = |result: Result<crate::authority::leaf::order::IssueOutcome, IssueError>| match result {
        Err(error @ IssueError::Certify(CertifyError::RevokedIssuer { .. })) => error.to_string(),
        other => panic!("{other:?}"),
    };
    let if_due = || crate::authority::leaf::order::IssueOrder {
        existing: crate::authority::leaf::order::IfNameExists::KeepUnlessDue(
            crate::authority::leaf::order::DueRule::LastThird,
        ),
        ..order("server", "web.test")
    };
    let by_root = || crate::authority::leaf::order::IssueOrder { issuer: Some("root".to_owned()), ..if_due() };

    ca.revoke("issuing", HOLD).unwrap();
    assert!(refused(ca.issue(order("server", "b.test"))).starts_with("'issuing' is on hold, since "));
    ca.revoke("issuing", RELEASE).unwrap();
    assert_eq!(ca.issue(if_due()).unwrap().status, crate::authority::leaf::order::IssueStatus::Unchanged);

    let of_issue = |renewed: Result<_, RenewError>| {
        renewed.map_err(|error| match error {
            RenewError::Issue(error) => error,
            error => panic!("{error:?}"),
        })
    };
    ca.revoke("issuing", STOLEN).unwrap();
    assert!(refused(ca.issue(order("server", "b.test"))).contains("is revoked, since "));
    let dry_run = crate::authority::leaf::order::IssueOrder { dry_run: true, ..order("server", "b.test") };
    refused(ca.issue(dry_run));
    refused(ca.issue(crate::authority::leaf::order::IssueOrder {
        place: Some(crate::store::delivery::Destination::Memory),
        ..order("server", "b.test")
    }));
    refused(of_issue(ca.renew("web.test", NextKey::Same)));
    refused(of_issue(ca.renew("web.test", NextKey::New(None))));
    refused(ca.issue(if_due()));
    assert!(ca.history("b.test").is_empty() && ca.history("web.test").len() == 1);
    assert_eq!(ca.issue(by_root()).unwrap().status, crate::authority::leaf::order::IssueStatus::Issued);
    assert_eq!(ca.issue(by_root()).unwrap().status, crate::authority::leaf::order::IssueStatus::Unchanged);
}

#[test]
fn an_authority_below_a_revoked_one_signs_nothing() {
    let ca = Ca::none();
    let templates = ca.path("templates/policy.toml");
    ca.init(crate::authority::hierarchy::init::InitOrder { intermediate: None, ..ca.init_order() }).unwrap();
    let deeper = include_str!("../../templates/intermediate.toml").replace("path-length = 0", "path-length = 1");
    fs::write(templates, deeper).unwrap();
    ca.issue(order("policy", "policy")).unwrap();
    let below = |name| crate::authority::leaf::order::IssueOrder {
        issuer: Some("policy".to_owned()),
        ..order("intermediate", name)
    };
    ca.issue(below("emea")).unwrap();
    ca.revoke("policy", STOLEN).unwrap();
    let order =
        crate::authority::leaf::order::IssueOrder { issuer: Some("emea".to_owned()), ..order("server", "web.test") };
    let message = ca.issue(order).unwrap_err().to_string();
    assert!(message.starts_with("'emea' is below 'policy', which is revoked"), "{message}");
    assert!(matches!(ca.issue(below("apac")), Err(IssueError::Certify(CertifyError::RevokedIssuer { .. }))));
}

#[test]
fn the_passphrase_of_a_revoked_authority_is_not_asked_for() {
    let ca = Ca::none();
    let passphrase = Some(crate::keys::Passphrase::new(b"secret".to_vec()));
    ca.init(crate::authority::hierarchy::init::InitOrder { passphrase, ..ca.init_order() }).unwrap();
    ca.revoke("issuing", STOLEN).unwrap();
    let asked = ca.issue_asking(order("server", "web.test"), &mut |_| panic!("asked"));
    assert!(matches!(asked, Err(IssueError::Certify(CertifyError::RevokedIssuer { .. }))));
}

#[test]
fn a_number_that_no_index_can_hold_is_refused() {
    let ca = Ca::new();
    let refused = list_refused(ca.publish(&CrlOrder { number: Some(u64::MAX), ..CrlOrder::default() }));
    assert!(matches!(refused, CrlError::NumberTooGreat(u64::MAX)), "{refused}");
    assert!(!ca.home.crl_der("issuing").exists());
}

#[test]
fn a_revoked_authority_signs_no_request() {
    let ca = Ca::new();
    let (asked, other) = (ca.request_for("web.test"), ca.request_for("b.test"));
    ca.revoke("issuing", HOLD).unwrap();
    assert!(matches!(ca.sign(&asked), Err(SignError::Issue(IssueError::Certify(CertifyError::RevokedIssuer { .. })))));
    ca.revoke("issuing", RELEASE).unwrap();
    ca.sign(&asked).unwrap();
    ca.revoke("issuing", STOLEN).unwrap();
    assert!(matches!(ca.sign(&other), Err(SignError::Issue(IssueError::Certify(CertifyError::RevokedIssuer { .. })))));
    assert!(ca.history("web.test").len() == 1 && ca.history("b.test").is_empty());
}
