//! Revocations that did not begin here: a published CRL names them, or the index of another tool. The index may not have
//! their certificates, so they are recorded by serial number.
//!
//! Rows are only added. One row of a serial number counts ([`in_effect`]); one with the reason removeFromCRL ends those before it.
//! Once the index has the certificate, the revocation is also one of `revocation`, and only that one counts.

use std::collections::BTreeMap;

use time::OffsetDateTime;

use crate::store::index::crl::listed;
use crate::store::index::database::{DatabaseResult, OptionalRow, Row, ValueRef, strange, values};
use crate::store::index::entry::instant_if_set;
use crate::store::index::{
    EntryId, EventKind, EventObject, Index, IndexError, NewEntry, Revocation, Transaction, in_effect,
};
use crate::text::{escape, rfc3339};
use crate::x509::crl::{RevocationReason, RevokedEntry};
use crate::x509::{CanonicalName, DistinguishedName, SerialNumber};

/// Returns the condition of the rows that count: one of each serial number whose certificate the index does not have.
fn counts() -> String {
    format!(
        "{} AND NOT EXISTS (SELECT 1 FROM certificate AS c WHERE c.serial = i.serial AND c.authority = i.authority)",
        in_effect::imported_counts("i")
    )
}

/// Where a revocation was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ImportSource {
    /// A CRL that the authority signed.
    Crl,
    /// `index.txt` of `openssl ca`.
    OpensslIndex,
    /// The database or a folder of another tool.
    OtherTool,
}

/// The source of a row that ends a revocation: `ca crl --forget`.
pub(crate) const FORGET: &str = "forget";

impl ImportSource {
    pub const ALL: [Self; 3] = [Self::Crl, Self::OpensslIndex, Self::OtherTool];

    /// Returns the name of the source in the index.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Crl => "crl",
            Self::OpensslIndex => "openssl-index",
            Self::OtherTool => "other-tool",
        }
    }
}

/// A revocation to record by its serial number.
#[derive(Debug, Clone, Copy)]
pub struct ImportedRevocation<'a> {
    /// The name of the authority that signed the certificate, and its subject.
    pub authority: &'a str,
    pub issuer: &'a DistinguishedName,
    pub serial: &'a SerialNumber,
    /// `released_at` is not recorded: [`Transaction::forget_revocation`] ends a revocation.
    pub revocation: &'a Revocation,
    /// The expiry of the certificate; `None` when the source does not say it.
    pub not_after: Option<OffsetDateTime>,
    pub source: ImportSource,
}

/// A certificate that another tool issued with the key of an authority, known by its serial number.
#[derive(Debug, Clone, Copy)]
pub struct ImportedSerial<'a> {
    pub authority: &'a str,
    pub serial: &'a SerialNumber,
    pub not_after: OffsetDateTime,
    /// The subject in the form of the other tool.
    pub subject: &'a str,
}

/// A certificate of another tool of which the index has no more than its serial number.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ImportedCertificate {
    /// `None` when only a CRL named it.
    pub not_after: Option<OffsetDateTime>,
    /// The subject in the form of the other tool; `None` when only a CRL named it.
    pub subject: Option<String>,
    /// `None` when it was not revoked.
    pub revocation: Option<Revocation>,
}

/// A revocation in the index, whether or not the index has the certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedRevocation {
    pub revocation: Revocation,
    pub is_in_effect: bool,
    /// True when a CRL or another tool named it, and `ca revoke` did not record it.
    pub is_imported: bool,
    /// The certificate; `None` when the index does not have it.
    pub certificate: Option<EntryId>,
}

/// Returns the serial number in the first column of a row.
fn serial_of_row(row: &Row<'_>) -> DatabaseResult<SerialNumber> {
    Ok(SerialNumber::from_der_content(row.blob(0)?))
}

impl Index {
    /// Returns every revocation, hold and release of an authority's serial number, those that were imported first.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub fn revocations_of_serial(
        &self,
        authority: &str,
        serial: &SerialNumber,
    ) -> Result<Vec<RecordedRevocation>, IndexError> {
        let read = || -> DatabaseResult<_> {
            let values = [ValueRef::Blob(serial.as_der_content()), ValueRef::of_text(authority)];
            let certificate: Option<i64> = self
                .connection
                .prepare_cached("SELECT id FROM certificate WHERE serial = ?1 AND authority = ?2")?
                .query_row(&values, |row| row.get(0))
                .optional()?;
            let mut imported = Vec::new();
            let mut statement = self.connection.prepare_cached(&format!(
                "SELECT at AS revoked_at, reason, invalid_since, NULL AS released_at, {} AS counts
                     FROM imported_revocation AS i WHERE serial = ?1 AND authority = ?2 ORDER BY id",
                in_effect::imported_counts("i")
            ))?;
            let certificate = certificate.map(EntryId);
            let read = |row: &Row<'_>| {
                let (revocation, counts) = (Revocation::from_row(row)?, row.get::<_, bool>("counts")?);
                let is_in_effect = counts && certificate.is_none();
                Ok(RecordedRevocation { revocation, is_in_effect, is_imported: true, certificate })
            };
            for recorded in statement.query_map(&values, read)? {
                imported.push(recorded?);
            }
            let Some(id) = certificate else { return Ok(imported) };
            let mut statement = self.connection.prepare_cached(&format!(
                "SELECT at AS revoked_at, reason, invalid_since, released_at, {} AS counts
                 FROM revocation AS r WHERE certificate = ?1 ORDER BY id",
                in_effect::is_in_effect("r")
            ))?;
            let read = |row: &Row<'_>| Ok((Revocation::from_row(row)?, row.get::<_, bool>("counts")?));
            let mut own = Vec::new();
            for recorded in statement.query_map(values![id.0], read)? {
                let (revocation, is_in_effect) = recorded?;
                let is_that = |imported: &RecordedRevocation| {
                    (imported.revocation.at, imported.revocation.reason) == (revocation.at, revocation.reason)
                };
                let is_imported = imported.iter().any(is_that);
                own.push(RecordedRevocation { revocation, is_in_effect, is_imported, certificate });
            }
            imported.extend(own);
            Ok(imported)
        };
        read().map_err(self.place.error())
    }

    /// Returns the certificates of an authority that another tool issued and the index does not have.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub fn imported_certificates(
        &self,
        authority: &str,
    ) -> Result<BTreeMap<SerialNumber, ImportedCertificate>, IndexError> {
        let read = || -> DatabaseResult<_> {
            let mut found: BTreeMap<SerialNumber, ImportedCertificate> = BTreeMap::new();
            let mut statement = self.connection.prepare(
                "SELECT i.serial, i.not_after, i.subject FROM imported_serial AS i WHERE i.authority = ?1 AND NOT EXISTS (
                     SELECT 1 FROM certificate AS c WHERE c.serial = i.serial AND c.authority = i.authority)
                 ORDER BY i.id",
            )?;
            let mut rows = statement.query(values![authority])?;
            while let Some(row) = rows.next()? {
                let (not_after, subject) = (instant_if_set(&row, "not_after")?, row.get(2)?);
                found.insert(serial_of_row(&row)?, ImportedCertificate { not_after, subject, revocation: None });
            }
            let mut statement = self.connection.prepare(&format!(
                "SELECT i.serial, i.not_after, i.at AS revoked_at, i.reason, i.invalid_since, NULL AS released_at
                 FROM imported_revocation AS i WHERE i.authority = ?1 AND {} ORDER BY i.id",
                counts()
            ))?;
            let mut rows = statement.query(values![authority])?;
            while let Some(row) = rows.next()? {
                let certificate = found.entry(serial_of_row(&row)?).or_default();
                certificate.revocation = Some(Revocation::from_row(&row)?);
                certificate.not_after = certificate.not_after.or(instant_if_set(&row, "not_after")?);
            }
            Ok(found)
        };
        read().map_err(self.place.error())
    }

    /// Returns what is known of a certificate that the index does not have, as a sentence; `None` when nothing is.
    pub(super) fn known_by_serial(&self, serial: &SerialNumber) -> Result<Option<String>, IndexError> {
        let read = || -> DatabaseResult<Option<String>> {
            let (serial, counts) = (serial.as_der_content(), counts());
            let sql = format!(
                "SELECT i.authority, i.at AS revoked_at, i.reason, i.invalid_since, NULL AS released_at
                 FROM imported_revocation AS i WHERE i.serial = ?1 AND {counts} ORDER BY i.id DESC LIMIT 1"
            );
            let read_row = |row: &Row<'_>| Ok((row.get::<_, String>("authority")?, Revocation::from_row(row)?));
            if let Some((authority, revocation)) =
                self.connection.query_row(&sql, values![serial], read_row).optional()?
            {
                let (since, reason) = (rfc3339(revocation.at), revocation.reason.name());
                return Ok(Some(format!(
                    "an earlier CRL or another tool's index names it as revoked by '{authority}' since {since} ({reason})"
                )));
            }
            let sql = "SELECT authority, subject FROM imported_serial WHERE serial = ?1 ORDER BY id DESC LIMIT 1";
            let read_row = |row: &Row<'_>| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?));
            let found = self.connection.query_row(sql, values![serial], read_row).optional()?;
            Ok(found.map(|(authority, subject)| {
                format!("another tool issued it with the key of '{authority}', as '{}'", escape(&subject))
            }))
        };
        read().map_err(self.place.error())
    }

    /// Returns the imported revocation of a certificate that the index does not have.
    pub(super) fn imported_revocation(
        &self,
        issuer: &DistinguishedName,
        serial: &SerialNumber,
    ) -> DatabaseResult<Option<Revocation>> {
        let (wanted, counts) = (CanonicalName::of(issuer), counts());
        let mut statement = self.connection.prepare_cached(&format!(
            "SELECT i.issuer, i.at AS revoked_at, i.reason, i.invalid_since, NULL AS released_at
             FROM imported_revocation AS i WHERE i.serial = ?1 AND {counts}"
        ))?;
        let mut rows = statement.query(values![serial.as_der_content()])?;
        while let Some(row) = rows.next()? {
            let found = DistinguishedName::from_der(&row.get::<_, Vec<u8>>("issuer")?);
            let found = found.map_err(|_| strange("issuer"))?;
            if CanonicalName::of(&found) == wanted {
                return Revocation::from_row(&row).map(Some);
            }
        }
        Ok(None)
    }

    /// Returns the imported entries of an authority's next CRL. The rule for expired certificates is that of
    /// [`to_be_listed`](Self::to_be_listed); a certificate whose expiry is not known stays on every CRL.
    pub(super) fn imported_to_be_listed(
        &self,
        authority: &str,
        now: OffsetDateTime,
    ) -> DatabaseResult<Vec<RevokedEntry>> {
        let counts = counts();
        let mut statement = self.connection.prepare(&format!(
            "SELECT i.serial, i.at, i.reason, i.invalid_since FROM imported_revocation AS i
             WHERE i.authority = ?1 AND {counts}
               AND (i.not_after IS NULL OR i.not_after >= ?2 OR NOT EXISTS (
                   SELECT 1 FROM revocation_list AS l
                   WHERE l.authority = ?1 AND l.published_at IS NOT NULL
                     AND l.signed_at > i.not_after AND l.signed_at > i.recorded_at AND l.signed_at <= ?2))
             ORDER BY i.id"
        ))?;
        statement.query_map(values![authority, now.unix_timestamp()], listed)?.collect()
    }
}

impl Transaction<'_> {
    /// Records a revocation that was read elsewhere, also for the certificate when the index has it.
    ///
    /// # Errors
    /// When the index cannot be written.
    pub fn import_revocation(&mut self, imported: &ImportedRevocation<'_>) -> Result<(), IndexError> {
        let ImportedRevocation { authority, issuer, serial, revocation, not_after, source } = *imported;
        let row = (issuer, revocation, not_after);
        self.insert_imported(authority, serial, row, source.name(), EventKind::ImportRevocation)?;
        match self.certificate_of(authority, serial)? {
            Some(id) => self.revoke(id, revocation),
            None => Ok(()),
        }
    }

    /// Ends the imported revocations of a serial number, so that the next CRL leaves it out. A revocation that `ca revoke`
    /// recorded stays.
    ///
    /// # Errors
    /// When the index cannot be written.
    pub fn forget_revocation(
        &mut self,
        authority: &str,
        issuer: &DistinguishedName,
        serial: &SerialNumber,
        at: OffsetDateTime,
    ) -> Result<(), IndexError> {
        let reason = RevocationReason::RemoveFromCrl;
        let revocation = Revocation { at, reason, invalid_since: None, released_at: None };
        self.insert_imported(authority, serial, (issuer, &revocation, None), FORGET, EventKind::ForgetRevocation)?;
        if let Some(id) = self.certificate_of(authority, serial)? {
            let is_imported = "EXISTS (SELECT 1 FROM imported_revocation AS i
                 WHERE i.serial = revocation.serial AND i.authority = revocation.authority
                   AND i.at = revocation.at AND i.reason = revocation.reason)";
            self.end_revocations(id, at, is_imported)?;
        }
        Ok(())
    }

    /// Records a serial number that another tool has given to a certificate.
    ///
    /// # Errors
    /// When the index cannot be written.
    pub fn import_serial(&mut self, imported: &ImportedSerial<'_>) -> Result<(), IndexError> {
        let ImportedSerial { authority, serial, not_after, subject } = *imported;
        let insert = "INSERT INTO imported_serial (authority, serial, not_after, subject) VALUES (?1, ?2, ?3, ?4)";
        let (serial_bytes, not_after) = (serial.as_der_content(), not_after.unix_timestamp());
        let write =
            || self.transaction.prepare_cached(insert)?.execute(values![authority, serial_bytes, not_after, subject]);
        write().map_err(self.place.error())?;
        let (kind, object) = (EventKind::ImportSerial, EventObject::ImportedSerial);
        let row = Some(self.newest_row(object.table())?);
        self.event(kind, object, row, authority, Some(serial), Some(subject.to_owned()))
    }

    /// Gives a new certificate the revocation that was imported by its serial number.
    pub(super) fn join_revocations(&mut self, id: EntryId, entry: &NewEntry<'_>) -> Result<(), IndexError> {
        let read = || {
            self.transaction
                .prepare_cached(&format!(
                    "SELECT at AS revoked_at, reason, invalid_since, NULL AS released_at FROM imported_revocation AS i
                     WHERE serial = ?1 AND authority = ?2 AND {}",
                    in_effect::imported_counts("i")
                ))?
                .query_row(values![entry.certificate.serial.as_der_content(), entry.authority], Revocation::from_row)
                .optional()
        };
        match read().map_err(self.place.error())? {
            Some(revocation) => self.revoke(id, &revocation),
            None => Ok(()),
        }
    }

    fn certificate_of(&self, authority: &str, serial: &SerialNumber) -> Result<Option<EntryId>, IndexError> {
        let find = || {
            self.transaction
                .prepare_cached("SELECT id FROM certificate WHERE serial = ?1 AND authority = ?2")?
                .query_row(values![serial.as_der_content(), authority], |row| row.get(0))
                .optional()
        };
        Ok(find().map_err(self.place.error())?.map(EntryId))
    }

    fn insert_imported(
        &mut self,
        authority: &str,
        serial: &SerialNumber,
        (issuer, revocation, not_after): (&DistinguishedName, &Revocation, Option<OffsetDateTime>),
        source: &str,
        kind: EventKind,
    ) -> Result<(), IndexError> {
        let recorded_at = self.time();
        let times = [Some(revocation.at), revocation.invalid_since, not_after, Some(recorded_at)];
        let [at, invalid_since, not_after, recorded_at] = times.map(|time| time.map(OffsetDateTime::unix_timestamp));
        let write = || {
            self.transaction
                .prepare_cached(
                    "INSERT INTO imported_revocation
                         (authority, serial, issuer, at, reason, invalid_since, not_after, source, recorded_at)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
                )?
                .execute(values![
                    authority,
                    serial.as_der_content(),
                    issuer.as_der(),
                    at,
                    revocation.reason.code(),
                    invalid_since,
                    not_after,
                    source,
                    recorded_at,
                ])
        };
        write().map_err(self.place.error())?;
        let detail = format!("{} ({source})", revocation.reason.name());
        let object = EventObject::ImportedRevocation;
        let row = Some(self.newest_row(object.table())?);
        self.event(kind, object, row, authority, Some(serial), Some(detail))
    }
}
