//! Tests of what the authorities signed and the index does not have: after an older index was brought back.

use std::fs;

use super::testing::{Ca, order};
use crate::authority::revocation::publish_crl::{CrlError, CrlOrder, CrlReason, CrlStatus};
use crate::authority::revocation::revoke::{RevokeError, RevokeOrder, RevokeTarget};
use crate::keys::Signer;
use crate::keys::key_file::KeyFile;
use crate::store::ca_certificates::read_certificate;
use crate::store::index::{CertificateStatus, Origin};
use crate::x509::crl::{RevocationReason, RevokedEntry};
use crate::x509::tbs::TbsFields;
use crate::x509::{AttributeType, Certificate, Crl, DistinguishedName, SerialNumber, der, tbs};

const STOLEN: RevocationReason = RevocationReason::KeyCompromise;
const HOLD: RevocationReason = RevocationReason::CertificateHold;
const RELEASE: RevocationReason = RevocationReason::RemoveFromCrl;

/// The files of an index, to be brought back later.
struct Backup(Vec<(&'static str, Vec<u8>)>);

impl Backup {
    fn of(ca: &Ca) -> Self {
        Self(["index.db", "index.db-wal"].map(|name| (name, fs::read(ca.path(name)).unwrap_or_default())).into())
    }

    fn restore(&self, ca: &Ca) {
        drop(fs::remove_file(ca.path("index.db-shm")));
        for (name, content) in &self.0 {
            fs::write(ca.path(name), content).unwrap();
        }
    }
}

fn numbered(number: u64) -> CrlOrder {
    CrlOrder { number: Some(number), ..CrlOrder::default() }
}

fn ensured() -> CrlOrder {
    CrlOrder { ensure: true, ..CrlOrder::default() }
}

fn entries(ca: &Ca) -> Vec<RevokedEntry> {
    Crl::from_der(&fs::read(ca.home.crl_der("issuing")).unwrap()).unwrap().entries
}

fn certificate(ca: &Ca, name: &str) -> Certificate {
    read_certificate(&ca.path(&format!("issued/{name}/cert.pem"))).unwrap()
}

fn of_file(path: &str, certificate: Certificate, reason: RevocationReason) -> RevokeOrder {
    let target = RevokeTarget::Certificate { path: path.into(), certificate: Box::new(certificate) };
    RevokeOrder { target, all: false, reason, invalid_since: None }
}

/// A CA whose index is older than its CRL: `web.test` was revoked and published since.
fn with_older_index() -> (Ca, SerialNumber) {
    let ca = Ca::new();
    ca.issue(order("server", "web.test")).unwrap();
    ca.publish(&CrlOrder::default()).unwrap();
    let backup = Backup::of(&ca);
    let revocation = RevokeOrder {
        target: RevokeTarget::Reference("web.test".parse().unwrap()),
        all: false,
        reason: STOLEN,
        invalid_since: Some(ca.now - time::Duration::DAY),
    };
    ca.revoke_as(&revocation).unwrap();
    ca.publish(&CrlOrder::default()).unwrap();
    backup.restore(&ca);
    let serial = certificate(&ca, "web.test").serial;
    (ca, serial)
}

#[test]
fn a_published_revocation_that_the_index_lost_is_carried_over_with_its_date_and_reason() {
    let (ca, serial) = with_older_index();
    assert!(matches!(ca.publish(&CrlOrder::default()), Err(CrlError::NumberGoesBack { .. })));
    assert!(matches!(ca.publish(&ensured()), Err(CrlError::NumberGoesBack { .. })), "a timer reports it, too");
    let before = entries(&ca);
    let outcome = ca.publish(&numbered(9)).unwrap();
    assert_eq!(outcome.carried_over.entries.len(), 1);
    assert_eq!(outcome.carried_over.entries[0].serial, serial);
    assert_eq!(entries(&ca), before);
    // The index has the certificate, and shows what happened to it.
    let entry = ca.index().latest_by_name("web.test").unwrap().unwrap();
    assert_eq!(entry.status(ca.now), CertificateStatus::Revoked);
    assert!(matches!(ca.revoke("web.test", STOLEN), Err(RevokeError::AlreadyRevoked { .. })));
    let outcome = ca.publish(&CrlOrder::default()).unwrap();
    assert_eq!((outcome.carried_over.entries.len(), entries(&ca)), (0, before));
}

#[test]
fn each_file_in_which_a_crl_is_published_is_compared_with_the_index() {
    for place in ["pem", "der", "copy"] {
        let (ca, serial) = with_older_index();
        let (pem, der) = (ca.home.crl_pem("issuing"), ca.home.crl_der("issuing"));
        let mut order = numbered(9);
        match place {
            "pem" => fs::remove_file(der).unwrap(),
            "der" => fs::remove_file(pem).unwrap(),
            _ => {
                fs::rename(der, ca.path("copy")).unwrap();
                fs::remove_file(pem).unwrap();
                order.copy = Some(ca.path("copy"));
            }
        }
        assert!(matches!(
            ca.publish(&CrlOrder { copy: order.copy.clone(), ..CrlOrder::default() }),
            Err(CrlError::NumberGoesBack { .. })
        ));
        assert_eq!(ca.publish(&order).unwrap().carried_over.entries.len(), 1, "{place}");
        assert_eq!(entries(&ca)[0].serial, serial, "{place}");
    }
}

#[test]
fn a_row_that_was_deleted_from_the_index_stays_on_the_crl() {
    let ca = Ca::new();
    for name in ["web.test", "api.test"] {
        ca.issue(order("server", name)).unwrap();
        ca.revoke(name, STOLEN).unwrap();
    }
    ca.publish(&CrlOrder::default()).unwrap();
    let serial = certificate(&ca, "web.test").serial;
    ca.index().delete_revocation(&serial).unwrap();
    let outcome = ca.publish(&ensured()).unwrap();
    assert_eq!(outcome.status, CrlStatus::Signed(CrlReason::Changed));
    assert_eq!(outcome.carried_over.entries[0].serial, serial);
    assert_eq!(entries(&ca).len(), 2);
}

#[test]
fn a_released_hold_may_vanish_and_a_hold_does_not_stand_for_a_revocation() {
    let ca = Ca::new();
    ca.issue(order("server", "web.test")).unwrap();
    ca.revoke("web.test", HOLD).unwrap();
    ca.publish(&CrlOrder::default()).unwrap();
    let held = Backup::of(&ca);
    ca.revoke("web.test", RELEASE).unwrap();
    assert_eq!(ca.publish(&CrlOrder::default()).unwrap().carried_over.entries.len(), 0);
    assert_eq!(entries(&ca), []);
    ca.revoke("web.test", HOLD).unwrap();
    ca.revoke("web.test", STOLEN).unwrap();
    ca.publish(&CrlOrder::default()).unwrap();
    // With an index in which it is only on hold, it could be released.
    held.restore(&ca);
    assert_eq!(ca.publish(&numbered(9)).unwrap().carried_over.entries.len(), 1);
    assert_eq!(entries(&ca)[0].reason, Some(STOLEN));
    assert!(matches!(ca.revoke("web.test", RELEASE), Err(RevokeError::Final { .. })));
}

#[test]
fn only_what_the_authoritys_key_signed_is_carried_over() {
    let (ca, _) = with_older_index();
    let third_party = Ca::new();
    third_party.issue(order("server", "web.test")).unwrap();
    third_party.revoke("web.test", STOLEN).unwrap();
    third_party.publish(&numbered(99)).unwrap();
    fs::copy(third_party.home.crl_der("issuing"), ca.home.crl_der("issuing")).unwrap();
    fs::write(ca.home.crl_pem("issuing"), "damaged").unwrap();
    let outcome = ca.publish(&CrlOrder::default()).unwrap();
    assert_eq!((outcome.number, outcome.carried_over.entries.len(), outcome.warnings.len()), (2, 0, 2));
    assert!(outcome.warnings[0].message.contains("the key of 'issuing' did not sign it"), "{:?}", outcome.warnings);
    assert_eq!(entries(&ca), []);
}

/// The file in place is replaced with a warning, whatever it is; a file that the user names is compared or refused.
#[test]
fn a_crl_of_another_key_is_refused_with_compare_also_when_it_is_in_place() {
    let (ca, third_party) = (Ca::new(), Ca::new());
    ca.publish(&CrlOrder::default()).unwrap();
    third_party.publish(&numbered(99)).unwrap();
    for path in [ca.home.crl_der("issuing"), ca.home.crl_pem("issuing")] {
        fs::copy(third_party.home.crl_der("issuing"), path).unwrap();
    }
    for copy in [None, Some(ca.home.crl_der("issuing"))] {
        let compare = vec![ca.home.crl_der("issuing")];
        let refused = ca.publish(&CrlOrder { compare, copy, ..CrlOrder::default() });
        assert!(matches!(refused, Err(CrlError::NotComparable { .. })), "{refused:?}");
    }
}

#[test]
fn what_is_forgotten_is_left_out_for_good_and_what_was_revoked_here_cannot_be() {
    let (ca, serial) = with_older_index();
    let forget = |serial: &SerialNumber, number| CrlOrder { forget: vec![serial.clone()], ..numbered(number) };
    let published = fs::read(ca.home.crl_der("issuing")).unwrap();
    let outcome = ca.publish(&forget(&serial, 9)).unwrap();
    assert_eq!((outcome.carried_over.entries.len(), outcome.carried_over.forgotten.len()), (0, 1));
    assert_eq!(entries(&ca), []);
    // The CRL that names it is put back, as by a run that was killed before it wrote the next one.
    fs::write(ca.home.crl_der("issuing"), published).unwrap();
    assert_eq!(ca.publish(&CrlOrder::default()).unwrap().carried_over.entries.len(), 0);
    assert_eq!(entries(&ca), []);
    assert!(matches!(ca.publish(&forget(&serial, 20)), Err(CrlError::NothingToForget { .. })));
    ca.revoke("web.test", RevocationReason::Superseded).unwrap();
    assert!(matches!(ca.publish(&forget(&serial, 20)), Err(CrlError::NotForgotten { .. })));
}

#[test]
fn what_was_carried_over_can_be_forgotten_later() {
    let (ca, serial) = with_older_index();
    ca.publish(&numbered(9)).unwrap();
    ca.publish(&CrlOrder { forget: vec![serial], ..CrlOrder::default() }).unwrap();
    assert_eq!(entries(&ca), []);
}

#[test]
fn a_certificate_that_the_index_lost_is_revoked_by_its_file() {
    let ca = Ca::new();
    ca.publish(&CrlOrder::default()).unwrap();
    let backup = Backup::of(&ca);
    ca.issue(order("server", "web.test")).unwrap();
    backup.restore(&ca);
    let lost = certificate(&ca, "web.test");
    let outcome = ca.revoke_as(&of_file("found.pem", lost.clone(), STOLEN)).unwrap();
    assert_eq!(outcome.authorities, ["issuing"]);
    let entry = &outcome.certificates[0];
    assert_eq!((&entry.serial, entry.origin), (&lost.serial, Origin::Imported));
    ca.publish(&CrlOrder::default()).unwrap();
    assert_eq!(entries(&ca)[0].serial, lost.serial);
    let again = ca.revoke_as(&of_file("found.pem", lost, STOLEN));
    assert!(matches!(again, Err(RevokeError::AlreadyRevoked { .. })));
    // Its name is free: the imported entry is not the latest certificate of a host.
    assert!(ca.index().latest_by_name("web.test").unwrap().is_none());
}

#[test]
fn a_revocation_known_by_its_serial_number_and_its_certificate_are_joined() {
    let ca = Ca::new();
    ca.publish(&CrlOrder::default()).unwrap();
    let backup = Backup::of(&ca);
    ca.issue(order("server", "web.test")).unwrap();
    ca.revoke("web.test", HOLD).unwrap();
    ca.publish(&CrlOrder::default()).unwrap();
    backup.restore(&ca);
    assert_eq!(ca.publish(&numbered(9)).unwrap().carried_over.entries.len(), 1);
    let lost = certificate(&ca, "web.test");
    let known = ca.index().revocations_of_serial("issuing", &lost.serial).unwrap();
    assert_eq!((known.len(), known[0].certificate, known[0].is_in_effect), (1, None, true));
    assert_eq!(ca.index().revocation_by_serial(&lost.issuer, &lost.serial).unwrap().unwrap().reason, HOLD);
    assert!(ca.index().serial_is_used(&lost.serial).unwrap());
    ca.revoke_as(&of_file("found.pem", lost.clone(), STOLEN)).unwrap();
    let known = ca.index().revocations_of_serial("issuing", &lost.serial).unwrap();
    assert!(known.iter().all(|known| known.certificate.is_some()), "{known:?}");
    ca.publish(&CrlOrder::default()).unwrap();
    let listed = entries(&ca);
    assert_eq!((listed.len(), listed[0].reason), (1, Some(STOLEN)));
}

#[test]
fn a_certificate_of_another_key_is_not_imported_and_a_root_cannot_be_revoked() {
    let (ca, third_party) = (Ca::new(), Ca::new());
    third_party.issue(order("server", "web.test")).unwrap();
    let other = certificate(&third_party, "web.test");
    assert!(matches!(ca.revoke_as(&of_file("x.pem", other, STOLEN)), Err(RevokeError::Unknown { .. })));
    let root = read_certificate(&ca.path("authorities/root/cert.pem")).unwrap();
    assert!(matches!(ca.revoke_as(&of_file("x.pem", root, STOLEN)), Err(RevokeError::Root(_))));
    let mut forged = certificate(&ca_with("web.test"), "web.test");
    forged.signature.reverse();
    assert!(matches!(ca.revoke_as(&of_file("x.pem", forged, STOLEN)), Err(RevokeError::Unknown { .. })));
}

fn ca_with(name: &str) -> Ca {
    let ca = Ca::new();
    ca.issue(order("server", name)).unwrap();
    ca
}

#[test]
fn an_authority_that_the_index_lost_is_revoked_under_its_own_name() {
    let ca = Ca::none();
    ca.init(crate::authority::hierarchy::init::InitOrder { intermediate: None, ..ca.init_order() }).unwrap();
    let backup = Backup::of(&ca);
    ca.issue(order("intermediate", "issuing")).unwrap();
    backup.restore(&ca);
    let lost = read_certificate(&ca.path("authorities/issuing/cert.pem")).unwrap();
    let outcome = ca.revoke_as(&of_file("x.pem", lost, STOLEN)).unwrap();
    assert_eq!(
        (outcome.certificates[0].name.as_str(), &outcome.authorities[..]),
        ("issuing", &["root".to_owned()][..])
    );
}

/// Returns the certificate of a name with other fields, signed with the key of an authority.
fn signed_with(ca: &Ca, authority: &str, name: &str, change: impl FnOnce(&mut TbsFields)) -> Certificate {
    let key = fs::read(ca.path(&format!("authorities/{authority}/key.pem"))).unwrap();
    let key = KeyFile::parse(&key).unwrap().open(None).unwrap();
    let mut fields = TbsFields::split(certificate(ca, name).tbs()).unwrap();
    change(&mut fields);
    let to_be_signed = fields.join();
    let signature = key.sign(&to_be_signed).unwrap();
    Certificate::from_der(&tbs::assemble(&to_be_signed, &key.signature_algorithm(), &signature)).unwrap()
}

#[test]
fn a_certificate_with_the_serial_number_of_another_one_of_its_issuer_is_not_imported() {
    let ca = ca_with("web.test");
    let serial = certificate(&ca, "web.test").serial;
    let other = signed_with(&ca, "issuing", "web.test", |_| ());
    assert_ne!(other, certificate(&ca, "web.test"), "the signature is another one");
    let refused = ca.revoke_as(&of_file("x.pem", other, STOLEN));
    assert!(
        matches!(&refused, Err(RevokeError::SerialShared { serial: shared, other, .. }) if *shared == serial && other == "web.test"),
        "{refused:?}"
    );
    assert_eq!(ca.history("web.test")[0].status(ca.now), CertificateStatus::Valid);
}

#[test]
fn a_certificate_with_the_name_of_another_issuer_is_not_imported_although_the_key_signed_it() {
    let ca = ca_with("web.test");
    let other_name = DistinguishedName::build(&[(AttributeType::from_label("CN").unwrap(), "Other CA".to_owned())]);
    let renamed = signed_with(&ca, "issuing", "web.test", |fields| {
        fields.serial = der::value(der::INTEGER, &[0x55]);
        fields.issuer = other_name.unwrap().as_der().to_vec();
    });
    let refused = ca.revoke_as(&of_file("x.pem", renamed, STOLEN));
    assert!(matches!(refused, Err(RevokeError::Unknown { .. })), "{refused:?}");
    let same_name = signed_with(&ca, "issuing", "web.test", |fields| fields.serial = der::value(der::INTEGER, &[0x55]));
    assert_eq!(ca.revoke_as(&of_file("x.pem", same_name, STOLEN)).unwrap().authorities, ["issuing"]);
}

/// What happens to the CA in the property below.
#[derive(Debug, Clone)]
enum Step {
    Revoke(usize, RevocationReason),
    Release(usize),
    Publish,
    /// The index of an earlier step comes back.
    Restore(usize),
    /// A file of the CRL is lost.
    Lose(bool),
    Forget(usize),
}

fn step() -> impl proptest::strategy::Strategy<Value = Step> {
    use proptest::prelude::*;
    let reason = prop::sample::select(vec![STOLEN, HOLD, RevocationReason::Superseded]);
    prop_oneof![
        3 => (0..3_usize, reason).prop_map(|(which, reason)| Step::Revoke(which, reason)),
        1 => (0..3_usize).prop_map(Step::Release),
        3 => Just(Step::Publish),
        2 => (0..8_usize).prop_map(Step::Restore),
        1 => any::<bool>().prop_map(Step::Lose),
        1 => (0..3_usize).prop_map(Step::Forget),
    ]
}

proptest::proptest! {
    #![proptest_config(proptest::test_runner::Config { cases: 24, failure_persistence: None, ..Default::default() })]

    /// The serial numbers of the published CRLs only become fewer by a release or by `--forget`.
    #[test]
    fn no_published_revocation_vanishes_whichever_index_comes_back(steps in proptest::collection::vec(step(), 1..14)) {
        let mut ca = Ca::new();
        const NAMES: [&str; 3] = ["a.test", "b.test", "c.test"];
        let mut backups = vec![Backup::of(&ca)];
        let mut serials = Vec::new();
        for name in NAMES {
            ca.issue(order("server", name)).unwrap();
            serials.push(certificate(&ca, name).serial);
            backups.push(Backup::of(&ca));
        }
        // Published serial numbers, and whether each is final.
        let mut published: std::collections::HashMap<SerialNumber, bool> = Default::default();
        // A release or --forget may be in an index that comes back later.
        let (mut released, mut forgotten) = (std::collections::HashSet::new(), std::collections::HashSet::new());
        let mut number = 0;
        for step in steps {
            ca.now += time::Duration::HOUR;
            let mut forget = Vec::new();
            match step {
                Step::Revoke(which, reason) => {
                    let file = format!("issued/{}/cert.pem", NAMES[which]);
                    drop(ca.revoke_as(&of_file(&file, certificate(&ca, NAMES[which]), reason)));
                    backups.push(Backup::of(&ca));
                    continue;
                }
                Step::Release(which) => {
                    let file = format!("issued/{}/cert.pem", NAMES[which]);
                    if ca.revoke_as(&of_file(&file, certificate(&ca, NAMES[which]), RELEASE)).is_ok() {
                        released.insert(serials[which].clone());
                    }
                    continue;
                }
                Step::Restore(which) => {
                    backups[which % backups.len()].restore(&ca);
                    continue;
                }
                Step::Lose(der) => {
                    let path = if der { ca.home.crl_der("issuing") } else { ca.home.crl_pem("issuing") };
                    let other = if der { ca.home.crl_pem("issuing") } else { ca.home.crl_der("issuing") };
                    if other.exists() {
                        drop(fs::remove_file(path));
                    }
                    continue;
                }
                Step::Publish => {}
                Step::Forget(which) => forget.push(serials[which].clone()),
            }
            number += 1;
            let order = CrlOrder { forget: forget.clone(), ..numbered(number) };
            match ca.publish(&order) {
                Ok(_) => forgotten.extend(forget),
                Err(CrlError::NothingToForget { .. } | CrlError::NotForgotten { .. }) => continue,
                Err(error) => panic!("{error}"),
            }
            let now: std::collections::HashMap<SerialNumber, bool> =
                entries(&ca).into_iter().map(|entry| (entry.serial, entry.reason != Some(HOLD))).collect();
            for (serial, is_final) in &published {
                let may_vanish = forgotten.contains(serial) || !is_final && released.contains(serial);
                let is_there = now.get(serial).is_some_and(|now| *now >= *is_final);
                proptest::prop_assert!(is_there || may_vanish, "{serial} vanished");
            }
            proptest::prop_assert_eq!(now.len(), entries(&ca).len(), "a serial number is named twice");
            published = now;
            backups.push(Backup::of(&ca));
        }
    }
}
