//! Tests of CRLs that this program did not write: with other names, numbers, extensions and labels, and with a serial
//! number twice.

use std::fs;
use std::path::PathBuf;

use time::{Duration, OffsetDateTime};

use super::testing::{Ca, NOW};
use crate::authority::hierarchy::earlier_revocations::{EarlierError, EarlierFiles, EarlierRevocations};
use crate::authority::hierarchy::import::ImportedCa;
use crate::authority::hierarchy::init::InitOrder;
use crate::authority::revocation::publish_crl::{self, CrlError, CrlOrder, CrlOutcome, CrlStatus};
use crate::keys::key_file::KeyFile;
use crate::keys::{Passphrase, PrivateKey, Signer};
use crate::store::ca_certificates::read_certificate;
use crate::store::passphrase_prompt::EncryptedKey;
use crate::x509::crl::{RevocationReason, RevokedEntry};
use crate::x509::validity::time_to_der;
use crate::x509::{AttributeType, Certificate, Crl, DistinguishedName, SerialNumber, der, pem, tbs};

const STOLEN: RevocationReason = RevocationReason::KeyCompromise;
const SUPERSEDED: RevocationReason = RevocationReason::Superseded;
const HOLD: RevocationReason = RevocationReason::CertificateHold;

/// A CRL to be made.
struct Made {
    issuer: DistinguishedName,
    /// Big-endian.
    number: Vec<u8>,
    is_delta: bool,
    /// The content of the serial number, the days before now, and the reason.
    entries: Vec<(Vec<u8>, i64, RevocationReason)>,
}

fn days_ago(days: i64) -> OffsetDateTime {
    NOW - Duration::days(days)
}

fn key_of(ca: &Ca, authority: &str) -> PrivateKey {
    let content = fs::read(ca.path(&format!("authorities/{authority}/key.pem"))).unwrap();
    KeyFile::parse(&content).unwrap().open(Some(&Passphrase::new(b"secret".to_vec()))).unwrap()
}

fn certificate_of(ca: &Ca, authority: &str) -> Certificate {
    read_certificate(&ca.path(&format!("authorities/{authority}/cert.pem"))).unwrap()
}

/// Returns the DER of a CRL that the key of the authority signed.
fn crl(ca: &Ca, authority: &str, change: impl FnOnce(&mut Made)) -> Vec<u8> {
    let issuer = certificate_of(ca, authority).subject;
    let mut made = Made { issuer, number: vec![1], is_delta: false, entries: Vec::new() };
    change(&mut made);
    let extension = |arc: u8, is_critical: bool, content: &[u8]| {
        let critical: &[u8] = if is_critical { &[1, 1, 0xff] } else { &[] };
        let oid = der::value(der::OBJECT_IDENTIFIER, &[0x55, 0x1d, arc]);
        der::sequence(&[&oid, critical, &der::value(der::OCTET_STRING, content)])
    };
    let entry = |(serial, days, reason): &(Vec<u8>, i64, RevocationReason)| {
        let reason = extension(21, false, &der::value(der::ENUMERATED, &[reason.code()]));
        der::sequence(&[&der::value(der::INTEGER, serial), &time_to_der(days_ago(*days)), &der::sequence(&[&reason])])
    };
    let entries: Vec<u8> = made.entries.iter().flat_map(entry).collect();
    let entries = if entries.is_empty() { entries } else { der::sequence(&[&entries]) };
    let mut extensions = extension(20, false, &der::unsigned_integer(&made.number));
    if made.is_delta {
        extensions.extend(extension(27, true, &der::unsigned_integer(&[1])));
    }
    let key = key_of(ca, authority);
    let to_be_signed = der::sequence(&[
        &der::value(der::INTEGER, &[1]),
        &key.signature_algorithm().der,
        made.issuer.as_der(),
        &time_to_der(NOW),
        &time_to_der(NOW + Duration::days(30)),
        &entries,
        &der::value(der::context_constructed(0), &der::sequence(&[&extensions])),
    ]);
    tbs::assemble(&to_be_signed, &key.signature_algorithm(), &key.sign(&to_be_signed).unwrap())
}

fn other_name() -> DistinguishedName {
    DistinguishedName::build(&[(AttributeType::from_label("CN").unwrap(), "Other CA".to_owned())]).unwrap()
}

fn entries(ca: &Ca, authority: &str) -> Vec<RevokedEntry> {
    Crl::from_der(&fs::read(ca.home.crl_der(authority)).unwrap()).unwrap().entries
}

/// Writes a file, and returns the order that compares it with the index.
fn compared(ca: &Ca, content: &[u8]) -> CrlOrder {
    let path = ca.top.path().join("published");
    fs::write(&path, content).unwrap();
    CrlOrder { compare: vec![path], ..CrlOrder::default() }
}

fn not_comparable(result: Result<CrlOutcome, CrlError>) -> String {
    match result {
        Err(CrlError::NotComparable { reason, .. }) => reason,
        Err(CrlError::AnotherKind { other, .. }) => other.to_string(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_crl_with_the_name_of_another_issuer_is_not_carried_over_although_the_key_signed_it() {
    let ca = Ca::new();
    let other = crl(&ca, "issuing", |made| {
        made.issuer = other_name();
        made.entries = vec![(vec![0x55], 1, STOLEN)];
    });
    fs::write(ca.home.crl_der("issuing"), &other).unwrap();
    let outcome = ca.publish(&CrlOrder::default()).unwrap();
    assert_eq!((outcome.carried_over.entries.len(), entries(&ca, "issuing").len()), (0, 0));
    assert!(outcome.warnings[0].message.contains("did not sign it"), "{:?}", outcome.warnings);
    let reason = not_comparable(ca.publish(&compared(&ca, &other)));
    assert!(reason.contains("did not sign it"), "{reason}");
}

#[test]
fn a_crl_below_the_label_of_another_kind_is_not_read_as_one() {
    let ca = Ca::new();
    let der = crl(&ca, "issuing", |made| made.entries = vec![(vec![0x55], 1, STOLEN)]);
    let text = pem::encode("CERTIFICATE", &der);
    fs::write(ca.home.crl_pem("issuing"), &text).unwrap();
    let outcome = ca.publish(&CrlOrder::default()).unwrap();
    assert_eq!((outcome.carried_over.entries.len(), outcome.warnings.len()), (0, 1), "{:?}", outcome.warnings);
    assert_eq!(not_comparable(ca.publish(&compared(&ca, text.as_bytes()))), "a certificate, where a CRL is expected");
    let text = pem::encode(pem::CRL_LABEL, &der);
    assert_eq!(ca.publish(&compared(&ca, text.as_bytes())).unwrap().carried_over.entries.len(), 1);
}

/// The entries for one serial number, and which of them counts.
const TWICE: [([(i64, RevocationReason); 2], usize); 4] = [
    ([(9, HOLD), (1, STOLEN)], 1),
    ([(1, STOLEN), (9, HOLD)], 0),
    ([(1, SUPERSEDED), (9, STOLEN)], 1),
    ([(9, HOLD), (1, HOLD)], 0),
];

#[test]
fn of_two_entries_for_a_serial_number_a_final_one_counts_before_a_hold_and_then_the_earlier_one() {
    for (both, better) in TWICE {
        for in_one_file in [true, false] {
            let ca = Ca::new();
            let named = |which: &[(i64, RevocationReason)]| {
                let entries = which.iter().map(|(days, reason)| (vec![0x55], *days, *reason)).collect();
                crl(&ca, "issuing", |made| made.entries = entries)
            };
            let order = if in_one_file {
                compared(&ca, &named(&both))
            } else {
                fs::write(ca.home.crl_der("issuing"), named(&both[..1])).unwrap();
                compared(&ca, &named(&both[1..]))
            };
            assert_eq!(ca.publish(&order).unwrap().carried_over.entries.len(), 1);
            let listed = entries(&ca, "issuing");
            let (days, reason) = both[better];
            assert_eq!(
                listed.iter().map(|entry| (entry.revoked_at, entry.reason)).collect::<Vec<_>>(),
                [(days_ago(days), Some(reason))],
                "{both:?}, {in_one_file}"
            );
        }
    }
}

#[test]
fn a_crl_number_that_no_next_one_follows_is_refused() {
    let ca = Ca::new();
    let numbered = |number: &[u8]| crl(&ca, "issuing", |made| made.number = number.to_vec());
    let long = numbered(&[1; 9]);
    assert_eq!(not_comparable(ca.publish(&compared(&ca, &long))), "its number is too great");
    let greatest = i64::MAX.cast_unsigned();
    let refused = ca.publish(&compared(&ca, &numbered(&greatest.to_be_bytes())));
    assert!(matches!(refused, Err(CrlError::NumberTooGreat(number)) if number == greatest + 1), "{refused:?}");
    fs::write(ca.home.crl_der("issuing"), &long).unwrap();
    let refused = ca.publish(&CrlOrder::default());
    assert!(
        matches!(&refused, Err(CrlError::NumberGoesBack { found, .. }) if found == "0x010101010101010101"),
        "{refused:?}"
    );
    assert_eq!(fs::read(ca.home.crl_der("issuing")).unwrap(), long);
    let order = compared(&ca, &numbered(&(greatest - 1).to_be_bytes()));
    fs::remove_file(ca.home.crl_der("issuing")).unwrap();
    assert_eq!(ca.publish(&order).unwrap().number, greatest);
}

/// Publishes, while `meanwhile` happens between the checks and the lock.
fn publish_while(ca: &Ca, order: &CrlOrder, meanwhile: &mut dyn FnMut()) -> Result<CrlOutcome, CrlError> {
    let mut ask = |_: &EncryptedKey| {
        meanwhile();
        Ok(Passphrase::new(b"secret".to_vec()))
    };
    ca.with_effects(|effects| publish_crl::publish(&ca.store(), order, &mut ask, effects))
}

#[test]
fn what_another_run_published_in_the_meantime_counts_under_the_lock() {
    let with_passphrase = || {
        let ca = Ca::none();
        let passphrase = Some(Passphrase::new(b"secret".to_vec()));
        ca.init(InitOrder { passphrase, ..ca.init_order() }).unwrap();
        ca
    };
    let publish = |ca: &Ca, order: &CrlOrder| drop(ca.publish(order).unwrap());
    let numbered = |number| CrlOrder { number: Some(number), ..CrlOrder::default() };

    let ca = with_passphrase();
    let ensured = CrlOrder { ensure: true, ..CrlOrder::default() };
    let outcome = publish_while(&ca, &ensured, &mut || publish(&ca, &CrlOrder::default())).unwrap();
    assert_eq!((outcome.status, outcome.number), (CrlStatus::Unchanged, 1));
    let refused = publish_while(&ca, &numbered(5), &mut || publish(&ca, &numbered(7)));
    assert!(matches!(refused, Err(CrlError::NumberUsed { number: 5, latest: 7, .. })), "{refused:?}");

    let named = crl(&ca, "issuing", |made| {
        made.number = vec![20];
        made.entries = vec![(vec![0x55], 1, STOLEN)];
    });
    let order = compared(&ca, &named);
    let outcome = publish_while(&ca, &order, &mut || publish(&ca, &order)).unwrap();
    assert_eq!((outcome.number, outcome.carried_over.entries.len()), (22, 0));
    assert_eq!(entries(&ca, "issuing").len(), 1);

    let newer = crl(&ca, "issuing", |made| made.number = vec![99]);
    let refused = publish_while(&ca, &order, &mut || fs::write(ca.home.crl_der("issuing"), &newer).unwrap());
    assert!(matches!(&refused, Err(CrlError::NumberGoesBack { next: 23, found, .. }) if found == "99"), "{refused:?}");
}

fn earlier(ca: &Ca, crls: &[Vec<u8>]) -> Result<EarlierRevocations, EarlierError> {
    EarlierRevocations::read(files(crls), &certificate_of(ca, "root"))
}

fn files(crls: &[Vec<u8>]) -> EarlierFiles {
    let crls = crls.iter().map(|content| (PathBuf::from("old.crl"), content.clone())).collect();
    EarlierFiles { crls, ..EarlierFiles::default() }
}

/// A CA that imported the root of another one, with what that one revoked.
fn imported(from: &Ca, crls: &[Vec<u8>]) -> Ca {
    let ca = Ca::none();
    let imported = ImportedCa::new(certificate_of(from, "root"), key_of(from, "root"), Vec::new());
    let imported = ImportedCa { earlier: files(crls), ..imported };
    ca.init(InitOrder { intermediate: None, imported: Some(imported), ..ca.init_order() }).unwrap();
    ca
}

#[test]
fn only_full_crls_of_the_imported_ca_with_a_number_that_has_a_next_one_are_imported() {
    let ca = Ca::new();
    let full = |change: &dyn Fn(&mut Made)| crl(&ca, "root", |made| change(made));
    let read = |content: Vec<u8>| earlier(&ca, &[content]);
    let delta = read(full(&|made| made.is_delta = true));
    assert!(matches!(delta, Err(EarlierError::Delta(_))), "{delta:?}");
    let other = read(full(&|made| made.issuer = other_name()));
    assert!(matches!(other, Err(EarlierError::NotSigned { .. })), "{other:?}");
    let labelled = read(pem::encode("CERTIFICATE", &full(&|_| ())).into_bytes());
    assert!(matches!(labelled, Err(EarlierError::NotACrl { .. })), "{labelled:?}");
    let greatest = i64::MAX.cast_unsigned();
    for number in [&greatest.to_be_bytes()[..], &[1; 9]] {
        let refused = read(full(&|made| made.number = number.to_vec()));
        assert!(matches!(refused, Err(EarlierError::NumberTooGreat { .. })), "{refused:?}");
    }
    let last = read(full(&|made| made.number = (greatest - 1).to_be_bytes().to_vec())).unwrap();
    assert_eq!(last.crl_number(), Some(greatest - 1));
}

#[test]
fn the_crl_number_continues_after_the_greatest_of_the_imported_crls() {
    let old = Ca::new();
    let crls = [&[7][..], &[1, 44], &[20]].map(|number| crl(&old, "root", |made| made.number = number.to_vec()));
    assert_eq!(earlier(&old, &crls).unwrap().crl_number(), Some(300));
    let ca = imported(&old, &crls);
    assert_eq!(fs::read(ca.home.crl_der("root")).unwrap(), crls[1]);
    assert_eq!(ca.publish(&CrlOrder::default()).unwrap().number, 301);
}

#[test]
fn of_two_imported_entries_for_a_serial_number_the_same_one_counts_as_in_a_published_crl() {
    let old = Ca::new();
    for (both, better) in TWICE {
        let crls = both.map(|(days, reason)| crl(&old, "root", |made| made.entries = vec![(vec![0x55], days, reason)]));
        let ca = imported(&old, &crls);
        ca.publish(&CrlOrder::default()).unwrap();
        let listed = entries(&ca, "root");
        let (days, reason) = both[better];
        assert_eq!(listed.len(), 1, "{both:?}");
        assert_eq!((listed[0].revoked_at, listed[0].reason), (days_ago(days), Some(reason)), "{both:?}");
    }
}

#[test]
fn the_longest_serial_numbers_are_imported_byte_for_byte() {
    let old = Ca::new();
    let longest = [vec![0x7f; 20], [vec![0], vec![0xff; 20]].concat()];
    let made = crl(&old, "root", |made| made.entries = longest.iter().map(|it| (it.clone(), 1, STOLEN)).collect());
    let ca = imported(&old, &[made]);
    ca.publish(&CrlOrder::default()).unwrap();
    let mut listed: Vec<SerialNumber> = entries(&ca, "root").into_iter().map(|entry| entry.serial).collect();
    listed.sort();
    let mut expected = longest.map(|content| SerialNumber::from_der_content(&content));
    expected.sort();
    assert_eq!(listed, expected);
}
