//! A certificate in the index, and the types of its fields.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use time::OffsetDateTime;

use crate::store::index::database::{DatabaseResult, Row, strange};
use crate::store::index::event::EventKind;
use crate::x509::crl::RevocationReason;
use crate::x509::{Certificate, DistinguishedName, SerialNumber, Validity};

/// The number of a record. It increases with each record, so that it is also their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EntryId(pub(crate) i64);

/// The way in which a certificate came into the index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// This CA signed it with this program.
    Issued,
    /// The certificate of a CA that another tool made, or of the chain above it.
    Adopted,
    /// This CA signed it with another tool.
    Imported,
}

impl Origin {
    const ALL: [(Self, &'static str); 3] =
        [(Self::Issued, "issued"), (Self::Adopted, "adopted"), (Self::Imported, "imported")];

    /// Returns the name of the origin in the index and in reports.
    pub fn name(self) -> &'static str {
        Self::ALL.into_iter().find(|(origin, _)| *origin == self).map_or("", |(_, name)| name)
    }

    fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|(_, known)| *known == name).map(|(origin, _)| origin)
    }
}

/// The fields that the index records of a new certificate.
#[derive(Debug, Clone)]
pub struct NewEntry<'a> {
    pub certificate: &'a Certificate,
    /// The NAME of the entry; for a CA certificate, the name of the authority.
    pub name: &'a str,
    pub template: &'a str,
    /// The name of the authority that signed the certificate; a root has its own name here.
    pub authority: &'a str,
    pub issued_at: OffsetDateTime,
    pub origin: Origin,
    /// The folder of the certificate's files; `None` for the usual folder (without `--out`).
    pub place: Option<&'a Path>,
    /// The time at which its files were delivered; `None` until then.
    pub delivered_at: Option<OffsetDateTime>,
    /// The kind of the event that records it in the log.
    pub event: EventKind,
    /// What the event has to say beside that; `None` for nothing.
    pub detail: Option<String>,
}

/// A certificate as the index has it, without its DER: see [`crate::store::index::Index::certificate`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    pub id: EntryId,
    pub serial: SerialNumber,
    pub issuer: DistinguishedName,
    pub name: String,
    pub template: String,
    /// The name of the authority that signed the certificate; a root has its own name here.
    pub authority: String,
    /// The subject as it is displayed.
    pub subject: String,
    /// The subject alternative names as they are displayed, with their kinds: `("dns", "web.corp.test")`.
    pub sans: Vec<(String, String)>,
    /// SHA-256 of the SubjectPublicKeyInfo.
    pub key_fingerprint: [u8; 32],
    /// SHA-256 of the certificate.
    pub fingerprint: [u8; 32],
    pub validity: Validity,
    pub issued_at: OffsetDateTime,
    pub origin: Origin,
    pub place: Option<PathBuf>,
    pub delivered_at: Option<OffsetDateTime>,
    /// The latest revocation or hold that was not released, whatever the clock says; `None` when there is none.
    pub revocation: Option<Revocation>,
}

/// A revocation or hold of a certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revocation {
    pub at: OffsetDateTime,
    pub reason: RevocationReason,
    /// The time since which the key is suspected (RFC 5280 §5.3.2); `None` when it is not known.
    pub invalid_since: Option<OffsetDateTime>,
    /// The time at which a hold was released; `None` while it was not.
    pub released_at: Option<OffsetDateTime>,
}

/// The status of a certificate at a time. A revocation is final and still counts after the expiry; a hold does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CertificateStatus {
    Valid,
    Expired,
    Revoked,
    Held,
    NotYetValid,
    /// The record is durable, but no run reported that the files were delivered: its key is usually lost.
    NotDelivered,
}

impl CertificateStatus {
    pub const ALL: [Self; 6] =
        [Self::Valid, Self::Expired, Self::Revoked, Self::Held, Self::NotYetValid, Self::NotDelivered];

    /// Returns the name of the status in flags and reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Valid => "valid",
            Self::Expired => "expired",
            Self::Revoked => "revoked",
            Self::Held => "held",
            Self::NotYetValid => "not-yet-valid",
            Self::NotDelivered => "not-delivered",
        }
    }
}

impl fmt::Display for CertificateStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for CertificateStatus {
    type Err = String;

    fn from_str(given: &str) -> Result<Self, Self::Err> {
        let known = Self::ALL.into_iter().find(|status| status.name() == given);
        known.ok_or_else(|| "expected valid, expired, revoked, held, not-yet-valid or not-delivered".to_owned())
    }
}

impl Entry {
    /// Returns the status at `at`, which decides the validity period alone: a revocation counts also when the clock is
    /// behind it. `STATUS` in `query.rs` is the same rule in SQL.
    pub fn status(&self, at: OffsetDateTime) -> CertificateStatus {
        let held = self.revocation.as_ref().map(|revocation| revocation.reason == RevocationReason::CertificateHold);
        match held {
            Some(false) => CertificateStatus::Revoked,
            _ if !self.validity.contains(at) && at > self.validity.not_after => CertificateStatus::Expired,
            Some(true) => CertificateStatus::Held,
            None if self.delivered_at.is_none() => CertificateStatus::NotDelivered,
            None if at < self.validity.not_before => CertificateStatus::NotYetValid,
            None => CertificateStatus::Valid,
        }
    }

    /// Reads a row that begins with the columns of `SELECT` in `query.rs`.
    pub(crate) fn from_row(row: &Row<'_>) -> DatabaseResult<Self> {
        let time = |column: usize| {
            OffsetDateTime::from_unix_timestamp(row.get(column)?).map_err(|_| strange(row.name(column)))
        };
        let is_set = |column: usize| row.get::<_, Option<i64>>(column).map(|value| value.is_some());
        let revocation = match is_set(16)? {
            true => Some(Revocation::from_row(row)?),
            false => None,
        };
        Ok(Self {
            id: EntryId(row.get(0)?),
            serial: SerialNumber::from_der_content(row.blob(1)?),
            issuer: DistinguishedName::from_der(row.blob(2)?).map_err(|_| strange("issuer"))?,
            name: row.get(3)?,
            template: row.get(4)?,
            authority: row.get(5)?,
            subject: row.get(6)?,
            sans: row.text(7)?.lines().filter_map(|line| line.split_once(':')).map(owned).collect(),
            key_fingerprint: row.get(8)?,
            fingerprint: row.get(9)?,
            validity: Validity { not_before: time(10)?, not_after: time(11)? },
            issued_at: time(12)?,
            origin: Origin::from_name(row.text(13)?).ok_or_else(|| strange("origin"))?,
            place: row.get::<_, Option<String>>(14)?.map(PathBuf::from),
            delivered_at: if is_set(15)? { Some(time(15)?) } else { None },
            revocation,
        })
    }
}

impl Revocation {
    /// Reads a row with `revoked_at`, `reason`, `invalid_since`, `released_at`.
    pub(crate) fn from_row(row: &Row<'_>) -> DatabaseResult<Self> {
        Ok(Self {
            at: instant(row, "revoked_at")?,
            reason: RevocationReason::from_code(row.get("reason")?).ok_or_else(|| strange("reason"))?,
            invalid_since: instant_if_set(row, "invalid_since")?,
            released_at: instant_if_set(row, "released_at")?,
        })
    }
}

fn owned((kind, value): (&str, &str)) -> (String, String) {
    (kind.to_owned(), value.to_owned())
}

pub(crate) fn instant(row: &Row<'_>, column: &str) -> DatabaseResult<OffsetDateTime> {
    OffsetDateTime::from_unix_timestamp(row.get(column)?).map_err(|_| strange(column))
}

pub(crate) fn instant_if_set(row: &Row<'_>, column: &str) -> DatabaseResult<Option<OffsetDateTime>> {
    match row.get::<_, Option<i64>>(column)? {
        Some(_) => instant(row, column).map(Some),
        None => Ok(None),
    }
}
