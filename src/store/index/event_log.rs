//! The event log: each event is appended in the transaction of its change, and its hash covers all events before it.

use std::sync::LazyLock;

use crate::store::index::database::{Database, DatabaseResult, DatabaseTransaction, OptionalRow, Proof, ValueRef};
use crate::store::index::event::{CoveredRow, EventKind, HeadSignature, NewEvent, empty_hash, encode_value, next_hash};
use crate::store::index::event_object::EventObject;
use crate::system::Actor;

/// The columns of an event that its hash covers, in this order.
pub(crate) const COLUMNS: &str =
    "number, at, kind, object, row, name, serial, content, detail, user_id, \"user\", sudo_user, host";
pub(crate) const COLUMN_COUNT: usize = 13;

static INSERT: LazyLock<String> = LazyLock::new(|| {
    format!(
        "INSERT INTO event ({COLUMNS}, head, signed_by, signature)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)"
    )
});

impl EventObject {
    /// Returns what an event records of the row, as the row is now.
    pub(crate) fn cover(self, connection: &Database, id: Option<i64>, name: &str) -> DatabaseResult<CoveredRow> {
        Ok(CoveredRow { object: self.name(), id, content: self.digest(connection, id, name)? })
    }
}

/// The end of the log: the number of events and the hash over all of them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct End {
    pub count: u64,
    pub hash: [u8; 32],
}

impl End {
    /// Reads the end of the log.
    pub fn read(connection: &Database) -> DatabaseResult<Self> {
        let last = "SELECT number, head FROM event ORDER BY number DESC LIMIT 1";
        let last = connection
            .query_row(last, &[], |row| Ok((row.get::<_, i64>(0)?.unsigned_abs(), row.get(1)?)))
            .optional()?;
        let (count, hash) = last.unwrap_or((0, empty_hash()));
        Ok(Self { count, hash })
    }

    /// Commits the transaction that has appended the events up to this one: its hash is that of no other log.
    ///
    /// # Errors
    /// When the database reports one; then nothing is changed.
    pub fn commit(self, transaction: DatabaseTransaction<'_>) -> DatabaseResult<()> {
        let sql = "SELECT 1 FROM event WHERE number = ?1 AND head = ?2";
        let values = [ValueRef::Integer(self.count.cast_signed()), ValueRef::Blob(&self.hash)];
        transaction.commit_with(Some(&Proof { sql, values: &values }))
    }
}

/// The next event of the log, and the end of the log after it.
pub(crate) struct NextEvent<'e> {
    values: [ValueRef<'e>; COLUMN_COUNT],
    pub end: End,
}

impl<'e> NextEvent<'e> {
    /// Numbers an event and computes the hash after it.
    pub fn new(end: End, event: &'e NewEvent, at: i64, actor: Option<&'e Actor>) -> Self {
        let optional = |text: Option<&'e str>| text.map_or(ValueRef::Null, ValueRef::of_text);
        let row = event.row.as_ref();
        let count = end.count + 1;
        let values = [
            ValueRef::Integer(count.cast_signed()),
            ValueRef::Integer(at),
            ValueRef::of_text(event.kind),
            optional(row.map(|row| row.object)),
            row.and_then(|row| row.id).map_or(ValueRef::Null, ValueRef::Integer),
            ValueRef::of_text(&event.name),
            event.serial.as_deref().map_or(ValueRef::Null, ValueRef::Blob),
            row.and_then(|row| row.content.as_ref()).map_or(ValueRef::Null, |content| ValueRef::Blob(content)),
            optional(event.detail.as_deref()),
            actor.map_or(ValueRef::Null, |actor| ValueRef::Integer(actor.user_id.into())),
            optional(actor.and_then(|actor| actor.user.as_deref())),
            optional(actor.and_then(|actor| actor.sudo_user.as_deref())),
            optional(actor.map(|actor| actor.host.as_str())),
        ];
        let mut encoded = Vec::with_capacity(256);
        values.iter().for_each(|value| encode_value(&mut encoded, *value));
        Self { values, end: End { count, hash: next_hash(&end.hash, &encoded) } }
    }

    /// Appends the event, and the signature over the head after it.
    ///
    /// # Errors
    /// When the index cannot be written.
    pub fn append(self, connection: &Database, signature: Option<&HeadSignature>) -> DatabaseResult<()> {
        let signed_by = signature.map_or(ValueRef::Null, |signature| ValueRef::of_text(&signature.authority));
        let signature = signature.map_or(ValueRef::Null, |signature| ValueRef::Blob(&signature.signature));
        let mut all = [ValueRef::Null; COLUMN_COUNT + 3];
        all[..COLUMN_COUNT].copy_from_slice(&self.values);
        all[COLUMN_COUNT..].copy_from_slice(&[ValueRef::Blob(&self.end.hash), signed_by, signature]);
        connection.prepare_cached(&INSERT)?.execute(&all).map(drop)
    }
}

/// Appends an event of the kind `migrate` for each row that an index without a log has.
pub(crate) fn cover_existing_rows(connection: &Database) -> DatabaseResult<()> {
    // (object, number in the log, time, name, serial number) of each row, in the order of the records.
    let rows = [
        (EventObject::Certificate, "SELECT id, issued_at, name, serial FROM certificate ORDER BY id"),
        (
            EventObject::Revocation,
            "SELECT r.id, r.at, c.name, c.serial
             FROM revocation AS r JOIN certificate AS c ON c.id = r.certificate ORDER BY r.id",
        ),
        (
            EventObject::Release,
            "SELECT r.id, r.released_at, c.name, c.serial
             FROM revocation AS r JOIN certificate AS c ON c.id = r.certificate
             WHERE r.released_at IS NOT NULL ORDER BY r.id",
        ),
        (EventObject::Crl, "SELECT number, signed_at, authority, NULL FROM revocation_list ORDER BY signed_at, number"),
        (EventObject::Rollback, "SELECT id, at, name, NULL FROM rollback ORDER BY id"),
        (
            EventObject::Hook,
            "SELECT NULL, coalesce((SELECT max(c.issued_at) FROM certificate AS c WHERE c.name = h.name), 0), h.name, NULL
             FROM hook AS h ORDER BY h.name",
        ),
    ];
    let mut end = End::read(connection)?;
    for (object, sql) in rows {
        let mut statement = connection.prepare(sql)?;
        let mut rows = statement.query(&[])?;
        while let Some(row) = rows.next()? {
            let (id, at, name): (Option<i64>, i64, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
            let covered = object.cover(connection, id, &name)?;
            let kind = EventKind::Migrate.name();
            let event = NewEvent { kind, row: Some(covered), name, serial: row.get(3)?, detail: None };
            let next = NextEvent::new(end, &event, at, None);
            end = next.end;
            next.append(connection, None)?;
        }
    }
    Ok(())
}
