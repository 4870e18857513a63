//! Queries of the index. Rows are read one by one; the index is never copied into memory.

use std::sync::LazyLock;

use time::OffsetDateTime;

use crate::store::index::database::{DatabaseResult, Value, ValueRef, strange, values};
use crate::store::index::{CertificateStatus, Entry, EntryId, Index, IndexError, Revocation, in_effect};
use crate::text::Lifetime;
use crate::x509::{Certificate, GeneralName, SerialNumber};

/// The columns that [`Entry::from_row`] reads, in its order.
pub(super) const SELECT_COUNT: usize = 20;
pub(super) const SELECT: &str = "
SELECT c.id, c.serial, c.issuer, c.name, c.template, c.authority, c.subject, c.sans, c.key_fingerprint, c.fingerprint,
       c.not_before, c.not_after, c.issued_at, c.origin, c.place, c.delivered_at,
       r.at AS revoked_at, r.reason, r.invalid_since, r.released_at";

/// Each certificate with the revocation in effect ([`in_effect`]). No time is compared. A revocation counts from its record on
/// and a release ends a hold, whatever the clock says: a clock that goes back must not make a compromised key good again.
pub(super) static FROM: LazyLock<String> = LazyLock::new(|| {
    format!("\nFROM certificate AS c LEFT JOIN revocation AS r ON r.id = {}", in_effect::current("c.id"))
});

/// The name of the [`CertificateStatus`] at `?1`, by the same rule as [`Entry::status`]. 6 is certificateHold (RFC 5280
/// §5.3.1).
pub(super) const STATUS: &str = "
CASE WHEN r.reason <> 6 THEN 'revoked' WHEN ?1 > c.not_after THEN 'expired' WHEN r.reason = 6 THEN 'held'
     WHEN c.delivered_at IS NULL THEN 'not-delivered' WHEN ?1 < c.not_before THEN 'not-yet-valid' ELSE 'valid' END";

/// The conditions of a query; a certificate has to meet all that are set.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    pub status: Option<CertificateStatus>,
    /// The certificate expires within this time from now, and has not expired yet; `None` for any expiry.
    pub expiring: Option<Lifetime>,
    /// The certificate has exactly this subject alternative name; `None` for any name.
    pub san: Option<GeneralName>,
    pub template: Option<String>,
    /// The name of the signing authority; `None` for any authority.
    pub authority: Option<String>,
    /// SHA-256 of the SubjectPublicKeyInfo; `None` for any key.
    pub key_fingerprint: Option<[u8; 32]>,
    pub name: Option<String>,
    /// The maximum number of certificates, of which the latest are kept; `None` for no limit.
    pub limit: Option<u64>,
}

impl Index {
    /// Returns the certificates that match the filter, in the order of their issue, the latest last, and their number
    /// without the limit. The limit leaves out the oldest certificates.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub fn query(&self, filter: &Filter, now: OffsetDateTime) -> Result<(Vec<Entry>, u64), IndexError> {
        let mut entries = Vec::new();
        let total = self.for_each(filter, now, |entry| entries.push(entry))?;
        Ok((entries, total))
    }

    /// As [`query`](Self::query), one by one.
    ///
    /// # Errors
    /// As [`query`](Self::query).
    pub fn for_each(
        &self,
        filter: &Filter,
        now: OffsetDateTime,
        mut each: impl FnMut(Entry),
    ) -> Result<u64, IndexError> {
        let (conditions, mut values) = conditions(filter, now);
        let mut run = || {
            // One transaction, so that the rows and their number are of the same time. A `Transaction` already is one.
            let reading = &self.connection;
            let _transaction = reading.begin_reading_once()?;
            let count = format!("SELECT count(*) {} {conditions}", *FROM);
            let total: i64 = reading.query_row(&count, &Value::borrowed(&values), |row| row.get(0))?;
            values
                .push(Value::Integer(filter.limit.map_or(i64::MAX, |limit| i64::try_from(limit).unwrap_or(i64::MAX))));
            let latest = format!("{SELECT} {} {conditions} ORDER BY c.id DESC LIMIT ?{}", *FROM, values.len());
            let mut statement = reading.prepare(&format!("SELECT * FROM ({latest}) AS latest ORDER BY id"))?;
            let mut shown = 0;
            let values = Value::borrowed(&values);
            let mut rows = statement.query(&values)?;
            while let Some(row) = rows.next()? {
                let entry = Entry::from_row(&row)?;
                // In a damaged file, what the condition read and what the row says can differ, and so can the number of rows.
                if filter.status.is_some_and(|status| entry.status(now) != status) {
                    return Err(strange("reason"));
                }
                each(entry);
                shown += 1;
            }
            let total = total.unsigned_abs();
            if shown != filter.limit.map_or(total, |limit| total.min(limit)) {
                return Err(strange("id"));
            }
            Ok(total)
        };
        run().map_err(self.place.error())
    }

    /// Returns true when a certificate of any issuer has the serial number: one of this index, or one that a CRL or the
    /// index of another tool named.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub fn serial_is_used(&self, serial: &SerialNumber) -> Result<bool, IndexError> {
        let sql = "SELECT EXISTS (SELECT 1 FROM certificate WHERE serial = ?1
                       UNION ALL SELECT 1 FROM imported_revocation WHERE serial = ?1
                       UNION ALL SELECT 1 FROM imported_serial WHERE serial = ?1)";
        let read =
            || self.connection.prepare_cached(sql)?.query_row(values![serial.as_der_content()], |row| row.get(0));
        read().map_err(self.place.error())
    }

    pub(super) fn name_is_used(&self, name: &str) -> Result<bool, IndexError> {
        let ask = || -> DatabaseResult<bool> {
            let sql = "SELECT EXISTS (SELECT 1 FROM certificate WHERE name = ?1)";
            self.connection.prepare_cached(sql)?.query_row(values![name], |row| row.get(0))
        };
        ask().map_err(self.place.error())
    }

    /// Returns the latest certificate of a NAME; `None` when there is none.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub fn latest_by_name(&self, name: &str) -> Result<Option<Entry>, IndexError> {
        // An act that found the name asks again under the lock, so the prepared statement is cached.
        Ok(self.entries("WHERE c.name = ?1 ORDER BY c.id DESC LIMIT 1", values![name])?.pop())
    }

    /// Returns all certificates of a NAME, the latest last.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub fn history(&self, name: &str) -> Result<Vec<Entry>, IndexError> {
        // Many names are new, and planning the query for the entries takes ten times as long as this check.
        if !self.name_is_used(name)? {
            return Ok(Vec::new());
        }
        self.entries("WHERE c.name = ?1 ORDER BY c.id", values![name])
    }

    /// Returns the certificate of a NAME that was delivered last, and those after it; all when none was delivered.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub fn since_delivery(&self, name: &str) -> Result<Vec<Entry>, IndexError> {
        let delivered = "SELECT max(d.id) FROM certificate AS d WHERE d.name = ?1 AND d.delivered_at IS NOT NULL";
        self.entries(&format!("WHERE c.name = ?1 AND c.id >= coalesce(({delivered}), 0) ORDER BY c.id"), values![name])
    }

    /// Returns the certificates with a serial number: at most one, unless certificates of several issuers were
    /// imported.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub fn by_serial(&self, serial: &SerialNumber) -> Result<Vec<Entry>, IndexError> {
        self.entries("WHERE c.serial = ?1 ORDER BY c.id", values![serial.as_der_content()])
    }

    /// Returns the certificate of an entry.
    ///
    /// # Errors
    /// When the index cannot be read, or the record does not contain a certificate.
    pub fn certificate(&self, entry: &Entry) -> Result<Certificate, IndexError> {
        let sql = "SELECT der FROM certificate WHERE id = ?1";
        let read = || self.connection.prepare_cached(sql)?.query_row(values![entry.id.0], |row| row.get(0));
        let der: Vec<u8> = read().map_err(self.place.error())?;
        Certificate::from_der(&der).map_err(|error| self.place.unreadable(&entry.serial, &error))
    }

    /// Returns every revocation, hold and release of a certificate, the latest last.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub fn revocations(&self, id: EntryId) -> Result<Vec<Revocation>, IndexError> {
        let read = || -> DatabaseResult<_> {
            let mut statement = self.connection.prepare(
                "SELECT at AS revoked_at, reason, invalid_since, released_at FROM revocation
                 WHERE certificate = ?1 ORDER BY id",
            )?;
            statement.query_map(values![id.0], Revocation::from_row)?.collect()
        };
        read().map_err(self.place.error())
    }

    pub(super) fn entries(&self, rest: &str, values: &[ValueRef<'_>]) -> Result<Vec<Entry>, IndexError> {
        let read = || -> DatabaseResult<_> {
            // One act runs several queries, so the prepared statement is cached.
            let mut statement = self.connection.prepare_cached(&format!("{SELECT} {} {rest}", *FROM))?;
            statement.query_map(values, Entry::from_row)?.collect()
        };
        read().map_err(self.place.error())
    }
}

/// Returns the WHERE clause of a filter and its values. All external input is bound as a value and is never part of the
/// SQL.
pub(super) fn conditions(filter: &Filter, now: OffsetDateTime) -> (String, Vec<Value>) {
    // ?1 is the time, for the two conditions that ask for it; SQLite refuses a value that no condition uses.
    let asks_for_time = filter.status.is_some() || filter.expiring.is_some();
    let mut values: Vec<Value> = asks_for_time.then(|| Value::Integer(now.unix_timestamp())).into_iter().collect();
    let mut conditions = Vec::new();
    let mut demand = |condition: &str, value: Value| {
        values.push(value);
        conditions.push(condition.replace('#', &format!("?{}", values.len())));
    };
    if let Some(status) = filter.status {
        demand(&format!("{STATUS} = #"), Value::Text(status.name().to_owned()));
    }
    if let Some(length) = filter.expiring {
        let end = now.unix_timestamp().saturating_add(i64::try_from(length.as_seconds()).unwrap_or(i64::MAX));
        demand("c.not_after >= ?1 AND c.not_after <= #", Value::Integer(end));
    }
    if let Some(san) = &filter.san {
        // The kind is one of six constants of this program.
        let condition = format!("c.id IN (SELECT certificate FROM san WHERE value = # AND kind = '{}')", san.kind());
        demand(&condition, Value::Text(san.value()));
    }
    if let Some(template) = &filter.template {
        demand("c.template = #", Value::Text(template.clone()));
    }
    if let Some(authority) = &filter.authority {
        demand("c.authority = #", Value::Text(authority.clone()));
    }
    if let Some(fingerprint) = filter.key_fingerprint {
        demand("c.key_fingerprint = #", Value::Blob(fingerprint.to_vec()));
    }
    if let Some(name) = &filter.name {
        demand("c.name = #", Value::Text(name.clone()));
    }
    let conditions = if conditions.is_empty() { String::new() } else { format!("WHERE {}", conditions.join(" AND ")) };
    (conditions, values)
}
