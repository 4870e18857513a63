//! Tests of renewals with real files.

use crate::authority::error::CertifyError;
use crate::authority::leaf::error::IssueError;
use crate::authority::leaf::follow::FollowError;
use crate::store::{StoreError, certificate_folder};
use std::fs;

use time::Duration;

use super::testing::{Ca, order};
use crate::authority::hierarchy::init;
use crate::authority::leaf::order::{IfNameExists, IssueOrder};
use crate::authority::leaf::renew::{NextKey, RenewError};
use crate::issuance::Expiry;
use crate::keys::Passphrase;
use crate::store::ca_certificates::read_certificate;
use crate::store::delivery::Destination;
use crate::x509::KeyAlgorithm;
use crate::x509::crl::RevocationReason;

#[test]
fn the_next_certificate_has_the_same_names_template_and_place_and_the_key_that_was_asked_for() {
    let mut ca = Ca::new();
    let folder = ca.top.path().join("out");
    fs::create_dir(&folder).unwrap();
    let wish = IssueOrder {
        names: vec!["www.test".parse().unwrap()],
        expiry: Expiry::For("30d".parse().unwrap()),
        subject: vec![(crate::x509::AttributeType::Organization, "Beta".to_owned())],
        place: Some(Destination::Folder(folder.clone())),
        protection: Some(Passphrase::new(b"leaf secret".to_vec())),
        ..order("server", "web.test")
    };
    ca.issue(wish).unwrap();
    let first = read_certificate(&folder.join("cert.pem")).unwrap();
    ca.now += Duration::days(20);
    ca.renew("web.test", NextKey::Same).unwrap();
    let second = read_certificate(&folder.join("cert.pem")).unwrap();
    assert_eq!(
        (&second.public_key, second.names(), &second.subject),
        (&first.public_key, first.names(), &first.subject)
    );
    assert_eq!(second.validity.length(), first.validity.length());
    assert!(second.serial != first.serial && second.validity.not_after > first.validity.not_after);
    assert!(fs::read_to_string(folder.join("key.pem")).unwrap().contains("ENCRYPTED"));

    ca.renew("web.test", NextKey::New(None)).unwrap();
    let third = read_certificate(&folder.join("cert.pem")).unwrap();
    assert_ne!(third.public_key, second.public_key);
    assert_eq!(third.public_key.kind(), second.public_key.kind());
    assert_eq!(ca.history("web.test").len(), 3);

    ca.issue(order("client", "alice")).unwrap();
    ca.renew("alice", NextKey::New(Some(KeyAlgorithm::Ed25519))).unwrap();
    let kind = read_certificate(&ca.path("issued/alice/cert.pem")).unwrap().public_key.kind().to_string();
    assert_eq!(kind, "ed25519");
    assert_eq!(fs::read_dir(ca.path("issued/.generations/alice")).unwrap().count(), 1);
}

#[test]
fn a_renewal_that_is_overtaken_follows_what_overtook_it() {
    let mut ca = with_encrypted_keys();
    ca.issue(order("server", "web.test")).unwrap();
    let in_place = |ca: &Ca| read_certificate(&ca.path("issued/web.test/cert.pem")).unwrap();
    // A key that another process has just replaced is not written back.
    let mut times = 0;
    let outcome = ca.renew_while("web.test", NextKey::Same, &mut || {
        times += 1;
        ca.renew("web.test", NextKey::New(None)).unwrap();
    });
    let history = ca.history("web.test");
    assert_eq!((times, history.len()), (1, 3), "whoever begins again asks nobody again");
    assert_eq!(outcome.unwrap().replaced.unwrap(), history[1].serial);
    assert_eq!(history[2].key_fingerprint, history[1].key_fingerprint);
    assert_ne!(history[2].key_fingerprint, history[0].key_fingerprint);
    assert!(certificate_folder::holds(&ca.path("issued/web.test"), &in_place(&ca)).unwrap());
    // The same is true of names that the certificate no longer has, and of its lifetime.
    for key in [NextKey::Same, NextKey::New(None)] {
        ca.now += Duration::days(1);
        let before = in_place(&ca);
        ca.renew_while("web.test", key, &mut || {
            let another = IssueOrder {
                existing: IfNameExists::Replace,
                expiry: Expiry::For("9d".parse().unwrap()),
                ..order("server", "web.test")
            };
            ca.issue(IssueOrder { names: vec![format!("{}.test", ca.now.day()).parse().unwrap()], ..another }).unwrap();
        })
        .unwrap();
        let after = in_place(&ca);
        assert_ne!(after.names(), before.names());
        assert_eq!(after.names(), ["web.test", &format!("{}.test", ca.now.day())].map(|name| name.parse().unwrap()));
        assert_eq!(after.validity.length(), Duration::days(9));
    }
    // Two processes that request the same renewal do not block each other.
    let outcome = ca.renew_while("web.test", NextKey::New(None), &mut || {
        ca.renew("web.test", NextKey::New(None)).unwrap();
    });
    assert_eq!(outcome.unwrap().replaced.unwrap(), ca.history("web.test").iter().rev().nth(1).unwrap().serial);
}

#[test]
fn what_is_revoked_or_held_while_its_renewal_waits_is_not_renewed() {
    for (reason, key) in [
        (RevocationReason::Superseded, NextKey::Same),
        (RevocationReason::CertificateHold, NextKey::Same),
        (RevocationReason::CertificateHold, NextKey::New(None)),
    ] {
        let ca = with_encrypted_keys();
        ca.issue(order("server", "web.test")).unwrap();
        let refused = ca.renew_while("web.test", key, &mut || {
            ca.revoke("web.test", reason).unwrap();
        });
        assert!(
            matches!(
                &refused,
                Err(RenewError::Issue(IssueError::Follow(FollowError::Revoked(_) | FollowError::OnHold(_))))
            ),
            "{refused:?}"
        );
        assert_eq!(ca.history("web.test").len(), 1);
    }
}

#[test]
fn what_has_no_key_no_files_or_is_an_authority_is_not_renewed() {
    let ca = Ca::new();
    ca.issue(order("server", "web.test")).unwrap();
    fs::copy(ca.path("authorities/root/key.pem"), ca.path("issued/web.test/key.pem")).unwrap();
    let refused = |name: &str| match ca.renew(name, NextKey::Same) {
        Err(error) => error,
        other => panic!("{other:?}"),
    };
    assert!(matches!(refused("web.test"), RenewError::OtherKey { .. }));
    fs::remove_file(ca.path("issued/web.test/key.pem")).unwrap();
    assert!(matches!(refused("web.test"), RenewError::NoKey(_)));
    assert!(matches!(refused("issuing"), RenewError::Authority(_)));
    assert!(matches!(
        ca.renew("nobody", NextKey::Same),
        Err(RenewError::Issue(IssueError::Certify(CertifyError::Store(StoreError::Index(_)))))
    ));
    assert_eq!(ca.history("web.test").len(), 1);
}

fn with_encrypted_keys() -> Ca {
    let ca = Ca::none();
    ca.init(init::InitOrder { passphrase: Some(Passphrase::new(b"secret".to_vec())), ..ca.init_order() }).unwrap();
    ca
}
