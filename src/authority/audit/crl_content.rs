//! What a CRL says and what the index says, in both directions: each entry is a revocation that was in effect when the CRL was
//! signed, with its date and reason, and none of these is missing.
//!
//! What was in effect then follows from the order of the records (the last revocation that the CRL's row names, and the events
//! of the log), so that no clock decides. Of a CRL that the index does not have, only the times can be compared.

use std::collections::BTreeMap;
use std::path::Path;

use crate::authority::audit::event_log::Facts;
use crate::authority::audit::finding::Findings;
use crate::authority::audit::subject::Subject;
use crate::store::StoreError;
use crate::store::index::{IndexError, StoredCrl, StoredRevocation};
use crate::text::{PathText, rfc3339};
use crate::x509::crl::{RevocationReason, RevokedEntry};
use crate::x509::{Crl, SerialNumber};

/// At most so many certificates are named for each file; the others are counted.
const MOST_NAMED: usize = 10;
/// certificateHold and removeFromCRL (RFC 5280 §5.3.1).
const HOLD: u8 = 6;
const FORGOTTEN: u8 = 8;
/// This program dates a CRL back by so many seconds, and no more.
const BACKDATE: i64 = 600;
const FIX: &str =
    "if an older index was restored, restore the newer one; else sign the next one: ca crl --authority NAME";

/// A revocation that a CRL has or should have.
struct Expected {
    row: StoredRevocation,
    /// False when the CRL may lack it: the certificate had expired, or its state then is not known for sure.
    is_needed: bool,
    is_listed: bool,
}

/// The state of the index when a CRL was signed.
struct Moment<'a> {
    facts: &'a Facts,
    /// The row of the CRL and the number of its event; `None` when the index does not have the CRL.
    recorded: Option<(&'a StoredCrl, Option<u64>)>,
    this_update: i64,
    /// When it was signed, or the latest time at which it can have been.
    signed_at: i64,
    /// The CRLs of the authority that were signed before.
    earlier: &'a [StoredCrl],
}

impl Moment<'_> {
    /// Returns whether a row was recorded before the CRL was signed; `None` when that is not known.
    fn had(&self, row: &StoredRevocation) -> Option<bool> {
        match self.recorded {
            Some((crl, _)) => Some(row.id <= crl.last_revocation),
            None => self.facts.revocations.get(&row.id).filter(|at| **at <= self.this_update).map(|_| true),
        }
    }

    /// Returns whether a row was released before the CRL was signed; `None` when that is not known.
    fn had_released(&self, row: &StoredRevocation) -> Option<bool> {
        match (self.facts.releases.get(&row.id), self.recorded) {
            (None, _) => Some(false),
            // The events of a migrated index have another order than the changes.
            (Some(release), Some((_, Some(signed)))) if !release.is_migrated => Some(release.number < signed),
            (Some(_), _) => None,
        }
    }

    fn had_imported(&self, row: &StoredRevocation) -> Option<bool> {
        match (self.facts.imported.get(&row.id), self.recorded) {
            (None, _) => Some(false),
            (Some(imported), Some((_, Some(signed)))) => Some(imported.number < signed),
            (Some(imported), None) if imported.at <= self.this_update => Some(true),
            (Some(_), _) => None,
        }
    }

    /// Returns true when the CRL has to have a row: the certificate had not expired, or no earlier CRL had the row after that.
    fn needs(&self, row: &StoredRevocation) -> bool {
        let Some(not_after) = row.not_after else { return true };
        let had_it = |crl: &StoredCrl| crl.signed_at > not_after && crl.last_revocation >= row.id;
        not_after >= self.signed_at || self.recorded.is_some() && !self.earlier.iter().any(had_it)
    }

    /// Returns what the CRL should have, by serial number.
    fn expected(&self, subject: &Subject<'_>, name: &str) -> Result<BTreeMap<Vec<u8>, Expected>, IndexError> {
        let mut expected: BTreeMap<Vec<u8>, Expected> = BTreeMap::new();
        subject.index.each_revocation(name, |row| {
            let (had, had_released) = (self.had(&row), self.had_released(&row));
            if had != Some(false) && had_released != Some(true) {
                let is_needed = had.is_some() && had_released.is_some() && self.needs(&row);
                add(&mut expected, row, is_needed);
            }
        })?;
        let mut imported: BTreeMap<Vec<u8>, Expected> = BTreeMap::new();
        subject.index.each_imported_revocation(name, |row| {
            let had = self.had_imported(&row);
            if row.reason != FORGOTTEN && had != Some(false) {
                let is_valid = row.not_after.is_none_or(|end| end >= self.signed_at);
                let is_needed = had.is_some() && is_valid && !row.has_certificate;
                add(&mut imported, row, is_needed);
            } else if had == Some(true) {
                imported.remove(&row.serial);
            } else if let (None, Some(ended)) = (had, imported.get_mut(&row.serial)) {
                ended.is_needed = false;
            }
        })?;
        for (serial, row) in imported {
            expected.entry(serial).or_insert(row);
        }
        Ok(expected)
    }
}

/// Adds a row, unless another one of the serial number counts before it.
fn add(expected: &mut BTreeMap<Vec<u8>, Expected>, row: StoredRevocation, is_needed: bool) {
    let is_hidden = |before: &Expected| row.reason == HOLD && before.row.reason != HOLD;
    if !expected.get(&row.serial).is_some_and(is_hidden) {
        expected.insert(row.serial.clone(), Expected { row, is_needed, is_listed: false });
    }
}

/// Compares a CRL that the authority `name` signed with the index.
///
/// # Errors
/// When the index cannot be read.
pub fn check(
    subject: &Subject<'_>,
    name: &str,
    path: &Path,
    der: Vec<u8>,
    fingerprint: &[u8; 32],
    findings: &mut Findings,
) -> Result<(), StoreError> {
    let crls = subject.index.stored_crls(name)?;
    let position = crls.iter().position(|crl| crl.fingerprint == fingerprint);
    let (earlier, recorded) = position.map_or((&[][..], None), |at| (&crls[..at], crls.get(at)));
    let mut entries = Vec::new();
    let Ok(crl) = Crl::read(der, |entry| entries.push(entry)) else { return Ok(()) };
    let number = |crl: &StoredCrl| i64::try_from(crl.number).ok();
    let event = |crl| subject.facts.crls.get(&(name.to_owned(), number(crl)?)).copied();
    let this_update = crl.this_update.unix_timestamp();
    let moment = Moment {
        facts: subject.facts,
        recorded: recorded.map(|crl| (crl, event(crl))),
        this_update,
        signed_at: recorded.map_or(this_update.saturating_add(BACKDATE), |crl| crl.signed_at),
        earlier,
    };
    let mut different: Vec<String> = Vec::new();
    if let Some(recorded) = recorded {
        different.extend(
            of_record(&crl, entries.len(), recorded)
                .into_iter()
                .map(|what| format!("its {what} is not the one that the index recorded for it")),
        );
    }
    let mut expected = moment.expected(subject, name)?;
    for entry in entries {
        different.extend(of_entry(subject, name, &entry, &mut expected)?);
    }
    for missing in expected.values().filter(|expected| expected.is_needed && !expected.is_listed) {
        different.push(format!(
            "it lacks the revocation of serial number {}, which the index had before ({})",
            SerialNumber::from_der_content(&missing.row.serial),
            described(missing.row.at, missing.row.reason, missing.row.invalid_since)
        ));
    }
    let more = different.len().saturating_sub(MOST_NAMED);
    different.truncate(MOST_NAMED);
    if more > 0 {
        different.push(format!("it differs from the index about {more} more certificates"));
    }
    for message in different {
        findings.error("crl-differs", path.escaped().to_string(), message, FIX);
    }
    Ok(())
}

/// Returns the fields of a CRL that differ from its record.
fn of_record(crl: &Crl, entries: usize, recorded: &StoredCrl) -> Vec<&'static str> {
    let number = crl.number.as_deref().and_then(number_of);
    let fields = [
        ("CRL number", number == Some(recorded.number)),
        ("time (thisUpdate)", crl.this_update.unix_timestamp() == recorded.this_update),
        ("nextUpdate", crl.next_update.map(time::OffsetDateTime::unix_timestamp) == Some(recorded.next_update)),
        ("number of entries", entries as u64 == recorded.entries),
    ];
    fields.into_iter().filter(|(_, is_same)| !is_same).map(|(field, _)| field).collect()
}

/// Returns the number of a CRL; `None` when it is greater than one that this program gives.
pub fn number_of(number: &[u8]) -> Option<u64> {
    let mut bytes = [0; 8];
    bytes.get_mut(8_usize.checked_sub(number.len())?..)?.copy_from_slice(number);
    Some(u64::from_be_bytes(bytes))
}

/// Compares one entry, and returns the difference as a sentence.
fn of_entry(
    subject: &Subject<'_>,
    name: &str,
    entry: &RevokedEntry,
    expected: &mut BTreeMap<Vec<u8>, Expected>,
) -> Result<Option<String>, IndexError> {
    let serial = &entry.serial;
    let reason = entry.reason.unwrap_or(RevocationReason::Unspecified).code();
    let found =
        (entry.revoked_at.unix_timestamp(), reason, entry.invalid_since.map(time::OffsetDateTime::unix_timestamp));
    let Some(known) = expected.get_mut(serial.as_der_content()) else {
        let is_known = !subject.index.revocations_of_serial(name, serial)?.is_empty();
        return Ok(Some(if is_known {
            format!(
                "it revokes the certificate with serial number {serial}, but by the index no revocation of it was in effect \
                 when the CRL was signed"
            )
        } else {
            format!("it revokes the certificate with serial number {serial}, but the index has no such revocation")
        }));
    };
    if std::mem::replace(&mut known.is_listed, true) {
        return Ok(Some(format!("it has two entries for the serial number {serial}")));
    }
    let row = (known.row.at, known.row.reason, known.row.invalid_since);
    Ok((row != found).then(|| {
        format!(
            "its entry for the serial number {serial} ({}) is not what the index has ({})",
            described(found.0, found.1, found.2),
            described(row.0, row.1, row.2)
        )
    }))
}

/// Returns the date, the reason and the date of invalidity of a revocation.
fn described(at: i64, reason: u8, invalid_since: Option<i64>) -> String {
    let time =
        |seconds: i64| time::OffsetDateTime::from_unix_timestamp(seconds).map_or_else(|_| seconds.to_string(), rfc3339);
    let reason = RevocationReason::from_code(reason).map_or("unknown reason", RevocationReason::name);
    let since = invalid_since.map(|since| format!(", invalid since {}", time(since)));
    format!("{}, {reason}{}", time(at), since.unwrap_or_default())
}
