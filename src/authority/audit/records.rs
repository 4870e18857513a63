//! The records of certificates: each column is compared with the certificate, and its signature is verified.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{BuildHasher, RandomState};

use crate::authority::audit::finding::{Findings, RESTORE};
use crate::authority::audit::row_set::RowSet;
use crate::keys;
use crate::keys::verification::VerificationError;
use crate::store::index::{Index, IndexError, StoredCertificate};
use crate::store::progress::{Progress, Step};
use crate::system::threads::{in_order, usual_jobs};
use crate::text;
use crate::x509::{Certificate, GeneralName, SerialNumber};

/// The records that a thread checks together.
const TOGETHER: usize = 64;

/// A CA certificate of the index.
pub struct RecordedCa {
    /// The name of the authority.
    pub name: String,
    pub certificate: Certificate,
}

/// Returns the CA certificates of the index. A record that cannot be read is left out: [`check`] reports it.
///
/// # Errors
/// When the index cannot be read.
pub fn authorities(index: &Index) -> Result<Vec<RecordedCa>, IndexError> {
    let mut found = Vec::new();
    index.each_stored_der(|name, der| {
        if Certificate::may_be_of_ca(der)
            && let Ok(certificate) = Certificate::from_der(der)
            && certificate.is_ca()
        {
            found.push(RecordedCa { name: name.to_owned(), certificate });
        }
    })?;
    Ok(found)
}

/// Checks every record. `attested` has the rows that are covered by a signature over the event log, by the authority that signed it.
///
/// # Errors
/// When the index cannot be read.
pub fn check(
    index: &Index,
    authorities: &[RecordedCa],
    attested: &BTreeMap<String, RowSet>,
    progress: &dyn Progress,
    findings: &mut Findings,
) -> Result<(), IndexError> {
    let hasher = RandomState::new();
    let mut names = NameSum::default();
    in_order(
        usual_jobs(),
        TOGETHER,
        |give| {
            let mut done = 0;
            index.each_stored_certificate(|stored| {
                done += 1;
                progress.report(Step::items("checking certificates", done, None));
                give(stored)
            })
        },
        |stored| check_record(stored, authorities, attested, &hasher),
        |(found, sum)| {
            findings.append(found);
            names.add(sum);
            Ok::<_, IndexError>(())
        },
    )?;
    let mut searchable = NameSum::default();
    index.each_san(|certificate, kind, value| searchable.add_name(&hasher, certificate, kind, value))?;
    if searchable != names {
        check_each_name(index, findings)?;
    }
    for (table, name, id) in index.damaged_marks()? {
        let object = format!("table {table}, row {name}{}{id}", if name.is_empty() { "" } else { " " });
        findings.error("index-damaged", object, "a mark does not fit its check value", RESTORE);
    }
    Ok(())
}

/// Subjects alternative names of certificates: their number, and the sum of their hashes, whose key is drawn for each audit. Names are
/// looked up one by one only when the sums of the certificates and of the index differ.
#[derive(Debug, Default, PartialEq, Eq)]
struct NameSum {
    sum: u64,
    count: u64,
}

impl NameSum {
    fn add_name(&mut self, hasher: &RandomState, certificate: i64, kind: &[u8], value: &[u8]) {
        self.add(Self { sum: hasher.hash_one((certificate, kind, value)), count: 1 });
    }

    fn add(&mut self, other: Self) {
        self.sum = self.sum.wrapping_add(other.sum);
        self.count += other.count;
    }
}

/// Checks a record, without the index. Also returns its names.
fn check_record(
    stored: Result<StoredCertificate, String>,
    authorities: &[RecordedCa],
    attested: &BTreeMap<String, RowSet>,
    hasher: &RandomState,
) -> (Findings, NameSum) {
    let (mut findings, mut sum) = (Findings::default(), NameSum::default());
    let stored = match stored {
        Ok(stored) => stored,
        Err(reason) => {
            findings.error("index-damaged", "table certificate", reason, RESTORE);
            return (findings, sum);
        }
    };
    let certificate = match Certificate::from_der(&stored.der) {
        Ok(certificate) => certificate,
        Err(error) => {
            let message = format!("the stored certificate cannot be read: {error}");
            findings.error("record-changed", described(&stored), message, RESTORE);
            return (findings, sum);
        }
    };
    let different = differences(&stored, &certificate);
    if !different.is_empty() {
        let message = format!("the record and the stored certificate differ: {}", different.join(", "));
        findings.error("record-changed", described(&stored), message, RESTORE);
    }
    // The key of its own authority signed the digest of this row, with this certificate in it, after it had verified the signature of
    // the certificate. That of a CA certificate is verified always, since its key verifies the log.
    let is_attested =
        !certificate.is_ca() && attested.get(&stored.authority).is_some_and(|rows| rows.contains(stored.id));
    check_signature(&stored, &certificate, is_attested, authorities, &mut findings);
    for (kind, value) in distinct_names(&certificate) {
        sum.add_name(hasher, stored.id, kind.as_bytes(), value.as_bytes());
    }
    (findings, sum)
}

fn distinct_names(certificate: &Certificate) -> BTreeSet<(&str, String)> {
    certificate.names().iter().map(|name| (name.kind(), name.value())).collect()
}

/// Looks up each certificate by each of its names.
fn check_each_name(index: &Index, findings: &mut Findings) -> Result<(), IndexError> {
    let mut names = 0;
    index.each_stored_certificate::<IndexError>(|stored| {
        // What cannot be read is reported already.
        let Ok(stored) = stored else { return Ok(()) };
        let Ok(certificate) = Certificate::from_der(&stored.der) else { return Ok(()) };
        for (kind, value) in distinct_names(&certificate) {
            names += 1;
            if !index.has_san(stored.id, kind, &value)? {
                let message = format!("the index does not find it by its name {kind}:{value}");
                findings.error("record-changed", described(&stored), message, RESTORE);
            }
        }
        Ok(())
    })?;
    if index.san_count()? != names {
        let message = "the index has names that are in none of its certificates, or lacks some";
        findings.error("record-changed", "table san", message, RESTORE);
    }
    Ok(())
}

/// Returns a record for messages.
pub fn described(stored: &StoredCertificate) -> String {
    let serial = SerialNumber::from_der_content(&stored.serial);
    format!("certificate '{}' (serial {serial})", text::escape(&stored.name))
}

/// Returns the columns that the certificate decides and that differ from it.
fn differences(stored: &StoredCertificate, certificate: &Certificate) -> Vec<&'static str> {
    let sans: Vec<String> = certificate.names().iter().map(GeneralName::to_string).collect();
    let columns = [
        ("serial number", stored.serial == certificate.serial.as_der_content()),
        ("issuer", stored.issuer == certificate.issuer.as_der()),
        ("subject", stored.subject == certificate.subject.to_string()),
        ("subject alternative names", stored.sans == sans.join("\n")),
        ("fingerprint of the key", stored.key_fingerprint == certificate.public_key.fingerprint()),
        ("fingerprint", stored.fingerprint == certificate.fingerprint()),
        ("start of validity", stored.not_before == certificate.validity.not_before.unix_timestamp()),
        ("expiry", stored.not_after == certificate.validity.not_after.unix_timestamp()),
    ];
    columns.into_iter().filter(|(_, same)| !same).map(|(column, _)| column).collect()
}

/// Verifies the signature of a certificate under the CA certificates of the index that have its issuer's name, unless it is attested.
fn check_signature(
    stored: &StoredCertificate,
    certificate: &Certificate,
    is_attested: bool,
    authorities: &[RecordedCa],
    findings: &mut Findings,
) {
    let issuers: Vec<_> =
        authorities.iter().filter(|authority| authority.certificate.subject == certificate.issuer).collect();
    if issuers.is_empty() {
        // Of an imported CA, the certificates above it need not be in the index.
        if stored.origin == "issued" {
            let message = format!("the index has no CA certificate of its issuer '{}'", certificate.issuer);
            findings.error("record-changed", described(stored), message, RESTORE);
        }
        return;
    }
    if is_attested {
        return;
    }
    let verify = |key: &Certificate| {
        let algorithm = &certificate.signature_algorithm;
        keys::verify(&key.public_key, algorithm, certificate.tbs(), &certificate.signature)
    };
    let results: Vec<_> = issuers.iter().map(|issuer| verify(&issuer.certificate)).collect();
    let is_valid = results.iter().any(Result::is_ok);
    // The signature of an imported root says nothing (RFC 5280 §6.1), and may have an algorithm that is no longer used.
    let is_unsupported = results.iter().any(|result| !matches!(result, Ok(()) | Err(VerificationError::Wrong)));
    let is_excused = is_unsupported && stored.origin != "issued";
    if !is_valid && !is_excused {
        let message = format!("its signature is not one of its issuer '{}'", certificate.issuer);
        findings.error("record-changed", described(stored), message, RESTORE);
    }
}
