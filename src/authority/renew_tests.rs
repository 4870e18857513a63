//! Renewals, on a real disk.

use std::fs;

use time::Duration;

use super::AuthorityError;
use super::authorities::read_certificate;
use super::deliver::Place;
use super::issue::Order;
use super::renew::{NextKey, RenewError};
use super::testing::{Ca, order};
use crate::issuance::End;
use crate::keys::Passphrase;
use crate::x509::KeyAlgorithm;

#[test]
fn the_next_certificate_has_the_same_names_template_and_place_and_the_key_that_was_asked_for() {
    let mut ca = Ca::new();
    let folder = ca.top.path().join("out");
    fs::create_dir(&folder).unwrap();
    let wish = Order {
        names: vec!["www.test".parse().unwrap()],
        end: End::For("30d".parse().unwrap()),
        subject: vec![(crate::x509::AttributeType::Organization, "Beta".to_owned())],
        place: Some(Place::Folder(folder.clone())),
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
fn what_has_no_key_no_files_or_is_an_authority_is_not_renewed() {
    let ca = Ca::new();
    ca.issue(order("server", "web.test")).unwrap();
    fs::copy(ca.path("authorities/root/key.pem"), ca.path("issued/web.test/key.pem")).unwrap();
    let refused = |name: &str| match ca.renew(name, NextKey::Same) {
        Err(AuthorityError::Renew(error)) => error,
        other => panic!("{other:?}"),
    };
    assert!(matches!(refused("web.test"), RenewError::OtherKey { .. }));
    fs::remove_file(ca.path("issued/web.test/key.pem")).unwrap();
    assert!(matches!(refused("web.test"), RenewError::NoKey(_)));
    assert!(matches!(refused("issuing"), RenewError::Authority(_)));
    assert!(matches!(ca.renew("nobody", NextKey::Same), Err(AuthorityError::Index(_))));
    assert_eq!(ca.history("web.test").len(), 1);
}
