//! Changes of the index, each in one durable transaction.

use std::num::NonZeroUsize;
use std::ops::Deref;

use time::OffsetDateTime;

use crate::store::index::database::{
    Database, DatabaseFailure, DatabaseResult, DatabaseTransaction, Row, ValueRef, values,
};
use crate::store::index::event::{CoveredRow, NewEvent};
use crate::store::index::event_log::{End, NextEvent};
use crate::store::index::mark::Mark;
use crate::store::index::{
    EntryId, EventContext, EventKind, EventObject, HeadSignature, Index, IndexError, LogHead, NewCrl, NewEntry, Origin,
    Revocation, Rollback, StoredHook,
};
use crate::system::threads::in_order;
use crate::x509::crl::RevocationReason;
use crate::x509::{GeneralName, SerialNumber};

/// The heads of the log that a thread signs before it returns their signatures.
const HEADS_TOGETHER: usize = 16;

/// A transaction. It sees its own records, and other connections see them after [`commit`](Transaction::commit). When
/// it is dropped, nothing is changed.
///
/// Each of its functions also makes an event, which [`commit`](Transaction::commit) appends to the event log: there is no
/// change without its event.
pub struct Transaction<'a> {
    index: &'a Index,
    pub(super) transaction: DatabaseTransaction<'a>,
    context: EventContext,
    events: Vec<NewEvent>,
}

/// Every query of the index also works within a transaction.
impl Deref for Transaction<'_> {
    type Target = Index;

    fn deref(&self) -> &Index {
        self.index
    }
}

impl Index {
    /// Begins a transaction, whose events have this time, user and host. Of several writers one goes first and the others
    /// wait; readers are not affected.
    ///
    /// # Errors
    /// When another writer does not finish in time, or the index was opened for reading.
    pub fn transaction(&mut self, context: EventContext) -> Result<Transaction<'_>, IndexError> {
        let index: &Self = self;
        let transaction = index.connection.begin_writing().map_err(index.place.error())?;
        Ok(Transaction { index, transaction, context, events: Vec::new() })
    }

    /// Records that the files of a certificate are delivered. This is cheap and **not durable**: after a power cut the
    /// mark may be missing, and the next run restores it from the files.
    ///
    /// # Errors
    /// When the index cannot be written.
    pub fn mark_delivered(&mut self, id: EntryId, at: OffsetDateTime) -> Result<(), IndexError> {
        self.lightly(|connection| Mark::Delivered.set(connection, "", id.0, at.unix_timestamp()))
    }

    /// Records that the files of many certificates are delivered, in one transaction, as [`mark_delivered`](Self::mark_delivered).
    ///
    /// # Errors
    /// When the index cannot be written; then none is marked.
    pub fn mark_all_delivered(&mut self, ids: &[EntryId], at: OffsetDateTime) -> Result<(), IndexError> {
        self.lightly(|connection| {
            let transaction = connection.begin_writing()?;
            for id in ids {
                Mark::Delivered.set(&transaction, "", id.0, at.unix_timestamp())?;
            }
            transaction.commit()
        })
    }

    /// Writes without a sync.
    pub(super) fn lightly(&self, write: impl FnOnce(&Database) -> DatabaseResult<()>) -> Result<(), IndexError> {
        self.connection.lightly(write).map_err(self.place.error())
    }

    /// Records that the files of a CRL are published: cheap and not durable, like
    /// [`mark_delivered`](Self::mark_delivered). Without the mark, an expired certificate stays on one more CRL.
    ///
    /// # Errors
    /// When the index cannot be written.
    pub fn mark_published(&mut self, authority: &str, number: u64, at: OffsetDateTime) -> Result<(), IndexError> {
        let number = number.cast_signed();
        self.lightly(|connection| Mark::Published.set(connection, authority, number, at.unix_timestamp()))
    }

    /// Removes every revocation of a serial number, as a program does that edits the file.
    #[cfg(test)]
    pub fn delete_revocation(&self, serial: &SerialNumber) -> Result<(), IndexError> {
        let delete = "DELETE FROM revocation WHERE serial = ?1";
        self.connection.execute(delete, values![serial.as_der_content()]).map(drop).map_err(self.place.error())
    }

    /// Removes the mark, as if the process was killed before [`mark_delivered`](Self::mark_delivered).
    #[cfg(test)]
    pub fn unmark_delivered(&mut self, id: EntryId) -> Result<(), IndexError> {
        let unmark = "UPDATE certificate SET delivered_at = NULL, delivered_check = NULL WHERE id = ?1";
        self.connection.execute(unmark, values![id.0]).map(drop).map_err(self.place.error())
    }
}

/// Returns the statement that inserts the row of a setting, or overwrites the row with the same key, which is the first column.
pub(super) fn replacing(table: &str, columns: &[&str]) -> String {
    let values: Vec<String> = (1..=columns.len()).map(|number| format!("?{number}")).collect();
    let updates: Vec<String> = columns.iter().map(|column| format!("{column} = excluded.{column}")).collect();
    format!(
        "INSERT INTO {table} ({}) VALUES ({}) ON CONFLICT ({}) DO UPDATE SET {}",
        columns.join(", "),
        values.join(", "),
        columns[0],
        updates.join(", ")
    )
}

impl Transaction<'_> {
    /// Records a certificate.
    ///
    /// # Errors
    /// When the index already has a certificate with this issuer and serial number, or cannot be written.
    pub fn insert(&mut self, entry: &NewEntry<'_>) -> Result<EntryId, IndexError> {
        let certificate = entry.certificate;
        // What is recorded is what is looked for later, so nothing is replaced in it.
        let place = entry.place.map(|place| place.to_str().ok_or_else(|| IndexError::PlaceNotUtf8(place.to_owned())));
        let place = place.transpose()?;
        let sans: Vec<String> = certificate.names().iter().map(GeneralName::to_string).collect();
        let (subject, sans) = (certificate.subject.to_string(), sans.join("\n"));
        let (key_fingerprint, fingerprint) = (certificate.public_key.fingerprint(), certificate.fingerprint());
        let time = |time: OffsetDateTime| ValueRef::Integer(time.unix_timestamp());
        let values = [
            ValueRef::Blob(certificate.serial.as_der_content()),
            ValueRef::Blob(certificate.issuer.as_der()),
            ValueRef::Blob(certificate.as_der()),
            ValueRef::of_text(entry.name),
            ValueRef::of_text(entry.template),
            ValueRef::of_text(entry.authority),
            ValueRef::of_text(&subject),
            ValueRef::of_text(&sans),
            ValueRef::Blob(&key_fingerprint),
            ValueRef::Blob(&fingerprint),
            time(certificate.validity.not_before),
            time(certificate.validity.not_after),
            time(entry.issued_at),
            ValueRef::of_text(entry.origin.name()),
            place.map_or(ValueRef::Null, ValueRef::of_text),
        ];
        let insert = format!(
            "INSERT INTO certificate ({}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)",
            EventObject::Certificate.columns()
        );
        // Many certificates may be recorded in one transaction: a statement is prepared once.
        let inserted = self.transaction.prepare_cached(&insert).and_then(|mut insert| insert.execute(&values));
        match inserted {
            Err(error) if error.failure() == Some(DatabaseFailure::Constraint) => {
                return Err(IndexError::SerialUsed { serial: certificate.serial.clone() });
            }
            inserted => inserted.map_err(self.place.error())?,
        };
        let id = self.newest_row("certificate")?;
        if let Some(at) = entry.delivered_at {
            Mark::Delivered.set(&self.transaction, "", id, at.unix_timestamp()).map_err(self.place.error())?;
        }
        self.insert_sans(id, certificate.names()).map_err(self.place.error())?;
        let row = CoveredRow {
            object: EventObject::Certificate.name(),
            id: Some(id),
            content: Some(EventObject::Certificate.digest_of_values(&values)),
        };
        self.event_about(entry.event, row, entry.name, Some(&certificate.serial), entry.detail.clone());
        if entry.origin != Origin::Issued {
            // A serial number that this program draws is never one of an imported revocation.
            self.join_revocations(EntryId(id), entry)?;
        }
        Ok(EntryId(id))
    }

    fn insert_sans(&self, id: i64, names: &[GeneralName]) -> DatabaseResult<()> {
        if names.is_empty() {
            return Ok(());
        }
        // A certificate of another tool may contain the same name twice.
        let mut statement = self
            .transaction
            .prepare_cached("INSERT INTO san (value, kind, certificate) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING")?;
        for name in names {
            statement.execute(values![name.value(), name.kind(), id])?;
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
                 SELECT id, ?2, ?3, CAST(?4 AS BIGINT), CAST(?5 AS BIGINT), authority, serial, not_after
                 FROM certificate WHERE id = ?1",
                values![id.0, at, revocation.reason.code(), invalid_since, released_at],
            )
            .map_err(self.place.error())?;
        // The order of these rows does not decide which of them counts, so that no other row stops a revocation.
        let row = self.transaction.last_insert_id().map_err(self.place.error())?;
        let is_hold = revocation.reason == RevocationReason::CertificateHold;
        let kind = if is_hold { EventKind::Hold } else { EventKind::Revoke };
        self.event_of(kind, EventObject::Revocation, row, id, Some(revocation.reason.name().to_owned()))?;
        if revocation.released_at.is_some() {
            self.event_of(EventKind::Release, EventObject::Release, row, id, None)?;
        }
        Ok(())
    }

    /// Records that a hold was released. Returns false when no hold is in effect.
    ///
    /// # Errors
    /// When the index cannot be written.
    pub fn release(&mut self, id: EntryId, at: OffsetDateTime) -> Result<bool, IndexError> {
        self.end_revocations(id, at, "reason = 6")
    }

    /// Ends the revocations of a certificate that meet a condition in SQL. Returns false when there is none in effect.
    pub(super) fn end_revocations(
        &mut self,
        id: EntryId,
        at: OffsetDateTime,
        condition: &str,
    ) -> Result<bool, IndexError> {
        let update = || -> DatabaseResult<Vec<i64>> {
            let mut statement = self.transaction.prepare(&format!(
                "UPDATE revocation SET released_at = ?1 WHERE certificate = ?2 AND {condition} AND released_at IS NULL
                 RETURNING id",
            ))?;
            statement.query_map(values![at.unix_timestamp(), id.0], |row| row.get(0))?.collect()
        };
        let mut released = update().map_err(self.place.error())?;
        released.sort_unstable();
        for row in &released {
            self.event_of(EventKind::Release, EventObject::Release, *row, id, None)?;
        }
        Ok(!released.is_empty())
    }

    /// Records a CRL before its files appear.
    ///
    /// # Errors
    /// When an earlier CRL of this authority has the same number, or the index cannot be written.
    pub fn record_crl(&mut self, crl: &NewCrl<'_>) -> Result<(), IndexError> {
        crl.insert(&self.transaction).map_err(self.place.error())?;
        let number = Some(crl.number.cast_signed());
        self.event(EventKind::Crl, EventObject::Crl, number, crl.authority, None, None)
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
            values![name, certificate.0, replaced.0, newest.0, at.unix_timestamp()],
        );
        inserted.map_err(self.place.error())?;
        let id = self.newest_row("rollback")?;
        self.event_of(EventKind::Rollback, EventObject::Rollback, id, *certificate, None)?;
        Ok(id)
    }

    /// Stores the hook of a NAME; `None` removes it.
    ///
    /// # Errors
    /// When the index cannot be written.
    pub fn set_hook(&mut self, name: &str, hook: Option<&StoredHook>) -> Result<(), IndexError> {
        let written = match hook {
            Some(hook) => self.transaction.execute(
                &replacing("hook", &["name", "command", "timeout", "on_failure"]),
                values![name, hook.command, hook.timeout.cast_signed(), hook.on_failure],
            ),
            None => self.transaction.execute("DELETE FROM hook WHERE name = ?1", values![name]),
        };
        written.map_err(self.place.error())?;
        let kind = if hook.is_some() { EventKind::HookSet } else { EventKind::HookRemove };
        self.event(kind, EventObject::Hook, None, name, None, hook.map(|hook| hook.command.clone()))
    }

    /// Records an event that changes no row of the index.
    pub fn record_event(&mut self, kind: EventKind, name: &str, detail: Option<String>) {
        let name = name.to_owned();
        self.events.push(NewEvent { kind: kind.name(), row: None, name, serial: None, detail });
    }

    /// Returns the time of the events of this transaction.
    pub fn time(&self) -> OffsetDateTime {
        self.context.at
    }

    /// Makes the event of a row that this transaction has written.
    pub(super) fn event(
        &mut self,
        kind: EventKind,
        object: EventObject,
        row: Option<i64>,
        name: &str,
        serial: Option<&SerialNumber>,
        detail: Option<String>,
    ) -> Result<(), IndexError> {
        let covered = object.cover(&self.transaction, row, name).map_err(self.place.error())?;
        self.event_about(kind, covered, name, serial, detail);
        Ok(())
    }

    fn event_about(
        &mut self,
        kind: EventKind,
        row: CoveredRow,
        name: &str,
        serial: Option<&SerialNumber>,
        detail: Option<String>,
    ) {
        let (name, serial) = (name.to_owned(), serial.map(|serial| serial.as_der_content().to_vec()));
        self.events.push(NewEvent { kind: kind.name(), row: Some(row), name, serial, detail });
    }

    /// Makes the event of a row about a certificate of the index.
    fn event_of(
        &mut self,
        kind: EventKind,
        object: EventObject,
        row: i64,
        certificate: EntryId,
        detail: Option<String>,
    ) -> Result<(), IndexError> {
        let named = "SELECT name, serial FROM certificate WHERE id = ?1";
        let read = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?));
        let found = self.transaction.query_row(named, values![certificate.0], read);
        let (name, serial): (String, Vec<u8>) = found.map_err(self.place.error())?;
        self.event(kind, object, Some(row), &name, Some(&SerialNumber::from_der_content(&serial)), detail)
    }

    /// Makes all records of this transaction durable at once.
    ///
    /// # Errors
    /// When the index cannot be written; then nothing is changed.
    pub fn commit(self) -> Result<(), IndexError> {
        self.commit_signed(NonZeroUsize::MIN, |_| Ok::<_, IndexError>(None))
    }

    /// As [`commit`](Self::commit), and stores the signatures that `sign` makes over the head of the log after this
    /// transaction, and after each certificate in it that was issued. It is not called when the transaction changes nothing.
    /// `jobs` threads sign: a signature does not depend on the one before it, as the hash that it covers does.
    ///
    /// # Errors
    /// When the index cannot be written, or that of `sign`; then nothing is changed.
    pub fn commit_signed<E: From<IndexError> + Send>(
        self,
        jobs: NonZeroUsize,
        sign: impl Fn(&LogHead) -> Result<Option<HeadSignature>, E> + Sync,
    ) -> Result<(), E> {
        let Self { index, transaction, context, events } = self;
        let failed = |error| E::from(index.place.error()(error));
        if let Some(last) = events.len().checked_sub(1) {
            let (time, at, actor) = (context.at, context.at.unix_timestamp(), Some(&context.actor));
            let mut end = End::read(&transaction).map_err(failed)?;
            if end.count.saturating_add(events.len() as u64) > i64::MAX.cast_unsigned() {
                return Err(index.ids_are_used_up("event").into());
            }
            let together = if jobs == NonZeroUsize::MIN { usize::MAX } else { HEADS_TOGETHER };
            in_order(
                jobs,
                together,
                |give| {
                    events.iter().enumerate().try_for_each(|(number, event)| {
                        let next = NextEvent::new(end, event, at, actor);
                        end = next.end;
                        // The audit expects it after each of them, whether or not others share their transaction.
                        give((next, number == last || event.is_of_issued_certificate()))
                    })
                },
                |(event, is_signed)| {
                    let End { count, hash } = event.end;
                    let signature = if is_signed { sign(&LogHead { count, hash, at: time })? } else { None };
                    Ok((event, signature))
                },
                |signed: Result<_, E>| {
                    let (event, signature) = signed?;
                    event.append(&transaction, signature.as_ref()).map_err(failed)
                },
            )?;
            return end.commit(transaction).map_err(failed);
        }
        transaction.commit().map_err(failed)
    }
}
