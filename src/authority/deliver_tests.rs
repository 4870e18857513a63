//! Delivery into a folder of the user's: files of third parties stay, and the files that a killed process left do not
//! block the next run.

use crate::authority::leaf::error::IssueError;
use std::fs;

use super::testing::{Ca, files_below, order};
use crate::authority::leaf::order::{IssueOrder, IssueStatus};
use crate::authority::leaf::renew::{NextKey, RenewError};
use crate::keys::key_file::KeyFile;
use crate::keys::{Passphrase, Signer};
use crate::store::ca_certificates::read_certificate;
use crate::store::certificate_folder::file_of_another;
use crate::store::delivery::Destination;
use crate::store::index::CertificateStatus;
use crate::store::locate::count_as_delivered_if_there;

#[test]
fn what_an_interrupted_run_left_in_a_folder_of_the_user_is_replaced() {
    let ca = Ca::new();
    let folder = ca.top.path().join("out");
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("nginx.conf"), "mine").unwrap();
    let wish = || IssueOrder { place: Some(Destination::Folder(folder.clone())), ..order("server", "web.test") };
    ca.issue(wish()).unwrap();
    ca.forget_delivery("web.test");
    fs::remove_file(folder.join("cert.pem")).unwrap();
    ca.issue(wish()).unwrap();
    assert_eq!(files_below(&folder), ["cert.pem", "chain.pem", "fullchain.pem", "key.pem", "nginx.conf"]);
    let key = KeyFile::parse(&fs::read(folder.join("key.pem")).unwrap()).unwrap().open(None).unwrap();
    assert_eq!(key.public_key(), &read_certificate(&folder.join("cert.pem")).unwrap().public_key);
}

/// The files as a process leaves them that is killed between two of the four: certificate, key, chain, full chain.
#[test]
fn an_encrypted_key_that_an_interrupted_run_left_is_replaced() {
    for finished in 1..4 {
        let ca = Ca::new();
        let folder = ca.top.path().join("out");
        fs::create_dir(&folder).unwrap();
        let wish = || IssueOrder {
            place: Some(Destination::Folder(folder.clone())),
            protection: Some(Passphrase::new(b"leaf secret".to_vec())),
            ..order("server", "web.test")
        };
        ca.issue(wish()).unwrap();
        ca.forget_delivery("web.test");
        for file in &["cert.pem", "key.pem", "chain.pem", "fullchain.pem"][finished..] {
            fs::remove_file(folder.join(file)).unwrap();
        }
        assert_eq!(ca.issue(wish()).unwrap().status, IssueStatus::Issued);
        assert_eq!(ca.history("web.test").len(), 2, "{finished} files");
        let key = KeyFile::parse(&fs::read(folder.join("key.pem")).unwrap()).unwrap();
        let key = key.open(Some(&Passphrase::new(b"leaf secret".to_vec()))).unwrap();
        for file in ["cert.pem", "fullchain.pem"] {
            assert_eq!(key.public_key(), &read_certificate(&folder.join(file)).unwrap().public_key, "{file}");
        }
    }
}

#[test]
fn what_is_not_of_the_interrupted_run_stays() {
    let ca = Ca::new();
    let folder = ca.top.path().join("out");
    fs::create_dir(&folder).unwrap();
    let wish = || IssueOrder { place: Some(Destination::Folder(folder.clone())), ..order("server", "web.test") };
    ca.issue(wish()).unwrap();
    ca.forget_delivery("web.test");
    fs::remove_file(folder.join("fullchain.pem")).unwrap();
    let other = ca.issue(order("client", "alice")).map(|_| ca.path("issued/alice")).unwrap();
    for name in ["key.pem", "cert.pem"] {
        let own = fs::read(folder.join(name)).unwrap();
        for content in [fs::read(other.join(name)).unwrap(), b"mine".to_vec()] {
            fs::write(folder.join(name), &content).unwrap();
            assert!(matches!(ca.issue(wish()), Err(IssueError::PlaceTaken(path)) if path.ends_with(name)), "{name}");
            assert_eq!(fs::read(folder.join(name)).unwrap(), content);
        }
        fs::write(folder.join(name), own).unwrap();
    }
    for name in ["cert.pem", "fullchain.pem"] {
        fs::remove_file(folder.join(name)).ok();
    }
    assert!(matches!(ca.issue(wish()), Err(IssueError::PlaceTaken(path)) if path.ends_with("key.pem")));
    assert_eq!(ca.history("web.test").len(), 1);
    fs::remove_file(folder.join("key.pem")).unwrap();
    fs::remove_file(folder.join("chain.pem")).unwrap();
    ca.issue(wish()).unwrap();
}

#[test]
fn the_key_beside_a_certificate_for_a_request_is_its_senders() {
    let ca = Ca::new();
    ca.issue(order("server", "web.test")).unwrap();
    let folder = ca.path("issued/web.test");
    let own = [read_certificate(&folder.join("cert.pem")).unwrap()];
    fs::write(folder.join("key.pem"), "of the sender, and none of our business").unwrap();
    assert_eq!(file_of_another(&folder, &own, false).unwrap(), None);
    assert_eq!(file_of_another(&folder, &own, true).unwrap(), Some(folder.join("key.pem")));
}

#[test]
fn files_of_the_user_are_never_overwritten_and_nothing_is_recorded_then() {
    let ca = Ca::new();
    let folder = ca.top.path().join("out");
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("key.pem"), "mine").unwrap();
    let wish = || IssueOrder { place: Some(Destination::Folder(folder.clone())), ..order("server", "web.test") };
    assert!(matches!(ca.issue(wish()), Err(IssueError::PlaceTaken(path)) if path.ends_with("key.pem")));
    assert_eq!(fs::read(folder.join("key.pem")).unwrap(), b"mine");
    assert!(ca.history("web.test").is_empty());

    fs::create_dir(ca.path("issued/web.test")).unwrap();
    assert!(matches!(ca.issue(order("server", "web.test")), Err(IssueError::PlaceTaken(_))));
    assert!(ca.history("web.test").is_empty());
}

#[test]
fn a_place_that_cannot_be_written_is_found_before_anything_is_recorded() {
    let ca = Ca::new();
    fs::write(ca.top.path().join("file"), "").unwrap();
    std::os::unix::fs::symlink("nowhere", ca.top.path().join("dangling")).unwrap();
    std::os::unix::fs::symlink("nowhere", ca.path("issued/web.test")).unwrap();
    for below in ["file", "file/out", "dangling"] {
        let wish =
            IssueOrder { place: Some(Destination::Folder(ca.top.path().join(below))), ..order("server", "a.test") };
        assert!(ca.issue(wish).is_err(), "{below}");
    }
    assert!(ca.issue(order("server", "web.test")).is_err());
    assert!(ca.history("a.test").is_empty() && ca.history("web.test").is_empty());
    assert!(!ca.top.path().join("nowhere").exists());
}

#[test]
fn a_certificate_without_the_mark_counts_as_delivered_while_its_files_are_there() {
    let ca = Ca::new();
    ca.issue(order("server", "web.test")).unwrap();
    ca.forget_delivery("web.test");
    let status = || {
        let mut entry = ca.history("web.test").remove(0);
        assert_eq!(entry.status(ca.now), CertificateStatus::NotDelivered);
        count_as_delivered_if_there(&ca.home, &ca.index(), &mut entry).unwrap();
        entry.status(ca.now)
    };
    assert_eq!(status(), CertificateStatus::Valid);
    fs::rename(ca.path("issued/web.test"), ca.top.path().join("web.test")).unwrap();
    assert_eq!(status(), CertificateStatus::NotDelivered);
    // The files of another certificate are not its own.
    ca.issue(order("server", "api.test")).unwrap();
    fs::rename(ca.path("issued/api.test"), ca.path("issued/web.test")).unwrap();
    assert_eq!(status(), CertificateStatus::NotDelivered);
}

#[test]
fn a_renewal_does_not_replace_the_certificate_of_another_in_a_folder_of_the_user() {
    let (ca, other) = (Ca::new(), Ca::new());
    let folder = ca.top.path().join("out");
    fs::create_dir(&folder).unwrap();
    ca.issue(IssueOrder { place: Some(Destination::Folder(folder.clone())), ..order("server", "web.test") }).unwrap();
    other.issue(order("server", "web.test")).unwrap();
    for name in ["cert.pem", "fullchain.pem"] {
        fs::copy(other.path("issued/web.test").join(name), folder.join(name)).unwrap();
    }
    let refused = ca.renew("web.test", NextKey::New(None));
    assert!(
        matches!(&refused, Err(RenewError::Issue(IssueError::OtherCertificate(path))) if *path == folder.join("cert.pem")),
        "{refused:?}"
    );
    assert_eq!(fs::read(folder.join("cert.pem")).unwrap(), fs::read(other.path("issued/web.test/cert.pem")).unwrap());
    assert_eq!(ca.history("web.test").len(), 1);
}
