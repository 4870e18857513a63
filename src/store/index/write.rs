//! Changes of the index, each in one durable transaction.

use std::ops::Deref;

use rusqlite::{Connection, ErrorCode, TransactionBehavior, params};
use time::OffsetDateTime;

use crate::store::index::{EntryId, Index, IndexError, NewCrl, NewEntry, Revocation, Rollback};
use crate::x509::GeneralName;
use crate::x509::crl::RevocationReason;

/// A transaction. It sees its own records, and other connections see them after [`commit`](Transaction::commit). When
/// it is dropped, nothing is changed.
pub struct Transaction<'a> {
    index: &'a Index,
    transaction: rusqlite::Transaction<'a>,
}

/// Every query of the index also works within a transaction.
impl Deref for Transaction<'_> {
    type Target = Index;

    fn deref(&self) -> &Index {
        self.index
    }
}

impl Index {
    /// Begins a transaction. Of several writers one goes first and the others wait; readers are not affected.
    ///
    /// # Errors
    /// When another writer does not finish in time, or the index was opened for reading.
    pub fn transaction(&mut self) -> Result<Transaction<'_>, IndexError> {
        let index: &Self = self;
        let transaction = rusqlite::Transaction::new_unchecked(&index.connection, TransactionBehavior::Immediate)
            .map_err(index.place.error())?;
        Ok(Transaction { index, transaction })
    }

    /// Records that the files of a certificate are delivered. This is cheap and **not durable**: after a power cut the
    /// mark may be missing, and the next run restores it from the files.
    ///
    /// # Errors
    /// When the index cannot be written.
    pub fn mark_delivered(&mut self, id: EntryId, at: OffsetDateTime) -> Result<(), IndexError> {
        let update = "UPDATE certificate SET delivered_at = ?1 WHERE id = ?2";
        self.lightly(|connection| connection.execute(update, params![at.unix_timestamp(), id.0]).map(drop))
    }

    /// Writes without a sync.
    fn lightly(&self, write: impl FnOnce(&Connection) -> rusqlite::Result<()>) -> Result<(), IndexError> {
        // NORMAL, not OFF: a commit that writes the log back into the main file still syncs the log first.
        let light = self.connection.execute_batch("PRAGMA synchronous = NORMAL");
        let written = light.and_then(|()| write(&self.connection)).map_err(self.place.error());
        self.connection.execute_batch("PRAGMA synchronous = FULL").map_err(self.place.error())?;
        written
    }

    /// Records that the files of a CRL are published: cheap and not durable, like
    /// [`mark_delivered`](Self::mark_delivered). Without the mark, an expired certificate stays on one more CRL.
    ///
    /// # Errors
    /// When the index cannot be written.
    pub fn mark_published(&mut self, authority: &str, number: u64, at: OffsetDateTime) -> Result<(), IndexError> {
        let update = "UPDATE revocation_list SET published_at = ?1 WHERE authority = ?2 AND number = ?3";
        let values = params![at.unix_timestamp(), authority, number.cast_signed()];
        self.lightly(|connection| connection.execute(update, values).map(drop))
    }

    /// Removes the mark, as if the process was killed before [`mark_delivered`](Self::mark_delivered).
    #[cfg(test)]
    pub fn unmark_delivered(&mut self, id: EntryId) -> Result<(), IndexError> {
        let unmark = "UPDATE certificate SET delivered_at = NULL WHERE id = ?1";
        self.connection.execute(unmark, [id.0]).map(drop).map_err(self.place.error())
    }
}

impl Transaction<'_> {
    /// Records a certificate.
    ///
    /// # Errors
    /// When the index already has a certificate with this issuer and serial number, or cannot be written.
    pub fn insert(&mut self, entry: &NewEntry<'_>) -> Result<EntryId, IndexError> {
        let certificate = entry.certificate;
        let sans: Vec<String> = certificate.names().iter().map(GeneralName::to_string).collect();
        let inserted = self.transaction.execute(
            "INSERT INTO certificate (serial, issuer, der, name, template, authority, subject, sans, key_fingerprint,
                 fingerprint, not_before, not_after, issued_at, origin, place, delivered_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)",
            params![
                certificate.serial.as_der_content(),
                certificate.issuer.as_der(),
                certificate.as_der(),
                entry.name,
                entry.template,
                entry.authority,
                certificate.subject.to_string(),
                sans.join("\n"),
                certificate.public_key.fingerprint(),
                certificate.fingerprint(),
                certificate.validity.not_before.unix_timestamp(),
                certificate.validity.not_after.unix_timestamp(),
                entry.issued_at.unix_timestamp(),
                entry.origin.name(),
                entry.place.map(|place| place.to_string_lossy()),
                entry.delivered_at.map(OffsetDateTime::unix_timestamp),
            ],
        );
        match inserted {
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::ConstraintViolation) => {
                return Err(IndexError::SerialUsed { serial: certificate.serial.clone() });
            }
            inserted => inserted.map_err(self.place.error())?,
        };
        let id = self.transaction.last_insert_rowid();
        self.insert_sans(id, certificate.names()).map_err(self.place.error())?;
        Ok(EntryId(id))
    }

    fn insert_sans(&self, id: i64, names: &[GeneralName]) -> rusqlite::Result<()> {
        if names.is_empty() {
            return Ok(());
        }
        // A certificate of another tool may contain the same name twice.
        let mut statement =
            self.transaction.prepare("INSERT OR IGNORE INTO san (value, kind, certificate) VALUES (?1, ?2, ?3)")?;
        for name in names {
            statement.execute(params![name.value(), name.kind(), id])?;
        }
        Ok(())
    }

    /// Records that a certificate was revoked or put on hold.
    ///
    /// # Errors
    /// When the index cannot be written.
    pub fn revoke(&mut self, id: EntryId, revocation: &Revocation) -> Result<(), IndexError> {
        let times = [Some(revocation.at), revocation.invalid_since, revocation.released_at];
        let [at, invalid_since, released_at] = times.map(|time| time.map(OffsetDateTime::unix_timestamp));
        self.transaction
            .execute(
                "INSERT INTO revocation (certificate, at, reason, invalid_since, released_at, authority, serial, not_after)
                 SELECT id, ?2, ?3, ?4, ?5, authority, serial, not_after FROM certificate WHERE id = ?1",
                params![id.0, at, revocation.reason.code(), invalid_since, released_at],
            )
            .map_err(self.place.error())?;
        Ok(())
    }

    /// Records that a hold was released. Returns false when no hold is in effect.
    ///
    /// # Errors
    /// When the index cannot be written.
    pub fn release(&mut self, id: EntryId, at: OffsetDateTime) -> Result<bool, IndexError> {
        let released = self.transaction.execute(
            "UPDATE revocation SET released_at = ?1 WHERE certificate = ?2 AND reason = ?3 AND released_at IS NULL",
            params![at.unix_timestamp(), id.0, RevocationReason::CertificateHold.code()],
        );
        Ok(released.map_err(self.place.error())? > 0)
    }

    /// Records a CRL before its files appear.
    ///
    /// # Errors
    /// When an earlier CRL of this authority has the same number, or the index cannot be written.
    pub fn record_crl(&mut self, crl: &NewCrl<'_>) -> Result<(), IndexError> {
        crl.insert(&self.transaction).map_err(self.place.error())
    }

    /// Records that the files of a previous certificate are about to be put back, and returns the number of the record.
    /// `id` and `done_at` of `rollback` are ignored.
    ///
    /// # Errors
    /// When the index cannot be written.
    pub fn roll_back(&mut self, rollback: &Rollback, name: &str) -> Result<i64, IndexError> {
        let Rollback { id: _, certificate, replaced, newest, at, done_at: _ } = rollback;
        let inserted = self.transaction.execute(
            "INSERT INTO rollback (name, certificate, replaced, newest, at) VALUES (?1, ?2, ?3, ?4, ?5)",
            params![name, certificate.0, replaced.0, newest.0, at.unix_timestamp()],
        );
        inserted.map_err(self.place.error())?;
        Ok(self.transaction.last_insert_rowid())
    }

    /// Makes all records of this transaction durable at once.
    ///
    /// # Errors
    /// When the index cannot be written; then nothing is changed.
    pub fn commit(self) -> Result<(), IndexError> {
        let place = &self.index.place;
        self.transaction.commit().map_err(place.error())
    }
}
