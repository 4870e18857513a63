//! The content of the next CRL, and the records of the earlier CRLs.

use time::OffsetDateTime;

use crate::store::index::database::{Database, DatabaseResult, OptionalRow, Row, strange, values};
use crate::store::index::entry::instant;
use crate::store::index::{EntryId, Index, IndexError, Revocation, in_effect};
use crate::x509::crl::{RevocationReason, RevokedEntry};
use crate::x509::{CanonicalName, Certificate, DistinguishedName, SerialNumber};

/// The fields that the index records of a new CRL.
#[derive(Debug, Clone, Copy)]
pub struct NewCrl<'a> {
    /// The name of the authority that signed the CRL.
    pub authority: &'a str,
    /// The CRL number, at most [`RecordedCrl::GREATEST_NUMBER`].
    pub number: u64,
    pub signed_at: OffsetDateTime,
    pub this_update: OffsetDateTime,
    pub next_update: OffsetDateTime,
    pub entries: usize,
    /// The value of [`Index::last_revocation`] in the same transaction.
    pub last_revocation: i64,
    /// SHA-256 of the entries of the CRL, which is the same as long as no certificate was revoked or released.
    pub content: [u8; 32],
    /// SHA-256 of the CRL.
    pub fingerprint: [u8; 32],
}

/// A CRL as the index has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedCrl {
    pub authority: String,
    pub number: u64,
    pub signed_at: OffsetDateTime,
    pub this_update: OffsetDateTime,
    pub next_update: OffsetDateTime,
    pub entries: u64,
    pub content: [u8; 32],
    pub fingerprint: [u8; 32],
}

impl RecordedCrl {
    /// The greatest value of the column. RFC 5280 §5.2.3 would allow 20 bytes; no CA signs that many CRLs.
    pub const GREATEST_NUMBER: u64 = i64::MAX.cast_unsigned();

    /// Returns true when the CRL was signed while a clock was ahead. Clients reject it until then.
    pub fn is_from_the_future(&self, now: OffsetDateTime) -> bool {
        self.this_update > now
    }

    /// Returns true when less than a third of the CRL's lifetime is left, or it is not valid yet, so that the next one has to
    /// be signed.
    pub fn is_due(&self, now: OffsetDateTime) -> bool {
        self.is_from_the_future(now) || self.next_update - now < (self.next_update - self.signed_at) / 3
    }

    fn from_row(row: &Row<'_>) -> DatabaseResult<Self> {
        Ok(Self {
            authority: row.get("authority")?,
            number: row.get::<_, i64>("number")?.unsigned_abs(),
            signed_at: instant(row, "signed_at")?,
            this_update: instant(row, "this_update")?,
            next_update: instant(row, "next_update")?,
            entries: row.get::<_, i64>("entries")?.unsigned_abs(),
            content: row.get("content")?,
            fingerprint: row.get("fingerprint")?,
        })
    }
}

impl NewCrl<'_> {
    pub(crate) fn insert(&self, connection: &Database) -> DatabaseResult<()> {
        connection.execute(
            "INSERT INTO revocation_list (authority, number, signed_at, this_update, next_update, entries,
                 last_revocation, content, fingerprint)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
            values![
                self.authority,
                self.number.cast_signed(),
                self.signed_at.unix_timestamp(),
                self.this_update.unix_timestamp(),
                self.next_update.unix_timestamp(),
                self.entries as i64,
                self.last_revocation,
                self.content,
                self.fingerprint,
            ],
        )?;
        Ok(())
    }
}

impl Index {
    /// Returns the latest CRL of each authority that has signed one, by name.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub fn latest_crls(&self) -> Result<Vec<RecordedCrl>, IndexError> {
        let read = || -> DatabaseResult<_> {
            let mut statement = self.connection.prepare(
                "SELECT * FROM revocation_list AS l
                 WHERE number = (SELECT max(m.number) FROM revocation_list AS m WHERE m.authority = l.authority)
                 ORDER BY authority",
            )?;
            statement.query_map(&[], RecordedCrl::from_row)?.collect()
        };
        read().map_err(self.place.error())
    }

    /// Returns the latest CRL of one authority; `None` when there is none.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub fn latest_crl(&self, authority: &str) -> Result<Option<RecordedCrl>, IndexError> {
        let sql = "SELECT * FROM revocation_list WHERE authority = ?1 ORDER BY number DESC LIMIT 1";
        self.connection.query_row(sql, values![authority], RecordedCrl::from_row).optional().map_err(self.place.error())
    }

    /// Returns whether the next CRL of an authority certainly has the entries of this one, its latest. Since that CRL the event
    /// log has no revocation, hold, release or import; there are as many rows as the CRL has entries; and none of them is of a
    /// certificate that had expired then, which the next CRL leaves out (RFC 5280 §3.3). No row is read. False also when it is
    /// not that simple: a certificate has several rows, entries were imported, or the log had more than 100,000 events since.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub fn has_same_entries(&self, latest: &RecordedCrl) -> Result<bool, IndexError> {
        let signed = "SELECT number FROM event
             WHERE object = 'crl' AND name = ?1 AND row = ?2 AND number > (SELECT max(number) FROM event) - 100000
             ORDER BY number DESC LIMIT 1";
        let same = "SELECT count(*) FROM revocation_list AS l
             WHERE l.authority = ?1 AND l.number = ?2
               AND l.last_revocation = (SELECT coalesce(max(id), 0) FROM revocation)
               AND NOT EXISTS (
                   SELECT 1 FROM event AS e
                   WHERE e.number > ?3 AND e.object IN ('revocation', 'release', 'imported-revocation'))
               AND NOT EXISTS (SELECT 1 FROM imported_revocation AS i WHERE i.authority = ?1)
               AND l.entries = (
                   SELECT count(*) FROM revocation AS r
                   WHERE r.authority = ?1 AND r.released_at IS NULL AND r.not_after >= l.signed_at)
               AND NOT EXISTS (
                   SELECT 1 FROM revocation AS r
                   WHERE r.authority = ?1 AND r.not_after < l.signed_at
                     AND NOT EXISTS (
                         SELECT 1 FROM revocation_list AS b
                         WHERE b.authority = ?1 AND b.number < l.number AND b.published_at IS NOT NULL
                           AND b.signed_at > r.not_after AND b.signed_at <= l.signed_at AND b.last_revocation >= r.id))";
        let (authority, number) = (latest.authority.as_str(), latest.number.cast_signed());
        let read = || -> DatabaseResult<_> {
            let event = self.connection.query_row(signed, values![authority, number], |row| row.get::<_, i64>(0));
            let Some(event) = event.optional()? else { return Ok(false) };
            let count = |row: &Row<'_>| row.get::<_, i64>(0);
            Ok(self.connection.query_row(same, values![authority, number, event], count)? == 1)
        };
        read().map_err(self.place.error())
    }

    /// Returns the number of the latest revocation event; 0 when there is none.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub fn last_revocation(&self) -> Result<i64, IndexError> {
        let sql = "SELECT coalesce(max(id), 0) FROM revocation";
        self.connection.query_row(sql, &[], |row| row.get(0)).map_err(self.place.error())
    }

    /// Returns the revocation or hold of a certificate that was not released, at any time; `None` when there is none.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub fn current_revocation(&self, id: EntryId) -> Result<Option<Revocation>, IndexError> {
        let read = || {
            let sql = format!(
                "SELECT at AS revoked_at, reason, invalid_since, released_at FROM revocation WHERE id = {}",
                in_effect::current("?1")
            );
            self.connection.prepare_cached(&sql)?.query_row(values![id.0], Revocation::from_row).optional()
        };
        read().map_err(self.place.error())
    }

    /// Returns the revocation or hold that was in effect at a time in the past: for showing the past alone. A decision
    /// about now takes [`Entry::revocation`](crate::store::index::Entry::revocation), which no clock can hide.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub fn revocation_at(&self, id: EntryId, at: OffsetDateTime) -> Result<Option<Revocation>, IndexError> {
        let was_in_effect = |revocation: &Revocation| {
            revocation.at <= at && revocation.released_at.is_none_or(|released| released > at)
        };
        let were_in_effect = self.revocations(id)?.into_iter().rev().filter(was_in_effect);
        Ok(were_in_effect.min_by_key(|revocation| revocation.reason == RevocationReason::CertificateHold))
    }

    /// Returns the revocation or hold of exactly this certificate that was not released, at any time, and the name of
    /// its entry. `None` when there is none, or the index does not have the certificate.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub fn current_revocation_of(&self, certificate: &Certificate) -> Result<Option<(String, Revocation)>, IndexError> {
        let sql = format!(
            "SELECT c.name, r.at AS revoked_at, r.reason, r.invalid_since, r.released_at
             FROM certificate AS c JOIN revocation AS r ON r.id = {}
             WHERE c.serial = ?1 AND c.fingerprint = ?2",
            in_effect::current("c.id")
        );
        let read = |row: &Row<'_>| Ok((row.get("name")?, Revocation::from_row(row)?));
        let (serial, fingerprint) = (certificate.serial.as_der_content(), certificate.fingerprint());
        let found = self.connection.query_row(&sql, values![serial, fingerprint], read);
        found.optional().map_err(self.place.error())
    }

    /// Returns the revocation or hold in effect for the certificate with this issuer and serial number, at any time. The
    /// bytes of the certificate do not count: a signature can be written in more than one form.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub fn revocation_by_serial(
        &self,
        issuer: &DistinguishedName,
        serial: &SerialNumber,
    ) -> Result<Option<Revocation>, IndexError> {
        let wanted = CanonicalName::of(issuer);
        let read = || -> DatabaseResult<_> {
            let mut statement = self.connection.prepare_cached(&format!(
                "SELECT c.issuer, r.at AS revoked_at, r.reason, r.invalid_since, r.released_at
                 FROM certificate AS c JOIN revocation AS r ON r.id = {} WHERE c.serial = ?1",
                in_effect::current("c.id")
            ))?;
            let mut rows = statement.query(values![serial.as_der_content()])?;
            while let Some(row) = rows.next()? {
                let found = DistinguishedName::from_der(&row.get::<_, Vec<u8>>("issuer")?);
                let found = found.map_err(|_| strange("issuer"))?;
                if CanonicalName::of(&found) == wanted {
                    return Revocation::from_row(&row).map(Some);
                }
            }
            self.imported_revocation(issuer, serial)
        };
        read().map_err(self.place.error())
    }

    /// Returns the entries of an authority's next CRL, in the order of the revocations.
    ///
    /// An expired certificate is left out only when a CRL that was published after its expiry has contained it (RFC
    /// 5280 §3.3); a certificate whose expiry is not known, never. A revocation counts from the time of its record,
    /// independent of the clock.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub fn to_be_listed(&self, authority: &str, now: OffsetDateTime) -> Result<Vec<RevokedEntry>, IndexError> {
        let read = || -> DatabaseResult<_> {
            let (is_in_effect, other_is) = (in_effect::is_in_effect("r"), in_effect::is_in_effect("s"));
            let counts_before = in_effect::counts_before("s", "r");
            // Nearly every certificate has one row. The others are found once: to look for a second row of each of 100,000
            // costs 30 ms. A CRL that was signed while a clock was ahead does not show that an expired certificate was
            // listed, nor does one whose record names a last revocation that none can follow.
            let mut statement = self.connection.prepare(&format!(
                "SELECT r.serial, r.at, r.reason, r.invalid_since
                 FROM revocation AS r
                 WHERE r.authority = ?1 AND {is_in_effect}
                   AND (r.certificate NOT IN (
                           SELECT m.certificate FROM revocation AS m GROUP BY m.certificate HAVING count(*) > 1)
                       OR NOT EXISTS (
                           SELECT 1 FROM revocation AS s
                           WHERE s.certificate = r.certificate AND {counts_before} AND {other_is}))
                   AND (r.not_after >= ?2 OR NOT EXISTS (
                       SELECT 1 FROM revocation_list AS l
                       WHERE l.authority = ?1 AND l.published_at IS NOT NULL
                         AND l.signed_at > r.not_after AND l.signed_at <= ?2
                         AND l.last_revocation >= r.id AND l.last_revocation < 9223372036854775807))
                 ORDER BY r.id"
            ))?;
            let own = statement.query_map(values![authority, now.unix_timestamp()], listed)?;
            let mut entries = own.collect::<DatabaseResult<Vec<_>>>()?;
            entries.extend(self.imported_to_be_listed(authority, now)?);
            Ok(entries)
        };
        read().map_err(self.place.error())
    }
}

/// Reads a row with the serial number, the time, the reason and the date of invalidity.
pub(super) fn listed(row: &Row<'_>) -> DatabaseResult<RevokedEntry> {
    let moment = |seconds: i64| OffsetDateTime::from_unix_timestamp(seconds).map_err(|_| strange("at"));
    let reason: u8 = row.get(2)?;
    let reason = RevocationReason::from_code(reason).ok_or_else(|| strange("reason"))?;
    Ok(RevokedEntry {
        serial: SerialNumber::from_der_content(row.blob(0)?),
        revoked_at: moment(row.get(1)?)?,
        // "Should be absent instead of using the unspecified value" (RFC 5280 §5.3.1).
        reason: Some(reason).filter(|reason| *reason != RevocationReason::Unspecified),
        invalid_since: row.get::<_, Option<i64>>(3)?.map(moment).transpose()?,
        certificate_issuer: None,
        unknown_critical: Vec::new(),
    })
}
