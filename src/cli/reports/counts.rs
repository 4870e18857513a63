//! Numbers of certificates by their status.

use schemars::JsonSchema;
use serde::Serialize;

use crate::store::index::CertificateStatus;
use crate::store::index::tally::StatusCounts;

/// The numbers in JSON.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Counts")]
pub struct CountsJson {
    total: u64,
    valid_count: u64,
    expired_count: u64,
    revoked_count: u64,
    held_count: u64,
    not_yet_valid_count: u64,
    not_delivered_count: u64,
}

impl CountsJson {
    pub fn of(counts: &StatusCounts) -> Self {
        Self {
            total: counts.total(),
            valid_count: counts.of(CertificateStatus::Valid),
            expired_count: counts.of(CertificateStatus::Expired),
            revoked_count: counts.of(CertificateStatus::Revoked),
            held_count: counts.of(CertificateStatus::Held),
            not_yet_valid_count: counts.of(CertificateStatus::NotYetValid),
            not_delivered_count: counts.of(CertificateStatus::NotDelivered),
        }
    }
}

/// Returns the numbers as a phrase: `2 valid, 1 revoked`.
pub fn counts_phrase(counts: &StatusCounts) -> String {
    let some = CertificateStatus::ALL.into_iter().filter(|status| counts.of(*status) > 0);
    let parts: Vec<String> = some.map(|status| format!("{} {status}", counts.of(status))).collect();
    if parts.is_empty() { "none".to_owned() } else { parts.join(", ") }
}
