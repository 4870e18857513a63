//! Numbers of certificates by their status.

use serde::Serialize;

use crate::store::index::CertificateStatus;
use crate::store::index::tally::StatusCounts;

/// The numbers in JSON.
#[derive(Debug, Serialize)]
pub struct CountsJson {
    total: u64,
    valid: u64,
    expired: u64,
    revoked: u64,
    held: u64,
    not_yet_valid: u64,
    not_delivered: u64,
}

impl CountsJson {
    pub fn of(counts: &StatusCounts) -> Self {
        Self {
            total: counts.total(),
            valid: counts.of(CertificateStatus::Valid),
            expired: counts.of(CertificateStatus::Expired),
            revoked: counts.of(CertificateStatus::Revoked),
            held: counts.of(CertificateStatus::Held),
            not_yet_valid: counts.of(CertificateStatus::NotYetValid),
            not_delivered: counts.of(CertificateStatus::NotDelivered),
        }
    }
}

/// Returns the numbers as a phrase: `2 valid, 1 revoked`.
pub fn counts_phrase(counts: &StatusCounts) -> String {
    let some = CertificateStatus::ALL.into_iter().filter(|status| counts.of(*status) > 0);
    let parts: Vec<String> = some.map(|status| format!("{} {status}", counts.of(status))).collect();
    if parts.is_empty() { "none".to_owned() } else { parts.join(", ") }
}
