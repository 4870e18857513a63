//! A bit that flipped: in any value of a record, and in any byte of the file.
//!
//! A plain run looks at some of them; `CA_TEST_EVERY_BIT=1 cargo test --lib audit::bit_flip_tests -- --nocapture` looks at every
//! bit, and says how many there were. With 53 it looks at each 53rd bit of the file.

use std::fs;
use std::time::Instant;

use super::tests::{access_of, bundles_of, exports_of, hook_of};
use super::*;
use crate::authority::leaf::renew::NextKey;
use crate::authority::revocation::publish_crl::CrlOrder;
use crate::authority::testing::{Ca, order};
use crate::store::index::sample::{bit_flips, copy_in_memory, tamper, try_to_change, try_to_tamper, values};
use crate::store::progress::Unreported;
use crate::x509::crl::RevocationReason;

/// Returns a CA whose tables all have a row.
fn with_every_table() -> Ca {
    let ca = Ca::new();
    ca.issue(order("server", "web.test")).unwrap();
    ca.renew("web.test", NextKey::Same).unwrap();
    ca.roll_back("web.test").unwrap();
    ca.issue(order("server", "held.test")).unwrap();
    ca.revoke("held.test", RevocationReason::CertificateHold).unwrap();
    ca.revoke("held.test", RevocationReason::RemoveFromCrl).unwrap();
    ca.revoke("held.test", RevocationReason::KeyCompromise).unwrap();
    import(&ca);
    ca.publish(&CrlOrder::default()).unwrap();
    hook_of(&ca, Some("true"));
    access_of(&ca, Some(0o640));
    exports_of(&ca);
    bundles_of(&ca);
    ca.index().close_folded().unwrap();
    ca
}

/// Records what a CRL and another tool name.
fn import(ca: &Ca) {
    use crate::store::index::{ImportSource, ImportedRevocation, ImportedSerial, Revocation};
    let issuer = ca.history("issuing")[0].issuer.clone();
    let reason = RevocationReason::Superseded;
    let revocation = Revocation { at: ca.now, reason, invalid_since: Some(ca.now), released_at: None };
    let serial = "1234".parse().unwrap();
    let (authority, not_after) = ("issuing", Some(ca.now + time::Duration::DAY));
    let source = ImportSource::Crl;
    let imported =
        ImportedRevocation { authority, issuer: &issuer, serial: &serial, revocation: &revocation, not_after, source };
    let (serial, subject) = ("1235".parse().unwrap(), "CN=old");
    let given = ImportedSerial { authority, serial: &serial, not_after: ca.now, subject };
    ca.with_effects(|effects| {
        let mut index = ca.index();
        let mut transaction = index.transaction(effects.event_context()).unwrap();
        transaction.import_revocation(&imported).unwrap();
        transaction.import_serial(&given).unwrap();
        transaction.commit().unwrap();
    });
}

/// Returns the value of the variable for a long run: every bit of a value is flipped then, and each of so many bits of the
/// file, 1 for all.
fn long_run() -> Option<usize> {
    std::env::var("CA_TEST_EVERY_BIT").ok().map(|step| step.parse().unwrap_or(1))
}

fn is_wrong(findings: Findings) -> bool {
    findings.into_vec().iter().any(|finding| finding.severity > Severity::Note)
}

/// Runs the checks that read the index alone, those first that cost least.
fn is_found_in(index: &Index) -> bool {
    let Ok(authorities) = records::authorities(index) else { return true };
    let mut findings = Findings::default();
    let Ok(facts) = event_log::check(index, &authorities, &Unreported, &mut findings) else { return true };
    if is_wrong(findings) {
        return true;
    }
    let mut findings = Findings::default();
    records::check(index, &authorities, &facts.attested, &Unreported, &mut findings).is_err() || is_wrong(findings)
}

/// Runs all checks of an audit.
fn is_found_by_all(store: &Store) -> bool {
    audit_once(store, &AuditOptions::default(), &Unreported, None).0.is_anything_wrong()
}

#[test]
fn a_bit_that_flipped_in_any_value_of_the_index_is_found() {
    let most = long_run().map_or(24, |_| usize::MAX);
    let (ca, started) = (with_every_table(), Instant::now());
    let (path, store) = (ca.path("index.db"), ca.store());
    let index = copy_in_memory(&path);
    assert!(!is_found_in(&index) && !is_found_by_all(&store));
    let (mut refused, mut by_others, mut missed) = (0, 0, Vec::new());
    let flips = bit_flips(&index, most);
    for flip in &flips {
        // Such a row stands in the place of another one; the flips of the file have it too.
        if !try_to_change(&index, &flip.make) {
            refused += 1;
            continue;
        }
        if !is_found_in(&index) {
            by_others += 1;
            assert!(try_to_tamper(&path, &flip.make));
            if !is_found_by_all(&store) {
                missed.push(flip.make.clone());
            }
            tamper(&path, &flip.undo);
        }
        assert!(try_to_change(&index, &flip.undo), "{}", flip.undo);
    }
    assert!(!is_found_in(&index) && flips.len() > 1500);
    println!(
        "{} bits of values: {} missed, {by_others} found by the files alone, {refused} not possible; {} s",
        flips.len(),
        missed.len(),
        started.elapsed().as_secs()
    );
    assert!(missed.is_empty(), "{} are missed:\n{}", missed.len(), missed.join("\n"));
}

#[test]
fn a_bit_that_flipped_anywhere_in_the_file_of_the_index_is_found_or_changes_no_value() {
    let (ca, started) = (with_every_table(), Instant::now());
    let (path, store) = (ca.path("index.db"), ca.store());
    let before = fs::read(&path).unwrap();
    let place = path.with_file_name("changed.db");
    let read = |bytes: &[u8]| {
        fs::write(&place, bytes).unwrap();
        Index::open_to_read(&place).ok().and_then(|index| values(&index))
    };
    let expected = read(&before).unwrap();
    // A step that is odd meets every bit of a byte.
    let step = long_run().unwrap_or(1999);
    let (mut flips, mut changes, mut missed) = (0, 0, Vec::new());
    for bit in (0..8 * before.len()).step_by(step) {
        let mut bytes = before.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        flips += 1;
        if read(&bytes).as_ref() == Some(&expected) {
            continue;
        }
        changes += 1;
        fs::write(&path, &bytes).unwrap();
        if !is_found_by_all(&store) {
            missed.push(format!("bit {} of byte {}", bit % 8, bit / 8));
        }
    }
    println!(
        "{flips} bits of the file: {changes} change a value, {} of them missed; {} s",
        missed.len(),
        started.elapsed().as_secs()
    );
    assert!(changes > flips / 10 && missed.is_empty(), "{} of {changes} are missed: {missed:?}", missed.len());
}
